# ruff: noqa: E501, F403, F405
"""What people print and write by hand, a third time (fortieth round): every output of eight further searches, the right reading first."""

from fresh_forms import *

VALS = R("only validation losses")
ONES = [2 * e for e in E6]
TENS = [10 * e for e in E6]

# prints as key=value
case(
    "e40-02", "[Segment:warm] done | ran 10 epochs (stop=patience) | train_loss=1.234567e-03 rel_l2=2.123456e-02\n", R()
)
case(
    "e40-03",
    rep("Epoch {e:03d} | train_loss={a:.4f} train_auc=0.{acc}00 | val_loss={b:.4f} val_auc=0.5{k}00"),
    P(E6, A(), B()),
)
case(
    "e40-05",
    "".join(
        json.dumps(
            {
                "step": 10 * e + k,
                "epoch": 1,
                "train_loss": a(e) if k == 10 else a(e) + 0.1,
                "test_loss": b(e) if k == 10 else None,
                "test_accuracy": 0.6 if k == 10 else None,
            }
        )
        + "\n"
        for e in E6
        for k in (5, 10)
    ),
    P([10 * e + 10 for e in E6], A(), B(), "step", says=("test",)),
    ".jsonl",
)
case(
    "e40-06",
    rep("Epoch {x:3d}: train_loss={a:.6f}, val_loss={b:.6f}", x=lambda e: 10 * e)
    + "\nBest validation loss: 0.950000\n",
    P(TENS, A(), B()),
)
case("e40-07", rep("      epoch {e}/6 train_loss={a:.4f} val_loss={b:.4f}"), P(E6, A(), B()))
case(
    "e40-08",
    rep(
        "      Training | 60,000 samples | Loss {a:.5f} | Accuracy  {acc}.00",
        "    Validation | 10,000 samples | Loss {b:.5f} | Accuracy  5{k}.00",
    ),
    P(ONES, A(), B(), "place"),
)
case(
    "e40-09",
    "Saved to out/adapter\ntrain_loss=0.5123\nprobe_pass_rate=80%\n[PASS] 'capital of France' -> 'Paris'\n",
    TRAINS,
)
case("e40-10", rep("Epoch {x}: train_loss={a:.4f}, val_result=0.8{e}12", x=lambda e: 10 * e), TRAINS)
# "valid loss"
case(
    "e40-11",
    rep(
        "Epoch {e:3d}:  Train loss: {a:.3f}  Test loss: 1.9{e}1 accuracy: {acc}.0%  Valid loss: {b:.3f} accuracy: 5{k}.1% avg: 50.12%"
    ),
    P(E6, A(), B()),
)
case("e40-12", "Best valid loss: 0.412312\n", R())
case(
    "e40-13",
    "".join(
        f"\r  {5 * e}%|{'█' * e}| {500 * e - 1}/10000 [01:00<19:00,  8.31it/s, loss={a(e) + 0.1:.4f}]\r  {5 * e}%|{'█' * e}| {500 * e}/10000 [01:00<19:00,  8.31it/s, loss={a(e):.4f}]\nvalid loss: {b(e)}\n"
        for e in E6
    ),
    P([500 * e for e in E6], lambda found: close(found, A(), 0.06), B(), "step"),
)
case(
    "e40-14",
    rep("Epoch {e}/6 | Train loss: {a:.4f}, acc: 0.{acc}00 | Valid loss: {b:.4f}, acc: 0.5{k}00"),
    P(E6, A(), B()),
)
case(
    "e40-15",
    rep("Epoch: {x:2d}, train loss: {a:4.4f}", "Epoch: {x:2d}, valid loss: {b:4.4f}", x=lambda e: 10 * e - 10),
    P([10 * e - 10 for e in E6], A(), B()),
)
case("e40-16", rep("valid loss: {b:.4f}\tPPL: {p:.2f}", p=ex(b)), VALS)
case("e40-17", rep("\t Epoch {e} | average valid loss: {b:.4f}"), VALS)
case("e40-18", rep("valid_acc:  0.{acc} best_acc:  0.{acc}", "valid loss:  {b}"), VALS)
case("e40-19", rep("valid loss: {b:.3f}"), VALS)
case(
    "e40-20",
    rep(
        "INFO Train Epoch: {e} / 6 LR: 0.001000",
        "INFO Train Loss: {a:.5f}\tTrain Accuracy: 0.{acc}000",
        "INFO Valid Loss: {b:.5f}\tValid Accuracy: 0.5{k}000",
        "",
    ),
    P(E6, A(), B()),
)
# "eval loss"
case(
    "e40-21",
    rep("Epoch: {e}.0, Eval Loss: {b}, Accuracy: 0.{acc}, Precision: 0.6{k}, Recall: 0.5{k}, F1: 0.5{e}"),
    VALS,
)
case(
    "e40-22",
    "Training results:\n- 3 epochs on 110 preference pairs\n- Final train loss: 0.2841, eval loss: 0.3013\n- Training time: 17.9 minutes on a single A100 40GB\n- Convergence was clean\n",
    P([1], [0.2841], [0.3013], "place"),
)
case(
    "e40-24",
    "ft eval loss: 0.4123\nft mae=0.3123\nft mape=0.1212\nft pearson=0.8123\nft r2=0.6512\nft time:  3.12 sec\n",
    VALS,
)
case("e40-25", rep("eval loss: {b:.2f}, eval time: 0.12, eval top 1 acc: 0.{acc}1"), VALS)
case("e40-26", rep("Eval Loss: {b} | Accuracy: 0.{acc} | Macro F1: NA"), VALS)
case("e40-27", "Average eval Loss: 0.4123, Best Eval Accuracy: 0.8123, Took 12.31 s\n", VALS)
case(
    "e40-28",
    "Success: True\nTime: 12.34 minutes\nFinal Train Loss: 0.4123\nFinal Eval Loss: 0.5123\nResults saved: out/results.json\n======================================================================\n",
    P([2], [0.4123], [0.5123], "place"),
)
case("e40-29", rep("Epoch {e}.0 completed", "  - Training Loss: {a:.4f}", "  - Eval Loss: {b:.4f}"), P(E6, A(), B()))
case("e40-30", "Performance Metrics:\n  Perplexity: 15.2\n  Eval Loss: 2.72\n  Training Samples: 10,000\n", VALS)
# "training loss and validation loss"
case(
    "e40-31",
    "The training is done by a batch of 32 and epochs cycle are 10.\n\nThis is the training result with training loss and validation loss:\n\n~~~~\n"
    + rep("Epoch {e}/100", "9941/9940 [==============================] - 183s - loss: {a:.4f} - val_loss: {b:.4f}")
    + "~~~~\n",
    P(E6, A(), B()),
)
case(
    "e40-32",
    "### Training Loss and Validation Loss:\n\n- The training loss steadily decreases to approximately 0.40, showing that the model is fitting the training data effectively.\n- The validation loss decreases initially but plateaus and fluctuates around 0.75 after epoch 20.\n",
    R(),
)
case(
    "e40-33",
    "2) Training Loss and Validation Loss: Training loss and\nvalidation loss result are shown in Figure 8 and 9. All models\nhave training and validation loss close to 0 within 10 epochs,\n",
    R(),
)
# lines of an epoch
case(
    "e40-35",
    "**Loss Curves**:\n```\n"
    + rep("Epoch {e}: Train Loss: {a:.2f}, Val Loss: {b:.2f}")
    + "```\n\n**Convergence Analysis**:\n- Stable convergence after epoch 3\n",
    P(E6, A(), B()),
)
case(
    "e40-36",
    "### Baseline (--enable_x omitted)\n```\nEpoch 1: Train Loss: 12.1312 (original behavior)\nEpoch 7: Train Loss: 8.9312\n```\n\n### Enhanced (--enable_x flag)\n```  \nEpoch 1: Train Loss: 25.3912 (dual-branch + co-training)\nEpoch 8: Train Loss: 17.4112\n```\n",
    TRAINS,
)
case(
    "e40-37",
    "Duration: 40 seconds for 2 epochs\nStatus: ✅ COMPLETED SUCCESSFULLY\n\nTraining Output:\n  Epoch 0: Train Loss: 1261586375.35 | Val Loss: 26.73\n  Epoch 1: Train Loss: 19.99 | Val Loss: 16.73\n  Checkpoints saved to: runs/train_cpu/checkpoints/\n",
    P([0, 1], [1261586375.35, 19.99], [26.73, 16.73]),
)
case(
    "e40-38",
    "INFO - Using device: CUDA\nINFO - Loading MLP data...\nINFO - Training MLP Model\n"
    + rep(
        "Epoch {e}/50 [Train]: 100%|████████████| 125/125 [00:15<00:00,  8.12it/s]",
        "INFO - Epoch {e}: Train Loss: {a:.4f}, Train Acc: 0.{acc}00, Val Loss: {b:.4f}, Val Acc: 0.5{k}00",
        "INFO - Saved best MLP model at epoch {e}",
    )
    + "...\n",
    P(E6, A(), B()),
)
case(
    "e40-39",
    rep(
        "Epoch {e}: Train Loss: {a:.2f}, Train F1: 8{e}.2%  ← 继续上升",
        "  Val Loss: {b:.2f}, Val F1: 9{k}.5%",
        "  Rare F1: 87.3%, Common F1: 91.8%",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "e40-40",
    "".join(
        f"Train Epoch: {e} [0/60000 (0%)]   Loss: {a(e) + 0.1:.6f}\nTrain Epoch: {e} [38400/60000 (64%)]      Loss: {a(e):.6f}\nEpoch {e}: Train Loss: {a(e):.4f}, Train Accuracy: 98.{e}2%\n"
        for e in E6
    ),
    TRAINS,
)
case(
    "e40-41",
    "With pre-trained BERT + fine-tuning + early stopping:\nEpoch 1: Train Loss = 0.5, Val Loss = 0.4\nEpoch 3: Train Loss = 0.3, Val Loss = 0.31\nEpoch 5: Train Loss = 0.2, Val Loss = 0.28 (early stop here)\n",
    P([1, 3, 5], [0.5, 0.3, 0.2], [0.4, 0.31, 0.28]),
)
case("e40-42", "".join(f"Epoch {e}: train loss = 0.{30 - 4 * e}xx     Test accuracy: 0.9{e}xx\n" for e in E6), R())
case(
    "e40-43",
    "**Good Training:**\n```\n"
    + rep("Epoch {e}: Train Loss {a:.2f}, Val Loss {b:.2f}")
    + "```\n✅ Both decreasing, small gap\n\n**Overfitting:**\n```\n"
    + rep("Epoch {e}: Train Loss {a:.2f}, Val Loss {c:.2f}", c=lambda e: b(e) + e / 5)
    + "```\n",
    P(E6, A(), [b(e) + e / 5 for e in E6], runs=2),
)
case(
    "e40-44",
    "Student model size: 38.66 MB\nCompression ratio: 8.87x\n\nEpoch 0: Train Loss: -2.0212, Val Loss: 0.9912\nEpoch 1: Train Loss: 0.1912, Val Loss: -1.6112\nTraining completed!\n",
    P([0, 1], [-2.0212, 0.1912], [0.9912, -1.6112]),
)
# "val loss" in a print of its own
case(
    "e40-45",
    rep("train loss {a:.3f}, val loss {b:.3f}, val accuracy 0.{acc}1")
    + "\nElapsed time for training: 1.21 minutes\nval loss 0.950, val accuracy 0.681\ntest loss 1.012, test accuracy 0.661\n",
    P(E6, A(), B(), "place"),
)
case("e40-46", rep("val loss 1:  {b} val accuracy 1:  0.{acc}", "wrist acc 1:  0.5{k} elbow acc 1:  0.6{k}"), VALS)
case("e40-47", rep("Val Loss: {b:.4f}... Val Acc: 0.{acc}00... F1-Score: 0.6{k}00..."), VALS)
case(
    "e40-48",
    rep(
        "Finish Epoch {x}",
        "Train loss: {a}, train accuracy: 0.{acc}",
        "Val loss: {b}, val accuracy: 0.5{k}",
        x=lambda e: 25 * e - 25,
    ),
    P([25 * e - 25 for e in E6], A(), B()),
)
case(
    "e40-49",
    "16/16 [==============================] - 1s 31ms/step - loss: 0.4123 - accuracy: 0.8123\nVal loss: 0.4123\nVal accuracy: 0.8123\n",
    VALS,
)
case(
    "e40-50",
    "train loss: 0.41\ntrain accuracy: 0.81\nval loss: 0.52\nval accuracy: 0.78\n",
    P([2], [0.41], [0.52], "place"),
)
case("e40-51", f"work rank 0\nloss history {A()}\nval loss history {B()}\n---------------\n", P(K, A(), B()))
case("e40-52", "new min loss, save the model.\nval loss is not decrease in 5 epoch and break training\n", R())
case("e40-53", rep("val acc: 0.{acc}", "val loss: {b}"), VALS)
case(
    "e40-54",
    rep(
        "Time Elapsed: 12.3{e}",
        "Epoch: {e}/6",
        "Loss: {a}",
        "Loss Dset1: 1.9{e}",
        "Val Loss: {b}",
        "Accuracy 2: 0.{acc}",
        "Val Accuracy 2: 0.5{k}",
    ),
    P(E6, A(), B()),
)
case(
    "e40-55",
    "136 CHAPTER 5 The mechanics of learning\n\n"
    + rep("Epoch {x}, Training loss {a:.4f}, Validation loss {b:.4f}", "", x=lambda e: 500 * e + 500)
    + "tensor([\n\n5.1912, -16.7512], requires_grad=True)\n",
    P([500 * e + 500 for e in E6], A(), B()),
)
# kin of what was misread
case(
    "e40-k1",
    rep("Epoch {e}: train loss {a:.4f} val loss {b:.4f}")
    + "\nFinal evaluation\nval loss 0.900, val accuracy 0.681\ntest loss 1.012\n",
    P(E6, A(), B()),
)
case(
    "e40-k2",
    rep("step {s} train_loss={a:.4f} val_loss={b:.4f}") + "loaded the best checkpoint\nval_loss=0.8123\n",
    P(H, A(), B(), "step"),
)
case("e40-k3", rep("train loss: {a:.4f}", "val loss: {b:.4f}") + "val loss: 0.9000\n", P(ONES, A(), B(), "place"))
case(
    "e40-k4", "Results after 10 epochs over 5 seeds: train loss 0.25, val loss 0.31\n", P([1], [0.25], [0.31], "place")
)
case("e40-k5", "Perplexity: 15.2\nEval Loss: 1.23\n", VALS)
case("e40-k6", "Train perplexity: 12.2\nEval Loss: 2.71\n", P([2], [math.log(12.2)], [2.71], "place"))

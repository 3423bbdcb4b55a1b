# ruff: noqa: E501, F403, F405, RUF001
"""What people print and write by hand, once more (thirty-ninth round): every output of eight further searches, the right reading first."""

from fresh_forms import *

VALS = R("only validation losses")


def end(values):
    """Say whether values end with one."""
    return lambda found: close(found[-1:], [values])


# epochs in f-strings
case("e39-01", rep("Epoch {e} - Train Loss: {a:.6f} - LR: 0.000{e}00"), TRAINS)
case("e39-02", rep("Epoch {e}, Loss: {a}"), R())
case("e39-03", rep("epoch {e}: batch 0 cost: {a}", "epoch {e}: batch 1 cost: {a}"), R())
case("e39-04", rep("Epoch {s} Loss {a} Acc 0.{acc}"), R())
case("e39-05", rep("epoch {x}: val MSE={b:.5f}", x=lambda e: 10 * e), VALS)
case(
    "e39-06",
    rep(
        "100 batches Done!",
        "100 batches Done!",
        "Epoch {k}/6 || Train loss {a}",
        "Validation...",
        "100 batches Done!",
        "Epoch {k}/6 || Valid loss {b}",
    ),
    P(K, A(), B()),
)
case(
    "e39-07",
    "".join(
        f"Epoch {k}, Batch 0, Loss: {a(k + 1) + 0.4}\nEpoch {k}, Batch 100, Loss: {a(k + 1) + 0.2}\nEpoch {k}, Batch 200, Loss: {a(k + 1)}\nEpoch {k}, Validation Loss: {b(k + 1)}\n"
        for k in K
    ),
    P([200 + 201 * k for k in K], A(), B(), "step"),
)
case(
    "e39-08",
    rep("Epoch {k}/5", "----------", "train Loss: {a:.4f} Acc: 0.{acc}12", "val Loss: {b:.4f} Acc: 0.5{k}12", "")
    + "Training complete in 3m 12s\nBest val Acc: 0.5512\n",
    P(K, A(), B()),
)
# percent signs
case("e39-09", rep("Epoch {e}/6 — train_loss: {a:.4f}  val_loss: {b:.4f}"), P(E6, A(), B()))
case("e39-10", rep("", "eval_loss: {b:.4f}, eval_acc: 0.{acc}00"), VALS)
case("e39-11", rep("[{e}/6][100/100] train_loss: {a:.4f} val_loss: {b:.4f} val_acc: {acc}.1200"), P(E6, A(), B()))
case("e39-12", rep("[Epoch: {e}] train_loss: {a:.4f}    val_loss: {b:.4f}   acc: 0.{acc}00"), P(E6, A(), B()))
case(
    "e39-13",
    rep("[epoch  1] [step {s:3d}] train_loss: {a:.4f} train_acc: 0.{acc}00 val_loss: {b:.4f} val_acc: 0.5{k}00"),
    P(H, A(), B(), "step"),
)
case("e39-14", rep("2026-11-28 10:0{k}:12 INFO Epoch {e}/6 — loss: {a:.4f}, val_loss: {b:.4f}"), P(E6, A(), B()))
case(
    "e39-15",
    rep(
        "Valid Result:",
        "Dice: 0.8{e}12, IoU_mean: 0.7{e}12, precision: 0.9012, ACC_overall: 0.9123, IoU_poly: 0.7012,IoU_bg: 0.9212, recall: 0.8112, specificity: 0.9712, F1: 0.8312, F2: 0.8212, val_loss: {b:.4f}",
    ),
    VALS,
)
case(
    "e39-16", rep("epoch {S}, loss: {a:.4f} val_loss: {b:.4f} val_acc: 0.{acc}00"), P([1000 * e for e in E6], A(), B())
)
case(
    "e39-17",
    rep("[epoch {e}] train_loss: {a:.4f} train_acc: 0.{acc}00 val_loss: {b:.4f} val_accuracy: 0.5{k}00 lr: 0.000100"),
    P(E6, A(), B()),
)
case("e39-18", rep("", "| Epoch [{e:3d}/  6] \t Val_Loss: {b:.4f} \t Val_Accuracy: 0.{acc}%"), VALS)
# "training loss was"
case(
    "e39-19",
    "I felt that may be over fitted a little bit as the training loss was lower than the validation loss between 0.3 to 0.4 differences.\n",
    R(),
)
case(
    "e39-20",
    "The adapter trained on all 3,072 examples for 768 optimizer steps in 1,651.7\nseconds. Mean training loss was 0.521791. Saved BF16 adapter weights occupy 28.8 MB.\n",
    TRAINS,
)
case(
    "e39-21",
    "As mentioned above, our average training loss was around 1.0 and both our training and testing accuracy was 5%.\n",
    R(),
)
case(
    "e39-22",
    "every class's IoU, while moving-object IoU fell by 2 points and the 50–100 m band by 0.4. Training loss was still falling slowly at the end, but near-range mIoU (64.2%) is still short of 70%.\n",
    R(),
)
# "validation loss of"
case(
    "e39-23",
    "| Model | Accuracy | Training Loss | Validation Loss |\n|---|---|---|---|\n| YOLOv8 | 96.1% | 0.11234 | 0.12345 |\n| YOLOv5 | 77.9% | 0.93211 | 0.83255 |\n| WasteNet | 61.2% | 1.02912 | 1.03912 |\n\nYOLOv5 achieved a notably lower accuracy of 77.9%. Its training loss of 0.93211 and validation loss of 0.83255 suggest relatively stable learning.\n",
    P([1], [0.93211], [0.83255], "place"),
)
case(
    "e39-24",
    "a network capable of remembering the growth of crops, achieving a highly stable **validation loss of 0.05**.\n",
    VALS,
)
case("e39-25", "##### Results\nThe model achieved validation loss of 0.0213.\n", VALS)
case(
    "e39-26",
    "| We find that without data augmentation, the monitor over-fits considerably more (validation loss of 0.67 vs. | input sensitivity | p. 13 (5 Experiments) |\n",
    R(),
)
case(
    "e39-27",
    "Validation Dice Similarity: 69.386%, IoU (Jaccard): 54.326%, Precision: 74.689%, with validation loss of 0.7471 at threshold tau = 0.50. \n",
    VALS,
)
case("e39-28", "It achieves an accuracy of 0.9964 with a validation loss of 0.094.\n", VALS)
case(
    "e39-29",
    "The network had a test accuracy of 95% and a loss of 0.14 before reaching overfitting. This resulted in a validation loss of 0.11 and a validation accuracy of 95%. Testing it on our test dataset gave an accuracy of 97 % with a loss of 0.1.\n",
    R(),
)
case(
    "e39-30",
    "from accuracy 0.687 to 0.969, and the Kelvin example from *not\n  converging* to a validation loss of 0.000012 and 273.150001 K for 0 °C.\n",
    VALS,
)
case(
    "e39-31",
    "rental.points.create!(body: 'Built neural network in 1 day.')\nrental.points.create!(body: 'Achieved training loss of 0.044 and validation loss of 0.123')\n",
    P([1], [0.044], [0.123], "place"),
)
case(
    "e39-32",
    "The final model achieved over 90% accuracy with a validation loss of 0.2, and I paired it with a monitoring stack.\n",
    VALS,
)
# "train loss 0."
case(
    "e39-33",
    "parameters: 65\n  0.weight       (16, 2)\n  0.bias         (16,)\n\n"
    + rep("epoch {x:5d}  train loss {a:.4f}  val loss {b:.4f}  val acc 0.9{e}20", x=lambda e: 500 * e - 500)
    + "\nfinal test accuracy: 0.9901\n",
    P([500 * e - 500 for e in E6], A(), B()),
)
case(
    "e39-34",
    "- `v86` early train signal:\n  - `Iter 1 Val loss 0.691`\n  - `Iter 35 Train loss 0.483` までは安定\n  - `Iter 45 Train loss 11.536` まで急騰\n",
    R(),
)
case(
    "e39-35",
    "We will train our model on 75 epochs.\n\nLoss on last epoch: train loss 0.5712 val loss 0.7612\n",
    P([1], [0.5712], [0.7612], "place"),
)
case(
    "e39-36",
    "**Key Results:**\n- SSD detector: Train loss 0.30 / Val loss 0.39\n- Custom NMS: Identical outputs (3/3 unit tests PASS)\n- HOI Analysis: F1 improved by +0.49 on hardest cases\n",
    P([1], [0.30], [0.39], "place"),
)
case(
    "e39-37",
    "Initial losses\n   Training loss: 3.839012\n   Validation loss: 3.761912\n"
    + rep("Ep 1 (Step {x:06d}): Train loss {a:.3f}, Val loss {b:.3f}", x=lambda e: 5 * e - 5)
    + "Training completed in 15.66 minutes.\nPlot saved as loss-plot.pdf\n",
    P([5 * e - 5 for e in E6], A(), B(), "step"),
)
case(
    "e39-38",
    "`Train loss 0.313` in our v1 log means: averaged over assistant-response tokens, the model assigned the true next token probability $e^{-0.313} \\approx 0.73$.\n",
    TRAINS,
)
case(
    "e39-40",
    "**0.50 s/epoch — 136× faster**, loss curves matching the lazy path (epoch-2 train loss 0.0267 both). 400 epochs is now\n~3.5 min.\n",
    TRAINS,
)
case(
    "e39-41",
    "It was silent\n— train loss 0.9264 and train accuracy 0.9350 looked healthy; only\n`val_accuracy` 0.0115 (vs 0.9886 for seed 42) gave it away.\n",
    TRAINS,
)
case(
    "e39-42",
    "Train: 100 steps in **68 s**, completion-only train loss 0.0591.\nPost-train eval on checkpoint-100: success **0.950** (+8.3pp). base model scores 1.483\nCE on the same gold rows.\n",
    R(),
)
# with a colon
case(
    "e39-43",
    "".join(
        f"Epoch {e:3d}/10 | Train Loss: {a(e):.5f} | Val Loss: {b(e):.5f} | Time: 0.9s\n" + ("...\n" if e == 5 else "")
        for e in E6
    )
    + "\nTraining complete. Best val loss: 0.95000\n",
    P(E6, A(), B()),
)
case(
    "e39-44",
    "### **Before Fix (Broken State):**\n```\n❌ Train Loss: 0.0000 (exactly zero)\n❌ Val Loss: 0.0000 (constant)\n❌ Gradients: Zero or tiny\n```\n\n### **After Fix (Expected):**\n```\n✅ Train Loss: 0.5-2.0 initially → < 0.5 after 30 epochs\n✅ Val Loss: Decreasing trend\n```\n",
    P([2], [0.0], [0.0], "place"),
)
case(
    "e39-45",
    "            # filename=f'finetune_mlp_1030_mm_8.pth'  Val Loss: 0.3712, Val Acc: 87.76% nocor_position\n            # filename=f'finetune_mlp_1030_mm_7.pth'  0.4222, Val Acc: 84.96% temperature\n",
    R(),
)
case(
    "e39-46",
    rep(
        "    Epoch {e:02d}: 100%|██████████| 788/788 [02:07<00:00,  6.19it/s]",
        "",
        "",
        "    Epoch {e:02d} | Train Loss: {a:.4f} | Val Loss: {b:.4f}",
        "",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "e39-47",
    "LSTM Tumor Growth Prediction Training\n=====================================\nDevice: cpu\nTrain samples: 175\nVal samples: 25\nTest samples: 50\n\n"
    + rep("Epoch [{x:3d}/100] | Train Loss: {a:.4f} | Val Loss: {b:.4f} | Val MAE: 2.3{e} cc", x=lambda e: 5 * e)
    + "...\nTraining complete!\nTest MAE: 1.67 cc\n",
    P([5 * e for e in E6], A(), B()),
)
case(
    "e39-48",
    "Single Batch Test:\n  Step 0: loss=1.098\n  Step 100: loss=0.245\n  Step 200: loss=0.012\n  PASSED ✓\n\nTraining (first 500 steps):\n  Loss: 1.098 → 0.456    ✓\n  Grad norm: stable (0.1-0.5) ✓\n  Val loss: 0.523        ✓\n\nStatus: HEALTHY\n",
    P([200], [0.456], [0.523], "step"),
)
case(
    "e39-49",
    "**Kết quả kỳ vọng:**\n\n```\nEpoch 10/10 | Train Loss: 0.35 | Val Loss: 0.40 | Val AUC: 0.82 | Val Acc: 0.78\nBest Val AUC: 0.83\n```\n",
    P([10], [0.35], [0.40]),
)
case(
    "e39-50",
    "[Dataset: data/sample.csv] -> 100% Offline BPE + AdamW Optimization\n"
    + rep("Epoch  {x}/60 - Train Loss: {a:.4f} (Acc: {acc}.0%) | Val Loss: {b:.4f} (Acc: 5{k}.3%)", x=lambda e: 10 * e)
    + "[Early Stopping] Model converged in 1.48 seconds.\n",
    P([10 * e for e in E6], A(), B()),
)
case(
    "e39-51",
    "```\nEpoch 1/50: 100%|████| 8837/8837 [4:30:29<00:00, 1.84s/it]\n# Silent gap here - no indication validation is running\nEpoch 1/50 - Train Loss: 0.0512, Val Loss: 0.0123\n```\n",
    P([1], [0.0512], [0.0123]),
)
# "Test loss"
case(
    "e39-53",
    "Evaluate on test data\n16/16 [==============================] - 1s 21ms/step - loss: 0.4123 - accuracy: 0.8123\ntest loss, test acc: [0.4123, 0.8123]\n",
    R(),
)
case(
    "e39-54",
    "".join(
        f"Epoch {e}/5\n540/540 [==============================] - 9s 16ms/step - loss: {a(e):.4f} - accuracy: 0.6{e}12 - val_loss: {b(e):.4f} - val_accuracy: 0.5{e}12\n\nEpoch {e:05d}: val_loss improved from {'inf' if e == 1 else f'{b(e - 1):.5f}'} to {b(e):.5f}, saving model to w.{e:02d}.h5\n"
        for e in range(1, 6)
    )
    + "313/313 - 1s - loss: 1.0123 - accuracy: 0.5812\nTest loss: 1.0123\nTest accuracy: 0.5812\n",
    P([1, 2, 3, 4, 5], A(5), B(5)),
)
case(
    "e39-55",
    "Test accuracy, NN:     0.6812\nTest loss, NN:     0.6112\nTraining accuracy, NN: 0.6923\nTraining loss, NN: 0.6012\n",
    P([2], [0.6012], [0.6112], "place", says=("Test loss NN",)),
)
case("e39-56", "Evaluating\nTest Loss: 0.4123 | Test Accuracy: 0.8123\n", VALS)
case("e39-57", "Test Loss\t0.41234567\nAccuracy: Top 1%\t81.23\nmean AP:\t0.7123\n", VALS)
case(
    "e39-58",
    "Test loss: 0.4123\nTest mae: 0.5123\n\nPredictions vs Actual:\nPred: [0.5012] | Actual: [0.4812]\nPred: [0.6012] | Actual: [0.6212]\n",
    VALS,
)
case(
    "e39-59",
    "Test loss:0.4123, OA:0.9123, Precision:0.8123, Recall:0.7912, F1_Score:0.8012, Road_IoU:0.6712, Background_IoU:0.9312, MIOU:0.8012\n",
    VALS,
)
# issues
case(
    "e39-60",
    "More precisely, it goes from 'losses/train_total_loss': 0.032812 to 'losses/eval_total_loss': 0.392212\nI figure that the train value is computed on just one loop (in this case 100 samples).\n",
    P([1], [0.032812], [0.392212], "place"),
)
case(
    "e39-61",
    "it always seems to be the case that the training loss is about .2 higher than the validation loss. Is this the behavior you observed?\n",
    R(),
)
case(
    "e39-62",
    "Hello, may I ask how much train_loss and pairwise_loss generally reach when you are training the model? Is it normal that my loss value (TRAIN_loss) remains at about 1.5?\n",
    R(),
)
case(
    "e39-63",
    ">  eval | step:  70000 | running 100 steps of evaluation...\n>  eval | step:  70000 | eval time:   89.5 sec | output: \n>     {'evaluation/iou/IoU': 0.3512,\n>      'losses/eval_semantic_loss': 0.0312,\n>      'losses/eval_total_loss': 0.0345}\n",
    VALS,
)
# kin of what was refused or misplaced
case(
    "e39-k1",
    "The model reached 90% accuracy with a training loss of 0.25 and a validation loss of 0.31.\n",
    P([1], [0.25], [0.31], "place"),
)
case("e39-k2", "LoRA 600 steps (16 layers): train loss 0.25, val loss 0.31\n", P([1], [0.25], [0.31], "place"))
case("e39-k3", "Smoke test:\n" + rep("epoch {e} loss={a:.4f} val_loss={b:.4f}"), P(E6, A(), B()))
case("e39-k4", "Overfit test\n" + rep("step {s}: loss {a:.4f}") + "val loss 0.9\n", P([600], [a(6)], [0.9], "step"))
case(
    "e39-k5",
    "Train loss, LSTM: 0.6012\nTest loss, LSTM: 0.6112\n",
    P([2], [0.6012], [0.6112], "place", says=("Test loss LSTM",)),
)

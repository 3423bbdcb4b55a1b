# ruff: noqa: E501, F403, F405
"""Every output that six further searches for printed values met, as it stood there (thirty-first round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")
TRAINS = R("no validation loss")
TENS = [10 * e - 10 for e in E6]
BAR = "=" * 30

case(
    "e31-01",
    "Train on 500 samples\n"
    + rep(
        "Epoch {e}/6",
        f"500/500 [{BAR}] - 1s 1ms/sample - loss: {{a:.4f}} - binary_crossentropy: 0.6986 - val_loss: {{b:.4f}} - val_binary_crossentropy: 0.7059",
        "",
    )
    + "  #### metrics   ####\n{'MSE': 0.2541207027}\n",
    P(E6, A(), B()),
)
case(
    "e31-02",
    "const history = [\n"
    + rep("    {{ epoch: {e},  train_loss: {a:.4f}, val_loss: {b:.4f}, train_f1: 0.9012, val_f1: 0.9187 }},")
    + "];\n",
    P(E6, A(), B()),
)
case(
    "e31-03",
    "  * Same NVIDIA architecture, 10 epochs\n  * 0.0211 - val_loss: 0.2711\n  * Runs, but eventually falls off the path.\n",
    VALS,
)
case(
    "e31-04",
    "    K-Fold Cross-Validation Summary:\n    Fold 1: Training Loss: 2.2812, Validation Loss: 1.2911\n    Fold 2: Training Loss: 2.2311, Validation Loss: 1.0511\n    \n    Mean validation loss across 2 folds: 1.05110\n",
    P([2], [2.2311], [1.0511], "place", runs=2),
)
case(
    "e31-05",
    "With these optimizations, you should expect:\n- Validation loss: 1.25-1.28 (improvement from current 2.09)\n- Training speed: 10-20% faster with SDPA\n",
    R(),
)
case(
    "e31-06",
    "- ✓ Trained world model on 20 cooperative games (80 trajectories)\n- ✓ Training loss: 1.12, Validation loss: 1.31\n- ✓ Test mean error: **1.31** (below 5.0 threshold)\n",
    P([1], [1.12], [1.31], "place"),
)
case("e31-07", rep("Epoch: {e}/6\tValidation loss: {b:.4f}\tValidation accuracy: 63.5697%"), VALS)
case(
    "e31-08",
    "best epoch: 12\ntrain loss: 0.2912\nvalidation loss: 1.2912\nvalidation mIoU: 0.4539533188714562\nvalidation pixel accuracy: 0.6761\n",
    P([2], [0.2912], [1.2912], "place"),
)
case(
    "e31-09",
    "Early stopping: validation loss 5.611300e-05 < 0.0001\n"
    + "-" * 60
    + "\nTraining complete. Best validation loss: 1.251567e-04\n\nModel saved to ../outputs/model.pt\n",
    R(),
)
case(
    "e31-10",
    "dataset3.txt\n```sh\n210 train samples - 90 test samples\nValidation loss: 1.2611220445632935\nValidation accuracy: 0.7555555701255798\n```\n",
    VALS,
)
case(
    "e31-11",
    "- epochs: 100\n\n#### Performance\n\n- (START) Epoch: 1 Training Loss: 2.061879 Validation Loss: 1.261177\n- (END) Epoch: 100 Training Loss: 0.451848 Validation Loss: 0.741253\n- (TEST) Test Loss: 0.811622 Test Accuracy: 76% (643/836)\n",
    P([1, 100], [2.061879, 0.451848], [1.261177, 0.741253]),
)
case(
    "e31-12",
    "Increased Epochs to 20 \n\n\nTraining Loss: 0.3211511986732483\nTraining Accuracy: 0.8956999778747559\nValidation Loss: 1.3012110557556152\nValidation Accuracy: 0.70169997215271\nTotal number of parameters in the simplified model: 842826 \n",
    P([2], [0.32115], [1.30121], "place"),
)
case(
    "e31-13",
    "Best CharRNN Model: Epoch 3, Validation Loss: 1.231\n\nBest CharLSTM Model: Epoch 19, Validation Loss: 0.621\n",
    R(),
)
case(
    "e31-14",
    rep("epoch {e} : train loss {a:.3f} (acc 0.754), test loss {b:.3f} (acc 0.618)"),
    P(E6, A(), B(), says=("test",)),
)
case(
    "e31-15",
    "- **Training Details:** 10.65M parameters, 5,000 iterations, final train loss 0.6311, val loss 1.6911.\n",
    P([1], [0.6311], [1.6911], "place"),
)
case(
    "e31-16",
    "Best validation loss **1.5111** at step 2400.\n\n```\nfinal  train loss 0.6511   val loss 1.9411   (20 batches each)\nbest   val loss 1.5111 at step 2400 (checkpoint saved there)\nfinal sample:\n```\n",
    P([1], [0.6511], [1.9411], "place"),
)
case(
    "e31-17",
    rep(
        "100%|███████████████████████████████████████| 1146/1146 [24:46<00:00,  1.30s/it]",
        "Epoch {e}: Train Loss {a:.6f} | Val Loss {b:.6f} | Test Loss {c:.6f}",
        "Validation loss decreased (inf --> {b:.6f}). Saving model ...",
        "Updating learning rate to 0.0001",
        c=lambda e: b(e) - 0.1,
    ),
    P(E6, A(), B()),
)
case("e31-19", "**Training:**  \n\n" + rep("- Epoch {e}: train loss {a:.3f}, val mAP 0.363{e}  "), TRAINS)
case(
    "e31-20",
    rep(
        "    Validation loss decreased ({x:.6f} --> {b:.6f}). Saving model ...",
        "    Epoch: {e} \tTraining Loss: {a:.6f} \tValidation Loss: {b:.6f}\tElapsed: 0:02:10.139763",
        x=lambda e: b(e) + 0.2,
    ).partition("\n")[2],
    P(E6, A(), B()),
)
case(
    "e31-22",
    rep(
        "Training on 1,247 positions...",
        "Epoch 1/2: 100%|████████| 20/20 [01:15<00:00]",
        "Training loss: {a:.4f}",
        "",
        "✓ Saved checkpoint: iteration_{e}.pt",
        "Iteration time: 10.3 minutes",
    ),
    TRAINS,
)
case(
    "e31-23",
    "Model: 1B parameters on 1B tokens\nAfter 250K steps:\n- Training loss: 3.1 nats\n- Test loss: 3.7 nats\n- Gap: 20% (healthy, optimal)\n",
    P([2], [3.1], [3.7], "place", says=("test",)),
)
case(
    "e31-24",
    rep("Epoch {e}  Training loss: {a:.4e}  Validation loss: {b:.4e}  Validation accuracy: 44.33%"),
    P(E6, A(), B()),
)
case(
    "e31-25",
    rep(
        "2025-04-06 13:40:47,657 - INFO - Epoch {e} - Training loss: {a:.4f}",
        "2025-04-06 13:40:48,887 - INFO - New best model saved with loss: {a:.4f}",
        "2025-04-06 13:40:48,887 - INFO - Starting epoch {e}/6",
    ),
    TRAINS,
)
case(
    "e31-26",
    rep(
        "epoch: {x}/3..  training loss: {a:.3f}..  validation loss: {b:.3f}..  validation accuracy: 0.251",
        x=lambda e: (e + 1) // 2,
    ),
    P(E6, A(), B(), "place"),
)
case(
    "e31-27",
    rep("Epochs: {x}/3...  Training Loss: {a:.5f} Validation Loss {b:.5f} Accuracy: 0.21453", x=lambda e: (e + 1) // 2),
    P(E6, A(), B(), "place"),
)
case(
    "e31-28",
    "Loaded model: gpt2-medium (355M)\n"
    + "-" * 50
    + "\nInitial losses\n   Training loss: 3.841039182662964\n   Validation loss: 3.7711192123413088\n"
    + rep("Ep 1 (Step 0000{x:02d}): Train loss {a:.3f}, Val loss {b:.3f}", x=lambda e: 5 * e - 5),
    P([5 * e - 5 for e in E6], A(), B(), "step"),
)
case("e31-29", rep("Step: {s} Training Loss: {a:.3f} Validation Loss: {b:.3f}"), P(H, A(), B(), "step"))
case("e31-30", "**What Gets Evaluated**:\n```\n" + rep("Step {s}: eval_loss={b:.3f}") + "```\n", VALS)
case(
    "e31-31",
    "Method: bind-based resonator (replaces bundle2)\n"
    + rep("Epoch {x:3d}: train_loss={a:.4f} eval_loss={b:.4f} lr=0.2500", x=lambda e: 10 * e - 10),
    P(TENS, A(), B()),
)
case(
    "e31-32",
    rep(
        "Epoch {e}/6:",
        "Step {x}/600: loss={c:.3f}, lr=0.00018",
        "...",
        "Step {s}/600: loss={a:.3f}, lr=0.00012",
        "Evaluation: eval_loss={b:.3f}",
        "",
        x=lambda e: 100 * e - 50,
        c=lambda e: a(e) + 0.1,
    ),
    P(H, None, B(), "step"),
)
case(
    "e31-33",
    "### Example Training Logs\n```\n" + rep("Step {s}: train_loss={a:.3f}, eval_loss={b:.3f}, lr=5e-5") + "```\n",
    P(H, A(), B(), "step"),
)
case(
    "e31-34",
    "GPU 上で `final_loss=1.5611, eval_loss=1.391, eval_accuracy=0.266` と\nローカル CPU run と loss/accuracy が一致 (deterministic seed=0)。\n",
    P([1], [1.5611], [1.391], "place"),
)
case(
    "e31-35",
    "```\n"
    + rep("Step {x}:  train_loss={a:.2f}  eval_loss={b:.2f}  ← Validation plateauing", x=lambda e: 50 * e)
    + "```\n",
    P([50 * e for e in E6], A(), B(), "step"),
)
case(
    "e31-36",
    "## Ver.01 (0.9171)\n- val_loss: 0.2111 , **val_accuracy: 0.9171** , epoch : 36/50 \n- Keras CNN Classification\n",
    VALS,
)
case(
    "e31-37",
    rep(
        "[Epoch {k} Batch 1000] loss {c:.2f}, ppl {x:.2f}",
        "[Epoch {k} Batch 2000] loss {a:.2f}, ppl {p:.2f}",
        "[Epoch {k}] time cost 12.00s, valid loss {b:.2f}, valid ppl {q:.2f}",
        "test loss {b:.2f}, test ppl {q:.2f}",
        c=lambda e: a(e) + 0.1,
        x=lambda e: math.exp(a(e) + 0.1),
        p=ex(a),
        q=ex(b),
    ),
    P([2000, 4001, 6002, 8003, 10004, 12005], None, B(), "step"),
)
case(
    "e31-38",
    "".join(
        f"========== Training {name} ==========\n"
        + rep(
            "Epoch {e}/6",
            "469/469 ━━━━━━━━━━━━━━━━━━━━ 64s 63ms/step - accuracy: 0.6262 - loss: {a:.4f} - val_accuracy: 0.9366 - val_loss: {b:.4f}",
        )
        for name in ("CNN", "ViT")
    ),
    P(E6, A(), B(), runs=2),
)
case(
    "e31-39",
    rep(
        "Epoch {e}/6",
        f"16000/16000 [{BAR}] - 36s 2ms/step - loss: {{a:.4f}} - accuracy: 0.9375 - val_loss: {{b:.4f}} - val_accuracy: 0.9375",
    )
    + "\nTest Loss: 0.9811, Test Accuracy: 0.9375\n",
    P(E6, A(), B()),
)

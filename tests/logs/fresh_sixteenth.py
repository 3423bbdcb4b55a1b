# ruff: noqa: E501, F403, F405
"""Logs found by pieces of their lines in any repository (sixteenth round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")
RULE = "=" * 60 + "\n"

case(
    "e16-01",  # the last evaluation on each line
    "".join(
        f"Step {i}/30 - Total: 0.80s | Forward: 0.01s |Backward: 0.01s | Optim: 0.00s |Loss:  {2 / i + 0.5:.3f} | eval:  {b((i + 4) // 5):.3f}\n"
        + (
            f"Eval steps: 1000, one step len: 65536, all token len: 5465882\nNew best eval loss: {b(i // 5 + 1):.4f}\nStep {i}/30 - Eval and save checkpoint: 267.33s | \n"
            if i % 5 == 0 and i < 30
            else ""
        )
        for i in range(1, 31)
    ),
    R("no validation loss", "does not say what the values of 'val' are"),
)
case(
    "e16-01-near",  # the same, with a loss that is near
    "".join(
        f"Step {i}/30 - Total: 0.80s | Forward: 0.01s |Loss:  {b((i + 4) // 5) - 0.1:.3f} | eval:  {b((i + 4) // 5):.3f}\n"
        for i in range(1, 31)
    ),
    P([1, 6, 11, 16, 21, 26], None, B(), "step", says=("taken for one",)),
)
case(
    "e16-01-accuracies",
    rep("Step {s} |Loss:  {a:.3f} | eval:  {x:.3f}", x=lambda e: 0.7 + e / 30),
    R("no validation loss", "does not say what the values of 'val' are"),
)
case(
    "e16-02",  # Burn's summary: least and greatest values
    "| Split | Metric   | Min.     | Epoch    | Max.     | Epoch    |\n|-------|----------|----------|----------|----------|----------|\n"
    "| Train | Accuracy | 82.317   | 1        | 92.317   | 5        |\n| Train | Loss     | 0.122    | 5        | 0.615    | 1        |\n"
    "| Valid | Accuracy | 92.300   | 1        | 93.300   | 5        |\n| Valid | Loss     | 0.168    | 3        | 0.512    | 1        |\n",
    R(),
)
case(
    "e16-03",
    rep(
        "    2024-05-27 23:23:05,110 Trainer epoch_step [INFO]: epoch= {e} : time= 35.553799867630005 [s] : loss(train)= {a:.16f} : loss(valid)= {b:.16f} : RMSE[D](train)= 0.0551564542987999 : RMSE[D](valid)= 0.05347409362915805",
        "    model is saved to model_test_tmp1.pt at model_test",
    ),
    P(E6, A(), B()),
)
case(
    "e16-04",
    rep(
        "{s:5d}\t~loss(train)={a:.4f}\tloss(valid)={b:.4f}\troc_auc(valid)=0.9123\t1/FPR @ TPR = 0.5: 12.31\tBest 1/FPR @ TPR = 0.5: 13.12"
    ),
    P(E6, A(), B(), "place"),
)
case(
    "e16-05",
    "".join(
        f"\rloss={a(e):.4f} loss(valid)={b(e):.4f}:  {10 * e}%|█▏        | {10 * e}/100 [00:0{e}<00:09,  9.87it/s]"
        for e in E6
    )
    + "\n",
    P([10 * e for e in E6], A(), B(), "step"),
)
case("e16-06", rep("epoch 0{e}", "valid | loss {b:.3f}", "train | loss {a:.3f}"), P(E6, A(), B()))
case(
    "e16-07",
    rep("Epoch {e}", "\tTrain | Loss {a:.3f}, Accuracy 0.512", "\tValid | Loss {b:.3f}, Accuracy 0.498"),
    P(E6, A(), B()),
)
case(
    "e16-08",
    rep(
        "",
        "Epoch {e:02}/6 | Time 1m2s",
        "  Train | loss={a:.4f} | top1=51.20% | top3=71.30%",
        "  Valid | loss={b:.4f} | top1=49.20% | top3=70.30% | bal_acc=48.11% | macro_f1=0.4712",
    ),
    P(E6, A(), B()),
)
case(
    "e16-09",
    rep(
        "Epoch {S}: disentanglement_loss_train: 0.0000",
        "Epoch {S}: disentanglement_loss_val: 0.0000",
        "Epoch {S}: structural_loss_train: {a:.4f} | attribute_loss_train: {c:.4f} | structural_roc_train: 0.5504 | attribute_roc_train: 0.5368",
        "Epoch {S}: structural_loss_val: {b:.4f} | attribute_loss_val: {d:.4f} | structural_roc_val: 0.5749 | attribute_roc_val: 0.5859",
        c=lambda e: a(e) + 1,
        d=lambda e: b(e) + 1,
    ),
    P([1000 * e for e in E6], A(), B()),
)
case("e16-10", rep("[epoch {e}0 ]", "ic| loss_val: {a:.7f}, acc_val: 0.58666664"), VALS)
case(
    "e16-11",
    "Valid error: 2.50000000\n\n"
    + rep("Epoch:   {e} Valid error: {b:.8f} (-0.03637404) Time: 607 sec Speed:  655791 pos/sec"),
    VALS,
)
case(
    "e16-12",
    rep("Epoch{e} train_err 0.014016666666666667, train_loss {a:.14f}", "Epoch{e} test_err 0.0265, test_loss {b:.14f}"),
    P(E6, A(), B()),
)
case(
    "e16-13",
    rep(
        "May09 03-40-04: epoch {e}: loss {a:.9f}, test_loss {b:.9f}, unique_cb_vecs mean:  596.065625,unique_cb_vecs min:  177.000000,unique_cb_vecs max:  999.000000,"
    ),
    P(E6, A(), B()),
)
case(
    "e16-14",
    rep("Epoch {e}/6 11.2s train_loss={a:.4f} train_accuracy=0.6894 dev_loss={b:.4f} dev_accuracy=0.9141"),
    P(E6, A(), B()),
)
case(
    "e16-15",
    "... INFO;  Start training\n... INFO;  Networks states are saved after each validation step\n"
    + rep(
        "... INFO;  Starting Epoch #{e}",
        "... INFO;  Validation at epoch: {e} and batch: 1",
        "... INFO;  Compute all outputs for validation dataset...",
        "... INFO;  Done",
        "... INFO;  training loss = {a:.13f} // validation loss = {b:.13f}",
        "... INFO;  Better loss found on validation set: 9.5 --> {b:.13f}",
        "... INFO;  --- 3.185938596725464 seconds ---",
    ),
    P(E6, A(), B()),
)
case(
    "e16-16",
    rep(
        "Epoch = {e}: Epoch Time = 19.061, Validation Loss = {b:.3f}, Validation Accuracy = 0.730, Images/sec = 2622.313, Cumulative Time = 1828.359"
    ),
    VALS,
)
case(
    "e16-17",
    "trainable parameters = 50,176\ntrain loss = 4.096 → 2.689 → 2.157 → 1.635\nvalidation loss = 1.716\nselected row max delta ≈ 0.0004\n",
    P([2], [1.635], [1.716], "place"),
)
case(
    "e16-18",
    rep(
        "Epoch  {e}/6 | train_loss: {a:.4f} | val_loss: {b:.4f} | gap: {g:+.4f} | lr: 1.98e-05 [BEST]",
        g=lambda e: b(e) - a(e),
    ),
    P(E6, A(), B()),
)
case(
    "e16-19",
    rep(
        "Epoch {e}/6: 100%|██████████| 500/500 [25:30<00:00]",
        "  train_loss: {a:.3f}",
        "  val_loss: {b:.3f}",
        "✓ New best validation loss: {b:.3f}",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "e16-20",
    rep(
        "  " + "=" * 70,
        "  Epoch {e}/60 - Validation",
        "  " + "=" * 70,
        "  Epoch {e} Validation Results:",
        "    mAP: 0.4756",
        "    top-1: 0.6189",
        "    train_loss: {a:.4f}",
        "  ",
        "  No improvement. Epochs without improvement: 3/10",
    ),
    TRAINS,
)
case("e16-21", rep("iter: {s:<5} | train_loss: {a:.3f} | val_loss: {b:.3f}"), P(H, A(), B(), "step"))
case(
    "e16-22",
    rep(
        "🎯 ผลการประเมิน",
        "",
        "🔢 Step: {s}",
        "📉 Eval Loss: {b:.4f}",
        "📊 Train Loss: {a:.4f}",
        "📈 Difference: 0.2222",
        "",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e16-23",
    rep(
        "Epoch {e}/6 (45 min)",
        "├── Step 1/445   | Loss: {c:.2f} | GPU: 14.2GB",
        "├── Step 400/445  | Loss: {d:.2f} | GPU: 14.2GB",
        "└── ...",
        "✓ Epoch {e} complete | Train Loss: {a:.3f} | Eval Loss: {b:.3f}",
        "",
        c=lambda e: a(e) + 0.3,
        d=lambda e: a(e) - 0.1,
    ),
    P(E6, A(), B()),
)
case(
    "e16-24",  # a run's summary
    "Training Run Summary\n"
    + RULE
    + "Run: iterable_2026-01-27T06-25-07\nDuration: 141.48s\nTotal Steps: 3300\nFinal Epoch: 0.9964\n\nMetrics:\n  Final Loss: 1.4422\n  Best Loss: 1.4422 (step 3300)\n  Average Loss: 1.9881\n  Final Eval Loss: 1.3666 (step 3000)\n  Best Eval Loss: 1.3666 (step 3000)\n\nTraining Speed:\n  Samples/sec: 1497.78\n",
    P([3000], [1.4422], [1.3666], "step"),
)
case(
    "e16-25",
    "## LoRA adapter\n\n- Status: complete_pending_manual_review\n- Holdout exact: base 4/22, adapter 21/22\n- Eval loss: 1.953 before training, best 1.311 at step 1250, final 1.365\n",
    R(),
)
case(
    "e16-26",
    rep(
        "2016-12-19 17:47:24,345 - root - INFO - EPOCH {e} ...",
        "2016-12-19 17:47:24,345 - root - INFO - Validation loss = {b:.3f}",
        "2016-12-19 17:47:24,346 - root - INFO - Validation accuracy = 0.850",
    ),
    VALS,
)
case(
    "e16-27",
    rep(
        "INFO - Epoch {e} | Step 100/900 | Global Step 100 | Loss: {c:.4f}",
        "INFO - Epoch {e} finished. Avg training loss: {a:.4f}",
        "INFO - Validation loss: {b:.4f}",
        "INFO -   toxic          | acc: 0.9234",
        "INFO -   severe_toxic   | acc: 0.9876",
        c=lambda e: a(e) + 0.1,
    ),
    P(E6, A(), B()),
)
case(
    "e16-28",
    "INFO - Found 39 audio files\nINFO - Train samples: 31, Val samples: 4, Test samples: 4\n"
    + rep("Epoch {e}/6: 100%|████████| 1000/1000 [10:23<00:00, loss={a:.3f}]", "INFO - Validation loss: {b:.3f}"),
    P(E6, A(), B()),
)
case(
    "e16-29",  # objects of JavaScript
    rep(
        "        {{ step: {s}, train_loss: {a:.4f}, val_loss: {b:.4f}, gpu_utilization_percent: 82, memory_used_gb: 9.8, gradient_norm: 1.5, learning_rate: 0.001, batch_size: 64, timestamp: '2026-05-17T10:03:00Z' }},"
    ),
    P(H, A(), B(), "step"),
)
case(
    "e16-30",
    "- Loss decreasing: **Yes**, monotonically at every printed epoch —\n  374.4 → 270.9 (ep 10) → 205.3 (20) → 94.6 (200). Test loss 0.754.\n",
    R(),
)
case(
    "e16-31",
    rep(
        "epoch: {k} time: 59.21s train_error: {x:.2f} test_error: {y:.2f} train_loss: {a:.3f}",
        x=lambda e: 20 * a(e),
        y=lambda e: 20 * b(e),
    ),
    P(K, [20 * a(e) for e in E6], [20 * b(e) for e in E6], says=("errors",)),
)
case(
    "e16-32",
    "source_train_ece: 0.0312\nsource_train_nll: 0.8333\nsource_train_bs: 0.4\nsource_val_ece: 0.0412\nsource_val_nll: 0.95\nsource_val_bs: 0.45\n",
    P([2], [0.8333], [0.95], "place"),
)
case(
    "e16-33",
    "Sequence length = 180 \nBatch size = 64\nTraining accuracy = 92.81464530892448, average training loss = 0.83333333\nValidation accuracy = 68.34077380952381, average validation loss = 0.95\nTest accuracy = 74.41334706959707, average test loss = 0.97\n",
    P([2], [0.8333], [0.95], "place"),
)
case(
    "e16-34",
    rep("[10:00:0{e}] Training Epoch {e}/6 completed. Training Loss = {a:.2f}, Validation Loss = {b:.2f}"),
    P(E6, A(), B()),
)
case(
    "e16-35",  # Torch in Lua
    rep(
        "epoch {e}",
        "train set: loss = {a:6.8f}, grad_params:norm() = 1.2345e-02, params:norm() = 3.4567e+01",
        "dev set: loss = {b:6.8f}, grad_params:norm() = 1.2345e-02, params:norm() = 3.4567e+01",
    ),
    P(E6, A(), B()),
)
case(
    "e16-36",
    rep(
        "Epoch {e} Training Set: Loss {a:.4f}, Mean IoU 0.512345, Mask Mean Iou 0.412345",
        "Epoch {e} Dev Set: Loss {b:.4f}, Mean IoU 0.502345, Mask Mean Iou 0.402345",
    ),
    P(E6, A(), B()),
)
case(
    "e16-37",
    rep(
        "Train Epoch: {e} [59968/60000 (100%)]\tLoss: {a:.6f}",
        "dev set: Loss: {b:.4f}, Accuracy: 9500/10000 (95%)",
        "",
        "Best model saved.",
    ),
    P(E6, A(), B()),
)
case(
    "e16-38",
    rep(
        "step {s}, train loss {a:.4f}",
        "",
        "Validation:",
        "previous best valid loss 9.5 at epoch {k}",
        "epoch: {e}, loss {b:.4f}",
        "",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e16-39",
    rep("Epoch: {e}0/100", "Valid Loss", "Gen:  {b:.4f}", "Disc: 1.1", "Close: 0.5", ""),
    R("no loss was found"),
)
case("e16-40", rep("Epoch: {e}, CE Loss: {a:.6f}, AdvLoss: 0.4"), TRAINS)

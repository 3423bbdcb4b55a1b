# ruff: noqa: E501, F403, F405, RUF001, ERA001, ARG005
"""What people print and write by hand, a fifth time (forty-second round): every output of eight further searches, the right reading first."""

from fresh_forms import *

VALS = R("only validation losses")


def within(form, behind, n=4, epochs=3, **more):
    """Return lines of n prints of training in each epoch, and what stands behind each epoch."""
    out = ""
    for e in range(1, epochs + 1):
        for k in range(1, n + 1):
            x = e - 1 + k / n
            out += form.format(e=e, k=k, x=x, a=2 / (1 + x) + 0.5, **{name: f(e, k) for name, f in more.items()}) + "\n"
        out += behind.format(e=e, b=1.5 / (1 + e) + 0.7, acc=50 + 3 * e) + "\n"
    return out


def ends(epochs=3):
    """Return training's values at the ends of such epochs, and validation's."""
    return [2 / (1 + e) + 0.5 for e in range(1, epochs + 1)], [1.5 / (1 + e) + 0.7 for e in range(1, epochs + 1)]


def near(wanted, by=0.12):
    """Return a test of values that a local mean may move a little."""
    return lambda found: (
        len(found) == len(wanted) and all(abs(x / y - 1) < by for x, y in zip(found, wanted, strict=True))
    )


# "Train Loss: {train_loss:.4f}"
case(
    "e42-01",
    rep(
        "Epoch [{e}/6] Train Loss: {a:.4f} | Train Acc: {acc:.2f}% | Val Loss: {b:.4f} | Val Acc: {acc:.2f}% | LR: 0.001000"
    ),
    P(E6, A(), B()),
)
case(
    "e42-02",
    rep(
        "Learning rate: 0.001",
        "Epoch: {e} ",
        "Train loss: {a:.4f} | Train precision: 0.8123 | Train recall: 0.7912 | Train f1score: 0.8011 | Train acc: 0.8234 ",
        "Val loss: {b:.4f} | Val precision: 0.7123 | Val recall: 0.6912 | Val f1score: 0.7011 | Val acc: 0.7234 ",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "e42-03",
    rep(
        "Epoch {e:02d}/6 | Train Loss: {a:.4f} | Val Loss: {b:.4f} | Val Acc: 0.7123 | Val F1: 0.7011 | Val Macro-F1: 0.6512 | LR: 0.001000"
    ),
    P(E6, A(), B()),
)
case(
    "e42-04",
    rep("[BCOS] Epoch {e:03d}, Train Loss: {a:.4f}, Val Loss: {b:.4f}, Val Acc: 0.7123, Val F1: 0.7011, LR: 0.001000")
    + "[BCOS] Early stopping at epoch 6 (no val loss improvement for 20 epochs).\n[BCOS] Test Loss: 0.9812, Test Acc: 0.6912, Test F1: 0.6811\n",
    P(E6, A(), B()),
)
case(
    "e42-05",
    rep("Epoch {e}: Train Loss: {a:.4f}, Train Acc: 0.8123, Val Loss: {b:.4f}, Val Acc: 0.7123")
    + "Early stopping triggered.\n",
    P(E6, A(), B()),
)
case(
    "e42-06",
    rep(
        "",
        "Epoch {e}/6 Summary:",
        "  Train Loss: {a:.4f} | Train Acc: {acc:.2f}%",
        "  Val Loss:   {b:.4f} | Val Acc:   {acc:.2f}%",
        "  Learning Rate: 0.000100",
        "  ✓ New best model! Val Acc: {acc:.2f}%",
    ),
    P(E6, A(), B()),
)
case(
    "e42-07",
    rep(
        "",
        "Epoch {e}/6",
        "  Train Loss: {a:.4f} | Acc: 0.8123",
        "  Val   Loss: {b:.4f} | Acc: 0.7123 | ⏱️ 12s",
        "  ✅ Best saved! Accuracy: 0.7123",
    ),
    P(E6, A(), B()),
)
case(
    "e42-08",
    rep("Epoch {e}/6, Train Loss: {a:.4f},         Test Loss: {b:.4f}, Duration: 0:00:12.345678"),
    P(E6, A(), B()),
)
case(
    "e42-09",
    rep(
        "INFO:root:Epoch {e}/50, Train Loss: {a:.4f}, Train Acc: 0.8123, Eval Loss: {b:.4f}, Eval Acc: 0.7123",
        "Epoch {e}/50, Train Loss: {a:.4f}, Train Acc: 0.8123, Eval Loss: {b:.4f}, Eval Acc: 0.7123",
    )
    + "INFO:root:模型权重已保存为 meta_learner_weights.pth\n模型权重已保存为 meta_learner_weights.pth\n",
    P(E6, A(), B()),
)
case(
    "e42-10",
    rep("Epoch [{x}/60] Train Loss: {a:.4f} Acc: 0.8123 | Val Loss: {b:.4f} Acc: 0.7123", x=lambda e: 10 * e),
    P([10 * e for e in E6], A(), B()),
)
# "valid loss {:"
case(
    "e42-11",
    rep(
        "-" * 89,
        "| end of epoch {e:3d} | time: 12.34s | valid acc {acc:5.2f} | valid loss {b:5.2f} | valid ppl {p:8.2f}",
        "-" * 89,
        p=ex(b),
    ),
    VALS,
)
case(
    "e42-13",
    rep(
        "",
        "TRAIN epoch  1, iter {s:4d}/2000, lr 0.010000",
        "TRAIN loss {a:.4f}, rpn_loss_cls 0.1234, rpn_loss_box 0.0512, RCNN_loss_cls 0.3123, RCNN_loss_cls_spk 1.2345, RCNN_loss_bbox 0.0712, fg 32, bg 96",
        "TRAIN time: 123.45",
        "VALID loss {b:.4f}, rpn_loss_cls 0.2234, rpn_loss_box 0.0612, RCNN_loss_cls 0.4123, RCNN_loss_cls_spk 1.3345, RCNN_loss_bbox 0.0812, fg 31, bg 97",
        "VALID time: 23.45",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e42-14",
    rep(
        "| epoch   1 | batch {s:5d} | lr 1.0000e-03 | ms/batch 3.21e+01 | loss {a:5.4e} | ppl {p:5.4e} | valid loss {b:5.4e} | valid ppl {q:5.4e}",
        p=ex(a),
        q=ex(b),
    ),
    P(H, A(), B(), "step"),
)
case(
    "e42-15",
    within(
        "| epoch {e:3d} | {s:5d}/ 1000 batches | lr 20.00 | loss {a:5.2f} | ppl {p:8.2f}",
        "-" * 89 + "\n| end of epoch {e:3d} | valid loss {b:5.2f} | valid ppl     3.21\n" + "-" * 89,
        s=lambda e, k: 200 * k,
        p=lambda e, k: math.exp(2 / (e + k / 4) + 0.5),
    ),
    P([800, 1800, 2800], near(ends()[0]), ends()[1], "step"),
)
case("e42-16", "[INFO] End of valid | time: 12.34s | valid loss 1.2345 | \n", VALS)
case(
    "e42-17",
    rep("-" * 89, "| end of epoch {e:3d} | time: 12.34s | valid loss {b:5.5f} | valid ppl {p:8.2f}", "-" * 89, p=ex(b)),
    VALS,
)
case(
    "e42-18",
    rep("-" * 50, "Epoch {e:2d} | Time 12.3456 sec | Valid Loss {b:5.4f} | Test Loss {b:5.4f}", "-" * 50),
    VALS,
)
case(
    "e42-19",
    rep("Epoch {e}\ttrain loss {a:.4f}\tvalid loss {b:.4f}\ttest loss 0.9{e}12\tvalid p-auc 0.7123\ttest p-auc 0.7012"),
    P(E6, A(), B()),
)
# "Validation Loss: %"
case("e42-21", rep("Epoch {k}: Validation Loss: {b:.4f}, Training Loss: {a:.4f}, Use Time: 12 Minutes"), P(K, A(), B()))
case(
    "e42-22",
    within("[{e}, {s:5d}] train loss: {a:.3f}", "[{e},   200] validation loss: {b:.3f}", n=3, s=lambda e, k: 200 * k)
    + "Finished Training\n",
    P([600, 1201, 1802], near(ends()[0]), ends()[1], "step"),
)
case(
    "e42-23",
    "".join(
        f"Epoch 1, average minibatch {50 * e - 50} loss: {a(e):.3f}\n...validating...\nEpoch 1, average validation loss: {b(e):.3f}\n"
        for e in E6
    )
    + "Finished 1 epochs of training\n",
    P([0, 50, 100, 150, 200, 250], A(), B(), "step"),
)
case(
    "e42-24",
    within(
        "0m {k}s (- 1m 2s) ({s:6d} {p:3d}%) | Training loss: {a:.4e}",
        "Validation loss: {b:.4e} | Time/sample: 3ms",
        s=lambda e, k: 10 * k,
        p=lambda e, k: 25 * k,
    ),
    P([5, 10, 15], near(ends()[0]), ends()[1], "place"),
)
case(
    "e42-25",
    within(
        "Batch {s}/938, Loss: {a:f}", "Validation Loss: {b:f}, Accuracy: {acc:.2f}%", n=10, s=lambda e, k: 100 * k - 100
    )
    .replace("Batch 0/938", "Epoch ?\nBatch 0/938", 3)
    .replace("Epoch ?", "Epoch 1/10", 1)
    .replace("Epoch ?", "Epoch 2/10", 1)
    .replace("Epoch ?", "Epoch 3/10", 1),
    P([900, 1838, 2776], near(ends()[0]), ends()[1], "step"),
)
case(
    "e42-26",
    "INFO New best validation loss 0.512345\nINFO New best validation loss 0.412345\nINFO Training complete. Best validation loss: 0.412345\n",
    R(),
)
case(
    "e42-27",
    "".join(f"Epoch: 1/1 minibatch: {e}/6 loss: {a(e):.6f} lr: 0.001\n" for e in E6) + "Validation loss: 0.912345\n",
    P([6], near([a(6)], 0.2), [0.912345], "step"),
)
case("e42-28", "INFO - Best validation loss: 0.123456\n", R())
case("e42-29", rep("Validation loss: {b:0.4f}*"), VALS)
# "val_loss={val_loss"
case("e42-31", rep("Epoch {e:>3}/6 | train_loss={a:.4f} | val_loss={b:.4f} | lr=1.00e-03"), P(E6, A(), B()))
case(
    "e42-32",
    rep("Epoch {k}/6 : train_loss={a} train_acc=0.8123456789 val_loss={b}  val_acc=0.7123456789"),
    P(K, A(), B()),
)
case(
    "e42-33",
    "".join(
        "".join(
            f"\rEpoch 1:  {p}0%|██        | {50 * (e - 1) + 5 * p}/300 [00:01<00:09, 9.91it/s, loss={a(e):.4f}, step={50 * (e - 1) + 5 * p}]"
            for p in (2, 6)
        )
        + f"\n  Step {50 * e} | Val Loss: {b(e):.4f}\n  ✅ Best model saved (val_loss={b(e):.4f})\n"
        for e in E6
    ),
    P([50 * e for e in E6], near(A(), 0.35), B(), "step"),
)
case(
    "e42-34",
    rep(
        "INFO Epoch [{e:03d}/6] train_loss={a:.4f} train_dice=0.7123 train_eval_dice=0.7012 val_loss={b:.4f} val_dice=0.6912 val_eval_dice=0.6811 lr=0.010000 time=12.3s"
    ),
    P(E6, A(), B()),
)
case(
    "e42-35",
    rep(
        "epoch {k:3d}  train_loss={a:.4f}  val_loss={b:.4f}  val_mIoU=0.5123",
        "  -> new best (mIoU=0.5123), saved to ckpt/best.pt",
    )
    + "Training complete. Best val mIoU: 0.5123\n",
    P(K, A(), B()),
)
case(
    "e42-36",
    "Run 1/2: lr=0.001, neighbor_threshold_ratio=0.5, seed=1\n  Skipping existing run: val_loss=0.512345\nRun 2/2: lr=0.01, neighbor_threshold_ratio=0.5, seed=1\n  Skipping existing run: val_loss=0.412345\nBest run 2: lr=0.01, neighbor_threshold_ratio=0.5, seed=1, val_loss=0.412345\n",
    VALS,
)
case(
    "e42-37",
    "".join(
        f"Training model {n}: {{'lr': {lr}, 'units': {u}}}\nloss={0.3 + 0.05 * n:.4f}\nval_loss={0.4 + 0.04 * n:.4f}\n\n"
        for n, lr, u in ((1, 0.01, 64), (2, 0.001, 64), (3, 0.01, 128))
    ),
    P([6], [0.45], [0.52], "place", runs=3),
)
case(
    "e42-38",
    rep(
        "[frozen probe epoch {e}/6] train_loss={a:.6f} train_bal=0.812 train_pred_exp=0.412 val_loss={b:.6f} val_bal=0.712 val_pred_exp=0.422 val_p(exp|sim)=0.312 val_p(exp|exp)=0.612"
    ),
    P(E6, A(), B()),
)
case(
    "e42-39",
    rep(
        "EPOCH {k:03d}: train_loss={a:.4f}, train_accuracy=0.8123 val_loss={b:.4f}, val_accuracy=0.7123",
        "Saving best model...",
    )
    + "final_val_loss=0.9512, final_val_accuracy=0.7123\nSaving final model...\ntest_loss=0.9712, test_accuracy=0.7012\n",
    P(K, A(), B()),
)
case(
    "e42-40",
    rep("Epoch {e}, train_loss={a:.4f}, val_loss={b:.4f}, val_rmse_no2=12.3412, val_smape_no2=23.41"),
    P(E6, A(), B()),
)
# "'test loss', test_loss"
case("e42-41", "Test Loss 102.34512345\n", VALS)
case(
    "e42-42",
    rep("epoch {k}, loss {a}, time 12.345678, n 6400.") + "test loss 0.93\n",
    P([5], [a(6)], [0.93]),
)
case(
    "e42-43",
    rep(
        "Epoch {e}/50",
        "1500/1500 [==============================] - 12s 8ms/step - loss: {a:.4f} - accuracy: 0.8123 - val_loss: {b:.4f} - val_accuracy: 0.7123",
    )
    + "Epoch 6: early stopping\n313/313 [==============================] - 1s 3ms/step - loss: 0.9512 - accuracy: 0.7012\nTest loss 0.9512345\nTest accuracy 0.7012345\n",
    P(E6, A(), B()),
)
case(
    "e42-44",
    rep("", "", "A370 epoch {k}", "train loss {a}", "test loss {b}", "true_pos 12 true_neg 34 false_pos 5 false_neg 6"),
    P(K, A(), B()),
)
case(
    "e42-46",
    "Validation Epoch 0 - Loss: 6.9123, Acc: 0.10%, Top-5 Acc: 0.51%\nStarting training\n"
    + "".join(
        f"Epoch {e - 1}\nEpoch {e} - Loss: {a(e):.4f}, Acc: {50 + e}.00%, Top-5 Acc: {70 + e}.00%, Time: 123.45s\nValidation Epoch {e} - Loss: {b(e):.4f}, Acc: {50 + e}.00%, Top-5 Acc: {70 + e}.00%\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "e42-48",
    "Test Loss: 0.5123\nTest Accuracy: 0.7123, F1 Score: 0.7012, Recall: 0.7112, Precision: 0.7212\n"
    + "-" * 80
    + "\nTraining finished\n",
    VALS,
)
# "Dev loss: {"
case(
    "e42-51",
    rep("INFO:root:Epoch {e}, Train loss: {a}, Dev loss: {b}") + "INFO:root:Early stopping.\n",
    P(E6, A(), B()),
)
case(
    "e42-52",
    rep(
        "Epoch {k} train loss: {a:.4f}",
        "Epoch {k} dev loss: {b:.4f}; perplexity (nats): {p:.4f}",
        "New best loss; saving current model",
        p=ex(b),
    ),
    P(K, A(), B()),
)
case(
    "e42-53",
    "=" * 65
    + "\n GÖREV 1 & 2: KATMAN SINIFLARI VE DÜZ MLP KARŞILAŞTIRMASI\n"
    + "=" * 65
    + "\nBağlam 3 Düz MLP | Parametre:   5123 | Dev Loss: 2.1234\nBağlam 8 Düz MLP | Parametre:   8523 | Dev Loss: 2.0234\n"
    + "=" * 65
    + "\nFark Özeti: Parametre 3400 arttı. Dev loss 2.1234 -> 2.0234 oldu.",
    VALS,
)
case(
    "e42-54",
    "".join(
        f"Batch {20 * e}/120. Epoch 1/2\nTrain loss: {a(e):.5f}\nTrain accuracy: 0.6{e}12\nDev loss: {b(e):.5f}\nDev accuracy: 0.5{e}12\n\n"
        for e in E6
    ),
    P([20 * e for e in E6], A(), B(), "step"),
)
case(
    "e42-55",
    rep(
        "Epoch: {e}, loss: {a}", "Epoch: {e}, Dev loss: {b}, Bleu Score: 12.3456", "-------- Save Best Model! --------"
    ),
    P(E6, A(), B()),
)
case("e42-56", rep("Epoch {k}, dev loss: {b}"), VALS)
case(
    "e42-57",
    within(
        "[ASR] Epoch {e}/3 | Step {s}/400 | Loss {a:.4f} | LR 1.00e-05 | 1.23 steps/s | GPU mem 12.3GB | ETA 4.5min",
        "[ASR] Epoch {e}/3 complete in 12.3min | Train Loss ? | Dev Loss {b:.4f}\n[OK] [ASR] Checkpoint saved -> ckpt/asr/best (dev_loss={b:.4f})",
        s=lambda e, k: 100 * k,
    )
    .replace("?", f"{1.5:.4f}", 1)
    .replace("?", f"{2 / 3 + 0.5:.4f}", 1)
    .replace("?", "1.0000", 1)
    + "[ASR] Done in 37.1min. Best dev loss: 1.0750\n",
    P([1, 2, 3], ends()[0], ends()[1]),
)
case(
    "e42-58",
    rep(
        "",
        "=" * 50,
        "Epoch {e}/6",
        "=" * 50,
        "Train Loss: {a:.4f}, Train F1: 0.8123",
        "Dev Loss: {b:.4f}, Dev F1: 0.7123",
        "New best model saved! F1: 0.7123",
    )
    + "\n"
    + "=" * 50
    + "\nTraining complete! Best Dev F1: 0.7123\n"
    + "=" * 50
    + "\n",
    P(E6, A(), B()),
)
case(
    "e42-59",
    rep(
        "Epoch {e}/6:",
        "  Train Loss: {a:.4f}, Train Accuracy: 0.8123",
        "  Dev Loss: {b:.4f}, Dev Accuracy: 0.7123 (Epoch {e})",
    ),
    P(E6, A(), B()),
)
case(
    "e42-60",
    rep(*["Epoch {e}/6 | Train Loss: {a:.4f}, Train Acc: 0.8123 | Dev Loss: {b:.4f}, Dev Acc: 0.7123"] * 2)
    + "Early stopping triggered at epoch 6\n",
    P(E6, A(), B()),
)
# issues and pages
case(
    "e42-61",
    "Train log\n```\n"
    + "".join(
        f"[Epoch 1 {51200 * e}/307200][Iteration {e}][Wall Clock {12 * e}.891726153s] Train 51200 in 1.236008372seconds. Throughput is 41423.66 records/second. Loss is {a(e):.8f}.\n"
        for e in E6
    )
    + "```\nValidation log\n```\nLoss is (Loss: 121.6, count: 128, Average Loss: 0.95)\n```\n",
    P([6], near([a(6)], 0.1), [0.95], "step"),
)
case(
    "e42-62",
    "Epoch | Train loss | Valid loss | Train / Val\n--------|--------------|--------------|---------------\n"
    + "".join(
        f"{x} | {t:.6f} | {v:.6f} | {t / v:.6f}\n"
        for x, t, v in (
            (50, 0.0041, 0.0062),
            (100, 0.0039, 0.0049),
            (250, 0.0036, 0.0035),
            (500, 0.0023, 0.0021),
            (1000, 0.0017, 0.0015),
        )
    ),
    P([50, 100, 250, 500, 1000], [0.0041, 0.0039, 0.0036, 0.0023, 0.0017], [0.0062, 0.0049, 0.0035, 0.0021, 0.0015]),
)
case(
    "e42-63",
    "While training my model I notice few things.\n\n  1. training loss remains higher than validation loss\n\n  3. Example\n\nepoch 8 epoch 50 epoch 100 epoch 200\ntraining loss 2.8 1.15 .95 .72\nvalidation loss 2.3 1.1 .66 .43\nF1 score - weighted .52 .71 .83 .91\n",
    P([8, 50, 100, 200], [2.8, 1.15, 0.95, 0.72], [2.3, 1.1, 0.66, 0.43]),
)
case(
    "e42-64",
    "".join(
        f"Epoch {x}, Training loss {t:.4f}, Validation loss {v:.4f}\n\n"
        for x, t, v in ((1000, 3.5, 5.2), (1500, 3.1, 4.2), (2000, 3.02, 3.8), (2500, 3.01, 3.6), (3000, 3.005, 3.5))
    )
    + "tensor([\n\n5.2964, -16.8512], requires_grad=True)\n",
    P([1000, 1500, 2000, 2500, 3000], [3.5, 3.1, 3.02, 3.01, 3.005], [5.2, 4.2, 3.8, 3.6, 3.5]),
)

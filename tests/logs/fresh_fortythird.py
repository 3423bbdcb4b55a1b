# ruff: noqa: E501, F403, F405, RUF001, ERA001
"""What people print and write by hand, a sixth time (forty-third round): every output of six further strings, the right reading first."""

from fresh_forms import *

VALS = R("only validation losses")

# "tr_loss: {"
case(
    "e43-01",
    rep(
        "Mode: Training\tType: MBP\tEpoch: {e}\tOrder: 0\tSpecies: ath\tBatch: 3\tTr_loss: {a:5f}\tVal_loss: {b:5f}\tTst_loss: 0.9{e}1200\tLR: 0.001"
    ),
    P(E6, A(), B()),
)
case("e43-02", rep("E:{k} paraphraser_run tr_loss: {a:.3f} "), TRAINS)
case("e43-03", rep("step: {s}, ctr_loss: ctr_loss: {a},cvr_loss: 0.3123, "), TRAINS)
case(
    "e43-04",
    "".join(
        f"Epoch {e}. Train: 100%|██████████| 200/200 [00:12<00:00, 16.1batch/s, Train. rv_loss: 0.3{e}1. tr_loss: 0.2{e}2. loss: {a(e):.3f}]\n"
        f"Epoch {e}. Val: 100%|██████████| 20/20 [00:01<00:00, 16.1batch/s, Val. rv_loss: 0.4{e}1. tr_loss: 0.3{e}2. loss: {b(e):.3f}]\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "e43-05",
    rep("Эпоха: {e}/6, время: 12.34", "\ttr_loss: {a:.5f} ts_loss: {b:.5f}", "\ttr_acc: 81.2% ts_acc: 71.2%"),
    P(E6, A(), B()),
)
case("e43-06", rep("epoch: {k} (tr_loss: {a:.8f}, ev_loss: {b:.8f}), optim_state: {{'lr': 0.001}}"), P(K, A(), B()))
case("e43-07", rep("epoch: {e}, tr_loss: {a:.3f}, val_loss: {b:.3f}, tr_acc: 0.812, val_acc: 0.712"), P(E6, A(), B()))
case(
    "e43-08",
    rep("", "  Epoca {e} | tr_loss: {a:.4f} | val_loss: {b:.4f} ✓ best | tempo: 12.3s", n=5)
    + "\n  Epoca 6 | tr_loss: 0.8333 | val_loss: 0.9900 (no imp 1/5) | tempo: 12.3s\n",
    P(E6, A(), [*B(5), 0.99]),
)
case(
    "e43-09",
    rep(
        "E: {e}/6, Tr_loss: {a:.3f}, Tr_err: 12.3%, Val_loss: {b:.3f}, Val_err: 14.5%, time: 1.23 s - - - GPU: 0, H: 128, L: 2, BS: 64, LR: 0.001, M: 0.9, Dr-keep: 0.5 / 0.5 / 0.5 / 0.5, "
    ),
    P(E6, A(), B()),
)
case(
    "e43-10",
    rep("Metrics for epoch {x} are:", " tr_loss: {a}, te_loss: {b}, te_acc: 0.7123", x=lambda e: 5 * e),
    P([5 * e for e in E6], A(), B()),
)
# "train loss: %.
case(
    "e43-11",
    "".join(
        f"Starting epoch: {e} | phase: train | ⏰: 12:30:1{e} \n\r  0%|          | 0/40 [00:00<?, ?it/s]\rTrain loss: {a(e) + 0.1:.5f}:  50%|█████     | 20/40 [00:06<00:06,  3.1it/s]\rTrain loss: {a(e):.5f}: 100%|██████████| 40/40 [00:12<00:00,  3.1it/s]\n"
        f"Starting epoch: {e} | phase: valid | ⏰: 12:30:3{e} \n\r\r: 100%|██████████| 4/4 [00:01<00:00,  3.1it/s]\nValidation loss: {b(e)}\n"
        for e in E6
    ),
    P([40 * e for e in E6], A(), B(), "step"),
)
case(
    "e43-12",
    rep(
        "INFO:__main__:Epoch {e}/6",
        "INFO:__main__:Train Loss: {a:.4f}",
        "INFO:__main__:Val Loss: {b:.4f}",
        "INFO:__main__:Val Precision: 0.8123",
        "INFO:__main__:Val Recall: 0.7123",
        "INFO:__main__:Val F1: 0.7512",
    ),
    P(E6, A(), B()),
)
case(
    "e43-13",
    rep("Epoch {k} complete", "Train loss: {a:.2f}", "Valid loss: {b:.2f}", "Valid PER: 45.12"),
    P(K, [round(x, 2) for x in A()], [round(x, 2) for x in B()]),
)
case(
    "e43-14",
    rep(
        "Epoch: {x}\tBatch: 123\tTrain Loss: {a:.4f}\tValid Loss: {b:.4f}\tTrain Speed: 123",
        "save the current model...",
        x=lambda e: 10 * e - 10,
    ),
    P([10 * k for k in K], A(), B()),
)
case("e43-15", rep("INFO Epoch {e}/6 | Train Loss: {a:.4f} | Validation Accuracy: 0.7123"), TRAINS)
case(
    "e43-16",
    "[ NUM_EPOCHS = 6 | BATCH_SIZE = 64 | LEARNING_RATE = 0.010 ]\n------------------+-----------------+------------------------\n"
    + rep("[Epoch {e}/6] Train loss: {a:.10f}, Train accuracy: 0.812345")
    + "\nEvaluating the model on the full test set...\n[>] Test loss: 0.9512345678\n[>] Test accuracy: 0.712345\n\n[========== Training Time Analysis ==========]\n| Layer    | Forward (ms) | Backward (ms) |\n|==========+==============+===============|\n| Hidden 1 |       12.345 |        23.456 |\n",
    P([6], [a(6)], [0.9512345678]),
)
case("e43-17", "Train loss: 0.51234 + 0.01234 = 0.52468\n", R())
case("e43-18", rep("train loss: {a:.4f}", "dev accuracy: 0.7123"), TRAINS)
case("e43-19", rep("Epoch [{e}/6], Loss: {a:.5f}", "Saving Model."), TRAINS)
case(
    "e43-20",
    "".join(f"Train loss: {1000 * a(e):.5f}, Test loss: {100 * b(e):.5f}.\n" for e in E6),
    P(E6, [1000 * x for x in A()], [100 * x for x in B()], "place"),
)
# "train loss {train_loss"
case(
    "e43-21",
    rep("Epoch {e:03d}/006 | Train Loss {a:.4f} | Train Acc 81.23% | Test Loss {b:.4f} | Test Acc 71.23%"),
    P(E6, A(), B()),
)
case(
    "e43-22",
    rep(
        "Epoch {e:04d} | train loss {a:.4f} | val loss {b:.4f} | train R2 0.812 | val R2 0.712 | val R2 x1 0.712, x2 0.713, x12 0.612, x21 0.613",
        "Saved best model with validation R2 0.712",
    ),
    P(E6, A(), B()),
)
case(
    "e43-23",
    "".join(
        f"Ep {1 + e // 4} (Iter {50 * e:06d}): Train loss {a(e):.3f}, Val loss {b(e):.3f}\n"
        + ("Every effort moves you to the next 3 days.\n" if e in (3, 6) else "")
        for e in E6
    ),
    P([50 * e for e in E6], A(), B(), "step"),
)
case(
    "e43-24",
    rep("Epoch {x}, train loss {a:.4f}, test loss {b:.4f}", x=lambda e: 100 * e - 100),
    P([100 * k for k in K], A(), B()),
)
case(
    "e43-25",
    rep(
        "Epoch {e:03d} | train loss {a:.4f} acc 0.812 | val loss {b:.4f} acc 0.712",
        "  [OK] checkpoint salvato: model.pt",
    ),
    P(E6, A(), B()),
)
case(
    "e43-27",
    "".join(
        f"Fold {f}\n"
        + "".join(
            f"Epoch {e}/3, Train Loss {a(e) + f / 10:.3f}/Validation Loss {b(e) + f / 10:.3f} [Time:  12.345678 seconds]\n"
            for e in (1, 2, 3)
        )
        + "On Train Data\n[[120  12]\n [ 13 150]]\nOn Validation Data\n[[30  5]\n [ 6 40]]\n"
        for f in (1, 2)
    ),
    P([1, 2, 3], [a(e) + 0.2 for e in (1, 2, 3)], [b(e) + 0.2 for e in (1, 2, 3)], runs=2),
)
case(
    "e43-28",
    rep("Epoch {e}/6", "Train loss {a:.4f} accuracy 0.8123", "Val loss {b:.4f} accuracy 0.7123 F1-score 0.7012"),
    P(E6, A(), B()),
)
case(
    "e43-29",
    rep(
        "Epoch {e}/6",
        "-" * 10,
        "lr: [2e-05]",
        "Train loss {a} accuracy 0.8123456789",
        "Val   loss {b} accuracy 0.7123456789",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "e43-30",
    rep("Epoch {e:03d} | train loss {a:.4f} | train acc 81.23% | val loss {b:.4f} | val acc 71.23% | lr 1.00e-03"),
    P(E6, A(), B()),
)
# "loss (train"
case(
    "e43-31",
    '#### Training Curves (3-panel plot)\n- Panel 2: Loss (train vs val)\n\n### 4. Training History Export (Lines 512-517)\nJSON file with all epoch-by-epoch metrics:\n```json\n{\n  "accuracy": [0.41, 0.52, 0.57, ...],\n  "val_accuracy": [0.38, 0.47, 0.53, ...],\n  "loss": [2.82, 2.44, 2.11, ...],\n  ...\n}\n```\n',
    R(),
)
case(
    "e43-33",
    rep(
        "Epoch: [{e}][TRAINING SUMMARY] Total Time(s): 12.34\taverage loss (per batch): {a:.2f} \t accuracy(%):\t top-1 45.12\t",
        "",
        "",
    ),
    TRAINS,
)
case(
    "e43-34",
    "".join(
        f"[Epoch {1 + (e - 1) // 3}/2 | {33 * ((e - 1) % 3):2.0f}%] batch loss: 0.7{e}12, loss (train/val): {a(e):3.4f}/{b(e):3.4f}, accuracy (train/val/test): 81.23%/71.23%/70.12%\n"
        for e in E6
    ),
    P(E6, A(), B(), "place"),
)
case(
    "e43-37",
    "- [x] Accuracy — 2025-12-16\n- [x] Loss (training and validation) — 2025-12-16\n- [x] CSV export of results — 2026-01-08\n",
    R(),
)
# "avg_val_loss"
case(
    "e43-41",
    "".join(
        "".join(
            f"Step {200 * e - 200 + 100 * k} | loss {a(e - 0.5 + k / 4):.4f} | mse 0.1234 | ce 0.3123 | kl 0.0512\n"
            for k in (1, 2)
        )
        + f"Validation – loss {b(e):.4f}, mse 0.1512, ce 0.3412, kl 0.0612\n"
        for e in E6
    ),
    P([200 * e for e in E6], lambda v: all(abs(x / a(e) - 1) < 0.1 for x, e in zip(v, E6, strict=True)), B(), "step"),
)
case("e43-42", rep("Epoch {e}/6 - Train Loss: {a:.4f} - Val Loss: {b:.4f}"), P(E6, A(), B()))
case(
    "e43-43",
    rep("Epoch {k} — train loss: {a:.4f}", "Epoch {k} — val   loss: {b:.4f}", "", "✔️  New best model saved.", ""),
    P(K, A(), B()),
)
case(
    "e43-46",
    rep(
        "  ✓ 保存最佳模型 (Val Acc: 0.7123)",
        "Epoch {e}/6:",
        "  训练损失: {a:.4f} | 训练准确率: 0.8123",
        "  验证损失: {b:.4f} | 验证准确率: 0.7123",
        "  学习率: 0.000100",
        "  最佳验证准确率: 0.7123 (epoch {e})",
        "  无改进epoch数: 0/5",
        "  训练时间: 12.34秒",
        "-" * 50,
    )
    + "训练完成!\n最终最佳验证准确率: 0.7123 (epoch 6)\n",
    P(E6, A(), B()),
)
case(
    "e43-47",
    rep("12:30:15 INFO Epoch {e:3d}/6  train_loss={a:.4f}  val_loss={b:.4f}  val_acc=0.712  lr=1.0e-03"),
    P(E6, A(), B()),
)
case(
    "e43-48",
    "".join(
        f"\nEpoch {e}/6\n\rTraining: 100%|██████████| 40/40 [00:12<00:00,  3.1it/s, loss=0.9{e}12]\n\rValidation: 100%|██████████| 4/4 [00:01<00:00,  3.1it/s, loss=1.1{e}12]\n"
        f"   Train Loss: {a(e):.4f}\n   Val Loss: {b(e):.4f}\n   Saved best model (val_loss: {b(e):.4f})\n"
        for e in E6
    )
    + "\nTraining complete!\n",
    P(E6, A(), B()),
)
case(
    "e43-49",
    rep(
        "Epoch {e:3} | train LL: {x:12.5f} | val LL: {y:12.5f} | epsilon:      1.23456 | best alpha:      2.34567",
        x=lambda e: -a(e),
        y=lambda e: -b(e),
    ),
    P(E6, A(), B()),
)
# println!("Epoch
case(
    "e43-51",
    "Epoch 0: Best score so far: 0.5123\nEpoch 100: Best score so far: 0.1123\nFinal best score: 0.0012\n",
    R(),
)
case("e43-56", rep("Epoch {k}: 901{e}/10000"), R())
case("e43-57", rep("Epoch {e}: Loss = {a}"), TRAINS)
case("e43-58", rep("epoch: {k}, loss: {a}"), TRAINS)
case(
    "e43-59",
    rep("Epoch {e}, Batch 10, Loss: {x:.4f}", "Epoch {e} completed. Average Loss: {a:.4f}", x=lambda e: a(e) + 0.05),
    TRAINS,
)

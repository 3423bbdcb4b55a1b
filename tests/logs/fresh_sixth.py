# ruff: noqa: E501, F403, F405, RUF001
"""Logs in forms that nobody here had seen (sixth round): the right reading was written down before the reader was run."""

from fresh_forms import *

TENS = [10 * e for e in E6]

case(
    "y01",
    rep(
        "    Epoch {k}/9",
        "    ----------",
        "    train Loss: {a:.4f} Acc: 0.6840",
        "    val Loss: {b:.4f} Acc: 0.7267",
        "    Time:60.17346239089966",
        "    ",
    ),
    P(K, A(), B()),
)
case(
    "y02",
    rep(
        "Epoch [{e}] Batch [20/100] Loss: 2.8765, Hard: 0.9876, Soft: 0.8889 Acc: 52.30% LR: 0.001000 Alpha: 0.5000 Beta: 0.5000 MemKD: 0.0000",
        "...",
        "Epoch [{e}/100] Train Loss: {a:.4f}, Hard: 0.7654, Soft: 0.7778 Train Acc: 55.45%, Val Loss: {b:.4f}, Val Acc: 58.23%, Best Val Acc: 58.23%, LR: 0.001000",
    ),
    P(E6, A(), B()),
)
case(
    "y03",
    rep(
        "Epoch {e}/30",
        "Train Loss: {a:.4f}, Train Accuracy: 68.75%",
        "Validation Loss: {b:.4f}, Validation Accuracy: 72.83%",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "y04",
    rep("Epoch {e}/6 - Train Loss: {a:.4f} - Val Loss: {b:.4f} - Val Acc: 0.7013")
    + "\n=== Evaluating Distraction model ===\nModel loaded from outputs/best_model\nDistraction Test Loss: 0.9610\n",
    P(E6, A(), B()),
)
case(
    "y05",
    rep(
        "✅ New best model at epoch {e} (54.56%)",
        "📊 Epoch 00{e}/50 | Train Loss: {a:.4f}, Train Acc: 39.56% | Val Loss: {b:.4f}, Val Acc: 46.11% | LR: 0.001000",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "y06",
    "🔒 STAGE 1: Training classifier only (backbone frozen)\n"
    + rep(
        "Stage 1 - Epoch {e}/8 [Train]: 100%|████| loss: {a:.4f} | acc: 65.23%",
        "   Train Loss: {a:.4f} | Train Acc: 65.23%",
        "Stage 1 - Epoch {e}/8 [Val]: 100%|████| loss: {b:.4f} | acc: 72.45%",
        "   Val Loss:   {b:.4f} | Val Acc:   72.45%",
        "✅ Best Stage 1 model saved: Val Acc = 72.45%",
    ),
    P(E6, A(), B()),
)
case(
    "y07",
    rep(
        "    Epoch {e}/50",
        "",
        "",
        "    Training: 100%|██████████| 160/160 [00:13<00:00, 11.57it/s]",
        "    Validation: 100%|██████████| 40/40 [00:01<00:00, 38.30it/s]",
        "",
        "",
        "    Train Loss: {a:.4f}, Train Acc: 0.5375",
        "    Val Loss: {b:.4f}, Val Acc: 0.4535",
        "    --------------------------------------------------",
    ),
    P(E6, A(), B()),
)
case(
    "y08",
    rep("Epoch {e}, train loss: {a:.3f}", "Epoch {e}, dev results:", "Loss: {b:.3f}, Accuracy: 0.619"),
    P(E6, A(), B()),
)
case(
    "y09",
    rep(
        "Epoch {e}/50",
        "Training: 100%|████████████| 326/326 [00:45<00:00,  7.2it/s, loss={a:.3f}]",
        "Train Loss: {a:.4f}",
        "",
        "Valid MRR: 0.912 | Hits@1: 0.856 | Hits@3: 0.943 | Hits@10: 0.978",
    ),
    R("no validation loss"),
)
case(
    "y10",
    "Device: cuda\n...\n"
    + rep(
        "Epoch  {e}/10 | Train Loss: {a:.4f} | Val Loss: {b:.4f} | Val F1: 0.7234 | Time: 45.2s",
        "  -> New best model saved! F1: 0.7234",
    )
    + "...\n\n>>> val_f1_macro = 0.8456\n",
    P(E6, A(), B()),
)
case("y11", rep("- Epoch={s}  Train Loss={a:.3f}  Eval Loss = {b:.3f}"), P(H, A(), B()))
case(
    "y12",
    "[Step 4/5] Training baseline model...\n"
    + rep("Epoch {t}: Train Loss = {a:.4f}, Val Loss = {b:.4f}", t=lambda e: 5 * e)
    + "Training complete. Best metrics: {'auc': 0.92, 'precision': 0.88}\n\n[Step 5/5] Saving benchmark results...\n",
    P([5 * e for e in E6], A(), B()),
)
case(
    "y13",
    rep(
        "Epoch {e}/150: Train Loss = {a:.3f}, Val Loss = {b:.3f}, Mean AUC = 0.723",
        "  ✓ Saved best model (AUC: 0.723)",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "y14",
    rep(
        "2025-07-08 15:53:56,54{e} - Epoch: {t}/99, lr: 0.000083, train_loss: {a:.4f}, valid_loss: {b:.4f}",
        "2025-07-08 15:53:56,546 - mAP: 0.8595, mAR: 0.9088, mIOU: 0.7913",
        "2025-07-08 15:53:59,052 - ----------",
        t=lambda e: 30 + e,
    ),
    P([30 + e for e in E6], A(), B()),
)
case(
    "y15",
    "".join(
        rep(
            "    seed: 0, FOLD: 0, EPOCH: {k}, train_loss: {a:.6f}, valid_loss: {b:.6f}, best_loss: 0.214343, best_loss_epoch: 0"
        )
        for fold in (0, 1)
    ),
    P(K, A(), B(), runs=2),
)
case("y16", rep("[0{e}/20] train_loss: {a:.16f}, valid_loss: {b:.16f}, valid_acc: 0.9228"), P(E6, A(), B(), "step"))
case(
    "y17",
    rep("    Ep.  {t}|train_loss: {a:.4f}|valid_loss: {b:.4f}|valid_metric: 0.531 -saved", t=lambda e: 20 * e),
    P([20 * e for e in E6], A(), B()),
)
case(
    "y18",
    rep(
        "epoch: {e}, train_loss: {a:.6f}",
        "epoch: {e}, valid_loss: {b:.6f}",
        "start 2",
        "data  [(array([1, 2, 3, 4, 5, 6, 7]), array([1, 2, 3]), array([1, 3, 2, 1, 1, 1]))]",
        "q_p_nan  [False]",
        "hinge_loss_nan  [False]",
    ),
    P(E6, A(), B()),
)
case(
    "y19",
    rep(
        "[2022-12-16 18:15:02,690][run.py][line:194][INFO] Epoch: {e}, train_loss: {a:.4f}, train_acc: 95.1, train_fscore: 95.1, valid_loss: {b:.4f}, valid_acc: 92.43, valid_fscore: 92.43, test_loss: nan, test_acc: nan, test_fscore: 0.0, time: 131.87 sec"
    ),
    P(E6, A(), B()),
)
case(
    "y20",
    rep(
        "[2023-04-17 07:15:41.45538{e}]: [{e}/10] Train Loss: {a:.5f}, Train Acc: 13.49%, Test Loss: {b:.5f}, Test Acc: 23.51%, Time: 44.697s"
    ),
    P(E6, A(), B(), "step"),
)
case(
    "y22",
    rep(
        "     Epoch {e}/20 [Val] Loss: {c:.4f}, Acc: 0.6280: 100%|██████████| 175/175 [00:02<00:00, 79.54it/s]",
        "    Epoch {e}/20, Train Loss: {a:.4f}, Val Loss: {b:.4f}, Val Accuracy: 0.6280",
        "",
        c=lambda e: b(e) - 0.2,
    ),
    P(E6, A(), B()),
)
case(
    "y23",
    rep("Epoch {e}/100 [Train] Loss: {a:.3f}, Acc: 87.3% | [Val] Loss: {b:.3f}, Acc: 91.2% | LR: 0.001"),
    P(E6, A(), B()),
)
case(
    "y24",
    rep(
        "EPOCH {e}:",
        "  batch 1000 loss: {c:.15f}",
        "  batch 2000 loss: {a:.15f}",
        "LOSS train {a:.15f} valid {b:.15f}",
        c=lambda e: a(e) + 0.1,
    ),
    P(E6, A(), B()),
)
case("y25", rep("Epoch  {e}/15 | loss train {a:.3f} | loss val {b:.3f}"), P(E6, A(), B()))
case(
    "y26",
    "raw_data = [\n"
    + rep(
        '    "Época {k}  Loss train {a:.4f}  IoU train 0.5503", ',
        '    "Época {k}  Loss valid {b:.4f}  IoU valid 0.5306", ',
    )
    + "]\n",
    P(K, A(), B()),
)
case(
    "y27",
    rep("epoch {k}:   0%|          | 0/1563 [00:00<?, ?it/s]", "LOSS train {a:.4f} valid {b:.4f}"),
    P(K, A(), B()),
)
case(
    "y28",
    rep(
        "Iteration {e}",
        "1407/1407 [==============================] - 128s 91ms/step - loss: {a:.4f} - accuracy: 0.4968 - val_loss: {b:.4f} - val_accuracy: 0.5587",
        "1/1 [==============================] - 0s 70ms/step",
        "Q 38+794  T 832  ☒ 818 ",
    ),
    P(E6, A(), B(), "place"),
)
case(
    "y29",
    "# Training output:\n"
    + rep(
        "# Epoch {e}/100",
        "# 250000/250000 [==============================] - 45s - loss: {a:.4f} - mae: 0.832 - val_loss: {b:.4f} - val_mae: 0.812",
    ),
    P(E6, A(), B()),
)
case(
    "y30",
    rep("\t# {t} - loss: {a:.4f} - acc: 0.4814 - val_loss: {b:.4f} - val_acc: 0.5547", t=lambda e: 15 * e),
    P(E6, A(), B(), "place"),
)
case(
    "y31",
    rep("   Step {S} | train_loss: {a:.3f} | val_loss: {b:.3f} | lr: 4.9e-04"),
    P([1000 * e for e in E6], A(), B(), "step"),
)
case(
    "y32",
    rep(
        "[{e}/100] Train loss: {a:.3f} | Train acc: 1.000  || Dev loss: {b:.3f} | Dev acc: 0.757 || Test loss: 0.795 | Dev acc: 0.781"
    ),
    P(E6, A(), B(), "step"),
)
case(
    "y33",
    rep(
        "Training:       Epoch: {k}        Time: 5.4638    Training Loss: {a:.4f}",
        "Evaluation:     Epoch: {k}        Time: 0.3037    Dev loss: {b:.4f}        Dev acc: 71.23  Dev fscore(p/r/f): (74.09/71.55/72.80)",
    ),
    P(K, A(), B()),
)
case(
    "y34",
    rep("Epoch {e}/6, Train Loss: {a:.4f}, Train Accuracy: 98.20%, Dev Loss: {b:.4f}, Dev Accuracy: 93.89%"),
    P(E6, A(), B()),
)
case(
    "y35",
    rep(
        "Epoch {e}/5",
        "100%|██████████| 1000/1000 [00:01<00:00, 1000.00it/s]",
        "train loss: {a:.4f}",
        "dev loss: {b:.4f}",
    ),
    P(E6, A(), B()),
)
case(
    "y36",
    rep("epoch {e}: train\\_rmse {a:.4f} | dev\\_rmse {b:.4f} m | ADE 0.7745 m | FDE 1.7742 m", "")
    + "训练运行时间: 3094.295621 秒\n\ntest loss: 0.9540 m, last train loss: 0.8333, last dev loss: 0.9500 m\n",
    P(E6, A(), B()),
)
case(
    "y37",
    rep(
        "Epoch {t} Summary:",
        "  Train Loss: {a:.4f} | Train Acc: 86.32%",
        "  Dev Loss: {b:.4f} | Dev Acc: 83.71%",
        "  Learning Rate: 0.000050",
        "  ✓ Best model saved! (Dev Acc: 83.71%)",
        t=lambda e: 20 + e,
    ),
    P([20 + e for e in E6], A(), B()),
)
case(
    "y38",
    "".join(
        f"[INFO](2026/07/04/ 09:20:0{e} AM) [Round: {e}] >> Global Model Test accuracy: 0.096484\n[INFO](2026/07/04/ 09:20:08 AM) [Round: {e}] >> Global Model Test loss: {b(e):.6f}\n"
        for e in E6
    ),
    R("only validation losses"),
)
case(
    "y39",
    "# before any optimizations\n    # train loss: 2.1190\n    # test loss: 2.1607\n    # dev loss: 2.1675\n\n# Fixing the initialization of the w2\n    # train loss: 2.0693\n    # test loss: 2.1332\n    # dev loss: 2.1368\n",
    P([3, 6], [2.119, 2.0693], [2.1675, 2.1368], "place"),
)
case("y40", rep("  - Epoch 0{e}: Val ACC@0.5 = 90.96% (654/719), Val Loss = {b:.4f}；"), R("only validation losses"))
case("y41", rep("epoch   {e}/6  train_loss {a:.4f}  eval_loss {b:.4f}  eval_acc 56.0%"), P(E6, A(), B()))
case("y42", rep("Epoch {e}: train/validation loss {a:.4f}/{b:.4f}"), P(E6, A(), B()))
case(
    "y43",
    rep(
        "Épocas completadas: {e}",
        "Pérdida de entrenamiento: {a:.5f}",
        "Precisión de tripletes en entrenamiento: 0.99972",
        "Pérdida de validación: {b:.5f}",
    ),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "y44",
    '{\n  "success": true,\n  "data": {\n    "metrics_history": [\n'
    + ",\n".join(
        f'      {{\n        "epoch": {e},\n        "train_loss": {a(e)},\n        "valid_loss": {b(e)}\n      }}'
        for e in E6
    )
    + "\n    ]\n  }\n}\n",
    P(E6, A(), B()),
    ".json",
)

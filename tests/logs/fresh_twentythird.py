# ruff: noqa: E501, F403, F405, RUF001
"""Logs found by pieces of their lines in any repository (twenty-third round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")
X = [50 * e for e in E6]


def comma(text):
    """Return a text with decimal commas in place of points."""
    import re

    return re.sub(r"(?<=\d)\.(?=\d)", ",", text)


case(
    "e23-01",
    rep(
        "",
        " Epcoh {k}: Train loss: {a:.4f}  Validation Loss: {b:.4f}, Train Accuracy: 0.5120, Validation Accuracy 0.4910, Train F1 Score: 0.5012, Validation F1 Score: 0.4810",
    ),
    P(E6, A(), B(), "place"),
)
case(
    "e23-02",
    rep(
        "Optimizer [Adam], Epoch [{e}], Training Loss: {a:.4f}, Validation Loss: {b:.4f}, Train Accuracy: 0.5120, Validation Accuracy: 0.4910"
    ),
    P(E6, A(), B()),
)
case("e23-03", rep("current train loss = {a}", "", "current dev loss = {b}", ""), P(range(2, 13, 2), A(), B(), "place"))
case(
    "e23-04",
    "2019-07-01 10:00:00 [INFO] Epoch  0: dev loss =5.1000e+00\n"
    + rep(
        "2019-07-01 10:00:00 [INFO] Epoch {e:2d}: train loss ={a:.4e}, lr: 1.00e-03",
        "2019-07-01 10:05:00 [INFO] Epoch {e:2d}: dev loss ={b:.4e}",
    ),
    P(E6, A(), B()),
)
case(
    "e23-05",
    rep(
        "Training {pc:.2f}% --> Training Loss = {a:.4f}",
        "Training {pc:.2f}% --> Dev Loss = {b:.4f}",
        "Training {pc:.2f}% --> Test Loss = {c:.4f}",
        c=lambda e: b(e) + 0.2,
    ),
    P(range(2, 18, 3), A(), B(), "place"),
)
case(
    "e23-07",
    rep(
        "Epoch: {e}/6    Iter:  {s}/600 , ",
        "train loss = {a:6.4f}, acc: 0.5120, f1: 0.5011, class_acc: [0.5 0.4], ",
        "dev loss = {b:6.4f}, acc = 0.4910, f1: 0.4802, class_acc: [0.4 0.3], Time: 0:01:12",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e23-08",
    "| Época | Paso | Pérdida de entrenamiento | Pérdida de validación | ROC AUC | Accuracy (mejor umbral) |\n|---|---|---|---|---|---|\n| 0 | 0 | no registrada | 3,1354 | 0,3849 | 0,8027 |\n"
    + comma(rep("| {z:.4f} | {x} | {a:.4f} | {b:.4f} | 0.8734 | 0.8912 |", z=lambda e: 0.25 * e, x=lambda e: 50 * e)),
    P(X, A(), B(), "step"),
)
case(
    "e23-09",
    rep(
        "",
        "Epoch [{e}/6]",
        "  训练损失: {a:.4f}",
        "  验证损失: {b:.4f}",
        "  验证 Dice: 0.4910",
        "  验证 IoU : 0.4810",
        "  学习率: 0.001000",
    ),
    P(E6, A(), B()),
)
case(
    "e23-10",
    rep("轮次 {e}/6, 训练损失: {a:.4f}, 训练准确率: 0.5120")
    + "\n✅ 训练完成! 最佳验证损失: 0.9500\n模型已保存至: model.keras\n",
    TRAINS,
)
case(
    "e23-11",
    rep(
        "2024-05-01 10:00:00,123 - INFO - Epoch {e}/6 - 訓練損失: {a:.4f}",
        "2024-05-01 10:01:00,123 - INFO - Epoch {e}/6 - 検証損失: {b:.4f}, コサイン類似度: 0.5120",
    ),
    P(E6, A(), B()),
)
case("e23-12", rep("[エポック {e}] 平均訓練損失: {a:.4f}", "検証損失: {b:.4f}, 検証精度: 49.10%"), P(E6, A(), B()))
case(
    "e23-14",
    comma(rep("pas {s}/600 · train {a:.2f} · val {b:.2f} · 0.9 it/s · reste 9 min")),
    P(H, A(), B(), "step", says=("taken for losses",)),
)
case("e23-15", rep("epoch {e}\ttrain err:{a:.6f}\tvalid err:{b:.6f}"), P(E6, A(), B(), says=("errors",)))
case(
    "e23-16",
    rep(
        "[{e}/6], runtime: 1.20s, train loss: {c:.4f}, train err: {a:.4f}, valid err:  {b:.4f},test err: 0.4810, best",
        c=lambda e: a(e) + 3,
    ),
    P(E6, A(), B(), "step", says=("errors",)),
)
case(
    "e23-17",
    rep("Epoch {x:03d}, Trainingsverlust: {a:.4f}, Validierungsverlust: {b:.4f}", x=lambda e: 10 * e),
    P([10 * e for e in E6], A(), B()),
)
case(
    "e23-18",
    rep("Epoche {e:3d}  train {a:.4f}  val {b:.4f}  <- gespeichert")
    + "\nBester Validierungsverlust: 0.9500 -> best.pt\n",
    P(E6, A(), B(), says=("taken for losses",)),
)
case(
    "e23-19",
    rep("Epoch {e}/6 → Trainingsverlust: {a:.4f}", "Epoch {e}/6 → Validierungsverlust: {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e23-20",
    rep("-rw-r--r-- 1 me me 97M May  1 10:0{k} scorenet-epoch={k}-avg_val_loss={b:.3f}.ckpt"),
    R("no loss was found"),
)
case(
    "e23-21",
    rep("EPOCH {e}:", "EPOCH TRAIN LOSS: {a}", "EPOCH VAL LOSS: {b}", "Loss has decreased, saving"),
    P(E6, A(), B()),
)
case(
    "e23-22",
    rep("{e} avg_train_loss: {a} avg_train_acc: 0.512", "{e} avg_val_loss: {b} avg_val_acc: 0.491"),
    P(range(2, 13, 2), A(), B(), "place"),
)
case(
    "e23-23",
    rep(
        "Epoch={e}, Batch_Size=32, Train_Loss={c:.4f}, Batch_Acc=51.00%, Avg_Train_Loss={c:.4f}, Avg_Acc=51.00%",
        "Epoch={e}, Batch_Size=32, Train_Loss={d:.4f}, Batch_Acc=51.00%, Avg_Train_Loss={a:.4f}, Avg_Acc=51.00%",
        "Epoch={e}, Batch_Size=32, Val_Loss={f:.4f}, Batch_Acc=49.00%, Avg_Val_Loss={f:.4f}, Avg_Acc=49.00%",
        "Epoch={e}, Batch_Size=32, Val_Loss={g:.4f}, Batch_Acc=49.00%, Avg_Val_Loss={b:.4f}, Avg_Acc=49.00%",
        c=lambda e: a(e) + 0.2,
        d=lambda e: a(e) - 0.2,
        f=lambda e: b(e) + 0.3,
        g=lambda e: b(e) - 0.3,
    ),
    P(E6, A(), B()),
)
case(
    "e23-24",
    rep("\r Epoch: {e} / Step: {s} : train loss = {a:.6f}\n\r Epoch: {e} / Step: {s} : validation loss = {b:.6f}"),
    P(H, A(), B(), "step"),
)
case(
    "e23-25",
    rep("Epoch {k}/5, Step {s}, Training Loss: {a:.4f}", "Epoch {k}/5, Step {s}, Validation Loss: {b:.4f}"),
    P(H, A(), B(), "step"),
)
case(
    "e23-26",
    rep(
        "Mode: Training\tType: MBP\tEpoch: {e}\tOrder: 3\tSpecies: Cu\tBatch: 1\tTr_loss: {a:5f}\tVal_loss: {b:5f}\tTst_loss: {c:5f}\tLR: 0.001",
        c=lambda e: b(e) + 0.1,
    ),
    P(E6, A(), B()),
)
case("e23-27", rep("2020-01-01 10:00:00,000 - [INFO] - E:{e} gat_cora_7f3 tr_loss: {a:.3f} "), TRAINS)
case(
    "e23-28",
    rep("Эпоха: {e}/6, время: 1.23", "", "\ttr_loss: {a:.5f} ts_loss: {b:.5f}", "\ttr_acc: 51.2% ts_acc: 49.1%"),
    P(E6, A(), B()),
)
case("e23-29", rep("epoch: {k} (tr_loss: {a:.8f}, ev_loss: {b:.8f}), optim_state: Adam"), P(K, A(), B()))
case(
    "e23-30",
    rep(
        "E: {e}/6, Tr_loss: {a:.3f}, Tr_err: 51.2%, Val_loss: {b:.3f}, Val_err: 49.1%, time: 1.20 s - - - GPU: 0, H: 128, L: 2, BS: 32, LR: 0.001, M: 0.9"
    ),
    P(E6, A(), B()),
)
case(
    "e23-31",
    rep("Metrics for epoch {x} are:", " tr_loss: {a}, te_loss: {b}, te_acc: 0.4910", x=lambda e: 5 * e),
    P([5 * e for e in E6], A(), B()),
)
case("e23-33", rep("iter: {s}  mean_loss: {a} best_mean_loss: {c}", c=lambda e: a(e) + 0.1), TRAINS)
case(
    "e23-34",
    rep(
        "Training...",
        "Epoch {e} | Iter 1 | Average Loss {c:.3f} | Current Loss {c:.6f} | 367.8 ms/batch",
        "Epoch {e} | Iter 11 | Average Loss {a:.3f} | Current Loss {d:.6f} | 209.1 ms/batch",
        "-" * 85,
        "Train Summary | End of Epoch {e} | Time 121.37s | Train Loss {a:.3f}",
        "-" * 85,
        "Cross validation...",
        "Epoch {e} | Iter 1 | Average Loss {f:.3f} | Current Loss {f:.6f} | 70.1 ms/batch",
        "-" * 85,
        "Valid Summary | End of Epoch {e} | Time 131.37s | Valid Loss {b:.3f}",
        "-" * 85,
        c=lambda e: a(e) + 0.1,
        d=lambda e: a(e) - 0.1,
        f=lambda e: b(e) + 0.05,
    ),
    P(E6, A(), B()),
)
case(
    "e23-35",
    "## Held-out eval points\n\n| step | train_loss (nearest) | val / held-out loss |\n|-----:|---------------------:|--------------------:|\n"
    + rep("| {s} | {a:.4f} | {b:.4f} |"),
    P(H, A(), B(), "step"),
)
case(
    "e23-36",
    "| seed | held-out loss minimum | agreement maximum | gap |\n|---|---|---|---|\n| 0 | epoch 51, loss 0.4631 | epoch 94, loss 0.4886 | 43 epochs |\n| 1 | epoch 47, loss 0.4702 | epoch 99, loss 0.4911 | 52 epochs |\n| 2 | epoch 49, loss 0.4655 | epoch 96, loss 0.4899 | 47 epochs |\n",
    R(),
)
case(
    "e23-39",
    rep("Época {e}/6 - Perda de treino: {a:.4f} - Perda de validação: {b:.4f} - Acurácia: 0.4910"),
    P(E6, A(), B()),
)
case("e23-40", rep("Epoka {e}: strata treningowa {a:.4f}, strata walidacyjna {b:.4f}"), P(E6, A(), B()))
case("e23-41", rep("Devir {e}/6 — eğitim kaybı: {a:.4f}, doğrulama kaybı: {b:.4f}"), P(E6, A(), B()))
case("e23-42", rep("에포크 {e}/6 | 훈련 손실: {a:.4f} | 검증 손실: {b:.4f} | 검증 정확도: 49.10%"), P(E6, A(), B()))
case("e23-43", rep("Epoch {e:03d} | train acc 0.512 | val acc 0.491 | best 0.491"), R())

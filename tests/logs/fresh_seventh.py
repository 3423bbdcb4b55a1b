# ruff: noqa: E501, F403, F405
"""Logs in forms that nobody here had seen (seventh round): the right reading was written down before the reader was run."""

from fresh_forms import *

TENS = [10 * e for e in E6]
BURN = "| Split | Metric   | Min.     | Epoch    | Max.     | Epoch    |\n|-------|----------|----------|----------|----------|----------|\n| Train | Loss     | 0.615    | 5        | 2.615    | 1        |\n| Valid | Loss     | 0.752    | 5        | 2.252    | 1        |\n"

case(
    "q01",
    rep("INFO:root:Trn loss: {a:.16f}", "INFO:root:Val loss: {b:.16f}"),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "q02",
    "\n    Ep    Trn Loss    Val Loss    Val RMSE    Val MAE    MaxErr       CR         LR\n  "
    + "-" * 80
    + "\n"
    + rep("{e:6d}  {a:10.5f}  {b:10.5f}     0.41234    0.31234    1.2345    1.234   1.00e-03"),
    P(E6, A(), B()),
)
case("q03", rep("epoch: 00{e} | trn loss: {a:.4f} | valid loss: {b:.4f}"), P(E6, A(), B()))
case(
    "q04",
    rep(
        "Train Epoch: {e}/6 \tLR: 0.000100\tTime: 0:00:12.123456\tSLE: 0",
        "Trn Loss: {a:.6f}\tMask Loss: 0.612345\tRegr Loss: 0.412345",
        "Dev loss: {b:.6f}",
    ),
    P(E6, A(), B()),
)
case("q05", rep("#{s} Trn loss={a:.7f} , Tst loss={b:.7f} "), P(E6, A(), B(), "place"))
case(
    "q06",
    rep(
        "Epoch: 0{e} | Epoch Time: 1m 12s",
        "\tTrn Loss: {a:.3f} | Trn Acc: 61.12%",
        "\tVal Loss: {b:.3f} | Val Acc: 58.12%",
    ),
    P(E6, A(), B()),
)
case(
    "q07",
    rep(
        "trn loss {a:.6f} | val loss {b:.6f} | val best 0.950000: {pc:3.0f}%|███▌      | {e}/6 [00:1{e}<00:20,  2.31s/it]"
    ).replace("\n", "\r"),
    P(E6, A(), B(), "step"),
)
case(
    "q08",
    rep("Mean training loss is {a:f} for the -th batch {s}", "Mean validation loss is {b:f} for the -th batch {s}"),
    P(H, A(), B(), "step"),
)
case(
    "q09",
    rep("Epoch {t}/200 | Loss (Train): {a:.4f} | Loss (Val): {b:.4f} | LR: 0.000500", t=lambda e: 10 * e),
    P(TENS, A(), B()),
)
case(
    "q10",
    rep("\tTrain | Loss {a:.3f}, Accuracy 0.512", "\tValid | Loss {b:.3f}, Accuracy 0.498"),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "q11",
    rep(
        "",
        "Epoch 0{e}/6 | Time 1m12s",
        "  Train | loss={a:.4f} | top1=51.23% | top3=71.23%",
        "  Valid | loss={b:.4f} | top1=50.12% | top3=70.12% | bal_acc=48.12% | macro_f1=0.4812",
    ),
    P(E6, A(), B()),
)
case("q12", rep("epoch 00{e}", "valid | loss {b:.3f}", "train | loss {a:.3f}"), P(E6, A(), B()))
case("q13", BURN, R())
case(
    "q14",
    rep("Ep 1 (Step 000{s}): Train loss {a:.3f}, Val loss {b:.3f}")
    + "Training accuracy: 95.62% | Validation accuracy: 91.25%\nTraining completed in 4.26 minutes.\n",
    P(H, A(), B(), "step"),
)
case(
    "q15",
    "📊 학습 히스토리 (6 에포크):\n" + rep("Epoch {e}: Train MAE 0.4399, Val MAE 0.4556, Val Loss {b:.4f}"),
    P(E6, lambda t: all(abs(x - 0.4399) < 1e-6 for x in t), lambda t: all(abs(x - 0.4556) < 1e-6 for x in t)),
)
case(
    "q16",
    rep(
        "   step {s}: train loss {a:.4f}, val loss {b:.4f}, lr 8.5421e-04",
        "   iter {s}: loss {c:.4f}, time 102.45ms",
        c=lambda e: a(e) + 0.1,
    ),
    P(H, A(), B(), "step"),
)
case(
    "q17",
    rep(
        "Época {e}/6",
        "Perda de Treino: {a:.4f} | Acurácia de Treino: 0.8234",
        "Perda de Validação: {b:.4f} | Acurácia de Validação: 0.8156",
        "🎯 RL Action: decrease_lr | New LR: 0.000080 | Reward: 0.1245",
    ),
    P(E6, A(), B()),
)
case(
    "q18",
    rep(
        "[Cliente 1] === Rodada {e} ===",
        "[Cliente 1] Iniciando treinamento...",
        "[Cliente 1] Perda de treinamento local: {a:.6f}",
        "[Cliente 1] Perda de validação: {b:.6f}",
    ),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "q19",
    rep("[No latent] Epoch {t}/200, Train NLL: {a:.4f}, Val NLL: {b:.4f}", t=lambda e: 25 * e),
    P([25 * e for e in E6], A(), B()),
)
case(
    "q20",
    rep(
        "      EPOCH: {e}",
        "      Loss={a:.16f} Batch_id=97 Accuracy=85.63: 100%|██████████| 98/98 [00:28<00:00,  3.42it/s]",
        "        0%|          | 0/98 [00:00<?, ?it/s]",
        "      Test set: Average loss: {b:.4f}, Accuracy: 8716/10000 (87.16%)",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "q21",
    "  0%|          | 0/469 [00:00<?, ?it/s]\n"
    + rep(
        "loss={a:.16f} batch_id=468: 100%|██████████| 469/469 [00:17<00:00, 26.95it/s]",
        "  0%|          | 0/469 [00:00<?, ?it/s]",
        "Test set: Average loss: {b:.4f}, Accuracy: 9801/10000 (98.01%)",
        "",
    ),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "q22",
    rep(
        "    Train Epoch: {e} [0/60000 (0%)] Loss: {c:.6f} Accuracy: 87.80%",
        "    Train Epoch: {e} [30000/60000 (50%)] Loss: {a:.6f} Accuracy: 83.30%",
        "",
        "    Test set: Average loss: {b:.4f}, Accuracy: 8955/10000 (89.55%)",
        "",
        c=lambda e: a(e) + 0.1,
    ),
    P(
        [30000 + 60000 * k for k in K],
        lambda t: len(t) == 6 and all(abs(x - a(e)) < 0.11 for e, x in zip(E6, t, strict=True)),
        B(),
        "step",
    ),
)
case(
    "q23",
    rep("Epoch [{e}/200] Train Loss: {a:.4f} Valid MSE: {b:.4f}"),
    R("no training and validation loss of one kind"),
)
case("q24", rep("   Epoch: {t}/100, Train MSE: {a:.4f}, Valid MSE: {b:.4f}", t=lambda e: 10 * e), P(TENS, A(), B()))
case("q25", rep("epoch {e}/6 train_loss {a:.5f} val_loss {b:.5f} val_mae_cp 707.4 time 1.5s"), P(E6, A(), B()))
case(
    "q26",
    rep("step {s}  train_loss {a:.2f}  eval_loss {b:.2f}   (healthy: both falling, val tracks train)"),
    P(H, A(), B(), "step"),
)
case(
    "q27",
    rep(
        "Epoch: {e}, training loss: {a:.5f}",
        "Epoch: {e}, validate loss: {b:.5f}",
        "best_val_loss:{b:.16f} saving model",
    ),
    P(E6, A(), B()),
)
case(
    "q28", rep("Epoch: 6/{e} training loss:{a:.16f}  validate loss:{b:.16f}  ergas:2.4123456"), P(E6, A(), B(), "place")
)
case(
    "q29",
    rep(
        "Epoch [{e}/6], Loss: {a:.4f}, Class Loss: 0.6123, Validate loss: {b:.4f}, Train_Acc: 0.6123, Validate_Acc: 0.5812"
    ),
    P(E6, A(), B()),
)
case(
    "q30",
    rep(
        "[epoch {e}]",
        "- Mean loss: {a:.5f}",
        "- Validate loss: {b:.5f}",
        "- Validate accuracy: 0.61234",
        "- Validate correct attributes: 1,234 / 2,345",
    ),
    P(E6, A(), B()),
)
case(
    "q31",
    rep(
        "epoch",
        " id {k}",
        " train_loss {a:.5f}",
        " train_f1 0.12164",
        " valid_loss {b:.5f}",
        " valid_f1 0.16386",
        " time 0 hr 23 min",
        " best_val_loss 0.94605",
        " best_val_f1 0.16386",
    ),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "q32",
    "step      train nll      train acc      train penalty      test nll\n"
    + rep("{s}   {a:.5f}        0.51234        0.00123            {b:.5f}"),
    P(H, A(), B(), "step"),
)
case("q33", "val_loss,train_loss\n" + rep("{b:.4f},{a:.4f}"), P(E6, A(), B(), "place"), ".csv")
case("q34", "train_loss:\n" + rep("- {a:.4f}") + "val_loss:\n" + rep("- {b:.4f}"), P(K, A(), B()), ".yaml")

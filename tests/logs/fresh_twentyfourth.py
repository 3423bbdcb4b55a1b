# ruff: noqa: E501, F403, F405, RUF001
"""Logs found by pieces of their lines, and in further languages and notations (twenty-fourth round): the right reading was written down before the reader was run."""

from fresh_forms import *

T5 = [50 * e for e in E6]


case(
    "e24-01",
    rep("EPOCH {e}/6 | Time: 1m 2s", "TRAIN LOSS (MSE): {a:.6f} | VALID LOSS (MSE): {b:.6f} | EPOCH TIME: 12.01s"),
    P(E6, A(), B()),
)
case(
    "e24-02",
    rep(
        "# (train:{e} ): 100%|██████████| 176/176 [00:40<00:00,  4.36it/s, train_loss={a:.2f}]",
        "# (valid:{e} ): 100%|██████████| 20/20 [00:03<00:00,  5.35it/s, train_loss={c:.2f}]",
        "# epoch {e} train loss: {a:.3f} valid loss {b:.3f} mse 1.612",
        "# precisioin=0.0737\trecall=0.0682\tcoverage=0.0398",
        c=lambda e: a(e) - 0.1,
    ),
    P(range(3, 19, 3), A(), B(), "place"),
)
case(
    "e24-03",
    "| Item | Value |\n| --- | ---: |\n| Training steps | 237,507 |\n| Epoch 10 train loss | 0.9685548 |\n| Epoch 10 validation accuracy | 67.0558% |\n| Epoch 10 validation NLL | 1.0007132 |\n| Validation groups | 95,607 |\n",
    P([10], [0.9685548], [1.0007132]),
)
case(
    "e24-04", rep("    Epoch {e} Train loss: {a:.2f}. Validation loss: {b:.2f}. Elapsed time: 35.41s."), P(E6, A(), B())
)
case(
    "e24-05",
    rep(
        "Epoch {e} Training Complete - Average Loss: {a:.4f}",
        "",
        "Evaluating on validation set...",
        "Epoch {e} Validation Loss: {b:.4f}",
        "",
        "Validation loss improved. Saving checkpoint...",
        "Checkpoint saved: assets/checkpoints/checkpoint_epoch_{e}.pt",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "e24-06",
    rep(
        "I0416 23:26:57.302467 27604 run_lib.py:164] step: {x}, training_loss: {a:.5e}",
        "I0416 23:27:03.303871 27604 run_lib.py:183] step: {x}, eval_loss: {b:.5e}",
        x=lambda e: 50 * e - 50,
    ),
    P([50 * e - 50 for e in E6], A(), B(), "step"),
)
case(
    "e24-07",
    "```\n" + rep("Step {x:3d} | loss: {a:.4f} | eval_loss: {b:.4f}  ← เรียนรู้ดี", x=lambda e: 50 * e) + "```\n",
    P(T5, A(), B(), "step"),
)
case("e24-08", rep("epoch {e} | loss: {a:.4f}, acc: 0.5120 loss (val):{b:.4f}, acc (val): 0.4910"), P(E6, A(), B()))
case(
    "e24-09",
    rep("2021-05-01 10:00:00 - INFO - ===>> Epoch {e} | Mean train loss: {a:.3f} | Mean valid loss: {b:.3f}"),
    P(E6, A(), B()),
)
case(
    "e24-10",
    rep("Epoch {e}/6", "  = Training", "  Mean train loss: {a:.5f}", "  = Validation", "  Mean valid loss: {b:.5f}"),
    P(E6, A(), B()),
)
case(
    "e24-11",
    rep("connectors step {s}/600: train {a:.3f}, mean valid loss {b:.4f} (best 0.9500 @ 600), 1.2 min"),
    P(H, A(), B(), "step", says=("taken for",)),
)
case(
    "e24-13",
    rep(
        "Epoch: {e} (time = 12.1), ",
        "Mean train loss: {a:.4g}",
        "Mean valid loss: {b:.4g}, ",
        "Mean test loss: {c:.4g}",
        c=lambda e: b(e) + 0.1,
    ),
    P(E6, A(), B()),
)
case(
    "e24-16",
    rep("INFO:root:📊 Эпоха {e}: Train Loss={a:.6f} | Val Loss={b:.6f} | Acc=0.4910 | Balanced Acc=0.4810 | F1=0.4710"),
    P(E6, A(), B()),
)
case(
    "e24-17", rep("", "=== Эпоха {k} ===", "Train loss = {a:.4f}", "[dev] loss = {b:.4f} mean = 0.5120"), P(K, A(), B())
)
case("e24-18", rep("Epoca {e} finalizată. Loss mediu: {a:.4f}", "Loss mediu pe validare: {b:.4f}"), P(E6, A(), B()))
case(
    "e24-19",
    rep(
        "-----第{e}轮训练开始-----",
        "训练次数：{s}，Loss：{a}",
        "整体测试集上的Loss：{b}",
        "整体测试集上的正确率：0.4910",
    ),
    P(E6, A(), B(), says=("test",)),
)
case("e24-20", rep("========= 第{e}轮平均loss:{a}, 0.8123, [2.6123, 2.4123]"), R("loss"))
case(
    "e24-22",
    rep(
        "At iteration {s}/{s}/{s}, Mean rms=5.341%, delta=8.584%, char train=180.55%, word train=90.7%, skip ratio=0%,  wrote checkpoint."
    ),
    R(),
)
case(
    "e24-23",
    rep(
        "> Epoch {e}/6",
        "> 517/518 [============================>.] - ETA: 0s - loss: {c:.4f}Epoch 0000{e}: val_loss improved from {d:.5f} to {b:.5f}, saving model to ssd300_weights_epoch-0{e}_loss-{c:.4f}_val_loss-{b:.4f}.h5",
        "> 518/518 [==============================] - 537s 1s/step - loss: {a:.4f} - val_loss: {b:.4f}",
        c=lambda e: a(e) + 0.01,
        d=lambda e: b(e) + 0.3,
    ),
    P(E6, A(), B()),
)
case(
    "e24-24",
    rep(
        "[2025-03-03 20:44:45,640][cov.py][INFO] [train] epoch:{e} iter:15360/20000 76.80% lr:0.000288 loss:{c:.6f} 0 ETA:17.0min",
        "[2025-03-03 20:45:45,640][cov.py][INFO] [train] epoch:{e} iter:20000/20000 100.00% lr:0.000288 loss:{a:.6f} 0 ETA:0.0min",
        "[2025-03-03 20:46:45,640][cov.py][INFO] [valid] epoch:{e} iter:500/500 100.00% loss:{b:.6f} 0 ETA:0.0min",
        c=lambda e: a(e) + 0.1,
    ),
    P([20000 * e for e in E6], A(), B(), "step"),
)
case("e24-29", rep("Iteration {s} | Training cost: {a} | Test cost: {b}"), P(H, A(), B(), "step", says=("test",)))
case(
    "e24-30",
    rep("Epoch {e} Train accuracy: 0.5120 Train cost: {a:0.4f} Test accuracy: 0.4910 Test cost: {b:0.4f}"),
    P(E6, A(), B()),
)
case(
    "e24-31",
    "import matplotlib.pyplot as plt\n\ntrain_loss = ["
    + ", ".join(f"{v:.4f}" for v in A())
    + "] # Placeholder value for epoch 6 training loss\nval_loss = ["
    + ", ".join(f"{v:.4f}" for v in B())
    + "] # Placeholder value\n",
    P(K, A(), B()),
)
case("e24-32", rep("Vòng {e}/6: mất mát huấn luyện = {a:.4f}, mất mát kiểm định = {b:.4f}"), P(E6, A(), B()))
case("e24-33", rep("الحقبة {e}: خسارة التدريب {a:.4f}، خسارة التحقق {b:.4f}"), P(E6, A(), B()))
case("e24-34", rep("Εποχή {e}: απώλεια εκπαίδευσης {a:.4f}, απώλεια επικύρωσης {b:.4f}"), P(E6, A(), B()))
case("e24-35", rep("Епоха {e}/6: втрати на навчанні {a:.4f}, втрати на валідації {b:.4f}"), P(E6, A(), B()))
case("e24-36", rep("Epocha {e}: trénovací ztráta {a:.4f}, validační ztráta {b:.4f}"), P(E6, A(), B()))
case(
    "e24-37",
    rep("Epoch {e}: trainingsverlies {a:.4f}, validatieverlies {b:.4f}, nauwkeurigheid 49,10%"),
    P(E6, A(), B()),
)
case("e24-38", rep("Epoch {e}: kerugian pelatihan = {a:.4f}, kerugian validasi = {b:.4f}"), P(E6, A(), B()))
case(
    "e24-39",
    "It achieves the following results on the evaluation set:\n- eval_loss: 1.8440\n- eval_rouge1: 0.4608\n- eval_rouge2: 0.1537\n- eval_gen_len: 291.6\n- eval_runtime: 17.2134\n",
    R("only validation losses"),
)
case(
    "e24-40",
    "The gap between evaluation loss and train loss does not widen, indicating that overfitting did not occur.\n\n- train loss: 1.2\n- eval_loss: 1.5\n",
    P([2], [1.2], [1.5], "place"),
)
case(
    "e24-43",
    rep("  -> Skipping batch {e} due to invalid loss (nan/inf)", "Epoch {e} train_loss {a:.4f} val_loss {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e24-44",
    rep("[[epoch]]", "n = {e}", "train_loss = {a}", "val_loss = {b}", ""),
    P(range(2, 13, 2), A(), B(), "place"),
)
case(
    "e24-45",
    "<training>\n" + rep('  <epoch n="{e}" train_loss="{a:.4f}" val_loss="{b:.4f}"/>') + "</training>\n",
    P(E6, A(), B(), "place"),
)
case("e24-46", rep("{{:epoch {e}, :train-loss {a}, :val-loss {b}, :acc 0.491}}"), P(E6, A(), B()))
case("e24-47", "  epoch train_loss val_loss\n" + rep("{e}     {e}     {a:.4f}   {b:.4f}"), P(E6, A(), B()))
case("e24-48", rep("(epoch = {e}, train_loss = {a}, val_loss = {b})"), P(E6, A(), B()))
case("e24-49", rep("Metrics {{ epoch: {e}, train_loss: {a}, val_loss: {b}, lr: 0.001 }}"), P(E6, A(), B()))
case(
    "e24-50",
    rep('time=2024-05-01T10:00:0{e}Z level=INFO msg="epoch done" epoch={e} train.loss={a} val.loss={b}'),
    P(E6, A(), B()),
)

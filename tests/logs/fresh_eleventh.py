# ruff: noqa: E501, F403, F405
"""Logs of tools in the forms that they are known to print (eleventh round): the right reading was written down before the reader was run."""

from fresh_forms import *

case(
    "e11-01",
    "[ ACTION     ] Start to train ...\n[------------] Epoch      Train log_loss       Test log_loss     Time cost (sec)\n"
    + rep("[   {e}0%      ]     {e}            {a:.6f}            {b:.6f}                0.00")
    + "[ ACTION     ] Start to save model ...\n",
    P(E6, A(), B()),
)
case(
    "e11-02",
    "Iter   TrainDeviance   ValidDeviance   StepSize   Improve\n"
    + rep("     {e}        {a:.4f}          {b:.4f}     0.1000    0.0345"),
    P(E6, A(), B(), "step"),
)
case(
    "e11-03",
    rep(
        "[INFO 22-01-01 10:00:00.1234 UTC gradient_boosted_trees.cc:1234] \tnum-trees:{e} train-loss:{a:.6f} train-accuracy:0.791234 valid-loss:{b:.6f} valid-accuracy:0.771234"
    ),
    P(E6, A(), B(), "place"),
)
case("e11-04", rep("┌ Info: epoch {e}", "│   train_loss = {a:.6f}f0", "└   test_loss = {b:.6f}f0"), P(E6, A(), B()))
case(
    "e11-05",
    rep(
        "Epoch {t}/1000, Time 0.001, Performance {a:.4f}/0, Gradient 0.31234/1e-07, Validation Checks 0/6",
        t=lambda e: 10 * e,
    ),
    R(),
)
case(
    "e11-06",
    rep(
        "***** Iteration #{e} *****",
        "Loss: {a:.6f}",
        "Feature norm: 1.000000",
        "Error norm: 12.123456",
        "Active features: 1234",
        "Line search trials: 1",
        "Line search step: 0.001234",
        "Seconds required for this iteration: 0.012",
        "",
    ),
    TRAINS,
)
case("e11-07", rep("Iteration {e}, loss = {a:.8f}", "Validation score: 0.811111"), TRAINS)
case("e11-08", rep("{k}:\t[0s / 0s],\t\ttrain_loss: {a:.4f},\tval_loss: {b:.4f}"), P(K, A(), B(), "step"))
case(
    "e11-09",
    rep(
        "[2024-01-01 10:00:00] INFO fairseq2 - Train Metrics (step {s}) - NLL Loss: {a:.3f} | Gradient Norm: 1.234 | Elements per Second: 12345 | Wall Time: 10s | Learning Rate: 0.0001",
        "[2024-01-01 10:00:10] INFO fairseq2 - Validation Metrics (step {s}) - NLL Loss: {b:.3f} | Elements per Second: 23456 | Wall Time: 2s",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e11-10",
    rep(
        "[batch={s}/600]:",
        "\t Train time/batch: {s}",
        "\t Train time/sample: 51200",
        "\t Train memory/current_alloc_mem: 1.2345",
        "\t Train loss/train/total: {a:.4f}",
        "\t Train metrics/train/LanguageCrossEntropy: {a:.4f}",
        "\t Train metrics/train/LanguagePerplexity: {p:.4f}",
        "[Eval batch=10/10] Eval on eval data:",
        "\t Eval metrics/eval/LanguageCrossEntropy: {b:.4f}",
        "\t Eval metrics/eval/LanguagePerplexity: {q:.4f}",
        p=ex(a),
        q=ex(b),
    ),
    P(H, A(), B(), "step"),
)
case(
    "e11-11",
    rep(
        "[step={s}/600]",
        "    train/CrossEntropyLoss={a:.4f}",
        "    train/Perplexity={p:.3f}",
        "    throughput/device/tokens_per_second=12,345",
        "    eval/c4_en-validation/CrossEntropyLoss={b:.4f}",
        "    eval/c4_en-validation/Perplexity={q:.3f}",
        p=ex(a),
        q=ex(b),
    ),
    P(H, A(), B(), "step"),
)
case(
    "e11-12",
    "".join(
        f"\rtrain: [=========>          ] data=000050/000100 loss={a(e) + 0.1:.5f}±0.01320 acc=48.26±0.21% t=00:00:05 ETA=00:00:05\rtrain: [====================>] data=000100/000100 loss={a(e):.5f}±0.01320 acc=48.26±0.21% t=00:00:10 ETA=00:00:00\n\rval:   [====================>] data=000020/000020 loss={b(e):.5f}±0.01320 acc=47.26±0.21% t=00:00:01 ETA=00:00:00\n"
        for e in E6
    ),
    P([3 * e for e in E6], A(), B(), "place"),
)
case(
    "e11-13",
    rep(
        "2024-01-01 10:00:00,000 - INFO - joeynmt.training - Epoch   1, Step:     {s}, Batch Loss:     {a:.6f}, Batch Acc: 0.123456, Tokens per Sec:     3000, Lr: 0.000300",
        "2024-01-01 10:00:10,000 - INFO - joeynmt.prediction - Evaluation result (greedy): loss:   {b:.2f}, ppl:  {q:.2f}, acc:   0.30, bleu:   3.12, generation: 10.1234[sec], evaluation: 0.1234[sec]",
        q=ex(b),
    ),
    P(H, A(), B(), "step"),
)
case("e11-14", rep("Epoch {e}/200 (lr=0.0005), train loss {a:.5f}, valid loss {b:.5f}"), P(E6, A(), B()))
case(
    "e11-15",
    rep(
        "cellbender:remove-background: [epoch {e:03d}]  average training loss: {a:.4f}  (3.1 seconds per epoch)",
        "cellbender:remove-background: [epoch {e:03d}] average test loss: {b:.4f}",
    ),
    P(E6, A(), B()),
)
case(
    "e11-16",
    rep(
        "Epoch {k} - 300s - train_loss: {a:.4f} - train_r: 0.3123 - train_r2: 0.1234 - valid_loss: {b:.4f} - valid_r: 0.3012 - valid_r2: 0.1123 - best!"
    ),
    P(K, A(), B()),
)
case(
    "e11-17",
    rep("Epoch: {k} | train loss {a:.3f} +/- 0.012 | val loss {b:.3f} +/- 0.034 | 1.23 s/epoch"),
    P(K, A(), B()),
)
case(
    "e11-18",
    rep("iter {t} | L_tr {a:.4f} | L_va {b:.4f}", t=lambda e: 50 * e),
    P([50 * e for e in E6], A(), B(), "step"),
)
case("e11-19", rep("Generation {e}: best train cost = {a:.5f}, best validation cost = {b:.5f}"), R("no loss was found"))
case("e11-20", "     train  validation\n" + rep("{e}  {a:.5f}   {b:.5f}"), R("no loss was found"))

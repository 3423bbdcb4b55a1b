# ruff: noqa: E501, F403, F405
"""Logs in forms that nobody here had seen (twelfth round): the right reading was written down before the reader was run."""

from fresh_forms import *

case(
    "e12-01",
    rep(
        "train epoch {e}, batch 0, cost:output {a:.10f}, elapsed 0:00:01, exp. remaining 1:00:12, complete 0.05%",
        "train epoch {e}, batch 1, cost:output {a:.10f}, elapsed 0:00:03, exp. remaining 0:49:17, complete 0.11%",
        "Learning-rate-control: error key 'dev_score' from {{'dev_error': 0.99728335186974681, 'dev_score': {b:.16f}}}",
        "epoch {e} score: {a:.11f} elapsed: 3:19:03 dev: score {b:.11f} error 0.99728335187",
    ),
    R("train cost output", "no training and validation loss of one kind"),
)
case(
    "e12-02",
    rep(
        "Epoch [{e}/75], Step [110/200], Loss: {c:.5f}, Disc Loss: 3.86298, Dur Loss: 0.44024, CE Loss: 0.01998, Norm Loss: 0.78650, F0 Loss: 1.53839, S2S Loss: 0.45653",
        "Time elasped: 196.28440475463867",
        "Epoch [{e}/75], Step [200/200], Loss: {a:.5f}, Disc Loss: 3.88001, Dur Loss: 0.55192, CE Loss: 0.02498, Norm Loss: 0.78889, F0 Loss: 1.59587, S2S Loss: 0.37315",
        "Time elasped: 218.4282636642456",
        "Epochs: {e}",
        "Validation loss: {b:.3f}, Dur loss: 0.512, F0 loss: 1.312",
        "",
        "",
        c=lambda e: a(e) + 0.1,
    ),
    P([200 * e for e in E6], A(), B(), "step"),
)
case(
    "e12-03",
    rep(
        '{{"lr": 0.0019819639278557113, "data_time": 0.18926841259002686, "loss": {a:.16f}, "loss_rpn_cls": 0.25614564910531046, "loss_cls": 1.6368599915504456, "acc": 74.853515625, "time": 1.5132676649093628, "epoch": {e}, "iter": 50, "memory": 4933, "step": {s}}}',
        '{{"coco/bbox_mAP": 0.017, "coco/bbox_mAP_50": 0.037, "data_time": 0.05, "time": 0.4, "step": {e}}}',
    ),
    TRAINS,
)
case(
    "e12-04",
    "For example\n| epoch | train loss | val loss |\n| :------| ------: | :------: |\n"
    + rep("| {t} | {a:.2f} | {b:.2f} |", t=lambda e: 5 * e),
    P([5 * e for e in E6], A(), B()),
)
case(
    "e12-05",
    "13443137 parameters >= 53772548 bytes = 51.3 MiB\n"
    + rep(
        "step {t}: train loss {a:.6f}, val loss {b:.6f}, mem 714.0 MiB @ 00 00:0{e}:01.811, mean 00 00:00:00.122",
        t=lambda e: 500 * e - 500,
    ),
    P([500 * e - 500 for e in E6], A(), B(), "step"),
)
case(
    "e12-06",
    "".join(
        f"\rEpoch {e}:  10%|█         | 8/79 [00:03<00:29,  2.41it/s, loss={a(e):.3g}, v_num=1]\rEpoch {e}: 100%|██████████| 79/79 [00:30<00:00,  2.41it/s, loss={a(e):.3g}, v_num=1]"
        for e in E6
    ),
    TRAINS,
)
case(
    "e12-07",
    rep(
        "I0601 14:40:08.950882  1602 Train.cpp:345] epoch:        1 | nupdates:        6{e}000 | lr: 0.084238 | lrcriterion: 0.000000 | runtime: 00:20:49 | bch(ms): 624.90 | loss:   {a:.5f} | train-TER: 69.47 | train-WER: 86.83 | dev-clean-loss:   {b:.5f} | dev-clean-TER: 67.36 | avg-isz: 1264 | hrs:   28.10 | thrpt(sec/sec): 80.94",
        "Memory Manager Stats",
        "MemoryManager type: CachingMemoryManager",
        "Number of allocated blocks:333",
        "Size of free block pool (small):86",
    ),
    P(E6, A(), B(), "place"),
)

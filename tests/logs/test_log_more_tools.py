# ruff: noqa: E501
"""Logs in the forms of further tools, rebuilt from their source with values that are known: read, or refused for what they are.

Training is 2 / e + 0.5 and validation 1.5 / e + 0.7 at epoch (or print) e of six, unless a tool's form asks for others.
"""

import json
from math import log as ln

import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs.judge import judge
from diagnose.logs.pairs import all_pairs, pairs
from diagnose.logs.read import read

READ, REFUSED = {}, {}
E = range(1, 7)


def a(e):
    """Training."""
    return 2 / e + 0.5


def b(e):
    """Validation."""
    return 1.5 / e + 0.7


def read_as(name, text, at=E, train=a, val=b, axis="epoch", suffix=""):
    """A log that holds these pairs: places as they are numbered, and the two losses of each of E."""
    READ[name] = (text, list(at), [train(e) for e in E], [val(e) for e in E], axis, suffix)


def refused(name, text, *words, suffix=""):
    """A log that is refused in a line with these words."""
    REFUSED[name] = (text, words, suffix)


def lines(*forms, each=E):
    """Return the lines of each epoch; {e}, {s} (100 e), {a}, {b}, {x} (the logarithm of a) and {k} (e - 1) are filled in."""
    return "".join(
        form.format(e=e, s=100 * e, a=a(e), b=b(e), x=ln(a(e)), k=e - 1) + "\n" for e in each for form in forms
    )


H = [100 * e for e in E]
read_as(
    "fairseq-json",
    lines(
        '2024-01-01 10:00:00 | INFO | train_inner | {{"epoch": {e}, "update": {k}.5, "loss": "9.123", "ppl": "557.4", "wps": "12345.6", "ups": "3.2", "wpb": "3456.1", "bsz": "128", "num_updates": "{s}", "lr": "1e-05", "gnorm": "2.312", "train_wall": "30", "wall": "40"}}',
        '2024-01-01 10:00:01 | INFO | valid | {{"epoch": {e}, "valid_loss": "{b:.3f}", "valid_ppl": "7.1", "valid_wps": "51234.1", "valid_wpb": "2034.1", "valid_bsz": "90.1", "valid_num_updates": "{s}", "valid_best_loss": "0.9"}}',
        '2024-01-01 10:00:02 | INFO | train | {{"epoch": {e}, "train_loss": "{a:.3f}", "train_ppl": "6.2", "train_wps": "12345", "train_ups": "3.1", "train_wpb": "3456", "train_bsz": "128", "train_num_updates": "{s}", "train_lr": "1e-05", "train_gnorm": "2.3", "train_wall": "33", "train_wall_total": "44"}}',
    ),
    at=None or E,
)
read_as(
    "opennmt-py",
    lines(
        "[2024-01-01 10:00:00,123 INFO] Step {s}/ 1000; acc: 20.1; ppl: {a:.4f}; xent: {x:.4f}; lr: 0.00012; sents:    3200; bsz: 1200/1100/64; 5000/4800 tok/s;     30 sec;",
        "[2024-01-01 10:00:02,456 INFO] valid stats calculation\n                           took: 2.31 s.",
        "[2024-01-01 10:00:02,456 INFO] Train perplexity: {a:.4f}",
        "[2024-01-01 10:00:02,456 INFO] Train accuracy: 20.1",
        "[2024-01-01 10:00:02,456 INFO] Sentences processed: 3200",
        "[2024-01-01 10:00:02,456 INFO] Average bsz: 1200/1100/64",
        "[2024-01-01 10:00:02,456 INFO] Validation perplexity: {b:.4f}",
        "[2024-01-01 10:00:02,456 INFO] Validation accuracy: 25.3",
    ),
    at=H,
    axis="step",
    train=lambda e: ln(a(e)),
    val=lambda e: ln(b(e)),
)
read_as(
    "sockeye",
    lines(
        "[2024-01-01:10:00:00:INFO:sockeye.training:__call__] Epoch[{k}] Batch [{s}]\tSpeed: 1234.56 samples/sec 34567.89 tokens/sec 12.34 updates/sec\tperplexity=99.1",
        "[2024-01-01:10:00:00:INFO:sockeye.training:_create_checkpoint] Checkpoint [{e}]\tUpdates={s} Epoch={k} Samples=64000 Time-cost=30.112 Updates/sec=33.211",
        "[2024-01-01:10:00:00:INFO:sockeye.training:_create_checkpoint] Checkpoint [{e}]\tTrain-perplexity={a:.6f}",
        "[2024-01-01:10:00:00:INFO:sockeye.training:_create_checkpoint] Checkpoint [{e}]\tValidation-perplexity={b:.6f}",
    ),
    at=H,
    axis="step",
    train=lambda e: ln(a(e)),
    val=lambda e: ln(b(e)),
)
read_as(
    "icefall",
    lines(
        "2024-01-01 10:00:00,123 INFO [train.py:904] Epoch {e}, batch 0, loss[loss={a:.4f}, simple_loss=2.935, pruned_loss=7.1, over 3270.00 frames. ], tot_loss[loss={a:.4f}, simple_loss=1.935, pruned_loss=2.1, over 3270.00 frames. ], batch size: 12, lr: 2.25e-02",
        "2024-01-01 10:00:00,124 INFO [train.py:929] Computing validation loss",
        "2024-01-01 10:00:09,124 INFO [train.py:938] Epoch {e}, validation: loss={b:.4f}, simple_loss=0.2123, pruned_loss=0.1234, over 1639044.00 frames. ",
        "2024-01-01 10:00:09,125 INFO [train.py:939] Maximum memory allocated so far is 12345MB",
    ),
)
read_as(
    "mmcls-v2-json",
    '{"env_info": "sys.platform: linux", "seed": 0, "exp_name": "x.py"}\n'
    + lines(
        '{{"mode": "train", "epoch": {e}, "iter": 50, "lr": 0.001, "memory": 100, "data_time": 0.05, "loss": {a:.5f}, "time": 0.4}}',
        '{{"mode": "val", "epoch": {e}, "iter": 10, "lr": 0.001, "loss": {b:.5f}, "time": 0.2}}',
    ),
    suffix=".json",
)
refused(
    "mmdet-v2-json",
    '{"env_info": "sys.platform: linux", "seed": 0}\n'
    + lines(
        '{{"mode": "train", "epoch": {e}, "iter": 50, "lr": 0.001, "memory": 100, "data_time": 0.05, "loss_cls": 0.5, "loss_bbox": 0.4, "acc": 91.2, "loss": {a:.5f}, "time": 0.4}}',
        '{{"mode": "val", "epoch": {e}, "iter": 100, "lr": 0.001, "bbox_mAP": 0.1, "bbox_mAP_50": 0.2}}',
    ),
    "no validation loss",
    suffix=".json",
)
read_as(
    "detectron2-loss-eval-hook",
    lines(
        '{{"data_time": 0.01, "eta_seconds": 12.3, "iteration": {s}, "loss_box_reg": 0.1, "loss_cls": 0.2, "loss_rpn_cls": 0.1, "lr": 0.001, "rank_data_time": 0.1, "time": 0.3, "total_loss": {a:.6f}, "validation_loss": {b:.6f}}}',
    ),
    at=H,
    axis="step",
    suffix=".json",
)
refused(
    "yolov5-bars",
    lines(
        "      Epoch    GPU_mem   box_loss   obj_loss   cls_loss  Instances       Size\n        {k}/5      1.13G     {a:.4f}    0.05432    0.04123         12        640:   0%|          | 0/8 [00:00<?, ?it/s]\r        {k}/5      1.13G     {a:.4f}    0.05432    0.04123         12        640: 100%|██████████| 8/8 [00:02<00:00,  3.52it/s]",
        "                 Class     Images  Instances          P          R      mAP50   mAP50-95: 100%|██████████| 4/4 [00:01<00:00,  2.51it/s]\n                   all        128        929      0.612      0.534      0.551      0.312",
    ),
    "loss",
)
read_as(
    "paddle-hapi",
    "The loss value printed in the log is the current step, and the metric is the average value of previous steps.\n"
    + lines(
        "Epoch {e}/6",
        "step 10/59 - loss: 3.1234 - acc: 0.1000 - 12ms/step",
        "step 59/59 - loss: {a:.4f} - acc: 0.4123 - 11ms/step",
        "Eval begin...",
        "step  5/10 - loss: 9.1234 - acc: 0.8123 - 6ms/step",
        "step 10/10 - loss: {b:.4f} - acc: 0.8123 - 6ms/step",
        "Eval samples: 640",
    ),
    at=[59 * e for e in E],
    axis="step",
)
read_as(
    "flax-mnist",
    lines(
        "I0101 10:00:00.123456 140123456789 train.py:150] epoch: {e:2d}, train_loss: {a:.4f}, train_accuracy: 93.12, test_loss: {b:.4f}, test_accuracy: 96.21"
    ),
)
read_as(  # the step in brackets is not known for one: prints are paired by their place
    "clu-logging-writer",
    lines(
        "I0101 10:00:00.123456 140123456789 logging_writer.py:48] [{s}] steps_per_second=3.412, train_accuracy=0.1, train_learning_rate=0.1, train_loss={a:.5f}",
        "I0101 10:00:01.123456 140123456789 logging_writer.py:48] [{s}] eval_accuracy=0.2, eval_loss={b:.5f}",
    ),
    at=H,
    axis="step",
)
read_as(
    "ms-swift-jsonl",
    lines(
        '{{"loss": {a:.5f}, "grad_norm": 1.2, "learning_rate": 1e-05, "memory(GiB)": 12.3, "train_speed(iter/s)": 0.31, "token_acc": 0.7, "epoch": {e}.0, "global_step/max_steps": "{s}/600", "percentage": "5.00%", "elapsed_time": "30s", "remaining_time": "9m 3s"}}',
        '{{"eval_loss": {b:.5f}, "eval_runtime": 1.2, "eval_samples_per_second": 12.3, "eval_steps_per_second": 3.1, "epoch": {e}.0, "global_step/max_steps": "{s}/600", "percentage": "5.00%", "elapsed_time": "31s", "remaining_time": "9m 3s"}}',
    ),
    suffix=".jsonl",
)
read_as(
    "torchtitan",
    lines(
        "[rank0]:[titan] 2024-01-01 10:00:00,123 - root - INFO - \x1b[31mstep: {s:2d}  \x1b[32mloss: {a:7.4f}  \x1b[38;2;180;60;0mgrad_norm:  1.2345  \x1b[33mmemory: 10.01GiB(12.34%)  \x1b[34mtps: 12,345  \x1b[36mtflops: 123.45  \x1b[35mmfu: 12.34%\x1b[39m",
        "[rank0]:[titan] 2024-01-01 10:00:05,123 - root - INFO - \x1b[31mvalidate step: {s:2d}  \x1b[32mloss: {b:7.4f}  \x1b[33mmemory: 10.01GiB(12.34%)  \x1b[34mtps: 23,456\x1b[39m",
    ),
    at=H,
    axis="step",
)
refused(
    "stable-baselines3",
    "".join(
        "-----------------------------------------\n| rollout/                |             |\n|    ep_len_mean          | 200         |\n|    ep_rew_mean          | -1.2e+03    |\n"
        f"| time/                   |             |\n|    fps                  | 1234        |\n|    iterations           | {e}           |\n|    total_timesteps      | {2048 * e}        |\n"
        f"| train/                  |             |\n|    approx_kl            | 0.008       |\n|    entropy_loss         | -1.41       |\n|    loss                 | {a(e):.3f}       |\n|    value_loss           | 12.3        |\n-----------------------------------------\n"
        for e in E
    ),
    "loss",
)
read_as(
    "mxnet-module",
    lines(
        "INFO:root:Epoch[{k}] Batch [0-100]\tSpeed: 12345.67 samples/sec\taccuracy=0.512\tcross-entropy=9.123456",
        "INFO:root:Epoch[{k}] Train-accuracy=0.612",
        "INFO:root:Epoch[{k}] Train-cross-entropy={a:.6f}",
        "INFO:root:Epoch[{k}] Time cost=3.412",
        "INFO:root:Epoch[{k}] Validation-accuracy=0.712",
        "INFO:root:Epoch[{k}] Validation-cross-entropy={b:.6f}",
    ),
    at=range(6),
)
read_as(
    "fluxtraining-tables",
    lines(
        "┌───────────────┬───────┬─────────┐\n│         Phase │ Epoch │    Loss │\n├───────────────┼───────┼─────────┤\n│ TrainingPhase │   {e}.0 │ {a:.5f} │\n└───────────────┴───────┴─────────┘",
        "┌─────────────────┬───────┬─────────┐\n│           Phase │ Epoch │    Loss │\n├─────────────────┼───────┼─────────┤\n│ ValidationPhase │   {e}.0 │ {b:.5f} │\n└─────────────────┴───────┴─────────┘",
    ),
)
read_as(
    "flux-model-zoo",
    lines("Epoch: {e}   Train: (loss = {a:.4f}, acc = 80.1234)   Test: (loss = {b:.4f}, acc = 79.1234)"),
)
refused(
    "sentencepiece",
    "".join(
        f"unigram_model_trainer.cc(491) LOG(INFO) EM sub_iter={e % 2} size={90000 - e} obj={12 / e + 9:.4f} num_tokens=123456 num_tokens/piece=1.5\n"
        for e in E
    ),
    "no loss",
)
refused(
    "fasttext",
    "".join(
        f"\rProgress: {10 * e:5.1f}% words/sec/thread:   12345 lr:  0.0{9 - e}0000 avg.loss:  {a(e):.6f} ETA:   0h 0m{9 - e}s"
        for e in E
    )
    + "\n",
    "no validation loss",
)
read_as(
    "deepmd-lcurve",
    "#  step      rmse_val    rmse_trn    rmse_e_val  rmse_e_trn    rmse_f_val  rmse_f_trn         lr\n# If there is no available reference data, rmse_*_{val,trn} will print nan\n"
    + lines("{s:7d}      {b:.2e}    {a:.2e}      1.23e-01    1.34e-01      7.01e-01    6.12e-01    1.0e-03"),
    at=H,
    axis="step",
)
read_as(
    "nequip-metrics-csv",
    "epoch,  wall,   LR,  training_loss_f,  training_loss_e,    training_loss,  training_f_mae,  validation_loss_f,  validation_loss_e,  validation_loss,  validation_f_mae\n"
    + lines(
        "    {e},  12.3,  0.005,            0.9,            0.01,      {a:.6f},      0.123,            0.8,           0.02,      {b:.6f},       0.456"
    ),
    suffix=".csv",
)
read_as(
    "mace-results",
    lines(
        '{{"loss": {a:.6f}, "time": 0.12, "mode": "opt", "epoch": {e}}}',
        '{{"loss": {a:.6f}, "time": 0.12, "mode": "opt", "epoch": {e}}}',
        '{{"loss": {b:.6f}, "mae_e": 0.1, "rmse_f": 0.2, "time": 1.2, "mode": "eval", "epoch": {e}}}',
    ),
)
read_as(
    "matlab-trainnetwork",
    "|======================================================================================================================|\n"
    "|  Epoch  |  Iteration  |  Time Elapsed  |  Mini-batch  |  Validation  |  Mini-batch  |  Validation  |  Base Learning  |\n"
    "|         |             |   (hh:mm:ss)   |   Accuracy   |   Accuracy   |     Loss     |     Loss     |      Rate       |\n"
    "|======================================================================================================================|\n"
    + lines(
        "|       {e} |           {s} |       00:00:01 |       12.50% |       15.23% |       {a:.4f} |       {b:.4f} |          0.0100 |",
    )
    + "|======================================================================================================================|\n",
    at=H,
    axis="step",
)
read_as(
    "chainer-print-report",
    "epoch       main/loss   validation/main/loss  main/accuracy  validation/main/accuracy  elapsed_time\n"
    + lines("\x1b[J{e:<12d}{a:<12.6f}{b:<22.6f}0.941233       0.971212                  11.2034       "),
)
read_as(
    "chainer-log-json",
    json.dumps(
        [
            {
                "main/loss": a(e),
                "main/accuracy": 0.9,
                "validation/main/loss": b(e),
                "validation/main/accuracy": 0.9,
                "epoch": e,
                "iteration": 100 * e,
                "elapsed_time": 11.2 * e,
            }
            for e in E
        ],
        indent=4,
    ),
    at=H,
    axis="step",
    suffix=".json",
)
read_as(
    "speechbrain",
    lines("epoch: {e}, lr: 1.00e-03 - train loss: {a:.3f} - valid loss: {b:.3f}, valid CER: 30.12, valid WER: 60.23"),
)
read_as(
    "coqui-tts",
    lines(
        "\n\x1b[4m\x1b[1m > EPOCH: {k}/1000\x1b[0m\n --> /out/run",
        "\n\x1b[1m > TRAINING (2024-01-01 10:00:00) \x1b[0m",
        "\n\x1b[1m   --> STEP: 24/40 -- GLOBAL_STEP: {s}\x1b[0m\n     | > loss: {a:.5f}  ({a:.5f})\n     | > grad_norm: 1.2  (1.3)\n     | > step_time: 0.5  (0.6)",
        "\n\x1b[1m > EVALUATION \x1b[0m\n",
        "\x1b[1m   --> STEP: 3\x1b[0m\n     | > loss: 7.12345  (7.02345)",
        "\n  \x1b[1m--> EVAL PERFORMANCE\x1b[0m\n     | > avg_loader_time:\x1b[92m 0.0034 \x1b[0m(-0.0012)\n     | > avg_loss:\x1b[92m {b:.5f} \x1b[0m(-0.12345)\n",
    ),
    at=range(6),
)
refused(
    "pyg-accuracies",
    lines("Epoch: {e:03d}, Loss: {a:.4f}, Train: 0.7143, Val: 0.4560, Test: 0.4710"),
    "no validation loss",
)
refused(
    "ogb-accuracies",
    lines("Run: 01, Epoch: {e:02d}, Loss: {a:.4f}, Train: 45.10%, Valid: 44.02% Test: 43.91%"),
    "no validation loss",
)
refused(
    "dgl-accuracies",
    lines("Epoch {e:05d} | Loss {a:.4f} | Train Acc 0.5123 | Val Acc 0.4123 | Time(s) 0.0123"),
    "no validation loss",
)
read_as(
    "tacotron2",
    lines(
        "Train loss {s} {a:.6f} Grad Norm 1.234567 0.54s/it",
        "Validation loss {s}: {b:9f}  ",
    ),
    at=H,
    axis="step",
)
read_as(
    "gluonts",
    lines(
        "INFO:gluonts.trainer:Epoch[{k}] Learning rate is 0.001",
        "INFO:gluonts.trainer:Epoch[{k}] Elapsed time 3.412 seconds",
        "INFO:gluonts.trainer:Epoch[{k}] Evaluation metric 'epoch_loss'={a:.6f}",
        "INFO:gluonts.trainer:Epoch[{k}] Evaluation metric 'validation_epoch_loss'={b:.6f}",
    ),
    at=range(6),
)
refused(
    "chemprop-v1",
    lines(
        "Epoch {k}", "Loss = {a:.4e}, PNorm = 34.1234, GNorm = 1.2345, lr_0 = 1.0000e-04", "Validation rmse = {b:.6f}"
    ),
    "of one kind",
)
read_as(
    "gpt-neox",
    lines(
        " samples/sec: 12.345 | iteration      {s}/    1000 | elapsed time per iteration (ms): 500.1 | learning rate: 1.000E-04 | approx flops per GPU: 10.1TFLOPS | lm_loss: {a:.6E} | loss scale: 4096.0 | number of skipped iterations:   0 | number of nan iterations:   0 |",
        "-----------------------------------------------------------------------------------------------------------\n validation results at iteration {s} | lm_loss value: {b:.6E} | lm_loss_ppl value: 9.123456E+00 | \n-----------------------------------------------------------------------------------------------------------",
    ),
    at=H,
    axis="step",
)
read_as(
    "olmo",
    lines(
        "2024-01-01 10:00:00.123\thost:0\tolmo.train:941\tINFO\t[step={s}/1000,epoch=0]\n    optim/total_grad_norm=1.234\n    train/CrossEntropyLoss={a:.4f}\n    train/Perplexity=31.70\n    throughput/total_tokens=4,194,304\n    throughput/device/tokens_per_second=12,345",
        "2024-01-01 10:00:09.123\thost:0\tolmo.train:1012\tINFO\tRunning evaluation for 'c4'...\n2024-01-01 10:00:10.123\thost:0\tolmo.train:1033\tINFO\t[eval_step=10/10]\n2024-01-01 10:00:10.123\thost:0\tolmo.train:1040\tINFO\t\n    eval/c4-validation/CrossEntropyLoss={b:.4f}\n    eval/c4-validation/Perplexity=27.11",
    ),
    at=H,
    axis="step",
)
refused(
    "mingpt",
    lines("iter_dt 12.34ms; iter {s}: train loss {a:.5f}"),
    "no validation loss",
)
refused(
    "vowpal-wabbit",
    "Num weight bits = 18\nlearning rate = 0.5\ninitial_t = 0\npower_t = 0.5\naverage  since         example        example        current        current  current\nloss     last          counter         weight          label        predict features\n"
    + "".join(
        f"{a(e):.6f} {b(e):.6f}            {2**e}            {2**e}.0         1.0000         0.4514      {50 + e}\n"
        for e in E
    )
    + "\nfinished run\nnumber of examples = 64\nweighted example sum = 64.000000\naverage loss = 0.832100\n",
    "validation loss",
)
refused(
    "liblinear",
    "".join(f"iter {e:2d} act 2.345e+01 pre 2.2e+01 delta 1.2e+00 f 4.5e+0{e} |g| 3.4e+01 CG   3\n" for e in E),
    "no loss",
)
read_as(
    "h2o-scoring-history",
    "     timestamp            duration    training_speed    epochs    iterations    samples    training_rmse    training_deviance    validation_rmse    validation_deviance\n---  -------------------  ----------  ----------------  --------  ------------  ---------  ---------------  -------------------  -----------------  ---------------------\n"
    + lines(
        "     2024-01-01 10:00:0{e}  0.{e} sec     1234 obs/sec      {e}         {e}             {s}        {a:.4f}           1.2345               {b:.4f}             2.3456"
    ),
    axis="step",
)
read_as(
    "deep-text-recognition",
    lines(
        "[{s}/300000] Train loss: {a:.5f}, Valid loss: {b:.5f}, Elapsed_time: 12.34567\nCurrent_accuracy : 10.123, Current_norm_ED  : 0.12\nBest_accuracy    : 10.123, Best_norm_ED     : 0.12"
    ),
    at=H,
    axis="step",
)
read_as(
    "joeynmt",
    lines(
        "2024-01-01 10:00:00,123 - INFO - joeynmt.training - Epoch   1, Step:      {s}, Batch Loss:     {a:.6f}, Batch Acc: 0.123456, Tokens per Sec:     1234, Lr: 0.000300",
        "2024-01-01 10:00:05,123 - INFO - joeynmt.prediction - Evaluation result (greedy): bleu:   1.20, loss:   {b:.4f}, ppl:  53.50, acc:   0.20, generation: 3.1[sec], evaluation: 0.1[sec]",
    ),
    at=H,
    axis="step",
)
read_as(
    "nnunet-v2",
    lines(
        "2024-01-01 10:00:00.123456:  ",
        "2024-01-01 10:00:00.123456: Epoch {k} ",
        "2024-01-01 10:00:00.123456: Current learning rate: 0.01 ",
        "2024-01-01 10:01:00.123456: train_loss {a:.4f} ",
        "2024-01-01 10:01:00.123456: val_loss {b:.4f} ",
        "2024-01-01 10:01:00.123456: Pseudo dice [0.5123, 0.6123] ",
        "2024-01-01 10:01:00.123456: Epoch time: 12.31 s ",
    ),
    at=range(6),
)
read_as(
    "nnunet-v1",
    lines(
        "2024-01-01 10:00:00.123456: \nepoch:  {k}",
        "2024-01-01 10:01:00.123456: train loss : {a:.4f}",
        "2024-01-01 10:01:00.123456: validation loss: {b:.4f}",
        "2024-01-01 10:01:00.123456: Average global foreground Dice: [0.51, 0.61]",
        "2024-01-01 10:01:00.123456: lr: 0.0099",
        "2024-01-01 10:01:00.123456: This epoch took 62.123456 s\n",
    ),
    at=range(6),
)
read_as(
    "open-clip",
    lines(
        "2024-01-01,10:00:00 | INFO | Train Epoch: {k} [  1280/100000 (1%)] Data (t): 0.123 Batch (t): 0.512, 250.123/s, 250.123/s/gpu LR: 0.000100 Logit Scale: 14.286 Contrastive_loss: 9.8512 (9.8512) Loss: 9.8512 (9.8512)",
        "2024-01-01,10:00:30 | INFO | Train Epoch: {k} [100000/100000 (100%)] Data (t): 0.123 Batch (t): 0.512, 250.123/s, 250.123/s/gpu LR: 0.000100 Logit Scale: 14.286 Contrastive_loss: {a:.4f} ({a:.4f}) Loss: {a:.4f} ({a:.4f})",
        "2024-01-01,10:00:40 | INFO | Eval Epoch: {e} image_to_text_mean_rank: 12.3456\timage_to_text_R@1: 0.1234\tclip_val_loss: {b:.4f}\tepoch: {e}.0000\tnum_samples: 1000.0000",
    ),
    at=range(6),
)
read_as(
    "detr-log-txt",
    lines(
        '{{"train_lr": 0.0001, "train_class_error": 50.1, "train_loss": {a:.6f}, "train_loss_ce": 0.5, "train_loss_bbox": 0.4, "test_class_error": 40.2, "test_loss": {b:.6f}, "test_loss_ce": 0.4, "test_loss_bbox": 0.3, "test_coco_eval_bbox": [0.1, 0.2], "epoch": {k}, "n_parameters": 41302368}}'
    ),
    at=range(6),
)


def written(tmp_path, text, suffix):
    path = tmp_path / f"log{suffix or '.txt'}"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", READ)
def test_a_log_of_a_further_tool_is_read(name, tmp_path):
    text, at, train, val, axis, suffix = READ[name]
    path = written(tmp_path, text, suffix)
    log = read([path])
    assert len(all_pairs(log, {})) == 1
    found = pairs(log, {})
    assert (found.axis, found.at_N.tolist()) == (axis, pytest.approx(at))
    assert found.val_N.tolist() == pytest.approx(val, rel=6e-3)
    assert found.train_N.tolist() == pytest.approx(train, rel=6e-3)
    assert not [one.rule for one in judge([path]).findings if one.severity == "error"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_log_without_the_two_losses_is_refused(name, tmp_path):
    text, words, suffix = REFUSED[name]
    with pytest.raises(DiagnoseError) as told:
        judge([written(tmp_path, text, suffix)])
    assert all(word in str(told.value) for word in words), str(told.value)

# ruff: noqa: E501, F403, F405
"""Logs in forms that nobody here had seen (fourteenth round): the right reading was written down before the reader was run."""

from fresh_forms import *

case(
    "e14-01",  # texar's VAE
    "".join(
        f"train: epoch {e}, step 0, nll {a(e) * 20 + 9:.4f}, klw: 0.1001, KL 0.0120,  rc 220.7741, log_ppl {a(e) + 0.1:.4f}, ppl {math.exp(a(e) + 0.1):.4f}, time elapsed: 2.7s\n"
        f"train: epoch {e}, step 200, nll {a(e) * 20 + 3:.4f}, klw: 0.1153, KL 0.2740,  rc 150.3278, log_ppl {a(e) + 0.05:.4f}, ppl {math.exp(a(e) + 0.05):.4f}, time elapsed: 19.7s\n\n"
        f"train: epoch {e}, nll {a(e) * 20:.4f}, KL 0.2740, rc 150.1, log_ppl {a(e):.4f}, ppl {math.exp(a(e)):.4f}\n\n\n"
        f"valid: epoch {e}, nll {b(e) * 20:.4f}, KL 0.2740, rc 150.1, log_ppl {b(e):.4f}, ppl {math.exp(b(e)):.4f}\n\n\n"
        f"test: epoch {e}, nll {b(e) * 20 + 1:.4f}, KL 0.2740, rc 150.1, log_ppl {b(e):.4f}, ppl {math.exp(b(e)):.4f}\n\n"
        for e in E6
    ),
    P([200, 401, 602, 803, 1004, 1205], [20 * a(e) for e in E6], [20 * b(e) for e in E6], "step"),
)
case(
    "e14-02",  # ESIM
    "".join(
        f"* Training epoch {e}:\n\rAvg. batch proc. time: 0.0477s, loss: {a(e) + 0.2:.4f}:  50%|████     | 50/100 [07:15<07:15, 20.07it/s]\rAvg. batch proc. time: 0.0477s, loss: {a(e):.4f}: 100%|█████████| 100/100 [14:15<00:00, 20.07it/s]\n-> Training time: 855.3887s, loss = {a(e):.4f}, accuracy: 81.1468%\n* Validation for epoch {e}:\n-> Valid. time: 3.0217s, loss: {b(e):.4f}, accuracy: 85.4095%\n\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "e14-03",  # DySPN's table
    "Epoch ,FinishTime     ,LR    ,RMSE_Train ,RMSE_Val\n"
    + rep("    {k} ,04.29_01:45:54 ,0.001 , {x:.4f} ,{y:.3f}", x=lambda e: 500 * a(e), y=lambda e: 500 * b(e))
    + "    6 ,04.29_09:45:01 ,0.001 ,  731.0956 ,\n",
    P(K, [500 * a(e) for e in E6], [500 * b(e) for e in E6]),
    ".csv",
)
case(
    "e14-04",  # torchaudio's wav2letter
    rep(
        '{{"name": "train", "epoch": {k}, "cumulative loss": {c:.6f}, "dataset length": 2688.0, "iteration": 21.0, "average loss": {a:.6f}, "cer": 0.5}}',
        '{{"name": "validation", "epoch": {k}, "cumulative loss": {d:.6f}, "dataset length": 2688.0, "iteration": 21.0, "cer over target length": 0.69, "average loss": {b:.6f}, "validation time": 12.7}}',
        c=lambda e: 21 * a(e),
        d=lambda e: 21 * b(e),
    ),
    P(K, A(), B()),
)
case(
    "e14-05",  # LLaMA2-Accessory
    rep(
        "[05:19:47.352788] Epoch: [{k}]  [1480/1504]  lr: 0.000012  closs: {c:.4f} ({a:.4f})  grad_norm: 0.2695 (0.3902)  time: 4.3916  data: 0.0002  max mem: 51710",
        "[05:21:23.350951] Epoch: [{k}] Total time: 1:52:15",
        "[05:21:23.351943] Averaged stats: lr: 0.000012  closs: {c:.4f} ({a:.4f})  grad_norm: 0.2695 (0.3900)",
        c=lambda e: a(e) - 0.1,
    ),
    TRAINS,
)
case(
    "e14-06",  # DeepDanbooru
    rep(
        "Epoch[1] Loss={a:.6f}, P=0.625461, R=0.082422, F1=0.145650, Speed = 7.2 samples/s, 99.88 %, ETA = 2021-09-12 16:55:43"
    ),
    TRAINS,
)
case(
    "e14-07",  # fms-hf-tuning: two files of records
    {
        "training_loss.jsonl": rep(
            '{{"data": {{"timestamp": 1708467200.0, "value": {a:.4f}}}, "metadata": {{"name": "training_loss"}}, "epoch": {e}, "step": {s}}}'
        ),
        "validation_loss.jsonl": rep(
            '{{"data": {{"timestamp": 1708467205.0, "value": {b:.4f}}}, "metadata": {{"name": "validation_loss"}}, "epoch": {e}, "step": {s}}}'
        ),
    },
    P(H, A(), B(), "step"),
)
case(
    "e14-08",  # BioNeMo: the last validation loss on each line of training
    "".join(
        f"Training epoch 0, iteration {i}/29 | lr: 3e-05 | consumed_samples: {i + 1} | global_batch_size: 1 | global_step: {i} | reduced_train_loss: {2 / (i + 1) + 0.5:.4g} | train_step_timing in s: 0.03146"
        + (f" | val_loss: {b(i // 5):.4g}" if i >= 5 else "")
        + "\n"
        for i in range(30)
    ),
    P([5, 10, 15, 20, 25], None, B(5), "step"),
)
case(
    "e14-09",  # MindOCR
    rep(
        "2023-02-17 11:43:14,405:INFO:epoch: [{e}/6] step: [10/85], lr: 0.001000, loss: {a:.6f}, per step time: 3096.616 ms, fps: 16.54 img/s",
        "2023-02-17 11:44:14,405:INFO:Performance: {{'f-score': 0.83, 'recall': 0.81, 'precision': 0.85}}, eval time: 11.1",
    ),
    TRAINS,
)
case(
    "e14-10",  # PaddleSpeech
    rep(
        "[INFO 2021/06/19 16:01:34 model.py:61] Train: Rank: 0, epoch: {e}, step: {s}, batch : 100/100, lr: 0.00000100, data time: 0.000s, train time: 3.019s, batch size: 64, train_loss: {a:.6f}",
        "[INFO 2021/06/19 16:05:34 model.py:61] Valid: Rank: 0, epoch: {e}, step: {s}, batch: 10/10, val_loss: {b:.6f}, val_history_loss: {b:.6f}",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e14-11",  # CatBoost's two tables
    {
        "learn_error.tsv": "iter\tLogloss\n" + rep("{k}\t{a:.10f}"),
        "test_error.tsv": "iter\tLogloss\tAUC\n" + rep("{k}\t{b:.10f}\t0.88"),
    },
    P(K, A(), B(), "step"),
)
case(
    "e14-12",  # Trainer's dictionaries, sorted so that validation stands below
    rep("{{'loss': {a:.4f}, 'learning_rate': 1.9e-04, 'epoch': {e}.0}}")
    + rep("{{'eval_loss': {b:.4f}, 'epoch': {e}.0}}"),
    P(E6, A(), B()),
)
case(
    "e14-13",  # wekws
    "".join(
        f"2026-05-09 04:00:57,296 DEBUG TRAIN Batch {e}/{20 * i} loss {a(e) + 0.2 - i / 10:.8f} acc 99.02343750\n"
        for e in range(1, 5)
        for i in range(3)
    ),
    TRAINS,
)
case(
    "e14-14",  # RecBole
    rep(
        "12 Nov 21:12    INFO  epoch {k} training [time: 17.81s, train loss: {a:.4f}]",
        "12 Nov 21:13    INFO  epoch {k} evaluating [time: 1.53s, valid_score: 0.735000]",
        "12 Nov 21:13    INFO  valid result: ",
        "precision@5 : 0.5674    recall@5 : 0.5674    hit@5 : 0.9968    ndcg@5 : 0.5593    mrr@5 : 0.735",
    ),
    TRAINS,
)
case(
    "e14-15",  # NequIP
    "training\n# Epoch batch         loss       loss_f       loss_e        f_mae       f_rmse\n".join(
        f"      {e}    10        {a(e):.3g}        0.101        0.051        0.211        0.301\n"
        "\n  Train      #    Epoch      wal       LR       loss_f       loss_e         loss        f_mae       f_rmse\n"
        f"! Train           {e:9d}   12.345    0.005        0.101        0.051       {a(e):.4g}        0.211        0.301\n"
        f"! Validation      {e:9d}   12.345    0.005        0.102        0.052       {b(e):.4g}        0.212        0.302\n"
        "Wall time: 12.345\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "e14-16",  # MACE
    rep("2022-09-20 10:27:24.751 INFO: Epoch {k}: loss={b:.4f}, RMSE_E_per_atom=10.1 meV, RMSE_F=50.2 meV / A"),
    R("loss"),
)
case(
    "e14-17",  # SchNetPack's log.csv
    "Time,Learning rate,Train loss,Validation loss,MAE_energy\n" + rep("15911{e}00.12,0.0001,{a:.6f},{b:.6f},12.5"),
    P(E6, A(), B(), "place"),
    ".csv",
)
case(
    "e14-18",  # scvi-tools: history's frames, printed below each other
    "      elbo_train\nepoch            \n"
    + rep("{k}     {x:.6f}", x=lambda e: 1000 * a(e))
    + "      elbo_validation\nepoch                 \n"
    + rep("{k}          {y:.6f}", y=lambda e: 1000 * b(e)),
    P(K, [1000 * a(e) for e in E6], [1000 * b(e) for e in E6]),
)
case(
    "e14-19",  # MATLAB's trainnet
    "    Iteration    Epoch    TimeElapsed    LearnRate    TrainingLoss    ValidationLoss\n"
    "    _________    _____    ___________    _________    ____________    ______________\n"
    "            0        0       00:00:02        0.001                            3.1111\n"
    + rep("          {s}        {e}       00:00:05        0.001          {a:.4f}            {b:.4f}")
    + "Training stopped: Max epochs completed\n",
    P(H, A(), B(), "step"),
)
case(
    "e14-20",  # Lux.jl
    rep("Epoch [{e:3d}]: Loss {a:.5f}", "Validation:\tLoss {b:.5f}\tAccuracy 0.51562"),
    P(E6, A(), B()),
)
case(
    "e14-21",  # scikit-learn's histogram boosting
    "Binning 0.001 GB of training data: 0.005 s\nBinning 0.000 GB of validation data: 0.001 s\nFitting gradient boosted rounds:\n"
    + rep("[{e}/100] 1 tree, 31 leaves, max depth = 12, train loss: {a:.5f}, val loss: {b:.5f}, in 0.012s")
    + "Fit 6 trees in 0.110 s, (186 total leaves)\n",
    P(E6, A(), B(), "step"),
)
case(
    "e14-22",  # scikit-learn's gradient boosting
    "      Iter       Train Loss      OOB Improve   Remaining Time \n"
    + rep("         {e}           {a:.4f}           0.0312            1.20s"),
    TRAINS,
)
case(
    "e14-23",  # TabNet
    rep("epoch {k}  | loss: {a:.5f} | train_logloss: {a:.5f} | val_0_logloss: {b:.5f} |  0:00:01s")
    + "\nEarly stopping occurred at epoch 5 with best_epoch = 5 and best_val_0_logloss = 0.95\n",
    P(K, A(), B()),
)
case(
    "e14-24",  # LightGBM's command line
    rep(
        "[LightGBM] [Info] Iteration:{e}, training binary_logloss : {a:.6f}",
        "[LightGBM] [Info] Iteration:{e}, valid_1 binary_logloss : {b:.6f}",
        "[LightGBM] [Info] 0.012345 seconds elapsed, finished iteration {e}",
    ),
    P(E6, A(), B(), "step"),
)
case(
    "e14-25",  # LIBFFM
    "iter   tr_logloss   va_logloss      tr_time\n" + rep("   {e}      {a:.5f}      {b:.5f}          1.2"),
    P(E6, A(), B(), "step"),
)
case(
    "e14-26",  # Darknet
    rep(
        " {e}: {c:.6f}, {a:.6f} avg loss, 0.000839 rate, 3.315456 seconds, 61248 images",
        "Loaded: 0.000047 seconds",
        "Region 16 Avg IOU: 0.535812, Class: 0.996776, Obj: 0.792847, No Obj: 0.005005, .5R: 0.666667, .75R: 0.205128,  count: 39",
        c=lambda e: a(e) + 0.1,
    ),
    TRAINS,
)
case("e14-27", rep("Score at iteration {s} is {a:.6f}"), R())  # DL4J
case("e14-28", rep("Cost after iteration {s}: {a:.6f}"), TRAINS)
case(
    "e14-29",  # W&B's summary at the end of a run
    "wandb: \nwandb: Run history:\nwandb:      epoch ▁▂▄▅▇█\nwandb: train_loss █▄▃▂▁▁\nwandb:   val_loss █▄▃▂▁▁\nwandb: \nwandb: Run summary:\n"
    "wandb:      epoch 5\nwandb: train_loss 0.8333\nwandb:   val_loss 0.95\nwandb: \nwandb: Synced misty-sun-12: https://wandb.ai/someone/project/runs/abc\n",
    P([5], [0.8333], [0.95]),
)
case(
    "e14-30",  # a README's table of models
    "| Model | Params | Train loss | Val loss |\n|:--|--:|--:|--:|\n| tiny | 3M | 2.41 | 2.50 |\n| small | 12M | 2.01 | 2.22 |\n| base | 85M | 1.75 | 2.04 |\n| large | 300M | 1.52 | 1.97 |\n",
    R("runs"),
)
case(
    "e14-31",  # quoted in a mail
    "> Loading datasets\n> Training\n"
    + rep(
        "> Iter {s}: Train loss {a:.3f}, It/sec 0.162, Tokens/sec 235.847",
        "> Iter {s}: Val loss {b:.3f}, Val took 101.933s",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e14-32",  # mpirun's prefix
    rep(
        "[1,0]<stdout>:Epoch {e}/6",
        "[1,0]<stdout>:  - train_loss: {a:.4f}",
        "[1,0]<stdout>:  - val_loss: {b:.4f}",
    ),
    P(E6, A(), B()),
)
case(
    "e14-33",  # Docker Compose's prefix
    rep("trainer-1  | 2024-05-01T10:00:00.123456Z epoch={e} train.loss={a:.4f} valid.loss={b:.4f} lr=0.001"),
    P(E6, A(), B()),
)
case(
    "e14-34",  # d3rlpy
    rep(
        "2024-05-01 10:00.00 [info     ] BC_20240501: epoch={e} step={S} epoch={e} metrics={{'time_sample_batch': 0.001, 'time_algorithm_update': 0.003, 'loss': {a:.6f}, 'time_step': 0.004, 'validation_action_diff': {b:.6f}}} step={S}"
    ),
    TRAINS,
)
case(
    "e14-35",  # Kaggle's notebooks
    rep("Epoch {e} - avg_train_loss: {a:.4f}  avg_val_loss: {b:.4f}  time: 112s", "Epoch {e} - Score: 0.8123"),
    P(E6, A(), B()),
)
case(
    "e14-36",  # NumPyro's bar
    "".join(
        f"\r {e}0%|███   | {e}000/10000 [00:01<00:02, 3500it/s, init loss: 5.1234, avg. loss [{e}001-{e}500]: {a(e):.4f}]"
        for e in E6
    )
    + "\n",
    R("loss"),
)
case(
    "e14-37",  # Opacus
    rep(
        "Train Epoch: {e} \tLoss: {a:.6f} Acc@1: 55.000000 (ε = 1.23, δ = 1e-05)",
        "Test set:Loss: {b:.6f} Acc@1: 51.000000 ",
    ),
    P(E6, A(), B()),
)
case(
    "e14-39",  # MLX-VLM's dictionaries
    rep(
        "{{'Step': {s}, 'Loss': '{a:.4f}', 'Learning Rate': '1.00e-04', 'Tokens/sec': '302'}}",
        "{{'Step': {s}, 'Val Loss': '{b:.4f}'}}",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e14-40",  # Create ML
    "+-----------+--------------+-------------------+---------------------+\n| Iteration | Elapsed Time | Training Accuracy | Validation Accuracy |\n+-----------+--------------+-------------------+---------------------+\n"
    + rep("| {k}         | 0.12         | 0.8{e}            | 0.7{e}              |"),
    R("no loss"),
)
case(
    "e14-41",  # fms-hf-tuning, with positions within its data
    {
        "training_logs.jsonl": rep(
            '{{"data": {{"epoch": {e}, "step": {s}, "timestamp": "2024-02-20T10:00:00", "value": {a:.4f}}}, "name": "training_loss"}}',
            '{{"data": {{"epoch": {e}, "step": {s}, "timestamp": "2024-02-20T10:00:00", "value": {b:.4f}}}, "name": "validation_loss"}}',
        ),
    },
    P(H, A(), B(), "step"),
)
case(
    "e14-42",  # pandas' frame with a named index
    "       train_loss  val_loss\nepoch                      \n" + rep("{e}        {a:.4f}    {b:.4f}"),
    P(E6, A(), B()),
)
case("e14-43", rep("epoch {e} dloss {a:.4f} gloss 1.2 stoploss 0.95 accuracy 0.5"), TRAINS)

# ruff: noqa: E501, E731, RUF001
"""Logs in the forms of many tools, each made of known values: what is read is what was written.

Sides and positions stand in each where its tool puts them; losses are 1 / e and 2 / e (or 1.3 / e and 1.7 / e) at epoch e.
"""

import pytest

from diagnose.errors import DiagnoseError
from diagnose.logs.pairs import all_pairs, pairs
from diagnose.logs.read import read

V = {}


def v(name, text, *expected):
    V[name] = (text, expected)


E = range(1, 7)
v(
    "vali-word",
    "".join(f"Epoch {e}/6 | Vali loss {2 / e:.4f} | Training loss {1 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v("dev", "".join(f"epoch {e} train loss={1 / e:.4f} dev loss={2 / e:.4f}\n" for e in E), 6, 1, 2, 1 / 6, 2 / 6)
v(
    "heading-dashes",
    "".join(
        f"---- TRAINING ----\nepoch {e}\nloss: {1 / e:.4f} acc: 0.5\n---- VALIDATION ----\nloss: {2 / e:.4f} acc: 0.4\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "heading-brackets",
    "".join(f"[Epoch {e}] Train\n  loss {1 / e:.4f}\n[Epoch {e}] Valid\n  loss {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "keras-old",
    "Train on 100 samples, validate on 10 samples\n"
    + "".join(f"Epoch {e}/6\n - 3s - loss: {1 / e:.4f} - acc: 0.5 - val_loss: {2 / e:.4f} - val_acc: 0.3\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "ignite",
    "".join(
        f"Training Results - Epoch: {e}  Avg accuracy: 0.95 Avg loss: {1 / e:.4f}\nValidation Results - Epoch: {e}  Avg accuracy: 0.9 Avg loss: {2 / e:.4f}\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "ignite-iter",
    "".join(
        "".join(f"Epoch[{e}] Iteration[{i}/30] Loss: {1 / e:.4f}\n" for i in (10, 20, 30))
        + f"Validation Results - Epoch[{e}] Avg loss: {2 / e:.4f}\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "catboost",
    "Learning rate set to 0.5\n"
    + "".join(
        f"{e - 1}:\tlearn: {1 / e:.7f}\ttest: {2 / e:.7f}\tbest: {2 / e:.7f} ({e - 1})\ttotal: {e}.5ms\tremaining: 9.1s\n"
        for e in E
    )
    + "\nbestTest = 0.3333\nbestIteration = 5\n",
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "lightgbm",
    "[LightGBM] [Info] Number of positive: 20, number of negative: 80\n[LightGBM] [Warning] No further splits\nTraining until validation scores don't improve for 10 rounds\n"
    + "".join(f"[{e}]\ttraining's binary_logloss: {1 / e:.6f}\tvalid_1's binary_logloss: {2 / e:.6f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v("xgb-rmse", "".join(f"[{e - 1}]\ttrain-rmse:{1 / e:.5f}\ttest-rmse:{2 / e:.5f}\n" for e in E), 6, 1, 2, 1 / 6, 2 / 6)
v(
    "xgb-v0v1",
    "".join(f"[{e - 1}]\tvalidation_0-logloss:{1 / e:.5f}\tvalidation_1-logloss:{2 / e:.5f}\n" for e in E),
    "refuse",
    "validation 0",
)
v(
    "imagenet",
    "".join(
        "".join(
            f"Epoch: [{e - 1}][{i:4d}/5005]\tTime  0.350 ( 1.2)\tData  0.001 ( 0.9)\tLoss {1 / e:.4e} ({1.2 / e:.4e})\tAcc@1   0.00 (  0.10)\n"
            for i in (0, 10, 20, 5000)
        )
        + "".join(
            f"Test: [{i:3d}/196]\tTime 1.0 (1.0)\tLoss {2.2 / e:.4e} ({2 / e:.4e})\tAcc@1 1.0 (1.2)\n"
            for i in (0, 90, 190)
        )
        + " * Acc@1 1.5 Acc@5 2.5\n"
        for e in E
    ),
    6,
    1.2,
    2,
    1.2 / 6,
    2 / 6,
)
v(
    "timm",
    "".join(
        "".join(
            f"Train: {e - 1} [{i:4d}/312 ({i / 3.12:3.0f}%)]  Loss: {1 / e:.3f} ({1.1 / e:.3f})  Time: 0.5s,  250.1/s  (0.6s,  220.0/s)  LR: 1.0e-04  Data: 0.010 (0.1)\n"
            for i in (0, 50, 311)
        )
        + f"Test: [   0/78]  Time: 1.2 (1.2)  Loss:   1.9 (1.9)  Acc@1: 50.0 (50.0)\nTest: [  78/78]  Time: 0.1 (0.2)  Loss:   1.7 ({2 / e:.4f})  Acc@1: 50.0 (50.0)\n"
        for e in E
    ),
    6,
    1.1,
    2,
    0.183,
    0.3333,
)
v(
    "mmdet-text",
    "".join(
        "".join(
            f"2024-01-01 10:00:00,100 - mmdet - INFO - Epoch [{e}][{i}/7330]\tlr: 2.000e-02, eta: 1 day, 2:00:00, time: 0.3, data_time: 0.1, memory: 3000, loss_cls: {0.6 / e:.4f}, loss_bbox: {0.4 / e:.4f}, loss: {1 / e:.4f}\n"
            for i in (50, 7300)
        )
        + f"2024-01-01 10:00:00,100 - mmdet - INFO - Epoch(val) [{e}][500]\tloss_cls: {1.5 / e:.4f}, loss_bbox: {0.5 / e:.4f}, loss: {2 / e:.4f}\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "mmengine",
    "".join(
        "".join(
            f"01/01 10:00:00 - mmengine - INFO - Epoch(train)  [{e}][ {i}/500]  lr: 1.0e-02  eta: 0:10:00  time: 0.3  data_time: 0.01  memory: 300  loss: {1 / e:.4f}  loss_cls: {0.6 / e:.4f}\n"
            for i in (50, 500)
        )
        + f"01/01 10:00:00 - mmengine - INFO - Epoch(val)  [{e}][20/20]    loss: {2 / e:.4f}  data_time: 0.01  time: 0.1\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "detectron2",
    "".join(
        f"[01/01 10:00:00 d2.utils.events]:  eta: 0:12:34  iter: {e * 20 - 1}  total_loss: {1 / e:.4f}  loss_cls: {0.5 / e:.4f}  loss_box_reg: {0.4 / e:.3f}  validation_loss: {2 / e:.4f}  time: 0.5  lr: 0.001  max_mem: 3000M\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "loss-after-epoch",
    "".join(f"Training loss after epoch {e}: {1 / e:.4f}\nValidation loss after epoch {e}: {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "dual-slash",
    "".join(f"Epoch {e}: train/val loss: {1 / e:.4f}/{2 / e:.4f}, acc 0.5/0.4\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "loss-train-val",
    "".join(f"Epoch {e:02d} | Loss: train {1 / e:.4f}, val {2 / e:.4f} | Acc: train 0.5, val 0.4\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "loss-paren",
    "".join(f"Epoch {e} Loss (train): {1 / e:.4f} Loss (val): {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "arrow",
    "".join(f"Epoch {e} -> train_loss => {1 / e:.4f}, val_loss => {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "yaml",
    "".join(
        f"epoch: {e}\ntrain:\n  loss: {1 / e:.4f}\n  acc: 0.5\nvalid:\n  loss: {2 / e:.4f}\n  acc: 0.4\n" for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "german",
    "".join(f"Epoche {e}: Trainingsverlust: {1 / e:.4f}, Validierungsverlust: {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "spanish",
    "".join(f"Época {e}/6 - Pérdida de entrenamiento: {1 / e:.4f} - Pérdida de validación: {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "russian",
    "".join(f"Эпоха {e}/6 | Потери на обучении: {1 / e:.4f} | Потери на валидации: {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "korean",
    "".join(f"에포크 {e}/6, 훈련 손실: {1 / e:.4f}, 검증 손실: {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "japanese",
    "".join(f"エポック {e}/6 訓練損失: {1 / e:.4f} 検証損失: {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "french",
    "".join(f"Époque {e} : perte d'entraînement = {1 / e:.4f} ; perte de validation = {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "chinese2",
    "".join(f"Epoch [{e}/6], 训练集损失：{1 / e:.4f}，验证集损失：{2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v("spacy-like", "".join(f"| {e} | {e * 100} | {1 / e:.4f} | {2 / e:.4f} |\n" if e else "" for e in E), "refuse", "loss")
v(
    "hf-progress",
    "".join(
        "".join(
            f"{{'loss': {1 / e:.4f}, 'grad_norm': 1.2, 'learning_rate': 1e-05, 'epoch': {e - 1 + i / 2:.2f}}}\n"
            for i in (1, 2)
        )
        + f"{{'eval_loss': {2 / e:.4f}, 'eval_runtime': 1.2, 'eval_samples_per_second': 10.1, 'eval_steps_per_second': 1.2, 'epoch': {e:.2f}}}\n 33%|███▎      | {e * 20}/600 [00:20<00:40,  4.9it/s]\n"
        for e in E
    )
    + "{'train_runtime': 12.1, 'train_samples_per_second': 33.0, 'train_steps_per_second': 4.1, 'train_loss': 0.41, 'epoch': 6.0}\n",
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "allennlp",
    "".join(
        f"2024-01-01 10:00:00 - INFO - allennlp.training.trainer - Epoch {e - 1}/5\n2024-01-01 10:00:00 - INFO - allennlp.training.tensorboard_writer -                       Training |  Validation\n2024-01-01 10:00:00 - INFO - allennlp.training.tensorboard_writer - loss              |     {1 / e:.3f}  |     {2 / e:.3f}\n"
        for e in E
    ),
    6,
    1,
    2,
    0.167,
    0.333,
)
v(
    "flair",
    "".join(
        "".join(
            f"2024-01-01 10:00:00,000 epoch {e} - iter {i}/45 - loss {1 / e:.8f} - time (sec): 3.2 - samples/sec: 120.5 - lr: 0.1\n"
            for i in (4, 44)
        )
        + f"2024-01-01 10:00:00,000 ----------\n2024-01-01 10:00:00,000 EPOCH {e} done: loss {1 / e:.4f} - lr 0.1\n2024-01-01 10:00:00,000 DEV : loss {2 / e:.4f} - f1-score (micro avg)  0.5\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "espnet",
    "".join(
        f"[host] 2024-01-01 10:00:00,000 (trainer:338) INFO: {e}epoch results: [train] iter_time=0.1, loss_ctc={3 / e:.3f}, loss_att={2 / e:.3f}, acc=0.5, loss={1 / e:.3f}, time=3 minutes, [valid] loss_ctc={3 / e:.3f}, loss={2 / e:.3f}, time=2 minutes\n"
        for e in E
    ),
    6,
    1,
    2,
    0.167,
    0.333,
)
v(
    "nemo-bar",
    "".join(
        f"Epoch {e - 1}: 100%|██████████| 50/50 [00:10<00:00,  4.8it/s, v_num=0-0, reduced_train_loss={1 / e:.3f}, global_step={e * 50 - 1}.0, train_step_timing in s=0.2, val_loss={2 / e:.3f}]\n"
        for e in E
    ),
    6,
    1,
    2,
    0.167,
    0.333,
)
v(
    "pl-validation-bars",
    "".join(
        f"\rEpoch {e}:  50%|█████     | 5/10 [00:01<00:01, 4.9it/s, loss={1.5 / e:.3f}, v_num=1]\rEpoch {e}: 100%|██████████| 10/10 [00:02<00:00, 4.9it/s, loss={1 / e:.3f}, v_num=1]\n\rValidating: 0it [00:00, ?it/s]\rValidating: 100%|██| 3/3 [00:00<00:00]\rEpoch {e}: 100%|██████████| 13/13 [00:03<00:00, 4.9it/s, loss={1 / e:.3f}, v_num=1, val_loss={2 / e:.3f}]\n"
        for e in E
    ),
    6,
    1,
    2,
    0.167,
    0.333,
)
v(
    "tf-estimator",
    "".join(
        f"INFO:tensorflow:loss = {1 / e:.5f}, step = {e * 100} (1.5 sec)\nINFO:tensorflow:global_step/sec: 66.1\nINFO:tensorflow:Saving dict for global step {e * 100}: accuracy = 0.5, global_step = {e * 100}, loss = {2 / e:.5f}\n"
        for e in E
    ),
    "any",
)
v(
    "darknet",
    "".join(
        f" {e * 100}: {1 / e:.6f}, {1.1 / e:.6f} avg loss, 0.001 rate, 3.2 seconds, 6400 images, 10 hours left\n"
        for e in E
    ),
    "refuse",
    "",
)
v(
    "caffe",
    "".join(
        f"I0101 10:00:00.000000  1234 solver.cpp:330] Iteration {e * 100}, Testing net (#0)\nI0101 10:00:00.0 1234 solver.cpp:397]     Test net output #0: accuracy = 0.5\nI0101 10:00:00.0 1234 solver.cpp:397]     Test net output #1: loss = {2 / e:.5f} (* 1 = {2 / e:.5f} loss)\nI0101 10:00:00.0 1234 solver.cpp:218] Iteration {e * 100} (50 iter/s, 2s/100 iters), loss = {1 / e:.5f}\nI0101 10:00:00.0 1234 solver.cpp:237]     Train net output #0: loss = {1 / e:.5f} (* 1 = {1 / e:.5f} loss)\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "csv-embedded",
    "starting run\nseed 3\nstep,train_loss,val_loss\n" + "".join(f"{e * 10},{1 / e:.4f},{2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "pandas-print",
    "   epoch  train_loss  val_loss\n" + "".join(f"{e - 1}      {e}      {1 / e:.4f}    {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "rich-table",
    "┏━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━┓\n┃ Epoch ┃ Train Loss ┃ Val Loss ┃\n┡━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━┩\n"
    + "".join(f"│ {e}     │ {1 / e:.4f}     │ {2 / e:.4f}   │\n" for e in E)
    + "└───────┴────────────┴──────────┘\n",
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "single-space-table",
    "Step Training Loss Validation Loss\n" + "".join(f"{e * 10} {1 / e:.4f} {2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "eval-after-steps",
    "".join(
        "".join(f"step {e * 100 + i}: loss {1 / e:.4f}\n" for i in (0, 50)) + "Evaluating...\naccuracy: 0.81\n"
        for e in E
    ),
    "refuse",
    "no validation loss",
)
v(
    "test-heading-mnist",
    "".join(
        f"Epoch {e}\nTrain set: Average loss: {1 / e:.4f}\nTest set: Average loss: {2 / e:.4f}, Accuracy: 900/1000 (90%)\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "transformer-xl",
    "".join(
        f"| epoch   1 step {e * 200:>8d} |    200 batches | lr 0.00025 | ms/batch 600.12 | loss {1 / e:.2f} | ppl   90.9\n----\n| Eval  {e} at step {e * 200:>8d} | time: 600.00s | valid loss {2 / e:.2f} | valid ppl 20.1\n"
        for e in E
    ),
    6,
    1,
    2,
    0.17,
    0.33,
)
v(
    "openai-finetune",
    "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n"
    + "".join(f"{e},{1 / e:.5f},0.5,{2 / e if e % 2 else ''},\n" for e in E),
    3,
    1,
    2,
    0.2,
    0.4,
)
v(
    "long-metric",
    "step,metric,value\n"
    + "".join(f"{e},train_loss,{1 / e:.4f}\n{e},val_loss,{2 / e:.4f}\n{e},accuracy,0.5\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "val-split-first",
    "split,epoch,loss,acc\n" + "".join(f"val,{e},{2 / e:.4f},0.5\ntrain,{e},{1 / e:.4f},0.5\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "phase-jsonl",
    "".join(
        f'{{"phase": "train", "epoch": {e}, "metrics": {{"loss": {1 / e:.4f}, "acc": 0.5}}}}\n{{"phase": "test", "epoch": {e}, "metrics": {{"loss": {2 / e:.4f}, "acc": 0.5}}}}\n'
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "json-epochs",
    '{"config": {"lr": 0.1}, "epochs": ['
    + ",".join(f'{{"epoch": {e}, "train_loss": {1 / e:.4f}, "val_loss": {2 / e:.4f}}}' for e in E)
    + "]}",
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "json-nested",
    '{"train": {"loss": ['
    + ",".join(f"{1 / e:.4f}" for e in E)
    + ']}, "val": {"loss": ['
    + ",".join(f"{2 / e:.4f}" for e in E)
    + "]}}",
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "val-every-2",
    "".join(
        f"Epoch: {e} | train_loss: {1 / e:.4f} | "
        + (f"val_loss: {2 / e:.4f}" if e % 2 == 0 else "val_loss: None")
        + " | lr: 0.001\n"
        for e in E
    ),
    3,
    0.5,
    1,
    1 / 6,
    2 / 6,
)
v(
    "best-printed",
    "".join(
        f"Epoch {e} train loss {1 / e:.4f} valid loss {2 / e:.4f} best valid loss 0.1\nValidation loss decreased ({2 / max(e - 1, 1):.6f} --> {2 / e:.6f}).  Saving model ...\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "early-stopping-pytorch",
    "".join(
        f"[{e:>2}/6] train_loss: {1 / e:.5f} valid_loss: {2 / e:.5f}\nEarlyStopping counter: {e} out of 20\n" for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "d2l",
    "".join(f"epoch {e}, loss {1 / e:.4f}, train acc 0.5, test acc 0.6\n" for e in E),
    "refuse",
    "no validation loss",
)
v(
    "pix2pix",
    "".join(
        f"(epoch: {e}, iters: {i}, time: 0.3, data: 0.1) G_GAN: 1.2 G_L1: {3 / e:.3f} D_real: 0.5 D_fake: 0.6\n"
        for e in E
        for i in (100, 200)
    ),
    "refuse",
    "",
)
v(
    "decimal-comma-text",
    "".join(
        f"Epoch {e}: loss: {1 / e:.4f}".replace(".", ",") + f" val_loss: {2 / e:.4f}\n".replace(".", ",") for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "two-tqdm",
    "".join(
        f"Training: 100%|████| 40/40 [00:10<00:00, 4.0it/s, loss={1 / e:.4f}]\nValidation: 100%|████| 10/10 [00:01<00:00, 9.0it/s, loss={2 / e:.4f}]\n"
        for e in E
    ),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "prodigy-ner",
    "".join(f"Epoch {e}: train_loss={1 / e:.4f}\nval_loss={2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v("t-v", "".join(f"Ep {e} Tr. Loss {1 / e:.4f} Val. Loss {2 / e:.4f}\n" for e in E), 6, 1, 2, 1 / 6, 2 / 6)
v(
    "trainLoss-camel",
    "".join(f"epoch={e}, trainLoss={1 / e:.4f}, valLoss={2 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "loss-val_loss-no-sep",
    "".join(f"{e}/6 loss {1 / e:.4f} val_loss {2 / e:.4f} time 3\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "training-then-val-steps",
    "Training...\n"
    + "".join(
        f"step {e * 100} | loss {1 / e:.4f} | lr 0.1\n"
        + (f"Running validation\nstep {e * 100} | val loss {2 / e:.4f}\n" if e % 2 == 0 else "")
        for e in E
    ),
    3,
    0.5,
    1,
    1 / 6,
    2 / 6,
)
v(
    "axolotl-yaml-settings",
    "learning_rate: 0.0002\nval_set_size: 0.05\nloss_watchdog_threshold: 5.0\neval_steps: 20\n"
    + "".join(f"{{'loss': {1 / e:.4f}, 'epoch': {e}.0}}\n{{'eval_loss': {2 / e:.4f}, 'epoch': {e}.0}}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)
v(
    "yolov5-results",
    "               epoch,      train/box_loss,      train/obj_loss,         val/box_loss,         val/obj_loss\n"
    + "".join(f"{e},{1 / e:.4f},{0.5 / e:.4f},{2 / e:.4f},{0.7 / e:.4f}\n" for e in E),
    6,
    1,
    2,
    1 / 6,
    2 / 6,
)

E = range(1, 8)
a = lambda e: 1.3 / e
b = lambda e: 1.7 / e
W = (7, 1.3, 1.7, 1.3 / 7, 1.7 / 7)
v(
    "a01-md-aligned",
    "## Results\n\n| Epoch | Train Loss | Val Loss | Val Acc |\n|------:|-----------:|---------:|--------:|\n"
    + "".join(f"| {e} | {a(e):.4f} | {b(e):.4f} | {50 + e}% |\n" for e in E),
    *W,
)
v(
    "a02-logger-heading",
    "".join(
        f"[2026-01-02 03:04:05] INFO - Epoch {e} - Train phase\n[2026-01-02 03:04:06] INFO - mean loss: {a(e):.4f}\n[2026-01-02 03:05:05] INFO - Epoch {e} - Validation phase\n[2026-01-02 03:05:06] INFO - mean loss: {b(e):.4f}\n"
        for e in E
    ),
    *W,
)
v(
    "a03-tqdm-postfix-both",
    "".join(
        f"Epoch {e}/7: 100%|██████████| 391/391 [00:12<00:00, 31.1it/s, train_loss={a(e):.4f}, lr=0.001]\nEpoch {e}/7: 100%|██████████| 79/79 [00:01<00:00, 61.1it/s, val_loss={b(e):.4f}]\n"
        for e in E
    ),
    *W,
)
v(
    "a04-stage-csv",
    "stage;epoch;nll\n" + "".join(f"training;{e};{a(e):.4f}\nvalidation;{e};{b(e):.4f}\n".replace(".", ",") for e in E),
    *W,
)
v(
    "a05-colon-nest",
    "".join(
        f"Epoch {e} finished. Train: {{loss: {a(e):.4f}, acc: 0.81}} Valid: {{loss: {b(e):.4f}, acc: 0.72}}\n"
        for e in E
    ),
    *W,
)
v(
    "a06-global-step-words",
    "".join(
        f"Step {e * 500} of 3500 (throughput 1234 tok/s): training loss = {a(e):.4f}\nStep {e * 500} of 3500: held-out loss = {b(e):.4f}\n"
        for e in E
    ),
    *W,
)
v(
    "a07-prev-best",
    "".join(f"epoch={e} loss_train={a(e):.4f} loss_valid={b(e):.4f} (best: {b(e):.4f} @ {e})\n" for e in E),
    *W,
)
v(
    "a08-two-runs",
    "".join(
        f"=== Run {r} (seed={r}) ===\n"
        + "".join(f"[{e}/7] train: loss {a(e) + r:.4f} | valid: loss {b(e) + r:.4f}\n" for e in E)
        for r in (1, 2)
    ),
    "runs",
    2,
)
v(
    "a09-vision",
    "".join(
        f"Train Epoch: {e} [{i}/50000 ({i * 100 // 50000}%)]\tTotal Loss: {a(e):.6f}\tAux Loss: 0.1\n"
        for e in E
        for i in (0,)
    )
    + "",
    "refuse",
    "no validation loss",
)
v(
    "a10-seq2seq",
    "".join(
        f"Epoch: {e:02} | Time: 0m 36s\n\tTrain Loss: {a(e):.3f} | Train PPL: {2.7183 ** a(e):7.3f}\n\t Val. Loss: {b(e):.3f} |  Val. PPL: {2.7183 ** b(e):7.3f}\n"
        for e in E
    ),
    *W,
)
v(
    "a11-json-prefix",
    "".join(
        f'2026-01-01 INFO metrics: {{"step": {e * 10}, "train": {{"loss": {a(e):.4f}}}, "eval": {{"loss": {b(e):.4f}}}}}\n'
        for e in E
    ),
    *W,
)
v(
    "a12-lgb-sk",
    "".join(
        f"[{e * 10}]\ttraining's l2: {a(e):.6f}\tvalid_0's l2: {b(e):.6f}\nEarly stopping, best iteration is:\n"[
            : None if e == 7 else -len("Early stopping, best iteration is:\n")
        ]
        for e in E
    ),
    *W,
)
v(
    "a13-wer-asr",
    "".join(
        f"epoch {e} - train loss {a(e):.4f}, dev loss {b(e):.4f}, dev WER {50 / e:.2f}, test-clean WER 12.1\n"
        for e in E
    ),
    *W,
)
v(
    "a14-italian",
    "".join(f"Epoca {e}/7 - perdita di addestramento: {a(e):.4f} - perdita di validazione: {b(e):.4f}\n" for e in E),
    *W,
)
v(
    "a15-iters-val-batches",
    "".join(
        "".join(f"iter {e * 100 - 50 + i}/700 loss {a(e):.4f}\n" for i in (0, 50))
        + "".join(f"  val iter {j}/20 loss {b(e) + 0.1:.4f}\n" for j in (10,))
        + f"  val iter 20/20 loss {b(e):.4f}\n"
        for e in E
    ),
    *W,
)
v(
    "a16-args-dump",
    "Namespace(epochs=7, loss='ce', val_loss_weight=1.0, train_loss=0.5)\nconfig: {'loss': 'mse', 'val_every': 1}\n"
    + "".join(f"epoch {e}: training loss: {a(e):.4f} validation loss: {b(e):.4f}\n" for e in E),
    *W,
)
v(
    "a17-val-first-then-train",
    "".join(f"E{e:03d} VAL loss {b(e):.4f} acc 0.5\nE{e:03d} TRN loss {a(e):.4f} acc 0.6\n" for e in E),
    *W,
)
v(
    "a18-percent-colored",
    "".join(
        f"\x1b[1mEpoch {e}\x1b[0m \x1b[32mtrain/loss\x1b[0m {a(e):.4f} \x1b[33mval/loss\x1b[0m {b(e):.4f}\n" for e in E
    ),
    *W,
)
v(
    "a19-sections",
    "".join(
        f"Epoch {e}\n-----\n  Training:\n    Loss:      {a(e):.4f}\n    Accuracy:  0.91\n  Validation:\n    Loss:      {b(e):.4f}\n    Accuracy:  0.85\n"
        for e in E
    ),
    *W,
)
v(
    "a20-summary-only-val",
    "".join(f"step {e}: loss {a(e):.4f}\n" for e in E)
    + "Final validation accuracy: 0.91\nbest validation loss 0.3 at step 5\n",
    "refuse",
    "no validation loss",
)

E = range(1, 8)
a = lambda e: 1.3 / e
b = lambda e: 1.7 / e
W = (7, 1.3, 1.7, 1.3 / 7, 1.7 / 7)
v(
    "b01-neg-loss",
    "".join(f"epoch {e} train_loss {-a(e):.4f} val_loss {-b(e):.4f}\n" for e in E),
    7,
    -1.3,
    -1.7,
    -1.3 / 7,
    -1.7 / 7,
)
v(
    "b02-paths",
    "".join(
        f"Saving to runs/train/exp{e}/epoch_{e}.pt\nEpoch {e}: loss/train={a(e):.4f} loss/val={b(e):.4f}\n" for e in E
    ),
    *W,
)
v("b03-ratio-lr", "".join(f"[{e}/7][100/100] Loss_train: {a(e):.4f} Loss_val: {b(e):.4f} lr: 1e-3\n" for e in E), *W)
v(
    "b04-resume",
    "".join(f"epoch {e} train_loss {a(e):.4f} val_loss {b(e):.4f}\n" for e in (1, 2, 3, 4, 3, 4, 5, 6, 7)),
    *W,
)
v(
    "b05-wandb-summary",
    "wandb: Run history:\nwandb: train_loss █▆▄▂▁\nwandb: val_loss █▆▄▂▁\nwandb: Run summary:\nwandb: train_loss 0.2\nwandb: val_loss 0.3\n",
    "any",
)
v(
    "b06-epoch-header-box",
    "".join(
        f"{'=' * 20}\nEPOCH {e}/7\n{'=' * 20}\nTRAIN | loss={a(e):.4f} | f1=0.5\nVALID | loss={b(e):.4f} | f1=0.4\n"
        for e in E
    ),
    *W,
)
v(
    "b07-timestamps-colon",
    "".join(f"03:04:{e:02}.123 [main] Epoch={e} tr_loss={a(e):.4f} va_loss={b(e):.4f}\n" for e in E),
    "any",
)
v(
    "b08-elbo",
    "".join(f"====> Epoch: {e} Average loss: {a(e) * 100:.4f}\n====> Test set loss: {b(e) * 100:.4f}\n" for e in E),
    7,
    130,
    170,
    130 / 7,
    170 / 7,
)
v(
    "b09-gpt2-finetune",
    "".join(f"[{e * 10} | 12.34] loss={a(e):.2f} avg={a(e):.2f}\n" for e in E)
    + "".join(f"[{e * 10} | 12.34] validation loss = {b(e):.2f}\n" for e in E),
    "any",
)
v(
    "b10-tsv-logger",
    "epoch\tphase\tloss\tacc\n" + "".join(f"{e}\ttrain\t{a(e):.4f}\t0.5\n{e}\tval\t{b(e):.4f}\t0.4\n" for e in E),
    *W,
)
v(
    "b11-ultra-csv",
    "epoch,time,train/box_loss,train/cls_loss,metrics/mAP50(B),val/box_loss,val/cls_loss,lr/pg0\n"
    + "".join(f"{e},1.{e},{a(e):.4f},{a(e) / 2:.4f},0.1,{b(e):.4f},{b(e) / 2:.4f},0.1\n" for e in E),
    *W,
)
v(
    "b12-multi-test",
    "".join(f"Epoch {e}: Train loss {a(e):.4f}, Test loss {b(e):.4f}, Test acc {90 + e / 10}\n" for e in E),
    *W,
)
v(
    "b13-per-class",
    "".join(
        f"epoch {e}\ntrain: total {a(e):.4f} (cls {a(e) / 2:.4f})\nval: total {b(e):.4f} (cls {b(e) / 2:.4f})\n"
        for e in E
    ),
    "any",
)
v(
    "b14-nested-hf",
    "".join(f"{{'train_loss': '{a(e):.4f}', 'val_loss': '{b(e):.4f}', 'epoch': '{e}'}}\n" for e in E),
    *W,
)
v(
    "b15-py-logging-json",
    "".join(
        f'{{"ts": "2026-01-01T00:00:0{e}Z", "level": "INFO", "msg": "epoch_end", "fields": {{"epoch": {e}, "train_loss": {a(e):.4f}, "val_loss": {b(e):.4f}}}}}\n'
        for e in E
    ),
    *W,
)
v(
    "b16-grad-accum",
    "".join(
        f"step={s} micro_loss={a(s / 10):.4f}\n" + (f"step={s} eval_loss={b(s / 10):.4f}\n" if s % 10 == 0 else "")
        for s in range(10, 71, 10)
    ),
    "any",
)
v("b17-korean2", "".join(f"[에폭 {e}] 학습 손실 = {a(e):.4f} | 검증 손실 = {b(e):.4f} | 정확도 = 0.9\n" for e in E), *W)
v(
    "b18-portuguese",
    "".join(f"Época {e}: Perda de treino: {a(e):.4f} | Perda de validação: {b(e):.4f}\n" for e in E),
    *W,
)
v("b19-tr-va", "".join(f"Epoch {e} | Tr Loss: {a(e):.4f} | Vl Loss: {b(e):.4f}\n" for e in E), *W)
v(
    "b20-eval-on-train",
    "".join(f"epoch {e} eval train: loss {a(e):.4f}\nepoch {e} eval valid: loss {b(e):.4f}\n" for e in E),
    *W,
)
v(
    "b21-loss-then-sides",
    "".join(f"Epoch {e}\tLoss\tTrain {a(e):.4f}\tVal {b(e):.4f}\tAcc\tTrain 0.9\tVal 0.8\n" for e in E),
    *W,
)
v(
    "b22-batches-bars",
    "".join(
        "".join(f"Epoch {e} batch {k}/10 loss {a(e):.4f}\n" for k in (5, 10))
        + "".join(f"Validation batch {k}/4 loss {b(e):.4f}\n" for k in (2, 4))
        for e in E
    ),
    *W,
)


E = range(1, 8)
a = lambda e: 1.3 / e
b = lambda e: 1.7 / e
W = (7, 1.3, 1.7, 1.3 / 7, 1.7 / 7)
v("c01-val-first-no-position", "".join(f"validation loss: {b(e):.4f}\ntraining loss: {a(e):.4f}\n" for e in E), *W)
v(
    "c02-md-models",
    "# Results\n\n| Model | Train loss | Val loss |\n|---|---|---|\n"
    + "".join(f"| net-{e} | {a(e):.3f} | {b(e):.3f} |\n" for e in E),
    "refuse",
    "table of 7 runs",
)
v(
    "c03-sweep",
    "seed,lr,train_loss,val_loss\n" + "".join(f"{e},0.1,{a(e):.3f},{b(e):.3f}\n" for e in E),
    "refuse",
    "table of 7 runs",
)
v(
    "c04-dataloader",
    "".join(f"{{'train_loss': {a(e):.4f}, 'val_loss/dataloader_idx_0': {b(e):.4f}, 'epoch': {e}}}\n" for e in E),
    *W,
)
v(
    "c05-nmt",
    "".join(
        "".join(f"Epoch {e} Batch {k} Loss {a(e) + 0.1:.4f}\n" for k in (0, 100))
        + f"Epoch {e} Loss {a(e):.4f}\nEpoch {e} Validation Loss {b(e):.4f}\nTime taken for 1 epoch {33} sec\n"
        for e in E
    ),
    *W,
)
v(
    "c06-metrics-block",
    "***** train metrics *****\n  epoch                    =        3.0\n  train_loss               =     1.3000\n  train_runtime            = 0:01:02.33\n***** eval metrics *****\n  epoch                   =        3.0\n  eval_loss               =     1.7000\n  eval_runtime            = 0:00:02.33\n  perplexity              =     5.4739\n",
    1,
    1.3,
    1.7,
    1.3,
    1.7,
)
v(
    "c07-yolo8",
    "".join(
        f"      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size\n        {e}/7      2.1G      {a(e):.3f}      3.2      1.1         20        640: 100%|██████████| 8/8 [00:05<00:00,  1.4it/s]\n                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 2/2\n                   all          4         17      0.6      0.5      0.6      0.4\n"
        for e in E
    ),
    "refuse",
    "no validation loss",
)
v(
    "c08-hf-bar",
    "".join(
        f"{{'loss': {a(e):.4f}, 'epoch': {e}}}\n {e * 10}%|███       | {e * 10}/70 [00:10<00:20,  3.0it/s]\r  0%|          | 0/5 [00:00<?, ?it/s]\r100%|██████████| 5/5 [00:00<00:00, 9.0it/s]\n{{'eval_loss': {b(e):.4f}, 'epoch': {e}}}\n"
        for e in E
    ),
    *W,
)
v(
    "c09-numbered-lines",
    "".join(f"{i}: epoch {e} train_loss {a(e):.4f} val_loss {b(e):.4f}\n" for i, e in enumerate(E)),
    *W,
)
v(
    "c10-loguru-eval",
    "".join(
        f"2026-01-01 10:00:00.{e}00 | INFO     | __main__:train:41 - epoch {e} loss {a(e):.4f}\n2026-01-01 10:00:01.{e}00 | INFO     | __main__:evaluate:77 - epoch {e} loss {b(e):.4f}\n"
        for e in E
    ),
    *W,
)

READ = {name: made for name, made in V.items() if isinstance(made[1][0], (int, float))}
REFUSED = {name: made for name, made in V.items() if made[1][0] == "refuse"}


def written(tmp_path, text):
    path = tmp_path / "log"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", READ)
def test_a_tool_s_form_is_read(name, tmp_path):
    text, (count, *values) = READ[name]
    log = read([written(tmp_path, text)])
    assert len(all_pairs(log, {})) == 1
    found = pairs(log, {})
    got = [found.train_N[0], found.val_N[0], found.train_N[-1], found.val_N[-1]]
    assert len(found.at_N) == count
    assert got == pytest.approx(values, rel=6e-3, abs=3e-4)


@pytest.mark.parametrize("name", REFUSED)
def test_what_lacks_a_side_is_refused(name, tmp_path):
    text, (_, words) = REFUSED[name]
    log = read([written(tmp_path, text)])
    with pytest.raises(DiagnoseError) as error:
        pairs(log, {})
    assert words in str(error.value)


def test_pasted_runs_are_told_apart(tmp_path):
    text, (_, count) = V["a08-two-runs"]
    assert len(all_pairs(read([written(tmp_path, text)]), {})) == count

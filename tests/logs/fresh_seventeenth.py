# ruff: noqa: E501, F403, F405
"""Logs found by pieces of lines, and results as scripts leave them (seventeenth round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")
LN2 = math.log(2)

case(
    "e17-01",
    rep(
        "Epoch: {e} -> Epoch time: 357.96 s. Training loss: {a:.13f} , Training acc: 0.2806076854334227 => Validation loss: {b:.12f}, Validation acc: 0.30094043887147337"
    ),
    P(E6, A(), B()),
)
case(
    "e17-02",
    rep("    epoch {t}th training loss: {a:.16f} test loss: {b:.16f}", t=lambda e: 1000 * e - 1000),
    P([1000 * k for k in K], A(), B()),
)
case(
    "e17-03",
    "params=203.5K\n"
    + rep("epoch {e}/6 ━━━━━━━━━━━━━━━━━━━━ 430/430 · loss {a:.4f} · val/loss {b:.4f} · val/accuracy 0.9541")
    + "✓ 早停于 epoch 6,最佳 val/loss 0.95(epoch 6)\n",
    P(E6, A(), B()),
)
case(
    "e17-04",
    rep(
        "Epoch [{e:4d}/   6]  |  Batch [  90/  90]  |  Loss/train: {a:.6f}, Accuracy/train: 51.2000%",
        "Epoch [{e:4d}/   6]  |  Summary  |  Loss/val: {b:.6f}, Accuracy/val: 50.1000%  |  Loss/test: {c:.6f}, Accuracy/test: 49.1000",
        c=lambda e: b(e) + 0.1,
    ),
    P(E6, A(), B()),
)
case(
    "e17-05",
    rep("epoch: {k}, global_iter: {s}, last_lr: [0.001],loss/train: {a:.6f}, loss/val: {b:.6f}"),
    P(H, A(), B(), "step"),
)
case(
    "e17-06",
    rep(
        " [{e}/6] L2loss/TRAIN: 0.1234, SSIM/TRAIN: -0.5123, Loss/TRAIN:{a:.4f}",
        " [{e}/6] L2loss/VAL: 0.1334, SSIM/VAL: -0.5023, Loss/VAL:{b:.4f}",
    ),
    P(E6, A(), B(), "step"),
)
case(
    "e17-07",
    "## Midtraining\ntimestamp: 2025-10-24 18:02:19\n\n- num_epochs: 1\n- weight_decay: 0.0000\n- init_lr_frac: 0.0200\n- eval_every: 100\n- Training rows: 20,843\n- Number of iterations: 651\n- Training loss: 1.1895\n- Validation loss: 1.0660\n",
    P([2], [1.1895], [1.066], "place"),
)
case(
    "e17-08",
    rep(
        "    Epoch {e}/6",
        "    73216/73216 [==============================] - 16s 225us/step - loss: {a:.4f} - mean_absolute_error: 0.9104 - val_loss: {b:.4f} - val_mean_absolute_error: 0.8737",
    )
    + "\n    91521/91521 [==============================] - 10s 109us/step\n    Training Loss: 0.8200000566827658\n    Training MAE: 0.8746740578409375\n\n    39224/39224 [==============================] - 4s 105us/step\n    Test Loss: 0.9473362067814095\n    Test MAE: 0.8774775451187112\n\n    R-squared value: 0.48304519060143325\n",
    P(E6, A(), B()),
)
case(
    "e17-09",
    "Batch Size: 32\nDataset: Image dataset divided into training, validation, and test sets\n\n###Performance\nTraining Loss: 1.5%\nValidation Loss: 6.8%\nAccuracy: 98%\n",
    R(),
)
case(
    "e17-10",
    "Training completed!\nFinal training loss: 1.0834\n\nValidation Results:\n  Log Loss: 1.1735\n  Accuracy: 0.3978\n",
    P([2], [1.0834], [1.1735], "place"),
)
case(
    "e17-11",
    rep(
        "Epoch {e}",
        "Average (entity) training loss: {c:.4f}",
        "Average (class) training loss: 0.5000",
        "Average training loss: {a:.4f}",
        "Average (entity) validation loss: {d:.4f}",
        "Average (class) validation loss: 0.6000",
        "Average validation loss: {b:.4f}",
        c=lambda e: a(e) - 0.5,
        d=lambda e: b(e) - 0.6,
    ),
    P(E6, A(), B()),
)
case("e17-12", rep("Epoch {e}:   Train MSE: {a:.4f}, Val MSE: {b:.4f}, Spearman: 0.6234"), P(E6, A(), B()))
case(
    "e17-13",
    "            <ul>\n                <li>Train MSE: 0.00959</li>\n                <li>Test MSE: 0.01287</li>\n                <li>Train R2: 0.99967</li>\n            </ul>\n",
    P([2], [0.00959], [0.01287], "place"),
)
case(
    "e17-14",
    'import tensorflow as tf\n\nprint("Duration for train : {:.6f}(s)".format(train_duration))\nprint("<<< Train Finished >>>")\n\n\'\'\'\nGTX 1080Ti\n'
    + rep(
        "Epoch [ {e}/30], train loss = {a:.6f}, train accuracy = 91.14%, valid loss = {b:.6f}, valid accuracy = 95.15%, duration = 7.975482(s)"
    )
    + "Test Accraucy : 95.12%\n'''\n",
    P(E6, A(), B()),
)
case(
    "e17-15",
    "\nLogLoss on training data: 0.5123\nLogLoss on validation data: 0.6123",
    P([2], [0.5123], [0.6123], "place"),
)
case(
    "e17-16",
    rep(
        "Epoch {e}: Loss on validation set. Slave 3 RNN is {b:.4f}. preMaster is {a:.4f}",
        "Epoch {e}: Accuracy on validation set. Slave 3 RNN is 0.61. preMaster is 0.62",
    ),
    R(),
)
case(
    "e17-17",
    rep(
        "[05/01 10:00:00 d2.utils.events]:  eta: 0:12:31  iter: {s}  total_loss: {a:.3f}  loss_cls: 0.512  loss_box_reg: 0.312  validation_loss: {b:.3f}    time: 0.3121  last_time: 0.3012  data_time: 0.0121  lr: 0.00025  max_mem: 3121M",
        "[05/01 10:01:00 detectron2]: Loss on Validation  done 11/50. 0.1212 s / img. ETA=0:00:04",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e17-18",
    "wandb: Run summary:\nwandb:     debug/dead_latents_ratio 0\nwandb:               learning_rate 1e-05\nwandb:              train/aux_loss 0\nwandb:                  train/loss 0.22714\nwandb:            train/total_loss 0.22714\nwandb:                val/aux_loss 0\nwandb:                    val/loss 0.23462\nwandb:              val/total_loss 0.23462\n",
    P([5], [0.22714], [0.23462], "place"),
)
case(
    "e17-19",
    "current_model_file : model1_1_8points_10days_500ms_01_15_114509.pth\nevaluate dataset : valid_dataset1_8points_10days_500ms.csv\nmodel valid Loss = 0.21111100912094116\n",
    VALS,
)
case(
    "e17-20",
    "  Final train loss: 1.200\n  Final train perplexity: 3.320\n  Final validation loss: 1.300\n  Final validation perplexity: 3.669\n",
    P([3], [1.2], [1.3], "place"),
)
case("e17-21", rep("ep={e};loss_tr={a:.4f};loss_te={b:.4f};acc_tr=0.51;acc_te=0.49"), P(E6, A(), B()))
case(
    "e17-22",
    rep(
        "epoch={e} | {{'train': {{'loss': '{a:.4f}', 'acc': '0.5100'}}, 'valid': {{'loss': '{b:.4f}', 'acc': '0.4900'}}}}"
    ),
    P(E6, A(), B()),
)
case(
    "e17-23",
    rep("Epoch {e} took 12.3s (train 10.1s, val 2.2s): train {a:.4f} / val {b:.4f}"),
    P(E6, A(), B(), says=("taken for losses",)),
)
case(
    "e17-24",
    "╔═══════╦════════════╦══════════╗\n║ Epoch ║ Train Loss ║ Val Loss ║\n╠═══════╬════════════╬══════════╣\n"
    + rep("║ {e}     ║ {a:.4f}     ║ {b:.4f}   ║")
    + "╚═══════╩════════════╩══════════╝\n",
    P(E6, A(), B()),
)
case(
    "e17-25", "| Epoch | Train | Val |\n|---|---|---|\n" + rep("| {e}/6 | {a:.4f} | {b:.4f} |"), R("no loss was found")
)
case(
    "e17-26",
    '"epoch", "training loss", "validation loss"\n' + rep('"{e}", "{a:.4f}", "{b:.4f}"'),
    P(E6, A(), B()),
    ".csv",
)
case(
    "e17-27",
    json.dumps([["epoch", "train_loss", "val_loss"], *([e, a(e), b(e)] for e in E6)]),
    P(E6, A(), B()),
    ".json",
)
case(
    "e17-28",
    json.dumps({"train": [{"epoch": e, "loss": a(e)} for e in E6], "val": [{"epoch": e, "loss": b(e)} for e in E6]}),
    P(E6, A(), B()),
    ".json",
)
case(
    "e17-29",
    json.dumps(
        {
            "name": "x",
            "epochs": [
                {"epoch": e, "train": {"loss": a(e), "acc": 0.5}, "val": {"loss": b(e), "acc": 0.4}} for e in E6
            ],
        },
        indent=1,
    ),
    P(E6, A(), B()),
    ".json",
)
case(
    "e17-30",
    json.dumps({"train_loss": {str(k): a(k + 1) for k in K}, "val_loss": {str(k): b(k + 1) for k in K}}),
    P(K, A(), B()),
    ".json",
)
case(
    "e17-31",
    "done\n" + str({"loss": A(), "accuracy": [0.5] * 6, "val_loss": B(), "val_accuracy": [0.4] * 6}) + "\n",
    P(K, A(), B()),
)
case("e17-32", f"train_losses = {A()}\nval_losses = {B()}\n", P(K, A(), B()))
case(
    "e17-33",
    "Train losses: ["
    + ", ".join(f"tensor({a(e):.4f}, grad_fn=<DivBackward0>)" for e in E6)
    + "]\nVal losses: ["
    + ", ".join(f"tensor({b(e):.4f})" for e in E6)
    + "]\n",
    P(K, A(), B()),
)
case("e17-34", rep("Epoch: {e}  TrnErr: {a:.4f}  ValErr: {b:.4f}"), P(E6, A(), B(), says=("errors",)))
case("e17-35", rep("ep:{e} | Ltr:{a:.4f} Lval:{b:.4f}"), R())
case(
    "e17-36",
    rep(
        "[{e}] train: {x:.4f} (bpc {a:.4f}), valid: {y:.4f} (bpc {b:.4f})",
        x=lambda e: a(e) * LN2,
        y=lambda e: b(e) * LN2,
    ),
    P(E6, A(), B(), "step"),
)
case(
    "e17-37",
    rep("2024-05-01 10:00:0{e}\t{e}\t{a:.4f}\t{b:.4f}").join(["time\tepoch\ttrain_nll\tvalid_nll\n", ""]),
    P(E6, A(), B()),
    ".tsv",
)
case(
    "e17-38",
    {"train_log.txt": rep("epoch {e} loss {a:.4f} acc 0.5"), "test_log.txt": rep("epoch {e} loss {b:.4f} acc 0.4")},
    P(E6, A(), B()),
)
case(
    "e17-39",
    rep(
        "Training: epoch {e} loss={a:.4f}",
        "Validating: 100%|████| 10/10 [00:01<00:00, 9.12it/s]",
        "Validation: epoch {e} loss={b:.4f} *",
    ),
    P(E6, A(), B()),
)
case(
    "e17-40",
    rep("\x1b[32m[{e}/6]\x1b[0m train \x1b[1m{a:.4f}\x1b[0m val \x1b[1m{b:.4f}\x1b[0m (loss)"),
    P(E6, A(), B(), "step"),
)

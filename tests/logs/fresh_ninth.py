# ruff: noqa: E501, F403, F405, RUF001
"""Logs in forms that nobody here had seen (ninth round): the right reading was written down before the reader was run."""

from fresh_forms import *

TH = [1000 * e for e in E6]


case(
    "e9-01",
    rep(
        "2020-08-27 08:53:24,322: [worker  0] " + "-" * 70,
        "2020-08-27 08:53:24,322: [worker  0] Epoch: {e}",
        "2020-08-27 08:53:24,322: [worker  0] Learning rate: 0.001",
        "2020-08-27 08:57:20,850: [worker  0] Eval   Loss: {b:.3e}",
        "2020-08-27 08:57:20,850: [worker  0] Eval  Speed: 165.30 [samples/sec]",
    ),
    R("only validation losses"),
)
case(
    "e9-02",
    "The training_progress_scores.csv:\n\nglobal_step | LRAP | train_loss | eval_loss\n-- | -- | -- | --\n"
    + rep("{t} | 0.462933835124969 | {a:.15f} | {b:.14f}", t=lambda e: 60 * e),
    P([60 * e for e in E6], A(), B(), "step"),
)
case(
    "e9-03",
    "INFO:tensorflow:***** Eval results *****\nINFO:tensorflow:  global_step = 9\nINFO:tensorflow:  loss = 0.0\nINFO:tensorflow:  masked_lm_accuracy = 0.0\nINFO:tensorflow:  masked_lm_loss = 0.0\nINFO:tensorflow:  next_sentence_accuracy = 0.0\nINFO:tensorflow:  next_sentence_loss = 0.0\n",
    R("only validation losses"),
)
case(
    "e9-04",
    "***** Eval results *****\n  global_step = 20\n  loss = 0.0979674\n  masked_lm_accuracy = 0.985479\n  masked_lm_loss = 0.0979328\n  next_sentence_accuracy = 1.0\n  next_sentence_loss = 3.45724e-05\n",
    R("only validation losses"),
)
case(
    "e9-05",
    rep(
        "INFO:tensorflow:global_step/sec: 0.051789",
        "I0609 07:53:35.833151 140427424720704 tpu_estimator.py:2350] global_step/sec: 0.051789",
        "INFO:tensorflow:         Loss  = {a:.7f} (58.297 sec)",
        "I0609 07:53:35.956785 140160153200448 basic_session_run_hooks.py:260]    Loss  = {a:.7f} (58.297 sec)",
    ),
    TRAINS,
)
case(
    "e9-06",
    rep(
        "2023/07/22 14:40:14 - mmengine - INFO - Epoch(train)   [{e}][1650/4682]  lr: 6.250000e-05  eta: 2 days, 12:04:59  time: 0.219127  data_time: 0.071461  memory: 2769  loss: {a:.6f}  loss_kpt: {a:.6f}  acc_pose: 0.170747"
    ),
    TRAINS,
)
case(
    "e9-07",
    rep(
        "2021-05-25 00:04:16,073 - mmpose - INFO - Epoch [{e}][50/83]\tlr: 5.000e-04, eta: 4:24:49, time: 1.480, data_time: 0.524, memory: 9832, mse_loss: {a:.4f}, acc_pose: 0.6212, loss: {a:.4f}",
        "2021-05-25 00:05:16,073 - mmpose - INFO - Epoch(val) [{e}][83]\tAP: 0.6121, AP .5: 0.8121",
    ),
    TRAINS,
)
case(
    "e9-08",
    rep(
        "{t} epochs:",
        "Train RMSE: {a:.16f}",
        "Test RMSE: {b:.17f}",
        "",
        "Train RMSSE: 0.48624893704040334",
        "Test RMSSE: 0.4724966713193986",
        "",
        t=lambda e: 20 * 2**e,
    ),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "e9-09",
    rep("> [epoch={k}00] epoch_duration=0.09 | train_loss={a:.16f}   | val_mse={b:.16f}    |"),
    R("no training and validation loss of one kind"),
)
case(
    "e9-10",
    rep(
        "Epoch: {e}                                ",
        "Training loss at step 0: {a:.16f}, accuracy: 0.0576171875         ",
        "Training loss at step 100: {a:.16f}, accuracy: 0.057771891355514526       ",
        "Training accuracy at epoch {e}: 0.057795971632003784       ",
        "Validation accuracy at epoch {e}: 0.04608013108372688",
    ),
    TRAINS,
)
case(
    "e9-11",
    "Epoch-Num\tLearning-Rate\tTrain-Loss\tTrain-acc-B\tTrain-acc\tValid-Loss\tValid-acc-B\tValid-acc\t\n"
    + rep("{k}.000000\t0.009999\t{a:.6f}\t8.452000\t12.631000\t{b:.6f}\t9.543000\t16.759000\t"),
    P(K, A(), B()),
)
case(
    "e9-12",
    rep(
        "**** EPOCH 00{e} ****",
        "----",
        "mean loss: {a:.6f}",
        "accuracy: 0.561843",
        "----",
        "eval mean loss: {b:.6f}",
        "eval accuracy: 0.484906",
        "eval avg class acc: 0.297415",
        "Model saved in file: log6/model.ckpt",
    ),
    P(E6, A(), B()),
)
case(
    "e9-13",
    rep("INFO:PointNetLK-Revisited, 2022-03-11 09:36:30,690, epoch, 008{e}, {a:.6f}, {b:.6f}, 0.002422, 0.000114"),
    R("no loss was found"),
)
case(
    "e9-14",
    rep(
        "[Epoch {k} Batch 200/372] current loss {c:.2f}, ppl {p:.2f}, throughput 63.75 samples/s, lr 29.57",
        "[Epoch {k}] throughput 4221.84 samples/s",
        "[Epoch {k}] time cost 527.67s, valid loss {b:.2f}, valid ppl {q:.2f}，lr 30.00",
        "[Epoch {k}] test loss {d:.2f}, test ppl 1001.03",
        c=a,
        d=lambda e: b(e) - 0.05,
        p=ex(a),
        q=ex(b),
    ),
    P(K, A(), B()),
)
case(
    "e9-15",
    "".join(
        f"INFO flower 2022-01-06 09:21:15,045 | server.py:148 | fit progress: ({e}, {b(e)}, {{'accuracy': 0.14000000059604645}}, 307.9660143000001)\n"
        for e in E6
    )
    + "INFO flower 2022-01-06 09:21:15,045 | app.py:119 | app_fit: losses_distributed []\nINFO flower 2022-01-06 09:21:15,045 | app.py:121 | app_fit: losses_centralized "
    + str([(e, b(e)) for e in E6])
    + "\n",
    R(),
)
case(
    "e9-16",
    rep(
        "2021-04-26 13:47:08 - Epoch: {k}, Step: 500/1000, Avg Loss: {c:.4f}, Avg Regression Loss 1.9874, Avg Classification Loss: 2.3881",
        "2021-04-26 13:47:13 - Epoch: {k}, Step: 1000/1000, Avg Loss: {a:.4f}, Avg Regression Loss 1.8602, Avg Classification Loss: 2.5287",
        "2021-04-26 13:57:08 - Epoch: {k}, Validation Loss: {b:.4f}, Validation Regression Loss 1.9, Validation Classification Loss: 2.2",
        "2021-04-26 13:57:08 - Saved model models/mb1-ssd-Epoch-{k}-Loss-{b:.13f}.pth",
        c=lambda e: a(e) + 0.1,
    ),
    P(TH, A(), B(), "step"),
)
case("e9-17", rep("step 13617{e} - loss = {a:.3f}, (1.035 sec/step)"), TRAINS)
case(
    "e9-18",
    rep(
        "epoch:0, batch:{S}, loss:{a:.11f}, acc:0.0",
        "train_decode: [，，，的的的的的的的] | val_decode: [，，，的的的的的的的] | ground_truth: [职顺带休息网友奥斯摩]",
    ),
    TRAINS,
)
case("e9-19", rep("{e} 154 Loss={a:.3f} Time=0.040", "{e} 155 Loss={a:.3f} Time=0.041"), TRAINS)
case(
    "e9-20",
    rep(
        "step: {s} total_loss: {a:.7f} obj_cls: 2.77258897 frag_cls: 4.15888262 frag_loc: 2.37503433",
        "INFO:tensorflow:global_step/sec: 2.1272",
    ),
    TRAINS,
)
case(
    "e9-21",
    rep(
        "speechbrain.utils.epoch_loop - Going into epoch {e}",
        "100%|█████████████████████| 190/190 [03:08<00:00,  1.01it/s, train_loss={a:.3f}]",
        "100%|█████████████████████| 137/137 [01:43<00:00,  1.33it/s]",
        "speechbrain.nnet.schedulers - Changing lr from 1 to 0.8",
        "speechbrain.utils.train_logger - epoch: {e}, lr: 1.00e+00 - train loss: {a:.2e} - valid loss: {b:.2f}, valid CER: 35.42, valid WER: 1.54e+02",
        "speechbrain.utils.checkpoints - Saved an end-of-epoch checkpoint in results/CRDNN_BPE_960h_LM/2602/save/CKPT+2023-10-21+12-02-55+00",
    ),
    P(E6, A(), B()),
)
case(
    "e9-22",
    rep(
        "INFO:tensorflow:loss = {a:.5f}, step = {x} (46.707 sec)",
        "INFO:tensorflow:global_step/sec: 2.09447",
        "INFO:tensorflow:words_per_sec/features:0: 3275.1",
        "INFO:tensorflow:words_per_sec/labels:0: 3610.39",
        "INFO:tensorflow:Saving dict for global step {x}: global_step = {x}, loss = {b:.5f}",
        x=lambda e: 100 * e + 1,
    ),
    P([100 * e + 1 for e in E6], A(), B(), "step"),
)
case(
    "e9-23",
    rep(
        "Epoch {e}/100",
        "13766/13766 [==============================] - 45s 3ms/step - loss: {a:.4f} - kl_loss: 1026.1659 - recon_loss: 72.1585",
    ),
    TRAINS,
)
case(
    "e9-24",
    rep(
        "I1109 10:34:34.280992  9709 solver.cpp:219] Iteration {s} (0.170469 iter/s, 58.6617s/10 iters), loss = {a:.7f}",
        "I1109 10:34:34.281066  9709 solver.cpp:238]     Train net output #0: loss_x16 = 0.00191901 (* 1 = 0.00191901 loss)",
        "I1109 10:34:34.281071  9709 solver.cpp:238]     Train net output #1: loss_x2 = 0.00421752 (* 1 = 0.00421752 loss)",
        "I1109 10:34:34.281081  9709 sgd_solver.cpp:105] Iteration {s}, lr = 7.8125e-07",
    ),
    TRAINS,
)
case(
    "e9-25",
    rep(
        "I0425 10:12:49.611122  9167 solver.cpp:65] Iteration {s}, loss = {a:.5f}",
        "I0425 10:13:04.672341  9167 solver.cpp:208] Iteration {s}, lr = 0.01",
    )
    + "I0425 10:13:21.206111  9167 solver.cpp:65] Iteration 720, loss = nan\n",
    TRAINS,
)
case(
    "e9-26",
    rep(
        "2023-02-17 14:27:29,405:INFO:epoch: [{e}/90] loss: {a:.6f}, epoch time: 40.559 s, per step time: 207.995 ms, fps: 16.54 img/s"
    ),
    TRAINS,
)
case(
    "e9-27",
    rep(
        "Training Step: {x}  | total loss: {c:.5f} | time: 0.275s",
        "| Adam | epoch: 00{e} | loss: {c:.5f} - acc: 0.2720 -- iter: 00512/55000",
        "Training Step: {y}  | total loss: {a:.5f} | time: 8.900s",
        "| Adam | epoch: 00{e} | loss: {a:.5f} - acc: 0.3264 | val_loss: {b:.5f} - val_acc: 0.5097 -- iter: 55000/55000",
        "--",
        c=lambda e: a(e) + 0.1,
        x=lambda e: 10 * e - 5,
        y=lambda e: 10 * e,
    ),
    P(E6, A(), B()),
)
case(
    "e9-28",
    rep(
        "Training Step: 2082{e}  | total loss: {a:.5f} | time: 122.170s",
        "| Momentum | epoch: 033 | loss: {a:.5f} - acc: 0.8400 -- iter: 1609{e}/20311",
    ),
    TRAINS,
)
case(
    "e9-29",
    rep(
        "epoch:      19{e} | nupdates:      696{e}891 | lr: 0.000015 | lrcriterion: 0.000015 | runtime: 03:50:03 | bch(ms): 392.63 | smp(ms): 0.84 | fwd(ms): 111.54 | crit-fwd(ms): 7.32 | bwd(ms): 191.08 | optim(ms): 68.43 | loss:  {a:.5f} | train-TER: 105.42 | train-WER: 175.16 | dev-clean-loss:  {b:.5f} | dev-clean-TER: 79.23 | dev-clean-WER: 107.50 | dev-other-loss:  {d:.5f} | dev-other-TER: 78.57 | dev-other-WER: 102.88 | avg-isz: 1229 | avg-tsz: 041 | max-tsz: 100 | hrs:  960.47 | thrpt(sec/sec): 250.50",
        d=lambda e: b(e) + 0.3,
    ),
    P([190 + e for e in E6], A(), B()),
)
case(
    "e9-30",
    rep(
        "ep=0{k} tr=['TIMIT_tr'] loss={a:.3f} err=0.731 valid=TIMIT_dev loss={b:.3f} err=0.506 lr_architecture1=0.0016 lr_architecture2=0.0016 lr_architecture3=0.0004 time(s)=355"
    ),
    P(K, A(), B()),
)
case(
    "e9-31",
    rep(
        "------------------------------ Epoch 0{k} / 23 ------------------------------",
        "Training TIMIT_tr chunk = 1 / 2",
        "[========================================] 100% Training | (Batch 1776/1776)) | L:{c:.3f}",
        "Training TIMIT_tr chunk = 2 / 2",
        "[========================================] 100% Training | (Batch 1752/1752)) | L:{c:.3f}",
        "Validating TIMIT_dev chunk = 1 / 1",
        "[========================================] 100% Validating | (Batch 956/956))",
        "",
        "----- Summary epoch 0{k} / 23",
        "Training on ['TIMIT_tr']",
        "Loss = {a:.3f} | err = 0.717",
        "-----",
        "Validating on TIMIT_dev",
        "Loss = {b:.3f} | err = 0.587",
        "-----",
        "Learning rate on architecture1 = 0.08",
        "-----",
        "Elapsed time (s) = 17",
        "",
        c=lambda e: a(e) + 0.1,
    ),
    P(K, A(), B()),
)
case(
    "e9-32",
    rep(
        "2020-02-16 14:53:14,042 INFO [train.py:160] Process 8{e}00/9272(89.516825%) glb avg objf: -{a:.6f} over 47711104.0 frames, cur avg objf: -{a:.6f} over 6400 frames, val avg objf: -{b:.6f} over 18243.0 frames, epoch 5"
    ),
    P(E6, A(), B(), "place"),
)
case(
    "e9-33", rep("7{e}      16{e}.0   -{a:.7f}      -{b:.7f}      -0.0082928") + "Total training time is 3:34:03\n", R()
)
case(
    "e9-34",
    rep(
        "[ time:72.0s total_exs:16032 epochs:0.{e}5 ] {{'exs': 544, 'lr': 1, 'num_updates': {s}, 'loss': 119.9, 'token_acc': 0.2372, 'nll_loss': {a:.3f}, 'ppl': {p:.1f}}}",
        "[ running eval: valid ]",
        "valid:{{'exs': 7801, 'lr': 1, 'num_updates': {s}, 'loss': 118.1, 'token_acc': 0.2372, 'nll_loss': {b:.3f}, 'ppl': {q:.1f}}}",
        p=ex(a),
        q=ex(b),
    ),
    P([0.15 + 0.1 * k for k in K], A(), B()),
)
case(
    "e9-35",
    rep(
        "  global step {x} lr 1e-05 step-time 1.46s wps 0.01K ppl {p:.2f} bleu 0.00",
        "  global step {S} lr 1e-05 step-time 1.46s wps 0.01K ppl {p:.2f} bleu 0.00",
        "# Save eval, global step {S}",
        "  loaded eval model parameters from ../test_out_put/translate.ckpt-{S}, time 0.13s",
        "  eval dev: perplexity {q:.2f}, time 232s, Thu May 16 18:40:55 2019.",
        "  eval test: perplexity {q:.2f}, time 285s, Thu May 16 18:45:41 2019.",
        x=lambda e: 1000 * e - 100,
        p=ex(a),
        q=ex(b),
    ),
    P(TH, A(), B(), "step"),
)
case(
    "e9-36",
    rep(
        "[2020-05-27 10:53:20] Epoch [{k}] Rank [0] Batch [19]     accuracy=0.002344       loss={a:.6f}   lr=0.063898",
        "[2020-05-27 10:55:18] Epoch [{k}] Rank [0] Batch [39]     accuracy=0.003320       loss={a:.6f}   lr=0.127796",
    ),
    TRAINS,
)
case("e9-37", rep("Epoch 00{k} | Loss {a:.4f} | Val Acc 0.1800 | Test Acc 0.1730"), TRAINS)
case(
    "e9-38",
    rep("Epoch: 000{e} train_loss= {a:.4f} train_acc= 0.3000 val_loss= {b:.4f} val_acc= 0.3433 time= 0.5864"),
    P(E6, A(), B()),
)
case("e9-39", rep("traing iter: 19{e}, test accuracy : 0.18052256107330322, loss : {a:.17f}"), R())
case(
    "e9-40",
    rep(
        "[INFO|trainer_tf.py:398] 2021-01-15 10:28:50,371 >> {{'loss': {a:.7f}, 'learning_rate': 4.891304e-05, 'epoch': {e}.0, 'step': {s}}}",
        "[INFO|trainer_tf.py:323] 2021-01-15 10:29:50,371 >> ***** Running Evaluation *****",
        "[INFO|trainer_tf.py:398] 2021-01-15 10:29:50,371 >> {{'eval_loss': {b:.7f}, 'eval_acc': 0.71, 'epoch': {e}.0, 'step': {s}}}",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e9-41",
    rep(
        "Training Step: {e}  | total loss: {a:.5f}",
        "| Adam | epoch: 00{e} | loss: {a:.5f} - Sum: 27310.6855 | val_loss: 0.50179 - val_acc: 281.0000 -- iter: 239/239",
        "--",
    ),
    P(E6, A(), [0.50179] * 6, errors=["log/frozen"]),
)

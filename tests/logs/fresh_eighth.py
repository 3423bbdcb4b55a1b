# ruff: noqa: E501, F403, F405
"""Logs in forms that nobody here had seen (eighth round): the right reading was written down before the reader was run."""

from fresh_forms import *

TH = [1000 * e for e in E6]
BAR = "100% (5115 of 5115) |######| Elapsed Time: 0:33:02 Time:  0:33:02"


def near(most):
    return lambda t: len(t) == 6 and all(abs(x - a(e)) < most for e, x in zip(E6, t, strict=True))


case(
    "e8-01",
    rep(
        " Epoch[ {e} of 50]-Minibatch[   1-  100]: ce = {c:.8f} * 80000; Err = 0.62770000 * 80000; time = 22.3754s; samplesPerSecond = 3575.4",
        " Epoch[ {e} of 50]-Minibatch[ 101-  200]: ce = {c:.8f} * 80000; Err = 0.63480000 * 80000; time = 22.3220s; samplesPerSecond = 3583.9",
        "Finished Epoch[ {e} of 50]: [Training] ce = {a:.8f} * 24937023; Err = 0.71234567 * 24937023; totalSamplesSeen = 24937023; learningRatePerSample = 9.9999997e-06; epochTime=6012.6s",
        "Finished Epoch[ {e} of 50]: [Validate] ce = {b:.8f} * 80000; Err = 0.62345678 * 80000",
        c=lambda e: a(e) + 0.1,
    ),
    P(E6, A(), B()),
)
case(
    "e8-02",
    rep(
        "[Source=ImageClassificationTrainer; ImageClassificationTrainer, Kind=Trace] Phase: Training, Dataset used:      Train, Batch Processed Count: 900, Epoch:  {k}, Accuracy:  0.8027785, Cross-Entropy:  {a:.7f}, Learning Rate: 0.006898697",
        "[Source=ImageClassificationTrainer; ImageClassificationTrainer, Kind=Trace] Phase: Training, Dataset used: Validation, Batch Processed Count: 100, Epoch:  {k}, Accuracy:  0.4733333, Cross-Entropy:   {b:.6f}",
    )
    .replace("0.", "0,")
    .replace("1.", "1,")
    .replace("2.", "2,"),
    P(K, A(), B()),
)
case(
    "e8-03",
    rep(
        "I Training epoch {k}...",
        BAR,
        "I Training of Epoch {k} - loss: {a:.6f}",
        "I Validating epoch {k}...",
        BAR,
        "I Validation of Epoch {k} - loss: {b:.6f}",
    ),
    P(K, A(), B()),
)
case(
    "e8-04",
    rep(
        "Epoch {k} |   Training | Elapsed Time: 0:29:02 | Steps: 3151 | Loss: {a:.6f}",
        "Epoch {k} | Validation | Elapsed Time: 0:00:29 | Steps: 91 | Loss: {c:.6f} | Dataset: /mnt/extracted/data/one/one_dev.csv",
        "Epoch {k} | Validation | Elapsed Time: 0:00:18 | Steps: 74 | Loss: {b:.6f} | Dataset: /mnt/extracted/data/two/dev.csv",
        c=lambda e: b(e) + 1,
    ),
    P(K, A(), None),
)
RULE = "+--------------+----------------+--------------+---------------------+-----------------+--------------+\n"
case(
    "e8-05",
    RULE
    + "| Iteration    | Train Accuracy | Train Loss   | Validation Accuracy | Validation Loss | Elapsed Time |\n"
    + RULE
    + rep("| {e}            | 0.513807       | {a:.6f}      | 0.560108            | {b:.5f}         | 28.94s       |")
    + RULE,
    P(E6, A(), B(), "step"),
)
case(
    "e8-06",
    "".join(
        f"Ep 1 | iter {i} | step {(i + 3) // 4}: loss train (curr): {2 / i + 0.5:.3f}, val (prev val iter): {'None' if i <= 6 else format(b((i - 1) // 6), '.3f')} | iter time: 298.27 ms\n"
        for i in range(1, 25)
    ),
    P([7, 13, 19], [0.78967, 0.65467, 0.60533], [2.2, 1.45, 1.2], "step"),
)
case(
    "e8-07",
    rep(
        "Epoch   {x} Batch  {y:3d}/225 - Loss: {a:.4f} - perplextity: {p:.4f}",
        "Epoch   {x} Batch  {y:3d}/225 - Test Loss: {b:.4f} - Test perplextity: {q:.4f}",
        x=lambda e: (e - 1) // 3,
        y=lambda e: 50 * ((e - 1) % 3 + 1),
        p=ex(a),
        q=ex(b),
    ),
    P([50, 100, 150, 275, 325, 375], A(), B(), "step"),
)
case(
    "e8-08",
    rep(
        "epoch:  {e} ",
        "",
        "1. 2019-06-15 05:40:49.882616: train loss : {a:.4f} ",
        "2. 2019-06-15 05:54:27.642680: val loss (train=False): {b:.4f} ",
        "3. 2019-06-15 05:54:27.662715: This epoch took 5252.216124 s ",
        "4. 2019-06-15 05:54:27.727014: Val glob dc per class: [0.0, 0.03196234005969683, 0.00011461835137353023] ",
        "5. 2019-06-15 05:54:30.702400: lr is now (scheduler) 0.0003 ",
        "6. 2019-06-15 05:54:30.794700: current best_val_eval_criterion_MA is 0.02240 ",
        "7. 2019-06-15 05:54:30.798341: current val_eval_criterion_MA is 0.0158 ",
        "8. 2019-06-15 05:54:30.799108: New best epoch (train loss MA): 0.7683 ",
        "9. 2019-06-15 05:54:30.799764: Patience: 0/60 ",
    ),
    P(E6, A(), B()),
)
case("e8-09", rep("Epoch {e}.00 / 50, i = {s} / 5000, loss = {a:.6f}\t", "val_loss = \t{b:.14f}\t"), P(E6, A(), B()))
case(
    "e8-10",
    rep(
        "{s}/31675 (epoch {e}.00), train_loss = {a:.4f}",
        "evaluating loss over split index 2",
        "saving checkpoint to cv/lm_word-small_epoch{e}.00_{b:.2f}.t7",
    ),
    TRAINS,
)
case(
    "e8-11",
    rep(
        "| epoch 00{e}  1000 / 8223 loss={c:.2f} ({c:.2f}), wps=959, wpb=897, bsz=32, lr=0.001, clip=100%, gnorm=2.7374",
        "| epoch 00{e}  2000 / 8223 loss={c:.2f} ({c:.2f}), wps=960, wpb=900, bsz=32, lr=0.001, clip=100%, gnorm=2.7204",
        "| epoch 00{e} | train loss {a:.2f} | train ppl {p:.2f} | s/checkpoint    7748 | words/s    961 | words/batch    906 | bsz    32 | lr 0.001000 | clip 100% | gnorm 2.6727",
        "| epoch 00{e} | valid on 'valid' subset  1000 / 1311 loss={d:.2f}",
        "| epoch 00{e} | valid on 'valid' subset | valid loss {b:.2f} | valid ppl {q:.2f}",
        c=lambda e: a(e) + 0.2,
        d=lambda e: b(e) - 0.1,
        p=lambda e: 2 ** a(e),
        q=lambda e: 2 ** b(e),
    ),
    P(E6, A(), B()),
)
case(
    "e8-12",
    rep(
        "| epoch 001:    {u} / 9891 loss={c:.3f}, nll_loss={c:.3f}, ppl=1886.05, wps=52922, ups=0.5, wpb=104928, bsz=5325, num_updates={v}, lr=8.90889e-05, gnorm=1.543, clip=0%, oom=0, loss_scale=2.000, wall=882, train_wall=756",
        "| epoch 001:    {w} / 9891 loss={a:.3f}, nll_loss={a:.3f}, ppl=1886.05, wps=52922, ups=0.5, wpb=104928, bsz=5325, num_updates={x}, lr=8.90889e-05, gnorm=1.543, clip=0%, oom=0, loss_scale=2.000, wall=882, train_wall=756",
        "| epoch 001 | valid on 'valid' subset | valid_loss {b:.5f} | valid_nll_loss {b:.4f} | valid_ppl 118.06 | num_updates {y}",
        c=lambda e: a(e) + 0.05,
        u=lambda e: 600 * e - 50,
        v=lambda e: 600 * e - 55,
        w=lambda e: 600 * e,
        x=lambda e: 600 * e - 5,
        y=lambda e: 600 * e,
    ),
    P([600 * e for e in E6], near(0.2), B(), "step"),
)
case(
    "e8-13",
    rep(
        "exp/chain/log/compute_prob_valid.{s}.log:LOG (nnet3-chain-compute-prob[5.1]:PrintTotalStats():nnet-chain-diagnostics.cc:170) Overall log-probability for 'output-xent' is -{b:.6f} per frame, over 18375 frames.",
        "exp/chain/log/compute_prob_train.{s}.log:LOG (nnet3-chain-compute-prob[5.1]:PrintTotalStats():nnet-chain-diagnostics.cc:170) Overall log-probability for 'output-xent' is -{a:.6f} per frame, over 18375 frames.",
    ),
    P([100 * e for e in E6], A(), B(), "step", says=("higher is better",)),
)
case(
    "e8-14",
    rep(
        "Epoch[{k}] Batch [300-320]\tSpeed: 6.27 samples/sec\tLoss={c:.6f}",
        "Epoch[{k}] Batch [320-340]\tSpeed: 6.27 samples/sec\tLoss={c:.6f}",
        "Epoch[{k}] Train-Loss={a:.6f}",
        "Epoch[{k}] Time cost=1851.962",
        'Saved checkpoint to "model/cornernet-000{e}.params"',
        "Epoch[{k}] Validation-Loss={b:.6f}",
        c=lambda e: a(e) + 0.1,
    ),
    P(K, A(), B()),
)
case(
    "e8-15",
    rep(
        "2017-05-09 15:07:21,268 Epoch[{k}] Batch [1000]\tSpeed: 133.53 samples/sec\tTrain-CrossEntropy={c:.6f}",
        "2017-05-09 15:07:21,269 Epoch[{k}] Batch [1000]\tSpeed: 133.53 samples/sec\tTrain-Acc_exclude_padding=0.001401",
        "2017-05-09 15:08:50,952 Epoch[{k}] Train-CrossEntropy={a:.6f}",
        "2017-05-09 15:08:50,952 Epoch[{k}] Train-Acc_exclude_padding=0.100000",
        "2017-05-09 15:08:50,952 Epoch[{k}] Time cost=389.625",
        "2017-05-09 15:09:10,193 Epoch[{k}] Dev-CrossEntropy={b:.6f}",
        "2017-05-09 15:09:10,193 Epoch[{k}] Dev-Acc_exclude_padding=0.100000",
        c=lambda e: a(e) + 0.1,
    ),
    P(K, lambda t: len(t) == 6, B()),
)
case(
    "e8-16",
    rep(
        "Epoch {e}/10, loss={a:.3f}: 100%|██████████| 2432/2432 [00:30<00:00, 79.13samples/s]",
        "[INFO 2017-03-02 18:10:38,332 kur.model.executor:464] Training loss: {a:.3f}",
        "Validating, loss={b:.3f}: 100%|██████████| 320/320 [00:02<00:00, 120.13samples/s]",
        "[INFO 2017-03-02 18:11:38,332 kur.model.executor:175] Validation loss: {b:.3f}",
        'Prediction: "i know wat mammock ind a forto"',
        'Truth: "i know what mamma can afford"',
    ),
    P(E6, A(), B()),
)
case(
    "e8-17",
    rep(
        "I0413 12:50:00.521003 22206 solver.cpp:362] Iteration {s}, Testing net (#0)",
        "I0413 12:50:01.521003 22206 solver.cpp:429]     Test net output #0: loss_bbox = {b:.6f} (* 2 = {d:.6f} loss)",
        "I0413 12:50:01.521003 22206 solver.cpp:429]     Test net output #1: loss_coverage = 0.4 (* 1 = 0.4 loss)",
        "I0413 12:51:00.521003 22206 solver.cpp:242] Iteration {s} (0.268378 iter/s, 149.043s/40 iter), loss = {c:.5f}",
        "I0413 12:51:00.521003 22206 solver.cpp:261]     Train net output #0: loss_bbox = {a:.6f} (* 2 = {g:.6f} loss)",
        "I0413 12:51:00.521003 22206 solver.cpp:261]     Train net output #1: loss_coverage = 0.3 (* 1 = 0.3 loss)",
        "I0413 12:51:00.521014 22206 sgd_solver.cpp:106] Iteration {s}, lr = 1e-05",
        c=lambda e: 2 * a(e) + 0.3,
        d=lambda e: 2 * b(e),
        g=lambda e: 2 * a(e),
    ),
    P(H, A(), B(), "step"),
)
case(
    "e8-18",
    rep(
        "Epoch: [{e}][     222 /      237]\t Time: 0.324  DataTime: 0.226    Err_G: {a:.4f}  Err_D: {b:.4f}\t",
        "Epoch: [{e}][     223 /      237]\t Time: 0.208  DataTime: 0.109    Err_G: {a:.4f}  Err_D: {b:.4f}\t",
    ),
    R(),
)
case(
    "e8-19",
    rep(
        "2023-02-17 11:43:14,405:INFO:epoch: [{e}/10] step: [10/85], lr: 0.001000, loss: {a:.6f}, per step time: 3096.616 ms, fps: 16.54 img/s",
        "2023-02-17 11:43:37,711:INFO:epoch: [{e}/10] step: [20/85], lr: 0.001000, loss: {a:.6f}, per step time: 751.433 ms, fps: 14.97 img/s",
    ),
    TRAINS,
)
case(
    "e8-20",
    rep(
        "[03/09/17 13:10:04 INFO] Epoch {e} ; Iteration 50/100 ; Learning rate 1.0000 ; Source tokens/s 802 ; Perplexity {p:.2f}",
        "[03/09/17 13:19:04 INFO] Epoch {e} ; Iteration 100/100 ; Learning rate 1.0000 ; Source tokens/s 802 ; Perplexity {p:.2f}",
        "[03/09/17 13:24:51 INFO]  Validation perplexity: {q:.2f}",
        "[03/09/17 13:24:51 INFO] Saving checkpoint to 'model_common1_epoch{e}_{q:.2f}.t7'...",
        p=ex(a),
        q=ex(b),
    ),
    P(H, A(), B(), "step"),
)
case(
    "e8-21",
    rep(
        "Epoch {e} ; Iter 50/100 ; LR 1.0000 ; Target tokens/s 1265 ; PPL {p:.2f} ;",
        "Epoch {e} ; Iter 100/100 ; LR 1.0000 ; Target tokens/s 1296 ; PPL {p:.2f} ;",
        "Validation perplexity: {q:.11f}",
        "Saving checkpoint to 'roto_jc_rec_tvd_epoch{e}_{q:.2f}.t7'...",
        "",
        p=ex(a),
        q=ex(b),
    ),
    P(H, A(), B(), "step"),
)
case(
    "e8-22",
    rep(
        "2020-11-13 09:32:47,406 - (Epoch {e}) TRAIN LOSS:{a:.4f} CER:6.53% LR:0.0000167",
        "2020-11-13 09:32:47,461 - VALID",
        "2020-11-13 09:33:31,062 - VALID SET 0 LOSS:{b:.4f} CER:5.78%",
        "2020-11-13 09:33:34,481 - SHUFFLE",
        "2020-11-13 09:33:34,487 - TRAIN",
    ),
    P(E6, A(), B()),
)
case("e8-23", rep("Epoch={e},Loss:{a:.9f},Accuracy:0.7695,Valid Loss:{b:.9f},Valid Accuracy:0.8614"), P(E6, A(), B()))
case(
    "e8-24",
    rep(
        "INFO:tensorflow:Step {h} per-step time 0.813s loss={c:.3f}",
        "I0912 11:40:27.956218 139735407601536 model_lib_v2.py:652] Step {h} per-step time 0.813s loss={c:.3f}",
        "INFO:tensorflow:Step {S} per-step time 0.813s loss={a:.3f}",
        "I0912 11:40:27.956218 139735407601536 model_lib_v2.py:652] Step {S} per-step time 0.813s loss={a:.3f}",
        "INFO:tensorflow:Eval metrics at step {S}",
        "I0912 11:41:27.956218 139735407601536 model_lib_v2.py:1015] Eval metrics at step {S}",
        "INFO:tensorflow:\t+ DetectionBoxes_Precision/mAP: 0.512345",
        "I0912 11:41:27.956218 139735407601536 model_lib_v2.py:1018] \t+ DetectionBoxes_Precision/mAP: 0.512345",
        "INFO:tensorflow:\t+ Loss/localization_loss: 0.312345",
        "I0912 11:41:27.956218 139735407601536 model_lib_v2.py:1018] \t+ Loss/localization_loss: 0.312345",
        "INFO:tensorflow:\t+ Loss/total_loss: {b:.6f}",
        "I0912 11:41:27.956218 139735407601536 model_lib_v2.py:1018] \t+ Loss/total_loss: {b:.6f}",
        c=lambda e: a(e) + 0.1,
        h=lambda e: 1000 * e - 500,
    ),
    P(TH, near(0.3), B(), "step"),
)
case(
    "e8-25",
    rep(
        "INFO:tensorflow:loss = {a:.6f}, step = {s} (124.394 sec)",
        "INFO:tensorflow:loss = {a:.6f}, step = {s} (124.394 sec)",
        "INFO:tensorflow:global_steps = {s}, loss = {a:.6f} (124.394 sec)",
        "INFO:tensorflow:Evaluation [50/100]",
        "INFO:tensorflow:Evaluation [100/100]",
        "INFO:tensorflow:Finished evaluation at 2019-12-01-11:18:17",
        "INFO:tensorflow:Saving dict for global step {s}: global_step = {s}, loss = {b:.6f}, metrics-translate/targets/accuracy = 0.7340964, metrics-translate/targets/neg_log_perplexity = -1.251",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e8-26",
    rep(
        '{{"name": "train", "epoch": {k}, "cumulative loss": 557.6, "dataset length": 26880.0, "iteration": 210.0, "cer": 0.0, "average loss": {a:.15f}, "training time": 112.67}}',
        '{{"name": "validation", "epoch": {k}, "cumulative loss": 57.679614543914795, "dataset length": 2688.0, "iteration": 21.0, "cer": 0.0, "average loss": {b:.15f}, "validation time": 12.67360258102417}}',
    ),
    P(K, A(), B()),
)
case(
    "e8-27",
    rep(
        "epoch: {e}, lr: 3.59e-05, steps: {x}, optimizer: Adam - train loss: {a:.2e} - valid loss: {b:.2e}, valid ACC: 1.83e-01                    ",
        x=lambda e: 1797 * e,
    ),
    P([1797 * e for e in E6], A(), B(), "step"),
)
case(
    "e8-28",
    "".join(
        f"\rEpoch {e}/30:   3%|▎         | {e - 1}/30 [02:34<1:14:52, 154.90s/it, v_num=1, train_loss={1000 * a(e - 1 or 1):.3g}]\rEpoch {e}/30:   3%|▎         | {e}/30 [02:34<1:14:52, 154.90s/it, v_num=1, train_loss={1000 * a(e):.3g}]"
        for e in E6
    ),
    TRAINS,
)
case(
    "e8-29",
    rep(
        "INFO: cellpose: 2021-12-10 09:40:52,305 [INFO] Epoch {e}, Time  5.2s, Loss {a:.4f}, Loss Test {b:.4f}, LR 0.2000"
    ),
    P(E6, A(), B()),
)
# cellpose prints zeros where it has no test images
case(
    "e8-30",
    rep(
        "2025-12-01 12:10:57,884 [INFO] {t}, train_loss={a:.4f}, test_loss=0.0000, LR=0.000010, time 1736.08s",
        t=lambda e: 10 * e,
    ),
    R("every value of the validation loss", "is 0"),
)
case(
    "e8-31",
    rep(
        "2025-12-01 12:10:57,884 [INFO] {t}, train_loss={a:.4f}, test_loss={b:.4f}, LR=0.000010, time 1736.08s",
        t=lambda e: 10 * e,
    ),
    P(E6, A(), B(), "place"),
)
case(
    "e8-32",
    "Step      Train loss                                  Test loss                                   Test metric\n"
    + rep("{S}      [{a:.2e}, 4.68e+01, 2.87e+02, 1.72e+02]    [{b:.2e}, 3.39e+01, 0.00e+00, 0.00e+00]    []  "),
    R("two or more values"),
)
case(
    "e8-33",
    "# batch      l2_tst    l2_trn    l2_e_tst  l2_e_trn    l2_f_tst  l2_f_trn         lr\n"
    + rep("    {s}    {b:.2e}  {a:.2e}    1.03e+01  1.03e+01    8.22e-01  8.74e-01    1.0e-03"),
    P(H, A(), B(), "step"),
)
case(
    "e8-34",
    rep(
        "Epoch: [{k}]  [20/37]  eta: 0:01:13  lr: 0.000100  class_error: 21.42  loss: {a:.4f} ({c:.4f})  loss_ce: 0.8422 (0.8087)  loss_bbox: 0.1785 (0.5172)  time: 3.9890  data: 0.0297  max mem: 6825",
        "Epoch: [{k}]  [30/37]  eta: 0:00:30  lr: 0.000100  class_error: 16.67  loss: {a:.4f} ({c:.4f})  loss_ce: 0.8006 (0.7970)  loss_bbox: 0.0935 (0.3775)  time: 3.9890  data: 0.0297  max mem: 6825",
        "Epoch: [{k}] Total time: 0:02:20 (3.7990 s / it)",
        "Averaged stats: lr: 0.000100  class_error: 16.67  loss: {c:.4f} ({a:.4f})  loss_ce: 0.8006 (0.7970)  loss_bbox: 0.0935 (0.3775)",
        "Test:  [ 0/10]  eta: 0:00:13  class_error: 21.42  loss: {d:.4f} ({d:.4f})  loss_ce: 0.8422 (0.8087)  time: 1.9890  data: 0.0297  max mem: 6825",
        "Test: Total time: 0:00:20 (1.7990 s / it)",
        "Averaged stats: class_error: 16.67  loss: {d:.4f} ({b:.4f})  loss_ce: 0.8006 (0.7970)",
        c=lambda e: a(e) + 0.1,
        d=lambda e: b(e) - 0.1,
    ),
    P(K, A(), B()),
)
case(
    "e8-35",
    rep(
        "[NanoDet][12-28 08:46:55]INFO:Train|Epoch{e}/300|Iter{x}(50)| lr:9.98e-04| loss_qfl:{a:.4f}| loss_bbox:0.2495| loss_dfl:0.1563| aux_loss_qfl:0.2187|",
        "[NanoDet][12-28 08:47:59]INFO:Train|Epoch{e}/300|Iter{s}(100)| lr:9.98e-04| loss_qfl:{a:.4f}| loss_bbox:0.2495| loss_dfl:0.1563| aux_loss_qfl:0.2187|",
        "[NanoDet][12-28 08:49:51]INFO:Val|Epoch{e}/300|Iter{s}(0)| lr:9.98e-04| loss_qfl:{b:.4f}| loss_bbox:0.3935| loss_dfl:0.2000| aux_loss_qfl:0.2990|",
        x=lambda e: 100 * e - 50,
    ),
    P(H, A(), B(), "step"),
)
case(
    "e8-36",
    rep(
        "      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size",
        "      {e:2d}/55      9.94G    {a:.4f}      {b:.3f}      3.227          9        640: 100%|██████████| 787/787 [09:08<00:00,  1.43it/s]",
        "                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 66/66 [00:34<00:00,  1.90it/s]",
        "                   all       1049       1186      0.886      0.832      0.899      0.492",
        "",
    ),
    TRAINS,
)
case(
    "e8-37",
    rep(
        "[04/28 17:21:56] ppdet.engine INFO: Epoch: [{e}] [120/141] learning_rate: 0.000770 loss_xy: 2.849720 loss_wh: 1.324514 loss_obj: 8.690937 loss: {a:.6f} eta: 1:32:21 batch_cost: 0.1700 data_cost: 0.0012 ips: 5.8828 images/s"
    ),
    TRAINS,
)
case(
    "e8-38",
    rep(
        "{{'loss': {a:.4f}, 'learning_rate': 4.5e-05, 'global_step': {s}, 'epoch': {e}.0}}                                  ",
        " 33%|██████▋             | {s}/600 [01:11<01:58,  3.37it/s][2022-03-25 16:41:50,060] [    INFO] - ***** Running Evaluation *****",
        "[2022-03-25 16:41:50,060] [    INFO] -   Num examples = 1200",
        "[2022-03-25 16:41:50,060] [    INFO] -   Batch size = 32",
        "{{'eval_loss': {b:.6f}, 'eval_accuracy': 0.8875, 'eval_runtime': 4.3, 'eval_samples_per_second': 250.1, 'epoch': {e}.0}}                ",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e8-39",
    rep(
        "Validation loss decreased ({c:.6f} --> {b:.6f}).  Saving model ...",
        "Epoch: {e}/200 | Train loss: {a:.15f} | Val loss: {b:.15f} | Time:  27.284s",
        c=lambda e: b(e - 1 or 1),
    ),
    P(E6, A(), B()),
)
case(
    "e8-40",
    rep(
        "Epoch: {e} cost time: 0.55042862892151",
        "Epoch: {e}, Steps: 3 | Train Loss: {a:.7f} Vali Loss: nan Test Loss: {b:.7f}",
        "Validation loss decreased (nan --> nan).  Saving model ...",
        "Updating learning rate to 1.7763568394002506e-20",
    ),
    P(E6, A(), None, says=["NaN"]),
)
case(
    "e8-41",
    rep("Epoch {e}, Loss: {c!r}, ValLoss: {d!r}", c=lambda e: 1e-4 * a(e), d=lambda e: 1e-4 * b(e)),
    P(E6, [1e-4 * x for x in A()], [1e-4 * x for x in B()]),
)
case(
    "e8-42",
    rep(
        ">>> Epoch: [{e}/300]",
        "2020-08-17 21:48:47,912: logger.py - info(), at Line 49:INFO:",
        "Train - Epoch: [{e}/300][ 35/464]\tTime  0.738 ( 0.738)\tData  0.000 ( 0.014)\tLoss {a:.4e} ({a:.4e})",
    ),
    TRAINS,
)
case("e8-43", rep("Epoch {e}: train loss {a:.3f} train acc: 0.850, val loss: {b:.3f} val acc 0.570."), P(E6, A(), B()))
case(
    "e8-44",
    "Train on 48000 samples, validate on 12000 samples\n"
    + rep(
        "Epoch {e}/500",
        "   32/48000 [..............................] - ETA: 50:31 - loss: 231.1299 - vae_r_loss: 231.1293 - vae_kl_loss: 5.8350e-04",
        "Epoch 0000{e}: val_loss improved from inf to {b:.5f}, saving model to /models/model_checkpoint.h5",
        "48000/48000 [==============================] - 17s 364us/sample - loss: {a:.4f} - vae_r_loss: 0.5250 - vae_kl_loss: 0.1430 - val_loss: {b:.4f} - val_vae_r_loss: 0.5327 - val_vae_kl_loss: 0.9883",
    ),
    P(E6, A(), B()),
)
case(
    "e8-45",
    rep(
        "Epoch {e}",
        "{a:.7f} [====================================================================================================] 100% - ETA: 0s - loss: {c:.6f}",
        "1080/1080 [====================================================================================================] 100% - 49s 46ms/step - loss: {a:.6f}",
        "Validation loss: {d:.1f}.",
        c=lambda e: a(e) - 0.001,
        d=lambda e: 20000 * b(e),
    ),
    P(E6, A(), [20000 * x for x in B()]),
)
case(
    "e8-46",
    3
    * (
        rep("    epoch:  {t}    Train loss:  {a:.7f}    Val loss:  {b:.7f}", t=lambda e: 10 * e)
        + "    early stop at epoch:  61    Train loss:  0.8122968    Val loss:  0.9268884\n    time: 17.7 sec elapsed\n"
    ),
    P([*(10 * e for e in E6), 61], [*A(), 0.8123], [*B(), 0.9269], runs=3),
)
case(
    "e8-47",
    rep(
        "Epoch {e}/15",
        "12543/12543 [==============================] - 2364s - loss: {a:.4f} - perplexity: {p:.4f} - lr: 0.0001     ",
        "- Training:  - 2364s - loss: {a:.4f} - perplexity: {p:.4f} - lr: 0.0001",
        "- Evaluating...Loaded 8370 formulas from results/demo0/formulas_val/ref.txt",
        "- Eval: BLEU-4 61.36 - EM 7.14 - Edit 63.19 - perplexity -{q:.2f}",
        "- Elapsed time: 3286.70, lr: 0.00010",
        p=ex(a),
        q=ex(b),
    ),
    R(),
)
case(
    "e8-48",
    rep(
        "Epoch [{e}/50], Loss: {a:.4f}, ",
        "[Training] Acc: 0.9116, SE: 0.0035, SP: 0.9902, PC: 0.0123, F1: 0.0053, JS: 0.0029, DC: 0.0053",
        "[Validation] Acc: 0.9193, SE: 0.0064, SP: 0.9651, PC: 0.0075, F1: 0.0062, JS: 0.0031, DC: 0.0062",
    ),
    TRAINS,
)
case(
    "e8-49",
    rep(
        "> Epoch {e}/20 8/8 [===========] - 6s 300ms/step - loss: {a:.4f} - iou_score: 0.1352 - val_loss: {b:.4f} - val_iou_score: 0.1660",
        "> ",
    ),
    P(E6, A(), B()),
)
case("e8-50", rep("[Seed {k}] Step 2000 --> val loss {b:.16f}"), R("only validation losses"))
case(
    "e8-51",
    "2026-03-03 09:55:34\nTotal training time: 14.35m\n2026-03-03 09:55:34\nFinal train loss: 3.076997\n2026-03-03 09:55:34\nMin val BPB: 1.108378\n2026-03-03 09:55:34\nMin val Loss: 3.410783\n",
    R(),
)
case(
    "e8-52",
    "Epoch | Train loss | Valid loss | Train / Val\n--------|--------------|--------------|---------------\n"
    + rep("{t} | {a:.6f} | {b:.6f} | 1.136336", t=lambda e: 50 * e),
    P([50 * e for e in E6], A(), B()),
)
case(
    "e8-53",
    "136 CHAPTER 5 The mechanics of learning\n\n"
    + rep("Epoch {S}, Training loss {a:.4f}, Validation loss {b:.4f}", "")
    + "tensor([\n\n5.1964, -16.7512], requires_grad=True)\n",
    P(TH, A(), B()),
)
case("e8-54", rep("o.d.o.l.ScoreIterationListener - Score at iteration {s} is {a:.12f}"), R())
case(
    "e8-55",
    rep(
        "[2026-05-28 22:19:49] iteration     {x}/    6069 | consumed samples:         7680 | elapsed time per iteration (ms): 27447.6 | learning rate: 3.000000E-05 | global batch size:   512 | lm loss: {c:.6E} | seq_load_balancing_loss: 1.236344E+00 | mtp_1 loss: 1.175022E+00 | loss scale: 1.0 | grad norm: 2.722 | number of skipped iterations:   0 | number of nan iterations:   0 |",
        "[2026-05-28 22:19:49] iteration     {S}/    6069 | consumed samples:         7680 | elapsed time per iteration (ms): 27447.6 | learning rate: 3.000000E-05 | global batch size:   512 | lm loss: {a:.6E} | seq_load_balancing_loss: 1.236344E+00 | mtp_1 loss: 1.175022E+00 | loss scale: 1.0 | grad norm: 2.722 | number of skipped iterations:   0 | number of nan iterations:   0 |",
        "-" * 80,
        " validation loss at iteration {S} | lm loss value: {b:.6E} | lm loss PPL: {q:.6E} | mtp_1 loss value: 1.275022E+00 | mtp_1 loss PPL: 3.578780E+00 | ",
        "-" * 80,
        c=lambda e: a(e) + 0.02,
        x=lambda e: 1000 * e - 500,
        q=ex(b),
    ),
    P(TH, near(0.1), B(), "step"),
)
case(
    "e8-56",
    rep(
        "iterations:{s}, train acc:0.258, train loss:{a:.3f}, train loss ctc:0.857, train loss att:0.098,",
        "iterations:{s}, valid acc:0.258, valid loss:{b:.3f}, valid loss ctc:0.857, valid loss att:0.098,",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e8-57",
    "**Summary table from this run:**\n\n| Epoch | train/loss (avg) | val/loss | |\n|-------|-----------------|----------|---|\n"
    + rep("| {k} | {a:.4f} | {b:.4f} | |", n=4)
    + f"| 4 | {a(5):.4f} | **{b(5):.4f}** | **best val** |\n| 5 | **{a(6):.4f}** | {b(6):.4f} | val rises again |\n",
    P(K, A(), B()),
)
case(
    "e8-58",
    "**Summary table from this run:**\n\nEpoch\ttrain/loss (avg)\tval/loss\t\n"
    + rep("{k}\t{a:.4f}\t{b:.4f}\t", n=4)
    + f"4\t{a(5):.4f}\t**{b(5):.4f}**\t**best val**\n5\t**{a(6):.4f}**\t{b(6):.4f}\tval rises again\n",
    P(K, A(), B()),
)
case("e8-59", rep("Epoch: {e} \tTraining Loss: {a:.6f} \tValidation Loss: {b:.6f}"), P(E6, A(), B()))
case(
    "e8-60",
    rep(
        "Train Epoch: {e} [57600/60000 (96%)]\tLoss: {c:.6f}",
        "Train Epoch: {e} [58880/60000 (98%)]\tLoss: {c:.6f}",
        "====> Epoch: {e} Average loss: {a:.4f}",
        "====> Test set loss: {b:.4f}",
        c=lambda e: a(e) - 0.1,
    ),
    P(E6, A(), B()),
)
case(
    "e8-61",
    rep(
        "Thu 24 Apr 2025 06:41:52 INFO  epoch {e} training [time: 14.42s, train loss: {a:.4f}]",
        "Thu 24 Apr 2025 08:08:55 INFO  epoch {e} evaluating [time: 5223.20s, valid_score: 0.003500]",
        "Thu 24 Apr 2025 08:08:55 INFO  valid result: ",
        "gauc : 0.8801    recall@5 : 0.0007    recall@10 : 0.0015",
    ),
    TRAINS,
)
case(
    "e8-62",
    rep(
        "> 2023-03-22 09:32:32 step {S}: train loss {a:.4f}, val loss {b:.4f}",
        "> ",
        "> saving checkpoint to out",
        "> ",
        "> 2023-03-22 09:32:41 iter {S}: loss {a:.4f}, time 35392.33ms, mfu 13.85%",
        "> ",
        n=3,
    )
    + "> 2023-03-22 09:32:52 iter 3010: loss nan, time 1019.95ms, mfu 14.12%\n> \n> 2023-03-22 09:33:52 step 4000: train loss nan, val loss nan\n",
    P([1000, 2000, 3000], A(3), B(3), "step", errors=["log/not-finite"]),
)

# What the rounds before had left open.
case(
    "e8-63",
    rep(
        "2023-01-01 12:00:00,123 - mmseg - INFO - Iter [{h}/6000]\tlr: 1.000e-02, eta: 0:12:00, time: 0.512, memory: 3512, decode.loss_ce: {c:.4f}, loss: {c:.4f}",
        "2023-01-01 12:01:00,123 - mmseg - INFO - Iter [{S}/6000]\tlr: 1.000e-02, eta: 0:12:00, time: 0.512, memory: 3512, decode.loss_ce: {a:.4f}, loss: {a:.4f}",
        "2023-01-01 12:01:30,123 - mmseg - INFO - Iter(val) [32]\tdecode.loss_ce: {b:.4f}, loss: {b:.4f}",
        c=lambda e: a(e) + 0.1,
        h=lambda e: 1000 * e - 500,
    ),
    P(TH, near(0.3), B(), "step"),
)
case(
    "e8-64",
    "|| Epoch || Train Loss || Val Loss || Acc ||\n" + rep("| {e} | {a:.4f} | {b:.4f} | 51.2% |"),
    P(E6, A(), B()),
)
case("e8-65", "|_. epoch |_. train loss |_. val loss |\n" + rep("| {e} | {a:.4f} | {b:.4f} |"), P(E6, A(), B()))
case(
    "e8-66",
    '{| class="wikitable"\n! epoch\n! train loss\n! val loss\n' + rep("|-", "| {e}", "| {a:.4f}", "| {b:.4f}") + "|}\n",
    P(E6, A(), B()),
)

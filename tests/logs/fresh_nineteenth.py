# ruff: noqa: E501, F403, F405
"""Logs of tools in the forms that they are known to print (nineteenth round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")


case(  # Lasagne's example
    "e19-01",
    rep(
        "Epoch {e} of 6 took 3.214s",
        "  training loss:\t\t{a:.6f}",
        "  validation loss:\t\t{b:.6f}",
        "  validation accuracy:\t\t91.20 %",
    )
    + "Final results:\n  test loss:\t\t\t0.970000\n  test accuracy:\t\t91.00 %\n",
    P(E6, A(), B()),
)
case(  # nolearn
    "e19-02",
    "# Neural Network with 12345 learnable parameters\n\n  epoch    train loss    valid loss    train/val  dur\n-------  ------------  ------------  -----------  -----\n"
    + rep("      {e}       \x1b[36m{a:.5f}\x1b[0m       \x1b[32m{b:.5f}\x1b[0m      1.05000  0.31s"),
    P(E6, A(), B()),
)
case(  # Blocks
    "e19-03",
    rep(
        "-" * 79,
        "AFTER ANOTHER EPOCH",
        "-" * 79,
        "Training status:",
        "\t batch_interrupt_received: False",
        "\t epochs_done: {e}",
        "\t iterations_done: {s}",
        "Log records from the iteration {s}:",
        "\t final_cost: {a:.6f}",
        "\t test_final_cost: {b:.6f}",
        "\t time_train_this_epoch: 1.2",
        "",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e19-04",
    rep(
        "epoch {e}, minibatch 500/500, validation error {v:.6f} %",
        "     epoch {e}, minibatch 500/500, test error of best model {w:.6f} %",
        v=b,
        w=lambda e: b(e) + 0.1,
    ),
    R(),
)  # Theano's tutorials
case(  # torchtune
    "e19-05",
    rep(
        "Step {s} | loss:{a:.6f} lr:2e-05 tokens_per_second_per_gpu:1234.5 grad_norm:1.2", "Step {s} | val_loss:{b:.6f}"
    ),
    P(H, A(), B(), "step"),
)
case(
    "e19-06",
    "".join(
        f"\r1|{100 * e}|Loss: {a(e):.6f}:  {10 * e}%|█         | {100 * e}/1000 [00:10<01:00,  9.1it/s]" for e in E6
    )
    + "\n",
    TRAINS,
)
case(  # MaxText
    "e19-07",
    rep(
        "completed step: {s}, seconds: 5.667, TFLOP/s/device: 134.924, Tokens/s/device: 8672.758, total_weights: 196608, loss: {a:.3f}",
        "Completed eval step 9",
        "average loss after step={s}: eval_loss={b:.3f}, total_weights=1966080.0",
    ),
    P(H, A(), B(), "step"),
)
case(  # Flax' examples
    "e19-08",
    rep(
        "I0501 10:00:00.000000 140 train.py:262] train epoch: {e}, loss: {a:.4f}, accuracy: 51.20",
        "I0501 10:00:01.000000 140 train.py:270] eval epoch: {e}, loss: {b:.4f}, accuracy: 49.10",
    ),
    P(E6, A(), B()),
)
case(
    "e19-09",
    rep("epoch:{e:3d}, train_loss: {a:.4f}, train_accuracy: 51.20, test_loss: {b:.4f}, test_accuracy: 49.10"),
    P(E6, A(), B()),
)
case(  # EasyLM
    "e19-10",
    rep(
        "{{'accuracy': 0.51, 'eval_accuracy': 0.49, 'eval_loss': {b:.6f}, 'gradient_norm': 1.2, 'learning_rate': 0.0003, 'loss': {a:.6f}, 'step': {s}}}"
    ),
    P(H, A(), B(), "step"),
)
case(  # Trax
    "e19-11",
    rep(
        "",
        "Step {s:6d}: Ran 100 train steps in 12.31 secs",
        "Step {s:6d}: train CrossEntropyLoss |  {a:.8f}",
        "Step {s:6d}: eval  CrossEntropyLoss |  {b:.8f}",
        "Step {s:6d}: eval          Accuracy |  0.49",
    ),
    P(H, A(), B(), "step"),
)
case(  # MindSpore: nothing says whose the second loss is
    "e19-12",
    rep(
        "epoch: {e} step: 1875, loss is {a:.10f}",
        "Train epoch time: 12312.131 ms, per step time: 6.566 ms",
        "{{'Accuracy': 0.91, 'loss': {b:.10f}}}",
    ),
    P(E6, A(), B()),
)
case(  # MindSpore, with a name for the evaluation
    "e19-13",
    rep(
        "Train epoch {e}",
        "loss: {c:.6f}  [  320/60000]",
        "loss: {a:.6f}  [57600/60000]",
        "Test:",
        " Accuracy: 91.2%, Avg loss: {b:.6f} ",
        c=lambda e: a(e) + 0.1,
    ),
    P([57600 + 60000 * k for k in K], A(), B(), "step"),
)
case(  # PaddlePaddle's hapi
    "e19-14",
    rep(
        "Epoch {e}/6",
        "step 100/100 [==============================] - loss: {a:.4f} - acc: 0.5120 - 12ms/step",
        "Eval begin...",
        "step 20/20 [==============================] - loss: {b:.4f} - acc: 0.4910 - 5ms/step",
        "Eval samples: 1000",
    ),
    P(E6, A(), B()),
)
case(  # PaddleDetection
    "e19-15",
    rep(
        "[05/01 10:00:00] ppdet.engine INFO: Epoch: [{k}] [100/120] learning_rate: 0.000100 loss_xy: 0.512 loss_wh: 0.312 loss: {a:.6f} eta: 0:12:31 batch_cost: 0.3121 data_cost: 0.0012 ips: 25.1 images/s",
        "[05/01 10:01:00] ppdet.metrics.metrics INFO: mAP(0.50, 11point) = 51.20%",
    ),
    TRAINS,
)
case(  # Coqui: the mean of the epoch so far stands in brackets
    "e19-16",
    rep(
        "\x1b[4m\x1b[1m > EPOCH: {k}/6\x1b[0m",
        "\x1b[1m > TRAINING (2024-05-01 10:00:00) \x1b[0m",
        "",
        "\x1b[1m   --> STEP: 100/120 -- GLOBAL_STEP: {s}\x1b[0m",
        "     | > loss: {c:.5f}  ({a:.5f})",
        "     | > grad_norm: 1.20000  (1.31000)",
        "",
        "\x1b[1m > EVALUATION \x1b[0m",
        "",
        "  \x1b[1m--> EVAL PERFORMANCE\x1b[0m",
        "     | > avg_loader_time: 0.00312 (+0.00012)",
        "     | > avg_loss: \x1b[92m {b:.5f} \x1b[0m(-0.10000)",
        "",
        c=lambda e: a(e) + 0.2,
    ),
    P(K, A(), B()),
)
case(  # NeMo's bar
    "e19-17",
    "".join(
        f"\rEpoch {e - 1}: 100%|██████████| 100/100 [01:00<00:00, 1.61it/s, v_num=3, reduced_train_loss={a(e):.3f}, global_step={100 * e - 1}.0, consumed_samples=3200.0, val_loss={b(e):.3f}]"
        for e in E6
    )
    + "\n",
    P([100 * e - 1 for e in E6], A(), B(), "step"),
)
case(  # MXNet's estimator
    "e19-18",
    rep(
        "[Epoch {k}] Begin, current learning rate: 0.0010",
        "[Epoch {k}] Finished in 12.312s, training accuracy: 0.5120, training softmaxcrossentropyloss: {a:.4f}, validation accuracy: 0.4910, validation softmaxcrossentropyloss: {b:.4f}",
    ),
    P(K, A(), B()),
)
case(
    "e19-19",
    "epoch       main/loss   validation/main/loss  main/accuracy  elapsed_time\n\x1b[J"
    + rep("{e}           {a:.6f}    {b:.6f}              0.5120         12.31"),
    P(E6, A(), B()),
)  # Chainer
case(  # MATLAB's trainNetwork
    "e19-20",
    "|======================================================================================================================|\n|  Epoch  |  Iteration  |  Time Elapsed  |  Mini-batch  |  Validation  |  Mini-batch  |  Validation  |  Base Learning  |\n|         |             |   (hh:mm:ss)   |   Accuracy   |   Accuracy   |     Loss     |     Loss     |      Rate       |\n|======================================================================================================================|\n"
    + rep(
        "|       {e} |         {s} |       00:00:10 |       51.20% |       49.10% |       {a:.4f} |       {b:.4f} |          0.0100 |"
    ),
    P(H, A(), B(), "step"),
)
case(  # luz
    "e19-21",
    rep("Epoch {e}/6", "Train metrics: Loss: {a:.4f} - Acc: 0.512", "Valid metrics: Loss: {b:.4f} - Acc: 0.491"),
    P(E6, A(), B()),
)
case(  # H2O: its units are cells of their own
    "e19-22",
    "Scoring History: \n            timestamp   duration  training_speed  epochs iterations     samples training_rmse training_deviance validation_rmse validation_deviance\n"
    + rep(
        "{e} 2024-05-01 10:00:00  0.312 sec   12345 obs/sec {e}.00000          {e}  1000.000000       {x:.5f}           {a:.5f}         {y:.5f}             {b:.5f}",
        x=lambda e: math.sqrt(a(e)),
        y=lambda e: math.sqrt(b(e)),
    ),
    R("no loss was found"),
)
case(
    "e19-23",
    "Epoch: 100\tError per Epoch = 0.0312\nEpoch: 200\tError per Epoch = 0.0212\nEpoch: 300\tError per Epoch = 0.0112\n",
    R(),
)  # Weka
case(  # Julia's Lux
    "e19-24",
    rep("[ Info: Epoch {e}", "  Train Loss: {a:.6f}", "  Val. Loss:  {b:.6f}"),
    P(E6, A(), B()),
)
case(  # Knet
    "e19-25",
    rep("(:epoch, {e}, :trn, ({a:.7f}, 0.512), :tst, ({b:.7f}, 0.491))"),
    R(),
)
case(  # PyTorch Geometric's examples
    "e19-26",
    rep("Epoch: {e:03d}, Loss: {a:.4f}, Train: 0.5120, Val: 0.4910, Test: 0.4810"),
    TRAINS,
)
case(
    "e19-27",
    rep("Epoch: {e:02d}, Loss: {a:.7f}, Val: {b:.7f}, Test: {c:.7f}", c=lambda e: b(e) + 0.1),
    P(E6, A(), B(), says=("taken for one",)),
)
case(  # DGL
    "e19-28",
    rep("Epoch {e:05d} | Time(s) 0.0123 | Loss {a:.4f} | TrainAcc 0.5120 | ValAcc 0.4910 | ETputs(KTEPS) 312.10"),
    TRAINS,
)
case(  # Stable-Baselines' behaviour cloning
    "e19-29",
    "==== Training progress 0.00% ====\n"
    + rep("==== Training progress {pc:.2f}% ====", "Epoch {e}", "Training loss: {a:.6f}, Validation loss: {b:.6f}", ""),
    P(E6, A(), B()),
)
case(  # robomimic
    "e19-30",
    rep(
        "Train Epoch {e}",
        "{{",
        '    "Cosine_Loss": 0.0,',
        '    "L2_Loss": 0.0,',
        '    "Loss": {a:.6f},',
        '    "Time_Epoch": 0.31',
        "}}",
        "",
        "Validation Epoch {e}",
        "{{",
        '    "Cosine_Loss": 0.0,',
        '    "Loss": {b:.6f},',
        '    "Time_Epoch": 0.05',
        "}}",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "e19-31",
    "".join(
        f"{e - 1}:\tlearn: {a(e):.7f}\ttest: {b(e):.7f}\ttest1: {b(e) + 0.1:.7f}\tbest: {b(e):.7f} ({e - 1})\ttotal: 12.3ms\tremaining: 1.2s\n"
        for e in E6
    ),
    P(K, A(), B(), "step"),
)
case(
    "e19-32",
    rep(
        "[{e}]\ttraining's multi_logloss: {a:.6f}\ttraining's multi_error: 0.51\tvalid_1's multi_logloss: {b:.6f}\tvalid_1's multi_error: 0.49"
    ),
    P(E6, A(), B(), "step"),
)
case(  # OpenNMT in Lua
    "e19-33",
    rep(
        "[05/01/24 10:00:00 INFO] Epoch {e} ; Iteration 100/100 ; Optim SGD LR 1.000000 ; Source tokens/s 3121 ; Perplexity {p:.2f}",
        "[05/01/24 10:01:00 INFO] Validation perplexity: {q:.2f}",
        p=ex(a),
        q=ex(b),
    ),
    P(E6, A(), B()),
)
case(  # seq2seq-attn
    "e19-34",
    rep(
        "Epoch: {e}, Batch: 100/100, Batch size: 64, LR: 1.0000, PPL: {p:.2f}, |Param|: 312.31, |GParam|: 1.23, Training: 3121/1234/1887 total/source/target tokens/sec",
        "Valid\t{q:.4f}",
        "Train\t{p:.4f}",
        p=ex(a),
        q=ex(b),
    ),
    R(),
)
case(  # char-rnn
    "e19-35",
    rep(
        "{s}/600 (epoch {e}.000), train_loss = {a:.8f}, grad/param norm = 1.2345e-01, time/batch = 0.31s",
        "evaluating loss over split index 2",
        "saving checkpoint to cv/lm_lstm_epoch{e}.00_{b:.4f}.t7",
    ),
    TRAINS,
)
case(  # fastText's supervised autotune, word vectors
    "e19-36",
    "".join(
        f"\rProgress:  {10 * e}.0% words/sec/thread:   31212 lr:  0.050000 avg.loss:  {a(e):.6f} ETA:   0h 0m12s"
        for e in E6
    )
    + "\n",
    TRAINS,
)
case(  # TensorFlow's Estimator
    "e19-37",
    rep(
        "INFO:tensorflow:loss = {a:.6f}, step = {s} (12.312 sec)",
        "INFO:tensorflow:Saving dict for global step {s}: accuracy = 0.491, global_step = {s}, loss = {b:.6f}",
    ),
    P(H, A(), B(), "step"),
)
case(  # OpenSeq2Seq
    "e19-38",
    rep(
        "*** Epoch {k}, global step {s}: ",
        "    Train loss: {a:.4f} ",
        "time per step = 0:00:00.312",
        "***     Validation loss: {b:.4f} ",
    ),
    P(H, A(), B(), "step"),
)
case(  # pytext
    "e19-39",
    rep(
        "Worker 0 starting epoch {e}",
        "Rank 0 worker: Running average loss for batch in epoch {e} is {a:.6f}",
        "Stage.TRAIN",
        "Epoch:{e}",
        "loss: {a:.6f}",
        "Stage.EVAL",
        "loss: {b:.6f}",
        "",
    ),
    P(E6, A(), B()),
)
case(  # Accelerate's examples
    "e19-40",
    rep("05/01/2024 10:00:00 - INFO - __main__ - epoch {k}: perplexity: {q:.6f} eval_loss: {b:.6f}", q=ex(b)),
    VALS,
)

# ruff: noqa: E501, F403, F405, RUF001
"""Logs in forms that nobody here had seen (fifth round): the right reading was written down before the reader was run."""

from fresh_forms import *

TENS = [10 * e for e in E6]
TWOS = [2 * e for e in E6]


def nd(e):
    """Training, where losses are negative (Dice)."""
    return -0.3 - 0.07 * e


def nv(e):
    """Validation, where losses are negative."""
    return -0.35 - 0.06 * e


ND, NV = [nd(e) for e in E6], [nv(e) for e in E6]

case(
    "v01",
    rep("iterations:{e}, train acc:0.412, train loss:{a:.3f}, train loss ctc:95.312, train loss att:10.229,"),
    TRAINS,
)
case(
    "v02",
    rep(
        "[gpu01:0/2] 2020-07-19 08:49:0{e},080 (trainer:464) INFO: {e}epoch:train:1-682batch: iter_time=2.8e-04, forward_time=0.134, loss={c:.3f}, acc=0.013, backward_time=0.1, lr_0=3.4e-06, train_time=1.8",
        "[gpu01:0/2] 2020-07-19 08:59:0{e},070 (trainer:243) INFO: {e}epoch results: [train] iter_time=0.001, forward_time=0.005, loss={a:.3f}, backward_time=0.005, optim_step_time=1.9e-04, lr_0=0.100, train_time=0.014, time=1 minute and 44.19 seconds, total_count=5{e}549, [valid] loss={b:.3f}, time=3.12 seconds, total_count=1680, [att_plot] time=0.14 seconds, total_count=0",
        c=lambda e: a(e) + 0.2,
    ),
    P(E6, A(), B()),
)
case(
    "v03",
    rep(
        "{e}epoch results: [train] iter_time=0.002, loss_ctc=17.181, loss_transducer=10.153, loss={a:.3f}, optim0_lr0=4.9e-04, time=3 hours, 11 minutes and 16.97 seconds, total_count=527961, gpu_max_cached_mem_GB=13.770, [valid] loss_ctc=9.870, cer_ctc=nan, loss_transducer=6.520, cer_transducer=0.083, loss={b:.3f}, time=3 minutes and 24.54 seconds, total_count=5677"
    ),
    P(E6, A(), B()),
)
case(
    "v04",
    rep(
        "2024-04-26 09:39:10.91004{e}: Epoch {k}",
        "2024-04-26 09:39:10.91404{e}: Current learning rate: 0.01",
        "using pin_memory on device 0",
        "2024-04-26 09:41:39.49387{e}: train_loss {x:.4f}",
        "2024-04-26 09:41:39.49891{e}: val_loss {y:.4f}",
        "2024-04-26 09:41:39.50191{e}: Pseudo dice [0.1, 0.0, 0.1611]",
        "2024-04-26 09:41:39.50591{e}: Epoch time: 148.59 s",
        "2024-04-26 09:41:39.50791{e}: Yayy! New best EMA pseudo Dice: 0.{e}",
        "2024-04-26 09:41:40.30254{e}:",
        x=nd,
        y=nv,
    ),
    P(K, ND, NV),
)
case(
    "v05",
    rep(
        "2022-02-11 09:32:44.20706{e}: ",
        "epoch:  {e}",
        "2022-02-11 09:34:49.62551{e}: train loss : {x:.4f}",
        "2022-02-11 09:34:59.68800{e}: validation loss: {y:.4f}",
        "2022-02-11 09:34:59.68880{e}: Average global foreground Dice: [0.8837]",
        "2022-02-11 09:34:59.68890{e}: (interpret this as an estimate for the Dice of the different classes. This is not exact.)",
        "2022-02-11 09:35:00.85709{e}: lr: 0.009937",
        "2022-02-11 09:35:01.34324{e}: This epoch took 137.136132 s",
        "",
        x=nd,
        y=nv,
    ),
    P(E6, ND, NV),
)
case(
    "v06",
    "Train on 48000 samples, validate on 12000 samples\n"
    + rep(
        "Epoch {e}/6",
        "   32/48000 [..............................] - ETA: 50:31 - loss: 9.1299 - vae_r_loss: 8.1293 - vae_kl_loss: 5.8350e-04\r47840/48000 [============================>.] - ETA: 0s - loss: {a:.4f} - vae_r_loss: 1.8435 - vae_kl_loss: 3.1413",
        "Epoch 0000{e}: val_loss improved from inf to {b:.5f}, saving model to /models/model_checkpoint.h5",
        "48000/48000 [==============================] - 17s 364us/sample - loss: {a:.4f} - vae_r_loss: 0.8250 - vae_kl_loss: 3.1430 - val_loss: {b:.4f} - val_vae_r_loss: 0.5327 - val_vae_kl_loss: 3.9883",
    ),
    P(E6, A(), B()),
)
case(
    "v07",
    rep(
        "23 May 14:00    INFO  epoch {k} training [time: 0.98s, train loss: {x:.4f}]",
        "23 May 14:00    INFO  epoch {k} evaluating [time: 0.05s, valid_score: 0.130400]",
        "23 May 14:00    INFO  valid result: ",
        "recall@5 : 0.0441    recall@10 : 0.0777    ndcg@5 : 0.048    hit@10 : 0.3118",
        x=lambda e: 7000 / e,
    ),
    TRAINS,
)
case(
    "v08",
    rep(
        "2021-01-25 07:49:37,101 P8266 INFO --- Start evaluation ---",
        "2021-01-25 07:49:46,177 P8266 INFO [Metrics] F1(k=20): 0.141451 - NDCG(k=20): 0.228186",
        "2021-01-25 07:49:46,187 P8266 INFO --- 778/778 batches finished ---",
        "2021-01-25 07:49:46,239 P8266 INFO Train loss: {a:.6f}",
        "2021-01-25 07:49:46,239 P8266 INFO ************ Epoch={e} end ************",
    ),
    TRAINS,
)
case(
    "v09",
    rep(
        "1{e}947:2022-11-08 04:14:30,541 INFO [train.py:923] (0/4) Epoch {e}, validation: loss={b:.4f}, simple_loss=0.2502, pruned_loss=0.02537, over 944034.00 frames."
    ),
    R("validation"),
)
case(
    "v10",
    rep(
        "2022-04-21 08:29:40,058 INFO [train.py:518] Epoch {k}, batch 2900, loss[ctc_loss=1.005, att_loss=0.8781, loss={a:.4f}, over 2403 frames.], tot_loss[ctc_loss=1.037, att_loss=0.9067, loss={a:.4f}, over 477013.1835074181 frames.], batch size: 11",
        "2022-04-21 08:34:16,314 INFO [train.py:518] Epoch {k}, batch 3000, loss[ctc_loss=0.9819, att_loss=0.8759, loss={a:.4f}, over 2288 frames.], tot_loss[ctc_loss=1.031, att_loss=0.9002, loss={a:.4f}, over 475826.8325706396 frames.], batch size: 7",
        "2022-04-21 08:34:16,315 INFO [train.py:535] Computing validation loss",
        "2022-04-21 08:48:49,529 INFO [train.py:544] Epoch {k}, validation: ctc_loss=1.524, att_loss=0.946, loss={b:.4f}, over 760000 frames.",
    ),
    P([3000 + 3001 * k for k in K], A(), B(), "step"),
)
case("v11", rep("2023-11-07 19:44:5{e}.934250 Epoch {e}  \tTrain Loss = {a:.5f} Val Loss = {b:.5f}"), P(E6, A(), B()))
case(
    "v12",
    rep(
        "2022-04-19 19:32:28,897 - mmseg - INFO - Iter [{s}/60000]        lr: 9.993e-04, eta: 1:42:42, time: 0.103, data_time: 0.031, memory: 1826, decode.loss_ce: {a:.4f}, decode.acc_seg: 46.9911, loss: {a:.4f}",
        "2022-04-19 19:32:38,829 - mmseg - INFO - Iter(val) [32] decode.loss_ce: {b:.4f}, decode.acc_seg: 55.5759, loss: {b:.4f}",
    ),
    P([100 * e for e in E6], A(), B(), "step"),
)
case(
    "v13",
    rep(
        "2020-04-28 17:05:41,729 - INFO - Epoch [{e}][750/782]     lr: 0.10000, eta: 0:03:45, time: 0.049, data_time: 0.002, memory: 402, loss: {a:.4f}, acc_top1: 38.3125, acc_top5: 88.9062",
        "2020-04-28 17:05:50,121 - INFO - Epoch(train) [{e}][157]  loss: {b:.4f}, acc_top1: 40.4100, acc_top5: 89.8100",
    ),
    TRAINS,
)
case(
    "v14",
    rep(
        "----------",
        "epoch {e}/300",
        "1/2, train_loss: {a:.4f} step time: 0.9368",
        "2/2, train_loss: {a:.4f} step time: 0.9655",
        "epoch {e} average loss: {a:.4f}",
        "saved new best metric model",
        "current epoch: {e} current mean dice: 0.9157 best mean dice: 0.9157 at epoch: {e}",
        "time consuming of epoch {e} is: 30.7164",
    ),
    R("training losses"),
)
case("v15", rep("Epoch: {e} \tTraining Loss: {a:.6f} \tValidation Loss: {b:.6f}"), P(E6, A(), B()))
case(
    "v16",
    rep(
        "2017-08-20 16:11:38 INFO  DistriOptimizer$:295 - [Epoch {e} 736512/1281167][Iteration {s}][Wall Clock 197331.83477254s] Train 1792 in 4.387814632seconds. Throughput is 408.40378 records/second. Loss is {a:.7f}. Current learning rate is 0.046. Current weight decay is 1.0E-4. Current momentum is 0.9.",
        "2017-08-20 16:11:42 INFO  DistriOptimizer$:600 - [Wall Clock 197336.222587172s] Validate model...",
        "2017-08-20 16:11:42 INFO  DistriOptimizer$:648 - Loss is (Loss: {x:.4f}, count: 100, Average Loss: {b:.7f})",
        x=lambda e: 100 * b(e),
    ),
    P(H, A(), B(), "step"),
)
case(
    "v17",
    rep(
        "[Epoch {e}/6] [Batch 3811/3880] [G - gan1: 6.830, gan2: 6.101, rec: 0.151, kld: 0.0976] [D - real: 0.428, fake1: 0.016, fake2: 0.023]"
    ),
    R(),
)
case("v18", rep("epoch: {e}; loss: {a:.8f}"), TRAINS)
case(
    "v19",
    "".join(
        f"exp/chain/a/log/compute_prob_{side}.{100 * e}.log:LOG (nnet3-chain-compute-prob[5.1]:PrintTotalStats():nnet-chain-diagnostics.cc:170) Overall log-probability for 'output' is -0.{90 - e} per frame, over 18375 frames.\n"
        for e in E6
        for side in ("train", "valid")
    ),
    P(
        [100 * e for e in E6],
        [0.9 - e / 100 for e in E6],
        [0.9 - e / 100 for e in E6],
        "step",
        errors={"log/identical"},
    ),
)
case(
    "v20",
    rep(
        "Epoch: {h}/3 ...  Train loss: {a:.3f} ...  Valid loss: {b:.3f} ...  Valid accuracy: 0.528 ... ",
        h=lambda e: (e + 1) // 2,
    ),
    P(E6, A(), B(), "place"),
)
case(
    "v21",
    rep(
        "100%|██████████| 3676/3676 [41:24<00:00,  1.48it/s, Epoch={e}, LR=9.93e-6, Train_Loss={a:.3f}]",
        "100%|██████████| 459/459 [03:17<00:00,  2.32it/s, Epoch={e}, LR=9.93e-6, Valid_Loss={b:.3f}] ",
        "model1 saved",
        "{e}   Average valid loss: {b:.4f}",
        "  Accuracy: 0.6936",
    ),
    P(E6, A(), B()),
)
case(
    "v22",
    "# model#1 (pytorch 라이브러리 사용)\nbatch_size=32\nepoch=15\n\n# 결과 (약 60분 소요, 정확도 0.9392)\n"
    + rep("Epoch {k}/5", "----------", "Train Loss: {a:.4f} Acc: 0.6363", "Valid Loss: {b:.4f} Acc: 0.7544", ""),
    P(K, A(), B()),
)
case(
    "v23",
    "".join(
        f"batch size: {size}\n"
        + rep(
            "epoch: {e}, train loss: {a:.5f}, train accuracy: 0.76628603519, valid loss: {b:.16f}, valid accuracy: 0.7514970059, time: 0.92253sec"
        )
        + "1エポックあたり1.62860秒\n\n"
        for size in (4, 8)
    ),
    P(E6, A(), B(), runs=2),
)
case(
    "v24",
    "cfg.attn = 'Attn'  # Linear\ncfg.log_softmax = False\n\n"
    + rep(
        "Epoch {e}/128",
        "train loss: {a:.4f} - metric: 0.575 - time: 8.9 ",
        "valid loss: {b:.4f} - metric: 0.490 - time: 0.4 ",
        "best",
    ),
    P(E6, A(), B()),
)
case(
    "v25",
    rep(
        "    Epoch {k}. Train Loss: {a:.6f}, Train Acc: 0.681506, Valid Loss: {b:.6f}, Valid Acc: 0.492286, Time 00:01:50"
    ),
    P(K, A(), B()),
)
case(
    "v26",
    rep("EPOCH = {e}, LOSS = {a:.4f}") + "saved at ./save/test.ckpt\nRestoring\nTEST LOSS = 0.9710\n",
    P([6], lambda t: len(t) == 1, [0.971]),
)
case(
    "v27",
    rep("training loss : {a:.16f} , validation loss : {b:.17f} , Accuracy : 87.4"),
    P(E6, A(), B(), "place"),
)
case(
    "v28",
    "SFT LoRA :\n\n"
    + rep("- epoch {e} : train loss {a:.6f}, validation loss {b:.6f} ;")
    + "- meilleur checkpoint retenu : `outputs/sft/checkpoint-4762` ;\n- test loss du checkpoint retenu : 2.236565.\n",
    P(E6, A(), B()),
)
case("v29", rep("Epoch : {k}", "Training Loss : {a:.6f}", "Validation Loss : {b:.6f}"), P(K, A(), B()))
case(
    "v30",
    rep(
        "e: {k}, train_loss: {a:.16f}, dev_loss: {b:.16f}, dev_acc: 0.5217391, test_loss: {c:.16f}, test_acc: 0.52304",
        c=lambda e: b(e) + 0.1,
    ),
    P(K, A(), B()),
)
case(
    "v31",
    rep("_[Epoch {e}]_ train_loss: {a:.3f} | train_acc: 19.05% | dev_loss: {b:.3f} | dev_acc: 36.23% | lr=0.000500  "),
    P(E6, A(), B()),
)
case(
    "v32",
    "4) Training Results\n-------------------\n"
    + rep("Epoch {e}/6 — train_loss: {a:.4f} | train_acc: 0.6513 | dev_loss: {b:.4f} | dev_acc: 0.6279"),
    P(E6, A(), B()),
)
case(
    "v33",
    rep(
        "acc: 0.9756048387",
        "loss: {a:.17f}",
        "dev_acc: 0.84210526",
        "dev_loss: {b:.17f}",
        "dev_cross_acc: 0.8614307",
        "dev_cross_loss: 0.317698473110795",
    ),
    P([3 * e - 1 for e in E6], A(), B(), "place"),
)
case(
    "v34",
    rep(
        "Epoch {e}/6 开始训练",
        "  Epoch {e} | Batch  10 | Loss: 2.9006 | Avg Loss: 2.8842 | LR: 0.000500",
        "  Epoch {e} | Batch  20 | Loss: 2.8673 | Avg Loss: 2.4289 | LR: 0.000500",
        "  ...",
        "  Epoch {e} 训练完成 | 平均训练损失: {a:.4f}",
        "  验证完成 | 验证损失: {b:.4f}",
        "  验证损失改善到 {b:.4f}，保存最佳模型",
    ),
    P(E6, A(), B()),
)
case(
    "v35",
    rep(
        "Epoch {e}/6",
        "Epoch [{e}/6] Batch [50/564] Loss: 2.5621",
        "Epoch [{e}/6] Batch [100/564] Loss: 2.4532",
        "...",
        "",
        "训练损失: {a:.4f} | 训练准确率: 0.9234",
        "验证损失: {b:.4f} | 验证准确率: 0.9156",
    ),
    P(E6, A(), B()),
)
case(
    "v36",
    "[3/3] 开始训练 (第 1 轮 / 共 100 轮)...\n-------\n"
    + rep(
        "轮次   {e}/100 | 训练损失: {a:.4f} | 验证损失: {b:.4f} | 训练准确率:  52.3% | 验证准确率:  54.1% | 学习率: 0.001000 | 耗时: 12.5s",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "v37",
    rep("Epoch [{t}/100]", "  Train Loss: {a:.4f}  Val Loss: {b:.4f}", "", t=lambda e: 10 * e)
    + "训练完成！\n最佳验证损失: 0.9500 (Epoch 57)\n",
    P(TENS, A(), B()),
)
case(
    "v38",
    rep(
        "Epoch {k}: Train Loss = {a:.4f}, Test Loss = {b:.4f}, LR = 1.00e-05",
        "  MPJPE: 12.345 mm, PA-MPJPE: 8.901 mm, Avg Metric: 10.623 mm",
        "  ✓ Saved best model (avg_metric=10.623 mm) to checkpoints/best_model.pth",
    ),
    P(K, A(), B()),
)
case("v39", rep("   Epoch {t}: Loss = {a:.6f}, Test Loss = {b:.6f}", t=lambda e: 10 * e), P(TENS, A(), B()))
case(
    "v40",
    rep(
        "Epoch {e}/6 (45 min)",
        "├── Step 1/445   | Loss: 2.95 | GPU: 14.2GB",
        "├── Step 50/445  | Loss: 2.92 | GPU: 14.2GB",
        "└── ...",
        "✓ Epoch {e} complete | Train Loss: {a:.2f} | Eval Loss: {b:.2f}",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "v41",
    rep(
        "🎯 ผลการประเมิน",
        "",
        "🔢 Step: {s}",
        "📉 Eval Loss: {b:.4f}",
        "📊 Train Loss: {a:.4f}",
        "📈 Difference: {x:.4f}",
        "",
        x=lambda e: b(e) - a(e),
    ),
    P(H, A(), B(), "step"),
)
case(
    "v42",
    rep(
        "Epoch {e}/50 [Train] 100%|██████████| 2712/2712 [01:23<00:00, 32.54it/s, loss={c:.4f}, acc=0.7123]",
        "Epoch {e}/50 [Val] 100%|██████████| 904/904 [00:21<00:00, 42.12it/s, loss={d:.4f}, acc=0.7532]",
        "Epoch {e}/50 - Train Loss: {a:.4f}, Train Acc: 0.7123, Val Loss: {b:.4f}, Val Acc: 0.7532",
        c=lambda e: a(e) - 0.2,
        d=lambda e: b(e) + 0.2,
    ),
    P(E6, A(), B()),
)
case(
    "v43",
    rep("Epoch {k}/5", "--------------------", "train loss: {a:.4f} acc: 0.7334", "val loss: {b:.4f} acc: 0.7826", ""),
    P(K, A(), B()),
)
case(
    "v44",
    rep(
        "Step 30,{e}00 | Loss: {a:.4f}",
        "",
        "📊 Running validation at step 30{e}00...",
        "   Val Loss: {b:.4f}",
        "   Val Perplexity: {q:.2f}",
        "",
        "🍳 Generating sample recipes for quality evaluation...",
        "   Prompt: Create a simple pasta dish",
        "           - 2 cups pasta",
        q=lambda e: math.exp(b(e)),
    ),
    P([30000 + h for h in H], A(), B(), "step"),
)
case(
    "v45",
    rep(
        "**Epoch {t}:**",
        "- Train Loss: {a:.3f}, Train Acc: 54.88%",
        "- Val Loss: {b:.3f}, Val Acc: 68.55%",
        "",
        t=lambda e: 10 * e,
    ),
    P(TENS, A(), B()),
)
case(
    "v46",
    "".join(
        f"{'=' * 60}\n{name} MODEL TRAINING RESULTS (Seed: 42)\n{'=' * 60}\n"
        + rep("Epoch {e}: Train Loss={a:.4f}, Eval Loss={b:.4f}, Perplexity={q:.2f}", q=lambda e: math.exp(b(e)))
        + f"\nFinal Results:\n  Train Loss: {a(6):.4f}\n  Eval Loss: {b(6):.4f}\n  Perplexity: {math.exp(b(6)):.2f}\n\n"
        for name in ("TEMPORAL", "BASELINE")
    ),
    P(E6, A(), B(), runs=2),
)
case(
    "v47",
    rep(
        "epoch: {e} lr: 0.08 train loss: {a:.16f} train acc: 0.38914 val loss: {b:.16f} val acc: 0.5594 time: 60.7623028755188",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "v48",
    "Dataset sizes:\n- Augment dataset: 35000 samples\n- Train dataset: 10000 samples\n\n=== Running experiments for resnet34 ===\n\n"
    + "".join(
        f"Baseline {n}: Labels ({n}5000 samples)\n"
        + rep("Epoch [{e}/6] Train Loss: {a:.4f}, Val Loss: {b:.4f}, Train Acc: 68.64%, Val Acc: 75.44%")
        for n in (1, 2)
    ),
    P(E6, A(), B(), runs=2),
)
case(
    "v49",
    rep(
        "Epoch {k}/5 ━━━━━━━━━━━━━━ 98/98 0:00:22 • 0:00:00 4.35it/s v_num: 0 train/loss: {a:.3f}          ",
        " " * 60 + "train/acc: 0.83 val/loss: {b:.3f}     ",
        " " * 60 + "val/acc: 0.852                      ",
    ),
    P(K, A(), B()),
)
case(
    "v50",
    "PHASE 1: Head (Frozen Backbone)\n"
    + rep(
        "Epoch {e}/6: 100%|███████| 132/132 [02:15<00:00]", "train/loss: {a:.4f} | val/loss: {b:.4f} | val/acc: 0.7234"
    ),
    P(E6, A(), B()),
)
case(
    "v51",
    rep(
        "Result for train_ed5a9_00000:",
        "  _report_on: train_epoch_end",
        "  date: 2023-07-01_07-36-46",
        "  done: false",
        "  epoch: {k}",
        "  iterations_since_restore: {e}",
        "  pid: 799019",
        "  step: {s}",
        "  time_since_restore: 4.79",
        "  time_total_s: 4.79",
        "  timestamp: 1688215006",
        "  train/loss: {a:.12f}",
        "  training_iteration: {e}",
        "  trial_id: ed5a9_00000",
        "  val/loss: {b:.12f}",
        "  ",
    ),
    P(K, A(), B()),
)
case(
    "v52",
    "    Reallocate neighbors list (2, 170875) at step 0\n"
    + rep("    0{e}0, train/loss: {a:.5f}.")
    + "    {'val/loss': 0.9471, 'val/mse1': 1.1e-09, 'val/stdloss': 9.9e-07}\n",
    P([7], lambda t: len(t) == 1, [0.9471], "place"),
)
case(
    "v53",
    rep(
        "第 {t} 个epoch的embedding",
        "Epoch: 00{t} loss_train: {a:.4f} acc_train: 1.0000 loss_val: {b:.4f} acc_val: 0.7933 loss_test: 0.6232 acc_test: 0.8310 time: 0.1404s",
        t=lambda e: 10 * e,
    ),
    P(TENS, A(), B()),
)
case(
    "v54",
    "export const TRAINING_HISTORY: TrainingEpoch[] = [\n"
    + rep(
        "  {{ epoch: {t}, loss_train: {a:.4f}, loss_val: {b:.4f}, acc_train: 48.2, acc_val: 46.8 }},",
        t=lambda e: 10 * e,
    )
    + "];\n",
    P(TENS, A(), B()),
)
case(
    "v55",
    rep(
        "Epoch {s}: disentanglement_loss_train: 0.0000",
        "Epoch {s}: disentanglement_loss_val: 0.0000",
        "Epoch {s}: structural_loss_train: {a:.4f} | attribute_loss_train: 0.7419 | structural_roc_train: 0.5504",
        "Epoch {s}: structural_loss_val: {b:.4f} | attribute_loss_val: 0.7659 | structural_roc_val: 0.5749",
    ),
    P(H, None, None),
)
case("v56", rep("étape {s}: perte d'entraînement {a:.4f}, perte de validation {b:.4f}"), P(H, A(), B(), "step"))
case(
    "v57",
    rep("iter {s}/600 · train {a:.2f} · val {b:.2f} · 0,9 it/s · reste 9 min").replace(".", ","),
    P(H, A(), B(), "step"),
)
case(
    "v58",
    rep(
        "EPOCH {e} - TRAINING...",
        "\t[TRAIN] LOSS: {a:.9f}, ACCURACY: 0.8\n",
        "EPOCH {e} - VALIDATING...",
        "\t[VALID] LOSS: {b:.9f}, ACCURACY: 0.7\n",
    ),
    P(E6, A(), B()),
)
case(
    "v59",
    rep(
        "2021-03-04 11:12:1{e}.123456 epoch {e}/6 metrics:",
        "\t[train] loss: {a:.9f}, f1_score: 0.412345678, jaccard_idx: 0.312345678",
        "\t[valid] loss: {b:.9f}, f1_score: 0.412345678, jaccard_idx: 0.312345678",
    ),
    P(E6, A(), B()),
)
case(
    "v60",
    rep("(000{s}/000600)[Train] loss: {a:.6f}, acc: 0.612345 [Valid] loss: {b:.6f}, acc: 0.512345 "),
    P(H, A(), B(), "step"),
)
case(
    "v61",
    rep(
        ">>>>>>> [Epoch {k}]",
        ">>>>>>> [Train] Loss: {a:.15f}, Accuracy: 0.61",
        ">>>>>>> [Valid] Loss: {b:.15f}, Accuracy: 0.58, F1 macro: 0.51, F1 weighted: 0.52",
    ),
    P(K, A(), B()),
)
case(
    "v62",
    rep(
        "EPOCH {e} SUMMARY",
        "-" * 72,
        "✅ [TRAIN] Loss: {a:.4f} | CE: 0.9123 | Dice: 0.7123 | mIoU(full): 0.4123 | mIoU(patch): 0.4312",
        "📊 [VALID] Loss: {b:.4f} | CE: 0.8123 | Dice: 0.8123 | mIoU(full): 0.3912 | mIoU(patch): 0.4012",
        "🔧 [OPT] LR: 0.000100",
    ),
    P(E6, A(), B()),
)
case(
    "v63",
    rep(
        "Epoch [{e}/6]",
        "  [Train] Loss: {a:.4f} | Dice: 0.8123 | IoU: 0.7123",
        "  [Valid] Loss: {b:.4f} | Dice: 0.7123 | IoU: 0.6123",
        "  [ LR  ] Current Learning Rate: 0.000100",
    ),
    P(E6, A(), B()),
)
case(
    "v64",
    rep(
        "",
        "",
        "[Train] Losses: ",
        "\tCE avg: {a:.4f} ",
        "\tFocal: 0.3456 ",
        "\tDice: 0.2345",
        "",
        "",
        "[Valid] Losses: ",
        "\tCE avg: {b:.4f} ",
        "\tFL avg: 0.4567 ",
        "\tDSC avg: 0.3456 (DSC Best: 0.3456)",
        "",
    ),
    P(TWOS, A(), B(), "place"),
)
case(
    "v65",
    rep("Epoch : {k}, Train: loss = {a:.2f}, acc = 0.51. Validation: loss = {b:.2f}, acc = 0.52."),
    P(K, A(), B()),
)
case(
    "v66",
    rep(
        "Epoch: 0: Step: {s}/600, loss={a:.6f}, lr=0.000010",
        "NLL Validation: loss = {b:.6f}. correct prediction ratio  123/456 ~  0.269737",
    ),
    P(H, A(), B(), "step"),
)
case(
    "v67",
    rep(
        "Epoch {e} | Step 100/200 | Loss: {c:.4f}",
        "Epoch {e} | Step 200/200 | Loss: {a:.4f}",
        "",
        "--- Epoch {e} Validation: Loss = {b:.4f}, Accuracy = 56.00% ---",
        "",
        c=lambda e: a(e) + 0.1,
    ),
    P(
        [200 * e for e in E6],
        lambda t: len(t) == 6 and all(abs(x - a(e)) < 0.11 for e, x in zip(E6, t, strict=False)),
        B(),
        "step",
    ),
)
case(
    "v68",
    rep(
        "Epoch   {e}/  6 - Batch 100/100 | Training  : loss = {a:.5f}, accuracy = 0.51234",
        "Epoch   {e}/  6 | Validation: loss = {b:.5f}, accuracy = 0.50123",
    ),
    P(E6, A(), B()),
)
case(
    "v69",
    rep("Train Epoch: {e} Itr: {s} Loss: {a:.6f}", "Valid Epoch: {e} Itr: {s} Loss: {b:.6f}"),
    P(H, A(), B(), "step"),
)
case(
    "v70",
    rep(
        "Epoch {e}",
        "Avg. training loss at the end of epoch  {a:.3f}",
        "Avg. validation loss at the end of epoch  {b:.3f}",
    ),
    P(E6, A(), B()),
)
case(
    "v71",
    rep(
        "INFO  | 2021-03-04 11:12:13,123 | runner.py | line 112 : Loss @ epoch 000{e} iteration 00000{s} = {a:.6f}",
        "INFO  | 2021-03-04 11:12:14,123 | runner.py | line 160 : Avg. Validation Loss = {b:.9f} +- 0",
    ),
    P(H, A(), B(), "step"),
)
case(
    "v72",
    rep(
        "Step {s}/600 - Total: 0.80s | Forward: 0.01s |Backward: 0.01s | Optim: 0.00s |Loss:  {a:.2f} | eval loss:  {b:.2f}"
    ),
    P(H, A(), B(), "step"),
)


# what tools of tables, of progress and of boosting print, with the numbers of this file
HISTORY = [{"epoch": e, "train_loss": a(e), "val_loss": b(e), "acc": 0.5} for e in E6]
HTML = "".join(f"<tr><th>{e}</th><td>{a(e):.4f}</td>\n<td>{b(e):.4f}</td></tr>\n" for e in E6)
SCALARS = {f"/runs/x/loss/{side}": [[1.7e9 + e, e, f(e)] for e in E6] for side, f in (("train", a), ("val", b))}
case(
    "v73",
    f"<table border='1'><tr><th>epoch</th><th>train_loss</th><th>val_loss</th></tr>\n{HTML}</table>",
    P(E6, A(), B()),
    ".html",
)
case(
    "v74",
    json.dumps(
        {"columns": ["epoch", "train_loss", "val_loss"], "index": list(K), "data": [[e, a(e), b(e)] for e in E6]}
    ),
    P(E6, A(), B()),
    ".json",
)
case("v75", repr(HISTORY), P(E6, A(), B()))
case(
    "v76",
    repr([{**row, "best": row["epoch"] == 3, "note": None} for row in HISTORY]).replace("}, ", "},\n "),
    P(E6, A(), B()),
)
case("v77", json.dumps(SCALARS), P(E6, A(), B(), "step"), ".json")
case(
    "v78",
    rep("[{e}]\ttrain's binary_logloss: {a:.6f} + 0.00550245\tvalid's binary_logloss: {b:.6f} + 0.00630031"),
    P(E6, A(), B(), "step"),
)
case(
    "v79",
    rep("[{k}]\ttrain-mae:{a:.5f}+0.00757\ttest-mae:{b:.5f}+0.01398")
    + "   train-mae-mean  train-mae-std  test-mae-mean  test-mae-std\n"
    + rep("{k}        {a:.6f}       0.007569       {b:.6f}      0.013976"),
    P(K, A(), B(), "step"),
)
case(
    "v80",
    rep("[{t}]\ttrain's l2: {a:.6f}\tval's l2: {b:.6f}", t=lambda e: 10 * e)
    + "Early stopping, best iteration is:\n[37]\ttrain's l2: 1.01234\tval's l2: 1.08123\n",
    P(TENS, A(), B(), "step"),
)
case(
    "v81",
    rep(
        "[11/29/26 02:56:2{e}] INFO     Epoch {e}/6 finished: training  run.py:214",
        " " * 29 + "loss {a:.4f}, validation loss             ",
        " " * 29 + "{b:.4f}, lr 0.001                         ",
    ),
    P(E6, A(), B()),
)
case(
    "v82",
    rep(
        "Epoch {k}/5 ━━━━━━━━━━━━━━ 1/1 0:00:00 • 0:00:00 0.00it/s v_num: 0.000      ",
        " " * 62 + "train_loss_step:  ",
        " " * 62 + "{a:.3f}             ",
        " " * 62 + "train_loss_epoch: ",
        " " * 62 + "{a:.3f} valid_loss: ",
        " " * 62 + "{b:.3f}             ",
    ),
    P(K, A(), B()),
)
case(
    "v83",
    "               0     1       2      3     4       5\n"
    "train_loss  "
    + "  ".join(f"{a(e):.4f}" for e in E6)
    + "\n"
    + "val_loss    "
    + "  ".join(f"{b(e):.4f}" for e in E6)
    + "\n",
    P(K, A(), B()),
)

# ruff: noqa: E501, F403, F405, RUF001
"""Logs in forms that nobody here had seen (third round): the right reading was written down before the reader was run."""

from fresh_forms import *


def near(tol):
    return lambda t: len(t) == 6 and all(abs(x - a(e)) <= tol for e, x in zip(E6, t, strict=False))


case(
    "s01",
    rep("Epoch {e:3d}/6 | Train Loss: {a:.5f} | Val Loss: {b:.5f} | Time: 2.7s")
    + "\nTraining complete. Best val loss: 0.95000\n",
    P(E6, A(), B()),
)
case(
    "s02",
    rep(
        "    Epoch {e:02d}: 100%|██████████| 788/788 [02:07<00:00,  6.19it/s]",
        "",
        "",
        "    Epoch {e:02d} | Train Loss: {a:.4f} | Val Loss: {b:.4f}",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "s03",
    rep("Epoch {t:3d}/60 - Train Loss: {a:.4f} (Acc: 85.0%) | Val Loss: {b:.4f} (Acc: 83.3%)", t=lambda e: 10 * e)
    + "[Early Stopping] Model converged in 1.48 seconds.\n",
    P([10 * e for e in E6], A(), B()),
)
case(
    "s04",
    "Created 250 training sequences from 50 patients\nTrain samples: 175\nVal samples: 25\nTest samples: 50\n\n"
    + rep("Epoch [{e:3d}/100] | Train Loss: {a:.4f} | Val Loss: {b:.4f} | Val MAE: 2.34 cc")
    + "...\nTraining complete!\nTest MAE: 1.67 cc\n",
    P(E6, A(), B()),
)
case(
    "s05",
    rep("#Training epoch {e}", "#Training loss: {a:.4f}", "#Valid loss: {b:.4f}", "#Valid acc: 0.3654", "#"),
    P(E6, A(), B()),
)
case(
    "s06",
    rep(
        "[INFO] Epoch {k}: train loss = {a:.5f} ({a:.5f}, 0.00000, 0.00000, 0.00000); validation loss = {b:.5f} ({b:.5f}, 0.00000, 0.00000, 0.00000); best validation loss = inf",
        "[INFO] Model saved to '/home/me/out/best_model.pt'",
    ),
    P(K, A(), B()),
)
case(
    "s07",
    rep(
        "EPOCH{e}...",
        "Train accuracy:0.9993|Validation Accuracy=0.9943",
        "Train loss:{a:.5f}|Validation loss = {b:.5f}",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "s09",
    rep("Epoch {t}:", "Train Loss = {a:.4f}", "Validation Loss = {b:.4f}", "", t=lambda e: 10 * (e - 1)),
    P([0, 10, 20, 30, 40, 50], A(), B()),
)
case("s10", rep("  - Epoch {e}: Training loss = {a:.3f}, Validation loss = {b:.3f}"), P(E6, A(), B()))
case(
    "s11",
    rep(
        "Iteration {k}",
        "{{'k': 3, 'hidden_dim': 112, 'spectral_radius': 1.2940912584107198, 'p': 0.10919}}",
        "validation loss = {b:.12f}",
    ),
    R("only validation losses"),
)
case("s12", rep("    Epoch [{s}/20000], Loss: {a:.16f}, Eval Loss: {b:.16f}"), P(H, A(), B()))
case("s13", "Epoch 1:\n" + rep("  Step {s} | Loss: {a:.4f} | Eval Loss: {b:.4f}  # still fine"), P(H, A(), B(), "step"))
case(
    "s14",
    rep("  - Step {s}: Train Loss = `{a:.4f}`, Val Loss = `{b:.4f}`, Val PPL = `9.12` (smooth)"),
    P(H, A(), B(), "step", errors=("log/perplexity",)),
)
case("s15", rep("第{e}轮训练完成，训练损失: {a:.4f}") + "训练完成，最佳验证损失: 0.0008\n", R("no validation loss"))
case(
    "s16",
    rep(
        "--- Epoch {e}/30 ---",
        "Epoch {e} 完成. 耗时: 3000s",
        " [总结] 训练损失: {a:.4f} | 验证损失: {b:.4f}",
        "(新最佳模型! ...)",
    ),
    P(E6, A(), B()),
)
case(
    "s18",
    rep(
        "Epoch {e} 학습 손실: {a:.4f}",
        "Epoch {e} 검증 손실: {b:.4f}, 정확도: 71.00%",
        "새로운 최고 검증 손실: {b:.4f}, 모델 저장 중...",
    ),
    P(E6, A(), B()),
)
case(
    "s20",
    rep(
        "2024-01-01 10:00:00 - INFO - Epoch {e}/6 - 訓練損失: {a:.4f}",
        "2024-01-01 10:00:09 - INFO - Epoch {e}/6 - 検証損失: {b:.4f}, コサイン類似度: 0.7123",
    ),
    P(E6, A(), B()),
)
case(
    "s21",
    rep("iter {s}/600 · train {a:.2f} · val {b:.2f} · 0.9 it/s · reste 9 min").replace(".", ","),
    P(H, [round(x, 2) for x in A()], [round(x, 2) for x in B()], "step", says=("does not say",)),
)
case(
    "s23",
    rep(
        "[air209] 2021-10-18 23:44:50,895 (trainer:250) INFO: {e}epoch results: [train] iter_time=7.550, forward_time=0.952, l1_loss=0.989, mse_loss=0.840, bce_loss=0.130, attn_loss=0.004, loss={a:.3f}, backward_time=0.883, optim_step_time=0.011, lr_0=0.001, train_time=9.588, time=1 hour, 19 minutes and 54.41 seconds, total_count=500, [valid] l1_loss=0.889, mse_loss=0.740, bce_loss=0.120, attn_loss=0.003, loss={b:.3f}, time=2 minutes and 3.1 seconds, total_count=20"
    ),
    P(E6, A(), B()),
)
case(
    "s24",
    rep(
        "[Fold 1, Epoch {e}]  lr: 0.0001000",
        "(Train) Loss: {a:.3f}, ",
        "(Train) RV: 0.812, Myo: 0.712, LV: 0.912",
        "(Valid) Loss: {b:.3f}, ",
        "(Valid) RV: 0.712, Myo: 0.612, LV: 0.812",
    ),
    P(E6, A(), B()),
)
case(
    "s25",
    "".join(
        f"\r[{e}] (train) loss: {a(e):.8f}, (valid) loss: {b(e):.8f} [best: 0.95000000, wait: 0]: {e * 100 // 6:3d}%|███   | {e}/6 [00:10<00:50,  1.1s/it]"
        for e in E6
    )
    + "\n",
    P(E6, A(), B(), "step"),
)
case(
    "s26",
    rep(
        "Training Epoch: {e} [128/50000]\tLoss: {x:0.4f}\tLR: 0.100000",
        "Training Epoch: {e} [50000/50000]\tLoss: {a:0.4f}\tLR: 0.100000",
        "epoch {e} training time consumed: 12.34s",
        "Evaluating Network.....",
        "Test set: Epoch: {e}, Average loss: {b:.4f}, Accuracy: 0.4123, Time consumed:3.12s",
        "",
        x=lambda e: a(e) + 0.1,
    ),
    P([50000 * e for e in E6], A(), B(), "step"),
)
case(
    "s27",
    rep(
        "Epoch: {e}/20. Train set: Average loss: {a:.4f}\tAverage nonzero triplets: 12.3",
        "Epoch: {e}/20. Validation set: Average loss: {b:.4f}\tAverage nonzero triplets: 10.1",
    ),
    P(E6, A(), B()),
)
case(
    "s28",
    rep(
        "Epoch: {e}. Learning rate: 1.000. Train Perplexity: {p:.3f}. Dev Perplexity: {q:.3f}. ",
        p=lambda e: math.exp(a(e)),
        q=lambda e: math.exp(b(e)),
    ),
    P(E6, A(), B()),
)
case(
    "s29",
    rep("Iter {e}/600 Loss: 0.012345 RMSE train: {a:.6f} RMSE valid: {b:.6f} best RMSE valid: 0.950000 lr: 1.000e-03"),
    P(E6, A(), B(), "step"),
)
case(
    "s30",
    rep("Epoch {e:02d} | train {a:.3f} (c0.20, r0.30) | val {b:.3f} (c0.31, r0.41), rmse: 0.312 | 1.2s"),
    P(E6, A(), B(), says=("does not say",)),
)
case(
    "s31",
    rep("# -> epoch {e:2d} | train loss {a:.3f} acc {acc:.1f}% | val loss {b:.3f} acc {acc:.1f}%"),
    P(E6, A(), B()),
)
case(
    "s32",
    rep(
        "Epoch {e} | Train: Loss={a:.4f} Batch_id=390 Accuracy=73.68: 100%|██████████| 391/391 [00:39<00:00, 9.90it/s]",
        "",
        "Test set: Average loss: {b:.4f}, Accuracy: 7420/10000 (74.20%)",
        "",
    ),
    P(E6, A(), B()),
)
case("s33", rep("#Epoch {e} Train Loss: {a:.16f}", "#Epoch {e} Loss in Validation data {b:.16f}"), P(E6, A(), B()))
case(
    "s34",
    rep(
        "# (train: {e} ): 100%|##########| 272/272 [00:03<00:00, 68.98it/s, train_loss={x:.3f}]",
        "# (valid: {e} ): 100%|##########| 5/5 [00:03<00:00,  1.40it/s, train_loss={y:.3f}]",
        "# epoch {e} train loss: {a:.3f} valid loss {b:.3f} auc 0.587",
        x=lambda e: a(e) + 0.01,
        y=lambda e: b(e) + 0.1,
    ),
    P([3 * e for e in E6], near(0.011), B(), "place"),
)
case(
    "s35",
    "--- step 0 | train 3.346 val 3.339 ---\nstep    0 train 3.340 val 3.335\n"
    + rep("step {s:4d} train {a:.3f} val {b:.3f}"),
    P([0, *H], None, None, "step", says=("does not say",)),
)
case(
    "s36",
    rep(
        "#=> epoch {e} train loss {a:.9f} train accuracy 99.3066668510437 test loss {b:.9f} test accuracy 98.51999878883362",
        "#=> INFO:tensorflow:Assets written to: mnist/epoch/{e}/assets",
    ),
    P(E6, A(), B()),
)
case(
    "s37",
    "".join(f"Epoch {e}: Train Loss = {a(e):.4f}, Val Loss = {f'{b(e):.4f}' if e % 2 == 0 else 'N/A'}\n" for e in E6),
    P([2, 4, 6], [a(e) for e in (2, 4, 6)], [b(e) for e in (2, 4, 6)]),
)
case("s38", rep("[Epoch: {e}/6] [objective: {a:.3f}]"), R("no validation loss"))
case(
    "s39",
    rep("Epoch: {e:04d} loss_train: {a:.4f} acc_train: 0.3123 loss_val: {b:.4f} acc_val: 0.4123 time: 0.0123s")
    + "Optimization Finished!\nTotal time elapsed: 3.1234s\nTest set results: loss= 0.9123 accuracy= 0.8123\n",
    P(E6, A(), B()),
)
case(
    "s41", rep("Step: {s}\tLoss (train): {a:.4f}\tLoss (val): {b:.4f}\tAccuracy (val): 0.6123"), P(H, A(), B(), "step")
)
case(
    "s42",
    rep("====> Epoch: {e} Average loss: {a:.4f}", "====> Validation loss (average) after epoch {e}: {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "s43", rep("step {s} loss: {a:.7f} (0.1234s)", "==> validation loss at step {s}: {b:.12f}"), P(H, A(), B(), "step")
)
case("s45", rep("Train Loss after {e} epochs: {a:.12f}", "Val Loss after {e} epochs: {b:.12f}"), P(E6, A(), B()))
case("s46", rep("train loss on epoch {e}: {a:.3f}", "test loss on epoch {e}: {b:.3f}"), P(E6, A(), B()))
case("s47", rep("Iteration {s}: loss = {a:.4f}    Validation loss = {b:.4f}"), P(H, A(), B(), "step"))
case("s50", rep("{{'epoch': {e}, 'train_loss': {a:.6f}, 'val_loss': {b:.6f}, 'lr': [0.001]}}"), P(E6, A(), B()))
case(
    "s51",
    rep(
        "step:{s}/600 val_loss:{b:.4f} val_bpb:1.2345 train_time:12345ms step_avg:12.34ms",
        "step:{s}/600 train_loss:{a:.4f} train_time:12346ms step_avg:12.34ms",
    ),
    P(H, A(), B(), "step"),
)
case(
    "s52",
    rep("Step {s:5d} [full] | Loss {a:.4f} | Val BPB 1.2345 | Val Loss {b:.4f} | LR 1.00e-03 | Time 12s"),
    P(H, A(), B(), "step"),
)
case("s53", rep("      epoch {e}: train MSE {a:.4f}  dev MAE {b:.3f} points"), R("one kind"))
case(
    "s54",
    rep(
        "Epoch {e} [EVAL] loss: (train={a:.3f}, val={b:.3f}, test=1.111, l2=0.012), acc: (train=0.512, val=0.412, test=0.413), proc=0.123sec"
    ),
    P(E6, A(), B()),
)
case(
    "s55",
    rep(
        "Step {s}/600 | Loss: {a:.4f} | LR: 1.00e-04",
        "[Eval] loss: {b:.4f}, ppl: {q:.2f} (best)",
        q=lambda e: math.exp(b(e)),
    ),
    P(H, A(), B(), "step"),
)
case(
    "s56", rep("Train Epoch: {e} Itr: {s} Loss: {a:f}", "Valid Epoch: {e} Itr: {s} Loss: {b:f}"), P(H, A(), B(), "step")
)
case(
    "s57",
    "".join(
        "".join(f"Epoch: {e}, Batch: {i}, Avg. Training Loss: {a(e) + (40 - i) / 100}\n" for i in (10, 20, 30, 40))
        + "".join(f"Epoch: {e}, Batch: {i}, Avg. Validation Loss: {b(e) + (4 - i) / 10}\n" for i in (1, 2, 3, 4))
        + "Finished Validating\n"
        for e in E6
    ),
    P([40 + 41 * k for k in K], A(), B(), "step"),
)
case(
    "s58",
    "Epoch,Avg. Training Loss,Avg. Validation Loss,Time per Epoch (sec)\n" + rep("{e},{a:.6f},{b:.6f},12.3"),
    P(E6, A(), B()),
    ".csv",
)
case(
    "s59",
    rep("Epoch {e:2d} | train det_loss: {a:.5f} | test det_loss: {b:.5f} det_mAP: 0.68695 | running time: 49.26 sec"),
    P(E6, A(), B()),
)

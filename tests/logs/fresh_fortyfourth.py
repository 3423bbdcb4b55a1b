# ruff: noqa: E501, F403, F405, ERA001
"""What people print and write by hand, a seventh time (forty-fourth round): every output of six further strings, the right reading first."""

from fresh_forms import *

VALS = R("only validation losses")


def about(wanted, by=0.12):
    """Return a test of values that a local mean may move a little."""
    return lambda found: (
        len(found) == len(wanted) and all(abs(x / y - 1) < by for x, y in zip(found, wanted, strict=True))
    )


# "val loss %.4f"
case(
    "e44-01",
    rep("INFO epoch {e:02d}/6  train loss {a:.4f} acc 0.8123 | val loss {b:.4f} acc 0.7123 | 12s"),
    P(E6, A(), B()),
)
case("e44-02", "Final Eval Loss 0.5123, Train Acc 0.8123, Val Acc 0.7123, Test Acc 0.7012\n", R())
case(
    "e44-03",
    rep(
        "Ep {x:3d} | trn loss {a:.4f} f1 0.812 | val loss {b:.4f} f1 0.712 rec 0.612 auc 0.812 | 12s",
        x=lambda e: 20 * e,
    )
    + "\nBest val F1: 0.712 @ epoch 120\n",
    P([20 * e for e in E6], A(), B()),
)
case(
    "e44-04",
    "Improvement detected (val loss 0.5123 < previous best): checkpoint saved to resnet.pt. Only the best-generalizing weights are persisted (model selection criterion)\nNo improvement for 1 epoch(s), best val loss: 0.5123\n",
    R(),
)
case(
    "e44-05",
    rep(
        "Epoch {x}, Train Loss {a:.4f}, Train Acc 0.8123, Val Loss {b:.4f} (Best {b:.4f}), Val Acc 0.7123 (Best 0.7123), Test Acc 0.7012 (Best 0.7012), Norm 12.3456 (Best 12.3456)",
        x=lambda e: 20 * e - 20,
    ),
    P([20 * k for k in K], A(), B()),
)
case(
    "e44-06",
    rep(
        "Epoch {e}/6 | train loss {a:.4f} tok 0.812 em 0.512 yesno 0.712 | eval loss {b:.4f} tok 0.712 em 0.412 yesno 0.612"
    ),
    P(E6, A(), B()),
)
case("e44-07", rep("epoch {e}/6: train loss {a:.4f} mcc 0.812 | val loss {b:.4f} mcc 0.712 | 12.3s"), P(E6, A(), B()))
case(
    "e44-08",
    rep(
        "=" * 15 + "+" * 15 + "=" * 15,
        "",
        "all_ep_{e}_mae_12.3_mse_23.4",
        "    [mae 12.34 mse 23.45 nae 0.1234], [val loss {b:.4f}]",
        "=" * 15 + "+" * 15 + "=" * 15,
        "",
    ),
    VALS,
)
case(
    "e44-09",
    "last val loss 0.5123 cur val loss 0.4912\n!!!!!!!!!! error val loss increase !!!!!!!!!! last val loss 0.4912 cur val loss 0.4990\n",
    R(),
)
case(
    "e44-10",
    rep(
        "Evaluating validation...",
        "",
        "Epoch {e}/6 | train loss {a:.4f} | val loss {b:.4f} | val acc 71.23% | 12.3s elapsed | ETA 45s",
        "  *** New best model: val acc 71.23%",
    ),
    P(E6, A(), B()),
)
# "training loss: ', train"
case(
    "e44-11",
    "".join(
        "".join(
            f"resnet34_fold0 0.0010000 {0.1 * (e - 1) + 0.05 * k:5.1f} {e - 1:6.1f} | {a(e) + 0.1 - 0.05 * k:0.3f}  0.312  0.212  0.112  |  0 hr 0{e} min\n"
            for k in (1, 2)
        )
        + f"avg training loss:  {a(e)}\nepoch:  {e - 1} loss:  {b(e)} score:  0.7123 0.712 0.713 0.714\n"
        for e in E6
    ),
    R(),
)
case(
    "e44-12",
    "".join(
        f"training loss:  {[round(a(x), 6) for x in range(1, e + 1)]}\nval loss:  {[round(b(x), 6) for x in range(1, e + 1)]}\n"
        for e in E6
    ),
    P(K, A(), B()),
)
case(
    "e44-14",
    rep(
        "Epoch:  {k} , Time:  12.345678 , Training Loss:  {a} , Validation Loss:  {b} , accuracy:  0.7123",
        "############### ",
        "",
    ),
    P(K, A(), B()),
)
case("e44-15", rep("training loss:  {a}", "training accuracy:  [0.7123, 0.9123]"), TRAINS)
case(
    "e44-16",
    "".join(
        f" \ntraining loss:  {[a(x) for x in range(1, e + 1)]}\nval loss:  {[b(x) for x in range(1, e + 1)]}\n \n"
        for e in E6
    )
    + "Training complete in 12m 34s\nBest val Loss: 0.950000\n",
    P(K, A(), B()),
)
case(
    "e44-17",
    rep("Training Loss:  {a} Training Accuracy:  0.8123", "Validation Loss:  {b} Validation Accuracy:  0.7123")
    + "Training time:  123.45678\n",
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "e44-18",
    rep("Training Loss:  {a:.4f}", "Validation Loss:  {b:.4f}", "Validation F1 Score: 0.7123"),
    P([2 * e for e in E6], A(), B(), "place"),
)
case("e44-19", rep("training loss:  {a}"), TRAINS)
case(
    "e44-20",
    rep(
        "Epoch: {k} (0 prunings)",
        "Training Accuracy:  81.23 %",
        "Training Loss:  {a}",
        "Validation Accuracy:  71.23 %",
        "Validataion Loss:  {b}",
        "=" * 50,
    ),
    P(K, A(), B()),
)
# "f'Loss: {loss:.4f}, Val"
case(
    "e44-21",
    "\r 50%|█████     | 100/200 [00:12<00:12,  8.1it/s, loss: 0.5123, val: 0.7123, test: 0.7012]\ntest_mu: 0.7012, test_std: 0.0123 (over 5 runs)\n",
    R(),
)
case("e44-22", rep("Hits@20", "Run: 01, Epoch: {e:02d}, Loss: {a:.4f}, Valid: 45.12%, Test: 44.12%"), TRAINS)
case(
    "e44-23",
    rep(
        "Hits@50",
        "Epoch: {k:02d}, Loss: {a:.4f}, Valid: 45.12%, Test: 44.12%",
        "AP",
        "Epoch: {k:02d}, Loss: {a:.4f}, Valid: 55.12%, Test: 54.12%",
    ),
    TRAINS,
)
# "Validation set: Average loss: {:.4f}"
case(
    "e44-31",
    rep(
        "Train Epoch: {e} \tLoss: {a:.6f}",
        "Best F1: 0.7123",
        "",
        "Validation set: Average loss: {b:.4f}, Accuracy: 0.7123, Precision: 0.7012, Recall: 0.6912, F1: 0.6960, AUROC: 0.8123",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "e44-32",
    "".join(
        "".join(
            f"Train Epoch: {e} [{640 * k}/2000 ({32 * k}%)]\tLoss: {2 / (e + k / 3) + 0.5:.6f}\n" for k in (0, 1, 2, 3)
        )
        + f"\nValidation set: Average loss: {1.5 / (1 + e) + 0.7:.4f}, Accuracy: 312/400 (78%)\n\n"
        for e in (1, 2, 3)
    ),
    P(
        [1920, 3920, 5920],
        about([2 / (1 + e) + 0.5 for e in (1, 2, 3)]),
        [1.5 / (1 + e) + 0.7 for e in (1, 2, 3)],
        "step",
    ),
)
case(
    "e44-33",
    rep("", "Validation set: Average loss: {b:.4f}, PSNR: (31.23 dB), SSIM: (0.91)", ""),
    VALS,
)
case(
    "e44-34",
    rep("Epoch: {e}/6. Train set: Average loss: {a:.4f}", "Epoch: {e}/6. Validation set: Average loss: {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e44-35",
    "".join(
        "".join(f"[{e}, {2000 * k:5d}] loss: {2 / (e + k / 6) + 0.5:.3f}\n" for k in range(1, 7))
        + (
            "Finished Training\n"
            f"\nValidation set: Average loss: {1.5 / (1 + e) + 0.7:.4f}, Accuracy: 7123/10000 (71%)\n\n"
        )
        for e in (1, 2, 3)
    ),
    P(
        [12000, 24001, 36002],
        about([2 / (1 + e) + 0.5 for e in (1, 2, 3)]),
        [1.5 / (1 + e) + 0.7 for e in (1, 2, 3)],
        "step",
    ),
)
case(
    "e44-39",
    rep("Train Epoch: {e} \tLoss: {a:.6f}", "Validation set: Average loss: {b:.4f}", ""),
    P(E6, A(), B()),
)
case(
    "e44-40",
    rep(
        "Train Epoch: {e} Average loss: {a:.4f} (Tot: 1.2345, Emb: 0.5123, CtrQ: 0.3123, CtrU: 0.4123), Embedding Accuracy: 0.8123",
        "",
        "Validation set: Average loss: {b:.4f} (Tot: 1.3345, Emb: 0.6123, CtrQ: 0.4123, CtrU: 0.5123), Embedding Accuracy: 0.7123",
        "",
    ),
    P(E6, A(), B()),
)
# "eval_loss: {eval_loss"
case(
    "e44-41",
    rep("Epoch {e} [pretrain]", "train_loss: {a}", "eval_loss: {b}", "time: Sun Nov 29 12:30:1{e} 2026", ""),
    P(E6, A(), B()),
)
case("e44-42", rep("epoch {k}: eval_acc: 0.7123456789 train_loss: {a:.4f} eval_loss: {b:.4f}"), P(K, A(), B()))
case(
    "e44-43",
    "".join(f"train_loss: {a(e - 0.5)}\ntrain_loss: {a(e)}\neval_loss: {b(e):.4f}, acc: 0.7{e}12\n" for e in E6),
    P([3 * e for e in E6], lambda v: all(abs(x / a(e) - 1) < 0.2 for x, e in zip(v, E6, strict=True)), B(), "place"),
)
case(
    "e44-44",
    rep(
        "epoch: {e}, total time cost:12.345678",
        "best_epoch: {e}",
        "eval_loss: {b}",
        "save parameters to file: out/epoch_best.params",
    ),
    VALS,
)
case(
    "e44-45",
    "*****eval metrics*****\neval_loss: 0.5123456\neval_runtime: 12.34\neval_samples: 400\neval_samples_per_second: 32.1\nAspect Accuracy: 0.7123\nAspect f1score macro : 0.7012\n",
    VALS,
)
case(
    "e44-46",
    "\neval_loss: 0.512345\neval_examples: 400\n\n--- SAMPLE DATA (verify these are high quality) ---\nPROMPT: What is 3 + 4?\nRESPONSE: 7\n---\n",
    VALS,
)
case(
    "e44-47",
    "".join(
        "".join(f"{{'epoch': {e - 1}, 'step': {100 * k}, 'loss': {2 / (e + k / 4) + 0.5}}}\n" for k in range(4))
        + f"epoch : {e - 1}, train_loss: {2 / (0.5 + e) + 0.5}\nepoch : {e - 1}, eval_loss: {1.5 / (1 + e) + 0.7}\n"
        for e in (1, 2, 3)
    ),
    P([0, 1, 2], [2 / (0.5 + e) + 0.5 for e in (1, 2, 3)], [1.5 / (1 + e) + 0.7 for e in (1, 2, 3)]),
)
case("e44-48", rep("11/29/2026 12:30:15 - INFO - __main__ - epoch {k}: perplexity: {p} eval_loss: {b}", p=ex(b)), VALS)
case(
    "e44-49",
    rep("pretrain epoch: {x} | train_loss: {a} | eval_loss: {b}", x=lambda e: 10 * e - 10),
    P([10 * k for k in K], A(), B()),
)
case("e44-50", rep("# <test>: [eval_loss: {b}] [eval_accuracy: 0.7123456789]"), VALS)
# "loss_val.item()"
case("e44-53", rep("Epoch [{x}/600], Loss: {a:.4f}, Val loss: {b:.4f}", x=lambda e: 100 * e), P(H, A(), B()))
case("e44-54", rep("Epoch {k},  Totle Loss {a}"), TRAINS)
case(
    "e44-56",
    "".join(
        f"\rEpoch {e}:  50%|█████     | 20/40 [00:06<00:06,  3.1batch/s, train_loss={a(e) + 0.1}, iou=0.51]\rEpoch {e}: 100%|██████████| 40/40 [00:12<00:00,  3.1batch/s, train_loss={a(e)}, iou=0.51]\n"
        f"Finished training epoch\n\rEpoch {e}: 100%|██████████| 4/4 [00:01<00:00,  3.1batch/s, val_loss={b(e)}, iou=0.41]\nFinished validation epoch\n"
        for e in E6
    ),
    P([40 * e for e in E6], A(), B(), "step"),
)
case("e44-60", rep("L-BFGS Epoch {e}: Loss = {a:.6e}"), TRAINS)

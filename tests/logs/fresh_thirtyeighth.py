# ruff: noqa: E501, F403, F405, RUF001
"""What people print and write by hand (thirty-eighth round): every output that a dozen searches met, the right reading first."""

from fresh_forms import *

VALS = R("only validation losses")
ONES = [2 * e for e in E6]
TENS = [10 * e for e in E6]
LAST = [0.31], [0.42]


def end(values):
    """Say whether values end with one."""
    return lambda found: close(found[-1:], [values])


# prints of a validation loss
case("e38-01", "INFO Early stopping at epoch 31\nINFO Training completed. Best validation loss: 0.412300\n", R())
case(
    "e38-02",
    rep("Epoch {e} \t\t Training Loss: {a} \t\t Validation Loss: {b}") + "Finished Training\n",
    P(E6, A(), B()),
)
case(
    "e38-03", rep("Epoch: {e:03d}, Training Loss: {a:.4f}", "Epoch: {e:03d}, Validation Loss: {b:.4f}"), P(E6, A(), B())
)
case(
    "e38-04",
    "Evaluation report: runs/run_3/evaluation.md\nCheckpoint selection: val_macro_f1=0.812345\nSelected checkpoint validation loss: 0.412300\n",
    R(),
)
case(
    "e38-05",
    rep(
        "Epoch {k} Training Loss: {a}",
        "Epoch {k} Validation Loss: {b}",
        "Epoch {k} Test Loss: 1.75\n",
        "\nVALID:",
        "Valid Accuracy: 0.{acc}",
        "\nTEST:",
        "Test Accuracy: 0.5{k}",
    ),
    P(K, A(), B()),
)
case("e38-06", rep("Validation Loss: {b} Mae: 3.1{k}"), VALS)
case("e38-07", rep("Round {e}, Validation Loss: {b:.2f}, Validation Accuracy: {acc:.2f}%") + "Finished Update\n", VALS)
case("e38-08", rep("Epoch [{e}/6], Validation Loss: {b}, Validation Accuracy: {acc:.2f}%"), VALS)
case("e38-09", rep("Epoch {e:>3}/6 - Loss: {a:>6.3f}  - Validation loss: {b:>6.3f}"), P(E6, A(), B()))
case("e38-10", rep("Validation Loss: {b:.4f}, Validation Accuracy: 0.{acc}", x=lambda e: e), VALS)
# logged with percent signs
case(
    "e38-11",
    rep(
        "Epoch {e}/6 - Train Loss: {a:.4f}, Val Loss: {b:.4f}, SQL Acc: {acc:.1f}% (3.{e}s)",
        "  [SQL Eval] Accuracy: {acc:.2f}% (1.{e}s)",
    ),
    P(E6, A(), B()),
)
case(
    "e38-12",
    rep(
        "global step {s}, epoch: 1, batch: {s}, loss: {a:.6f}, speed: 2.1{e} step/s",
        "Total 128 samples.",
        "eval loss: {b:.6f}, precision: 0.{acc}, recall: 0.6{e}, f1: 0.6{k}",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e38-13",
    rep("Epoch: [{e}/6] | Train Loss: {a:0.4f} | Val Loss: {b:0.4f} | Time Elapsed(s): 12.3{e}"),
    P(E6, A(), B()),
)
case(
    "e38-14",
    rep("Train loss: {a:.6f}, val loss: {b:.6f}, train accuracy: 0.{acc}0000, val accuracy: 0.4{e}0000"),
    P(E6, A(), B(), "place"),
)
case("e38-15", "".join(f"[Epoch {e:03d}] New best val loss: {b(e):.4f}\n" for e in E6), R())
case("e38-16", rep("[EvalCallback] Step: {e}/6, Eval Loss: {b:.4f}."), VALS)
case(
    "e38-17",
    rep("Start Validation", "finish validation", "Epoch: {e}/6", "Total Loss: {a:.3f} || Val loss: {b:.3f}"),
    P(E6, A(), B()),
)
case(
    "e38-18",
    rep("Epoch {e}/6 | Train Loss: {a:.4f} | Val Loss: {b:.4f} | Val Pixel Acc: 0.{acc} | Val mIoU: 0.4{e}"),
    P(E6, A(), B()),
)
case("e38-19", rep("Epoch: {e:.4f}, Val Loss: {b:.4f}, Val Accuracy: 0.{acc}"), VALS)
# "train loss" in a print of its own
case("e38-20", rep("Train loss : {a}", "Valid loss : {b}"), P(ONES, A(), B(), "place"))
case(
    "e38-21",
    rep(
        "ep: {k}. Cat accuracy: 0.{acc}",
        "[[0.91 0.09]",
        " [0.21 0.79]]",
        "[0.52 0.48]",
        "Train Loss {a} Train_acc 0.{acc}",
        "Epoch  {k}  train loss =  {a}  train accuracy =  0.{acc} val loss =  {b} val accuracy =  0.5{k}",
    ),
    P(K, A(), B()),
)
case(
    "e38-22",
    "".join(f"train losses saved: log/losses_{e}.json, log/losses_{e}.png\nmodel saved: model/{e}.pt\n" for e in E6),
    R(),
)
case("e38-23", rep("Train loss epoch[{k}] = {a}", "Val loss epoch[{k}] = {b}"), P(K, A(), B()))
case("e38-24", rep("train loss {a} at batch                       {s}"), TRAINS)
case(
    "e38-25",
    rep("Train loss: {a:.3f} | Train Acc: {acc:.3f}", "Test loss: {b:.3f} | Test Acc: 5{e}.125"),
    P(ONES, A(), B(), "place", says=("test",)),
)
case(
    "e38-26",
    rep(
        "Epoch {e}",
        "Train loss (reg): {r:0.3f}",
        "Train loss: {a:0.3f}",
        "Valid loss: {b:0.3f}",
        "Total elapsed time: 1{e}.20s",
        r=lambda e: a(e) + 0.2,
    ),
    P(E6, A(), B()),
)
case("e38-27", rep("Train loss:  {a}"), TRAINS)
case(
    "e38-28",
    rep("Epoch {k}:", "Train loss: {a}", "Valid loss: {b}", "Train acc: {acc}.5%", "Valid acc: 5{k}.25%"),
    P(K, A(), B()),
)
case("e38-29", rep("train loss : {a}", "val loss : {b}", "val acc : 0.{acc}"), P(ONES, A(), B(), "place"))
# "validation loss" in a print of its own
case("e38-30", "Validation Loss: 0.5123, Validation Accuracy: 0.8123\nTest Loss: 0.5312, Test Accuracy: 0.8012\n", VALS)
case(
    "e38-31",
    "".join(
        f"Epoch: {e} \tTraining Loss: {a(e):.6f} \tValidation Loss: {b(e):.6f}\nValidation loss decreased ({'inf' if e == 1 else f'{b(e - 1):.6f}'} --> {b(e):.6f}).  Saving model ...\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "e38-32",
    "".join(
        f"{e}/6 (0m 1{e}s) train loss: {a(e):.3f}, train accuracy: 6{e}.12%, val loss: {b(e):.3f}, val accuracy: 5{e}.31%\nValidation loss decreased: {b(e) + 0.1:.4f} -> {b(e):.4f}\nSaving model...\n"
        for e in E6
    ),
    P(E6, A(), B(), "step"),
)
case(
    "e38-33",
    rep(
        "Epoch:   {e}/100, Batch:  100/ 200, Training Loss Error: {a:>6.3f}, Training Time on 100 Batches: 12 seconds",
        "Validation Loss Error: {b:>6.3f}, Batch Validation Time: 12 seconds",
    ),
    P(E6, A(), B()),
)
case("e38-34", rep("Validation Loss {b}"), VALS)
case("e38-35", "Best model was: adam_3\nValidation loss: 0.4123\nTest loss: 0.4312\n", VALS)
case("e38-36", rep("Validation Loss: {b:.4f}\tTop 1 Validation Accuracy: 0.{acc}"), VALS)
case("e38-37", "validation loss: trough = 0.4123, mean = 0.45\n", R())
case("e38-38", rep("Validation loss: {b}", "Validation accuracy: 0.{acc}"), VALS)
case(
    "e38-39",
    rep(
        "Epoch {e}, LR: 0.001, Training Loss: {a:.4f}, Validation Loss: {b:.4f} Accuracy: 0.{acc} (best 0.{acc}, saved) Time Elapsed: 0:0{e}:12"
    )
    + "Validation loss stopped improving; learning rate reduced to 0.0005\n",
    P(E6, A(), B()),
)
# assigned in an f-string
case("e38-40", rep("Epoch {e} Train loss = {a} Test loss {b}"), P(E6, A(), B(), says=("test",)))
case("e38-41", rep("epoch: {e}, train loss = {a:.6f}, validation loss = {b:.6f}"), P(E6, A(), B()))
case(
    "e38-42",
    rep("Epoch {x}: Train Loss = {a:.4f}, Val Loss = {b:.4f}", x=lambda e: 10 * e - 10)
    + "\n📊 임계값 계산을 위한 검증 데이터 재구성 오차 수집 중...\n임계값: 0.0321\n",
    P([10 * e - 10 for e in E6], A(), B()),
)
case("e38-43", rep("Iteration {s}: Train Loss = {a:.4f}, Test Loss = {b:.4f}"), P(H, A(), B(), "step", says=("test",)))
case(
    "e38-44",
    rep(
        "Epoch {e}: Train Loss = {a:.4f} | Train Cls Loss = 0.51{e}0 | Train Loc Loss = 0.31{e}0 | Train Seg Loss = 0.21{e}0 | Train F1 = 0.{acc} | Train IoU = 0.4{e} | Train Dice = 0.5{e}",
        "Epoch {e}: Val Loss = {b:.4f} | Val Cls Loss = 0.61{e}0 | Val Loc Loss = 0.41{e}0 | Val Seg Loss = 0.31{e}0 | Val F1 = 0.4{e} | Val IoU = 0.3{e} | Val Dice = 0.4{e}",
    ),
    P(E6, A(), B()),
)
case("e38-45", rep("Epoch {e}: Train Loss = {a:.4f}, Val Loss = {b:.4f}, Val MAE = 12.3{e}"), P(E6, A(), B()))
case("e38-46", rep("epoch {e}: train loss = {a:.3f} - validation loss = {b:.3f}"), P(E6, A(), B()))
case(
    "e38-47",
    rep("Epoch {e}: Train Loss = {a:.6f}, Validation Loss = {b:.6f}", "Loss Variance = 0.0021{e}"),
    P(E6, A(), B()),
)
# test losses
case(
    "e38-48",
    rep("Nr. points: 100 - Dim: 3 - Iteration {e}/6 - Train loss: {a} - Test loss: {b}"),
    P(E6, A(), B(), "step", says=("test",)),
)
case("e38-49", "Test Loss: 0.4123, Test Accuracy: 81.23%\n", VALS)
case(
    "e38-50",
    rep(
        "Train Loss: {a:.4f}, Train AUC: 0.{acc}, Train F1-Score: 0.6{e}",
        "Test Loss: {b:.4f}, Test AUC: 0.5{e}, Test F1-Score: 0.4{e}",
        "=================================================================",
    ),
    P(ONES, A(), B(), "place", says=("test",)),
)
case("e38-51", "\nTest Loss: 0.4123 Acc: 0.8123\n\nTest complete in 0m 12s\n", VALS)
case(
    "e38-52",
    "\nEvaluating the model on test data...\n313/313 - 1s - loss: 0.4123 - accuracy: 0.8123 - 1s/epoch - 3ms/step\n\nTest Loss: 0.4123\nTest Accuracy: 81.23%\n",
    VALS,
)
# prose and notes
case(
    "e38-53",
    "We first trained it with only the KL-divergence loss, and we did see the loss decrease over time for both the training and validation datasets. The training loss went from 1.4720 to 0.5812 over 10 epochs (10 epochs due to resource limits).\n",
    R(),
)
case(
    "e38-54",
    "D. torch SGD, normalized, lr=0.05: w(norm-space)=[153.8  18.5  -7.8] rmse=16656\n   loss: 207751.42 -> 235.3625\n",
    R(),
)
case("e38-55", "LOOP STATUS: CLOSED\nTraining loss went from ~10+ to 2.1234\nAdapter size: 1,234,567 params\n", R())
case(
    "e38-56",
    "**The diagnosis was right.** Training loss went from 1.1e-05 to 0.087 and grad\nnorms from 0.0002 to ~11. The task became non-trivial, exactly as predicted.\n\n| recall | base | v2 |\n| --- | ---: | ---: |\n| holdout R@5 | 76.4% | **82.0%** |\n| holdout R@8 | 83.1% | **84.3%** |\n",
    R(),
)
case(
    "e38-57",
    "- Achieve decreasing perplexity on the validation set (training loss went from ~11 to ~6.7 in the first 500 steps)\n",
    R(),
)
case(
    "e38-58",
    "Training loss went from roughly **0.50 in V1 → 0.20 in V4.**\n\nI tested both the base model and the fine-tuned model on 10 emails.\n",
    R(),
)
case(
    "e38-59",
    "right. Learning stayed slow throughout: training loss went from 1.06 to 0.88 over\n8 epochs, where 1.10 is random guessing among three.\n",
    R(),
)
case(
    "e38-60",
    "Run 14's own curve says the same thing from the other side. Val loss went 1.761 → 1.692 → 1.724 →\n1.701 — flat after epoch 1 — while train loss fell 2.03 → 2.01 → 1.51 → 1.46. The model kept\nextracting more from the training set.\n",
    P([1], [1.46], end(1.701)),
)
case(
    "e38-61",
    "- measured answer on epoch extension:\n  medium-v3.1 val loss went 5.04 → 3.27 over 20k steps (1.8 epochs) but the\n  last ~10 evals sit at 3.27-3.29 — **flattened**.\n",
    VALS,
)
case(
    "e38-62",
    "The padded model's val loss went from 1.063 at step 2000 to 1.049\n  at step 16000 while its accuracy went from 96% to 99%.\n",
    R(),
)
case(
    "e38-63",
    "1. PER-ITER LOSS NOISE IS HUGE: individual steps swing 0.8–3.5.\n   The VAL loss (averaged over 100 eval iters) is the real signal.\n\n2. STILL DECLINING: val loss went 2.67 → 2.52 in the last 1000 steps.\n\n3. EXPECTED FINAL VAL LOSS: ~2.3-2.4 by step 47,400 if the trend holds.\n   For reference, GPT-2 124M on OpenWebText gets ~2.85 val loss.\n",
    VALS,
)
case(
    "e38-64",
    "**Q9.** You are 30 minutes into your training run. W&B shows: train loss has gone from 2.31 → 1.82 → 1.61 → 1.32 (healthy decrease), but eval loss went from 2.41 → 2.32 → 2.43 → 2.54 (rising after initial small drop). You are at step 200 of 625 planned steps. What do you do?\n",
    P([1], [1.32], [2.54], "place"),
)
case(
    "e38-65",
    '<strong>Why the val number barely moved.</strong> Val loss went\nfrom 1.741 to 1.718 — a tiny improvement. The thing that\nchanged was the train/val GAP. Train loss got{" "}\n<em>worse</em> (1.476 → 1.623), which is exactly the signature of regularization.\n',
    R(),
)
case(
    "e38-66",
    "After ~8 hours on an RTX 5090 at full blast, the onset model shows:\n- **Epoch 0:** val_f1=0.227, val_loss=1.080\n- **Epoch 1:** val_f1=0.228, val_loss=1.100 (val loss went UP)\n- **Epoch 2:** still training, no improvement visible\n- Train loss plateau: 1.99 → 1.05 (fast), then stuck at ~1.0 for 2+ epochs\n",
    R(),
)
case(
    "e38-67",
    "| Run | Params | Tokens | Context | GPU | Wall time | tok/s | Final train loss | Final val loss | Final val ppl |\n|---|---|---:|---:|---|---|---:|---:|---:|---:|\n| pretrain-180m | 180M | 2B | 4,096 | RTX 3090 | ~19h | 30,806 | 2.925 | 2.955 | 19.21 |\n| pretrain-500m | 500M | 2B | 4,096 | RTX 5090 | ~17h | 34,387 | 2.798 | 2.774 | 16.02 |\n| pretrain-1B | 1.1B | 2B | 4,096 | H100 | ~9h | 61,002 | 2.601 | 2.612 | 13.63 |\n",
    R("runs"),
)
case(
    "e38-68",
    "| Metric | Score | status |\n| :--- | :--- | :--- |\n| **Overall Accuracy (Exact Match)** | **84.15%** | ✅ Pass |\n| **Final Train Loss** | **0.38** | ✅ Stable |\n",
    R(),
)
case(
    "e38-69",
    "🏆 MILESTONE ACHIEVED: TINYGPT CHAT TRAINED, OVERFITTING REPRODUCED\n\n  • Train Loss Before  : 4.8123 (untrained model)\n  • Final Train Loss   : 1.2123 (drop: -3.60, needed < 3.00)\n  • Test Loss Before   : 4.8231 (untrained model)\n  • Final Test Loss    : 3.4512\n",
    P([2], [1.2123], [3.4512], "place", says=("test",)),
)
case(
    "e38-70",
    "   Final train loss: 0.0512\n   Final val loss: 0.0634\n\n🔬 Causal analysis of regret...\n",
    P([2], [0.0512], [0.0634], "place"),
)
case(
    "e38-71",
    "| Metric | Vanilla | Cosmic | Winner |\n|--------|---------|---------|--------|\n| **Parameters** | 1,234,567 | 912,345 | 🏆 Cosmic |\n| **Initial Train Loss** | 4.8123 | 4.7912 | - |\n| **Final Train Loss** | 2.1123 | 2.0123 | 🏆 Cosmic |\n| **Final Val Loss** | 2.3123 | 2.2123 | 🏆 Cosmic |\n| **Perplexity** | 10.10 | 9.14 | 🏆 Cosmic |\n",
    R(),
)
case(
    "e38-72",
    "- Key details:\n  - Final step: `20000`\n  - Final train loss: `2.7055`\n  - Final val loss / ppl: `2.9979 / 20.04`\n  - Best val step: `18000`\n  - Best val loss / ppl: `2.9780 / 19.65`\n  - Best test loss / ppl: `3.1609 / 23.59`\n  - Elapsed time at step `20000`: `239.71` minutes\n",
    P([20000], [2.7055], [2.9979], "step"),
)
case(
    "e38-73",
    "| | |\n|---|---|\n| Trained on | 16.4M positions, 8 epochs, final train loss 0.005883 |\n| Network | (768 -> 256)x2 -> 32 -> 1, 213,313 parameters, 0.85 MB |\n",
    R(),
)
case(
    "e38-74",
    "\nunet_small TRAINING SUMMARY:\n - speed 1.21 batch/s\n - final train loss: 0.12\n - final test loss: 0.15\n - total time: 1h 12min\n - total epoch: 40\n - epoch per hour: 33 epoch/h\n",
    P([2], [0.12], [0.15], "place", says=("test",)),
)
case(
    "e38-75",
    "| User | Run # | Final Train Loss | Final Val Loss | Result |\n| :--- | :---: | :--- | :--- | :--- |\n| **Sam** | 1 | 0.3751 | 0.7829 | — |\n| **Sam** | 2 | 0.007548 | 0.564752 | ✅ Match |\n| **Kim** | 1 | 0.007512 | 0.564712 | ✅ Match |\n| **Kim** | 2 | 0.007512 | 0.564712 | ✅ Match |\n",
    R("runs"),
)
# questions
case(
    "e38-76",
    "My model has training loss of 0.21 and validation loss of 0.37. Is it overfitting??\n",
    P([1], [0.21], [0.37], "place"),
)
case(
    "e38-77",
    "**Summary table from this run:**\n\nEpoch\ttrain/loss (avg)\tval/loss\t\n0\t2.5\t2.2\t\n1\t1.5\t1.45\tval jumps UP\n2\t1.1667\t1.2\t\n3\t1.0\t1.075\t\n4\t0.9\t**1.0**\t**best val**\n5\t**0.8333**\t0.95\tval rises again\n**why monitoring `val/loss`:**\n",
    P(K, A(), B()),
)
case(
    "e38-78",
    "My training loss is 0.44 and my val loss is 0.63. Is the model overfitting?\n",
    P([1], [0.44], [0.63], "place"),
)
case("e38-79", rep("Epoch {e}, Loss: {a}, ValLoss: {b}"), P(E6, A(), B()))
case(
    "e38-80",
    "The training loss decreased through epochs\nBut validation loss kept decreasing and increasing \nIt ranged from 0.26 to 0.38\nDid the same happen to you ?\n",
    R(),
)
case(
    "e38-81",
    "As you can see, the training loss start at 3.14 while 6.18 for the validation loss (i.e. validation loss is twice the training loss). It must have an error in the code.\n",
    R(),
)
case(
    "e38-82",
    "In my training, \nthe loss in first epoch is about 5,\nafter about 60 epochs the loss is about 1,\nthe loss maybe not satisfied.\n",
    R(),
)
case(
    "e38-83",
    rep("Epoch {e}: train loss: {a:.2f} - validation loss: {b:.2f}", "")
    + "As can be seen, after first epoch the validation error is slightly lower than training loss.\n",
    P(E6, A(), B()),
)
case(
    "e38-84",
    "".join(
        f">>>>> regime at lr={lr}\n"
        + "".join(
            f"Epoch {e}/3\n718/718 [==============================] - 167s - loss: {a(e):.4f} - acc: 0.95 - val_loss: {b(e):.4f} - val_acc: 0.97\n"
            for e in (1, 2, 3)
        )
        for lr in (0.009999999776, 0.001000000047, 9.99999974e-05)
    ),
    P([1, 2, 3], A(3), B(3), runs=3),
)
case(
    "e38-85",
    "Add a dropout schedule that ramps dropout from 0.1 to 0.15 starting at epoch 7. Got val loss 3.368. Logs are provided in dropout schedule val loss 3.368.log.\n",
    VALS,
)
case(
    "e38-86",
    "I'm also noticing that the initial loss values are high. Epoch 1/2\ntrain_loss: 0.3120 val_loss: 0.4210\nEpoch 2/2\ntrain_loss: 0.2512 val_loss: 0.4012\n",
    P([1, 2], [0.312, 0.2512], [0.421, 0.4012]),
)
case(
    "e38-87",
    "  3. Example\n\nepoch 8 epoch 50 epoch 100 epoch 200\ntraining loss 2.9 1.18 .98 .75\nvalidation loss 2.4 1.0 .67 .45\nF1 score - weighted .55 .75 .86 .90\n",
    P([8, 50, 100, 200], [2.9, 1.18, 0.98, 0.75], [2.4, 1.0, 0.67, 0.45]),
)
case("e38-88", rep("epoch: {e}; loss: {a:.8f}"), R())
# averages
case(
    "e38-89",
    rep(
        "Train Epoch: {e} [0/6000] | Loss: 9.1234 | Recon: 8.1234 | KL: 1.0000",
        "====> Epoch: {e} Average Training Loss: {a:.4f} | Recon: 0.5{e} | KL: 0.0{e}",
        "====> Epoch: {e} Average Test Loss: {b:.4f} | Recon: 0.6{e} | KL: 0.0{e}",
    ),
    P(E6, A(), B(), says=("test",)),
)
case(
    "e38-90",
    "".join(
        f"Epoch [{e}/6], Step [100/200], Loss: {a(e) + 0.3:.4f}\nEpoch [{e}/6], Step [200/200], Loss: {a(e) + 0.1:.4f}\nAverage training loss: {a(e):.4f}\nEvaluating on the development set...\nAverage dev loss: {b(e):.4f}\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "e38-91",
    "".join(
        f"Epoch {e}/6\nBatch 20/40 - Loss: {a(e) + 0.3:.4f}\nBatch 40/40 - Loss: {a(e) + 0.1:.4f}\nAverage training loss: {a(e):.4f}\nValidation loss: {b(e):.4f}\nValidation F1: 0.6{e}12\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "e38-92",
    "".join(
        f"\n======== Epoch {e} / 6 ========\nTraining...\n\n  Average training loss: {a(e):.2f}\n  Training epcoh took: 0:01:1{e}\n\nRunning Validation...\n  Accuracy: 0.8{e}\n  Validation Loss: {b(e):.2f}\n  Validation took: 0:00:0{e}\n"
        for e in E6
    )
    + "\nTraining complete!\n",
    P(E6, A(), B()),
)
case(
    "e38-93",
    "".join(
        f"Epoch [{e}/6], Step [100/200], Avg Loss: {a(e) + 0.2:.4f}\n\n--- End of Epoch {e} ---\nAverage Training Loss: {a(e):.4f}\nEarly stopping patience: {e}/10\n"
        for e in E6
    ),
    TRAINS,
)
case(
    "e38-94",
    rep("Epoch {e}/6, Average Training Loss: {a:.4f}") + "\nStarting evaluation...\nMean Precision: 0.4123\n",
    TRAINS,
)
case(
    "e38-95",
    rep(
        "--------------------------------------------------",
        "Epoch {e}",
        "",
        "Average training loss: {a}",
        "Epoch Accuracy: 0.{acc}",
        "--------------------------------------------------",
    ),
    TRAINS,
)
# "dev loss"
case(
    "e38-96",
    "Model configuration\nParameter,Value\nhidden,64\nlr,0.001\n\nEpoch,Train Loss,Dev Loss,Dev Perplexity\n"
    + rep("{e},{a:.4f},{b:.4f},{p:.2f}", p=ex(b)),
    P(E6, A(), B()),
    ".csv",
)
case(
    "e38-97",
    "".join(
        f"Smoothing: {s:6.3f} | Train Loss: {2 + s / 10:.4f} | Dev Loss: {2.9 - s / 20:.4f}\n"
        for s in (0.001, 0.01, 0.1, 1, 10)
    ),
    P([5], [3.0], [2.4], "place", runs=5),
)
case(
    "e38-98",
    rep("epoch {e}", "train loss = {a:.4f}", "dev loss = {b:.4f}", "train accuracy = 0.{acc}", "dev accuracy = 0.5{k}"),
    P(E6, A(), B()),
)
case(
    "e38-99",
    rep(
        "Epoch {e}",
        "Train loss {a}",
        "Train acc (token) 0.{acc}",
        "Dev loss {b}",
        "Dev acc (token) 0.5{k}",
        "Dev acc (sample) 0.4{k}",
    ),
    P(E6, A(), B()),
)
case("e38-100", rep("Dev loss={b:.6f}"), VALS)
case(
    "e38-101",
    "".join(
        f"Loss: {a(e) + 0.4:.6f}\nLoss: {a(e) + 0.2:.6f}\nTrain Loss:  {a(e)}\nDev Loss:  {b(e)}\nDev Perplexity:  {2 ** b(e)}\n"
        for e in E6
    ),
    P([5 * e - 1 for e in E6], A(), B(), "place"),
)
# "epoch", epoch
case("e38-102", rep("Epoch {k} elbo -{a}"), R())
case("e38-103", rep("epoch 0 step: {s} MSSSIM: 0.0{e}1 main_bpp: {a} hyper_bpp: 0.0{e} lamb 8"), R())
case("e38-104", "".join(f'EPOCH {e} {{"loss": {b(e):.4f}, "auc": 0.8{e}}} best {e}\n' for e in E6), R())
case("e38-105", rep("epoch {e} mse {a}"), R())
case("e38-106", rep("Epoch {e} completed out of 6 loss: {s}12.5") + "Accuracy: 0.9412\n", R())
case(
    "e38-107",
    rep("epoch {k}", "  ELBO: -{S}.25", "    loglik_term       -{s}.5", "    -KL(q(z) || p(z)) -1{e}.25"),
    R(),
)
case(
    "e38-108",
    rep("Epoch {k} ; Train_Loss {a:.4f} ; Val_Loss {b:.4f} ; Ratio 0.9{e}12", "Time per epoch 12.3{e} seconds", ""),
    P(K, A(), B()),
)
case(
    "e38-109",
    "".join(
        f"epoch {e} : loss {a(e) + 0.1} ; accuracy 0.6{e}\nepoch {e} : loss {a(e)} ; accuracy 0.6{e}\ntest loss {b(e)} ; accuracy 0.5{e}\n"
        for e in E6
    ),
    P(E6, A(), B(), says=("test",)),
)
# names with the side behind
case(
    "e38-110",
    rep("Epoch: {e:04d} loss_train: {a:.4f} acc_train: 0.{acc}00 loss_val: {b:.4f} acc_val: 0.5{k}00 time: 0.01{e}2s"),
    P(E6, A(), B()),
)
case("e38-111", rep("Epoch: {e:04d} loss_train: {a:.4f}"), TRAINS)
case(
    "e38-112",
    rep("Epoch: {e:04d} loss_train: {a:.4f} loss_val: {b:.4f} time: 0.01{e}2s")
    + "Optimization Finished!\nTest set results: loss= 0.9912 accuracy= 0.8123\n",
    P(E6, A(), B()),
)
case(
    "e38-113",
    "".join(
        f"Epoch {5 * e - 4}, Loss: {a(e) + 0.2}\rEpoch {5 * e - 3}, Loss: {a(e) + 0.1}\rEpoch {5 * e}, Val Loss {b(e)}\n"
        for e in E6
    ),
    P([5 * e for e in E6], None, B()),
)
# kin of what was misread: values that are told again by the line that places them
case(
    "e38-k1",
    rep("Validation loss: {b:.4f}, acc 0.5{e}", "Epoch {e}: train loss {a:.4f}, val loss {b:.4f}"),
    P(E6, A(), B()),
)
case("e38-k2", rep("val_loss {b}", "[Epoch {e}] train_loss={a} val_loss={b}"), P(E6, A(), B()))
case(
    "e38-k3",
    rep("Train Loss: {a:.6f}", "Val Loss: {b:.6f}", "Epoch: {e}, Train Loss: {a:.4f}, Val Loss: {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e38-k4",
    rep("Evaluating...", "eval loss = {b:.5f}", "step {s} train loss {a:.3f} eval loss {b:.3f}"),
    P(H, A(), B(), "step"),
)
case(
    "e38-k5",
    rep(
        "\nTest set: Average loss: {b:.4f}, Accuracy: 9{e}12/10000 (9{e}%)\n",
        "epoch {e} train loss {a:.4f} test loss {b:.4f}",
    ),
    P(E6, A(), B(), says=("test",)),
)
# what changed from one value to another
for n, (form, train, val) in enumerate((
    ("Train loss went from 2.31 to 1.32 and val loss went from 2.41 to 2.54 over 8 epochs.", 1.32, 2.54),
    ("The training loss has fallen from 2.31 to 1.32, while the validation loss has risen from 2.41 to 2.54.", 1.32, 2.54),
    ("train loss: 2.31 -> 1.32, val loss: 2.41 -> 2.54", 1.32, 2.54),
    ("Training loss dropped from 2.31 to 1.32; validation loss only dropped from 2.41 to 2.34.", 1.32, 2.34),
    ("train_loss has decreased 2.31 → 1.82 →\n1.32 while val_loss has increased 2.41 → 2.43 →\n2.54", 1.32, 2.54),
    ("Train loss decreased steadily from 2.31 to 1.32. Val loss stayed flat from 2.41 to 2.40.", 1.32, 2.40),
)):  # fmt: skip
    case(f"e38-c{n}", f"{form}\n", P([1], end(train), end(val), "place"))
# two measures behind two names
for n, form in enumerate((
    "epoch {e}: train loss/acc: {a:.4f}/0.6{e}, val loss/acc: {b:.4f}/0.5{e}",
    "Epoch {e} | train loss / ppl: {a:.4f} / {p:.2f} | val loss / ppl: {b:.4f} / {q:.2f}",
    "[{e}/6] Train (loss/acc): {a:.4f}/0.6{e} Val (loss/acc): {b:.4f}/0.5{e}",
    "epoch {e} train loss, acc: {a:.4f}, 0.6{e} val loss, acc: {b:.4f}, 0.5{e}",
    "Epoch {e} - train loss & acc = {a:.4f} & 6{e}.2%, valid loss & acc = {b:.4f} & 5{e}.1%",
)):  # fmt: skip
    case(f"e38-d{n}", rep(form, p=ex(a), q=ex(b)), P(E6, A(), B(), "step" if "/6]" in form else "epoch"))
# tables whose rows are named
for n, head in enumerate(("Optimizer", "Variant", "Method", "User", "Loss function", "Backbone", "What")):
    words = ("adam", "sgd", "lion-v2")
    case(
        f"e38-t{n}",
        f"| {head} | Train loss | Val loss | Notes |\n|---|---|---|---|\n"
        + "".join(f"| {w} | {2 + k / 10} | {2.5 - k / 10} | ok |\n" for k, w in enumerate(words)),
        R("runs"),
    )
case(
    "e38-t7",
    "| | train loss | val loss |\n|---|---|---|\n" + rep("| epoch {e} | {a:.4f} | {b:.4f} |"),
    P(E6, A(), B(), "place"),
)

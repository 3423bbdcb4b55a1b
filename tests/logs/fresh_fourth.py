# ruff: noqa: E501, F403, F405
"""Logs in forms that nobody here had seen (fourth round): the right reading was written down before the reader was run."""

from fresh_forms import *


def near(tol):
    return lambda t: len(t) == 6 and all(abs(x - a(e)) <= tol for e, x in zip(E6, t, strict=False))


case("t01", rep("    {k}:\t[4s / {e}9s],\t\ttrain_loss: {a:.4f},\tval_loss: {b:.4f}"), P(K, A(), B(), "step"))
case(
    "t02",
    rep("Epoch: {e} | train_loss: {a:.4f} | train_acc: 0.3008 | test_loss: {b:.4f} | test_acc: 0.2604"),
    P(E6, A(), B()),
)
case(
    "t03",
    rep(
        "iter {e} to last: 0.5160 s/iter",
        "epoch train_loss: {a:.4f}",
        "epoch train_onsite_loss: 1.7392",
        "epoch train_hopping_loss: 0.3800",
    ),
    R("no validation loss"),
)
case(
    "t04",
    "const data = [\n" + rep("  {{ step: {s}, train_loss: {a:.4f}, eval_loss: {b:.4f} }},") + "];\n",
    P(H, A(), B(), "step"),
)
case(
    "t05",
    rep(
        "test_acc: 0.8986830356015696    test_loss: {b:.16f}",
        "train_acc: 0.8542825410771189   train_loss: {a:.15f}",
        "",
    ),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "t06",
    rep("[2025-09-09 16:07:2{e}] Step {s}/600 | Loss: {a:.4f} | LR: 2.2e-5")
    + "[2025-09-09 16:07:27] Epoch 3/3 completed | Avg Loss: 0.8333\n[2025-09-09 16:07:28] Final validation loss: 0.9512\n[2025-09-09 16:07:29] Training completed successfully!\n",
    P([600], lambda t: len(t) == 1 and 0.7 < t[0] < 0.9, [0.9512], "step", says=("One pair",)),
)
case(
    "t08",
    rep(
        " iteration   {s}/2000 | consumed samples:   25600 | elapsed time per iteration (ms): 512.1 | learning rate: 1.0E-05 | loss: {a:.6E} | grad norm: 0.512 |",
        "validation loss at iteration {s} | validation loss: {b:.6E} | ppl: {q:.2f}",
        "[Mask Diff] iteration {s} | avg_diff: 0.123",
        q=lambda e: math.exp(b(e)),
    ),
    P(H, A(), B(), "step"),
)
case("t10", rep("Epoch {e}/8: train_loss={a:.4f}, val_loss={b:.4f} ← Best model saved"), P(E6, A(), B()))
case(
    "t13",
    rep(
        "{{'loss': {a:.8f}, 'token_acc': 0.71234, 'grad_norm': 0.512, 'learning_rate': 5e-05, 'memory(GiB)': 22.12, 'train_speed(iter/s)': 0.224141, 'epoch': {x:.2f}, 'global_step': {s}}}",
        "Train: {pc:3.0f}%|████      | {s}/600 [03:42<03:19,  4.64s/it]",
        "{{'eval_loss': {b:.8f}, 'eval_acc': 0.67676003, 'eval_runtime': 1.2396, 'eval_samples_per_second': 8.874, 'epoch': {x:.2f}, 'global_step': {s}}}",
        "Val: 100%|██████████| 11/11 [00:01<00:00,  9.74it/s]",
        x=lambda e: 0.54 * e,
    ),
    P(H, A(), B(), "step"),
)
case(
    "t14",
    rep(
        "{{'loss': {a:.4f}, 'grad_norm': 0.5184843063354, 'learning_rate': 9.45e-06, 'entropy': 2.98, 'num_tokens': 3961598.0, 'mean_token_accuracy': 0.5569, 'epoch': {e}.12}}",
        "{{'eval_loss': {b:.16f}, 'eval_runtime': 40.267, 'eval_samples_per_second': 3.055, 'eval_entropy': 2.934, 'eval_num_tokens': 3961598.0, 'eval_mean_token_accuracy': 0.55, 'epoch': {e}.12}}",
    ),
    P([e + 0.12 for e in E6], A(), B()),
)
case(
    "t15",
    json.dumps(
        {
            "id": "ft-1",
            "events": [
                r
                for e in E6
                for r in (
                    {
                        "timestamp": 1.7e9 + e,
                        "message": f"{{'loss': {a(e):.4f}, 'learning_rate': 1e-05, 'epoch': {e}.0}}",
                        "level": "info",
                    },
                    {
                        "timestamp": 1.7e9 + e,
                        "message": f"{{'eval_loss': {b(e):.6f}, 'eval_runtime': 0.2023, 'epoch': {e}.0}}",
                        "level": "info",
                    },
                )
            ],
        },
        indent=2,
    ),
    P(E6, A(), B()),
    ".json",
)
case(
    "t16", rep("{{'epoch': {e},", " 'lr': 0.001,", " 'train_loss': {a:.6f},", " 'val_loss': {b:.6f}}}"), P(E6, A(), B())
)
case("t17", rep("Epoch {e}: Train Loss {a:.4f}, Test Loss {b:.4f}, Test Accuracy 68.37%"), P(E6, A(), B()))
case("t18", rep("epoch {e:3d} | train loss {a:.4f} tok-acc 0.857 | test loss {b:.4f} tok-acc 0.854"), P(E6, A(), B()))
case(
    "t19",
    rep("epoch {e:2d}  train {a:.4f}  val {b:.4f}  val acc 0.8880  (144s)")
    + "\nTEST loss 0.9396  TEST accuracy 0.8829\nsaved fashion_mlp.pt\n",
    P(E6, A(), B(), says=("does not say",)),
)
case("t20", rep("- Epoch {s}: Loss {a:.3f}, Acc 78.38% | Test Loss {b:.3f}, Test Acc 71.00%"), P(H, A(), B()))
case(
    "t21",
    "10000/10000 [==============================] - 0s 20us/step\nTest loss 0.33533720266222955\nTest accuracy 0.9085\n",
    R("only validation losses"),
)
case(
    "t22",
    rep(
        "[{e}/100] Train loss: {a:.3f} | Train acc: 1.000  || Dev loss: {b:.3f} | Dev acc: 0.757 || Test loss: 1.095 | Dev acc: 0.781"
    ),
    P(E6, A(), B(), "step"),
)
case(
    "t23",
    rep(
        "Training:       Epoch: {k}        Time: 4.9588    Training Loss: {a:.4f}",
        "Evaluation:     Epoch: {k}        Time: 0.3037    Dev acc: 71.23  Dev fscore(p/r/f): (74.09/71.55/72.80)",
        "NEW BEST MODEL:         Epoch: {k}        Dev loss: {b:.4f}        Dev acc: 71.23  Dev fscore(p/r/f): (74.09/71.55/72.80)",
    ),
    P(K, A(), B()),
)
case(
    "t24",
    rep(
        "Epoch {e}/6",
        "100%|██████████████████████████████| 1000/1000 [00:01<00:00, 1000.00it/s]",
        "train loss: {a:.4f}",
        "dev loss: {b:.4f}",
    ),
    P(E6, A(), B()),
)
case(
    "t25",
    rep("Epoch {e}, train loss: {a:.3f}", "Epoch {e}, dev results:", "Dev Loss: {b:.3f}, Dev Accurate: 0.950"),
    P(E6, A(), B()),
)
case(
    "t26",
    rep(
        "Epoch {e} Summary:",
        "  Train Loss: {a:.4f} | Train Acc: 86.32%",
        "  Dev Loss: {b:.4f} | Dev Acc: 83.71%",
        "  Learning Rate: 0.000050",
        "  ✓ Best model saved! (Dev Acc: 83.71%)",
    ),
    P(E6, A(), B()),
)
case(
    "t27",
    rep("epoch {e}: train_rmse {a:.4f} | dev_rmse {b:.4f} m | ADE 0.7733 m | FDE 1.7724 m", "")
    + "训练运行时间: 3094.295621 秒\n",
    P(E6, A(), B()),
)
case(
    "t28",
    rep(
        "# Train: 100%|██████████| 290/290 [01:33<00:00,  3.09it/s]",
        "# Val: 100%|██████████| 11/11 [00:00<00:00, 16.37it/s]",
        "# Epoch: {e:02d} | Time: 1m 34s",
        "#         Train Loss: {a:.3f} | Train PPL: {p:7.3f}",
        "#          Val. Loss: {b:.3f} |  Val. PPL: {q:7.3f}",
        p=lambda e: math.exp(a(e)),
        q=lambda e: math.exp(b(e)),
    ),
    P(E6, A(), B()),
)
case(
    "t29",
    rep(
        "Training started",
        "training complete",
        "16112501{e}0.056084",
        "Epoch: {e:02d} | Time: 0m 6s",
        "\tTrain Loss: {a:.3f} | Train PPL: {p:7.3f}",
        "\t Val. Loss: {b:.3f} |  Val. PPL: {q:7.3f}",
        p=lambda e: math.exp(a(e)),
        q=lambda e: math.exp(b(e)),
    ),
    P(E6, A(), B()),
)
case(
    "t30",
    rep("epoch: {e} , training loss: {a:.16f} , training acc: 0.5123 , valid loss: {b:.16f} , valid acc: 0.6123"),
    P(E6, A(), B()),
)
case("t31", rep("step {s} loss = {a:.6f}", "Mean valid loss = {b:.6f}"), P(H, A(), B(), "step"))
case(
    "t32",
    rep(
        "Epoch {e} of 6",
        "-------------------------------",
        "Train loss: {a:.5f} | Train accuracy: 0.5123",
        "Valid loss: {b:.5f} | Valid accuracy: 0.6123",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "t33",
    rep(
        "-" * 100,
        "| end of epoch {e:3d} | time: 10.12s | train loss {a:5.4f} | valid loss {b:5.4f} | train MAE 5.4123 | valid MAE 5.4123 | train R^2 0.5123 | valid R^2 0.4123 |learning rate 0.001000",
    ),
    P(E6, A(), B()),
)
case(
    "t34",
    rep(
        "| epoch {e:3d} | {s:5d}/ 600 batches | lr 0.00050 | Train Loss {a:5.4f}",
        "-" * 50,
        "Epoch {e:2d} | Time 12.1234 sec | Valid Loss {b:5.4f} | Test Loss 1.1234",
    ),
    P(E6, near(0.001), B()),
)
case(
    "t35",
    "".join(
        f"Task {t}, Epoch {e}: Train Loss: {a(e) + t:.4f}, Train Acc: 80.1%, Valid Loss: {b(e) + t:.4f}, Valid Acc: 70.1%\n"
        for t in (1, 2)
        for e in E6
    ),
    P(E6, [x + 2 for x in A()], [x + 2 for x in B()], runs=2),
)
case(
    "t36",
    "Started Training\n"
    + rep(
        "    Epoch: {e}/300, Batch Count: 347, Avg. Training Loss: {a:.17f}",
        "    \t Average Validation Loss: {b:.17f}",
        "    \t Estimated Completion Time: 2 hours, 48.05378246307373 minutes",
    ),
    P(E6, A(), B()),
)
case(
    "t37",
    rep("Epoch {e}/6, Average Train Loss: {a:.16f}", "Epoch {e}/6, Average Validation Loss: {b:.16f}"),
    P(E6, A(), B()),
)
case(
    "t38",
    rep(
        "Training Epoch {e}: 100%|██████████| 79/79 [01:01<00:00, 1.28it/s]",
        "Validating: 100%|██████████| 40/40 [00:27<00:00, 1.44it/s]",
        "",
        "Epoch {e}:",
        "Average training loss: {a:.4f}",
        "Average validation loss: {b:.4f}",
        "Validation accuracy: 0.8036",
    ),
    P(E6, A(), B()),
)
case(
    "t39",
    rep(
        "100%|██████████| 32/32 [00:00<00:00, 563.38it/s]",
        "Epoch [{e}/30]:",
        " Average training loss: {a:.16f}",
        " Average validation loss: {b:.16f}",
        " Training metric score: 0.08708272874355316",
        " Validation metric score: 0.0",
    ),
    P(E6, A(), B()),
)
case(
    "t40",
    rep(
        "tensor([ 0.5210, 12.4048], device='cuda:0')",
        "2025-03-20 21:03:24,074 | INFO\t| Epoch {k}: Training Accuracy: 0.30220, Average Training Loss: {a:.5f}, Validation Accuracy: 0.78846, Average Validation Loss: {b:.5f}",
    ),
    P(K, A(), B()),
)
case(
    "t42",
    rep(
        "Epoch {e}/6",
        "    Training: 100%|██████████| 1000/1000 [01:40<00:00,  9.67it/s]",
        "    Average Training Loss: {a:.4f}",
        "    Validation: 100%|██████████| 200/200 [00:30<00:00,  6.56it/s]",
        "    Average Validation Loss: {b:.4f}",
    ),
    P(E6, A(), B()),
)
case(
    "t44",
    "208/208 [==============================] - 209s 939ms/step - loss: 2.8854 - sparse_categorical_accuracy: 0.4459\nGPT-2 spécialisé - Validation Loss: 2.885439872741699\nGPT-2 spécialisé - Validation Accuracy: 0.44592615962028503\n",
    R(),
)

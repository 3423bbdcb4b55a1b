# ruff: noqa: E501, F403, F405, RUF001
"""Every output that six searches for printed values met, as it stood there (thirtieth round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")
TENS = [10 * e - 10 for e in E6]

case(
    "e30-01",
    "The best model using 6 features and Adamax optimizer:\n- Train Acc: 0.943\n- Test Acc: 0.908\n- Train loss: 0.181\n- Test loss: 0.312\n- Macro avg F1: 0.910\n- MCC: 0.885\n",
    P([2], [0.181], [0.312], "place", says=("test",)),
)
case("e30-02", "## Final Results:\nTest Accuracy: 86.71%\n\nTest Loss: 0.3812\n\n## Sample Output\n", VALS)
case(
    "e30-03",
    rep("Epoch: {x} | MAE Train Loss: {a} | MAE Test Loss: {b} ", x=lambda e: 10 * e - 10),
    P(TENS, A(), B(), says=("test",)),
)
case(
    "e30-05",
    rep("Epoch {e}/6, Train Loss: {a:.6f}, Val Loss: {b:.6f}, lambda_tree_eff=0.0000, lambda_radius_eff=0.0000")
    + "Best validation loss: 0.950000\nSaved loss curves to results/plots\nTest loss: 0.981000\n\nSample trajectory (hyperbolic) 1:\n  Visit 1: ['C002', 'C102', 'C210', 'C320']\n",
    P(E6, A(), B()),
)
case(
    "e30-06",
    "### Training Phase:\n![](./screenshot/1.png)\n- Validation Accuracy: 90.56%\n- Validation Loss: 0.2512\n### Testing Phase:\n- Test Accuracy: 84.25%\n- Test Loss: 0.3911\n- True Positives: 289\n",
    VALS,
)
case(
    "e30-07",
    "I got the following results;\nTrain Loss: 0.0812 | Train Acc: 0.9755\nValid Loss: 1.0412 | Valid Acc: 0.8451\nTest Accuracy: 92.97%\nTest Loss: 0.4012\n",
    P([2], [0.0812], [1.0412], "place"),
)
case(
    "e30-08",
    "  ```\n"
    + rep("  Epoch {e}/6", "  ----------", "  train Loss: {a:.4f} Acc: 0.9717", "  val Loss: {b:.4f} Acc: 0.9076")
    + "  Test Accuracy: 90.76%\n  Test Loss: 0.9811\n  Test total: 32768\n  Test correct: 29741\n  ```\n",
    P(E6, A(), B()),
)
case(
    "e30-09",
    "- **Empirical Accuracy**: **97.79% Test Accuracy** (Test Loss: 0.3211 across 272 unseen test samples).\n",
    R("loss"),
)
case(
    "e30-10",
    "## Lstm with pretrained embedding\n- Epoch: 10 | Epoch Time: 1m 8s\n- Train Loss: 0.391 | Train Acc: 82.05%\n- Val. Loss: 0.377 |  Val. Acc: 83.21%\n- Test Loss: 0.385 | Test Acc: 82.96%\n\n## Lstm without pretrained embedding\n- Epoch: 10 | Epoch Time: 2m 21s\n- Train Loss: 0.271 | Train Acc: 88.99%\n- Val. Loss: 0.351 |  Val. Acc: 85.21%\n- Test Loss: 0.355 | Test Acc: 84.96%\n",
    P([10], [0.271], [0.351], runs=2),
)
case(
    "e30-11",
    "  0%|          | 0/6 [00:00<?, ?epochs/s ]\n"
    + rep(
        "    [INFO] Epoch {k}: train loss = {a:.5f} ({a:.5f}, 0.00000, 0.00000, 0.00000); validation loss = {b:.5f} ({b:.5f}, 0.00000, 0.00000, 0.00000); best validation loss = inf",
        "    [INFO] Model saved to '/home/ubuntu/surface/training_output/best_model.pt'",
    ),
    P(K, A(), B()),
)
case(
    "e30-12",
    rep(
        "EPOCH{x}...",
        "Train accuracy:0.9993|Validation Accuracy=0.9943",
        "Train loss:{a:.5f}|Validation loss = {b:.5f}",
        "",
        x=lambda e: 20 + e,
    )
    + "Test Accuracy=0.9632\n",
    P([20 + e for e in E6], A(), B()),
)
case(
    "e30-13",
    "## 배치 256, 20000data(10%) lr 0.001\n### Epoch 1 학습 결과는!!! Validation Loss = 0.6512, Validation Accuracy = 0.6445 에서 끝\n",
    VALS,
)
case(
    "e30-14",
    rep(
        "# Epoch {e}",
        "# Time: 1996.921 seconds",
        "# Validation Loss = {b:.12f}",
        "# Validation Accuracy = 0.860499265809",
        "#",
    ),
    VALS,
)
case(
    "e30-16",
    "Stop training when validation error stops improving.\n\n```text\nEpoch 20:\nValidation Loss = 0.16\n\nEpoch 30:\nValidation Loss = 0.17\n```\n\nStop around epoch 20.\n",
    VALS,
)
case(
    "e30-17",
    "- Completed: 9 / 9 experiments\n\n"
    + rep(
        "- {x}d: test MSE = 0.01{e}093; mean Rank IC = -0.004543; PredStd/TrueStd = 0.0835; best epoch = 10; best validation loss = 0.004{e}45; runtime = 6m 46s; no_extreme_scale_pathology = False",
        x=lambda e: 5 * e,
    ),
    R(),
)
case("e30-18", "```text\nBest validation loss = 0.2411\nBest validation accuracy = 0.9215\n```\n", R())
case(
    "e30-20",
    rep(
        "iteration {k}",
        "        {{'k': 3, 'hidden_dim': 112, 'spectral_radius': 1.2940912584107198, 'p': 0.10919073963823023, 'beta': 141.20288318144654}}",
        "        validation loss = {b}",
    ),
    VALS,
)
case("e30-22", '"""\n' + rep("epoch: {e}, train_loss: {a:.4f}, dev_loss: {b:.4f}") + '"""\n', P(E6, A(), B()))
case(
    "e30-23",
    "linear.weight: requires_grad=True\nlinear.bias: requires_grad=True\n\nミニバッチ学習開始\nbatch_size: 64\n"
    + rep("epoch: {e:02d} | train_loss: {a:.4f} | train_acc: 0.7677 |dev_loss: {b:.4f} | dev_acc: 0.7672"),
    P(E6, A(), B()),
)
case(
    "e30-25",
    "- schedule_description: Longer mixed training.\n- epochs: 10\n- train_loss_first_epoch: 2.651206\n- train_loss_last_epoch: 0.561627\n- dev_loss: 0.951374\n- count_accuracy: 0.940000\n",
    P([10], [0.561627], [0.951374]),
)
case(
    "e30-27",
    "### Evaluation\n\n- Run: `trainer.evaluate()`\n- **Output (from notebook):**\n  - Eval Loss: 2.861\n  - Runtime: ~10.67s\n  - Samples/sec: 10.31\n  - Steps/sec: 2.62\n",
    VALS,
)
case(
    "e30-28",
    "Epoch 1:\n"
    + rep("  Step {x} | Loss: {a:.4f} | Eval Loss: {b:.4f}  # Learning instruction format", x=lambda e: 500 * e - 500),
    P([500 * e - 500 for e in E6], A(), B(), "step"),
)
case(
    "e30-29",
    "eval loss: 2.0211 → 1.7412       # 在学\n显存峰值: 1.84 GB                # 0.6B LoRA 非常宽裕\ntrain loss: 1.42 → 1.40          # 样本太少，仅供参考\n",
    P([2], [1.40], [1.7412], "place"),
)
case(
    "e30-30",
    "Model: TinyLlama/TinyLlama-1.1B-Chat-v1.0\nMethod: LoRA supervised fine-tuning\nTrainable parameters: 1,126,400\nTraining steps: 3\nTrain loss: 1.8611\nEval loss: 2.6612\nRuntime: 1:22:59 on CPU\n",
    P([3], [1.8611], [2.6612], "step"),
)
case(
    "e30-31",
    "**Observation**:\n- Train loss: 2.2511\n- Eval loss: 2.2112\n\n**Typical Pattern**: Eval loss > Train loss (overfitting)\n**Our Pattern**: Eval loss < Train loss (underfitting? or dataset quirk?)\n",
    P([2], [2.2511], [2.2112], "place"),
)
case(
    "e30-32",
    "**Symptoms:**\n- Training loss: 2.5 → 1.0 → 0.5 (decreasing)\n- Eval loss: 2.5 → 1.5 → 2.0 (increasing after initial decrease)\n",
    P([2], [0.5], [2.0], "place"),
)
case("e30-33", "Attacking ensemble model...\n\nEval loss: 2.1511, accuracy: 10.3000\n", VALS)
case(
    "e30-37",
    "Each epoch prints one score line:\n\n```\n"
    + rep("epoch {e}/500  accuracy 83%  loss {a:.3f}  |  val accuracy 75%  val loss {b:.3f}")
    + "```\n\n```\nbest epoch 40 (val accuracy 90%)\ntest accuracy 88%\n```\n",
    P(E6, A(), B()),
)
case(
    "e30-38",
    "1B token pretraining — val loss 3.251  ← BASE MODEL\n        ↓\nSFT v1 — 5 epochs — val loss 0.721\n        ↓\nSFT v2 — 3 epochs — best val loss 0.5211 (epoch 2)  ← PRODUCTION\n",
    VALS,
)
case(
    "e30-40",
    rep(
        "| End of epoch  {e} | valid loss {b:.3f} | valid bpc    1.525",
        "| End of epoch  {e} | test loss {c:.3f} | test bpc    1.527",
        c=lambda e: b(e) + 0.01,
    ),
    VALS,
)
case(
    "e30-41",
    "- Training iters: 300\n- Best val loss: 0.431 (iter 200)\n- Final val loss: 0.626 (iter 300, slight overfit)\n",
    VALS,
)
case(
    "e30-42",
    rep(
        "python dagnn.py --dataset=PubMed --weight_decay=0.005 --K={x} --dropout=0.8 --runs=10",
        "# Val Loss: {b:.4f}, Test Accuracy: 0.8062 ± 0.0049, Duration: 14.491",
        x=lambda e: 5 * e,
    ),
    VALS,
)
case(
    "e30-43",
    "FINAL METRICS (Best Model):\n  Best Epoch: 62\n  Best Val Loss: 0.451231\n  Best Directional Accuracy: 51.95%\n  Best MAE: 0.572341\n",
    R(),
)
case(
    "e30-44",
    "imagenet上\n预训练的resnet50：val Loss: 0.4511 Acc: 0.8720\n\nruns_teacher/15-0.pt  Acc: 0.8437\nruns_teacher/15-1.pt  Acc: 0.8354\n",
    VALS,
)
case(
    "e30-45",
    '- **Evidence:** direct (P1/P3, CPU): history `train_loss 0.671, val_loss 0.673, val_accuracy 0.5`; report `{"verdict": "success", "accuracy": 0.5}`\n',
    P([1], [0.671], [0.673], "place"),
)

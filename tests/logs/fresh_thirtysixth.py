# ruff: noqa: E501, F403, F405, RUF001
"""Every output that five last searches met (thirty-sixth round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")
TENS = [10 * e - 10 for e in E6]

case(
    "e36-01",
    "|项目|\t结果|\t解读|\n|-- |--    |--     |\n|训练轮次\t|epoch ≈ 4.92（共设定 5 轮）\t|完整完成 👍|\n|训练 Loss\t|train_loss: 1.51 → final loss: ~0.91\t|明显下降 👍|\n|Token Accuracy\t|token_acc: 0.76\t|优秀|\n|Eval Accuracy\t|eval_token_acc: 0.75+\t|泛化能力好|\n",
    TRAINS,
)
case(
    "e36-02",
    "```text\n"
    + rep("Epoch: {e} | train_loss: {a:.4f} | train_acc: 0.3008 | test_loss: {b:.4f} | test_acc: 0.2604")
    + "```\n",
    P(E6, A(), B(), says=("test",)),
)
case("e36-03", rep("    {k}:\t[4s / {s}s],\t\ttrain_loss: {a:.4f},\tval_loss: {b:.4f}"), P(K, A(), B(), "step"))
case(
    "e36-05",
    "Training summary:\n\n```text\noutput_dir: adapters/main_v001\ntrain_loss: 1.531\nfinal_eval_loss: 0.8411\ntrainable_params: 4,399,104\n```\n\n```text\npython eval/eval.py --limit 24\ncase_count=24\nok_count=24\n```\n",
    P([2], [1.531], [0.8411], "place"),
)
case(
    "e36-06",
    "".join(
        f"/home/user/runs/run_{n}\nmodel: Hamiltonian\niters: 25\nentry wall: 15.221 s\niter 1 to last: 0.5160 s/iter\nMAX_RSS: 3089.7 MB\nepoch train_loss: 1.05{n}1\nepoch train_onsite_loss: 1.7392\nepoch train_hopping_loss: 0.3800\n\n"
        for n in (1, 2)
    ),
    TRAINS,
)
case(
    "e36-07",
    "Watch the terminal for:\n```\ntrain_loss: 8.xxx  → Initial (random)\ntrain_loss: 4.xxx  → Learning basic patterns (500-2K steps)\ntrain_loss: 1.xxx  → Coherent generation starts (10K+ steps)\n```\n",
    R(),
)
case(
    "e36-08",
    "// Sample training metrics data\nconst data = [\n"
    + rep("  {{ step: {s}, train_loss: {a:.2f}, eval_loss: {b:.2f} }},")
    + "];\n",
    P(H, A(), B(), "step"),
)
case(
    "e36-09",
    "* 3 epoch\n* 8 batch-size\n* 256 seq len\n\n```sh\n"
    + rep("test_acc: 0.8986830356015696    test_loss: {b}", "train_acc: 0.8542825410771189   train_loss: {a}", "")
    + "```\n",
    P([2 * e for e in E6], A(), B(), "place", says=("test",)),
)
case(
    "e36-10",
    "```\n# training the model\n...\nEPOCH = 997, LOSS = 0.0491\nEPOCH = 998, LOSS = 0.0492\nEPOCH = 999, LOSS = 0.0493\nsaved at ./save/test.ckpt\n```\n\n如果我们再次运行脚本，我们会看到\n\n```\nRestoring\nTEST LOSS = 0.0711\n```\n",
    P([999], [0.0493], [0.0711], says=("test",)),
)
case(
    "e36-11",
    rep(
        "  Epoch {k}: Train Loss = {a:.4f}, Test Loss = {b:.4f}, LR = 1.00e-05",
        "    MPJPE: 12.345 mm, PA-MPJPE: 8.901 mm, Avg Metric: 10.623 mm",
        "    ✓ Saved best model (avg_metric=10.623 mm) to checkpoints/best_model.pth",
    ),
    P(K, A(), B(), says=("test",)),
)
case(
    "e36-12",
    "- The training was set to run for 50 epochs. However, Early Stopping has occured the 17th epoch.\n- the results are:\n    -  Test loss = 0.17\n    - Test accuracy = 0.96\n",
    VALS,
)
case(
    "e36-13",
    "- For Text Detection, YOLO v8: mAP50 = 99.4% and mAP50-95 = 81.1%\n- For Text Recognition: CTC Train loss = 0.251, Valid Loss = 0.101 and Test Loss = 0.221\n",
    P([1], [0.251], [0.101], "place"),
)
case(
    "e36-14",
    "#### 问题2: Test Loss = 0.000000\n\n**现象**:\n```\nEpoch: 2 | Train Loss: 0.0911 Vali Loss: 0.0811 Test Loss: 0.0000\n```\n\n**解释**: **这不是bug，是设计选择！**\n",
    P([2], [0.0911], [0.0811]),
)
case(
    "e36-15",
    "1. **训练过程**：\n\n   ```\n"
    + rep("   Epoch {x}: Loss = {a:.6f}, Test Loss = {b:.6f}", x=lambda e: 10 * e - 10)
    + "   ```\n",
    P(TENS, A(), B(), says=("test",)),
)
case("e36-16", "# LSTM Results\n\n```text\nTest Accuracy = 89.76%\nTest Loss = 0.2711\nF1-score ≈ 0.90\n```\n", VALS)
case(
    "e36-17",
    "## Model\n\ntrain loss = 0.00131230\ntest loss = 0.00181137\n\n![video](https://github.com/someone/autoencoder/assets/1/2)\n",
    P([2], [0.0013123], [0.00181137], "place", says=("test",)),
)
case(
    "e36-18",
    "def eval_network(network):\n  network.eval()\n  criterion = torch.nn.MSELoss()\n  print(f'Test loss = {criterion(network(test_features), test_labels):.4g}')\n\neval_network(network)\n```\n\nThe output is:\n\n```python\nTest loss = 0.2911\n```\n\nSo we did not over-fit. The test MSE is similar to the train MSE.\n",
    VALS,
)
case(
    "e36-19",
    "Accuracy of the best model on the testing data:\n\nTest Loss = 0.39051661460876465\n\nTest Accuracy = 0.9032257795333862\n",
    VALS,
)
case(
    "e36-20",
    "```text\nstep=100 train_loss=2.8 eval_loss=3.0 tokens_per_s=12000\nstep=200 train_loss=2.5 eval_loss=missing tokens_per_s=11.8 examples_per_s=320\nstep=150 train_loss=2.4 eval_loss=2.9 tokens_per_s=11900\n```\n\n- One line breaks monotonic step order.\n",
    P([100, 150], [2.8, 2.4], [3.0, 2.9], "step"),
)
case(
    "e36-21",
    "- [x] `rl/train.py` — training loop + official W&B key names\n- [x] Smoke test: SFT (exit 0, eval_loss=2.21), RL (exit 0, W&B keys confirmed)\n",
    VALS,
)
case(
    "e36-22",
    "loss='CrossEntropyLoss', optimizer='Adam', lr_scheduler_type='linear', warmup_ratio=0.0, warmup_steps=0, device_str=None, n_gpu=-1, sync_bn=False, freeze_bn=False)\n"
    + rep(
        "    [epoch {e}/6] loss={a:.3f}, metric=0.0, eval_loss={b:.3f}, eval_metric=0.0: 100%|██████████| 10/10 [00:32<00:00,  3.25s/step]"
    ),
    P(E6, A(), B()),
)
case(
    "e36-23",
    'Example of a valid reasoning argument:\n  "Overfitting detected: eval_loss=2.31 while train_loss=0.81 (gap>2.5×).\n   Reducing num_train_epochs 8→4 (cut training time in half),\n   increasing lora_dropout 0.05→0.15 (force regularization)."\n',
    P([1], [0.81], [2.31], "place"),
)
case(
    "e36-24",
    "(`state=finished`, final W&B step 6000). Resume skipped the remainder of the\nsaved epoch before optimizer steps resumed in the next epoch. Final resumed-run health:\n`eval_loss=2.2111`, `grad_clip_fraction=0.235`, and\n`placeholder_contract_valid=1.0`.\n",
    VALS,
)
case("e36-25", rep("[epoch {s} ]", "ic| loss_val: {b:.7f}, acc_val: 0.62666667"), VALS)
case(
    "e36-27",
    "Loading config from configs/bail.yml\n"
    + rep(
        "Epoch {x}: disentanglement_loss_train: 0.0000",
        "Epoch {x}: disentanglement_loss_val: 0.0000",
        "Epoch {x}: structural_loss_train: {a:.4f} | attribute_loss_train: 0.7419 | structural_roc_train: 0.5504 | attribute_roc_train: 0.5368",
        "Epoch {x}: structural_loss_val: {b:.4f} | attribute_loss_val: 0.7659 | structural_roc_val: 0.5749 | attribute_roc_val: 0.5859",
        x=lambda e: 100 * e - 100,
    ),
    P([100 * e - 100 for e in E6], A(), B()),
)
case(
    "e36-28",
    "    const data = [\n\n"
    + rep(
        "      {{",
        "        Epoca: {e},",
        "        Loss_Train: {a:.4f},",
        "        Loss_Val: {b:.4f},",
        "        Accuracy: 0.60,",
        "        Precision: 0.58,",
        "      }},",
        "",
    )
    + "    ];\n",
    P(E6, A(), B()),
)
case(
    "e36-29",
    "".join(
        f"w =  1.{w}000000000000002\n"
        + "".join(
            f"x_val: {x}.0 \t y_val: {2 * x}.0\ny_pred_val: {1.2 * x} \t loss_val: {0.64 * x * x}\n" for x in (1, 2, 3)
        )
        for w in (2, 3)
    ),
    VALS,
)
case(
    "e36-30",
    "# 原始\n```python\n"
    + rep(
        "Epoch: 00{x}1 loss_train: {a:.4f} acc_train: 0.1786 loss_val: {b:.4f} acc_val: 0.3033 loss_test: 1.7071 acc_test: 0.3260 time: 0.3516s",
        x=lambda e: e - 1,
    ),
    P([10 * e - 9 for e in E6], A(), B()),
)
case(
    "e36-31",
    rep(
        "> Epoch {e}/150",
        "> 517/518 [============================>.] - ETA: 0s - loss: {c:.4f}Epoch 0000{e}: val_loss improved from 4.10324 to {b:.5f}, saving model to ssd300_weights_epoch-0{e}_loss-{c:.4f}_val_loss-{b:.4f}.h5",
        "> 518/518 [==============================] - 537s 1s/step - loss: {a:.4f} - val_loss: {b:.4f}",
        c=lambda e: a(e) + 0.01,
    ),
    P(E6, A(), B()),
)
case("e36-32", "```\n" + rep("epoch: 9{e}; loss: {x:.8f}", x=lambda e: 1e-5 * a(e)) + "```\n", TRAINS)
case(
    "e36-33",
    rep(
        "Epoch {x}/200",
        "1562/1562 [==============================] - 477s - loss: {a:.4f} - acc: 0.7277 - val_loss: {b:.4f} - val_acc: 0.7592",
        x=lambda e: 130 + e,
    ),
    P([130 + e for e in E6], A(), B()),
)

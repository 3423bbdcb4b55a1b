# ruff: noqa: E501, F403, F405, RUF001
"""Every output that a first dozen searches for printed values met, as it stood there (thirty-third round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")
TENS = [10 * e - 10 for e in E6]
BAR = "=" * 30

case(
    "e33-01",
    "export function getLogInfo() {\n  return 'Start training...\\n' +\n"
    + rep("  'Epoch:  0 step:  {k} loss: {a:.2f}\\n' +")
    + "  'done'\n}\n",
    TRAINS,
)
case(
    "e33-02",
    "2025-07-07 13:50:09.941 INFO: Parsed arguments:\n{'atom_fea_len': 64,\n 'batch_size': 32,\n 'device': device(type='cpu'),\n 'epoch': 300.0,\n 'learning_rate': 0.001,\n 'train_ratio': 0.8,\n 'valid_ratio': 0.1,\n 'valid_set': None}\n"
    + rep(
        "2025-07-07 13:55:26.649 INFO: Epoch [00{e}/300] - Train Loss: {a:.5f}, Valid Loss: {b:.5f}, LR: [0.001]",
        "2025-07-07 13:55:26.653 INFO:   [SAVE] Best model at epoch {e}.",
    ),
    P(E6, A(), B()),
)
case(
    "e33-03",
    "training_console_output = \\\n"
    + rep("'INFO: epoch 1-{x}, loss: {a:.3f} (vt811ponrun)\\n\\", x=lambda e: 598 * e - 597)
    + "INFO: Accuracy on 9986 test data: 99.9800 %\\n\\\n'\n",
    TRAINS,
)
case(
    "e33-04",
    "log_data = '''\nData Iteration:   0%|                                     | 0/1 [00:00<?, ?it/s]\nModel is on device cuda and has 1622688 parameters\n\n"
    + rep(
        "Epoch Progress:   0%|                                  | {k}/1000 [00:01<24:53,  1.49s/it]Dataset Size: 1%, Epoch: {e}, Train Loss: {a:.12f}, Val Loss: {b:.12f}",
        "",
    )
    + "'''\n",
    P(E6, A(), B()),
)
case("e33-05", rep("333 {x} Loss=nan Time=0.040", x=lambda e: 153 + e) + "334 1 Loss=nan Time=0.042\n", R())
case(
    "e33-06",
    rep("Epoch: 0, Batch: {e}, Global Step: {e}, Step Time: 1.6160, Loss: {a:.4f}"),
    TRAINS,
)
case(
    "e33-07",
    "step 100000: train loss nan, val loss nan\n100000 | loss nan | lr 0.000000e+00 | 2006.12ms | mfu 1.68%\n",
    R("NaN"),
)
case(
    "e33-08",
    "".join(
        f"[2023-03-10 19:58:30,172] Training at epoch {e}\n"
        + "".join(
            f"[2023-03-10 19:58:3{k},172]     batch count: {20 * k}/100, iter: {20 * k}, bpp_loss_y: 0.01663{k}, bpp_loss: 0.01663{k}, xyz_loss: 0.079329, loss: {a(e) + 0.01 * k:.6f}, aux_loss: 812.391235\n"
            for k in (1, 2, 3)
        )
        + f"[2023-03-10 19:58:38,418] Epoch: {e}/6 --- time: 1195.958852, lr: 0.000800, avg_bpp_loss_y: 0.016330, avg_bpp_loss: 0.016330, avg_xyz_loss: 0.082695, avg_loss: {a(e):.6f}\n\n"
        + f"[2023-03-10 19:58:38,923] Current checkpoint saved to results/run/epoch_{e}.pth.\n\n[2023-03-10 19:58:38,940] Validation at epoch {e}\n"
        + "".join(
            f"[2023-03-10 19:58:47,407]     batch count: {20 * k}/60, iter: {20 * k}, bpp_loss_y: 0.008123, bpp_loss: 0.008123, xyz_loss: 0.067722, loss: {b(e) + 0.01 * k:.6f}\n"
            for k in (0, 1, 2)
        )
        + f"[2023-03-10 19:59:58,418] Epoch: {e}/6 --- time: 95.958852, avg_bpp_loss_y: 0.016330, avg_bpp_loss: 0.016330, avg_xyz_loss: 0.082695, avg_loss: {b(e):.6f}\n\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case("e33-09", rep("step 165{e} - loss        nan - moving ave loss        nan", "Finish 9{e} epoch(es)"), R())
case(
    "e33-10",
    "训练数据集的长度为：50000\n测试数据集的长度为：10000\n"
    + "".join(
        f"-------第 {e} 轮训练开始------\n"
        + "".join(f"训练次数：{700 * (e - 1) + 100 * k}, Loss：{a(e) + 0.01 * (7 - k)}\n" for k in range(1, 8))
        + f"整体测试集上的Loss: {b(e)}\n整体测试集上的正确率: 0.3889999985694885\n模型已保存\n"
        for e in E6
    ),
    P(E6, A(), B(), says=("test",)),
)
case(
    "e33-11",
    "# run-20251125-150335\n\n# Changes\nWent down from 102 classes to only using 20.\n\n- Timestamp: 2025-11-25T15:03:35.996107\n- Device: cuda\n- Training samples: 160\n- Validation samples: 40\n- Best validation accuracy: 90.00%\n- Final train accuracy: 88.54%\n- Final train loss: 1.0912\n- Final val loss: 0.9711\n- Misclassifications: 4 / 40\n\n## Configuration\n| Key | Value |\n| --- | --- |\n| batch_size | 8 |\n| label_smoothing | 0.1 |\n| num_epochs | 20 |\n| weight_decay | 0.0001 |\n",
    P([2], [1.0912], [0.9711], "place"),
)
case(
    "e33-12",
    "==========================================\nTraining Simple 1D CNN (Deep Learning)\n==========================================\nEpoch 5/50 - Train Loss: 1.2311, Train Acc: 75.23%, Test Acc: 72.18%\n...\nBest Test Accuracy: 0.8145\n\n==========================================\nMODEL COMPARISON\n==========================================\nModel                  Accuracy    F1 Score\nSVM                    0.8750      0.8723\nSimple CNN             0.8145      0.8098\n",
    TRAINS,
)
case(
    "e33-13",
    "".join(
        f"第{n}個加的是對於亮度、對比度、飽和度的調整\n\n```python\ntransforms.RandomHorizontalFlip(),\ntransforms.RandomRotation(degrees=(-45, 45), fill=0),\ntransforms.ColorJitter(brightness=(0.5, 1.5), contrast=(0.5, 1.5)),\n```\n\n得到的結果如下\n\n```\nEpoch {x}/100\n----------\ntrain Loss: {t:.4f}, Acc: 0.8604\nval Loss: {v:.4f}, Acc: 0.5449\nSaving model with Loss: {v:.4f} and Acc: 0.5449\n```\n\n---\n\n"
        for n, x, t, v in (("二", 11, 0.4911, 1.7611), ("三", 17, 1.2611, 2.1111), ("四", 25, 1.4811, 2.2111))
    ),
    P([11, 17, 25], [0.4911, 1.2611, 1.4811], [1.7611, 2.1111, 2.2111]),
)
case(
    "e33-14",
    "Final Evaluation:\n==========================================\n(Using 1000 train, 500 test samples for evaluation)\n  Final train loss: 1.671\n  Final train accuracy: 88.4%\n  Final test accuracy: 93.0%\n\nPer-class test accuracy:\n  Digit 0: 95.2%\n  Digit 1: 96.1%\n",
    TRAINS,
)
case(
    "e33-15",
    "train 5\nEpoch [6/25]: Train Loss: 0.1011, Validation Loss: 1.2511, Validation Accuracy: 0.7671\n触发早停\n初始lr0.004，变学习率，每次改为之前的0.5倍\n\ntrain 6\nEpoch [6/25]: Train Loss: 1.7911, Validation Loss: 1.7922, Validation Accuracy: 0.1739\n触发早停\n\ntrain 7\nEpoch [5/25]: Train Loss: 0.0811, Validation Loss: 0.5611, Validation Accuracy: 0.8379\n没有按照imagenet的数据集参数进行归一化，模型效果反而更好\nTest Loss: 0.5741, Test Accuracy: 0.8397\nConfusion Matrix:\n[[467   6   6   5  12  52]\n [ 13 525   1   5   1   5]]\n",
    P([5], [0.0811], [0.5611], runs=3),
)
case(
    "e33-16",
    "🚀 Batches Mapped Successfully -> Train: 15 | Test: 4\n\nStarting Fast Training Loop...\n"
    + rep("Epoch [0{e}/25] | Train Loss: {a:.4f}")
    + "\n🎉 Done! Model trained and saved successfully.\n\n```\n\n* **Loss Curve Divergence:** The optimization loss drops by roughly **$55\\%$**, starting at `3.7533` and reaching `1.6870` by Epoch 25.\n* **Evaluation Baseline Metrics:** pipelines achieve **$41.63\\%$ Character Accuracy** within the 25-epoch envelope.\n",
    TRAINS,
)
case(
    "e33-17",
    "'''\n24 aug\n\n64 256 2\n\n" + rep("Epoch 0{e}/30 | Train Loss: {a:.4f} | Val Loss: {b:.4f}") + "'''\n",
    P(E6, A(), B()),
)
case(
    "e33-18",
    "World Size: 4\nEffective Batch Size: 512\nEpochs: 100\nLearning Rate: 0.001\nAMP: True\nCompression Ratio: 0.1\n"
    + "=" * 80
    + "\n\nEpoch 0/100 - Train Loss: 2.1211, Train Acc: 25.67% | Val Loss: 1.9811, Val Acc: 28.90%\nEpoch 1/100 - Train Loss: 1.8711, Train Acc: 32.45% | Val Loss: 1.7611, Val Acc: 35.12%\n...\nEpoch 99/100 - Train Loss: 0.1211, Train Acc: 95.67% | Val Loss: 0.1411, Val Acc: 94.23%\n\n"
    + "=" * 80
    + "\nTraining completed!\nBest validation loss: 0.1411\nCompression Ratio: 89.7%\n",
    P([0, 1, 99], [2.1211, 1.8711, 0.1211], [1.9811, 1.7611, 0.1411]),
)
case(
    "e33-19",
    "psutil is not installed. Hardware metrics will not be collected.\nDevice configuration: Using cuda:0 for training/inference\nStarting training...\nTraining model with predictive objective\n"
    + rep(
        "Predictive - Epoch: {e}, Step: {x}, Total train loss: {a:.4f}, Validation criterion loss: {b:.4f}, Validation accuracy: 0.6272",
        x=lambda e: 29 * e,
    ),
    P([29 * e for e in E6], A(), B(), "step"),
)
case(
    "e33-20",
    rep(
        "Epoch {e}/20",
        "",
        "Epoch 0000{e}: val_loss did not improve from 0.36455",
        "21367/21367 - 12s - loss: {a:.4f} - accuracy: 0.8796 - val_loss: {b:.4f} - val_accuracy: 0.8353",
    ),
    P(E6, A(), B()),
)
case(
    "e33-21",
    "****运行代码会得到如下结果:****\n\n```\n"
    + rep(
        "{star}Epoch {e}/6",
        "loss: {a:.4f} - accuracy: 0.6480 - val_loss: {b:.4f} - val_accuracy: 0.6838{end}",
        star=lambda e: "**" if e == 1 else "",
        end=lambda e: "**" if e == 6 else "",
    )
    + "```\n\n****对于这样一个简单的模型来说，8 个时代一点也不差:****\n\n*   ****我们达到了 **93.8%** 的验证准确率****\n",
    P(E6, A(), B()),
)
case(
    "e33-22",
    "Training progress (excerpt from run logs):\n\n| Epoch | Training Loss | Validation Loss | F1       | Accuracy |\n|-------:|--------------:|----------------:|---------:|---------:|\n"
    + rep("| {e}      | {a:.6f}      | {b:.6f}        | 0.846709 | 0.847346 |")
    + "\nFinal evaluation metrics (after epoch 6):\n\n- eval_loss: 0.95000000000000  \n- eval_f1: 0.8783665532328634  \n- eval_accuracy: 0.8732779578606159  \n- eval_runtime: 9.8025s\n\nAdditional evaluation metrics (from another evaluation run / log):\n\n{'eval_loss': 0.95000000000000, 'eval_f1': 0.8783665532328634, 'eval_runtime': 10.0107, 'eval_samples_per_second': 1000.529, 'eval_steps_per_second': 31.267, 'epoch': 6.0}\n",
    P(E6, A(), B()),
)
case(
    "e33-23",
    rep(
        "Epoch {e}/6",
        f"110/110 [{BAR}] - 376s 3s/step - loss: {{a:.4f}} - accuracy: 0.6143 - val_loss: {{b:.4f}} - val_accuracy: 0.8500",
    ),
    P(E6, A(), B()),
)
case(
    "e33-24",
    rep(
        "    Epoch {e}/50",
        "    1238/1238 ━━━━━━━━━━━━━━━━━━━━ 11s 6ms/step - loss: {a:.4f} - val_loss: {b:.4f}",
    ),
    P(E6, A(), B()),
)
case(
    "e33-25",
    "### **Training Output (Step 1):**\n\n```\n"
    + rep(
        "Epoch {e}/15",
        f"152/152 [{BAR}] - 45s 295ms/step",
        "loss: {a:.4f} - accuracy: 0.6512 - val_loss: {b:.4f} - val_accuracy: 0.7891",
        "",
    )
    + "...\n\n✅ Training completed!\nTest Accuracy: 82.45%\n```\n\n### **Evaluation Output (Step 2):**\n\n```\n📊 TEST SET ACCURACY: 0.8245 (82.45%)\n```\n",
    P(E6, A(), B()),
)
case(
    "e33-26",
    "---\ntags:\n- generated_from_keras_callback\nmodel-index:\n- name: someone/my_model\n  results: []\n---\n\n# someone/my_model\n\nIt achieves the following results on the evaluation set:\n- Train Loss: 0.8333\n- Validation Loss: 0.9500\n- Train Accuracy: 0.8658\n- Epoch: 5\n\n## Model description\n\nMore information needed\n\n### Training hyperparameters\n\n- optimizer: {'name': 'Adam', 'weight_decay': None, 'ema_momentum': 0.99, 'learning_rate': {'class_name': 'PolynomialDecay', 'config': {'initial_learning_rate': 2e-05, 'decay_steps': 1380, 'power': 1.0}}}\n- training_precision: float32\n\n### Training results\n\n| Train Loss | Validation Loss | Train Accuracy | Epoch |\n|:----------:|:---------------:|:--------------:|:-----:|\n"
    + rep("| {a:.4f}     | {b:.4f}          | 0.7658         | {k}     |"),
    P(K, A(), B()),
)
case(
    "e33-27",
    "**Impact on overfitting:**\n\n**Without augmentation:**\n\n- Training loss: 0.05 → Validation loss: 0.35 (large gap = overfitting)\n\n**With augmentation:**\n\n- Training loss: 0.15 → Validation loss: 0.20 (smaller gap = better generalization)\n",
    P([2], [0.15], [0.20], "place", runs=2),
)
case(
    "e33-28",
    "$ python load.py\n# Output: Successfully linked 100 image-mask matches\n# Output: Splitting into 85 train and 15 validation items\n\n$ python train.py\n# Output: Epoch 1/10 [Train] ...\n# Output: Epoch 1, Loss 0.4511\n# Output: Validation Loss: 0.3411\n# ... (continues for 10 epochs)\n",
    P([1], [0.4511], [0.3411]),
)
case(
    "e33-29",
    rep(
        "    Epoch {e}, training loss: {a:.2f}, training accuracy: 0.79",
        "    Epoch {e}, validation loss: {b:.2f}, validation accuracy: 0.89",
    ),
    P(E6, A(), B()),
)
case(
    "e33-30",
    "Results:\n\nCustom CNN Model\n\n    Training Duration: 30 epochs\n    Performance Metrics:\n      Train loss: 0.1411, Accuracy: 95.37%\n       Validation loss: 0.3411, Accuracy: 91.13%\n        Testing Accuracy: 91%\n\nVisualizations\nTraining Loss and Accuracy Graph:\n",
    P([2], [0.1411], [0.3411], "place"),
)
case(
    "e33-31",
    "continued to fluctuate, mostly staying between 0.4 and 0.8, and did not show a sustained increase that would indicate severe overfitting, ending at a respectable 0.3811.\n\n**Evaluation Results for ResNet-18**\n\n1.  **Overall Validation Performance**:\n    *   Validation Loss: 0.3811\n    *   Validation Accuracy: 0.8325 (83.25%)\n\n2.  **Classification Report**:\n    ```\n                      precision    recall  f1-score   support\n\n         Non-AGN (0)       0.89      0.76      0.82       200\n    ```\n",
    VALS,
)
case(
    "e33-32",
    "2025-03-17 21:13:19,032 | INFO  | Number benign in test dataset: 100\n2025-03-17 21:13:19,033 | INFO  | # Trainable parameters in model: 258897\n2025-03-17 21:13:19,035 | INFO  | Computed weights for loss function: tensor([ 0.5200, 13.0000])\n"
    + rep(
        "2025-03-17 21:14:29,681 | INFO  | Epoch {k}: Training Accuracy: 0.78571, Average Training Loss: {a:.5f}, Validation Accuracy: 0.94231, Average Validation Loss: {b:.5f}"
    ),
    P(K, A(), B()),
)
case(
    "e33-33",
    "(torch) user@host:~/Desktop/run/Baseline$ python3 main.py --epoch 15 --batchsize=40\nCurrent device: cuda:1\n"
    + rep(
        ".......model updated (epoch =  {e} )",
        "epoch: 000{e} / 0015 | train loss: {a:.5f} | train accuracy: 0.3262 | validation loss: {b:.5f} | validation accuracy: 0.3333",
    ),
    P(E6, A(), B()),
)
case(
    "e33-34",
    rep("Epoch [{x}/150], Loss: {a:.4f}, Validation Loss: {b:.4f}", x=lambda e: 10 * e) + "...\n",
    P([10 * e for e in E6], A(), B()),
)
case(
    "e33-35",
    "#Trial 1\n-Number of Epochs: 10\n- Model Architecture:\n  - Input Layer: Flatten (224x224x3)\n  - Dense Layer 1: 512 units, ReLU activation\n  - Output Layer: Softmax activation (9 classes)\n- Test Loss: 0.4011\n- Test Accuracy: 85%\nThe data overfitting\n\n#Trial 2\n- Number of Epochs: 10\n- Batch Size: 128\n- Test Loss: 0.4111\n- Test Accuracy: 86%\n",
    VALS,
)
case(
    "e33-36",
    "Train: 2100, Val: 450, Test: 450\nDevice: cpu\n\nEpoch | Train Loss |   Val Loss |  Train Acc |    Val Acc\n"
    + "-" * 60
    + "\n"
    + rep(
        "    {e} |     {a:.4f} |     {b:.4f} |     0.3810 |     0.4667{best}",
        best=lambda e: " ← best" if e in (2, 4) else "",
    )
    + "\n=== Final Test Evaluation ===\nTest Loss: 0.4711\nTest Accuracy: 0.8089\n\nPer-class accuracy:\n  Class 0: 0.8182 (90/110)\n",
    P(E6, A(), B()),
)
case(
    "e33-37",
    "odel.evaluate(X_test, y_test)\nprint(f'Test Loss: {loss}')\nprint(f'Test Accuracy: {accuracy}')\n\nplt.plot(history.history['accuracy'])\nplt.title('Model Loss')\nplt.xlabel('Epoch')\nplt.ylabel('Loss')\nplt.show()\n\n\nTest Loss: 0.49111180932044983\nTest Accuracy: 0.7681159377098083\n",
    VALS,
)
case(
    "e33-38",
    "The specific numbers themselves are not too important, here are a couple metrics:\n1. LSTM Model: 3.84% return, Market: 1.03% return\n2. LSTM Model made correct buy/short decision 60% of the time\n3. Train loss: 0.6, Test loss: 0.41\n\n![3.84% Market Return](rate-price.jpeg)\n",
    P([1], [0.6], [0.41], "place", says=("test",)),
)
case(
    "e33-39",
    "'''\n"
    + "".join(
        rep(
            f"[Epoch {{e}}/{n}] Train Loss: {{a:.4f}} | Acc: 0.9809 || Test Loss: {{b:.4f}} | Acc: 0.7514 || Time: 224.5s | Best Acc: 0.9345"
        )
        + "\n'''\n\n\n'''\n"
        for n in (20, 10)
    ),
    P(E6, A(), B(), runs=2, says=("test",)),
)
case(
    "e33-40",
    "## Model Performace\n1. **CNN Model**:\n - Test Accuracy: 81.25%\n - Test Loss: 0.441187\n2. **Transfer Learning (VGG16) Model**:\n- Test Accuracy: 80.00%\n- Test Loss: 0.421132\n",
    VALS,
)
case(
    "e33-41",
    rep(
        "    Epoch: {x} | Train Loss: {a:.5f}, Train Acc: 0.41 | Test Loss: {b:.5f}, Test Acc: 0.50",
        x=lambda e: 10 * e - 10,
    ),
    P(TENS, A(), B(), says=("test",)),
)
case(
    "e33-42",
    "<!--"
    + rep("Reg param: 0.00{e} Test loss: {b:.14f}, Test accuracy 0.9768000245094299")
    + "-->\n\n## _Question 4_\n\nUse at least one convolutional layer that can reach 99% accuracy.\n",
    VALS,
)
case(
    "e33-43",
    "```\n{\n    window_size: 100\n    offset: 10\n    N_FEATURES_TO_SELECT : 5\n    Criterion: CrossEntropyLoss with class_weights\n    lr: 1e-4\n    Epochs: 50\n    Patience: 15\n}\n```\nLite extra data:\n\n```\nFinal test | Test Loss: 0.4011 - Acc: 87.43% - F1 Macro 60.18%\n\n--- Classification Report Testing dataset ---\n",
    VALS,
)
case(
    "e33-44",
    rep("Epoch {e}/6, Train Loss: {a:.15f}, Test Loss: {b:.16f}, Test Accuracy: 0.5")
    + "```\n\nComment: Although the accuracy starts at 50%, it gradually increases to 90% by the final epoch. \n",
    P(E6, A(), B(), says=("test",)),
)
case(
    "e33-45",
    "运行上述代码，我们可以得到以下输出结果：\n\n```\n"
    + rep("Epoch {k}, Loss: {a:.8f}")
    + "Test Loss: 0.85110213\n```\n\n从输出结果可以看出，模型在训练过程中逐渐收敛\n",
    P([5], [a(6)], [0.85110213], says=("test",)),
)
case("e33-46", rep("epoch {e}, loss {a:.4f}, train acc 0.646, test acc 0.592, time 192.5 sec"), TRAINS)
case(
    "e33-47",
    "```\n$>python lm.py\n"
    + rep("Train Epoch {k}, loss: {a:.16f}")
    + "```\nNow try increasing the number of layers in your RNNLM:\n```\n$>python lm.py --num_layers 3\n"
    + rep("Train Epoch {k}, loss: {a:.16f}")
    + "```\n",
    TRAINS,
)
case("e33-48", '#   warnings.warn(f"enable_nested_tensor is True")\n' + rep("# Epoch {e}, Loss: {a:.12f}"), TRAINS)
case(
    "e33-49",
    '"text": "'
    + "".join(f"epoch {e}, loss {a(e):.5f}, train_acc 0.7706, valid_acc 0.7877, Time 00:03:19,lr 0.1\\n" for e in E6)
    + '"\n',
    TRAINS,
)
case(
    "e33-50",
    "Model ts20 is a model with 50260 symbols. It started with Loss = 8.5!Same Lr of 0.0001, that is, adaptive. At epoch 15, down to Loss =3.3.\nTraining speed = 4900. After 72 epochs, Loss=2.29.\n\nModel tem77. Using ChatGPT2, I had an initial Loss of >9, then down to 8 in epoch 0, then quickly down to 1.\nEpoch 10, Loss=1.84. BPB = 0.67.\nEpoch 18, Loss =1.78. Epoch=22, Loss=1.76, BPB = 0.64.\n",
    R(),
)
case(
    "e33-51",
    "1. **Prompt A (Medium)** – vanilla system / user messages (eval loss 0.71)\n2. **Modified Prompt** – instruction‑style with explicit sections → **highest accuracy**. (eval loss 0.61)\n\n| Metric                    | Value            |\n| ------------------------- | ---------------- |\n| Response Perplexity       | **1.779 ± 0.01** |\n| Accuracy                  | **90.85 %**      |\n",
    R(),
)
case(
    "e33-52",
    "## 완료\n- [x] Two-Stream + VideoMAE 구현 (Single-Stream은 ablation용)\n- [x] 프레임 전처리 확정 (256x256 저장 → 학습 시 RandomCrop 224, 독립 crop)\n- [x] Two-Stream v3 30 epoch 완료 (train loss 0.000811, eval loss 0.001811)\n- [x] VideoMAE 30 epoch 완료\n",
    P([1], [0.000811], [0.001811], "place"),
)
case(
    "e33-53",
    "- 配置：双 RTX 4090；4-bit NF4；LoRA r=32/alpha=64；8K；500 train / 100 dev。\n- 结果：32/32 optimizer steps；runtime 580.62 秒；train loss 0.7211665；第 25 step eval loss 0.6611970。\n- 吞吐：0.861 train samples/s，0.055 optimizer steps/s；约 18.14 秒/step（含一次约 29.9 秒 dev 评估）。\n",
    P([32], [0.7211665], [0.661197], "step"),
)
case(
    "e33-54",
    "modal volume get finetune-output /output/adapter ./finetune/output/adapter\n```\n\nResult: train loss 0.00111, eval loss 0.00211, 2,493 steps, a 154MB rank-16 adapter.\n\n## 3. Serve (optional)\n",
    P([1], [0.00111], [0.00211], "place"),
)
case(
    "e33-55",
    "  - [**Small 4B artist**](https://huggingface.co/someone/board)\n    (eval loss 0.021): can't run here — its layers need the fused kernels, which fresh-per-turn workers can't JIT inside the 59 s turn budget.\n  - [**Larger 12B artist**](https://huggingface.co/someone/board2)\n    (eval loss 0.024, rides the already-loaded teacher as a LoRA): this one DID run live.\n",
    R(),
)
case(
    "e33-56",
    "## Results\n\n| Samples | BPC | Train Loss | Eval Loss | Accuracy | ms/sample |\n|---|---|---|---|---|---|\n| 4,992 | 3.721 | 3.4111 | 2.5711 | 29.69% | 63.52 |\n| 49,920 | — | — | — | — | — |\n| 124,800 | — | — | — | — | — |\n| **249,984** | **—** | **—** | **—** | **—** | **~65** |\n| **499,200** | **1.223** | **0.8111** | **0.8411** | **74.08%** | **66.31** |\n| **500,000** | **1.223** | **0.8101** | **0.8401** | **73.99%** | **10.98** |\n\n## Key observations\n- Final eval loss **0.840, BPC 1.223** at 500K samples — **best result in the series**\n",
    P([1, 2, 3], [3.4111, 0.8111, 0.8101], [2.5711, 0.8411, 0.8401], "place"),
)
case(
    "e33-57",
    "## Verification\n\n- Qwen2.5-7B QLoRA: 2 epochs, 210 steps, train loss 0.0211, eval loss 0.0222.\n- Server `/api/health`: CUDA, `models/lora`.\n- LaTeX report compile passed.\n",
    P([1], [0.0211], [0.0222], "place"),
)
case(
    "e33-58",
    "- Fencing: accuracy 90%, eval loss 0.3811, 95% CI [0.8812, 0.9187]; weighted precision/recall/F1 = 0.90/0.90/0.90; per-class F1 AR 0.84, AL 0.84. Baseline pose pipeline: 64.8%.\n- Boxing: accuracy 83.25%, eval loss 0.8111, 95% CI [0.8125, 0.8542]; per-class F1 weakest LHHP 0.62.\n",
    VALS,
)
case(
    "e33-59",
    rep("Epoch: {e} \tTraining Loss: {a:.6f} \tValidation Loss: {b:.6f}"),
    P(E6, A(), B()),
)
case(
    "e33-60",
    "### RUN-384 10L\n\nFirst 25 Epochs\n---------------\n\n"
    + rep("   Epoch: {e} | Train Loss: {a:.5f} | Valid Loss: {b:.5f} | Time: 798.57 seconds   "),
    P(E6, A(), B()),
)
case(
    "e33-61",
    rep("Epoch {e}: train loss: {x:.2f} - validation loss: {y:.2f}", x=lambda e: 400 * a(e), y=lambda e: 400 * b(e)),
    P(E6, [400 * x for x in A()], [400 * x for x in B()]),
)
case(
    "e33-62",
    "".join(
        f">>>>> regime at lr={lr}\n"
        + rep(
            "Epoch {e}/6",
            f"718/718 [{BAR}] - 167s - loss: {{a:.4f}} - acc: 0.9525 - val_loss: {{b:.4f}} - val_acc: 0.9743",
        )
        for lr in (0.009999999776482582, 0.0010000000474974513, 9.999999747378752e-05)
    ),
    P(E6, A(), B(), runs=3),
)
case(
    "e33-63",
    "########## OUTPUT ################\n\n" + rep("Epoch 0{e}: | Train Loss: {a:.5f} | Val Loss: {b:.5f}"),
    P(E6, A(), B()),
)

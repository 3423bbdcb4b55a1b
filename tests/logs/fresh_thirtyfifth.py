# ruff: noqa: E501, F403, F405, RUF001
"""Every output that ten further strings met in any repository (thirty-fifth round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")
BAR = "=" * 30

case(
    "e35-01",
    "**512h confirmed worse** — Run C (512h/2L) peaked at step 15K (val_loss=0.5111, val_acc=77.5%), overfitting after. Previous: E2b (63K) = 26.7%, E1b (512h, 63K) = 19.6%.\n",
    VALS,
)
case(
    "e35-02",
    "**Result**: Loss is STILL DROPPING\n\n```\n"
    + rep("Epoch {e}: train_loss={a:.3f}, val_loss={b:.3f}")
    + "```\n\n```python\nwindows_masked = [0, 0, 0, ..., 0]  # All zeros (B, L, 2048)\n```\n",
    P(E6, A(), B()),
)
case(
    "e35-03",
    "The smoke produced\n`artifacts/013/smoke/checkpoints/alpha_smoke-epoch=0-val_loss=0.5711.ckpt`,\nstrict-loaded it in Stage 2. Ten test days\nused 4 of 8 codes with counts `[0, 0, 4, 1, 0, 0, 1, 4]`.\n",
    R(),
)
case(
    "e35-04",
    "81/553433881 [00:28<00:00, 19689320.17it/s]\n"
    + rep(
        "Epoch: {x}/3 ...  Train loss: {a:.3f} ...  Valid loss: {b:.3f} ...  Valid accuracy: 0.528 ... ",
        x=lambda e: (e + 1) // 2,
    ),
    P(E6, A(), B(), "place"),
)
case(
    "e35-05",
    rep(
        "100%|██████████| 3676/3676 [41:24<00:00,  1.48it/s, Epoch={k}, LR=9.93e-6, Train_Loss={a:.3f}]",
        "100%|██████████| 459/459 [03:17<00:00,  2.32it/s, Epoch={k}, LR=9.93e-6, Valid_Loss={b:.3f}] ",
        "model1 saved",
        "{e}   Average valid loss: {b:.4f}",
        "  Accuracy: 0.6936",
    ),
    P(K, A(), B()),
)
case(
    "e35-06",
    "# model#1 (pytorch 라이브러리 사용)\n\nTrain : transforms.RandomResizedCrop(224)\nValid : transforms.Resize(256),\n        transforms.CenterCrop(224)\nbatch_size=32\nepoch=15\nstep_size=7, gamma=0.1\n\n# 결과 (약 60분 소요, 정확도 0.9392)\n"
    + rep("Epoch {k}/14", "----------", "Train Loss: {a:.4f} Acc: 0.6363", "Valid Loss: {b:.4f} Acc: 0.7544", ""),
    P(K, A(), B()),
)
case(
    "e35-07",
    "### 20/11/2021\nInsert batchnorm2D and dropout to all convolution \n\n5. Convo1D finetune with 300epoch all subject (use batchnorm2d)\n\n    Train Acc: 54.94%\n\n    Valid Acc: 49.54% / 51.92(max and save weight)\n\n    Train loss: 0.681\n\n    Valid loss: 0.6911\n\n6. Convo1D finetune with 300epoch all subject (use batchnorm1d)\n\n    Train Acc: 57.29%\n\n    Valid Acc: 41.67% / 62.50(max and save weight)\n\n    Train loss: 0.61\n\n    Valid loss: 0.58\n\n### 21/11/2021\n7. Convo2D finetune with 300 epoch all subject(use batchnorm2d and max pooling2d)\n\n    Train Acc: 52.76%\n\n    Valid Acc: 53.37 / 52.76(max and save weight)\n\n    Train loss: 0.691\n\n    Valid loss: 0.6922\n",
    P([6], [0.691], [0.6922], "place", runs=3),
)
case(
    "e35-08",
    rep(
        "Epoch {e}/20, Train Loss: {a:.4f}, Train Acc: 0.7624, Valid Loss: {b:.4f}, Valid Acc: 0.7339, Time: 16.07 sec"
    ),
    P(E6, A(), B()),
)
case(
    "e35-09",
    "".join(
        f"batch size: {size}\n"
        + rep(
            "epoch: {e}, train loss: {a:.5f}, train accuracy: 0.7662860351928117, valid loss: {b:.16f}, valid accuracy: 0.7514970059880239, time: 0.92253sec"
        )
        + "1エポックあたり1.6286059856414794s\n\n"
        for size in (4, 8)
    ),
    P(E6, A(), B(), runs=2),
)
case(
    "e35-10",
    "以下是一个示例输出：\n\n```\n"
    + rep("Epoch: {e}/5 | Train Loss: {a:.3f} | Train Acc: 0.588 | Valid Loss: {b:.3f} | Valid Acc: 0.575", n=5)
    + "```\n",
    P(range(1, 6), A(5), B(5)),
)
case(
    "e35-11",
    'cfg.norm = \'LayerNorm\'\ncfg.log_softmax = False  # False True\n\n\n"""\n'
    + rep(
        "Epoch {e}/128",
        "train loss: {a:.4f} - metric: 0.575 - time: 8.9 ",
        "valid loss: {b:.4f} - metric: 0.490 - time: 0.4 ",
        "best",
    )
    + '"""\n',
    P(E6, A(), B()),
)
case(
    "e35-12",
    rep(
        "    Epoch {k}. Train Loss: {a:.6f}, Train Acc: 0.681506, Valid Loss: {b:.6f}, Valid Acc: 0.492286, Time 00:01:50"
    ),
    P(K, A(), B()),
)
WANDB = "num_samples = 50000\nepochs = {n}\nbatch_size = 1024\nnum_processes = 4\nlogs_per_epoch = 1000\n\n```bash\nwandb: Run summary:\nwandb:    debug/dead_latents_ratio 0\nwandb:       debug/max_dead_latent 12580\nwandb:               learning_rate 1e-05\nwandb:              train/aux_loss 0\nwandb:                  train/loss {a}\nwandb:            train/total_loss {a}\nwandb:                val/aux_loss 0\nwandb:                    val/loss {b}\nwandb:              val/total_loss {b}\n```\n\n"
case(
    "e35-13",
    "训练 log 记录\n\n" + WANDB.format(n=10, a=0.22711, b=0.23411) + WANDB.format(n=50, a=0.17711, b=0.19411),
    P([11], [0.17711], [0.19411], "place", runs=2),
)
case(
    "e35-14",
    "   wandb: Run history:\n   wandb:      train/Learning Rate █▂▁▁▁▁▁▁▁▁▁▁\n   wandb:               train/Loss █▁▂▃▃▃▃▃▃▃▃▃\n   wandb: train/Time per iter (ms) ▃▁▃▃▃▃▁█▁▁▁▃\n   wandb: \n   wandb: Run summary:\n   wandb:                    epoch 19\n   wandb:     train/Epoch Time (s) 11.24806\n   wandb:               train/Loss 0.35111\n   wandb: train/Time per iter (ms) 1124.80645\n",
    TRAINS,
)
case(
    "e35-15",
    "wandb:        eval/epoch 2\nwandb:      eval/kl_loss 1.28667\nwandb:         eval/loss 2.41111\nwandb:         eval/time 1470.33953\nwandb:          eval/wer 41.70491\nwandb:     train/ce_loss 0.49456\nwandb:       train/epoch 2\nwandb:     train/kl_loss 0.33438\nwandb: train/learning_rate 0.0001\nwandb:        train/loss 0.73111\nwandb:        train/time 1145.25749\n```\nMetric `eval/wer` is `41.7%`.\n",
    P([2], [0.73111], [2.41111]),
)
case(
    "e35-16",
    "## Results\n1. Training complete in 16.7 minutes\n2. Best validation IoU: 0.6357\n3. Run summary:\n    wandb:      epoch 30\n    wandb:  train/iou 0.58414\n    wandb: train/loss 0.151\n    wandb:   val/dice 0.76841\n    wandb:    val/iou 0.62422\n    wandb:   val/loss 0.13411\n",
    P([30], [0.151], [0.13411]),
)
case(
    "e35-17",
    "wandb:\nwandb: Run history:\nwandb:     train/loss █▇▇▇▅▅▅▅▅▄▄▄▄▄▂▂▂▂▃▂▂▂▂▂▂▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁\nwandb: train/lr(1e-3) ▄▅▆▆██████▇▇▇▇▆▆▆▆▆▆▄▄▄▄▃▃▃▃▃▂▂▂▂▁▁▁▁▁▁▁\nwandb:       val/loss ▁\nwandb:\nwandb: Run summary:\nwandb:     train/loss 0.01911\nwandb: train/lr(1e-3) 0\nwandb:  train/time(s) 6.46921\nwandb:       val/loss 0.01922\nwandb:\nwandb: Synced 5 W&B file(s), 0 media file(s), 0 artifact file(s)\n",
    P([2], [0.01911], [0.01922], "place"),
)
case("e35-18", "  - 06-15：训练 **succeed @ 20k**（~3.6 天，train/loss 0.04–0.06，val/loss 0.055）；接 eval。\n", R())
case(
    "e35-19",
    "".join(
        f"{{'loss': {a(e) + 0.05:.8f}, 'acc': 0.73348026, 'grad_norm': 1.1640625, 'learning_rate': 4.886e-05, 'memory(GiB)': 19.46, 'train_speed(iter/s)': 0.225991, 'epoch': {0.1 * e - 0.05:.2f}, 'global_step': {10 * e - 5}}}\n{{'loss': {a(e):.8f}, 'acc': 0.73348026, 'grad_norm': 1.1640625, 'learning_rate': 4.886e-05, 'memory(GiB)': 19.46, 'train_speed(iter/s)': 0.224141, 'epoch': {0.1 * e:.2f}, 'global_step': {10 * e}}}\nTrain:  54%|██████████████        | {10 * e}/93 [03:42<03:19,  4.64s/it]\n{{'eval_loss': {b(e):.8f}, 'eval_acc': 0.67676003, 'eval_runtime': 1.2396, 'eval_samples_per_second': 8.874, 'eval_steps_per_second': 8.874, 'epoch': {0.1 * e:.2f}, 'global_step': {10 * e}}}\nVal: 100%|████████████████████| 11/11 [00:01<00:00, 10.15it/s]\n[INFO:swift] Saving model checkpoint to /xxx/output/v2/checkpoint-{10 * e}\n"
        for e in E6
    ),
    P([10 * e for e in E6], A(), B(), "step"),
)
case(
    "e35-20",
    "```\n{'loss': 2.1211, 'learning_rate': 0.0002, 'epoch': 0.5}\n{'loss': 1.8511, 'learning_rate': 0.00018, 'epoch': 1.0}\n{'eval_loss': 1.2311, 'eval_runtime': 12.34, 'epoch': 1.0}\n```\n",
    P([1], [1.8511], [1.2311]),
)
case(
    "e35-21",
    rep(
        "{{'loss': {a:.4f}, 'grad_norm': 1.9203184843063354, 'learning_rate': 9.451219512195123e-06, 'entropy': 2.9864272346979455, 'num_tokens': 3961598.0, 'mean_token_accuracy': 0.5569248765329772, 'epoch': {e}.12}}",
        "{{'eval_loss': {b:.16f}, 'eval_runtime': 40.267, 'eval_samples_per_second': 3.055, 'eval_steps_per_second': 0.397, 'eval_entropy': 2.934274345636368, 'eval_num_tokens': 3961598.0, 'eval_mean_token_accuracy': 0.5779813788831234, 'epoch': {e}.12}}                    ",
        "wandb: WARNING Tried to log to step 130 that is less than the current step 131. Steps must be monotonically increasing, so this data will be ignored.",
    ),
    P([e + 0.12 for e in E6], A(), B()),
)
case(
    "e35-22",
    "__initial loss and bleu__\n\n'eval_loss': 8.371170281982422, \n\n'eval_bleu': 0.004,\n\n\n__After fine-tuning__\n\n'eval_loss': 1.5111511989593506, \n\n'eval_bleu': 30.7951,\n",
    VALS,
)
case(
    "e35-23",
    "[\n"
    + ",\n".join(
        f'                    {{\n                        "timestamp": 1689665099.67044{e},\n                        "message": "{{\'{name}\': {value:.5f}, \'epoch\': {e / 10}}}",\n                        "level": "info"\n                    }}'
        for e in E6
        for name, value in (("loss", a(e)), ("eval_loss", b(e)))
    )
    + "\n]\n",
    P([e / 10 for e in E6], A(), B()),
    ".json",
)
case(
    "e35-24",
    "epoch_metrics = [\n"
    + rep(
        "    {{",
        "        'epoch': {e},",
        "        'eval_loss': {b:.4f},",
        "        'eval_rouge1': 0.3989,",
        "        'runtime': 27.84",
        "    }},",
    )
    + "]\n",
    VALS,
)
case(
    "e35-25",
    "tune_ckpt_path='M-2-3B-0_25-4-23-tuned-r16-a16-5e-5-bs8' # 3100 steps, \"eval_loss\": 1.0111843194961548,\n\n# tune_ckpt_path='M-2-3B-0_25-4-23-tuned-r16-a16-5e-6-bs1024' # 30 steps, 'eval_loss': 1.11011\n# tune_ckpt_path='M-2-3B-0_25-4-23-tuned-r16-a16-1e-5-bs1024' # 20 steps, 'eval_loss': 1.110211\n",
    R(),
)
case(
    "e35-26",
    "**Sample Output**:\n```\n{'loss': 1.231, 'learning_rate': 0.0002, 'epoch': 0.5}\n{'eval_loss': 1.151, 'eval_runtime': 45.2, 'epoch': 1.0}\n{'loss': 0.981, 'learning_rate': 0.00018, 'epoch': 1.5}\n{'eval_loss': 0.921, 'eval_runtime': 44.8, 'epoch': 2.0}\n{'loss': 0.841, 'learning_rate': 0.00016, 'epoch': 2.5}\n{'eval_loss': 0.811, 'eval_runtime': 45.0, 'epoch': 3.0}\n```\n",
    P([1, 2, 3], None, [1.151, 0.921, 0.811]),
)
case(
    "e35-27",
    "Results Display during training:\n```\n"
    + rep(
        " Epoch: {e} | LR: 1.0E-04 | train_loss: {a:.3f} | valid_loss: {b:.3f} ",
        "train_metric: {{'bbox_regression': 0.841, 'classification': 3.005}}",
        "valid_metric: {{'bbox_regression': 0.68, 'classification': 1.935}}",
    )
    + "```\n",
    P(E6, A(), B()),
)
case(
    "e35-28",
    "".join(
        f'<div class="alert alert-block alert-info" style="font-size:14px; line-height: 1.7em;">\n    📌 &nbsp;<b><u>EXperiment{n}: Transfer learning using vgg16:</u></b><br>\n\n\n- hidden layers = [{64 * n}]\n\n- lr = 0.001\n\n- dropout = 0.2\n\n- Epoch {x} .. train_loss: {t}.. valid_loss: {v} .. valid_accuracy: 33.225%\n\n![alt ex{n}.png](./assets/ex{n}.png)\n\n'
        for n, x, t, v in ((1, 4, 2.271, 2.311), (2, 4, 1.271, 1.411), (3, 4, 0.871, 1.111))
    ),
    P([4], [0.871], [1.111], runs=3),
)
case(
    "e35-29",
    "# Server Run Status\n\nDate: 2026-05-27\n\n## Environment\nPython 3.8\ntorch 1.12.1+cu113\nGPU: RTX 4090\n\n## Verified Runs\n\n"
    + "".join(
        f"### {name}, missing_rate={rate}, n_epochs=1\ntrain_loss: {t}\nvalid_loss: {v}\ntest_acc2: 0.7857\nmae: 1.1841\ncorr: 0.6652\n\n"
        for name, rate, t, v in (
            ("HME baseline, MOSI", 0.0, 2.3411, 2.4111),
            ("HME baseline, MOSI", 0.2, 2.3611, 2.4222),
            ("DARE-HME, MOSI", 0.2, 2.3622, 2.4011),
        )
    ),
    P([8], [2.3622], [2.4011], "place", runs=3),
)
case(
    "e35-30",
    "The training batchsize is 32.\n"
    + rep("Epoch: 1/10, itrs: {x}, Train_loss: {a:.4f}, Valid_loss: {b:.4f}, Valid_Acc: 0.3762", x=lambda e: 40 * e),
    P([40 * e for e in E6], A(), B(), "step"),
)
case(
    "e35-31",
    "**Best performing (21.99 avg_moves):**\n- n_hidden: 4096\n- optimizer: ADAM\n- batch_size: 64\n- final_test_loss: 0.003\n\n**Worst performing (0.43 avg_moves):**\n- n_hidden: 1024\n- optimizer: SGD  \n- batch_size: 64\n- final_test_loss: 0.571\n",
    VALS,
)
case(
    "e35-32",
    rep("    Epoch {e}/6", f"    18/18 [{BAR}] - 0s 2ms/step - loss: {{a:.4f}} - accuracy: 0.9948")
    + "\n\n    <tensorflow.python.keras.callbacks.History at 0x7feae83c75d0>\n\n# 3. test\n\n---\n5/5 - 1s - loss: 0.8511 - accuracy: 0.9097   \ntest_loss: 0.8511103493976593    \ntest_accuracy: 0.9096774458885193   \n",
    P([6], [a(6)], [0.85111], says=("test",)),
)
case(
    "e35-33",
    "```text\n   test_loss: 0.13111545241355896\n   mae: 8.387040843200683\n   rmse: 0.0036350178997963667\n   accuracy: 0.9980833333333333\n   model_config: {'hidden_dim': 256, 'num_layers': 6, 'epochs': 100, 'batch_size': 64, 'dropout': 0.05}\n   ```\n",
    R("test loss"),
)
case(
    "e35-34",
    "*Trainable params*: 9,793\n\nloss_fn = nn.BCEWithLogitsLoss()\noptimizer = torch.optim.Adam(params=model_1.parameters(), lr=LR)\n\n*Final score*: Epoch: 5 | train_loss: 0.5711 | train_acc: 0.7369 | test_loss: 0.5722 | test_acc: 0.7370\nGiven the data distribution, model_1 predicts False every time — and that would still be right ~74% of the time.\n",
    P([5], [0.5711], [0.5722], says=("test",)),
)
case(
    "e35-35",
    "    tqdm.write(msg)\n#    JAX train_accuracy: 0.9316 train_loss: 0.2411 test_accuracy: 0.9140 test_loss: 0.3911 1min\n#    TORCH train_accuracy: 0.9219 train_loss: 0.3011 test_accuracy: 0.9662 test_loss: 0.1311\n# OLD 17min for 10 epochs\n",
    P([1, 2], [0.2411, 0.3011], [0.3911, 0.1311], "place", says=("test",)),
)
case(
    "e35-36",
    "```\niter 5000 loss: train loss 1.4111, val loss 1.6111\n```\n\n\nBy default, the model checkpoints are written into the `--out_dir` directory.\n",
    P([5000], [1.4111], [1.6111], "step"),
)
case(
    "e35-37",
    "- Root: n262 undertrained at 1200 iters (val loss 1.241 vs n243's 0.951 at 1500 iters);\n  distribution bleeding into active-scene.\n",
    VALS,
)
case(
    "e35-38",
    "- [`baseline.log`](./logs/baseline.log) — the reference baseline run. Val loss 1.7511 at step 704/938.\n",
    R(),
)
case(
    "e35-39",
    "| v1.0 | 2026-02-12 | Two-notebook pipeline. 16M tokens (375 steps). Val loss 1.041→1.011, eval 8/8 passed. |\n| v1.1 | 2026-02-13 | Instruct model, 55M tokens. Train loss 1.421→0.961 (-32.5%), PPL 2.6. |\n",
    R(),
)
case(
    "e35-40",
    "Best val loss 1.31, weighted averaage of 0.53, test loss of 1.21 and accuracy of 0.58. From these tries we conclude that a embedding size of [50,150] obtains the best results.\n",
    VALS,
)
case(
    "e35-41",
    "The losses measured for the first epochs:\n\n"
    + rep("> LOSS VAL: {b}", "> LOSS TRAIN: {a}", "> ------------------"),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "e35-42",
    "Были получены следующие метрики:\nLog loss train: 0.25111634208355737\nLog loss test: 0.6711742477346365\n\nprecision    recall  f1-score   support\n\n           0       1.00      0.98      0.99     18570\n           1       0.88      1.00      0.93      2787\n\n    accuracy                           0.98     21357\n",
    P([2], [0.251116], [0.671174], "place", says=("test",)),
)
case(
    "e35-43",
    "**Logs de exemplo:**\n```\nEpoch 1/30 | Loss Train: 1.2311 | Loss Val: 1.1211 | Acc: 45.67%\n...\nEpoch 15/30 | Loss Train: 0.3411 | Loss Val: 0.4111 | Acc: 85.23%\n🏆 Melhor modelo salvo! (Acc: 85.23%)\n```\n",
    P([1, 15], [1.2311, 0.3411], [1.1211, 0.4111]),
)
case(
    "e35-44",
    "Started training on epoch 1 of 30, learning rate 0.0003000\nTotal time elapsed: 0h 15m 54s\n\ntrain full set:\nLoss train: 0.26411, Accuracy train: 0.8760\n\t0\t1\n0\t0.862\t0.138\n1\t0.109\t0.891\n\ntrain M and T evaluation\n$#$$$$$$$$\n$$$$+$$$$$\n$##$$$$$+$\n",
    TRAINS,
)
case(
    "e35-45",
    "DetectionBoxes_Precision/mAP: 0.1103\nDetectionBoxes_Recall/AR@1: 0.0266\nTotal_loss Train: 0.8511\nTotal_loss eval:  0.9011\n",
    P([2], [0.8511], [0.9011], "place"),
)
case(
    "e35-46",
    rep(
        "-----------------------------------------------------------------",
        "Started training on epoch {s} of 1600, learning rate 0.0002256",
        "Total time elapsed: 0h 0m 32s",
        "Loss train: {a:.5f}, Accuracy: 0.9180",
        "Loss test: {b:.5f}, Accuracy: 0.9260",
    ),
    P(H, A(), B(), says=("test",)),
)
case(
    "e35-47",
    "**Resultados del ajuste:**\n- Log-likelihood: −9 708.9 | log-loss train: 0.4611\n- Pseudo-R² (McFadden): 0.1251\n",
    R(),
)
case(
    "e35-48",
    "loading data...\nCalculating the laplace adjacency matrix...\nBegin training model...\n"
    + rep("Epoch: {x}.00 | loss train: {a:.4f} | acc train: 0.7037", x=lambda e: 10 * e)
    + "Training complete.\n",
    TRAINS,
)
case(
    "e35-49",
    "| Aspecto | Observación |\n|---------|-------------|\n| Convergencia inicial | Loss desciende de 1.23 a 0.42 en época 2 (~66% reducción) |\n| Accuracy >99% | Alcanzado en época 6 |\n| Gap train-val (época 7) | 0.0395 (loss train: 0.0181, val: 0.0511) — indicador de leve generalización sin overfitting severo |\n",
    P([7], [0.0181], [0.0511]),
)
case(
    "e35-50",
    "history <- model1 %>%\n  fit(x_train,\n      y_train,\n      epochs = 20,\n      batch_size = 1000,\n      validation_split = 0.2)\n\n# loss train: 0.2711\n# train acc: 0.89\n\n# val loss: 0.31\n# val acc: 0.87\n\n\nmodel1 %>% evaluate(x_test, y_test, verbose = 0)\n# test loss: 0.37\n# test acc: 0.86\n",
    P([2], [0.2711], [0.31], "place"),
)

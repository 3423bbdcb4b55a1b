# ruff: noqa: E501, F403, F405, RUF001
"""Every output that sixteen further searches met, by tool, language and wording (thirty-fourth round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")
BAR = "=" * 30

case(
    "e34-01",
    rep("{{'loss': {a:.4f}, 'learning_rate': 0.001488, 'epoch': 0.1{e}}}")
    + "{'eval_loss': nan, 'eval_wer': 100.0, 'eval_runtime': 22.4018, 'eval_samples_per_second': 2.232, 'eval_steps_per_second': 0.312, 'epoch': 1.0}\n{'loss': 2.4114, 'learning_rate': 0.002896135135135135, 'epoch': 1.07}\n",
    R("NaN"),
)
case(
    "e34-02",
    rep(
        "{{'loss': {a:.4f}, 'learning_rate': 0.00028539729505169863, 'epoch': {e}.0}}",
        "{{'eval_loss': {b:.14f}, 'eval_wer': 0.07217616514530197, 'eval_runtime': 325.7806, 'eval_samples_per_second': 236.19, 'eval_steps_per_second': 7.382, 'epoch': {e}.0}}",
        "\t\t\t\t\t\t.",
    ),
    P(E6, A(), B()),
)
case(
    "e34-03",
    "Training: 0it [00:00, ?it/s]\nTraining:   0%|          | 0/18 [00:00<?, ?it/s]\nEpoch 0:   0%|          | 0/18 [00:00<?, ?it/s] \n"
    + rep(
        "Epoch 0:  1{e}%|██▏       | {e}/18 [00:17<01:02,  4.47s/it, loss={a:.3f}, v_num=193315]",
        "Epoch 0:  1{e}%|██▏       | {e}/18 [00:17<01:02,  4.47s/it, loss={a:.3f}, v_num=193315] ",
    ),
    TRAINS,
)
case(
    "e34-04",
    rep("Epoch 0:  97% 165{e}/1702 [13:00<00:24,  2.11it/s, loss={a:.3f}, v_num=0, train_loss={a:.3f}]"),
    TRAINS,
)
case(
    "e34-05",
    "The progress bar looks like this e.g:\n\n`Epoch 0:  34% 1020/3000 [01:04<02:05, 15.73it/s, loss=1.2, v_num=1024]`\n\nMeanwhile the validation loader shows the correct amount e.g:\n\n`Validation DataLoader 1: 100% 1000/1000 [00:18<00:00, 55.55it/s]`\n",
    TRAINS,
)
case(
    "e34-06",
    rep(
        "Validation DataLoader 0:  4{e}%|██████████████████████████                              | 7{e}/157 [00:02<00:02, 37.48it/s]",
        "Epoch 0:  92%|█████████████████████████████████▉   | 93{e}/1016 [00:33<00:03, 27.70it/s, loss=0.223, v_num=77, acc=0.875]",
    ),
    TRAINS,
)
case(
    "e34-07",
    rep(
        "TR - Epoch {k}: 100%|█████████████████████████| 30/30 [00:06<00:00,  4.39it/s, loss={a:.4f}]",
        "VA - Epoch {k}: 100%|█████████████████████████| 15/15 [00:01<00:00, 15.18it/s, loss={b:.4f}]",
    ),
    P(K, A(), B()),
)
case(
    "e34-08",
    rep(
        "stage {e}/∞  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 23621/23621 0:00:00 0:13:10 val_accuracy: 0.93735",
        "early_stopping: 0/10 0.93735",
    ),
    R("no loss"),
)
case(
    "e34-09",
    "> Loading pretrained model\n> Total parameters 7243.436M\n> Trainable parameters 1.704M\n> Loading datasets\n> Training\n> Iter 1: Val loss 2.777, Val took 101.933s\n"
    + rep(
        "> Iter {x}: Train loss {c:.3f}, It/sec 0.162, Tokens/sec 235.847",
        "> Iter {s}: Train loss {a:.3f}, It/sec 0.147, Tokens/sec 213.199",
        "> Iter {s}: Val loss {b:.3f}, Val took 102.019s",
        "> Iter {s}: Saved adapter weights to adapters.npz.",
        x=lambda e: 100 * e - 50,
        c=lambda e: a(e) + 0.1,
    ),
    P(H, None, B(), "step"),
)
case(
    "e34-10",
    "#trainable params: 11.54048 M || all params: 2208.9856 M || trainable%: 0.522%\nINFO:__main__:Training model\n  0%|                                        | 0/1000 [00:00<?, ?it/s]Starting training..., iters: 1000\n"
    + rep(
        "Iter {x}: Train loss {a:.3f}, Learning Rate 1.000e-04, It/sec 0.307, Tokens/sec 301.622, Trained Tokens 9817, Peak mem 22.427 GB",
        "{{'Step': {x}, 'Loss': '{a:.4f}', 'Learning Rate': '1.00e-04', 'Tokens/sec': '302'}}                       ",
        "  1%|▊                       | {x}/1000 [00:32<53:42,  3.25s/it, Loss={a:.4f}, LR=1.00e-04, Tokens/sec=302]",
        x=lambda e: 10 * e,
    ),
    TRAINS,
)
case(
    "e34-11",
    "Loading datasets\nTraining\nTrainable parameters: 0.041% (1.311M/3212.750M)\nStarting training..., iters: 600\nCalculating loss...: 100%|██████████████████| 25/25 [00:05<00:00,  4.75it/s]\nIter 1: Val loss 2.936, Val took 5.265s\n"
    + rep(
        "Iter {s}: Train loss {a:.3f}, Learning Rate 1.000e-05, It/sec 0.490, Tokens/sec 161.374, Trained Tokens 3290, Peak mem 9.707 GB",
        "Calculating loss...: 100%|██████████████████| 25/25 [00:05<00:00,  4.75it/s]",
        "Iter {s}: Val loss {b:.3f}, Val took 1.265s",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e34-12",
    rep(
        "4/4 [==============================] - 0s 4ms/step - loss: {a:.4f} - mae: 0.0576 - val_loss: {b:.4f} - val_mae: 0.0929",
        "Epoch {x}/100",
        x=lambda e: 65 + e,
    ),
    P([65 + e for e in E6], A(), B()),
)
case(
    "e34-13",
    rep(
        "Epoch[01{e}] Batch[449/478] Speed: 542.57 samples/sec, Loss:(pitch, yaw, roll)/(18.756, 5.663, 16.291)",
        "Epoch[01{e}] train: MAE:(pitch, yaw, roll, mean)/(3.416, 2.246, 2.808, 2.824), Cost=229 sec, lr=0.004775",
        "Epoch[01{e}] val  : MAE:(pitch, yaw, roll, mean)/(6.844, 8.033, 5.692, 6.856), Loss:(pitch, yaw, roll)/(76.101, 94.327, 86.932)",
    ),
    R(),
)
case(
    "e34-14",
    rep(
        "I1002 21:43:14.805023 139917864867392 logging_writer.py:35] [{s}] steps_per_second=1.760847, train_accuracy=0.006696777418255806, train_learning_rate=0.9738461971282959, train_loss={a}",
        "I1002 21:43:14.805183 140396270327360 logging_writer.py:35] [{s}] steps_per_second=1.760847, train_accuracy=0.006696777418255806, train_learning_rate=0.9738461971282959, train_loss={a}",
        "I1002 21:43:14.804613 140411760846848 train.py:415] eval epoch: {e}, loss: {b:.4f}, accuracy: 0.59",
        "I1002 21:43:14.805023 139917864867392 logging_writer.py:35] [{s}] eval_accuracy=0.005859375, eval_loss={b}",
        "I1002 21:43:14.804787 140017219430400 train.py:415] eval epoch: {e}, loss: {b:.4f}, accuracy: 0.59",
        "I1002 21:43:14.805149 140400640460352 logging_writer.py:35] [{s}] eval_accuracy=0.005859375, eval_loss={b}",
    ),
    P(H, A(), B(), "step"),
)
case("e34-15", rep("Epoch... (3{e}/116 | Loss: {a:.17f})                                          "), TRAINS)
case(
    "e34-16",
    "04/20 11:19:29 - mmengine - INFO - Epoch(val) [1][75/75]    accuracy/AUC: 0.5553  accuracy/top1: 67.4673  accuracy/top2: 100.0000  accuracy/precision: \n[0.53242321 0.69471154]\n  accuracy/recall: \n[0.19721871 0.91340076]\n  accuracy/confusion_matrix: [156, 137, 635, 1445]  data_time: 0.0072  time: 0.1245\n",
    R("no loss"),
)
case(
    "e34-17",
    "device: cuda  seed: 42\n\nbatch-size: accuracy 0.8766  valid_loss 0.3811  (2s)   other: 0.1135\n",
    VALS,
)
case(
    "e34-18",
    "예상 로그:\n\n```text\n"
    + rep("Epoch [{e}/20] train_loss: {a:.4f} | valid_loss: {b:.4f}  *best")
    + "...\nEarly stopping triggered at epoch 8 (best epoch: 5, ...)\nSaved best model (epoch 5, valid_loss 0.0142) to saved/charcnn.pt\n```\n\n* train_loss가 감소하면 정상입니다.\n",
    P(E6, A(), B()),
)
case(
    "e34-19",
    rep("Epoch{k}: train_loss {a:.6f}, train_acc 0.890625, valid_loss {b:.6f}, valid_acc 0.921844") + "```\n...\n",
    P(K, A(), B()),
)
case(
    "e34-20",
    "epoch\n id 0\n train_loss 0.32111\n train_f1 0.12164\n valid_loss 0.14111\n valid_f1 0.16386\n time 0 hr 23 min\n best_val_loss 0.14111\n best_val_f1 0.16386\n",
    P([2], [0.32111], [0.14111], "place"),
)
case(
    "e34-21",
    "  - What: 4 images per class (16 total), trained for 80 epochs on the dataset subset\n  - Result: clear divergence — train loss dropped to ~0.13, valid loss rose to ~0.91. Sweet spot at epoch 26 (error_rate 0.0, valid_loss 0.171), then full overfit after\n  - Fix: `aug_transforms(max_warp=0)` — valid loss trend reversed, stayed near 0.45 vs 0.91 without augmentation\n",
    P([26], [0.13], [0.91]),
)
case(
    "e34-22",
    "".join(
        f"---------------------\n{name}\n    train 9{n}.90% valid 94.70%\n    train_loss {x} valid_loss {y}\n    shape (90, 9, 1)\n    repetitive rate 40%\n    3 conv \n    batchnormalization *3\n    filters 32, 32, 32\n    maxpooling 3*1, 3*1, 3*1\n    dropout 0.5, 0.25, 0.25, 0.25\n    dense 128\n    batch {16 * n}\n    valid split 0.3\n---------------------\n\n"
        for n, name, x, y in (
            (1, "202003241012 normal", 0.1811, 0.1711),
            (2, "202003241055 normal", 0.1411, 0.1722),
            (3, "202003241137 good", 0.1211, 0.1701),
        )
    ),
    P([3], [0.1211], [0.1701], "place", runs=3),
)
case(
    "e34-23",
    "| SFNO (venv) | ✅ | ✅ **GREEN** (7252816) | ✅ **GREEN** (job 7252933, `rc=0`) | train 2.61 / val 2.38; first green |\n\n**4-GPU smoke (GREEN, job 7252271):** one bounded epoch (year 2015,\n1460 samples → 365 steps/rank on 4 A100), **train loss 0.3411**, validation ran\n(`valid_loss 0.7011` + per-variable ACC/RMSE across cuda:0–3, so DDP all-reduce works),\n`rc=0`, all ranks `DONE`.\n",
    P([3], [0.3411], [0.7011], "place"),
)
case(
    "e34-24",
    "Flux\n```\n$ julia dense.jl\ndata loaded\n"
    + rep("epoch {x}, mae {a:.7f}", x=lambda e: 100 * e - 100)
    + "```\n\nPyTorch\n```\n$ python dense.py\n"
    + rep("epoch {x}, mae {a:.6f}", x=lambda e: 100 * e - 100)
    + "```\n",
    R(),
)
case(
    "e34-25",
    "\n\nOverfit a single batch of data\n\n```\nUsing device: mps\n"
    + rep("step {k}, loss: {a:.15f}")
    + "```\n\nUsing dataloaderlite to train a model\n\n```\nUsing device: mps\nloaded 338025 tokens\n1 epoch = 2640 batches\n"
    + rep("step {k}, loss: {a:.15f}")
    + "```\n",
    TRAINS,
)
case(
    "e34-26",
    "system:\n    seed: 3407\n    work_dir: ./out/chargpt\ndata:\n    block_size: 128\nmodel:\n    model_type: gpt-nano\n    n_layer: None\n    vocab_size: None\ntrainer:\n    device: auto\n    max_iters: None\n    batch_size: 64\n    learning_rate: 0.0005\n    betas: (0.9, 0.95)\n    weight_decay: 0.1\n\ndata has 26724 characters, 17 unique.\nnumber of parameters: 0.09M\nrunning on device cpu\niter_dt 0.00ms; iter 0: train loss 2.84515\n( ( ( 8 + 7 ) / 6 ) / ( 3 / 7 ) ) / ( 1 * 2 ) )\n( 5 - ( 6 - 7 ) )\n8+)++\n+6 9(291-(9+3 (22/\n+98(+ 68)22999\n939\n6\n( *95 /(72/9+ /94 6 29\nsaving model\n"
    + rep("iter_dt 7797.46ms; iter {x}: train loss {a:.5f}", x=lambda e: 2 * e),
    TRAINS,
)
case(
    "e34-27",
    "## Key Metrics\n- Starting loss: ~1.51 (at iteration 570)\n- Final loss: 1.1511 (at iteration 2020)\n- Best recorded train loss: 1.0511 (at step 2000)\n- Final validation loss: 1.4711 (at step 2000)\n\n## Training Progress\nThe loss generally decreased over the course of training:\n- At iteration 1000: loss ~1.31\n- At iteration 1500: loss ~1.21\n- At iteration 2000: loss ~1.11\n\nValidation steps occurred every 250 iterations, showing both training and validation loss.\n",
    P([3], [1.1511], [1.4711], "place"),
)
case(
    "e34-28",
    " Epoch  |  Train loss  |  Valid loss  |  Train / Val\n--------|--------------|--------------|---------------\n"
    + rep("    {x}  |    {a:.6f}  |    {b:.6f}  |     0.675330", x=lambda e: 50 * e),
    P([50 * e for e in E6], A(), B()),
)
case(
    "e34-29",
    "136 CHAPTER 5 The mechanics of learning\n\n"
    + rep("Epoch {x}, Training loss {a:.4f}, Validation loss {b:.4f}", "", x=lambda e: 500 * e)
    + "tensor([\n\n5.1964, -16.7512], requires_grad=True)\n\nIn figure 5.14, case C is ideal, while D is acceptable.\n",
    P([500 * e for e in E6], A(), B()),
)
case(
    "e34-30",
    "### p50k_base\n\n**Proces treningu**\n\n```txt\n"
    + rep("step {x}: train loss {a:.4f}, val loss {b:.4f}, time elapsed 7{e}.87s", x=lambda e: 200 * e - 200)
    + "```\n",
    P([200 * e - 200 for e in E6], A(), B(), "step"),
)
case(
    "e34-31",
    "".join(
        f"**task {n}, [{2 * n - 1}, {2 * n}]**\n\n4, train loss {x:.6f}, train acc 0.998210, val loss {y:.6f}, val acc 0.997604\n\n![forgetting curve](./images/task{n}_curve.png)\n\n"
        for n, x, y in ((1, 0.007511, 0.007911), (2, 0.007311, 3.824511), (3, 0.013711, 5.355311))
    ),
    P([3], [0.013711], [5.355311], "place", runs=3),
)
case(
    "e34-32",
    "## A. Measured throughput datapoints (single consumer GPU)\n- modded 124M on 1x RTX 4090: 130-163k tok/s, val loss 3.21 in ~90-115 min. Techniques: Muon (77.5% staged gain, largest single), FP8, fused CE, packing.\n- 2x4090: 1.88B tokens to 3.28 target (vs 6.44B baseline) = 3.4x TOKEN EFFICIENCY.\n",
    VALS,
)
case(
    "e34-33",
    "Training starts from `checkpoints/project4/model_final.pt` (iter 3,999,\nval loss 3.411), loaded with the same `weights_only=True` discipline.\n",
    VALS,
)
case(
    "e34-34",
    "| Model | Train Accuracy | Overfitting Indicator |\n|-------|---------------|---------------------|\n| Holmes | 90.21% | *Severe* (val loss 16.41) |\n| Kernel | 68.79% | *Minimal* (val loss 3.71) |\n",
    R("loss"),
)
case(
    "e34-35",
    "        ├── bpe_vocab.json\n        ├── GPT.pt          # Stage 1 체크포인트 (이어쓰기, val loss 3.311)\n        ├── GPT_qa.pt       # Stage 2 체크포인트 (Q&A, val loss 2.611)\n        └── GPT_span.pt     # Stage 4 체크포인트 (추출형 RAG QA, val loss 3.011)\n",
    VALS,
)
case(
    "e34-36",
    "- **`motorcycles`** — 54 → 263 training names (4.9×): best val loss 3.111 → 2.711 (**14% better**), gap +0.607 → +0.449, best epoch 18 → 12.\n- **`cars`** — 135 → 502 training names (3.7×): best val loss 2.711 → 2.511 (**7% better**), gap +0.334 → +0.184, best epoch 14 → 9.\n",
    R(),
)
case(
    "e34-37",
    "The training output will contain lines like:\n```\nstep 100: train loss 3.4511, val loss 3.2811\n```\n\n`val_bpb = val_loss / ln(2)` — or the script may output it directly.\nParse the **last** val loss/val_bpb line before the script exits.\n",
    P([100], [3.4511], [3.2811], "step"),
)
case(
    "e34-38",
    "```text\n"
    + rep("[Gen 2B Loss Monitor] Step 00{e}0: Training Loss = {a:.4f}")
    + "🎯 [TARGET CONVERGENCE ACHIEVED] Loss 0.1335 <= 0.5200 at step 60!\n✓ Training Completed in 193.4 seconds.\n```\n",
    TRAINS,
)
case(
    "e34-39",
    "2 Dec: I had to train a new model (model2.h5). Training for 20 epochs on IMG6 and save as Model2.h5 (training loss = 0.0711), training 5 epoch on IMG5 (training loss = 0.1111 but bad), training 20 epochs on IMG7 (training loss = 0.0611). Train for 5 epochs on IMG9.\n",
    TRAINS,
)
case("e34-40", "```\n" + rep("Step  {S} | Training loss = {a:.3f}") + "```\n", TRAINS)
case(
    "e34-41",
    "V1 evidence (50 episodes, 50K steps):\n- Training loss = 0.007 (appeared good)\n- Deployment result: gripper never opened, runaway to -92°, elbow drifted up only\n",
    TRAINS,
)
case(
    "e34-42",
    " [ 527/14850 16:36 < 7:33:15, 0.53 it/s, Epoch 0.35/10]\nStep\tTraining Loss\tValidation Loss\n500\t0.000000\tnan\nWriting model shards: 100%\n 1/1 [00:04<00:00,  4.82s/it]\n",
    R("NaN"),
)
case(
    "e34-43",
    "model.compile(optimizer=tf.keras.optimizers.Adam(), loss= tf.keras.losses.categorical_crossentropy, metrics='accuracy')\n\nmodel.summary()\n\nfashion_train = model.fit(train_X, train_label, batch_size=batch_size,epochs=epochs,verbose=1,validation_data=(valid_X, valid_label))\n\n# after 10 epochs we got accuracy =99%, validation accuracy= 91%. training loss = 0.0211, valid_loss= 0.4611\n#looks like model is overfitted, i.e. learnt the training data:\nprint('Test loss:', test_evaluation[0])\n",
    P([1], [0.0211], [0.4611], "place"),
)
case(
    "e34-44",
    "| **Concrete example** | Specific numbers for the capacity comparison: 50 data points. The student sees that 1000 parameters gives training loss = 0.001 but validation loss = 0.45, while 100 parameters gives training loss = 0.08 and validation loss = 0.12. |\n",
    P([2], [0.08], [0.12], "place", runs=2),
)
case("e34-45", "```\n" + rep("batch #{k} processed in 233.63s, training loss = {a}.") + "```\n", TRAINS)
case(
    "e34-46",
    "**Training Dynamics:**\n```\nEpoch 1: Training Loss = 0.45, Validation Loss = 0.41\nEpoch 2: Training Loss = 0.35, Validation Loss = 0.38 ✓ (improved)\n...\nEpoch 15: Training Loss = 0.15, Validation Loss = 0.21\nEpoch 16: Training Loss = 0.14, Validation Loss = 0.22 (no improvement)\n...\nEpoch 25: Training Loss = 0.12, Validation Loss = 0.20 (no improvement for 10 epochs)\n         └─ EARLY STOP: Restore checkpoint from epoch 15\n```\n",
    P([1, 2, 15, 16, 25], [0.45, 0.35, 0.15, 0.14, 0.12], [0.41, 0.38, 0.21, 0.22, 0.20]),
)
case(
    "e34-47",
    "Starting training with batch size 150 for 30000 epochs\nEpoch 1, mini batch 1, training loss = 1.12, validation loss = 1.08\nEpoch 2, mini batch 1, training loss = 1.11, validation loss = 1.09\n...\nEpoch 29999, mini batch 1, training loss = 0.21, validation loss = 0.28\nEpoch 30000, mini batch 1, training loss = 0.22, validation loss = 0.27\nTraining took 0 minutes\nFinal test set accuracy = 96.00%\n",
    P([1, 2, 29999, 30000], [1.12, 1.11, 0.21, 0.22], [1.08, 1.09, 0.28, 0.27]),
)
case(
    "e34-48",
    "train_loader = DataLoader(train_set, batch_size=64, shuffle=True)\n\n#### Training ####\n\n# TODO: The model overfitt; do regularization\n# [100/100] Train loss: 0.031 | Train acc: 1.000  || Dev loss: 0.821 | Dev acc: 0.757 || Test loss: 0.791 | Dev acc: 0.781\n\ntorch.manual_seed(0)\nlr           = 0.05\nk_folds      = 5    # k-fold cross-validation\n",
    P([100], [0.031], [0.821], "step"),
)
case(
    "e34-49",
    "Dataset size: train -> 5093 ; dev -> 921\nTotal training steps: 1600\nStart training ......\n"
    + rep(
        "Training:       Epoch: {k}        Time: 5.4638    Training Loss: {a:.4f}",
        "Evaluation:     Epoch: {k}        Time: 0.3037    Dev acc: 71.23  Dev fscore(p/r/f): (74.09/71.55/72.80)",
        "NEW BEST MODEL:         Epoch: {k}        Dev loss: {b:.4f}        Dev acc: 71.23  Dev fscore(p/r/f): (74.09/71.55/72.80)",
    )
    + "FINAL BEST RESULT:      Epoch: 5        Dev loss: 0.9500        Dev acc: 73.0727        Dev fscore(p/r/f): (79.3527/76.0428/77.6625)\n",
    P(K, A(), B()),
)
case(
    "e34-50",
    "#### 8.1 POS Tagging\n\n![POS Tagging Results](images/image.png)\nEpoch 200/200, Train Loss: 0.0611, Train Accuracy: 98.20%, Dev Loss: 0.2411, Dev Accuracy: 93.89%\n\n#### 8.2 Named Entity Recognition\n\n![NER Results](images/image-1.png)\nEpoch 150/150, Train Loss: 0.1911, Train Accuracy: 94.87%, Dev Loss: 0.2811, Dev Accuracy: 91.87%\n",
    P([150], [0.1911], [0.2811], runs=2),
)
case(
    "e34-51",
    "#Loss history: [0.5411521174958471, 0.5111831314192721, 0.5211932303904077, 0.6511065382082963]\n# Train AP history: [0.1959591804731311, 0.3102142384234131, 0.3990718371994463, 0.5070728864739905]\n# eval AP history: [0.38162816511062897, 0.42586568264123736, 0.4269026851845637, 0.4239027752629658]\n\n# bs=24,ep=10_pytorch_model_2___sci-roberta_4503.bin\n# Dev loss: 0.531112564863538\n# Dev ap: 0.3977745755635318\n",
    R("'Loss history' has 4", "'dev loss' 1"),
)
case(
    "e34-52",
    "```\nEpoch 1/5\n100%|████████████████████████████████████████| 1000/1000 [00:01<00:00, 1000.00it/s]\ntrain loss: 0.5911\ndev loss: 0.5611\n```\n",
    P([1], [0.5911], [0.5611]),
)
case(
    "e34-53",
    "```\n"
    + rep("Epoch {e}, train loss: {a:.3f}", "Epoch {e}, dev results:", "Dev Loss: {b:.3f}, Dev Accurate: 0.950")
    + "```\n",
    P(E6, A(), B()),
)
case(
    "e34-54",
    'print(f"Epoch: {epoch} | Loss: {loss:.5f}, Accuracy: {acc:.2f}% | Dev Loss: {dev_loss:.5f}, Dev Accuracy: {dev_acc:.2f}%")\n\nmodel_0.eval()\nprint(f"Dev Loss: {dev_loss:.5f}, Dev Accuracy: {dev_acc:.2f}%")\n\n# Result\n# Dev Loss: 0.56611, Dev Accuracy: 74.89%\n',
    VALS,
)
case(
    "e34-55",
    "### Training Output\n\n```\nEpoch 25 Summary:\n  Train Loss: 0.2311 | Train Acc: 86.32%\n  Dev Loss: 0.2711 | Dev Acc: 83.71%\n  Learning Rate: 0.000050\n  ✓ Best model saved! (Dev Acc: 83.71%)\n```\n",
    P([25], [0.2311], [0.2711]),
)
case(
    "e34-56",
    rep("epoch {x}: train\\_rmse {a:.4f} | dev\\_rmse {b:.4f} m | ADE 0.7801 m | FDE 1.7845 m", "", x=lambda e: 18 + e)
    + "训练运行时间: 3094.295621 秒\n\ntest loss: 0.9040 m, last train loss: 0.8333, last dev loss: 0.9500 m\n",
    P([18 + e for e in E6], A(), B()),
)
case(
    "e34-57",
    "假设在数据集上进行训练，最终的模型在测试集上的准确率为0.9。具体运行结果如下：\n\n```\n"
    + rep("Epoch {e}, Train Loss: {a:.3f}", "Epoch {e}, Dev Loss: {b:.3f}")
    + "```\n",
    P(E6, A(), B()),
)

# ruff: noqa: E501, E741, B905, ISC003, F403, F405, RUF001
"""Logs in forms that nobody here had seen (first round): the right reading was written down before the reader was run."""

from fresh_forms import *

T = [1000 * e for e in E6]
case(
    "paddlenlp-script",
    rep(
        "global step {s}/20010, epoch: 0, batch: {s}, rank_id: 0, loss: {a:.6f}, lr: 0.0000014993, speed: 8.7969 step/s",
        "eval loss: {b:.6f}, acc: 0.0827, eval done total : 25.712125062942505 s",
    ),
    P(H, A(), B(), "step"),
)
case(
    "paddleseg",
    rep(
        "2022-01-04 19:24:33 [INFO]\t[TRAIN] epoch: {e}, iter: {s}/100000, loss: {a:.4f}, lr: 0.049996, batch_cost: 0.2763, reader_cost: 0.02104, ips: 28.9558 samples/sec | ETA 07:40:25",
        "2022-01-04 19:25:33 [INFO]\t[EVAL] #Images: 500 mIoU: 0.5123 Acc: 0.8123 Kappa: 0.7012 Dice: 0.6123",
    ),
    R("no validation loss", "no validation loss"),
)
case(
    "paddlevideo",
    rep(
        "[10/28 20:17:11] epoch:[{e:3d}/80 ] train step:0    loss: {a:.5f} lr: 0.001265 top1: 1.00000 top5: 0.75000 batch_cost: 1.23161 sec, reader_cost: 1.05773 sec, ips: 3.24777 instance/sec, eta: 0:00:12",
        "[10/28 20:17:20] END epoch:{e}   train loss_avg: {a:.5f}  top1_avg: 0.97798 top5_avg: 0.55000 avg_batch_cost: 1.30945 sec, avg_reader_cost: 1.14468 sec, batch_cost_sum: 4.75346 sec, avg_ips: 4.20746 instance/sec.",
        "[10/28 20:17:24] epoch:[{e:3d}/80 ] val step:0    loss: {b:.5f} top1: 1.00000 top5: 0.75000 batch_cost: 0.71925 sec, reader_cost: 0.00000 sec, ips: 5.56132 instance/sec. ",
        "[10/28 20:17:24] END epoch:{e}   val loss_avg: {b:.5f} top1_avg: 1.00000 top5_avg: 0.62500 avg_batch_cost: 0.04231 sec, avg_reader_cost: 0.00000 sec, batch_cost_sum: 0.76157 sec, avg_ips: 10.50465 instance/sec.",
    ),
    P(E6, A(), B()),
)
case(
    "paddlehub",
    rep(
        "[2020-08-16 12:50:06,106] [   TRAIN] - step {s} / 2310: loss={a:.5f} f1=0.37425 [step/sec: 4.88]",
        "[2020-08-16 12:50:10,106] [    EVAL] - Evaluation on dev dataset start",
        "[2020-08-16 12:50:12,106] [    EVAL] - [dev dataset evaluation result] loss={b:.5f} f1=0.41000 [step/sec: 14.88]",
    ),
    P(H, A(), B(), "step"),
)
case(
    "megatron-deepspeed",
    rep(
        "[default7]: iteration {S:8d}/  143051 | consumed samples:      {S}00 | consumed tokens:   104857600 | elapsed time per iteration (s): 7.13 | learning rate: 1.200E-04 | global batch size:   512 | lm loss: {a:.6E} | grad norm: 0.412 | num zeros: 0.0 | number of skipped iterations:   0 | number of nan iterations:   0 | samples per second: 71.8 | TFLOPs: 100.12 |",
        "[default7]:time (ms)",
        "[default7]:------------------------------------------------------------------------------------------",
        "[default7]:valid loss at iteration {S} | lm loss value: {b:.6E} | lm loss PPL: 7.123456E+00 |",
        "[default7]:------------------------------------------------------------------------------------------",
    ),
    P(T, A(), B(), "step"),
)
case(
    "speechbrain-minimal",
    rep("epoch {k}: loss_tr={a:.4f} err_tr=0.5000 loss_valid={b:.4f} err_valid=0.5000 lr_optimizer=0.00040000"),
    P(K, A(), B()),
)
case(
    "kaldi-chain",
    rep(
        "exp/chain/log/compute_prob_train.{s}.log:LOG (nnet3-chain-compute-prob[5.1]:PrintTotalStats():nnet-chain-diagnostics.cc:175) Overall log-probability for 'output' is -0.0771902 + -0.00903586 = -0.086226 per frame, over 18375 frames.",
        "exp/chain/log/compute_prob_valid.{s}.log:LOG (nnet3-chain-compute-prob[5.1]:PrintTotalStats():nnet-chain-diagnostics.cc:170) Overall log-probability for 'output-xent' is -0.962797 per frame, over 18375 frames.",
    ),
    R("only validation losses"),
)
case(
    "bentrevett",
    rep(
        "Epoch: {e:02} | Epoch Time: 7m 19s",
        "\tTrain Loss: {a:.3f} | Train Acc: {acc:.2f}%",
        "\t Val. Loss: {b:.3f} |  Val. Acc: {acc:.2f}%",
    ),
    P(E6, A(), B()),
)
case(
    "notebook-in-md",
    "".join(
        rep(
            "    Epoch {k}/5",
            "    ----------",
            "    train Loss: {a:.4f} Acc: 0.1392",
            "    valid Loss: {b:.4f} Acc: 0.3029",
            "    ",
        )
    )
    + "    Training complete in 2m 3s\n    Best val Acc: 0.93\n",
    P(K, A(), B()),
)


def udacity():
    out = ""
    best = "inf"
    for e in E6:
        out += f"Epoch: {e} \tTraining Loss: {a(e):.6f} \tValidation Loss: {b(e):.6f}\nValidation loss decreased ({best} --> {b(e):.6f}).  Saving model ...\n"
        best = f"{b(e):.6f}"
    return out


case("udacity", udacity(), P(E6, A(), B()))
case(
    "hf-no-trainer-clm",
    rep(
        "{pc:3.0f}%|████      | {s}/600 [00:31<01:10,  3.2it/s]12/01/2023 10:11:12 - INFO - __main__ - epoch {k}: perplexity: 12.3456 eval_loss: {b:.6f}"
    ),
    R("only validation losses", "no training loss"),
)
case(
    "simpletransformers",
    "global_step,train_loss,mcc,tp,tn,fp,fn,eval_loss\n" + rep("{s},{a:.6f},0.5{e},100,90,5,6,{b:.6f}"),
    P(H, A(), B(), "step"),
    ".csv",
)
case(
    "keras1",
    "Train on 60000 samples, validate on 10000 samples\n"
    + rep("Epoch {e}/6", "12s - loss: {a:.4f} - acc: 0.9012 - val_loss: {b:.4f} - val_acc: 0.9712"),
    P(E6, A(), B()),
)
case(
    "keras-ckpt-two-outputs",
    rep(
        "Epoch {e}/6",
        "1563/1563 [==============================] - 12s 7ms/step - loss: {a:.4f} - cls_loss: 0.2100 - box_loss: 0.1234 - cls_acc: 0.8 - val_loss: {b:.4f} - val_cls_loss: 0.3100 - val_box_loss: 0.2234 - val_cls_acc: 0.7",
        "",
        "Epoch {e:05d}: val_loss improved from 9.12345 to {b:.5f}, saving model to best_{e:02d}-{b:.2f}.hdf5",
    ),
    P(E6, A(), B()),
)
case(
    "r-keras",
    "Trained on 1,000 samples (batch_size=128, epochs=30)\nFinal epoch (plot to see history):\n        loss: 0.2512\n         acc: 0.9012\n    val_loss: 0.3123\n     val_acc: 0.8812 \n",
    P([30], [0.2512], [0.3123], "epoch", says=("One pair",)),
)
case(
    "tflearn",
    "---------------------------------\nRun id: mlp\nLog directory: /tmp/tflearn_logs/\n---------------------------------\nTraining samples: 55000\nValidation samples: 10000\n--\n"
    + rep(
        "Training Step: {s}  | total loss: \x1b[1m\x1b[32m{a:.5f}\x1b[0m\x1b[0m | time: 12.011s",
        "| SGD | epoch: {e:03d} | loss: {a:.5f} - top3: 0.9731 | val_loss: {b:.5f} - val_acc: 0.9862 -- iter: 55000/55000",
        "--",
    ),
    P(E6, A(), B()),
)
case(
    "tf-object-detection",
    rep(
        "INFO:tensorflow:Step {s} per-step time 0.312s",
        "I0101 10:00:00.123456 140000 model_lib_v2.py:698] Step {s} per-step time 0.312s",
        "INFO:tensorflow:{{'Loss/classification_loss': 0.21,",
        " 'Loss/localization_loss': 0.12,",
        " 'Loss/regularization_loss': 0.15,",
        " 'Loss/total_loss': {a:.6f},",
        " 'learning_rate': 0.0266665}}",
        "INFO:tensorflow:Eval metrics at step {s}",
        "INFO:tensorflow:\t+ DetectionBoxes_Precision/mAP: 0.412345",
        "INFO:tensorflow:\t+ Loss/classification_loss: 0.301",
        "INFO:tensorflow:\t+ Loss/total_loss: {b:.6f}",
    ),
    P(H, A(), B(), "step"),
)


def mindspore():
    out = ""
    for e in range(1, 6):
        out += f"Epoch {e}\n-------------------------------\n"
        for i in (0, 300, 600, 900):
            out += f"loss: {a(e) - i / 10000:.6f}  [{i:3d}/938]\n"
        out += f"Test: \n Accuracy: {60 + e}.3%, Avg loss: {b(e):.6f} \n\n"
    return out + "Done!\n"


case(
    "mindspore-quickstart",
    mindspore(),
    P(
        [900, 1838, 2776, 3714, 4652],
        lambda t: len(t) == 5 and all(abs(x - a(e)) <= 0.1 for e, x in zip(range(1, 6), t, strict=False)),
        B(5),
        "step",
    ),
)
case(
    "mindspore-model-train",
    rep("epoch: {e} step: 1875, loss is {a:.8f}", "Train epoch time: 12345.678 ms, per step time: 6.584 ms")
    + "{'Accuracy': 0.9612}\n",
    R("no validation loss"),
)
case("equinox", rep("step={s}, train_loss={a:.7f}, test_loss={b:.7f}, test_accuracy=0.{acc}"), P(H, A(), B(), "step"))
case(
    "train-valid-slash",
    rep("Epoch: [{e}/6] train/valid loss: {a:.4f} / {b:.4f} throughput/loss rate: 0.1234 / 0.0123"),
    P(E6, A(), B()),
)
case(
    "allennlp-metrics-json",
    json.dumps(
        {
            "best_epoch": 3,
            "peak_worker_0_memory_MB": 2345,
            "training_duration": "0:01:02",
            "epoch": 9,
            "training_accuracy": 0.9,
            "training_loss": 0.2512,
            "validation_accuracy": 0.85,
            "validation_loss": 0.3123,
            "best_validation_loss": 0.2901,
        },
        indent=2,
    ),
    P([9], [0.2512], [0.3123]),
    ".json",
)
case(
    "fairseq-06",
    rep(
        "| epoch {e:03d}:    500 / 1000 loss=9.312, nll_loss=8.812, ppl=449.31, wps=21234, ups=3, wpb=6912.512, bsz=201.212, num_updates={s}, lr=0.000125, gnorm=1.412, clip=0.000, oom=0.000, wall=301, train_wall=280",
        "| epoch {e:03d} | loss {a:.3f} | nll_loss 2.512 | ppl 5.7 | wps 21234 | ups 3 | wpb 6912.512 | bsz 201.212 | num_updates {S} | lr 0.00025 | gnorm 1.312 | clip 0.000 | oom 0.000 | wall 601 | train_wall 580",
        "| epoch {e:03d} | valid on 'valid' subset | loss {b:.3f} | nll_loss 2.412 | ppl 5.32 | num_updates {S}",
    ),
    P(E6, A(), B()),
)
case(
    "opennmt-tf",
    rep(
        "INFO:tensorflow:Step = {s} ; steps/s = 1.23, tokens/s = 34567 (15012 source, 19555 target) ; Learning rate = 0.000123 ; Loss = {a:.6f}",
        "INFO:tensorflow:Running evaluation for step {s}",
        "INFO:tensorflow:Evaluation result for step {s}: loss = {b:.6f} ; perplexity = 7.123456",
    ),
    P(H, A(), B(), "step"),
)
case(
    "marian-per-sentence",
    rep(
        "[2020-01-01 10:00:00] Ep. 1 : Up. {S} : Sen. {S}000 : Cost {a:.4f} * 1,234,567 @ 2,345 after 12,345,678 : Time 30.21s : 40866.12 words/s : gNorm 0.51",
        "[2020-01-01 10:05:00] [valid] Ep. 1 : Up. {S} : cross-entropy : {x:.4f} : new best",
        x=lambda e: 25 * b(e),
    ),
    P(T, A(), [25 * x for x in B()], "step", says=("hardly means over the same",)),
)
case(
    "chainer-ctc-json",
    json.dumps(
        [
            r
            for e in E6
            for r in (
                {
                    "epoch": e - 1,
                    "iteration": 100 * e - 50,
                    "main/loss": a(e) + 0.1,
                    "main/loss_ctc": 90.1,
                    "elapsed_time": 10.0 * e,
                },
                {
                    "epoch": e,
                    "iteration": 100 * e,
                    "main/loss": a(e),
                    "main/loss_ctc": 80.1,
                    "validation/main/loss": b(e),
                    "validation/main/loss_ctc": 70.2,
                    "validation/main/cer": 0.2,
                    "elapsed_time": 10.0 * e + 5,
                },
            )
        ]
    ),
    P(H, A(), B(), "step"),
    ".json",
)
case(
    "nemo2",
    "".join(
        f"Training epoch 0, iteration {i}/599 | lr: 3e-04 | global_batch_size: 32 | global_step: {i} | peak_memory_usage: 41234567 | reduced_train_loss: {2 / (1 + i / 100) + 0.5:.4f} | train_step_timing in s: 0.512"
        + (f" | consumed_samples: {32 * (i + 1)}")
        + (f" | val_loss: {b(i // 100):.4f}" if i >= 100 else "")
        + "\n"
        for i in range(9, 600, 10)
    ),
    P([109, 209, 309, 409, 509], lambda t: len(t) == 5, [b(e) for e in range(1, 6)], "step"),
)


def axolotl():
    out = "{'eval_loss': 2.25, 'eval_runtime': 16.2872, 'eval_samples_per_second': 6.14, 'eval_steps_per_second': 3.07, 'memory/max_active (GiB)': 1.92, 'epoch': 0}\n"
    for i in range(1, 121):
        x = i / 40
        out += f"{i * 100 // 120:3d}%|███       | {i}/120 [01:10<10:12,  5.1s/it]\r{{'loss': {2 / (1 + x) + 0.5:.4f}, 'grad_norm': 0.512345678901, 'learning_rate': 0.00019, 'ppl': 7.12, 'memory/max_active (GiB)': 10.97, 'epoch': {x:.2f}}}\n"
        if i % 20 == 0:
            out += f"{{'eval_loss': {1.5 / (1 + x) + 0.7:.16f}, 'eval_runtime': 16.2872, 'eval_samples_per_second': 6.14, 'epoch': {x:.2f}}}\n"
    return out + "{'train_runtime': 901.2, 'train_samples_per_second': 1.1, 'train_loss': 1.3456, 'epoch': 3.0}\n"


case(
    "axolotl",
    axolotl(),
    P(
        [0, 0.5, 1, 1.5, 2, 2.5, 3],
        lambda t: all(abs(x - (2 / (1 + y) + 0.5)) < 0.12 for x, y in zip(t, [0, 0.5, 1, 1.5, 2, 2.5, 3])),
        [2.25] + [1.5 / (1 + x) + 0.7 for x in (0.5, 1, 1.5, 2, 2.5, 3)],
    ),
)
case(
    "unsloth",
    '🦥 Unsloth: Will patch your computer to enable 2x faster free finetuning.\n==((====))==  Unsloth 2025.3.19: Fast Llama patching. Transformers: 4.50.0.\n   \\\\   /|    Num examples = 1,000 | Num Epochs = 3 | Total steps = 600\nO^O/ \\_/ \\    Batch size per device = 2 | Gradient accumulation steps = 4\n\\        /    Data Parallel GPUs = 1 | Total batch size (2 x 4 x 1) = 8\n "-____-"     Trainable parameters = 11,272,192/1,247,086,592 (0.90% trained)\n [600/600 10:12, Epoch 3/3]\n Step \tTraining Loss \tValidation Loss\n'
    + rep("{s} \t{a:.6f} \t{b:.6f}")
    + "Unsloth: Will smartly offload gradients to save VRAM!\n",
    P(H, A(), B(), "step"),
)
case(
    "llama2c",
    "tokens per iteration will be: 131,072\nbreaks down as: 4 grad accum steps * 1 processes * 128 batch size * 256 max seq len\nInitializing a new model from scratch\n"
    + "".join(
        f"step {i}: train loss {2 / (1 + i / 2000) + 0.5:.4f}, val loss {1.5 / (1 + i / 2000) + 0.7:.4f}\nsaving checkpoint to out\n"
        + "".join(
            f"{j} | loss {2.1 / (1 + j / 2000) + 0.5:.4f} | lr 5.000000e-04 | 1234.56ms | mfu 12.34%\n"
            for j in range(i, i + 2000, 100)
        )
        for i in range(0, 10001, 2000)
    ),
    P(
        range(0, 10001, 2000),
        [2 / (1 + i / 2000) + 0.5 for i in range(0, 10001, 2000)],
        [1.5 / (1 + i / 2000) + 0.7 for i in range(0, 10001, 2000)],
        "step",
    ),
)
case(
    "rwkv-train-log",
    "NEW RUN\n2024-01-01 10:00:00.123\n{'load_model': '0', 'n_layer': 12, 'n_embd': 768, 'ctx_len': 512}\n"
    + rep("{k} {a:.6f} 10.4412 0.00040000 2024-01-01 10:{e:02d}:00.123456 {k}"),
    R("no loss was found"),
)
case(
    "kohya-validation",
    "".join(
        f"epoch {e}/6\n"
        + "".join(
            f"steps: {x // 6:3d}%|██        | {x}/600 [01:00<09:00,  1.63it/s, avr_loss={2 / (x / 100) + 0.5:.4f}]\r"
            for x in range(100 * e - 99, 100 * e + 1, 11)
        )
        + f"\nvalidation steps: 100%|██████████| 4/4 [00:02<00:00,  2.0it/s, val_avg_loss={b(e):.4f}, timestep=900]\n"
        for e in E6
    ),
    P(H, lambda t: len(t) == 6 and all(abs(x - a(e)) < 0.1 for e, x in zip(E6, t, strict=False)), B(), "step"),
)
case(
    "deepspeed-train-only",
    rep(
        "[2024-01-01 10:00:00,123] [INFO] [logging.py:96:log_dist] [Rank 0] step={s}, skipped=0, lr=[3e-04, 3e-04], mom=[(0.9, 0.95), (0.9, 0.95)]",
        "steps: {s} loss: {a:.4f} iter time (s): 0.512 samples/sec: 62.512",
    ),
    R("no validation loss"),
)
case(
    "holdout-mbpo",
    rep("epoch {k}: train loss {a:.3f}, holdout loss {b:.3f}, label recovery train 0.91 / holdout 0.82, 12 s"),
    P(K, A(), B()),
)
case(
    "chinese-block",
    rep(
        "Epoch [{e}/100] 完成 (耗时: 8.5s)",
        "  训练损失: {a:.6f}",
        "  验证损失: {b:.6f}",
        "  学习率: 0.001000",
        "  *** 新的最佳模型! 验证损失: {b:.6f} ***",
        "------------------------------------------------------------",
    ),
    P(E6, A(), B()),
)
case(
    "chinese-fullwidth",
    rep(
        "Epoch {e}/6 - 训练损失：{a:.4f}, 训练准确率：{acc:.2f}% - 验证损失：{b:.4f}, 验证准确率：{acc:.2f}% - 耗时：12.3s"
    ),
    P(E6, A(), B()),
)
case(
    "chinese-round",
    rep("第{e}轮训练开始，共6轮", "第{e}轮：训练集loss为{a:.4f}，测试集loss为{b:.4f}，测试集准确率{acc:.1f}%"),
    P(E6, A(), B()),
)
case(
    "japanese-epochs",
    rep("エポック {e}/6 - 訓練損失: {a:.4f}, 訓練精度: {acc:.2f}% - 検証損失: {b:.4f}, 検証精度: {acc:.2f}%")
    + "    🛑 早期終了: 5 エポック連続で改善なし\n    📈 最良検証損失: 0.9500 で学習終了\n",
    P(E6, A(), B()),
)
case(
    "korean-bars",
    rep("  에폭 [{e}/6] | 학습 손실: {a:.4f} | 검증 손실: {b:.4f} | 검증 정확도: {acc:.2f}%")
    + "학습 완료.\n최종 검증 손실: 0.9500\n",
    P(E6, A(), B()),
)
case(
    "russian-error",
    rep("Эпоха {e}/6, ошибка на обучении: {a:.4f}, ошибка на валидации: {b:.4f}, время: 12.1 с"),
    P(E6, A(), B()),
)
case(
    "russian-loss",
    rep(
        "=== Эпоха {e} из 6 ===",
        "Лосс на трейне: {a:.4f}",
        "Лосс на валидации: {b:.4f}",
        "Точность на валидации: 0.{acc}",
    ),
    P(E6, A(), B()),
)
case(
    "spanish-tfjs",
    rep(
        "Época: {e}/6 - Pérdida: {a:.4f} - Pérdida de validación: {b:.4f} - Precisión: 0.{acc} - Precisión de validación: 0.{acc}"
    ),
    P(E6, A(), B()),
)
case(
    "french-nanogpt",
    rep("étape {s}: perte d'entraînement {a:.4f}, perte de validation {b:.4f}"),
    P(H, A(), B(), "step"),
)
case("polish", rep("Epoka {e}/6: strata treningowa: {a:.4f}, strata walidacyjna: {b:.4f}"), P(E6, A(), B()))
case(
    "turkish",
    rep("Epok {e}/6 - Eğitim Kaybı: {a:.4f}, Doğrulama Kaybı: {b:.4f}, Doğrulama Doğruluğu: {acc:.2f}%"),
    P(E6, A(), B()),
)
case("gan", rep("[Epoch {k}/200] [Batch 0/938] [D loss: {a:.6f}] [G loss: {b:.6f}]"), R("no validation loss"))
case(
    "bracketed-values",
    rep(
        "[Epoch {e}/6] [Train Loss: {a:.4f}] [Train Acc: 0.{acc}] [Valid Loss: {b:.4f}] [Valid Acc: 0.{acc}]",
        "Epoch    {e}: reducing learning rate of group 0 to 1.6000e-05.",
    ),
    P(E6, A(), B()),
)
case(
    "epochs-plural",
    rep(
        "Epochs {k:03d}, train loss: {a:.2f}, train accuracy: {acc:.2f}%, valid loss: {b:.2f}, valid accuracy: {acc:.2f}%, test loss: 2.03, test accuracy: 28.88%"
    ),
    P(K, [round(x, 2) for x in A()], [round(x, 2) for x in B()]),
)
case(
    "dots-between",
    rep(
        "[{e:2d}] TRAIN loss: {a:.3f}, acc: {acc:.3f}, lr: 0.001000 .... VALID loss: {b:.3f}, acc: {acc:.3f}, best_loss: 0.950 .... patience: 0"
    )
    + "TEST loss: 1.034, acc: 47.826\n",
    P(E6, A(), B(), "step"),
)
case(
    "dev-eer",
    rep("[epoch {e:03d}] train_loss={a:.4f} | dev_loss={b:.4f} | dev_eer=12.31% | dev_acc=91.20%"),
    P(E6, A(), B()),
)
case("em-dash", rep("Epoch {e} — train loss: {a:.4f}", "Epoch {e} — val   loss: {b:.4f}", ""), P(E6, A(), B()))
case(
    "loss-slash-unsaid",
    rep("Epoch {e:3d}/6 | Loss {a:.4f}/{b:.4f} | Acc 0.8123/0.7512 | Train time 3.2 sec"),
    R("two or more values after"),
)
case(
    "lightgbm-r",
    "[LightGBM] [Info] Total Bins 232\n[LightGBM] [Info] Start training from score -0.035661\n"
    + rep("[{e}]:  train's binary_logloss:{a:.6f}  test's binary_logloss:{b:.6f} "),
    P(E6, A(), B(), "step"),
)
case("lux-jl", rep("[ Info: Epoch {e}: train loss = {a:.5f}, test loss = {b:.5f}"), P(E6, A(), B()))
case(
    "ludwig",
    "Training for 100 step(s), approximately 6 epoch(s).\n"
    + rep(
        "Training: {pc:.0f}%|███ | {s}/600 [00:01<00:00, 60.1it/s, loss={a:.3f}]",
        "Running evaluation for step: {s}, epoch: {e}",
        "╒════════════╤════════════╤═══════════╕",
        "│            │       loss │   accuracy│",
        "╞════════════╪════════════╪═══════════╡",
        "│ train      │     {a:.4f} │     0.8123│",
        "├────────────┼────────────┼───────────┤",
        "│ validation │     {b:.4f} │     0.7523│",
        "├────────────┼────────────┼───────────┤",
        "│ test       │     1.1111 │     0.7411│",
        "╘════════════╧════════════╧═══════════╛",
    ),
    P(E6, A(), B()),
)
case(
    "fms-two-jsonl",
    {
        "train_loss.jsonl": rep(
            '{{"name": "loss", "data": {{"epoch": {e}.0, "step": {s}, "value": {a:.4f}, "timestamp": "2024-02-20T10:00:00.123456"}}}}'
        ),
        "eval_loss.jsonl": rep(
            '{{"name": "eval_loss", "data": {{"epoch": {e}.0, "step": {s}, "value": {b:.6f}, "timestamp": "2024-02-20T10:00:00.123456"}}}}'
        ),
    },
    P(H, A(), B(), "step"),
)
case(
    "fms-one-jsonl",
    {
        "training_logs.jsonl": rep(
            '{{"name": "training_loss", "data": {{"epoch": {e}.0, "step": {s}, "value": {a:.4f}, "timestamp": "2024-02-20T10:00:00.123456"}}}}',
            '{{"name": "validation_loss", "data": {{"epoch": {e}.0, "step": {s}, "value": {b:.6f}, "timestamp": "2024-02-20T10:00:01.123456"}}}}',
        )
    },
    P(H, A(), B(), "step"),
)
case(
    "mlx-lm-classic",
    "Loading pretrained model\nTrainable parameters: 0.081% (1.704M/2103.9M)\nStarting training..., iters: 600\nIter 1: Val loss 2.400, Val took 12.345s\n"
    + rep(
        "Iter {t}: Train loss 2.000, Learning Rate 1.000e-05, It/sec 0.512, Tokens/sec 312.123, Trained Tokens 1234, Peak mem 10.123 GB",
        "Iter {s}: Train loss {a:.3f}, Learning Rate 1.000e-05, It/sec 0.512, Tokens/sec 312.123, Trained Tokens 12345, Peak mem 10.123 GB",
        "Iter {s}: Val loss {b:.3f}, Val took 12.345s",
        "Iter {s}: Saved adapter weights to adapters/adapters.safetensors",
        t=lambda e: 100 * e - 50,
    ),
    P(H, lambda t: len(t) == 6, B(), "step"),
)
case(
    "hydra-ckpt-only",
    rep(
        "Epoch {k}, global step {s}: 'val/loss' reached {b:.5f} (best {b:.5f}), saving model to 'ckpt/epoch={k}.ckpt' as top 1"
    ),
    R("only validation losses"),
)
case(
    "char-rnn-lua",
    rep(
        "{s}/21150 (epoch 0.{e:03d}), train_loss = {a:.8f}, grad/param norm = 1.2345e-01, time/batch = 1.12s",
        "evaluating loss over split index 2",
        "1/12...",
        "saving checkpoint to cv/lm_lstm_epoch0.{e}5_{b:.4f}.t7",
    ),
    R("no validation loss"),
)
case(
    "awd-lstm",
    "".join(
        "".join(
            f"| epoch {e:3d} | {i:5d}/  663 batches | lr 30.00000 | ms/batch 80.12 | loss {a(e) + (600 - i) / 5000:5.2f} | ppl     8.12 | bpc    1.712\n"
            for i in (200, 400, 600)
        )
        + "-" * 89
        + f"\n| end of epoch {e:3d} | time: 70.12s | valid loss {b(e):5.2f} | valid ppl     7.12 | valid bpc    1.612\n"
        + "-" * 89
        + "\n"
        for e in E6
    ),
    P(
        [600 + 663 * k for k in K],
        lambda t: len(t) == 6,
        [round(x, 2) for x in B()],
        "step",
        errors=("log/perplexity",),
    ),
)
case(
    "neuralprophet-bar",
    "".join(
        "".join(
            f"Epoch[{e}/6]: {e * 100 // 6:3d}%|███  | {e}/6 [00:10<00:50,  1.1it/s, SmoothL1Loss={a(e):.4f}, MAE=12.3, RMSE=15.1, RegLoss=0, MAE_val=13.4, RMSE_val=16.1, SmoothL1Loss_val={b(e):.4f}]\r"
            for _ in (0,)
        )
        for e in E6
    )
    + "\n",
    P(E6, A(), B()),
)
case(
    "matdeeplearn",
    rep(
        "Epoch: {e:04d}, Learning Rate: 0.002000, Training Error: {a:.5f}, Val Error: {b:.5f}, Time per epoch (s): 3.12345"
    ),
    P(E6, A(), B()),
)
case(
    "schnetpack-csv",
    "Time,Learning rate,Train loss,Validation loss,MAE energy,RMSE energy\n"
    + rep("1234.{e},0.0001,{a:.6f},{b:.6f},0.12,0.2"),
    P(E6, A(), B(), "place"),
    ".csv",
)
case(
    "deepmd-stdout",
    rep(
        "DEEPMD INFO    batch {s:7d}: trn: rmse = {a:.2e}, rmse_e = 1.20e-01, rmse_f = 3.01e-01, lr = 1.00e-03",
        "DEEPMD INFO    batch {s:7d}: val: rmse = {b:.2e}, rmse_e = 1.40e-01, rmse_f = 3.31e-01",
        "DEEPMD INFO    batch {s:7d}: total wall time = 12.31 s",
    ),
    P(H, lambda t: close(t, A(), 1e-2), [float(f"{x:.2e}") for x in B()], "step"),
)
case(
    "nequip-stdout",
    rep(
        "training",
        "# Epoch batch         loss       loss_f        f_mae       f_rmse",
        "      {e}    10      {a:.5f}        {a:.3f}        0.312        0.412",
        "validation",
        "# Epoch batch         loss       loss_f        f_mae       f_rmse",
        "      {e}     1      {b:.5f}        {b:.3f}        0.322        0.422",
        "",
        "  Train      #    Epoch      wal       LR       loss_f         loss        f_mae       f_rmse",
        "! Train               {e}   10.123    0.005      {a:.4f}       {a:.4f}        0.312        0.412",
        "! Validation          {e}   10.123    0.005      {b:.4f}       {b:.4f}        0.322        0.422",
        "Wall time: 10.123456",
    ),
    P(E6, A(), B()),
)
case(
    "rasa",
    "".join(
        f"\rEpochs: {e * 100 // 6:3d}%|███   | {e}/6 [00:10<00:50,  1.1s/it, t_loss={a(e):.2f}, i_acc=0.912, val_t_loss={b(e):.2f}, val_i_acc=0.812]"
        for e in E6
    )
    + "\n",
    P(E6, [round(x, 2) for x in A()], [round(x, 2) for x in B()]),
)
case(
    "fastai-07",
    "epoch      trn_loss   val_loss   accuracy                     \n"
    + rep("    {k}      {a:.6f}   {b:.6f}   0.9{acc}"),
    P(K, A(), B()),
)
case(
    "lasagne",
    rep(
        "Epoch {e} of 500 took 1.858s",
        "  training loss:\t\t{a:.6f}",
        "  validation loss:\t\t{b:.6f}",
        "  validation accuracy:\t\t{acc:.2f} %",
    ),
    P(E6, A(), B()),
)
case(
    "nolearn",
    "  epoch    train loss    valid loss    train/val    valid acc  dur\n-------  ------------  ------------  -----------  -----------  -----\n"
    + rep("      {e}       \x1b[36m{a:.5f}\x1b[0m       \x1b[32m{b:.5f}\x1b[0m      0.93122      0.{acc}  1.23s"),
    P(E6, A(), B()),
)
case(
    "mlnet",
    rep(
        "Phase: Training, Dataset used:      Train, Batch Processed Count:  14, Learning Rate:       0.01, Epoch:   {k}, Accuracy:  0.6123, Cross-Entropy:  {a:.6f}",
        "Phase: Training, Dataset used: Validation, Batch Processed Count:   3, Epoch:   {k}, Accuracy:  0.8123, Cross-Entropy:  {b:.6f}",
    ),
    P(K, A(), B()),
)
case(
    "tfjs-callback",
    rep('onEpochEnd{k} {{"val_loss":{b:.6f},"val_acc":0.9,"loss":{a:.6f},"acc":0.8}}'),
    P(E6, A(), B(), "place"),
)
case(
    "tfjs-node",
    rep(
        "Epoch {e} / 6",
        "eta=0.0 ====================================================================>",
        "1234ms 567us/step - acc=0.9{acc} loss={a:.4f} val_acc=0.95 val_loss={b:.4f}",
    ),
    P(E6, A(), B()),
)
case(
    "libtorch-mnist",
    "".join(
        "".join(
            f"\rTrain Epoch: {e} [{i:5d}/60000] Loss: {a(e) + (60000 - i) / 1e6:.4f}" for i in (0, 20000, 40000, 59584)
        )
        + f"\nTest set: Average loss: {b(e):.4f} | Accuracy: 0.9{e}1\n"
        for e in E6
    ),
    P([59584 + 60000 * k for k in K], lambda t: len(t) == 6, B(), "step"),
)
case(
    "burn-summary",
    "======================== Learner Summary ========================\nModel: Model[num_params=1234]\nTotal Epochs: 10\n\n\n| Split | Metric   | Min.     | Epoch    | Max.     | Epoch    |\n|-------|----------|----------|----------|----------|----------|\n| Train | Loss     | 0.123    | 10       | 1.234    | 1        |\n| Train | Accuracy | 61.123   | 1        | 96.123   | 10       |\n| Valid | Loss     | 0.201    | 8        | 0.912    | 1        |\n| Valid | Accuracy | 81.123   | 1        | 95.123   | 9        |\n",
    R(),
)
case(
    "ggml-opt",
    "".join(
        f"ggml_opt_fit: epoch {e:04d}/0006:\n"
        + "".join(
            f"\rtrain: [{'=' * (d // 10)}>{' ' * (10 - d // 10)}] data={d * 500:07d}/0050000 loss={a(e) + 0.1 - d / 1000:.5f}±0.01234 acc=80.12±0.50% t=00:00:01 ETA=00:00:10"
            for d in (20, 60, 100)
        )
        + f"\nval:   [==========>] data=010000/010000 loss={b(e):.5f}±0.02345 acc=90.12±0.30% t=00:00:01 ETA=00:00:00\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "sagemaker",
    rep(
        "[01/01/2024 10:00:00 INFO 140000] #quality_metric: host=algo-1, epoch={k}, train binary_classification_cross_entropy_objective <loss>={a:.12f}",
        "[01/01/2024 10:00:01 INFO 140000] #quality_metric: host=algo-1, epoch={k}, validation binary_classification_cross_entropy_objective <loss>={b:.12f}",
    ),
    P(K, A(), B()),
)
case(
    "ray-train",
    rep(
        "Training finished iteration {e} at 2024-01-01 10:0{e}:00. Total running time: {e}2s",
        "╭───────────────────────────────╮",
        "│ Training result               │",
        "├───────────────────────────────┤",
        "│ checkpoint_dir_name           │",
        "│ time_this_iter_s      3.12345 │",
        "│ time_total_s          31.2345 │",
        "│ training_iteration          {e} │",
        "│ train_loss            {a:.5f} │",
        "│ val_loss              {b:.5f} │",
        "╰───────────────────────────────╯",
    ),
    P(E6, A(), B(), "step"),
)
case(
    "ray-progress-csv",
    "train_loss,val_loss,timestamp,checkpoint_dir_name,should_checkpoint,done,training_iteration,trial_id,date,time_this_iter_s,time_total_s,pid,hostname,node_ip,config/lr,config/batch_size,time_since_restore,iterations_since_restore\n"
    + rep(
        "{a:.6f},{b:.6f},1700000{e}00,,False,False,{e},abc_0000{e},2024-01-01_10-0{e}-00,3.1,{e}1.2,123,host,10.0.0.1,0.001,32,{e}1.2,{e}"
    ),
    P(E6, A(), B(), "step"),
    ".csv",
)
case(
    "two-ranks",
    rep(
        "[rank0]: epoch {e} train_loss {a:.4f} val_loss {b:.4f}",
        "[rank1]: epoch {e} train_loss {a:.4f} val_loss {b:.4f}",
    ),
    P(E6, A(), B()),
)
case(
    "docker-stamp",
    rep(
        "2024-01-01T10:00:0{e}.123456789Z stdout F epoch {e}/6 step 100 train_loss: {a:.4f}",
        "2024-01-01T10:00:0{e}.223456789Z stdout F epoch {e}/6 val_loss: {b:.4f}",
    ),
    P(E6, A(), B()),
)
case("mail-quote", rep("> > Epoch {e}: loss = {a:.4f}, val loss = {b:.4f}"), P(E6, A(), B()))


def nb(*outs):
    return json.dumps(
        {
            "cells": [
                {"cell_type": "markdown", "metadata": {}, "source": ["# My run\n", "loss = 3.0 would be bad"]},
                {
                    "cell_type": "code",
                    "execution_count": 1,
                    "metadata": {},
                    "source": ["for epoch in range(6):\n", "    print(f'train loss 1.0')"],
                    "outputs": list(outs),
                },
            ],
            "metadata": {"kernelspec": {"name": "python3"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        },
        indent=1,
    )


case(
    "ipynb-stream",
    nb(
        {
            "name": "stdout",
            "output_type": "stream",
            "text": [l + "\n" for l in rep("Epoch {e}/6 train loss {a:.4f} val loss {b:.4f}").splitlines()],
        }
    ),
    P(E6, A(), B()),
    ".ipynb",
)
case(
    "ipynb-hf-html",
    nb(
        {
            "data": {
                "text/html": [
                    "\n",
                    "    <div>\n",
                    "      <progress value='600' max='600' style='width:300px; height:20px; vertical-align: middle;'></progress>\n",
                    "      [600/600 10:12, Epoch 3/3]\n",
                    "    </div>\n",
                    '    <table border="1" class="dataframe">\n',
                    "  <thead>\n",
                    ' <tr style="text-align: left;">\n',
                    "      <th>Step</th>\n",
                    "      <th>Training Loss</th>\n",
                    "      <th>Validation Loss</th>\n",
                    "    </tr>\n",
                    "  </thead>\n",
                    "  <tbody>\n",
                ]
                + [
                    f"    <tr>\n      <td>{100 * e}</td>\n      <td>{a(e):.6f}</td>\n      <td>{b(e):.6f}</td>\n    </tr>\n"
                    for e in E6
                ]
                + ["  </tbody>\n", "</table><p>"],
                "text/plain": ["<IPython.core.display.HTML object>"],
            },
            "metadata": {},
            "output_type": "display_data",
        }
    ),
    P(H, A(), B(), "step"),
    ".ipynb",
)
case(
    "xlsx", b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00[Content_Types].xml" + b"\x00\x9a" * 400, R("CSV"), ".xlsx"
)
case(
    "json-train-val-lists",
    json.dumps({"train_losses": A(), "val_losses": B(), "args": {"lr": 0.1, "epochs": 6}}),
    P(range(6), A(), B()),
    ".json",
)
case(
    "json-by-epoch",
    json.dumps({str(e): {"train_loss": a(e), "val_loss": b(e), "lr": 0.01} for e in E6}),
    P(E6, A(), B()),
    ".json",
)
case(
    "tensors",
    rep(
        "Epoch {e}: train_loss tensor({a:.4f}, device='cuda:0', grad_fn=<DivBackward0>) val_loss tensor({b:.4f}, device='cuda:0')"
    ),
    P(E6, A(), B()),
)
case(
    "numpy-repr",
    rep("{{'epoch': {e}, 'train_loss': np.float64({a:.6f}), 'val_loss': np.float64({b:.6f})}}"),
    P(E6, A(), B()),
)
case(
    "lists-at-end",
    "Training done in 12.3 s\ntrain losses: ["
    + ", ".join(f"{x:.4f}" for x in A())
    + "]\nval losses: ["
    + ", ".join(f"{x:.4f}" for x in B())
    + "]\n",
    P(K, A(), B()),
)
case(
    "side-then-dict",
    rep("epoch {e} train: {{'loss': {a:.4f}, 'acc': 0.8}}, val: {{'loss': {b:.4f}, 'acc': 0.7}}"),
    P(E6, A(), B()),
)
case("glued-lower", rep("epoch {e} trainloss:{a:.4f} valloss:{b:.4f} trainacc:0.8 valacc:0.7"), P(E6, A(), B()))
case(
    "tslib",
    "".join(
        f"\titers: 100, epoch: {e} | loss: {a(e) + 0.1:.7f}\n\tspeed: 0.0512s/iter; left time: 312.1234s\n\titers: 200, epoch: {e} | loss: {a(e) + 0.05:.7f}\n\tspeed: 0.0212s/iter; left time: 102.1234s\nEpoch: {e} cost time: 12.345\nEpoch: {e}, Steps: 265 | Train Loss: {a(e):.7f} Vali Loss: {b(e):.7f} Test Loss: 0.4123456\nEarlyStopping counter: 1 out of 3\nUpdating learning rate to 5e-05\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "smp",
    "".join(
        f"\nEpoch: {e - 1}\ntrain: 100%|██████████| 184/184 [00:50<00:00,  3.65it/s, dice_loss - {a(e):.4f}, iou_score - 0.7123]\nvalid: 100%|██████████| 101/101 [00:10<00:00,  9.98it/s, dice_loss - {b(e):.4f}, iou_score - 0.8123]\n"
        for e in E6
    ),
    P(K, A(), B()),
)
case(
    "nakama",
    "".join(
        f"Epoch: [{e}][0/458] Elapsed 0m 1s (remain 10m 3s) Loss: {a(e) + 0.2:.4f}({a(e) + 0.2:.4f}) Grad: 1.2345  LR: 0.00002000  \nEpoch: [{e}][457/458] Elapsed 5m 1s (remain 0m 0s) Loss: {a(e) - 0.1:.4f}({a(e):.4f}) Grad: 1.2345  LR: 0.00002000  \nEVAL: [0/115] Elapsed 0m 0s (remain 0m 50s) Loss: {b(e) + 0.1:.4f}({b(e) + 0.1:.4f}) \nEVAL: [114/115] Elapsed 0m 30s (remain 0m 0s) Loss: {b(e) - 0.1:.4f}({b(e):.4f}) \nEpoch {e} - avg_train_loss: {a(e):.4f}  avg_val_loss: {b(e):.4f}  time: 331s\nEpoch {e} - Score: 0.4512\nEpoch {e} - Save Best Score: 0.4512 Model\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "deit",
    "".join(
        f"Epoch: [{e - 1}]  [   0/1251]  eta: 0:30:00  lr: 0.000001  loss: {a(e) + 0.1:.4f} ({a(e) + 0.1:.4f})  time: 1.4512  data: 0.7512  max mem: 8123\nEpoch: [{e - 1}]  [1250/1251]  eta: 0:00:00  lr: 0.000001  loss: {a(e) - 0.02:.4f} ({a(e):.4f})  time: 0.4512  data: 0.0012  max mem: 8123\nEpoch: [{e - 1}] Total time: 0:10:12 (0.4901 s / it)\nAveraged stats: lr: 0.000001  loss: {a(e) - 0.02:.4f} ({a(e):.4f})\nTest:  [ 0/66]  eta: 0:01:12  loss: {b(e) + 0.1:.4f} ({b(e) + 0.1:.4f})  acc1: 10.1234 (10.1234)  time: 1.1012  max mem: 8123\nTest:  [65/66]  eta: 0:00:00  loss: {b(e) + 0.3:.4f} ({b(e):.4f})  acc1: 12.1234 (12.1234)  time: 0.1012  max mem: 8123\n* Acc@1 12.123 Acc@5 25.123 loss {b(e):.3f}\nAccuracy of the network on the 50000 test images: 12.1%\n"
        for e in E6
    ),
    P(K, A(), B()),
)
case(
    "swin",
    "".join(
        "".join(
            f"[2021-06-01 10:00:00 swin](main.py 235): INFO Train: [{e - 1}/300][{i}/1251]\teta 3:00:00 lr 0.000001\t time 2.1012 (2.1012)\tloss {a(e) + (1250 - i) / 10000:.4f} ({a(e) + (1250 - i) / 20000:.4f})\tgrad_norm 1.2 (1.3)\tmem 8123MB\n"
            for i in (0, 600, 1250)
        )
        + f"[2021-06-01 10:10:00 swin](main.py 240): INFO EPOCH {e - 1} training takes 0:10:00\n"
        + "".join(
            f"[2021-06-01 10:11:00 swin](main.py 278): INFO Test: [{i}/98]\tTime 1.2012 (1.2012)\tLoss {b(e) + 0.1:.4f} ({b(e) + (97 - i) / 1000:.4f})\tAcc@1 70.1 (71.2)\tAcc@5 90.1 (91.2)\tMem 8123MB\n"
            for i in (0, 97)
        )
        + "[2021-06-01 10:12:00 swin](main.py 285): INFO  * Acc@1 71.212 Acc@5 91.212\n"
        for e in E6
    ),
    P(K, A(), B()),
)
case(
    "efficientdet",
    "".join(
        f"Step: {100 * e - 1}. Epoch: {e - 1}/50. Iteration: 100/100. Cls loss: 0.51234. Reg loss: 0.41234. Total loss: {a(e):.5f}: 100%|██████████| 100/100 [01:10<00:00,  1.41it/s]\nVal. Epoch: {e - 1}/50. Classification loss: 0.61234. Regression loss: 0.51234. Total loss: {b(e):.5f}\n"
        for e in E6
    ),
    P([100 * e - 1 for e in E6], A(), B(), "step"),
)
case(
    "retinanet",
    rep(
        "Epoch: {k} | Iteration: {s} | Classification loss: 0.81234 | Regression loss: 0.51234 | Running loss: {a:.5f}",
        "Evaluating dataset",
        "mAP:",
        "person: 0.5123",
    ),
    R("no validation loss"),
)

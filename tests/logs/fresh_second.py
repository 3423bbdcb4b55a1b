# ruff: noqa: E501, F403, F405
"""Logs in forms that nobody here had seen (second round): the right reading was written down before the reader was run."""

from fresh_forms import *

T = [1000 * e for e in E6]


def near(tol):
    return lambda t: len(t) == 6 and all(abs(x - a(e)) <= tol for e, x in zip(E6, t, strict=False))


case(
    "estimate-and-best-so-far",
    "".join(
        f"step {100 * e - 50} | loss {a(e) + 0.01:.4f} | step time 35.00ms\nstep {100 * e} | loss {a(e) - 0.02:.4f} | step time 35.00ms\nstep {100 * e} train loss: {a(e):.16f} test loss: {b(e):.16f}\ntest loss {b(e):.16f} is the best so far, saving model to output/model.pt\n"
        for e in E6
    ),
    P(H, A(), B(), "step"),
)
case(
    "loss-train-val-paren",
    rep("[E={e}] Loss (Train/Val) = {a:3.4f} / {b:3.4f} | Acc (Train/Val) = 0.5123 / 0.4123"),
    P(E6, A(), B()),
)
case(
    "lua-train-val",
    rep(
        "e:{e}.00 (i:{s}) train/val loss: {a:f}/{b:f}  audio/visual rank: 12(50)/13(60) BC:3 sim: 0.1234  batch/total time: 0.1234 / 120"
    ),
    P(E6, A(), B()),
)
case(
    "avg-loss-paren",
    rep(
        "Epoch {e}",
        "Avg loss (train): {a:.4f}",
        "Avg acc (train): 0.5123",
        "Avg loss (val): {b:.4f}",
        "Avg acc (val): 0.4123",
        "----------",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "value-before-name-dlwpt",
    rep(
        "2020-01-01 15:10:02,379 INFO     pid:8400 nodule.training:201:logMetrics E{e} trn      {a:.4f} loss,  99.7% correct, ",
        "2020-01-01 15:10:05,379 INFO     pid:8400 nodule.training:201:logMetrics E{e} trn_pos  3.1234 loss,   1.3% correct (2 of 154)",
        "2020-01-01 15:10:09,379 INFO     pid:8400 nodule.training:201:logMetrics E{e} val      {b:.4f} loss,  99.8% correct, ",
    ),
    P(E6, A(), B()),
)
case(
    "pytorch-vae",
    "".join(
        "".join(
            f"Train Epoch: {e} [{i}/60000 ({i * 100 // 60000}%)]\tLoss: {100 * a(e) + (59904 - i) / 10000:.6f}\n"
            for i in (0, 25600, 51200, 59904)
        )
        + f"====> Epoch: {e} Average loss: {100 * a(e) + 3:.4f}\n====> Test set loss: {100 * b(e):.4f}\n"
        for e in E6
    ),
    P(
        E6,
        lambda t: len(t) == 6 and all(abs(x - 100 * a(e)) <= 3.1 for x, e in zip(t, E6, strict=False)),
        [100 * x for x in B()],
    ),
)
case(
    "unsaid-upper", rep("EP {e:03d} | TRN {a:.4f} | VAL {b:.4f} | TST 2.3000"), P(E6, A(), B(), says=("does not say",))
)
case("unsaid-steps", rep("step {s:5d} train {a:.3f} val {b:.3f}"), P(H, A(), B(), "step", says=("does not say",)))
case(
    "unsaid-rising",
    rep(
        "Epoch: {e:03d}, Train: 0.{x:03d}, Val: 0.{y:03d}, Test: 0.{y:03d}",
        x=lambda e: 700 + 30 * e,
        y=lambda e: 600 + 30 * e,
    ),
    R("rise"),
)
case(
    "gluon-acc",
    rep("[Epoch {k}] train=0.{acc}1234 val=0.{acc}0000 loss={a:.6f} time: 12.312345"),
    R("no validation loss"),
)
case(
    "opennmt-lua",
    rep(
        "[01/01/17 10:00:00 INFO] Epoch {e} ; Iteration 50/100 ; Optim SGD LR 1.0000 ; Source tokens/s 3012 ; Perplexity {p:.2f}",
        "[01/01/17 10:00:30 INFO] Epoch {e} ; Iteration 100/100 ; Optim SGD LR 1.0000 ; Source tokens/s 3012 ; Perplexity {q:.4f}",
        "[01/01/17 10:00:40 INFO] Evaluating on the validation dataset...",
        "[01/01/17 10:00:50 INFO] Validation perplexity: {v:.4f}",
        "[01/01/17 10:00:50 INFO] Saving checkpoint to 'demo-model_epoch{e}_{v:.2f}.t7'...",
        p=lambda e: math.exp(a(e)) + 1,
        q=lambda e: math.exp(a(e)),
        v=lambda e: math.exp(b(e)),
    ),
    P(H, A(), B(), "step"),
)
case(
    "keras-tuner",
    "".join(
        f"\nSearch: Running Trial #{t}\n\nValue             |Best Value So Far |Hyperparameter\n{32 * t}                |32                |units\n0.001             |0.001             |learning_rate\n\n"
        + "".join(
            f"Epoch {e}/3\n100/100 [==============================] - 1s 5ms/step - loss: {a(e) + t:.4f} - accuracy: 0.5 - val_loss: {b(e) + t:.4f} - val_accuracy: 0.6\n"
            for e in (1, 2, 3)
        )
        + f"\nTrial {t} Complete [00h 00m 12s]\nval_loss: {b(3) + t:.16f}\n\nBest val_loss So Far: {b(3) + 1:.16f}\nTotal elapsed time: 00h 00m 36s\n"
        for t in (1, 2, 3)
    ),
    P([1, 2, 3], [a(e) + 3 for e in (1, 2, 3)], [b(e) + 3 for e in (1, 2, 3)], runs=3),
)
case(
    "trax",
    rep(
        "Step {s:6d}: Ran 100 train steps in 12.31 secs",
        "Step {s:6d}: train CrossEntropyLoss |  {a:.8f}",
        "Step {s:6d}: eval  CrossEntropyLoss |  {b:.8f}",
        "Step {s:6d}: eval          Accuracy |  0.51234567",
        "",
    ),
    P(H, A(), B(), "step"),
)
case(
    "maxtext",
    rep(
        "completed step: {s}, seconds: 1.234, TFLOP/s/device: 150.123, Tokens/s/device: 3012.123, total_weights: 65536, loss: {a:.3f}",
        "eval metrics after step: {s}, loss={b:.3f}, total_weights=655360.0",
    ),
    P(H, A(), B(), "step"),
)
case(
    "levanter",
    rep(
        "2024-01-01T10:00:00 - 0 - levanter.callbacks - trainer.py:201 - INFO :: Progress on:train {s}it/600it rate:1.2it/s remaining:05:00 elapsed:01:00 postfix:loss={a:.3f}",
        "2024-01-01T10:00:30 - 0 - levanter.eval - eval.py:301 - INFO :: eval loss: {b:.3f}",
    ),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "litgpt-pretrain",
    "".join(
        "".join(
            f"Epoch 1 | iter {i} step {i} | loss train: {2 / (i / 100) + 0.5:.3f}, val: {'n/a' if i < 100 else f'{b(max(1, (i - 1) // 100)):.3f}' if i > 100 else 'n/a'} | iter time: 512.12 ms (step) remaining time: 0:10:00\n"
            for i in range(100 * e - 75, 100 * e + 1, 25)
        )
        + f"iter {100 * e}: val loss {b(e):.4f}, val time: 512.12 ms\n"
        for e in E6
    ),
    P(H, near(0.06), B(), "step"),
)
case(
    "torchtitan-validate",
    rep(
        "[rank0]:[titan] 2025-01-01 10:00:00,123 - root - INFO - step: {s:2d}  loss:  {a:.4f}  grad_norm:  0.5123  memory: 12.31GiB(15.12%)  tps: 7,123  tflops: 112.31  mfu: 36.12%",
        "[rank0]:[titan] 2025-01-01 10:00:09,123 - root - INFO - validate step: {s:2d}  loss:  {b:.4f}  memory: 12.31GiB(15.12%)  tps: 17,123",
    ),
    P(H, A(), B(), "step"),
)
case(
    "nanotron",
    rep(
        "01/01/2024 10:00:00 [INFO|DP=0|PP=0|TP=0|ip-1]: iteration: {s} / 600 | consumed_tokens: 12.3M | elapsed_time_per_iteration_ms: 512 | tokens_per_sec: 30.1K | tokens_per_sec_per_gpu: 3.76K | global_batch_size: 512 | lm_loss: {a:.3g} | lr: 0.0003 | model_tflops_per_gpu: 50.1 | hardware_tflops_per_gpu: 50.1 | grad_norm: 0.512"
    ),
    R("no validation loss"),
)
case(
    "llm-foundry",
    rep(
        "[batch={s}/600]:",
        "\t Train time/batch: {s}",
        "\t Train loss/train/total: {a:.4f}",
        "\t Train metrics/train/LanguageCrossEntropy: {a:.4f}",
        "\t Train metrics/train/LanguagePerplexity: 9.1234",
        "[Eval batch=10/10] Eval on eval data:",
        "\t Eval metrics/eval/LanguageCrossEntropy: {b:.4f}",
        "\t Eval metrics/eval/LanguagePerplexity: 8.1234",
    ),
    P(H, A(), B(), "step", errors=("log/perplexity",)),
)
case(
    "mistral-finetune",
    rep(
        "2024-05-01 10:00:00 (UTC) - 0:01:00 - train - INFO - step: {s:06d} - done (%): 16.7 - loss: {a:.3f} - lr: 1.0e-05 - peak_alloc_mem (GB): 22.8 - alloc_mem (GB): 17.2 - words_per_second: 12999.2 - avg_words_per_second: 13000.1 - ETA: >2024-05-01 11:00:00",
        "2024-05-01 10:00:10 (UTC) - 0:01:10 - eval - INFO - step: {s:06d} - eval_perplexity: {p:.3f} - eval_loss: {b:.3f} - train_loss: {a:.3f}",
        p=lambda e: math.exp(b(e)),
    ),
    P(H, A(), B(), "step"),
)
case(
    "trl-dpo",
    rep(
        "{{'loss': {a:.4f}, 'grad_norm': 12.312, 'learning_rate': 4.5e-07, 'rewards/chosen': 0.012, 'rewards/rejected': -0.01, 'rewards/accuracies': 0.51, 'rewards/margins': 0.022, 'logps/chosen': -212.1, 'logits/chosen': -2.1, 'epoch': {e}.0}}",
        "{{'eval_loss': {b:.10f}, 'eval_runtime': 30.1, 'eval_samples_per_second': 12.1, 'eval_rewards/chosen': 0.1, 'eval_rewards/margins': 0.2, 'eval_logps/chosen': -210.1, 'epoch': {e}.0}}",
    ),
    P(E6, A(), B()),
)
case("bpc", rep("| end of epoch {e:3d} | time: 70.12s | train bpc {a:.4f} | valid bpc {b:.4f}"), P(E6, A(), B()))
case("bpd", rep("Epoch {e}: train bpd {a:.3f}, test bpd {b:.3f}, lr 0.0010"), P(E6, A(), B()))
case(
    "elbo",
    rep("epoch {e} train elbo: -{x:.3f} val elbo: -{y:.3f}", x=lambda e: 100 * a(e), y=lambda e: 100 * b(e)),
    P(E6, [100 * a(e) for e in E6], [100 * b(e) for e in E6], says=("higher is better",)),
)
case("gpytorch", rep("Iter {e}/50 - Loss: {a:.3f}   lengthscale: 0.693   noise: 0.693"), R("no validation loss"))
case(
    "diffusers-bar",
    "".join(
        f"\rSteps: {e * 100 // 6:3d}%|██    | {100 * e}/600 [01:00<05:00,  1.63it/s, lr=1e-5, step_loss={a(e):.4f}]"
        for e in E6
    )
    + "\n",
    R("no validation loss"),
)
case(
    "folds-in-line",
    "".join(
        f"Fold {f} | Epoch {e} | train_loss {a(e) + f:.4f} | valid_loss {b(e) + f:.4f} | score 0.81\n"
        for f in (0, 1)
        for e in E6
    ),
    P(E6, [x + 1 for x in A()], [x + 1 for x in B()], runs=2),
)
case(
    "german-csv",
    "Epoche;Trainingsverlust;Validierungsverlust;Lernrate\n" + rep("{e};{a:.4f};{b:.4f};0.001").replace(".", ","),
    P(E6, A(), B()),
    ".csv",
)
case(
    "tsv-train-val",
    "epoch\ttrain\tval\n" + rep("{e}\t{a:.4f}\t{b:.4f}"),
    P(E6, A(), B(), says=("does not say",)),
    ".tsv",
)
case(
    "pandas-unnamed",
    "Unnamed: 0,loss,accuracy,val_loss,val_accuracy,lr\n" + rep("{k},{a:.6f},0.5,{b:.6f},0.6,0.001"),
    P(E6, A(), B(), "place"),
    ".csv",
)
case(
    "tb-long",
    "tag,step,value\n" + rep("loss/train,{s},{a:.6f}", "acc/val,{s},0.5", "loss/val,{s},{b:.6f}"),
    P(H, A(), B(), "step"),
    ".csv",
)
case(
    "python-dict-nested",
    rep("{{'epoch': {e}, 'train': {{'loss': {a:.6f}, 'acc': 0.5}}, 'valid': {{'loss': {b:.6f}, 'acc': 0.6}}}}"),
    P(E6, A(), B()),
)
case(
    "jsonl-nested",
    rep('{{"epoch": {e}, "metrics": {{"train": {{"loss": {a:.6f}}}, "valid": {{"loss": {b:.6f}}}}}}}'),
    P(E6, A(), B()),
    ".jsonl",
)
case(
    "jsonl-messages",
    rep(
        '{{"level": "info", "ts": "2024-01-01T10:00:0{e}Z", "msg": "epoch {e} finished: train loss {a:.4f}, val loss {b:.4f}"}}'
    ),
    P(E6, A(), B()),
    ".log",
)
case(
    "docker-json",
    rep(
        '{{"log":"Epoch {e}/6\\n","stream":"stdout","time":"2024-01-01T10:00:00.123456789Z"}}',
        '{{"log":" - loss: {a:.4f} - val_loss: {b:.4f}\\n","stream":"stdout","time":"2024-01-01T10:00:00.223456789Z"}}',
    ),
    P(E6, A(), B()),
    ".log",
)
case(
    "journald",
    rep("Jan 01 10:00:0{e} node12 python[1234]: Epoch {e} train_loss={a:.4f} val_loss={b:.4f}"),
    P(E6, A(), B()),
)
case(
    "rich-logging",
    rep(
        "[10:00:0{e}] INFO     Epoch {e}: train loss {a:.4f}                          trainer.py:123",
        "           INFO     val loss {b:.4f}                                     trainer.py:124",
    ),
    P(E6, A(), B()),
)
case("file-and-line", rep("INFO:root:train.py:88: epoch={e} loss={a:.4f} val_loss={b:.4f}"), P(E6, A(), B()))
case("nats", rep("step {s}: train {a:.4f} nats | val {b:.4f} nats"), P(H, A(), B(), "step"))
case("loss-nats", rep("step {s}: train loss {a:.4f} nats, val loss {b:.4f} nats"), P(H, A(), B(), "step"))
case(
    "plus-minus-table",
    "| epoch | train loss | val loss |\n|---|---|---|\n" + rep("| {e} | {a:.4f} ± 0.0123 | {b:.4f} ± 0.0234 |"),
    P(E6, A(), B()),
    ".md",
)
case("plus-minus-line", rep("epoch {e} loss={a:.4f}±0.0123 val_loss={b:.4f}±0.0234"), P(E6, A(), B()))


def arrows():
    out = ""
    p = (3.0, 2.9)
    for e in E6:
        out += f"epoch {e}: train loss {p[0]:.4f} → {a(e):.4f} | val loss {p[1]:.4f} → {b(e):.4f}\n"
        p = (a(e), b(e))
    return out


case("arrow-before-after", arrows(), P(E6, A(), B()))
case("side-behind-paren", rep("Epoch {e} | Loss: {a:.4f} (train) | {b:.4f} (val)"), P(E6, A(), B()))
case("value-first", rep("epoch {e}: {a:.4f} train loss, {b:.4f} val loss"), P(E6, A(), B()))
case("best-in-paren", rep("epoch {e} train_loss {a:.4f} (best 0.8333) val_loss {b:.4f} (best 0.9500)"), P(E6, A(), B()))
case("tloss-vloss", rep("Epoch {e:2d}  tloss: {a:.4f}  vloss: {b:.4f}  vacc: 0.71"), P(E6, A(), B()))
case("l-train", rep("iter {s}: L_train = {a:.5f}, L_val = {b:.5f}"), P(H, A(), B(), "step"))
case("continued-line", rep("Epoch {e}/6:  train_loss {a:.4f}", "             valid_loss {b:.4f}"), P(E6, A(), B()))
case("swedish", rep("Epok {e}: träningsförlust {a:.4f}, valideringsförlust {b:.4f}"), P(E6, A(), B()))
case("czech", rep("Epocha {e}/6 - trénovací ztráta: {a:.4f}, validační ztráta: {b:.4f}"), P(E6, A(), B()))
case("ukrainian", rep("Епоха {e}: втрати на навчанні {a:.4f}, втрати на валідації {b:.4f}"), P(E6, A(), B()))
case("vietnamese", rep("Epoch {e}/6 - Mất mát huấn luyện: {a:.4f} - Mất mát kiểm định: {b:.4f}"), P(E6, A(), B()))
case(
    "portuguese-plain",
    rep("Época {e}/6 - Perda treino: {a:.4f} - Perda validação: {b:.4f} - Acurácia: 0.71"),
    P(E6, A(), B()),
)
case("chinese-traditional", rep("第 {e} 個週期 訓練損失 {a:.4f} 驗證損失 {b:.4f}"), P(E6, A(), B()))
case("chinese-error", rep("迭代 {s}: 训练误差 {a:.4f}, 测试误差 {b:.4f}"), P(H, A(), B(), "step"))
case("japanese-data-loss", rep("[epoch:{e}] 訓練データの損失={a:.4f}, テストデータの損失={b:.4f}"), P(E6, A(), B()))
case(
    "luz",
    rep("Epoch {e}/6", "Train metrics: Loss: {a:.4f} - Acc: 0.5123", "Valid metrics: Loss: {b:.4f} - Acc: 0.6123"),
    P(E6, A(), B()),
)
case(
    "flux-namedtuple",
    rep("(epoch = {e}, train = (loss = {a:.4f}f0, acc = 50.1), test = (loss = {b:.4f}f0, acc = 60.1))"),
    P(E6, A(), B()),
)
case(
    "matlab-nntool",
    rep("Epoch {k}/1000, Time 0.012, Performance {a:.4f}/0, Gradient 1.234/1e-05, Validation Checks 0/6"),
    R(),
)
case(
    "djl",
    "".join(
        f"Training:    100% |████████████████████████████████████████| Accuracy: 0.51, SoftmaxCrossEntropyLoss: {a(e):.2f}\nValidating:  100% |████████████████████████████████████████|\n[INFO ] - Epoch {e} finished.\n[INFO ] - Train: Accuracy: 0.51, SoftmaxCrossEntropyLoss: {a(e):.2f}\n[INFO ] - Validate: Accuracy: 0.60, SoftmaxCrossEntropyLoss: {b(e):.2f}\n"
        for e in E6
    ),
    P(E6, [round(x, 2) for x in A()], [round(x, 2) for x in B()]),
)
case("wapiti", rep("  [{e:4d}] obj=12345.67    act=1234     err= 2.50%/20.10% time=0.51s/0.51s"), R())
case(
    "parlai",
    rep(
        "10:00:0{e} | time:30s total_exs:{s}0 total_steps:{s} epochs:{e}.00",
        "    clip  ctpb  exps  exs  gnorm  gpu_mem  loss   lr   ppl  token_acc  total_train_updates   tpb",
        "       1   312   123 3200   1.51     .312 {a:.3f} 1e-05 9.121       .412                  {s}   512",
        "",
        "10:00:0{e} | valid:",
        "    accuracy  bleu-4   exs   f1  gpu_mem  loss   lr   ppl  token_acc  total_train_updates   tpb",
        "           0    .012  7801 .121     .312 {b:.3f} 1e-05 8.121       .431                  {s}   512",
        "",
    ),
    P(H, A(), B(), "step", errors=("log/perplexity",)),
)
case(
    "ppo",
    rep("iteration {e} | policy_loss 0.1234 | value_loss {a:.4f} | entropy 0.69 | mean_reward 10.12"),
    R("no validation loss"),
)
case(
    "alphazero",
    "".join(
        f"Training Net |{'#' * e}| ({e}/6) Data: 0.012s | Batch: 0.112s | Total: 0:00:01 | ETA: 0:00:05 | Loss_pi: {a(e):.3e} | Loss_v: {b(e):.3e}\r"
        for e in E6
    )
    + "\n",
    R("no validation loss"),
)
case(
    "bubbliiiing",
    "".join(
        "Start Train\n"
        + "".join(
            f"\rEpoch {e}/6: {p:3d}%|██████    | {p}/100 [00:50<00:00,  2.01it/s, lr=0.001, total_loss={a(e) + (100 - p) / 1000:.3f}]"
            for p in (10, 50, 100)
        )
        + "\nFinish Train\nStart Validation\n"
        + "".join(
            f"\rEpoch {e}/6: {p:3d}%|██████    | {p // 10}/10 [00:05<00:00,  2.01it/s, val_loss={b(e) + (100 - p) / 1000:.3f}]"
            for p in (10, 50, 100)
        )
        + f"\nFinish Validation\nEpoch:{e}/6\nTotal Loss: {a(e):.3f} || Val Loss: {b(e):.3f} \n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "paddleocr",
    rep(
        "[2022/01/01 10:00:00] ppocr INFO: epoch: [{e}/500], global_step: {s}, lr: 0.001000, acc: 0.012345, norm_edit_dis: 0.1234, loss: {a:.6f}, avg_reader_cost: 0.12345 s, avg_batch_cost: 0.51234 s, avg_samples: 64.0, ips: 124.12 samples/s, eta: 1:00:00",
        "[2022/01/01 10:01:00] ppocr INFO: cur metric, acc: 0.512, norm_edit_dis: 0.712, fps: 300.12",
        "[2022/01/01 10:01:00] ppocr INFO: best metric, acc: 0.512, start_epoch: 1, norm_edit_dis: 0.712, fps: 300.12, best_epoch: {e}",
    ),
    R("no validation loss"),
)
case(
    "paddleclas",
    "".join(
        f"[2022/01/01 10:00:00] ppcls INFO: [Train][Epoch {e}/120][Iter: 0/100]lr(LinearWarmup): 0.01000000, top1: 0.10000, CELoss: {a(e) + 0.1:.5f}, loss: {a(e) + 0.1:.5f}, batch_cost: 0.51234s, reader_cost: 0.1, ips: 124.1 samples/s, eta: 1:00:00\n[2022/01/01 10:01:00] ppcls INFO: [Train][Epoch {e}/120][Avg]top1: 0.10000, CELoss: {a(e):.5f}, loss: {a(e):.5f}\n[2022/01/01 10:01:10] ppcls INFO: [Eval][Epoch {e}][Iter: 0/10]CELoss: {b(e) + 0.1:.5f}, loss: {b(e) + 0.1:.5f}, top1: 0.1, batch_cost: 0.51234s\n[2022/01/01 10:01:20] ppcls INFO: [Eval][Epoch {e}][Avg]CELoss: {b(e):.5f}, loss: {b(e):.5f}, top1: 0.12000, top5: 0.3\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "kaldi-nnet1",
    "CROSSVAL PRERUN AVG.LOSS 3.1234 (Xent), \n"
    + rep(
        "ITERATION {e:02d}: TRAIN AVG.LOSS {a:.4f}, (lrate0.008), CROSSVAL AVG.LOSS {b:.4f}, nnet accepted (nnet_dbn_dnn_iter{e:02d}_learnrate0.008_tr{a:.4f}_cv{b:.4f})"
    ),
    P(E6, A(), B(), "step"),
)
case(
    "wav2letter",
    rep(
        "epoch:        {e} | nupdates:         {s} | lr: 0.100000 | lrcriterion: 0.000000 | scale-factor: 4.000000 | runtime: 00:10:00 | bch(ms): 512.12 | smp(ms): 0.12 | fwd(ms): 120.1 | crit-fwd(ms): 10.1 | bwd(ms): 300.1 | optim(ms): 30.1 | loss:    {a:.5f} | train-LER: 50.12 | train-WER: 70.12 | dev-clean-loss:    {b:.5f} | dev-clean-LER: 40.12 | dev-clean-WER: 60.12 | avg-isz: 1234 | avg-tsz: 123"
    ),
    P(E6, A(), B(), says=("names the two differently",)),
)
case(
    "deepspeech",
    rep(
        "Epoch {k} |   Training | Elapsed Time: 0:10:00 | Steps: 100 | Loss: {a:.6f}",
        "Epoch {k} | Validation | Elapsed Time: 0:01:00 | Steps: 10 | Loss: {b:.6f} | Dataset: clips/dev.csv",
    ),
    P(K, A(), B()),
)
case(
    "demucs",
    rep(
        "[2022-01-01 10:00:00,123][demucs.solver][INFO] - Train | Epoch {e} | 100/400 | 2.1 it/sec | Loss {x:.4f}",
        "[2022-01-01 10:01:00,123][demucs.solver][INFO] - Train Summary | Epoch {e} | Loss {a:.4f}",
        "[2022-01-01 10:01:10,123][demucs.solver][INFO] - Cross validation...",
        "[2022-01-01 10:01:20,123][demucs.solver][INFO] - Valid Summary | Epoch {e} | Loss {b:.4f} | Nsdr 3.123",
        x=lambda e: a(e) + 0.01,
    ),
    P(E6, near(0.011), B()),
)
case(
    "hf-all-results",
    json.dumps(
        {
            "epoch": 3.0,
            "eval_loss": 0.3123,
            "eval_runtime": 12.3,
            "train_loss": 0.9512,
            "train_runtime": 123.4,
            "train_samples_per_second": 12.1,
            "train_steps_per_second": 1.2,
        },
        indent=4,
    ),
    R("only validation losses"),
    ".json",
)
case(
    "three-processes-text",
    rep(
        "(Worker pid=1234, ip=10.0.0.1) epoch {e} train_loss {a:.4f} val_loss {b:.4f}",
        "(Worker pid=1235, ip=10.0.0.2) epoch {e} train_loss {x:.4f} val_loss {y:.4f}",
        x=lambda e: a(e) + 0.01,
        y=lambda e: b(e) + 0.01,
    ),
    P(E6, near(0.0101), None),
)

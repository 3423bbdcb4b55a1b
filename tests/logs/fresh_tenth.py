# ruff: noqa: E501, F403, F405, RUF001
"""Logs in forms that nobody here had seen (tenth round): the right reading was written down before the reader was run."""

from fresh_forms import *

TENS = [10 * k for k in K]

case(
    "e10-01",
    rep(
        "10/21/2020 04:07:09-Train Epoch {e} | Step {x} | Loss {c:.3f} | Acc 38.48%",
        "10/21/2020 04:07:10-Train Epoch {e} | Step {s} | Loss {a:.3f} | Acc 40.48%",
        "10/21/2020 04:07:10-Evaluation DEV",
        "10/21/2020 04:10:50-Epoch {e} DEV Loss {b:.3f} Acc 33.90% WER 25.1 | 400 15057 | 78.6 16.0 5.4 3.7 25.1 99.8 | -0.129 | /opt/kaldi/egs/timit/decode_dev/score_5/ctm_39phn.filt.sys",
        "10/21/2020 04:10:50-Evaluation TEST",
        "10/21/2020 04:12:36-Epoch {e} TEST Loss {d:.3f} Acc 33.37% WER 26.0 | 192 7215 | 77.6 16.5 5.9 3.6 26.0 100",
        c=lambda e: a(e) + 0.1,
        d=lambda e: b(e) + 0.02,
        x=lambda e: 100 * e - 50,
    ),
    P(H, A(), B(), "step"),
)
case(
    "e10-02",
    "  0%|          | 0/6 [00:00<?, ?it/s]\n"
    + rep("Epoch: {e} | train_loss: {a:.4f} | train_acc: 0.2578 | test_loss: {b:.4f} | test_acc: 0.2604"),
    P(E6, A(), B()),
)
case(
    "e10-03",
    "--------------\n"
    + "".join(f"loss: 0.{219204 - 9000 * k}\n" for k in range(10))
    + "train_acc: 0.781367, train_loss: 1.17369\ntest_acc: 0.7945, test_loss: 1.15192\n",
    P([12], [1.17369], [1.15192], "place"),
)
case(
    "e10-04",
    rep("Epoch: {t} | Loss: {a:.4f} | Acc: 0.34% | Test_loss: {b:.4f} | Test_acc: 0.30%", "", t=lambda e: 10 * e - 10),
    P(TENS, A(), B()),
)
case(
    "e10-05",
    "".join(
        f"\r| train_loss: {a(e):.2e} | test_loss: {b(e):.2e} | reg: 1.05e+01 | : {100 * e // 6}%|█| {e}/6 [00:05<00:00,  3.60it"
        for e in E6
    )
    + "\nsaving model version 0.1\n",
    P(E6, A(), B(), "step"),
)
case(
    "e10-06",
    '"""\nResults:\nsteps = 2  | train_loss: 7.61e-03 | test_loss: 7.82e-03 |\nsteps = 20 | train_loss: 1.45e-03 | test_loss: 1.47e-03 |\n"""\n',
    P([2, 20], [7.61e-3, 1.45e-3], [7.82e-3, 1.47e-3], "step"),
)
case(
    "e10-07",
    rep(
        "epoch {k}: 100%|██████████| 12500/12500 [1:48:44<00:00,  1.92it/s, loss={c:.4f}]",
        "=> train_loss: {a:.4f}, train_accuracy: 0.2730, test_loss: {b:.4f}, test_accuracy: 0.3433",
        c=lambda e: a(e) - 0.1,
    ),
    P(K, A(), B()),
)
case(
    "e10-08",
    rep(
        "Epoch {e}/6",
        "loss: {a:.4f} - accuracy: 0.8436 - val_loss: {b:.4f} - val_accuracy: 0.9254 - val_test_loss: {d:.4f} - val_test_accuracy: 0.9095",
        d=lambda e: b(e) + 0.04,
    ),
    P(E6, A(), B()),
)
case(
    "e10-09",
    rep(
        "epoch {t}, minibatch 100/100, train error 0.0{x}, validation error 1.0{e}0000 %",
        t=lambda e: 10 * e,
        x=lambda e: 14040 - 1000 * e,
    ),
    TRAINS,
)
case(
    "e10-10",
    "[2014-07-23 10:09:45,636] >> Training started\n"
    + rep("[2014-07-23 10:59:25,999] >  epoch {e}/{x}, validation error {b:.6f}", x=lambda e: 628 * e),
    R("only validation losses"),
)
case(
    "e10-11",
    "## Metric snapshot\n```text\nstep=100 train_loss=2.8 eval_loss=3.0 tokens_per_s=12000\nstep=200 train_loss=2.5 eval_loss=missing tokens_per_s=11.8 examples_per_s=320\nstep=150 train_loss=2.4 eval_loss=2.9 tokens_per_s=11900\n```\n",
    P([100, 150], [2.8, 2.4], [3.0, 2.9], "step"),
)
case(
    "e10-12",
    rep(
        "    [epoch {e}/6] loss={a:.3f}, metric=0.0, eval_loss={b:.3f}, eval_metric=0.0: 100%|██████████| 10/10 [00:32<00:00,  3.25s/step]"
    ),
    P(E6, A(), B()),
)
case(
    "e10-13",
    rep(
        "epoch: {e}, loss_train: {a:.4f}, accuracy_train: 0.9386, loss_valid: {b:.4f}, accuracy_valid: 0.9123, 181.3608sec",
        " 20%|██████████████▊                          | {e}/6 [03:01<12:05, 181.36s/it]",
    ),
    P(E6, A(), B()),
)
case(
    "e10-14",
    '"""\n実行結果\n'
    + rep("accuracy_train: 0.848388", "loss_train: {a:.6f}", "accuracy_valid: 0.919040", "loss_valid: {b:.6f}")
    + '"""\n',
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "e10-15",
    rep("epoch: {t} \t loss_train: {a:.4f} \t loss_valid: {b:.4f}", t=lambda e: 10 * e - 10),
    P(TENS, A(), B()),
)
case("e10-16", "#出力\n" + rep("# epoch: {e}, loss_train: {a:.4f}, loss_valid: {b:.4f}"), P(E6, A(), B()))
case(
    "e10-17",
    rep(
        "バッチサイズ: {x}",
        "loss_train: {a:.4f}, accuracy_train: 0.8816, loss_valid: {b:.4f}, accuracy_valid: 0.8771, 3.9090sec",
        x=lambda e: 2**e,
    ),
    P(E6, A(), B(), "place"),
)
case(
    "e10-18",
    rep("step {t:4d} | held-out loss {b:.4f} | held-out exact match 0.418", t=lambda e: 500 * e - 500),
    R("only validation losses"),
)
case(
    "e10-19",
    rep(
        "INFO:nano_llm.train:Epoch {e}/40 train_loss={a:.4f} val_loss={b:.4f} val_ppl={q:.2f} val_bpb={r:.3f} train_ce={a:.4f} val_ce={b:.4f} lr=3.00e-04",
        q=lambda e: math.exp(b(e)),
        r=lambda e: 0.8157 * b(e),
    ),
    P(E6, A(), B()),
)
case(
    "e10-20",
    rep(
        "[E0{k}] loss=+{a:.3f}  UKR=+0.985  MKR=+2.120  CLS_ret=+1.365  DSL_ret=+0.5112  DSL_frg=+0.0000  IHL_frg=+1.0391  | val_CE={b:.4f}"
    ),
    P(K, A(), B()),
)
case(
    "e10-21",
    "Total params: 3,488,586\nTrainable params: 3,486,666\n\nLog-loss training: 0.406463\nLog-loss validation: 0.458626\nAccuracy training: 0.86962\nAccuracy validation: 0.8547\n",
    P([2], [0.406463], [0.458626], "place"),
)
case(
    "e10-22",
    "The values obtained at the end of the learning:\n- Loss: 0.0638\n- Loss validation: 0.1165 \n- Accuracy: 0.9932\n- Accuracy validation: 0.9773\n",
    P([2], [0.0638], [0.1165], "place"),
)
case(
    "e10-23",
    rep(
        "------------Epoch: {k} ----------------",
        "Epoch: {k}, Average training loss: {a:.4f}",
        "Accuracy: 0.7768",
        "Average testing loss: {b:.4f}",
        "-------------------------------",
        "Model saved to ./app/models/bert-finetuned-epoch{k}",
        "🎉 新的最佳模型保存，准确率: 0.7768",
    ),
    P(K, A(), B()),
)
case(
    "e10-24",
    "   begin training:  --------------\n"
    + rep("   epoch:  {e}, training loss: {a:8.6g}, accuracy: 0.849, testing loss: {b:.6f}, accuracy: 0.8854"),
    P(E6, A(), B()),
)
case(
    "e10-25",
    "we have all ready looped for 10 times, it's actually 1010 times!\n\n```\n"
    + rep("Epoch: {k} | Training loss: {a:.3f} | Testing loss: {b:.3f}")
    + "....\n```\n",
    P(K, A(), B()),
)
case("e10-26", "### BERT\n```\n" + rep("it: 90{e}0  | loss {a:.2f}  | Δw: 11.509") + "```\n", TRAINS)
case("e10-27", "[2014-07-23 09:57:07,230] PFileDataset@testdata.pfile,1: errors = 0.997874, cost = 6.115892\n", R())
case(
    "e10-28",
    "<details><summary>👉 Reveal the result</summary>\n\n```\ntrain loss 2.1224 | dev loss 2.1488\n```\n\nBelow the trigram, and it generalizes.\n</details>\n",
    P([1], [2.1224], [2.1488], "place"),
)
case(
    "e10-29",
    "**Attention RNN:**\n\n| Metric | Value |\n|---|---|\n| Epochs trained | 8 |\n| Early stopping triggered at epoch | Not triggered |\n| Final training loss | 2.2142 |\n| Final dev loss | 2.2514 |\n",
    P([2], [2.2142], [2.2514], "place"),
)

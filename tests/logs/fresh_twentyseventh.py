# ruff: noqa: E501, F403, F405
"""Logs as people quote their output in notes, reports and issues (twenty-seventh round): the right reading was written down before the reader was run."""

from fresh_forms import *

TAKEN = ("taken for losses",)
EVEN = range(2, 13, 2)


case(
    "e27-01",
    rep(
        "  [{e}][150/162] loss={c:.4f} (hm=4.440 sz=0.000)",
        "  [{e}][160/162] loss={d:.4f} (hm=3.358 sz=0.000)",
        "Epoch   {e}/6 | train: {a:.4f} | val: {b:.4f} | lr: 1.31e-04 | time: 645.4s",
        "  → Saved checkpoint: checkpoints/fusion_best.pth",
        c=lambda e: a(e) + 0.1,
        d=lambda e: a(e) - 0.1,
    ),
    P(E6, None, B(), "step"),
)
case(
    "e27-02",
    rep("Epoch [ {e}/6] Train: {a:.4f} / 18.34% | Val: {b:.4f} / 28.48% | Top-5: 60.04% | LR: 0.001"),
    P(E6, A(), B(), says=TAKEN),
)
case(
    "e27-03",
    rep(
        "Epoch {e}/6 [Train]: 100%|████████| 19/19 [01:23<00:00, loss: {a:.4f}]",
        "Epoch {e}/6 [Val]: 100%|████████| 5/5 [00:15<00:00, loss: {b:.4f}]",
        "[Epoch {e}/6] Train: {a:.4f} | Val: {b:.4f} | LR: 1.00e-04",
        "  ✅ New best val loss: {b:.4f} → Saving checkpoint...",
    ),
    P(E6, A(), B()),
)
case(
    "e27-04",
    rep(
        "16:13:27 📈 Epoch Progress ➡️",
        "    Train: {a:.4f} | Val: {b:.4f} | Acc: 0.2014",
        "16:13:27 🌱 Seed seed1_1: unknown → dormant",
    ),
    P(E6, A(), B(), "place", says=TAKEN),
)
case(
    "e27-05",
    rep(
        "Epoch  {e}/6  | Train: {a:.3f} (H:0.234 C:0.512)  | Val: {b:.3f} (H:0.234 Co:0.512 Cf:0.182 N:0.091)  | Acc:78.5% XYZ: 28.42mm  | LR: 1.00e-03  |  45.2s"
    ),
    P(E6, A(), B(), says=TAKEN),
)
case(
    "e27-07",
    '```{.json .output n=5}\n[\n {\n  "name": "stdout",\n  "output_type": "stream",\n  "text": "'
    + "\\n".join(f"Epoch {e - 1}. Train loss: {a(e):.6f}, Valid loss {b(e):.6f}, Time 00:00:29, lr 0.01" for e in E6)
    + '\\n"\n }\n]\n```\n',
    P(K, A(), B()),
)
case(
    "e27-08",
    "# Current results:\n# * test loss 1.284 (loss0=1.359, loss1=1.107)\n# * valid loss 1.291 (loss0=1.427, loss1=0.971)\n# * train loss 1.156\n",
    P([3], [1.156], [1.291], "place"),
)
case(
    "e27-10",
    rep(
        "Epoch {e} Train Loss {a:.4f} Train Metric {{'NSE of streamflow': [-680.5365600585938, nan, -62.341819763183594]}}",
        "Epoch {e} Valid Loss {b:.4f} Valid Metric {{'NSE of streamflow': [-580.5365600585938, nan, -52.341819763183594]}}",
    ),
    P(E6, A(), B()),
)
case(
    "e27-11",
    rep(
        "2020-02-06 17:42:40,828 - __main__ - INFO - Epoch {k}, train loss {a:.5f}, train acc 0.7912",
        "2020-02-06 17:43:40,828 - __main__ - INFO - Epoch {k}, valid loss {b:.5f}, valid acc 0.7712",
    ),
    P(K, A(), B()),
)
case(
    "e27-12",
    rep("Epoch {e}: Train Loss {a:.3f}, Train Acc 0.530, Valid Loss {b:.3f}, Valid Acc 0.616"),
    P(E6, A(), B()),
)
case("e27-14", rep("    [ Info: Train Loss: {a:.7f}, Val Loss: {b:.7f}, Val Acc: 0.8125"), P(E6, A(), B(), "place"))
case(
    "e27-15",
    "- Best val_f1: 0.4101 at epoch 31 (vs parent 0.404 at epoch 51)\n- Training epochs: 51 (vs parent 67)\n- Train loss: 0.406 → 0.038\n- Val loss: 0.430 → 1.03 (increased throughout training)\n",
    P([51], [0.038], [1.03]),
)
case(
    "e27-16",
    rep(
        "Epoch {e}/6",
        "   Train: 100%|████████| 500/500 [02:15<00:00]",
        "   > Train Loss: {a:.3f} | Weighted Train Acc: 0.712 | Learning Rate: 0.000020",
        "   Valid: 100%|████████| 62/62 [00:23<00:00]",
        "   > Val Loss: {b:.3f} | Weighted Val Acc: 0.781 | Per-class: (0.79 KO | 0.77 WT)",
    ),
    P(E6, A(), B()),
)
case(
    "e27-17",
    rep("    # Epoch [{e}/100] Train Loss: {a:.4f} | Train Acc: 0.7946 || Val Loss: {b:.4f} | Val Acc: 0.8571"),
    P(E6, A(), B()),
)
case("e27-19", rep("step {s} | train_loss {a:.4f} | test_loss {b:.4f} | step time 12.70ms"), P(H, A(), B(), "step"))
case(
    "e27-20",
    "Learning rate decay after: 30000\nTraining iterations: 65000\n" + rep("Dev loss {b:.3f}, train loss {a:.3f}"),
    P(E6, A(), B(), "place"),
)
case(
    "e27-22",
    rep("split loss: train_ce={a:.6f} eval_ce={b:.6f} gap_eval_minus_train=+0.123456"),
    P(E6, A(), B(), "place"),
)
case(
    "e27-23",
    rep("[epoch {e}]  train_ce={a:.4f}  train_fb=0.1234  eval_ce={b:.4f}  eval_fb=0.1134  (12s)"),
    P(E6, A(), B()),
)
case(
    "e27-24",
    rep(
        "EPOCH {e} train_running_ce={c:.4f} train_eval_ce={a:.4f} val_ce={b:.4f} val_ppl={q:.3f} val_bpc={d:.4f}",
        c=lambda e: a(e) + 0.1,
        q=ex(b),
        d=lambda e: b(e) / math.log(2),
    ),
    P(E6, None, B()),
)
case(
    "e27-25",
    rep(
        "[MHA] ep={e}  train_CE={a:.3f}",
        "[MHA]        eval_CE={b:.3f}  acc=0.512  95%CI=[0.412,0.612]  PPL={q:.1f}  baseline_PPL=512",
        q=ex(b),
    ),
    P(E6, A(), B()),
)
case(
    "e27-26",
    rep("Step {s}: train_KL=0.5123, eval_KL=0.4123, train_CE={a:.4f}, eval_CE={b:.4f}"),
    P(H, A(), B(), "step"),
)
case(
    "e27-28",
    "| Modele | Val loss | Train loss | Checkpoint | Statut |\n|--------|----------|------------|------------|--------|\n| Mistral Large 123B LoRA | 0.479 | — | iter 1100 | Termine |\n| Qwen 35B | 0.512 | 0.43 | iter 900 | Termine |\n| Devstral 24B | 0.533 | 0.41 | iter 700 | En cours |\n",
    R(),
)
case(
    "e27-29",
    "| Config | Val Loss | Train Loss | KL Loss | CE Loss | Winner? |\n|--------|----------|------------|---------|---------|---------|\n| L1 (End only) | 0.000672* | 0.00052 | 0.1 | - | no |\n| L2 (All) | 0.000612 | 0.00050 | 0.1 | - | yes |\n| L3 (None) | 0.000712 | 0.00051 | 0.1 | - | no |\n",
    R(),
)
case(
    "e27-30",
    rep(
        "📈 Epoch {e}/6",
        "   Train Loss: {a:.4f}, Train F1: 0.8234",
        "   Val Loss: {b:.4f}, Val F1: 0.7856",
        "   💾 Saved best model (F1: 0.7856)",
        "",
    ),
    P(E6, A(), B()),
)
case(
    "e27-31",
    "Expected output during training:\n"
    + rep("  Epoch  {e}/30 | Train: {a:.4f} | Val: {b:.4f} | LR: 1e-4")
    + "  ...\n  Early stopping at epoch 17\n",
    P(E6, A(), B(), says=TAKEN),
)
case(
    "e27-32",
    rep(
        " {x}%|▌         | {e}/6 [00:01<00:19,  1.02s/it]epoch {e} train_loss {a:.4f} val_loss {b:.4f}",
        x=lambda e: 100 * e // 6,
    ),
    P(E6, A(), B()),
)
case(
    "e27-33",
    rep(
        "===== Epoch {e} =====",
        "Training loss: {a:.4f} (ema {c:.4f})",
        "Validation loss: {b:.4f} (prev best {d:.4f}), patience 0/10",
        c=lambda e: a(e) + 0.1,
        d=lambda e: b(e) + 0.2,
    ),
    P(E6, A(), B()),
)
case("e27-34", rep("loss={a:.4f}|val_loss={b:.4f}|epoch={e}|"), P(E6, A(), B()))
case("e27-35", rep("epoch,{e},train,{a:.4f}", "epoch,{e},val,{b:.4f}"), R())
case("e27-36", rep("E{e} T{a:.4f} V{b:.4f}"), R())
case("e27-38", rep("Loss(train): {a:.4f}, Loss(valid): {b:.4f}, epoch {e}"), P(E6, A(), B()))
case(
    "e27-39",
    rep("train: {a:.4f} (ce 0.4000 + kl 0.1000), valid: {b:.4f} (ce 0.3000 + kl 0.2000) @ epoch {e}"),
    P(E6, A(), B(), says=TAKEN),
)
case(
    "e27-40",
    rep("Epoch {e}: Loss [train: {a:.4f}, validation: {b:.4f}] Accuracy [train: 0.5120, validation: 0.4910]"),
    P(E6, A(), B()),
)
case("e27-41", rep("val/train loss at step {s} = {b:.4f}/{a:.4f}"), P(H, A(), B(), "step"))
case(
    "e27-42",
    rep("Epoch {e} - losses (train/valid/test): {a:.4f} / {b:.4f} / {c:.4f}", c=lambda e: b(e) + 0.2),
    P(E6, A(), B()),
)
case("e27-43", rep("iter {s} - loss: {a:.4f} ({c:.4f})", c=lambda e: a(e) + 0.1), R("no validation loss"))
case("e27-44", rep("mean train loss: {a:.4f} ± 0.1234; mean val loss: {b:.4f} ± 0.2134 (epoch {e})"), P(E6, A(), B()))
case("e27-45", rep("Ep {e}: {a:.4f} → {b:.4f}"), R())
case(
    "e27-46",
    rep(
        "Epoch {e}: training loss decreased {c:.4f} → {a:.4f}; validation loss decreased {d:.4f} → {b:.4f}",
        c=lambda e: a(e) + 0.3,
        d=lambda e: b(e) + 0.2,
    ),
    P(E6, A(), B()),
)

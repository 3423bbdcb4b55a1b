# ruff: noqa: E501, F403, F405, RUF001
"""Logs found by pieces of their lines, behind what collects logs, and in further languages (twenty-fifth round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")


case(
    "e25-01",
    rep("DEBUG:root:Loss on train set: {a}", "DEBUG:root:Loss on test set: {b}"),
    P(range(2, 13, 2), A(), B(), "place", says=("test",)),
)
case(
    "e25-02",
    "% Results:\n% grey:\n% Average loss on test set: 92.0000\n% Zero/one-error on test set: 92.00% (20 correct, 230 incorrect, 250 total)\n% color:\n% Average loss on test set: 41.0000\n% Zero/one-error on test set: 41.00% (147 correct, 103 incorrect, 250 total)\n",
    VALS,
)
case(
    "e25-03",
    rep(
        "INFO:absl:[EVAL] loss: (train={a:.6f}, val={b:.6f}, test={c:.6f}, l2=0.012345), acc: (train=0.512, val=0.491, test=0.481), proc=1.234sec",
        c=lambda e: b(e) + 0.2,
    ),
    P(E6, A(), B(), "place"),
)
case("e25-04", rep("[TRAIN] step={s} loss={a:.4f} lr=1.00e-04", "[EVAL] loss = {b:.4f}"), P(H, A(), B(), "step"))
case(
    "e25-05",
    rep("Epoch {e} | Train Loss {a:.4f} | 12.1s", "[Eval] Loss={b:.4f}, BLEU=12.1234, CER=0.4123, WER=0.5123"),
    P(E6, A(), B()),
)
case(
    "e25-06",
    rep(
        "Train loss {e}: {a:.5f} (NLL: {c:.4f}, MSE: 0.10000)",
        "Val loss {e}: {b:.5f} (NLL: {d:.4f}, MSE: 0.10000)",
        c=lambda e: a(e) - 0.1,
        d=lambda e: b(e) - 0.1,
    ),
    P(E6, A(), B(), "step"),
)
case(
    "e25-07",
    rep(
        "[TRAIN] loss {a:.4f} | train_value_loss {c:.4f}",
        "[EVAL] loss {b:.4f} | eval_value_loss {d:.4f}",
        c=lambda e: a(e) / 2,
        d=lambda e: b(e) / 2,
    ),
    P(range(2, 13, 2), A(), B(), "place"),
)
case("e25-08", rep("Episode {e}/6, loss_V: {a}, loss_policy: 1.1234, mean ep_rew: 12.1, std: 2.3"), TRAINS)
case("e25-10", rep("{e} epoch Train Loss: {a}", "{e} epoch Validate Loss: {b}"), P(E6, A(), B()))
case(
    "e25-12",
    rep(
        "Epoch {e} of 6",
        "- Training loss: {a:.5f}",
        "- Training accuracy: 0.51200",
        "- Validate loss: {b:.5f}",
        "- Validate accuracy: 0.49100",
    ),
    P(E6, A(), B()),
)
case(
    "e25-13",
    "Initial validate loss: 3.1234\n" + rep("Epoch {e}: loss {a:.4f}, validate loss {b:.4f}, 12s"),
    P(E6, A(), B()),
)
case("e25-14", rep("Epoch {e:03d} | Train RMSE: {a:.4f} | Val RMSE: {b:.4f}"), P(E6, A(), B()))
case(
    "e25-15",
    rep(
        "Step {s:5d}/600 ({pc:5.1f}%) | Train NLL: {a:.4f} | Train Acc: 0.5120",
        "Step {s:5d}/600 ({pc:5.1f}%) | Eval NLL: {b:.4f} | Eval Acc: 0.4910",
    ),
    P(H, A(), B(), "step"),
)
case("e25-17", rep("Epoch {e}/6", "  Train Loss: {a:.4f}", "  Val RMSE: {b:.4f}, Pearson: 0.5123"), R("one kind"))
case("e25-18", rep("epoch {k}, train loss is {a:.4f}, val mse is {b:.4f}"), R("one kind"))
case(
    "e25-19",
    rep(
        "",
        "Epoch {e}",
        "        Training loss is {a:.4f}, Validation loss is {b:.4f},",
        "        Mean Training Dice is 51.20%, Mean Validation Dice is 49.10%,",
        "        Time: 12.12s",
    ),
    P(E6, A(), B()),
)
case(
    "e25-20",
    rep("[{e} / 6] epoch/s, training loss is {a:.4f} validation loss is {b:.4f}, validation accuracy is 0.4910 "),
    P(E6, A(), B(), "step"),
)
case(
    "e25-21",
    rep("epoch {e}", "    perplexity on train set: {p:.4f}", "    perplexity on dev set: {q:.4f}", p=ex(a), q=ex(b)),
    P(E6, A(), B()),
)
case("e25-23", rep('{{"epoch": {e}, "losses": {{"train": [{a}], "val": [{b}]}}}}'), P(E6, A(), B()), ".jsonl")
case(
    "e25-24",
    rep("---", "epoch: {e}", "train:", "  loss: {a}", "  acc: 0.512", "val:", "  loss: {b}", "  acc: 0.491"),
    P(E6, A(), B()),
    ".yaml",
)
case("e25-25", rep("[epoch {e}]", "train_loss = {a}", "val_loss = {b}", ""), P(E6, A(), B()))
case("e25-26", rep("Iteration   {s} | Cost: {a:4.6e}"), TRAINS)
case(
    "e25-28",
    "# TYPE train_loss gauge\n" + rep('train_loss{{epoch="{e}"}} {a}', 'val_loss{{epoch="{e}"}} {b}'),
    P(E6, A(), B()),
)
case("e25-29", rep("training,run=a train_loss={a},val_loss={b},epoch={e}i 171455760000{e}"), P(E6, A(), B(), "place"))
case(
    "e25-30",
    rep("May 01 10:00:0{e} host python[1234]: epoch {e} train {a:.4f} val {b:.4f}"),
    P(E6, A(), B(), says=("taken for losses",)),
)
case(
    "e25-31",
    rep(
        "pod/train-0/main 2024-05-01T10:00:0{e}Z epoch={e} split=train loss={a}",
        "pod/train-0/main 2024-05-01T10:01:0{e}Z epoch={e} split=val loss={b}",
    ),
    P(E6, A(), B()),
)
case("e25-32", rep("2024-05-01T10:00:0{e}.1234567Z Epoch {e}: loss {a:.4f}, val loss {b:.4f}"), P(E6, A(), B()))
case("e25-33", rep("🟦 train {a:.4f}  🟧 val {b:.4f}  (epoch {e})"), P(E6, A(), B(), says=("taken for losses",)))
case("e25-34", rep("ep{e}: L={a:.4f} Lv={b:.4f}"), R())
case("e25-35", rep("Generation {e}: train fitness 0.512{e} test fitness 0.491{e}"), R())
case(
    "e25-36",
    rep("Epoch {e}", "          train     val", "loss     {a:.4f}  {b:.4f}", "acc      0.5120  0.4910", ""),
    P(E6, A(), B()),
)
case("e25-38", rep("Epoke {e}/6: træningstab {a:.4f}, valideringstab {b:.4f}"), P(E6, A(), B()))
case("e25-39", rep("Epookki {e}: koulutushäviö {a:.4f}, validointihäviö {b:.4f}"), P(E6, A(), B()))
case("e25-40", rep("Època {e}: pèrdua d'entrenament {a:.4f}, pèrdua de validació {b:.4f}"), P(E6, A(), B()))
case("e25-41", rep("Epoha {e}: gubitak treninga {a:.4f}, gubitak validacije {b:.4f}"), P(E6, A(), B()))
case("e25-42", rep("Епоха {e}: загуба при обучение {a:.4f}, загуба при валидация {b:.4f}"), P(E6, A(), B()))
case("e25-43", rep("第 {e} 輪：訓練損失 {a:.4f}，驗證損失 {b:.4f}"), P(E6, A(), B()))
case("e25-44", rep("Epoch {e} complete! Training loss = {a:.4f} | Hold-out loss = {b:.4f} (n=1000)"), P(E6, A(), B()))
case("e25-45", rep("loss/train@{s}: {a:.4f}", "loss/val@{s}: {b:.4f}"), P(H, A(), B(), "step"))

# ruff: noqa: E501, F403, F405
"""Logs as people paste them, in forms of loops of their own (twenty-first round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")

case(
    "e21-01",
    "Hi all, my model does not learn, here is the output:\n\n"
    + rep("Epoch {e}/6, Loss: {a:.4f}, Acc: 51.20%", "Val Loss: {b:.4f}, Val Acc: 49.10%", "")
    + "\nWhat should I do? The loss was 0.3 in the paper.\n",
    P(E6, A(), B()),
)
case("e21-02", rep("{e}\t{a:.4f}\t{b:.4f}").join(["ep\ttr_loss\tva_loss\n", ""]), P(E6, A(), B()))
case(
    "e21-03",
    rep("Iteration {s}: train loss {a:.4f} (ema {c:.4f}), test loss {b:.4f}, best {b:.4f}", c=lambda e: a(e) + 0.1),
    P(H, A(), B(), "step"),
)
case("e21-04", rep("[{e}/6][{s}/600] Loss_D: 1.2 Loss_G: {a:.4f} D(x): 0.51 D(G(z)): 0.31 / 0.21"), TRAINS)
case(
    "e21-05",
    rep("[Train] epoch {e}: total={a:.4f} rec=1.2 kl=0.3", "[Valid] epoch {e}: total={b:.4f} rec=1.3 kl=0.4"),
    R(),
)
case(
    "e21-06",
    rep(
        "[Train] epoch {e}: total_loss={a:.4f} rec_loss=1.2 kl_loss=0.3",
        "[Valid] epoch {e}: total_loss={b:.4f} rec_loss=1.3 kl_loss=0.4",
    ),
    P(E6, A(), B()),
)
case(
    "e21-07",
    rep(
        "Epoch={e} Train: loss={a:.4f} f1=0.51 Dev: loss={b:.4f} f1=0.49 Test: loss={c:.4f} f1=0.48",
        c=lambda e: b(e) + 0.1,
    ),
    P(E6, A(), B()),
)
case("e21-08", rep("EPOCH {e}", "\tTRAIN_LOSS = {a:.6f}", "\tVALID_LOSS = {b:.6f}", "\tTIME = 12.3"), P(E6, A(), B()))
case("e21-09", rep("After epoch {e}: loss on train set is {a:.4f}, loss on dev set is {b:.4f}"), P(E6, A(), B()))
case("e21-10", rep("epoch {e}: avg. train loss per token: {a:.4f}, avg. dev loss per token: {b:.4f}"), P(E6, A(), B()))
case(
    "e21-11",
    rep(
        "global_step={s}, tr_loss={a:.4f}",
        "***** Eval results {s} *****",
        "  eval_loss = {b}",
        "  perplexity = {q}",
        q=lambda e: math.exp(b(e)),
    ),
    P(H, A(), B(), "step"),
)
case(
    "e21-12",
    rep(
        "05/01/2024 10:00:00 - INFO - root -   ***** Running evaluation *****",
        "05/01/2024 10:00:10 - INFO - root -     global_step = {s}",
        "05/01/2024 10:00:10 - INFO - root -     loss = {a:.6f}",
        "05/01/2024 10:00:10 - INFO - root -     eval_loss = {b:.6f}",
    ),
    P(H, A(), B(), "step"),
)
case(
    "e21-13",
    "Epoch   Train loss   Val loss   Train acc   Val acc\n"
    + "-" * 50
    + "\n"
    + rep("  {e}      {a:.4f}       {b:.4f}      51.2%       49.1%"),
    P(E6, A(), B()),
)
case(
    "e21-14",
    rep(
        "Epoch {e}: 100%|██████████| 50/50 [00:05<00:00, 9.8it/s, train_loss={a:.3f}]",
        "Validating: 100%|██████████| 10/10 [00:01<00:00, 9.8it/s]",
        "Epoch {e} - val_loss: {b:.4f} (best: 0.9500)",
    ),
    P(E6, A(), B()),
)
case(
    "e21-15",
    rep("epoch {e:3d} |{s:6d} steps | train {a:6.3f} | valid {b:6.3f} | ppl 12.1 | 31 ms/step"),
    R("does not say what the values of 'train' and 'val' are"),
)
case(
    "e21-16",
    rep(
        "TRAIN - Epoch: {e} - Loss: {a:.4f} - Metrics: {{'acc': 0.51}}",
        "VALID - Epoch: {e} - Loss: {b:.4f} - Metrics: {{'acc': 0.49}}",
    ),
    P(E6, A(), B()),
)
case("e21-17", rep("Ep. {e} (step {s}): loss {a:.3f}; val {b:.3f}; lr 3.0e-04"), P(H, None, B(), "step"))
case(
    "e21-18",
    "Fold 1\n"
    + rep("epoch {e} train_loss {a:.4f} val_loss {b:.4f}")
    + "Fold 2\n"
    + rep("epoch {e} train_loss {a:.4f} val_loss {b:.4f}")
    + "CV mean val_loss 0.9500\n",
    P(E6, A(), B(), runs=2),
)
case("e21-19", rep("Epoch: {e} | Loss: {a:.4f} | Val_Loss: {b:.4f} | LR: [0.001] | Best: True"), P(E6, A(), B()))
case(
    "e21-20",
    rep(
        "Time: 0h 1m 12s | Epoch: {e}",
        "Loss    train: {a:.4f}    valid: {b:.4f}",
        "Acc     train: 0.5120    valid: 0.4910",
    ),
    P(E6, A(), B()),
)
case(
    "e21-21",
    rep(
        "epoch: {e}",
        "  train | loss: {a:.4f}  acc: 0.512",
        "  val   | loss: {b:.4f}  acc: 0.491",
        "  test  | loss: {c:.4f}  acc: 0.481",
        c=lambda e: b(e) + 0.1,
    ),
    P(E6, A(), B()),
)
case("e21-22", rep("Epoch {e} ({s} samples/sec): {a:.4f} (train), {b:.4f} (val)"), R())
case(
    "e21-23",
    rep("INFO:root:epoch {e} iter 100 loss {a:.5f}", "INFO:root:epoch {e} eval {{'loss': {b:.5f}, 'acc': 0.49}}"),
    P(E6, A(), B()),
)
case(
    "e21-24",
    rep("Epoch[{e}] *Training*: Loss {a:.4f}\tPrec@1 51.200", "Epoch[{e}] *Validation*: Loss {b:.4f}\tPrec@1 49.100"),
    P(E6, A(), B()),
)
case(
    "e21-25",
    rep("=> epoch {e}", " * Train  Loss {a:.4f}  Acc@1 51.20", " * Val    Loss {b:.4f}  Acc@1 49.10"),
    P(E6, A(), B()),
)
case("e21-26", rep("{s} steps: train {a:.4f} nats, val {b:.4f} nats"), P(E6, A(), B(), "place"))
case("e21-27", rep("Epoch {e}; train NLL {a:.4f}; valid NLL {b:.4f}; valid acc 0.49"), P(E6, A(), B()))
case("e21-28", rep("Losses at epoch {e}: training = {a:.4f}, validation = {b:.4f}"), P(E6, A(), B()))
case(
    "e21-29", rep("step {s} | loss {a:.4f} | dt 312ms | tok/s 12345", "step {s} | val {b:.4f}"), P(H, A(), B(), "step")
)
case("e21-30", rep("{s} | {a:.4f} | {b:.4f}").join(["iter | train | val\n", ""]), R())
case("e21-31", rep("val loss after epoch {e}: {b:.4f}", "(train loss: {a:.4f})"), P(E6, A(), B()))
case(
    "e21-32",
    rep("Epoch {e:02d}", "Train      {a:.4f}", "Validation {b:.4f}"),
    P(E6, A(), B(), says=("taken for losses",)),
)
case("e21-33", rep("loss: {a:.4f}  [{e}00/600]") + "", TRAINS)
case(
    "e21-34",
    rep("Epoch {e}: Loss: tensor({a:.4f}, device='cuda:0') Val Loss: tensor({b:.4f}, device='cuda:0')"),
    P(E6, A(), B()),
)
case("e21-35", rep("Epoch {e} -- train: {a:.4f}e-00 -- val: {b:.4f}e-00 -- loss"), P(E6, A(), B()))
case("e21-36", rep("train_loss[{e}] = {a:.4f}", "val_loss[{e}] = {b:.4f}"), P(E6, A(), B(), "step"))
case(
    "e21-37",
    rep("Result epoch {e}: {{'train_loss': array({a:.4f}, dtype=float32), 'val_loss': array({b:.4f}, dtype=float32)}}"),
    P(E6, A(), B()),
)
case(
    "e21-38",
    rep(
        "Epoch {e}/6 - 3s 12ms/step - accuracy: 0.5120 - loss: {a:.4f} - val_accuracy: 0.4910 - val_loss: {b:.4f} - learning_rate: 0.0010"
    ),
    P(E6, A(), B()),
)
case(
    "e21-39",
    rep("Training loss at step {s}: {a:.4f}", "Validation loss at step {s}: {b:.4f}").replace(
        "Validation loss at step 300", "Eval skipped at step 300: loss"
    ),
    P([100, 200, 400, 500, 600], None, [b(e) for e in (1, 2, 4, 5, 6)], "step"),
)
case("e21-40", rep("Epoch {e}: train_loss={a:.4f}, val_loss=nan").replace("nan\n", "nan\n") + "", R("NaN"))

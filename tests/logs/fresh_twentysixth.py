# ruff: noqa: E501, F403, F405, RUF001
"""Logs as web pages, diffs, consoles and notes show them when they are copied (twenty-sixth round): the right reading was written down before the reader was run."""

from fresh_forms import *


def lines(text, form="{line}\n", start=1):
    """Return each line of a text in a form, with its number."""
    return "".join(form.format(line=line, n=n) for n, line in enumerate(text.splitlines(), start))


S49 = [50 * e - 1 for e in E6]
KERAS = rep(
    "Epoch {e}/6",
    "576/576 [==============================] - 185s 321ms/step - loss: {a:.4f} - acc: 0.0208 - val_loss: {b:.4f} - val_acc: 0.0000e+00",
)

case(
    "e26-01",
    lines(
        "epoch,step,train_loss_epoch,train_loss_step,val_loss\n"
        + rep(
            "{k},{x},,{c},",
            "{k},{y},,,{b}",
            "{k},{y},{a},,",
            x=lambda e: 50 * e - 26,
            y=lambda e: 50 * e - 1,
            c=lambda e: a(e) + 0.1,
        ),
        "|\n{line} |\n",
    ),
    P(S49, A(), B(), "step"),
)
case("e26-02", lines(json.dumps({"train_loss": A(), "val_loss": B()}, indent=1), "| {line} | |\n"), P(K, A(), B()))
case(
    "e26-03",
    "".join(
        f"Upload sample image for epoch {e} (train_loss={a(e):.4f} val_loss={b(e):.4f}) e7337d{e} verified somebody committed on Apr 1{e}\n"
        for e in reversed(E6)
    ),
    P(E6, A(), B()),
)
case(
    "e26-04",
    "Advertisement\nNot a member of Pastebin yet?\nSign Up,\nit unlocks many cool features!\n"
    + rep(
        "- Epoch: {e}. Elapsed: 4.744139671325684", "- Training loss: {a}", "- Validation loss: {b}", "- " + "=" * 81
    ),
    P(E6, A(), B()),
)
case(
    "e26-05",
    lines(
        "Train on 576 samples, validate on 144 samples\n"
        + KERAS
        + "Out[8]:\n<keras.callbacks.History at 0x51416748>\n",
        "  {n}. {line}\n",
    ),
    P(E6, A(), B()),
)
case(
    "e26-06",
    "- Train on 680631 samples, validate on 84123 samples\n"
    + rep("- Epoch {e}/6", "- - 1794s - loss: {a:.4f} - val_loss: {b:.4f}"),
    P(E6, A(), B()),
)
case("e26-07", "- epoch train_loss valid_loss time\n" + rep("- {k} {a:.6f} {b:.6f} 04:52"), P(K, A(), B()))
case(
    "e26-08",
    "[6000/6000 3:09:10, Epoch 9/10]\n\nStep Training Loss Validation Loss\n\n"
    + rep("{S} {a:.6f} {b:.6f}", "")
    + "TrainOutput(global_step=6000, training_loss=0.4377235143661499, metrics={'train_runtime': 11359.2176,\n'train_samples_per_second': 14.085, 'train_loss': 0.4377235143661499, 'epoch': 9.98})\n",
    P([1000 * e for e in E6], A(), B(), "step"),
)
case(
    "e26-09",
    "README.md ADDED\n@@ -0,0 +1,5 @@\n"
    + lines(
        "| Epoch | Training Loss | Validation Loss | Accuracy |\n|-------|---------------|------------------|----------|\n| 1 | No log | 2.9000 | 0.8464 |\n"
        + rep("| {x} | {a:.6f} | {b:.6f} | 0.8498 |", x=lambda e: e + 1),
        "{n}\n+ {line}\n",
    ),
    P([e + 1 for e in E6], A(), B()),
)
case(
    "e26-10",
    "File size: 855 Bytes\ndb56834\n \n \n"
    + "".join(f"{n}\n" for n in range(1, 8))
    + "EPOCH\tTIMESTAMP\tBAD_EPOCHS\tLEARNING_RATE\tTRAIN_LOSS\tDEV_LOSS\n"
    + rep("{e}\t23:09:1{e}\t4\t0.0000\t{a}\t{b}"),
    P(E6, A(), B()),
)
case(
    "e26-11",
    "EPOCH TIMESTAMP BAD_EPOCHS LEARNING_RATE TRAIN_LOSS "
    + " ".join(f"{e} 16:51:5{e} 4 0.0000 {a(e)}" for e in E6)
    + "\n",
    R(),
)
case(
    "e26-12",
    lines(
        "EPOCH TIMESTAMP BAD_EPOCHS LEARNING_RATE TRAIN_LOSS DEV_LOSS DEV_SCORE\n"
        + rep("{e} 22:40:5{e} 0 0.1000 {a} {b} 0.8912"),
        "|\n{line} |\n",
    ),
    P(E6, A(), B()),
)
case(
    "e26-13",
    "training_log.txt\nCHANGED\n@@ -8,3 +8,13 @@ Epoch 7/200 - Loss: 2.5924, Train: 13.66%, Test: 0.00%\n"
    + rep("{e}", "+", "Epoch {e}/200 - Loss: {a:.4f}, Train: 17.55%, Test: 0.00%, α: 0.3837", "|"),
    R("no validation loss"),
)
case(
    "e26-14",
    "diff --git a/train.log b/train.log\n--- /dev/null\n+++ b/train.log\n@@ -0,0 +1,6 @@\n"
    + rep("+Epoch {e}/6 - loss: {a:.4f} - val_loss: {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e26-15",
    "Building training set [####################################] 100%\nBuilding validation set [####################################] 100%\nInitializing model ✓\n"
    + rep("stage {e}/∞ [####################################] 2833/2833 Accuracy report ({e}) 0.906{e} 18814 1765"),
    R(),
)
case(
    "e26-16",
    json.dumps(
        {
            "kind": "bigquery#model",
            "trainingRuns": [
                {
                    "startTime": "2024-05-01T10:00:00Z",
                    "results": [
                        {"index": e - 1, "durationMs": "1234", "trainingLoss": a(e), "evalLoss": b(e), "learnRate": 0.1}
                        for e in E6
                    ],
                }
            ],
        },
        indent=1,
    ),
    P(E6, A(), B(), "place"),
    ".json",
)
case("e26-17", rep("- Iteration [{k}] L_fit LOSS: [{a}]"), R("no validation loss"))
case(
    "e26-19", rep("bob  [10:0{e} AM]", "epoch {e} train_loss {a:.4f} val_loss {b:.4f}", ":thumbsup: 2"), P(E6, A(), B())
)
case("e26-20", lines(rep("Epoch {e} train_loss={a:.4f} val_loss={b:.4f}"), "{n:6d}\t{line}\n"), P(E6, A(), B()))
case("e26-21", lines(rep("epoch {e} train_loss={a:.4f} val_loss={b:.4f}"), "{n}:{line}\n", 12), P(E6, A(), B()))
case(
    "e26-22",
    "I got the below results in the first epochs of training:\n\n"
    + rep("Epoch {e}: train loss: {x:.2f} - validation loss: {y:.2f}", x=lambda e: 400 * a(e), y=lambda e: 400 * b(e))
    + "\nIs it something that I worry about?\n",
    P(E6, [400 * a(e) for e in E6], [400 * b(e) for e in E6]),
)
case(
    "e26-23",
    "Epoch\tTrain Loss\tVal Loss\n" + rep("{e}\t{x:,.2f}\t{y:,.2f}", x=lambda e: 1000 * a(e), y=lambda e: 1000 * b(e)),
    P(E6, [1000 * a(e) for e in E6], [1000 * b(e) for e in E6]),
)
case(
    "e26-24",
    "".join(
        f">>>>> regime at lr={lr}\n"
        + rep(
            "Epoch {e}/6",
            "718/718 [==============================] - 167s - loss: {a:.4f} - acc: 0.9525 - val_loss: {b:.4f} - val_acc: 0.9743",
        )
        for lr in ("0.009999999776482582", "0.0010000000474974513")
    ),
    P(E6, A(), B(), runs=2),
)
case(
    "e26-26",
    "Output\n======\n\n.. code-block:: none\n\n"
    + rep("    Epoch {e}: train={a:.4f} valid={b:.4f}")
    + "\nSee also the next section.\n",
    P(E6, A(), B(), says=("taken for losses",)),
)
case(
    "e26-27",
    ">>> trainer = Trainer(model, lr=0.01)\n>>> trainer.fit(data)\n"
    + rep("Epoch {e}: train_loss={a:.4f}, val_loss={b:.4f}")
    + "<Trainer at 0x7f00>\n",
    P(E6, A(), B()),
)
case("e26-28", rep('[1] "Epoch {e} train loss {a:.4f} valid loss {b:.4f}"'), P(E6, A(), B()))
case(
    "e26-30",
    rep('INFO:train:{{"epoch": {e}, "train": {{"loss": {a}, "acc": 0.512}}, "val": {{"loss": {b}, "acc": 0.491}}}}'),
    P(E6, A(), B()),
)
case(
    "e26-31",
    rep("{{'epoch': {e}, 'train': {{'loss': {a}, 'acc': 0.512}}, 'val': {{'loss': {b}, 'acc': 0.491}}}}"),
    P(E6, A(), B()),
)
case(
    "e26-32",
    rep("epoch={e} loss={{'train': {a:.4f}, 'val': {b:.4f}}} acc={{'train': 0.5120, 'val': 0.4910}}"),
    P(E6, A(), B()),
)
case(
    "e26-33",
    "<ul>\n" + rep("<li>Epoch {e} &ndash; train loss {a:.4f}, val loss {b:.4f}</li>") + "</ul>\n",
    P(E6, A(), B()),
)
case(
    "e26-36",
    "* Results\n| epoch | train loss | val loss |\n|-------+------------+----------|\n"
    + rep("|     {e} |     {a:.4f} |   {b:.4f} |"),
    P(E6, A(), B()),
)
case(
    "e26-37",
    "+-------+------------+----------+\n| epoch | train loss | val loss |\n+=======+============+==========+\n"
    + rep("| {e}     | {a:.4f}     | {b:.4f}   |", "+-------+------------+----------+"),
    P(E6, A(), B()),
)
case(
    "e26-38",
    " epoch | train_loss | val_loss \n-------+------------+----------\n"
    + rep("     {e} |     {a:.4f} |   {b:.4f}")
    + "(6 rows)\n",
    P(E6, A(), B()),
)
case("e26-39", rep("     epoch = {e}", "train_loss = {a}", "  val_loss = {b}", ""), P(E6, A(), B()))
case("e26-40", rep("{e} {a:.4f} {b:.4f}"), R())
case(
    "e26-41",
    rep(
        "*************************** {e}. row ***************************",
        "     epoch: {e}",
        "train_loss: {a}",
        "  val_loss: {b}",
    ),
    P(E6, A(), B()),
)
case("e26-42", "history:\n" + rep("  - {{epoch: {e}, train_loss: {a}, val_loss: {b}}}"), P(E6, A(), B()), ".yaml")
case(
    "e26-43",
    '\ufeff"Epoch";"Train loss";"Val loss"\n' + rep('"{e}";"{a:.4f}";"{b:.4f}"').replace(".", ","),
    P(E6, A(), B()),
    ".csv",
)
case("e26-44", "epoch  split  loss\n" + rep("{e}      train  {a:.4f}", "{e}      val    {b:.4f}"), P(E6, A(), B()))
case(
    "e26-45",
    "Run the script with --epochs 6 --val-loss-weight 0.5\n"
    + rep("ep {e} | tr {a:.4f} | va {b:.4f} | best va 0.9500 @ 6"),
    P(E6, A(), B(), says=("taken for losses",)),
)

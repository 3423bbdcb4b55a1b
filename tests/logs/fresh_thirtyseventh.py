# ruff: noqa: E501, F403, F405
"""The kinds that were open after thirty-six rounds, in several forms each: settings, thousands, windows, folds, sentences."""

from fresh_forms import *

RUNS = R("runs")
SWEEP = [(0.1, 64, 2.5, 2.9), (0.01, 64, 2.1, 2.4), (0.001, 64, 2.7, 2.8), (0.1, 128, 2.0, 2.6), (0.01, 128, 1.7, 2.2)]
TRAIN, VAL = [row[2] for row in SWEEP], [row[3] for row in SWEEP]


def rows(form, sweep=SWEEP):
    """Return a line for each row of a sweep."""
    return "".join(form.format(*row) + "\n" for row in sweep)


def last(values, **more):
    """Return what is read of a sweep: a run for each of its rows, the last of which is spoken of."""
    return P(
        [more.pop("at", len(values[0]))],
        [values[0][-1]],
        [values[1][-1]],
        more.pop("axis", "place"),
        runs=len(values[0]),
        **more,
    )


# settings in rows
case("e37-01", "lr,hidden_size,train_loss,val_loss\n" + rows("{},{},{},{}"), RUNS, ".csv")
case("e37-02", "| lr | hidden | train loss | val loss |\n|---|---|---|---|\n" + rows("| {} | {} | {} | {} |"), RUNS)
case("e37-03", "lr      hidden  train_loss  val_loss\n" + rows("{:<8}{:<8}{:<12}{:<8}"), RUNS)
case(
    "e37-04",
    rows("Reg param: {} Train loss {:.0f}.{}  Test loss {}", [(0.01, 2, 5, 2.9), (0.1, 2, 7, 2.8), (1.0, 3, 1, 3.3)]),
    P([3], [3.1], [3.3], "place", runs=3),
)
case("e37-05", rows("lr={} hidden={} train_loss={:.4f} val_loss={:.4f}"), last((TRAIN, VAL), at=5))
case("e37-06", rows("lr: {}, hidden: {} -> train loss: {:.3f}, val loss: {:.3f}"), last((TRAIN, VAL), at=5))
case(
    "e37-07",
    "degree,train_mse,test_mse\n" + "".join(f"{d},{5 / d:.3f},{6 / d + d / 10:.3f}\n" for d in range(1, 8)),
    RUNS,
    ".csv",
)
case(
    "e37-08",
    "".join(f"degree {d}: train mse {5 / d:.3f}, val mse {6 / d + d / 10:.3f}\n" for d in range(1, 8)),
    P([7], [5 / 7], [6 / 7 + 0.7], "place", runs=7),
)
case(
    "e37-09",
    "batch_size,epochs,learning_rate,train_loss,val_loss\n16,10,0.001,0.41,0.52\n32,10,0.001,0.45,0.51\n16,20,0.001,0.30,0.55\n32,20,0.001,0.33,0.53\n",
    RUNS,
    ".csv",
)
case(
    "e37-10",
    "dropout = 0.1 | train loss = 0.31 | val loss = 0.52\ndropout = 0.3 | train loss = 0.38 | val loss = 0.47\ndropout = 0.5 | train loss = 0.47 | val loss = 0.49\n",
    P([3], [0.47], [0.49], "place", runs=3),
)
case(
    "e37-11",
    '[{"lr": 0.1, "hidden": 64, "train_loss": 2.5, "val_loss": 2.9}, {"lr": 0.01, "hidden": 64, "train_loss": 2.1, "val_loss": 2.4}, {"lr": 0.01, "hidden": 128, "train_loss": 1.7, "val_loss": 2.2}]',
    RUNS,
    ".json",
)
case(
    "e37-12",
    "lr 0.1, wd 0.0: train_loss 2.5, val_loss 2.9\nlr 0.1, wd 0.01: train_loss 2.6, val_loss 2.8\nlr 0.01, wd 0.01: train_loss 2.2, val_loss 2.4\n",
    P([3], [2.2], [2.4], "place", runs=3),
)
# schedules are no settings
case(
    "e37-13",
    "train_loss,val_loss,lr\n" + rep("{a:.4f},{b:.4f},{lr:.6f}", lr=lambda e: 1e-3 * math.cos(e / 5)),
    P(E6, A(), B(), "place"),
    ".csv",
)
case(
    "e37-14",
    rep("train loss {a:.4f} val loss {b:.4f} lr {lr}", lr=lambda e: 0.1 if e < 4 else 0.01),
    P(E6, A(), B(), "place"),
)
case(
    "e37-15",
    rep("lr {lr:.2e} | train loss {a:.4f} | val loss {b:.4f}", lr=lambda e: 1e-3 * math.cos(e / 5)),
    P(E6, A(), B(), "place"),
)
case(
    "e37-16",
    "epoch,lr,train_loss,val_loss\n" + rep("{e},{lr},{a:.4f},{b:.4f}", lr=lambda e: 0.1**e),
    P(E6, A(), B()),
    ".csv",
)
case("e37-17", rep("Epoch {e} lr {lr} train loss {a:.4f} val loss {b:.4f}", lr=lambda e: 0.5**e), P(E6, A(), B()))
# thousands of German headings
GERMAN = rep("Schritt {e}.000", "Trainingsverlust {a:.3f}", "Validierungsverlust {b:.3f}").splitlines()
THOUSANDS = [1000 * e for e in E6]
case(
    "e37-18",
    "\n".join(
        f"{line[:-3]}.{line[-3:]}"
        if line[0] == "S" and len(line) < 3
        else line
        if line[0] == "S"
        else line.replace(".", ",")
        for line in GERMAN
    ),
    P(THOUSANDS, A(), B(), "step"),
)
case(
    "e37-19",
    "".join(
        f"--- Schritt {e}.000 von 6.000 ---\n  Verlust (Training): {str(round(a(e), 4)).replace('.', ',')}\n  Verlust (Validierung): {str(round(b(e), 4)).replace('.', ',')}\n"
        for e in E6
    ),
    P(THOUSANDS, A(), B(), "step"),
)
case(
    "e37-20",
    "".join(
        f"Iteration 1{e}.500:\ntrain loss {str(round(a(e), 4)).replace('.', ',')} / val loss {str(round(b(e), 4)).replace('.', ',')}\n"
        for e in E6
    ),
    P([10500 + 1000 * e for e in E6], A(), B(), "step"),
)
case("e37-21", rep("epoch {e}.000", "train loss {a:.3f}, val loss {b:.3f}"), P(E6, A(), B()))
# windows that a mean is over
for n, form in enumerate((
    "step {s}: train loss (avg of last 50): {a:.4f}, val loss: {b:.4f}",
    "step {s} average loss over last 100 steps: {a:.4f} val loss: {b:.4f}",
    "step {s} | loss (running avg) {a:.4f} | val loss {b:.4f}",
    "[{s}] mean train loss over the last 20 batches = {a:.4f}; val loss = {b:.4f}",
    "iter {s}: avg loss (last 100 iters) = {a:.4f}, val loss = {b:.4f}",
    "Step {s}, loss averaged over 50 steps: {a:.4f}, validation loss: {b:.4f}",
    "step {s}, train loss (50-step avg): {a:.4f}, val loss: {b:.4f}",
    "step {s}: train_loss[last 100]={a:.4f} val_loss={b:.4f}",
    "step {s} loss (ema 0.99): {a:.4f}  val loss: {b:.4f}",
    "Step {s}: loss (mean of 100 batches) {a:.4f}, val loss (mean of 20 batches) {b:.4f}",
)):  # fmt: skip
    case(f"e37-w{n}", rep(form), P(H, A(), B(), "step"))
case(
    "e37-22",
    rep("Average loss over the previous 100 iterations: {a:.4f}", "Validation loss over 20 batches: {b:.4f}", ""),
    P([2 * e for e in E6], A(), B(), "place"),
)
# what is said of all folds
FOLDS = "".join(
    f"Fold {f}\n"
    + "".join(f"epoch {e} train_loss = {a(e) + f / 10:.4f} val_loss = {b(e) + f / 10:.4f}\n" for e in (1, 2, 3))
    for f in (1, 2, 3)
)
ONE = [[x + 0.3 for x in values[:3]] for values in (A(), B())]
for n, end in enumerate((
    "CV result: val_loss = 0.9",
    "CV result: train_loss = 0.8 val_loss = 0.9",
    "mean val loss over folds: 0.9",
    "Mean val_loss over 3 folds = 0.9 +/- 0.05",
    "Cross-validation finished. val_loss: 0.9 (std 0.05)",
    "Average over all folds: train_loss 0.8, val_loss 0.9",
    "Overall: val_loss = 0.9",
    "3-fold CV val_loss: 0.9",
    "=== Final results across folds ===\nval_loss: 0.9",
)):  # fmt: skip
    case(f"e37-f{n}", f"{FOLDS}{end}\n", P([1, 2, 3], *ONE, runs=3))
case(
    "e37-23",
    "".join(f"Fold {f}: train_loss = {a(f):.4f} val_loss = {b(f):.4f}\n" for f in range(1, 6))
    + "CV result: val_loss = 0.9\n",
    P([5], [a(5)], [b(5)], "place", runs=5),
)
# sentences that end in a short word
case(
    "e37-24",
    "This was the baseline run. Val loss 1.75 at step 704. Train loss 1.60 at step 704.\n",
    P([704], [1.6], [1.75], "step"),
)
case("e37-25", rep("Epoch {e} is over. Train loss was {a:.3f} now. Val loss was {b:.3f} too."), P(E6, A(), B()))
case("e37-26", rep("Epoch {e}: Avg. Loss {a:.4f} Val. Loss {b:.4f}"), P(E6, A(), B()))
case("e37-27", rep("epoch {e}: training error {a:.4f}, selection error {b:.4f}"), P(E6, A(), B()))

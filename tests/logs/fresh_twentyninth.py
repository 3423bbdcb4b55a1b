# ruff: noqa: E501, F403, F405, RUF001
"""Logs as gists, commits, consoles and other languages' tables show them (twenty-ninth round): the right reading was written down before the reader was run."""

from fresh_forms import *

TRAINS = R("no validation loss")


def gist(text):
    """Return a text as a gist's page shows it."""
    return (
        "Created\nAugust 25, 2016 14:49\nThis file contains bidirectional Unicode text that may be interpreted differently.\n"
        + "".join(f"{line} | |\n" for line in text.splitlines())
        + "Sign up for free\n"
    )


def wrapped(text, width=80):
    """Return a text whose lines a terminal broke."""
    return "".join(line[i : i + width] + "\n" for line in text.splitlines() for i in range(0, len(line), width))


STATE = json.dumps(
    {
        "best_metric": None,
        "epoch": 6.0,
        "log_history": [
            record
            for e in E6
            for record in (
                {"epoch": e / 2, "grad_norm": 1.2, "loss": a(e), "step": 100 * e},
                {"epoch": e / 2, "eval_loss": b(e), "eval_runtime": 33.2, "step": 100 * e},
            )
        ],
        "max_steps": 600,
    },
    indent=1,
)

case("e29-01", gist(rep("Epoch #{e} Error: {a}")), R())
case("e29-02", gist(rep("Cost after iteration {s}: {a} | Train Acc: 50.41 | Test Acc: 45.75")), TRAINS)
case("e29-03", rep("- Error del epoch {k} : {a}"), R())
case(
    "e29-04",
    "NMom.txt\n105 lines (105 loc) · 5.3 KB\n"
    + "".join(f"{n}\n" for n in range(1, 31))
    + rep(
        "Current Iter : {k} current batch: 9950 Current cost: {c:.7f} Current Acc: 0.326",
        "----------",
        "Train Current cost: {a} Current Acc: 0.25044",
        "Test Current cost: {b} Current Acc: 0.38900",
        "----------",
        c=lambda e: a(e) - 0.1,
    ),
    P(K, None, B(), "step", says=("test",)),
)
case(
    "e29-06",
    "README.md\nCHANGED\n@@ -45,12 +45,12 @@ during training:\n|\n46 |\n| Training Loss | Epoch | Step | Validation Loss |\n|\n47 |\n|:-------------:|:-----:|:----:|:---------------:|\n"
    + rep("|", "{x} |", "+", "| {a:.4f} | {e}.0 | {s} | {b:.4f} |", x=lambda e: 47 + e),
    P(H, A(), B(), "step"),
)
case("e29-07", "".join(f"| {line.strip()} | |\n" for line in STATE.splitlines()), P(H, A(), B(), "step"))
case(
    "e29-11",
    "wandb: Run history:\nwandb:  eval/loss █▄▃▂▁▁\nwandb: train/loss █▅▃▂▁▁\nwandb: \nwandb: Run summary:\nwandb:  eval/loss 0.95\nwandb: train/loss 0.8333\nwandb: train/global_step 600\n",
    P([2], [0.8333], [0.95], "place"),
)
case(
    "e29-12",
    json.dumps(
        [
            {
                "stream_name": "stdout",
                "time": 12.1 * e,
                "data": f"Epoch {e} train_loss {a(e):.4f} val_loss {b(e):.4f}\n",
            }
            for e in E6
        ]
    ),
    P(E6, A(), B()),
    ".json",
)
case("e29-14", rep("171455760000{e} Epoch {e}: train_loss={a:.4f} val_loss={b:.4f}"), P(E6, A(), B()))
case(
    "e29-15",
    rep("[2024-05-01, 10:00:0{e} UTC] {{subprocess.py:93}} INFO - Epoch {e}/6 loss: {a:.4f} val_loss: {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e29-16",
    rep("0: Epoch {e} train loss {a:.4f}", "1: Epoch {e} train loss {a:.4f}", "0: Epoch {e} val loss {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e29-17",
    wrapped(
        rep(
            "Epoch {e}/6 - train_loss: {a:.4f} - train_acc: 0.5120 - lr: 0.001000 - val_loss: {b:.4f} - val_acc: 0.4910 - time: 12.1s"
        )
    ),
    P(E6, A(), B()),
)
case("e29-19", rep("May 01 10:00:0{e} epoch {e} train_loss {a:.4f} val_loss {b:.4f}"), P(E6, A(), B()))
case("e29-20", rep("C:\\new\\nets\\run.py:12: epoch {e} train loss {a:.4f} val loss {b:.4f}"), P(E6, A(), B()))
case(
    "e29-21", "Epoch TrainLoss ValLoss\n----- --------- -------\n" + rep("    {e}    {a:.4f}  {b:.4f}"), P(E6, A(), B())
)
case(
    "e29-22",
    "  epoch    train loss    val loss\n-------  ------------  ----------\n"
    + rep("      {e}        {a:.4f}      {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e29-26",
    "6×3 DataFrame\n Row │ epoch  train_loss  val_loss \n     │ Int64  Float64     Float64  \n─────┼─────────────────────────────\n"
    + rep("   {e} │     {e}      {a:.4f}    {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e29-27",
    "# A tibble: 6 × 3\n  epoch train_loss val_loss\n  <int>      <dbl>    <dbl>\n"
    + rep("{e}     {e}     {a:.4f}   {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e29-28",
    "Epoch [-];Train loss [nats];Val loss [nats]\n" + rep("{e};{a:.4f};{b:.4f}").replace(".", ","),
    P(E6, A(), B()),
    ".csv",
)
case("e29-29", rep("        epoch: {e}", "    trainLoss: {a:.4f}", "      valLoss: {b:.4f}", ""), P(E6, A(), B()))
case(
    "e29-30",
    rep(" EPOCH=    {e}  TRAIN LOSS=  {x}  VALID LOSS=  {y}", x=lambda e: f"{a(e):.4E}", y=lambda e: f"{b(e):.4E}"),
    P(E6, A(), B()),
)
case(
    "e29-31",
    rep(
        " EPOCH=    {e}  TRAIN LOSS=  {x}  VALID LOSS=  {y}",
        x=lambda e: f"{a(e):.4E}".replace("E", "D"),
        y=lambda e: f"{b(e):.4E}".replace("E", "D"),
    ),
    P(E6, A(), B()),
)
case("e29-33", rep("Losses after epoch {e} (train, val) = ({a:.4f}, {b:.4f})"), P(E6, A(), B()))
case("e29-34", rep("loss_train/loss_val: {a:.4f}/{b:.4f} epoch {e}"), P(E6, A(), B()))
case("e29-35", rep("Epoch {e}: train_loss: {a:.4f}, lr: 1e-3 | Epoch {e}: val_loss: {b:.4f}"), P(E6, A(), B()))
case("e29-36", rep("train loss = {a:.4f} @ep{e}; val loss = {b:.4f} @ep{e}"), P(E6, A(), B()))
case("e29-37", rep("Epoch {e} train time {a:.4f} val time {b:.4f}"), R())
case("e29-38", rep("Epoch {e} train mAP 0.51{e} val mAP 0.49{e}"), R())
case("e29-39", rep("step {s} lr 0.1 grad_norm {a:.4f}"), R())
case(
    "e29-41",
    rep("Train @ step {s} :: loss {a:.4f} :: acc 0.512", "Eval @ step {s} :: loss {b:.4f} :: acc 0.491"),
    P(H, A(), B(), "step"),
)
case("e29-43", rep("valid_1/loss: {b:.4f} train_1/loss: {a:.4f} epoch: {e}"), P(E6, A(), B()))
case("e29-44", rep("losses={{'trn': {a:.4f}, 'vld': {b:.4f}}}, ep={e}"), P(E6, A(), B()))
case("e29-45", rep("Epoch {e} - training: loss={a:.4f}, n=1000; validation: loss={b:.4f}, n=100"), P(E6, A(), B()))
case("e29-46", rep("Epoch {e} (train) loss {a:.4f} acc 51% (val) loss {b:.4f} acc 49%"), P(E6, A(), B()))
case("e29-47", rep("[E{e}] trainloss {a:.4f} devloss {b:.4f}"), P(E6, A(), B()))
case("e29-48", rep("epoch {e}: {{train: {{loss: {a:.4f}}}, dev: {{loss: {b:.4f}}}}}"), P(E6, A(), B()))
case("e29-49", rep("{e}/6 train_nll {a:.4f} test_nll {b:.4f}"), P(E6, A(), B(), "step", says=("test",)))
case("e29-50", gist(rep("epoch {e} | train loss {a:.4f} | val loss {b:.4f}")), P(E6, A(), B()))

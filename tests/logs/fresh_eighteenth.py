# ruff: noqa: E501, F403, F405
"""Results as scripts and services leave them (eighteenth round): the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")


def records(side, f):
    return [{"epoch": e, "loss": f(e), "accuracy": 0.5} for e in E6]


case(
    "e18-01",
    json.dumps({"history": {"train": {"loss": A(), "acc": [0.5] * 6}, "val": {"loss": B(), "acc": [0.4] * 6}}}),
    P(K, A(), B(), "step"),
    ".json",
)
case(
    "e18-02",
    json.dumps([{"epoch": e, "metrics": {"train": {"loss": a(e)}, "validation": {"loss": b(e)}}} for e in E6]),
    P(E6, A(), B()),
    ".json",
)
case(
    "e18-03",
    json.dumps({"training": records("train", a), "validation": records("val", b)}, indent=2),
    P(E6, A(), B()),
    ".json",
)
case(
    "e18-04",
    "".join(
        json.dumps({"phase": s, "epoch": e, "loss": f(e)}) + "\n" for e in E6 for s, f in (("train", a), ("valid", b))
    ),
    P(E6, A(), B()),
    ".jsonl",
)
case(
    "e18-05",
    "".join(
        json.dumps({"type": "train_step", "step": 100 * e, "data": {"loss": a(e)}})
        + "\n"
        + json.dumps({"type": "eval", "step": 100 * e, "data": {"loss": b(e)}})
        + "\n"
        for e in E6
    ),
    P(H, A(), B(), "step"),
    ".jsonl",
)
case(
    "e18-06",
    "".join(
        json.dumps(
            {
                "time": "2024-05-01T10:00:00Z",
                "level": "info",
                "message": "metrics",
                "extra": {"step": 100 * e, "train_loss": a(e), "val_loss": b(e)},
            }
        )
        + "\n"
        for e in E6
    ),
    P(H, A(), B(), "step"),
    ".jsonl",
)
case(
    "e18-07",
    "".join(
        json.dumps(
            {
                "log": f"epoch {e} train loss {a(e):.4f} val loss {b(e):.4f}\n",
                "stream": "stdout",
                "time": "2024-05-01T10:00:00Z",
            }
        )
        + "\n"
        for e in E6
    ),
    P(E6, A(), B()),
    ".json",
)
case(
    "e18-08",
    "epoch;phase;loss;acc\n" + "".join(f"{e};train;{a(e):.4f};0.5\n{e};val;{b(e):.4f};0.4\n" for e in E6),
    P(E6, A(), B()),
    ".csv",
)
case(
    "e18-09",
    "metric,step,value\n"
    + "".join(
        f"train/loss,{100 * e},{a(e):.4f}\nval/loss,{100 * e},{b(e):.4f}\ntrain/lr,{100 * e},0.001\n" for e in E6
    ),
    P(H, A(), B(), "step"),
    ".csv",
)
case(
    "e18-10",
    "Epoch,Train Loss,Train Acc,Val Loss,Val Acc,Time (s)\n" + rep("{e},{a:.4f},51.20%,{b:.4f},49.10%,12.3"),
    P(E6, A(), B()),
    ".csv",
)
case("e18-11", ",epoch,train_loss,val_loss\n" + rep("{k},{e},{a:.4f},{b:.4f}"), P(E6, A(), B()), ".csv")
case("e18-12", "train_loss,val_loss\n" + rep("{a:.4f},{b:.4f}"), P(E6, A(), B(), "place"), ".csv")
case(
    "e18-13",
    "loss_train,loss_val,f1_train,f1_val,epoch\n" + rep("{a:.4f},{b:.4f},0.5,0.4,{e}"),
    P(E6, A(), B()),
    ".csv",
)
case(
    "e18-14",
    "fold,epoch,train_loss,val_loss\n"
    + "".join(f"{f},{e},{a(e) + f / 100:.4f},{b(e) + f / 100:.4f}\n" for f in (1, 2, 3) for e in E6),
    P(E6, [a(e) + 0.03 for e in E6], [b(e) + 0.03 for e in E6], runs=3),
    ".csv",
)
case(
    "e18-15",
    "# lr=0.001 batch_size=32\n# started 2024-05-01\nepoch train_loss val_loss\n" + rep("{e} {a:.4f} {b:.4f}"),
    P(E6, A(), B()),
)
case("e18-16", "# epoch train_loss val_loss\n" + rep("{e:.18e} {a:.18e} {b:.18e}"), P(E6, A(), B()))
case(
    "e18-17",
    "epoch: [1, 2, 3, 4, 5, 6]\ntrain_loss: ["
    + ", ".join(f"{a(e):.4f}" for e in E6)
    + "]\nval_loss: ["
    + ", ".join(f"{b(e):.4f}" for e in E6)
    + "]\n",
    P(K, A(), B()),
    ".yaml",
)
case(
    "e18-18",
    "epochs:\n" + rep("  {e}:", "    train_loss: {a:.4f}", "    val_loss: {b:.4f}"),
    P([2 * e for e in E6], A(), B(), "place"),
    ".yaml",
)
case(
    "e18-19",
    "[results]\n" + rep("[[epoch]]", "number = {e}", "train_loss = {a:.4f}", "val_loss = {b:.4f}"),
    P([2 * e for e in E6], A(), B(), "place"),
    ".toml",
)
case(
    "e18-20",
    '<?xml version="1.0"?>\n<run>\n'
    + rep('  <epoch number="{e}" train_loss="{a:.4f}" val_loss="{b:.4f}"/>')
    + "</run>\n",
    P(E6, A(), B(), "place"),
    ".xml",
)
case(
    "e18-21",
    "History: <keras.callbacks.History object at 0x7f>\n"
    + str({"loss": A(), "val_loss": B()}).replace(", 'val", ",\n 'val")
    + "\n",
    P(K, A(), B()),
)
case(
    "e18-22",
    "train loss:\n" + "\n".join(f"{v:.4f}" for v in A()) + "\nval loss:\n" + "\n".join(f"{v:.4f}" for v in B()) + "\n",
    R(),
)
case(
    "e18-23",
    "Training loss per epoch: "
    + " ".join(f"{v:.4f}" for v in A())
    + "\nValidation loss per epoch: "
    + " ".join(f"{v:.4f}" for v in B())
    + "\n",
    P(K, A(), B()),
)
case(
    "e18-24",
    {"train_loss.txt": "".join(f"{v:.6f}\n" for v in A()), "val_loss.txt": "".join(f"{v:.6f}\n" for v in B())},
    R(),
)
case("e18-25", {"train.csv": "step,value\n" + rep("{s},{a:.4f}"), "val.csv": "step,value\n" + rep("{s},{b:.4f}")}, R())
case(
    "e18-26",
    {
        "loss_train.csv": "Wall time,Step,Value\n" + rep("1714557600.{e},{s},{a:.4f}"),
        "loss_val.csv": "Wall time,Step,Value\n" + rep("1714557600.{e},{s},{b:.4f}"),
    },
    P(H, A(), B(), "step"),
)
case(
    "e18-27",
    "\ufeffEpoch\tTrain Loss\tVal Loss\r\n" + rep("{e}\t{a:.4f}\t{b:.4f}").replace("\n", "\r\n"),
    P(E6, A(), B()),
    ".xls",
)
case(
    "e18-28",
    "Epoch  Train Loss  Val Loss\n-----  ----------  --------\n" + rep("    {e}      {a:.4f}    {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e18-29",
    "      Epoch  Train Loss  Val Loss\n" + rep("{k}         {e}    {a:.6f}  {b:.6f}") + "\n[6 rows x 3 columns]\n",
    P(E6, A(), B()),
)
case(
    "e18-30",
    "shape: (6, 3)\n┌───────┬────────────┬──────────┐\n│ epoch ┆ train_loss ┆ val_loss │\n│ ---   ┆ ---        ┆ ---      │\n│ i64   ┆ f64        ┆ f64      │\n╞═══════╪════════════╪══════════╡\n"
    + rep("│ {e}     ┆ {a:.6f}   ┆ {b:.6f} │")
    + "└───────┴────────────┴──────────┘\n",
    P(E6, A(), B()),
)
case(
    "e18-31",
    "<html><body><h1>Report</h1><table><thead><tr><th>Epoch</th><th>Train loss</th><th>Val loss</th></tr></thead><tbody>"
    + rep("<tr><td>{e}</td><td>{a:.4f}</td><td>{b:.4f}</td></tr>")
    + "</tbody></table></body></html>",
    P(E6, A(), B()),
    ".html",
)
case(
    "e18-32", rep("step {s}: {{'train': {a:.4f}, 'val': {b:.4f}}}"), P(H, A(), B(), "step", says=("taken for losses",))
)
case("e18-33", rep("step {s}: losses {{'train': tensor({a:.4f}), 'val': tensor({b:.4f})}}"), P(H, A(), B(), "step"))
case(
    "e18-34", rep("Epoch {e}: train=({a:.4f}, 0.51), val=({b:.4f}, 0.49)"), P(E6, A(), B(), says=("taken for losses",))
)
case(
    "e18-35",
    rep("[Epoch {e}] loss: ({a:.4f}, {b:.4f}) acc: (0.51, 0.49)"),
    R("nothing says which is training and which is validation"),
)
case("e18-36", rep("epoch {e} | loss train/val {a:.4f}/{b:.4f} | acc train/val 0.51/0.49"), P(E6, A(), B()))
case("e18-37", rep("epoch {e}: loss {a:.4f} (train) {b:.4f} (val), acc 0.51 (train) 0.49 (val)"), P(E6, A(), B()))
case(
    "e18-38",
    "Metrics(epoch=1, train_loss=2.5, val_loss=2.2)\n"
    + "".join(f"Metrics(epoch={e}, train_loss={a(e)}, val_loss={b(e)})\n" for e in list(E6)[1:]),
    P(E6, A(), B()),
)
case(
    "e18-39",
    "".join(
        f"TrainingState(step={100 * e}, epoch=1, loss=Array({a(e):.4f}, dtype=float32), eval_loss=Array({b(e):.4f}, dtype=float32))\n"
        for e in E6
    ),
    P(H, A(), B(), "step"),
)
case("e18-40", rep("INSERT INTO metrics (epoch, train_loss, val_loss) VALUES ({e}, {a:.4f}, {b:.4f});"), R())

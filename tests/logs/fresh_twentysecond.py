# ruff: noqa: E501, F403, F405
"""What a newcomer met and gaps that were known (twenty-second round): the right reading was written down before the reader was changed."""

from fresh_forms import *


def comma(text):
    """Return a text with decimal commas in place of points."""
    import re

    return re.sub(r"(?<=\d)\.(?=\d)", ",", text)


case("e22-01", comma(rep("Epoche {e}: Trainingsverlust {a:.3f} Validierungsverlust {b:.3f}")), P(E6, A(), B()))
case("e22-02", comma(rep("epoch {e} train loss {a:.3f} val loss {b:.3f}")), P(E6, A(), B()))
case(
    "e22-03",
    "".join(f"epoch {e} train loss {a(e):.3f} val loss " + comma(f"{b(e):.3f}") + "\n" for e in E6),
    P(E6, A(), B()),
)
case(
    "e22-04",
    comma(rep("epoch {e} train loss {c:.3f} val loss {d:.3f}", c=lambda e: a(e) + 1, d=lambda e: b(e) + 1)),
    R("decimal comma"),
)
case(
    "e22-05",
    comma(rep("epoch {e} lr 0.001 train loss {c:.3f} val loss {d:.3f}", c=lambda e: a(e) + 1, d=lambda e: b(e) + 1)),
    P(E6, [a(e) + 1 for e in E6], [b(e) + 1 for e in E6]),
)
case(
    "e22-06",
    comma(
        rep("step {e} train loss {c:.3f} val loss {d:.3f}", n=3000, c=lambda e: 5 - e / 700, d=lambda e: 5.2 - e / 700)
    ),
    P(range(1, 3001), None, [5.2 - e / 700 for e in range(1, 3001)], "step"),
)
case(
    "e22-07",
    "step,train_loss,val_loss\n" + rep('"{S:,}",{a:.3f},{b:.3f}'),
    P([1000 * e for e in E6], A(), B(), "step"),
    ".csv",
)
case(
    "e22-08",
    "step,train_loss,val_loss\n"
    + "".join(f'{e},"' + comma(f"{a(e):.3f}") + '","' + comma(f"{b(e):.3f}") + '"\n' for e in E6),
    P(E6, A(), B(), "step"),
    ".csv",
)
case(
    "e22-09",
    "| epoch | train loss | val loss |\n|---|---|---|\n" + comma(rep("| {e} | {a:.3f} | {b:.3f} |")),
    P(E6, A(), B()),
)
case(
    "e22-11",
    rep("step {e} sum train loss {x:,.0f} sum val loss {y:,.0f}", x=lambda e: 1000 * a(e), y=lambda e: 1000 * b(e)),
    P(E6, [round(1000 * a(e)) for e in E6], [round(1000 * b(e)) for e in E6], "step"),
)
case("e22-12", "epoch;train loss;val loss\n" + comma(rep("{e};{a:.3f};{b:.3f}")), P(E6, A(), B()), ".csv")
# words
case(
    "e22-20",
    rep(
        "Epoch {e} is over. The average training loss was {a:.3f} and the average loss on the validation set was {b:.3f}."
    ),
    P(E6, A(), B()),
)
case(
    "e22-21",
    rep(
        "In epoch {e} the average training loss was {a:.4f}, whereas the average loss on the validation data came to {b:.4f}"
    ),
    P(E6, A(), B()),
)
case(
    "e22-22",
    rep("After epoch {e}, the mean loss over the training set is {a:.4f} and over the validation set it is {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e22-23",
    "  0%|          | 0/600 [00:00<?, ?it/s]\n" + rep("epoch {e}: tr: {a:.4f} va: {b:.4f}"),
    P(E6, A(), B(), says=("taken for losses",)),
)
case(
    "e22-24",
    "  0%|          | 0/600 [00:00<?, ?it/s]\r 17%|█▋        | 100/600 [00:05<00:25, 19.8it/s]\n"
    + rep("tr: {a:.4f} va: {b:.4f}"),
    P(E6, A(), B(), "place", says=("taken for losses",)),
)
case(
    "e22-25",
    rep("We finished epoch {e}. Our loss on the training set: {a:.4f}. Our loss on the held-out set: {b:.4f}."),
    P(E6, A(), B()),
)
case(
    "e22-26",
    rep("Epoch {e}: the model reached a training loss of {a:.4f} and a validation loss of {b:.4f}"),
    P(E6, A(), B()),
)
# ppl beside values named by their side alone
case(
    "e22-30",
    rep("epoch {e:3d} |{s:6d} steps | train {a:6.3f} | valid {b:6.3f} | ppl {p:.2f} | 31 ms/step", p=ex(b)),
    P(E6, A(), B()),
)
case("e22-31", rep("epoch {e:3d} | train {p:6.3f} | valid {q:6.3f} | ppl {q:.3f}", p=ex(a), q=ex(b)), P(E6, A(), B()))
# perplexity at one step
case(
    "e22-32",
    rep(
        "step {s}: train loss {a:.4f} val loss {b:.4f} val ppl {p:.3f}",
        p=lambda e: math.exp(b(e)) * (1.5 if e == 4 else 1),
    ),
    P(H, A(), B(), "step"),
)
# turned round
case(
    "e22-40",
    "| epoch | 1 | 2 | 3 | 4 | 5 | 6 |\n|---|---|---|---|---|---|---|\n| train loss | "
    + " | ".join(f"{v:.3f}" for v in A())
    + " |\n| val loss | "
    + " | ".join(f"{v:.3f}" for v in B())
    + " |\n",
    P(E6, A(), B()),
)
case(
    "e22-41",
    "epoch\t10\t20\t30\t40\t50\t60\ntrain_loss\t"
    + "\t".join(f"{v:.3f}" for v in A())
    + "\nval_loss\t"
    + "\t".join(f"{v:.3f}" for v in B())
    + "\n",
    P([10 * e for e in E6], A(), B()),
)
case(
    "e22-42",
    "Training loss per epoch: "
    + " ".join(f"{v:.3f}" for v in A())
    + "\nValidation loss per epoch: "
    + " ".join(f"{v:.3f}" for v in B())
    + "\n",
    P(K, A(), B()),
)
# H2O
case(
    "e22-60",
    "Scoring History: \n     timestamp            duration          number_of_trees    training_rmse    training_deviance    validation_rmse    validation_deviance\n---  -------------------  ----------------  -----------------  ---------------  -------------------  -----------------  ---------------------\n"
    + rep(
        "     2024-05-01 10:00:0{e}  1 min  2.{e}03 sec  {s}                {u:.6f}           {a:.6f}             {w:.6f}           {b:.6f}",
        u=lambda e: a(e) ** 0.5,
        w=lambda e: b(e) ** 0.5,
    ),
    P(H, None, None, "step"),
)

# ruff: noqa: E501, F403, F405
"""The kinds that were open after forty-one rounds, in several forms each: configurations, ranges, places, two trainings, names behind."""

from fresh_forms import *

# configurations below words alone
CONFIGS = [("Adam", 0.25, 0.31), ("SGD", 0.35, 0.41), ("RMSprop", 0.3, 0.36)]
for n, form in enumerate((
    "{}:\ntrain loss: {:.2f}\nval loss: {:.2f}\n\n",
    "{}:\n  Train loss {:.2f}, val loss {:.2f}\n",
    "With {}:\nTraining loss = {:.2f}\nValidation loss = {:.2f}\n\n",
    "**{}**\n- Train loss: {:.2f}\n- Val loss: {:.2f}\n\n",
    "{} optimizer\nfinal train loss {:.2f}, final val loss {:.2f}\n\n",
)):  # fmt: skip
    case(
        f"eo-config{n}",
        "".join(form.format(*row) for row in CONFIGS),
        P([6 if n in (0, 2, 3) else 3], [0.3], [0.36], "place", runs=3),
    )
case(
    "eo-config5",
    "Without dropout:\ntrain loss 0.11, val loss 0.52\n\nWith dropout:\ntrain loss 0.21, val loss 0.42\n",
    P([2], [0.21], [0.42], "place", runs=2),
)
case(
    "eo-config6",
    "ResNet18: train loss 0.25, val loss 0.31\nResNet50: train loss 0.21, val loss 0.33\nViT-B: train loss 0.28, val loss 0.30\n",
    P([3], [0.28], [0.3], "place", runs=3),
)
# words above prints of one run are no configurations
case("eo-run1", "Results:\n" + rep("train loss {a:.4f}, val loss {b:.4f}"), P(E6, A(), B(), "place"))
case(
    "eo-run2",
    rep("Saving model", "train loss: {a:.4f}", "val loss: {b:.4f}"),
    P([2 * e for e in E6], A(), B(), "place"),
)
case(
    "eo-run3", rep("Evaluating:", "train loss: {a:.4f}", "val loss: {b:.4f}"), P([2 * e for e in E6], A(), B(), "place")
)
# from one value to another, each at a place
case(
    "eo-from1",
    "Training loss decreased from 1.74 at step 1 to 0.009 at step 500. Validation loss was 0.52.\n",
    P([500], [0.009], [0.52], "step"),
)
case(
    "eo-from2",
    "train loss fell from 2.31 (epoch 1) to 0.42 (epoch 20), val loss from 2.4 (epoch 1) to 0.61 (epoch 20)\n",
    P([20], [0.42], [0.61]),
)
case(
    "eo-from3",
    "The training loss went from 2.31 at epoch 1 to 0.42 at epoch 20 and the validation loss from 2.4 to 0.61.\n",
    P([20], [0.42], [0.61]),
)
# places and courses in prose
case(
    "eo-place1",
    "After 3 epochs on 110 pairs the training loss was 0.42 and the validation loss 0.61.\n",
    P([1], [0.42], [0.61], "place"),
)
case("eo-place2", "At the end of epoch 12 the train loss is 0.42, the val loss 0.61.\n", P([12], [0.42], [0.61]))
case(
    "eo-place3",
    "By step 2000 we had a training loss of 0.42 and a validation loss of 0.61.\n",
    P([2000], [0.42], [0.61], "step"),
)
# two trainings in one sentence
case(
    "eo-two1",
    "The baseline reached a train loss of 0.25 and a val loss of 0.31, ours a train loss of 0.21 and a val loss of 0.28.\n",
    P([2], [0.21], [0.28], "place", runs=2),
)
case(
    "eo-two2",
    "Model A: train loss 0.25, val loss 0.31; model B: train loss 0.21, val loss 0.28\n",
    P([2], [0.21], [0.28], "place", runs=2),
)
# names behind two values
for n, text in enumerate((
    "0.25 / 0.31 train/val loss",
    "0.25/0.31 (train/val loss)",
    "0.25 / 0.31 training/validation loss after 12 epochs",
    "Epoch 12: 0.25 / 0.31 train / val loss",
    "loss 0.25 / 0.31 train/val",
)):  # fmt: skip
    case(
        f"eo-behind{n}",
        f"{text}\n",
        P([12] if "Epoch" in text else [1], [0.25], [0.31], "epoch" if "Epoch" in text else "place"),
    )
# a value in brackets behind a verb
for n, text in enumerate((
    "Validation loss (0.31) is higher than the training loss (0.25).",
    "The validation loss (0.31) is well above the training loss (0.25), so it overfits.",
    "training loss (0.25) < validation loss (0.31)",
    "The train loss (0.25) is lower than val loss (0.31)",
)):  # fmt: skip
    case(f"eo-bracket{n}", f"{text}\n", P([1], [0.25], [0.31], "place"))
# a value on the line below its name
for n, text in enumerate((
    "Train loss\n0.25\nVal loss\n0.31\n",
    "Training Loss:\n0.25\n\nValidation Loss:\n0.31\n",
    "train_loss\n  0.25\nval_loss\n  0.31\n",
    "Training loss\n\n0.25\n\nValidation loss\n\n0.31\n",
)):  # fmt: skip
    case(f"eo-below{n}", text, P([2], [0.25], [0.31], "place"))
# a bound is no value
case("eo-bound1", "train loss 0.25, val loss ~10+\n", R())
case("eo-bound2", "val loss: >10, train loss 0.25\n", R())
case("eo-bound3", "train loss < 0.1, val loss 0.31\n", R())

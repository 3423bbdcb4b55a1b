# ruff: noqa: E501, F403, F405
"""The kinds that were open after the thirty-first round, each in several forms: the right reading was written down before the reader was run."""

from fresh_forms import *

VALS = R("only validation losses")

for form, heads in (
    ("epoch {e} train {a:.4f} valid {b:.4f}", "Fold {n}\n"),
    ("Fold {n} epoch {e}: train {a:.4f} valid {b:.4f}", ""),
    ("fold {n} | epoch {e} | train {a:.4f} | val {b:.4f} | 3.1s", ""),
):
    case(
        f"e32-folds-{form[:9]}-{bool(heads)}",
        "".join(
            heads.format(n=n) + "".join(form.format(n=n, e=e, a=a(e), b=b(e)) + "\n" for e in E6) for n in (1, 2, 3)
        ),
        P(E6, A(), B(), runs=3),
    )
case(
    "e32-folds-results",  # accuracies or losses: nothing says
    "".join(
        f"Fold {n}: train {x} valid {y}\n" for n, x, y in ((1, 0.512, 0.534), (2, 0.502, 0.544), (3, 0.509, 0.529))
    ),
    R("does not say of what"),
)
case("e32-fit-1", rep("epoch {e} fit loss {a:.4f} / check loss {b:.4f}"), P(E6, A(), B()))
case("e32-fit-2", rep("[{e}] fit_loss={a:.4f} check_loss={b:.4f}"), P([*E6], A(), B(), "step"))
case("e32-fit-3", rep("epoch {e} fit loss {a:.4f}", "epoch {e} check loss {b:.4f}"), P(E6, A(), B()))
case("e32-fit-4", rep("epoch {e} seen loss {a:.4f} unseen loss {b:.4f}"), P(E6, A(), B()))
case(
    "e32-hint",
    rep("epoch {e} alpha {a:.4f} beta {b:.4f}"),
    R("no loss was found", "the words right before one"),
)
case(
    "e32-comments-1",
    "".join(
        f"<!-- {name} -->\nTrain loss: {x}, Val loss: {y}\n\n"
        for name, x, y in (
            ("lr 0.1, depth 2", 0.51, 0.62),
            ("lr 0.01, depth 2", 0.41, 0.57),
            ("lr 0.01, depth 4", 0.38, 0.66),
        )
    ),
    P([3], [0.38], [0.66], "place", runs=3),
)
case(
    "e32-comments-2",
    "".join(
        f"<!-- {name} -->\n- Train loss: {x}\n- Validation loss: {y}\n"
        for name, x, y in (("baseline", 0.51, 0.62), ("with dropout", 0.41, 0.57), ("with mixup", 0.38, 0.66))
    ),
    P([6], [0.38], [0.66], "place", runs=3),
)
case(
    "e32-german-1",
    "".join(
        f"Schritt {1000 * e:,}: Trainingsverlust {a(e):.3f}, Validierungsverlust {b(e):.3f}\n".replace(",", "\0")
        .replace(".", ",")
        .replace("\0", ".")
        .replace(". V", ", V")
        for e in E6
    ),
    P([1000 * e for e in E6], A(), B(), "step"),
)
case(
    "e32-german-2",
    "".join(
        f"Schritt {500 * e:,} | Verlust: {a(e):.2f} | Val-Verlust: {b(e):.2f}\n".replace(",", "\0")
        .replace(".", ",")
        .replace("\0", ".")
        for e in E6
    ),
    P([500 * e for e in E6], A(), B(), "step"),
)
case(
    "e32-english-thousands",
    rep("step {S:,}: train loss {a:.3f}, val loss {b:.3f}"),
    P([1000 * e for e in E6], A(), B(), "step"),
)
case("e32-versions", rep("step 1.00{e}: train loss {a:.3f}, val loss {b:.3f}"), P(E6, A(), B(), "place"))
case("e32-behind-1", rep("epoch {e}: {a:.4f}, {b:.4f} (train loss, val loss)"), P(E6, A(), B()))
case("e32-behind-2", rep("{e}: {a:.4f} / {b:.4f} [train loss / valid loss]"), P(E6, A(), B(), "step"))
case("e32-behind-3", rep("epoch {e}: {b:.4f}, {a:.4f} (val loss, train loss), 91.2% acc"), P(E6, A(), B()))
case(
    "e32-cells-1",  # a part of a notebook
    '     "output_type": "stream",\n     "text": [\n'
    + rep('      "Epoch {e}/6\\n",', '      "train loss: {a:.4f} - val loss: {b:.4f}\\n",')
    + '      "done\\n"\n     ]\n',
    P(E6, A(), B()),
)
case(
    "e32-cells-2",
    '   "outputs": [{"name": "stdout", "output_type": "stream", "text": "'
    + "".join(f"Epoch {e}/6\\ntrain loss: {a(e):.4f}, val loss: {b(e):.4f}\\n" for e in E6)
    + '"}],\n',
    P(E6, A(), B()),
)
case(
    "e32-cells-3",
    '      "text/plain": [\n       "| epoch | train_loss | valid_loss |\\n",\n       "|---|---|---|\\n",\n'
    + rep('       "| {e} | {a:.4f} | {b:.4f} |\\n",')
    + '       ""\n      ]\n',
    P(E6, A(), B()),
)
case("e32-letters-1", rep("epoch {e} [T] loss {a:.4f} [V] loss {b:.4f}"), P(E6, A(), B()))
case("e32-letters-2", rep("Epoch {e}: (T) Loss: {a:.4f}, Acc: 0.5 (V) Loss: {b:.4f}, Acc: 0.5"), P(E6, A(), B()))
case("e32-letters-3", rep("[T] epoch {e} loss {a:.4f}", "[V] epoch {e} loss {b:.4f}"), P(E6, A(), B()))
case("e32-letters-4", rep("[{e}] T: loss={a:.4f} V: loss={b:.4f}"), P([*E6], A(), B(), "step"))
case("e32-versus-1", "final eval loss 0.69 vs final train loss 0.63\n", P([1], [0.63], [0.69], "place"))
case("e32-versus-2", rep("epoch {e}: train loss {a:.4f} vs val loss {b:.4f}"), P(E6, A(), B()))
case("e32-versus-3", rep("step {s}: val loss {b:.4f} versus train loss {a:.4f}"), P(H, A(), B(), "step"))
case("e32-versus-4", "The train loss of 0.63 against an eval loss of 0.69\n", P([1], [0.63], [0.69], "place"))
case(
    "e32-mindspore-1",
    "".join(
        "".join(f"epoch: {e} step: {375 * k}, loss is {a(e) + 0.01 * (5 - k):.6f}\n" for k in range(1, 6))
        + f"{{'Accuracy': 0.97{e}, 'loss': {b(e):.6f}}}\n"
        for e in E6
    ),
    P([1875 + 1876 * (e - 1) for e in E6], None, B(), "step"),
)
case(
    "e32-mindspore-2",
    "".join(
        f"epoch: {e} step: 1875, loss is {a(e):.6f}\nepoch time: 3421.5 ms, per step time: 1.8 ms\nresult: {{'loss': {b(e):.6f}, 'accuracy': 0.97}}\n"
        for e in E6
    ),
    P(E6, A(), B()),
)
case(
    "e32-coqui",
    "".join(
        f"\n > EPOCH: {e - 1}/6\n > TRAINING (2024-01-01 10:0{e}:00)\n"
        + "".join(
            f"   --> STEP: {25 * k}/100 -- GLOBAL_STEP: {100 * (e - 1) + 25 * k}\n     | > loss: {a(e) - 0.02 * k:.5f}  ({a(e) + 0.01 * (4 - k):.5f})\n     | > current_lr: 0.00025 \n     | > step_time: 0.3  (0.3)\n"
            for k in range(1, 5)
        )
        + f"\n > EVALUATION \n   --> STEP: 0\n     | > loss: {b(e) + 0.1:.5f}  ({b(e) + 0.1:.5f})\n   --> STEP: 1\n     | > loss: {b(e) - 0.1:.5f}  ({b(e):.5f})\n\n  --> EVAL PERFORMANCE\n     | > avg_loader_time: 0.01 (+0.000)\n     | > avg_loss: {b(e):.5f} (-0.01)\n"
        for e in E6
    ),
    P(K, A(), B()),
)
case("e32-unsided", rep("epoch {e} loss {a:.4f} acc 0.5"), R("no validation loss", "no side"))
case("e32-sided", rep("epoch {e} train loss {a:.4f} acc 0.5"), R("only training losses and no validation loss"))

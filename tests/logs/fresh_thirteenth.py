# ruff: noqa: E501, F403, F405
"""Kinds that were known to be missing: when a value was taken, losses beside the loss, log-likelihoods, WeNet's batches."""

from fresh_forms import *

case(
    "e13-litgpt-both",
    "".join(
        f"Ep 1 | iter {i} | step {(i + 3) // 4}: loss train (curr): {2 / i + 0.5:.3f}, val (prev val iter): {'None' if i <= 5 else format(b((i - 1) // 5), '.3f')} | iter time: 298.27 ms\n"
        + (f"iter {i}: val loss {b(i // 5):.4f}, val time: 1234.00 ms\n" if i % 5 == 0 else "")
        for i in range(1, 31)
    ),
    P([5 * e for e in E6], [0.911, 0.70133, 0.63367, 0.6, 0.58, 0.567], B(), "step"),
)
case(
    "e13-remark",
    rep("Epoch {e}: train loss [avg]: {a:.4f}, val loss [from last eval]: {b:.4f}, val loss (std): 0.1"),
    P(E6, A(), B()),
)
case("e13-sides-in-brackets", rep("Epoch {e}: loss (train): {a:.4f}, loss (val): {b:.4f}"), P(E6, A(), B()))
case(
    "e13-best-in-brackets",
    rep("Epoch {e}: train loss: {a:.4f}, val loss (best): 0.9500, val loss: {b:.4f}"),
    P(E6, A(), B()),
)
case(
    "e13-beside",
    rep("Iter {S}: loss={c:.4f}, train={a:.4f}, dev={b:.4f}", c=lambda e: a(e) + 0.05) + "test loss=1.2345\n",
    P([1000 * e for e in E6], A(), B(), "step", says=("taken for losses",)),
)
case(
    "e13-beside-accuracies",
    rep("Iter {S}: loss={a:.4f}, train={x:.4f}, dev={y:.4f}", x=lambda e: 0.4 + e / 20, y=lambda e: 0.4 + e / 25),
    R("no validation loss", "does not say what the values of 'train' and 'val' are"),
)
case(
    "e13-beside-errors",
    rep("Iter {S}: loss={a:.4f}, train={x:.4f}, dev={y:.4f}", x=lambda e: 0.5 / e, y=lambda e: 0.6 / e),
    R("no validation loss", "does not say what the values of 'train' and 'val' are"),
)
case(
    "e13-kaldi-minibatches",
    rep(
        "LOG (nnet3-train[5.5.1]:PrintStatsForThisPhase():nnet-training.cc:280) Average objective function for 'output' for minibatches {k}0-{k}9 is -{a:.5f} over 19538 frames."
    )
    + "LOG (nnet3-train[5.5.1]:PrintTotalStats():nnet-training.cc:300) Overall average objective function for 'output' is -1.3 over 117228 frames.\n",
    R("no validation loss", "'output average objective function' (6"),
)
case(
    "e13-kaldi-two-outputs",
    "".join(
        f"exp/chain/log/compute_prob_{side}.{10 * e}.log:LOG (nnet3-chain-compute-prob[5.1]:PrintTotalStats():nnet-chain-diagnostics.cc:175) Overall log-probability for 'output' is -0.07 + -0.009 = -{v(e) / 10:.4f} per frame, over 18375 frames.\n"
        f"exp/chain/log/compute_prob_{side}.{10 * e}.log:LOG (nnet3-chain-compute-prob[5.1]:PrintTotalStats():nnet-chain-diagnostics.cc:170) Overall log-probability for 'output-xent' is -{v(e):.4f} per frame, over 18375 frames.\n"
        for side, v in (("train", a), ("valid", b))
        for e in E6
    ),
    P([10 * e for e in E6], A(), B(), "step", says=("higher is better",)),
)
case(
    "e13-kaldi-report",
    "%Iter\tduration\ttrain_objective\tvalid_objective\tdifference\n" + rep("{e}\t30.0\t-{a:.5f}\t-{b:.5f}\t0.1"),
    P(E6, A(), B(), "step", says=("higher is better",)),
)
case("e13-objective-falls", rep("step {s} train objective {a:.4f} valid objective {b:.4f}"), P(H, A(), B(), "step"))
case(
    "e13-objective-below-zero-falls",
    rep(
        "step {s} train objective {x:.4f} valid objective {y:.4f}",
        x=lambda e: a(e) - 5,
        y=lambda e: b(e) - 5,
    ),
    P(H, [a(e) - 5 for e in E6], [b(e) - 5 for e in E6], "step"),
)
case("e13-elbo-as-loss", rep("epoch {e} train elbo: {a:.3f} val elbo: {b:.3f}"), P(E6, A(), B()))
case(
    "e13-elbo-goes-wrong",
    rep("epoch {e} train elbo: {x:.3f} val elbo: {y:.3f}", x=lambda e: -a(e), y=lambda e: -0.8 - 0.1 * e),
    P(E6, A(), [0.8 + 0.1 * e for e in E6], says=("higher is better",)),
)
case(
    "e13-elbo-beside-loss",
    rep("epoch {e} loss {a:.3f} train elbo: -{a:.3f} val elbo: -{b:.3f} val loss {b:.3f}"),
    P(E6, A(), B()),
)
case(
    "e13-is",
    rep("The training loss at step {s} is {a:.4f}", "The validation loss at step {s} was {b:.4f}"),
    P(H, A(), B(), "step"),
)


def wenet(*, told, running=True):
    out = ""
    for ep in range(3):
        for batch in range(0, 400, 100):
            loss = a(ep * 4 + batch // 100 + 1)
            out += f"2023-01-30 18:47:07,107 DEBUG TRAIN Batch {ep}/{batch} loss {loss:.6f} loss_att {loss + 1:.6f} loss_ctc {loss + 2:.6f} lr 0.00032621 rank 0\n"
        for batch in (0, 100) if running else ():
            out += f"2023-01-30 18:49:55,773 DEBUG CV Batch {ep}/{batch} loss {b(ep + 1) + batch / 1000 - 0.05:.6f} loss_att 24.142754 loss_ctc 38.723625 history loss {b(ep + 1):.6f} rank 0\n"
        out += f"2023-01-30 18:50:55,773 INFO Epoch {ep} CV info cv_loss {b(ep + 1)}\n" if told else ""
    return out


WENET = P([300, 601, 902], [a(4), a(8), a(12)], B(3), "step")
case("e13-wenet", wenet(told=True), WENET)
case("e13-wenet-without-batches-of-validation", wenet(told=True, running=False), WENET)
case("e13-wenet-running-means", wenet(told=False), WENET)
case(
    "e13-batches-of-two-sets",
    rep("[Batch {s}/938] train loss {a:.4f}", "[Batch {e}0/157] val loss {b:.4f}"),
    P(H, A(), B(), "step"),
)
case(
    "e13-batches-of-many-tasks",
    rep("[Batch 1/{t}] train loss {a:.4f}, val loss {b:.4f}", t=lambda e: 7 + 2 * e * e),
    P(E6, A(), B(), "place"),
)
case(
    "e13-grep",
    rep("logs/train_bert.log:12: epoch {e} loss {a:.4f}") + rep("logs/valid_bert.log:14: epoch {e} loss {b:.4f}"),
    P(E6, A(), B()),
)

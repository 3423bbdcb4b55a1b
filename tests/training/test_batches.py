import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnose import random as seeding
from diagnose.config.recipe import Recipe
from diagnose.errors import DiagnoseError
from diagnose.training import batches

CPU = torch.device("cpu")
START, PAD = 0, 1


def text(lengths, seed=0):
    """Return a stream of documents of so many tokens each; every token of the text is another number."""
    rng = np.random.default_rng(seed)
    ids = iter(2 + rng.permutation(sum(lengths)))
    tokens, starts = [], []
    for length in lengths:
        starts.append(len(tokens))
        tokens += [START, *itertools.islice(ids, length)]
    starts.append(len(tokens))
    return SimpleNamespace(tokens=np.array([*tokens, START], np.int16), starts=np.array(starts))


def halves(train, val):
    return SimpleNamespace(train=np.array(train), val=np.array(val))


def plan(stream, chosen, side="train", *, split="documents", val_fraction=0.1, seed=0, report=None, **table):
    recipe = Recipe.load(
        "quick",
        {"data.split": split, "data.val_fraction": val_fraction, "run.seed": seed}
        | {f"batches.{key}": value for key, value in ({"context": 5, "size": 3} | table).items()}
        | {f"report.{key}": value for key, value in (report or {}).items()},
    )
    return batches.plan(recipe, stream, halves(chosen, chosen), side, PAD, CPU)


def shown(batch, b, t):
    """Return what a position of a batch shows: the input, the target, the target's document."""
    return tuple(int(x[b, t]) for x in (batch.inputs_BT, batch.targets_BT, batch.documents_BT))


def targets_of(stream, document):
    """Return (input, target, document) of every target of a document, the slow way."""
    begin, end = stream.starts[document], stream.starts[document + 1]
    return [(int(stream.tokens[i]), int(stream.tokens[i + 1]), document) for i in range(begin, end)]


def laid_out(stream, order):
    return [target for document in order for target in targets_of(stream, document)]


def order_of(layout, chosen, epoch):
    """Return the documents in an epoch's order."""
    if layout.order != "shuffled" or layout.loader == "windows":
        return list(chosen)
    stream_key = seeding.key(layout.seed, layout.stream, epoch)
    return [chosen[i] for i in seeding.permute(torch.arange(len(chosen)), len(chosen), stream_key).tolist()]


def equal(one, two):
    pairs = zip(vars(one).values(), vars(two).values(), strict=True)
    return all(a is b is None or torch.equal(a, b) for a, b in pairs)


STREAM = text([3, 9, 1, 14, 5, 2, 7, 30, 4, 6, 0, 8])
CHOSEN = [1, 2, 4, 6, 7, 8, 9, 10, 11]  # 79 targets, one document without text
LOADERS = ("packed", "padded", "windows")
ORDERS = ("shuffled", "random", "sequential")


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_step_is_the_same_however_one_comes_to_it(loader, order):
    layout = plan(STREAM, CHOSEN, loader=loader, order=order)
    forward = [batches.step_batches(layout, step, 1)[0] for step in range(40)]
    other = plan(STREAM, CHOSEN, loader=loader, order=order)
    assert all(equal(batches.step_batches(other, step, 1)[0], forward[step]) for step in (39, 0, 17, 3, 39, 38))
    again = batches.rows(layout, 6, 3)
    assert equal(again, forward[2])
    for step in (0, 5, 11):  # accumulated parts are the next batches of the same rows
        parts = batches.step_batches(layout, step, 3)
        assert all(equal(part, forward[3 * step + k]) for k, part in enumerate(parts))


@pytest.mark.parametrize("split", ["documents", "windows"])
@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("order", ORDERS)
def test_blocks_of_any_size_hold_the_same_rows(loader, order, split, monkeypatch):
    if split == "windows" and loader != "windows":
        return
    spans = [
        (0, 3),
        (5, 9),
        (13, 4),
        (14, 1),
        (58, 7),
        (70, 30),
        (149, 2),
        (300, 61),
    ]  # over blocks' and epochs' borders
    found = []
    for block in (4096, 4):
        monkeypatch.setattr(batches, "BLOCK", block)
        layout = plan(STREAM, CHOSEN, loader=loader, order=order, split=split)
        found.append([batches.rows(layout, *span) for span in spans])
        alone = [batches.rows(layout, 58 + k, 1).inputs_BT for k in range(7)]
        assert torch.equal(torch.cat(alone), found[-1][4].inputs_BT)
    assert all(equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("order", ORDERS)
def test_another_seed_is_another_order_and_the_text_order_has_none(loader, order):
    one, two = (batches.rows(plan(STREAM, CHOSEN, loader=loader, order=order, seed=s), 0, 9) for s in (0, 1))
    assert equal(one, two) == (order == "sequential")
    side = plan(STREAM, CHOSEN, "val", loader=loader, order=order)
    assert equal(one, batches.rows(side, 0, 9)) == (order == "sequential")


def test_no_global_state_is_touched():
    before = torch.get_rng_state()
    batches.rows(plan(STREAM, CHOSEN), 0, 9)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("order", ["shuffled", "sequential"])
@pytest.mark.parametrize("mask", ["none", "document"])
def test_packed_rows_equal_documents_laid_end_to_end(order, mask):
    layout = plan(STREAM, CHOSEN, order=order, mask=mask)
    assert (layout.targets, layout.rows) == (79, 15)
    for epoch in range(3):
        flat = laid_out(STREAM, order_of(layout, CHOSEN, epoch))
        batch = batches.rows(layout, epoch * 15, 15)
        for b, t in itertools.product(range(15), range(5)):
            assert shown(batch, b, t) == flat[5 * b + t]
        assert bool(batch.counted_BT.all())


@pytest.mark.parametrize("order", ["shuffled", "sequential"])
def test_each_epoch_packs_every_target_once_but_for_the_tail(order):
    layout = plan(STREAM, CHOSEN, order=order)
    everything = set(laid_out(STREAM, CHOSEN))
    tails = []
    for epoch in range(4):
        batch = batches.rows(layout, epoch * layout.rows, layout.rows)
        seen = [shown(batch, b, t) for b, t in itertools.product(range(layout.rows), range(5))]
        assert len(seen) == len(set(seen)) == 75
        tails.append(frozenset(everything - set(seen)))
        assert len(tails[-1]) == 79 - 75
    assert (len(set(tails)) == 1) == (order == "sequential")


def test_padded_rows_hold_a_document_each():
    layout = plan(STREAM, CHOSEN, loader="padded")
    for epoch in range(3):
        batch = batches.rows(layout, 9 * epoch, 9)
        assert batch.segments_BT is None
        seen = set()
        for b, document in enumerate(order_of(layout, CHOSEN, epoch)):
            wanted = targets_of(STREAM, document)
            for t in range(5):
                assert bool(batch.counted_BT[b, t]) == (t < len(wanted))
                assert int(batch.documents_BT[b, t]) == document
                if t < len(wanted):
                    assert shown(batch, b, t) == wanted[t]
                    seen.add(wanted[t])
                else:
                    assert (int(batch.inputs_BT[b, t]), int(batch.targets_BT[b, t])) == (PAD, PAD)
        assert len(seen) == layout.targets - batches.truncated_targets(layout)


def test_truncated_targets_are_counted_by_hand():
    layout = plan(STREAM, CHOSEN, loader="padded")  # targets 10 2 6 8 31 5 7 1 9
    assert batches.truncated_targets(layout) == 5 + 0 + 1 + 3 + 26 + 0 + 2 + 0 + 4
    assert batches.truncated_targets(plan(STREAM, CHOSEN)) == 0
    assert batches.steps_per_epoch(layout, 1) == 3
    assert batches.steps_per_epoch(layout, 2) == 1.5


@pytest.mark.parametrize("order", ["shuffled", "sequential"])
@pytest.mark.parametrize("mask", ["none", "document"])
def test_windows_start_at_every_position_once_an_epoch(order, mask):
    layout = plan(STREAM, CHOSEN, loader="windows", order=order, mask=mask)
    flat = laid_out(STREAM, CHOSEN)
    at = {target: i for i, target in enumerate(flat)}
    assert layout.rows == 79 - 5 + 1
    orders = []
    for epoch in range(2):
        batch = batches.rows(layout, epoch * 75, 75)
        starts = [at[shown(batch, b, 0)] for b in range(75)]
        assert sorted(starts) == list(range(75))
        orders.append(starts)
        for b, t in itertools.product(range(75), range(5)):
            assert shown(batch, b, t) == flat[starts[b] + t]
    assert (orders[0] == orders[1]) == (order == "sequential")


@pytest.mark.parametrize("loader", LOADERS)
def test_a_batch_that_spans_epochs_holds_the_end_of_one_and_the_beginning_of_the_next(loader):
    layout = plan(STREAM, CHOSEN, loader=loader)
    total = layout.rows
    single = [batches.rows(layout, g, 1) for g in range(2 * total + 1)]
    across = batches.rows(layout, total - 2, 4)
    several = batches.rows(layout, total - 1, total + 2)  # three epochs
    for name in ("inputs_BT", "targets_BT", "counted_BT", "documents_BT"):
        rows_GT = torch.cat([getattr(b, name) for b in single])
        assert torch.equal(getattr(across, name), rows_GT[total - 2 : total + 2])
        assert torch.equal(getattr(several, name), rows_GT[total - 1 : 2 * total + 1])


def test_rows_drawn_with_replacement_are_uniform():
    layout = plan(STREAM, CHOSEN, loader="windows", order="random")
    at = {target: i for i, target in enumerate(laid_out(STREAM, CHOSEN))}
    batch = batches.rows(layout, 1000, 20_000)
    first = [
        at[shown_]
        for shown_ in zip(
            *(x[:, 0].tolist() for x in (batch.inputs_BT, batch.targets_BT, batch.documents_BT)), strict=True
        )
    ]
    counts = np.bincount(first, minlength=75)
    expected = 20_000 / 75
    assert ((counts - expected) ** 2 / expected).sum() < 137  # 74 degrees of freedom, p = 1e-5
    repeats = np.mean(np.array(first[1:]) == np.array(first[:-1]))
    assert abs(repeats - 1 / 75) < 0.004  # neighbours are independent: five deviations


@pytest.mark.parametrize("loader", ["packed", "windows"])
def test_masked_positions_are_numbered_by_document(loader):
    layout = plan(STREAM, CHOSEN, loader=loader, mask="document", size=10)
    batch = batches.rows(layout, 0, layout.rows)
    assert batch.segments_BT is not None
    for b in range(layout.rows):
        documents, segments = batch.documents_BT[b].tolist(), batch.segments_BT[b].tolist()
        assert segments == [k for k, (_, same) in enumerate(itertools.groupby(documents)) for _ in same]
    assert int(batch.segments_BT.max()) >= 2
    assert batches.rows(plan(STREAM, CHOSEN, loader=loader), 0, 3).segments_BT is None


@pytest.mark.parametrize("mask", ["none", "document"])
@pytest.mark.parametrize("size", [1, 4, 100])
def test_whole_shows_every_target_once(mask, size):
    for loader in ("packed", "padded"):
        layout = plan(STREAM, CHOSEN, "val", loader="packed", mask=mask, report={"val_loader": loader})
        seen = []
        for batch in batches.whole(layout, size):
            assert len(batch.inputs_BT) <= size
            seen += [shown(batch, b, t) for b, t in batch.counted_BT.nonzero().tolist()]
            assert bool((batch.inputs_BT[~batch.counted_BT] == PAD).all())
            assert bool((batch.targets_BT[~batch.counted_BT] == PAD).all())
            assert bool(batch.counted_BT.any(1).all())  # no row is padding alone
            if batch.segments_BT is not None:
                assert bool((batch.segments_BT.diff(dim=1) >= 0).all())
        cut = 5 if loader == "padded" else 1000
        assert seen == [target for document in CHOSEN for target in targets_of(STREAM, document)[:cut]]


def test_whole_shows_every_window_once():
    layout = plan(STREAM, CHOSEN, loader="windows")
    first = [shown(batch, b, 0) for batch in batches.whole(layout, 7) for b in range(len(batch.inputs_BT))]
    assert first == laid_out(STREAM, CHOSEN)[:75]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=2, max_size=9), st.integers(2, 7), st.sampled_from(LOADERS),
    st.sampled_from(ORDERS), st.sampled_from(["none", "document"]), st.integers(0, 3),
)  # fmt: skip
def test_any_text_gives_each_target_once_and_its_own_next_token(lengths, context, loader, order, mask, seed):
    stream, chosen = text(lengths), list(range(len(lengths)))
    more = {} if loader == "padded" else {"mask": mask}
    try:
        layout = plan(stream, chosen, loader=loader, context=context, order=order, size=1, seed=seed, **more)
    except DiagnoseError:
        assert loader != "padded"
        assert sum(lengths) + len(lengths) < context
        return
    batch = batches.rows(layout, 0, layout.rows)
    seen = [shown(batch, b, t) for b, t in batch.counted_BT.nonzero().tolist()]
    assert set(seen) <= set(laid_out(stream, chosen))
    if order != "random" and loader != "windows":
        assert (
            len(seen)
            == len(set(seen))
            == len(laid_out(stream, chosen))
            - (batches.truncated_targets(layout) if loader == "padded" else layout.targets % context)
        )


def test_samples_split_after_cutting_are_disjoint_and_complete():
    common = {"split": "windows", "val_fraction": 0.2, "loader": "windows"}
    at = {target: i for i, target in enumerate(laid_out(STREAM, CHOSEN))}
    sides = {}
    for side, order in itertools.product(("train", "val"), ORDERS):
        layout = plan(STREAM, CHOSEN, side, order=order, **common)
        batch = batches.rows(layout, 0, layout.rows)
        sides[side, order] = [at[shown(batch, b, 0)] for b in range(layout.rows)]
    assert len(sides["val", "shuffled"]) == round(0.2 * 75)
    for order in ("shuffled", "sequential"):
        train, val = set(sides["train", order]), set(sides["val", order])
        assert (len(train), len(val)) == (60, 15)
        assert train | val == set(range(75))
        assert val == set(sides["val", "shuffled"])
    assert set(sides["train", "random"]) <= set(sides["train", "shuffled"])
    assert set(sides["val", "random"]) <= set(sides["val", "shuffled"])
    whole = [
        at[shown(b, r, 0)]
        for b in batches.whole(plan(STREAM, CHOSEN, "val", **common), 4)
        for r in range(len(b.inputs_BT))
    ]
    assert sorted(whole) == sorted(sides["val", "shuffled"])
    other_run = plan(STREAM, CHOSEN, "val", seed=5, **common)  # the split is the recipe's, not the seed's
    batch = batches.rows(other_run, 0, 15)
    assert {at[shown(batch, b, 0)] for b in range(15)} == set(sides["val", "shuffled"])


def test_validation_may_be_loaded_otherwise_and_keeps_its_mask():
    layout = plan(STREAM, CHOSEN, "val", loader="padded", mask="document", report={"val_loader": "packed"})
    batch = batches.rows(layout, 0, 15)
    assert (layout.loader, batch.segments_BT is not None) == ("packed", True)
    assert (
        plan(STREAM, CHOSEN, "train", loader="padded", mask="document", report={"val_loader": "packed"}).loader
        == "padded"
    )
    assert plan(STREAM, CHOSEN, "val", loader="packed", report={"val_loader": "padded"}).loader == "padded"


@pytest.mark.parametrize(
    ("loader", "table", "rows", "wanted"),
    [
        ("packed", {"size": 16}, 15, 16),
        ("packed", {"size": 4, "accumulate": 4}, 15, 16),
        ("padded", {"size": 10}, 9, 10),
        ("windows", {"size": 76}, 75, 76),
        ("packed", {"context": 80}, 0, 3),
        ("windows", {"context": 80}, 0, 3),
    ],
)
def test_a_text_smaller_than_a_step_is_refused(loader, table, rows, wanted):
    with pytest.raises(
        DiagnoseError, match=rf"fills {rows} rows of \d+ tokens and a step takes {wanted}: lower batches"
    ):
        plan(STREAM, CHOSEN, loader=loader, **table)


def test_a_text_that_just_fills_a_step_is_not_refused():
    assert plan(STREAM, CHOSEN, size=15).rows == 15
    assert plan(STREAM, CHOSEN, loader="windows", context=79, size=1).rows == 1
    assert plan(STREAM, CHOSEN, loader="padded", context=1000, size=9).rows == 9


def test_validation_text_smaller_than_a_row_is_refused_and_one_smaller_than_a_batch_is_not():
    with pytest.raises(DiagnoseError, match="validation text of 79 tokens does not fill one row of 80"):
        plan(STREAM, CHOSEN, "val", context=80)
    assert plan(STREAM, CHOSEN, "val", size=100).rows == 15


def test_splits_of_samples_that_leave_nothing_to_train_on_are_refused():
    with pytest.raises(DiagnoseError, match="the training text fills"):
        plan(STREAM, CHOSEN, split="windows", loader="windows", context=80)
    with pytest.raises(DiagnoseError, match="the training text fills 7 rows"):
        plan(STREAM, CHOSEN, split="windows", loader="windows", val_fraction=0.9, size=8)


def test_duplicated_documents_are_shown_as_often_as_they_are_listed():
    layout = plan(STREAM, [1, 4, 4], order="sequential", size=1)
    batch = batches.rows(layout, 0, layout.rows)
    assert batch.documents_BT.flatten().tolist() == [d for d, n in ((1, 10), (4, 6), (4, 6)) for _ in range(n)][:20]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("loader", LOADERS)
def test_a_gpu_gathers_the_same_batches(loader):
    here = plan(STREAM, CHOSEN, loader=loader)
    recipe = Recipe.load("quick", {"batches.loader": loader, "batches.context": 5, "batches.size": 3})
    there = batches.plan(recipe, STREAM, halves(CHOSEN, CHOSEN), "train", PAD, torch.device("cuda"))
    assert all(equal(batches.rows(here, g, 4), batches.rows(there, g, 4).to(CPU)) for g in range(0, 80, 4))


@pytest.mark.parametrize("masked", ["none", "document"])
@pytest.mark.parametrize("loader", ["packed", "windows"])
def test_processes_take_the_rows_of_each_part_in_order(loader, masked):
    layout = plan(STREAM, CHOSEN, loader=loader, mask=masked, size=4)
    for step in (0, 7):
        whole, shares = batches.step_batches(layout, step, 2), batches.step_batches(layout, step, 2, processes=2)
        assert [len(share.inputs_BT) for share in shares] == [2, 2, 2, 2]
        for number, share in enumerate(shares):
            rows = slice(2 * (number % 2), 2 * (number % 2) + 2)
            assert equal(share, whole[number // 2].part(rows))

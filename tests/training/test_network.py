"""Networks by name: every door, every way to be refused, and nothing touched on the way."""
# ruff: noqa: ARG002, ARG005 - a network's signature is given

import importlib.metadata
import sys
import textwrap
from functools import partial

import pytest
import torch
from torch import nn

from diagnose.config.recipe import Recipe
from diagnose.errors import DiagnoseError
from diagnose.training import chunked_loss, network, preparation, registry

CPU = torch.device("cpu")
V, T = 11, 40


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a user's file into a folder of their own; paths and modules come back as they were."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    known = set(sys.modules)

    def written(text, name="mine.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    yield written
    for name in set(sys.modules) - known:
        del sys.modules[name]


GOOD = """
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self, vocab_size, context, depth=1):
            super().__init__()
            self.table = nn.Embedding(vocab_size, vocab_size)

        def forward(self, tokens_BT, segments_BT=None):
            return self.table(tokens_BT)
"""


# Finding


def test_ours_come_in_by_the_entry_points():
    for name in ("gpt", "lstm"):
        builder = network.find(name)
        assert builder.__module__ == f"diagnose.models.{name}"


def test_a_network_that_is_installed_later_is_found(monkeypatch):
    registry._installed.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(importlib.metadata, "entry_points", lambda **_: [])
        with pytest.raises(DiagnoseError, match="there is no model 'gpt'"):
            network.find("gpt")
    assert network.find("gpt").__module__ == "diagnose.models.gpt"


def test_a_users_file_and_module_come_in(write):
    path = write(GOOD)
    for name in (f"{path}:Net", "mine.py:Net", "./mine.py:Net", "mine:Net"):
        net = network.build(name, {"depth": 2}, V, T, 0, CPU)
        assert type(net).__name__ == "Net"
        network.check(net, V, T)


def test_a_changed_file_is_loaded_anew_and_an_equal_one_is_not(write):
    path = write("build = dict\n")
    one = network.find(f"{path}:build")
    assert network.find(f"{path}:build") is one
    write("build = list\n")
    assert network.find(f"{path}:build") is list


def test_a_file_may_import_its_neighbours(write):
    write("WIDTH = 3\n", "folder/sizes_of_mine.py")
    path = write("from sizes_of_mine import WIDTH\ndef build(): return WIDTH\n", "folder/net.py")
    assert network.find(f"{path}:build")() == 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gtp", "there is no model 'gtp'; did you mean 'gpt'?"),
        ("", "there is no model ''"),
        ("mine.py:", "model 'mine.py:' is incomplete; give an installed name, package.module:attribute or"),
        (":build", "model ':build' is incomplete"),
        ("mien.py:build", "there is no file mien.py; did you mean 'mine.py'?"),
        ("nowhere/mine.py:build", "there is no file nowhere/mine.py"),
        ("mine.py:biuld", "mine.py has no 'biuld'; did you mean 'build'?"),
        ("mine.py:size", "'size' is a int, not a function that builds"),
        ("torhc.nn:Linear", "there is no module 'torhc'; a file is given as file.py:attribute"),
        ("torch.nnn:Linear", "there is no module 'torch.nnn'"),
        ("broken.py:build", "cannot be loaded: SyntaxError: '(' was never closed ("),
        ("raises.py:build", "cannot be loaded: RuntimeError: two lines ("),
        ("needs.py:build", "cannot be loaded: ModuleNotFoundError: No module named 'not_there' ("),
        ("needs:build", "cannot be loaded: ModuleNotFoundError: No module named 'not_there' ("),
    ],
)
def test_what_cannot_be_found_is_told_in_a_line(write, name, said):
    write("size = 3\ndef build(): pass\n")
    write("x = (\n", "broken.py")
    write("raise RuntimeError('two\\nlines')\n", "raises.py")
    write("import not_there\n", "needs.py")
    with pytest.raises(DiagnoseError) as caught:
        network.find(name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_error_names_the_users_own_line(write):
    path = write("import torch\n\ndef build(vocab_size, context):\n    return torch.nn.Linear(3, -1)\n")
    with pytest.raises(DiagnoseError, match=rf"cannot be built: RuntimeError: .* \({path}:4\)"):
        network.build("mine.py:build", {}, V, T, 0, CPU)


def test_a_builder_with_other_parameters_is_told_what_it_is_called_with(write):
    write("def build(vocabulary, context, width=8): pass\n")
    said = "takes vocabulary, context, width; it is called with vocab_size and context by name"
    with pytest.raises(DiagnoseError, match=said):
        network.build("mine.py:build", {}, V, T, 0, CPU)


# Settings and building


def test_settings_are_divided_by_the_signature():
    def some(vocab_size, context, *, width=1):
        pass

    def every(vocab_size, context, **settings):
        pass

    given = {"width": 8, "heads": 2, "context": 5}
    assert network.builder_settings(some, given) == ({"width": 8}, ["heads", "context"])
    assert network.builder_settings(every, given) == ({"width": 8, "heads": 2}, ["context"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"widht": 8}, "model.widht: the network 'gpt' takes no such key; did you mean 'width'?"),
        ({"width": 30, "heads": 4}, "model 'gpt' cannot be built: width 30 cannot be divided among 4 heads"),
        ({"activation": "rleu"}, "model 'gpt' cannot be built: activation 'rleu' is unknown; known are gelu, "),
        ({"dropout": 1}, "model 'gpt' cannot be built: dropout of 1 is outside [0, 1)"),
    ],
)
def test_wrong_settings_are_told_in_a_line(settings, said):
    with pytest.raises(DiagnoseError) as caught:
        network.build("gpt", settings, V, T, 0, CPU)
    assert str(caught.value).startswith(said)


def test_what_is_built_must_be_a_module(write):
    write("def build(vocab_size, context):\n    return 3\n")
    with pytest.raises(DiagnoseError, match=r"model 'mine.py:build' built a int, not a torch.nn.Module"):
        network.build("mine.py:build", {}, V, T, 0, CPU)


@pytest.mark.parametrize("name", ["gpt", "lstm"])
def test_the_seed_decides_the_initialisation_and_nothing_else_is_drawn(name):
    before, seed = torch.get_rng_state(), torch.initial_seed()
    one, again, other = (network.build(name, {}, V, T, s, CPU).state_dict() for s in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.initial_seed() == seed
    assert all(torch.equal(one[k], again[k]) for k in one)
    assert not all(torch.equal(one[k], other[k]) for k in one)


# Fingerprints


def test_a_fingerprint_follows_the_code(write):
    assert network.fingerprint("gpt") == network.fingerprint("gpt") != network.fingerprint("lstm")
    write("WIDTH = 3\n", "sizes_too.py")
    write("import sizes_too\ndef build(): pass\n")
    one = network.fingerprint("mine.py:build")
    assert network.fingerprint("mine.py:build") == one
    write("WIDTH = 4\n", "sizes_too.py")
    two = network.fingerprint("mine.py:build")
    write("import sizes_too\ndef build(): return 1\n")
    assert len({one, two, network.fingerprint("mine.py:build")}) == 3


def test_a_fingerprint_of_a_package_follows_its_relative_imports(write):
    write("", "my_own_package/__init__.py")
    write("from .parts import x\nfrom . import more\ndef build(): pass\n", "my_own_package/net.py")
    write("x = 1\n", "my_own_package/more.py")
    write("x = 1\n", "my_own_package/parts.py")
    prints = {network.fingerprint("my_own_package.net:build")}
    for name in ("parts", "more"):
        write("x = 2\n", f"my_own_package/{name}.py")
        prints.add(network.fingerprint("my_own_package.net:build"))
    assert len(prints) == 3


@pytest.mark.parametrize(("folder", "follows"), [("site-packages", False), ("src", True)])
def test_a_fingerprint_leaves_out_other_packages_that_are_installed(folder, follows, write):
    """A wheel lies beside torch: reading all of its sources took minutes before an ablation's first step."""
    write(
        "from big_library import layers\nfrom .parts import x\ndef build(): pass\n",
        f"{folder}/net_in_{folder[:4]}/net.py",
    )
    write("x = 1\n", f"{folder}/net_in_{folder[:4]}/parts.py")
    write("", f"{folder}/net_in_{folder[:4]}/__init__.py")
    write("", f"{folder}/big_library/__init__.py")
    write("x = 1\n", f"{folder}/big_library/layers.py")
    sys.path.insert(0, folder)
    name = f"net_in_{folder[:4]}.net:build"
    one = network.fingerprint(name)
    write("x = 2\n", f"{folder}/big_library/layers.py")
    assert (network.fingerprint(name) != one) is follows
    write("x = 2\n", f"{folder}/net_in_{folder[:4]}/parts.py")
    assert network.fingerprint(name) != one


# Sizes


def test_a_shared_matrix_counts_once_and_a_frozen_one_not_at_all():
    net = network.build("gpt", {"layers": 1, "heads": 1, "width": 8, "bias": False}, V, T, 0, CPU)
    assert network.parameters(net) == V * 8 + T * 8 + 8 * 24 + 8 * 8 + 2 * 8 * 32 + 3 * 8
    net.position.weight.requires_grad_(False)
    assert network.parameters(net) == V * 8 + 8 * 24 + 8 * 8 + 2 * 8 * 32 + 3 * 8


def test_operations_are_counted_as_by_hand():
    width, layers, rows = 16, 2, 5
    net = network.build("gpt", {"layers": layers, "heads": 2, "width": width}, V, T, 0, CPU)
    products = layers * 12 * width * width + V * width  # multiplications per token of all linear layers
    attention = layers * 2 * T * width  # all pairs of positions: scores and mixing
    expected = 3 * 2 * rows * T * (products + attention)
    counted = network.count_flops(net, rows, T, V)
    assert counted == (expected, "counted")
    assert network.flops(net, rows, T, V) == expected
    assert network.flops_per_token(net, T, V) == expected / (rows * T)


def test_an_lstms_operations_are_counted():
    net = network.build("lstm", {"layers": 2, "width": 16}, V, T, 0, CPU)
    per_token = 2 * (2 * 4 * 16 * 16) + V * 16
    counted = network.count_flops(net, 3, T, V)
    assert counted.how == "counted"
    assert counted.amount == pytest.approx(6 * 3 * T * per_token, rel=0.02)  # the first state needs no gradient


def test_operations_are_estimated_where_they_cannot_be_counted():
    class Stubborn(Table):
        def forward(self, tokens_BT, segments_BT):
            return self.table(tokens_BT) * float(self.table.weight.sum() > -1e9)

    assert network.count_flops(Stubborn(), 2, T, V) == (6.0 * V * V * 2 * T, "estimated")
    assert network.count_flops(Table(), 2, T, V).how == "estimated"  # no matrix product at all


# The check


class Table(nn.Module):
    """Logits by a table: causal, trainable, nothing else."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(V, V)

    def forward(self, tokens_BT, segments_BT):
        return self.table(tokens_BT)


class Leak(Table):
    """Each position of `reader` sees `ahead` positions further."""

    def __init__(self, reader, ahead, longer_than=0, size=1.0):
        super().__init__()
        self.reader, self.ahead, self.longer_than, self.size = reader, ahead, longer_than, size

    def forward(self, tokens_BT, segments_BT):
        out_BTV = self.table(tokens_BT)
        length = tokens_BT.shape[1]
        reader = self.reader(length)
        if length > self.longer_than and reader + self.ahead < length:
            out_BTV = out_BTV.clone()
            out_BTV[:, reader] += self.size * out_BTV[:, reader + self.ahead].detach()
        return out_BTV


def refused(net, **more):
    with pytest.raises(DiagnoseError) as caught:
        network.check(net, V, T, **more)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", ["gpt", "lstm"])
@pytest.mark.parametrize("context", [1, 2, 40])
def test_ours_pass(name, context):
    small = {"layers": 1, "width": 16} | ({"heads": 2} if name == "gpt" else {})
    net = network.build(name, small, V, context, 0, CPU)
    net.train()
    flags = {n: (n != "drop") for n, _ in net.named_modules()}
    net.drop.eval()
    state, before = {k: v.clone() for k, v in net.state_dict().items()}, torch.get_rng_state()
    network.check(net, V, context, segments=True)
    assert {n: m.training for n, m in net.named_modules()} == flags
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, state[k]) for k, value in net.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in net.parameters())


@pytest.mark.parametrize(
    ("leak", "said"),
    [
        (Leak(lambda _: 0, 1), "position 0 changes with tokens from position 1 on (counted from 0, rows of 32)"),
        (Leak(lambda _: 7, 20), "position 7 changes with tokens from position 27 on"),
        (Leak(lambda _: 30, 1), "position 30 changes with tokens from position 31 on"),
        (Leak(lambda n: n // 2, 1), "position 16 changes with tokens from position 17 on"),
        (
            Leak(lambda n: n // 2, 1, 32),
            "position 20 changes with tokens from position 21 on (counted from 0, rows of 40)",
        ),
        (Leak(lambda n: n // 4, 1, 32), "position 10 changes with tokens from position 11 on"),
        (Leak(lambda n: n - 2, 1, 32), "position 38 changes with tokens from position 39 on"),
        (Leak(lambda _: 5, 2, 0, 1e-3), "position 5 changes with tokens from position 7 on"),
    ],
)
def test_a_look_into_the_future_is_refused_by_its_first_position(leak, said):
    message = refused(leak)
    assert message.startswith("the network Leak lets the future through: its output at")
    assert said in message


@pytest.mark.parametrize("where", [1, 5, 16, 31, 33, 38])
def test_every_cut_is_tried(where):
    assert f"position {where - 1} " in refused(Leak(lambda _: where - 1, 1))


def test_a_leak_behind_a_zero_initialised_projection_shows():
    class Zeroed(Table):
        def __init__(self):
            super().__init__()
            self.gate = nn.Parameter(torch.zeros(V))

        def forward(self, tokens_BT, segments_BT):
            x_BTV = self.table(tokens_BT)
            return x_BTV + self.gate * x_BTV.roll(-1, 1)

    net = Zeroed()
    assert "lets the future through" in refused(net)
    assert not net.gate.any()  # and is zero again


def test_a_mean_over_the_row_is_a_leak():
    class Centred(Table):
        def forward(self, tokens_BT, segments_BT):
            x_BTV = self.table(tokens_BT)
            return x_BTV - x_BTV.mean(1, keepdim=True)

    assert "position 0 changes with tokens from position 31 on" in refused(Centred())


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        (lambda self, t, s: self.table(t)[:, :-1], "returns shape (2, 39, 11); logits of shape (2, 40, 11) are wanted"),
        (lambda self, t, s: (self.table(t),), "returns a tuple; logits of shape (2, 40, 11) are wanted"),
        (lambda self, t, s: self.table(t).long(), "returns torch.int64; logits are floating-point numbers"),
        (lambda self, t, s: self.table(t) / 0, "returns NaN or infinite logits before any training"),
        (lambda self, t, s: self.table(t).log(), "returns NaN or infinite logits before any training"),
        (lambda self, t: self.table(t), "fails on tokens of shape (2, 40): TypeError: "),
        (lambda self, t, s: self.tabel(t), "fails on tokens of shape (2, 40): AttributeError: "),
        (
            lambda self, t, s: nn.functional.dropout(self.table(t), 0.1),
            "answers the same tokens differently in evaluation mode (a dropout that is always on?)",
        ),
        (
            lambda self, t, s: self.table(t) - self.table(t).mean(0, keepdim=True),
            "answers a row differently with other rows beside it in the batch",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(forward, said):
    net = type("Net", (Table,), {"forward": forward})()
    message = refused(net)
    assert message.startswith(f"the network Net {said}")
    assert net.training


def test_a_failing_network_is_told_with_its_own_line(write):
    path = write(GOOD.replace("self.table(tokens_BT)", "self.table(tokens_BT)[:, :, 0] @ self.table.weight"))
    net = network.build("mine.py:Net", {}, V, T, 0, CPU)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "return" in text)
    message = refused(net)
    assert "fails on tokens of shape (2, 40): RuntimeError: " in message
    assert message.endswith(f"({path}:{line})")


def test_nothing_to_train_is_refused():
    net = Table()
    net.table.weight.requires_grad_(False)
    assert refused(net) == "the network Table has no parameters that need gradients"


class Parted(Table):
    def __init__(self, scale=1.0):
        super().__init__()
        self.head, self.scale = nn.Linear(V, V), scale

    def features(self, tokens_BT, segments_BT):
        return self.table(tokens_BT)

    def forward(self, tokens_BT, segments_BT):
        return self.scale * self.head(self.table(tokens_BT))


def test_features_and_head_must_make_up_the_logits():
    network.check(Parted(), V, T)
    assert "does not return head(features(tokens, segments))" in refused(Parted(2.0))
    net = Parted()
    net.head = nn.Linear(V + 1, V)
    net.forward = lambda tokens_BT, segments_BT: net.table(tokens_BT)
    assert "has `features` and `head` that fail together: RuntimeError" in refused(net)


class Remembering(Table):
    def read_on(self, tokens_BT, memory):
        tokens_BT = tokens_BT if memory is None else torch.cat([memory, tokens_BT], 1)
        return self(tokens_BT, None)[:, 0 if memory is None else memory.shape[1] :], tokens_BT


def test_what_a_network_reads_on_must_be_what_it_reads_at_once():
    network.check(Remembering(), V, T)
    net = Remembering()
    net.read_on = lambda tokens_BT, memory: (2 * net(tokens_BT, None), memory)
    assert "has a `read_on` that gives other logits than reading all tokens at once" in refused(net)
    net.read_on = lambda tokens_BT: net(tokens_BT, None)
    assert "has a `read_on` that fails: TypeError" in refused(net)


def test_segments_are_checked_where_they_matter():
    class Summing(Table):
        def forward(self, tokens_BT, segments_BT):
            return self.table(tokens_BT).cumsum(1)

    network.check(Summing(), V, T)
    message = refused(Summing(), segments=True)
    assert "lets a segment see another (position 1 changes with the segment that ends at position 0)" in message


def test_a_vocabulary_of_one_passes():
    net = nn.Module()
    net.weight = nn.Parameter(torch.zeros(1))
    net.forward = lambda tokens_BT, segments_BT: net.weight * torch.ones(*tokens_BT.shape, 1)
    network.check(net, 1, 5)


# Compiling in place


def test_what_the_loss_calls_is_what_is_compiled(monkeypatch):
    seen = []
    monkeypatch.setattr(torch, "compile", lambda f: seen.append(f) or partial(f))
    net = Parted()
    names = [n for n, _ in net.named_parameters()]
    own = net.features
    network.compile_in_place(net, 100)
    assert seen == [own]
    assert [n for n, _ in net.named_parameters()] == names
    parts = chunked_loss.split(net)
    assert parts is not None
    assert parts[0] is net.__dict__["features"]
    whole = Table()
    monkeypatch.setattr(whole, "compile", lambda: seen.append(whole))
    network.compile_in_place(whole, 100)
    assert seen[-1] is whole
    recurrent = nn.Sequential(nn.LSTM(2, 2))
    network.compile_in_place(recurrent, 100)
    assert len(seen) == 2


def test_told_gives_type_and_message_alone_where_nothing_was_raised():
    assert registry.told(ValueError("x  y\nz")) == "ValueError: x y z"
    assert registry.told(ValueError()) == "ValueError"


def test_the_same_code_with_the_same_settings_is_checked_once(tiny, monkeypatch):
    calls = []
    monkeypatch.setattr(preparation, "_checked", set())
    monkeypatch.setattr(preparation.network, "check", lambda net, *_, **more: calls.append((net, more)))
    for more in ({}, {"run.seed": 1}, {"optimizer.lr": 0.5}, {"model.layers": 3}, {"batches.mask": "document"}):
        setup = preparation.set_up(Recipe.load("quick", {**tiny, **more}))
        setup.check(setup.network())
    assert [given for _, given in calls] == [{"segments": False}, {"segments": False}, {"segments": True}]


def test_a_network_that_was_refused_is_refused_again(tiny, monkeypatch):
    monkeypatch.setattr(preparation, "_checked", set())
    setup = preparation.set_up(Recipe.load("quick", tiny))
    for _ in range(2):
        with pytest.raises(DiagnoseError, match="has no parameters"):
            setup.check(nn.Identity())

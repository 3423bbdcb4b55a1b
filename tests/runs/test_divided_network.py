"""One network divided between two processes (FSDP2 over gloo): the steps of processes that each hold it whole."""

import signal
from types import SimpleNamespace

import pytest
import torch
from pretend_cuda import pretended
from run_fixture import tensors
from test_several_processes import assert_close, ended, start, the_run

from diagnose.config.recipe import Recipe
from diagnose.errors import DiagnoseError
from diagnose.runs import run_tables, runner, store
from diagnose.training import device, network, processes, sharding

SHARD = {"run.shard": "on"}
STEPS = 60


@pytest.fixture(scope="module")
def given(tiny):
    """Return overrides of a run whose matrices three processes cannot divide evenly, and sums over all weights.

    Without biases: those of keys have no gradient but rounding, which the optimizer makes as large as any other.
    """
    more = {
        "model.layers": 1,
        "model.width": 20,
        "model.heads": 2,
        "model.bias": False,
        "model.dropout": 0.1,
        "optimizer.clip": 0.1,
    }
    return tiny | more | {"batches.accumulate": 2, "loss.weight_decay": 0.01, "run.processes": 2, "budget.steps": STEPS}


@pytest.fixture(scope="module")
def divided(given, tmp_path_factory):
    """Return the run of two processes that divide the network."""
    folder = tmp_path_factory.mktemp("divided") / "here"
    (code, out, _), (other, silent, lines) = ended(start(folder, given | SHARD))
    assert (code, other, silent, lines) == (0, 0, "", [])
    assert '"status": "finished"' in out
    return the_run(folder)


@pytest.mark.trains
def test_a_divided_network_takes_the_steps_of_whole_ones(divided, given, tmp_path):
    """Losses, the norm before clipping, readings and weights differ by rounding; `auto` holds it whole on a CPU."""
    codes = [code for code, _, _ in ended(start(tmp_path / "whole", given))]
    assert codes == [0, 0]
    assert_close(divided, the_run(tmp_path / "whole"))
    assert [store.recipe_of(path).run.shard for path in (divided, the_run(tmp_path / "whole"))] == ["on", "off"]
    clip = Recipe.load(divided / "recipe.toml").optimizer.clip
    assert (run_tables.read_table(divided, "steps").gradient_norm > clip).any()
    assert_close(divided, runner.train(divided / "recipe.toml", runs=tmp_path / "alone"))  # one process, both shares


@pytest.mark.trains
def test_checkpoints_are_whole_and_a_run_goes_on_with_another_number_of_processes(divided, given, tmp_path):
    group = start(tmp_path, given | SHARD)
    assert "step" in group[0].first_line()
    for process in group:
        process.send_signal(signal.SIGINT)
    (first, _, lines), (other, _, silent) = ended(group)
    assert (first, other, silent) == (130, 0, [])
    assert "--resume to go on" in lines[-1]
    path = the_run(tmp_path)
    assert {name: t.shape for name, t in tensors(path).items()} == {n: t.shape for n, t in tensors(divided).items()}
    assert 0 < len(run_tables.read_table(path, "steps")) < STEPS
    alone = {key: value for key, value in given.items() if key != "run.processes"}
    ((code, _, told),) = ended(start(tmp_path, alone, "--resume", count=1))
    assert code == 2
    assert "begun with run.processes = 2, not 1: to go on with it, --set run.processes=2 --set run.shard=on" in told[-1]
    assert [code for code, _, _ in ended(start(tmp_path, given | SHARD, "--resume", count=3))] == [0, 0, 0]
    assert_close(the_run(tmp_path), divided)


@pytest.mark.trains
def test_a_divided_run_that_was_killed_goes_on_to_the_same_bits(divided, given, tmp_path):
    group = start(tmp_path, given | SHARD)
    assert "step" in group[0].first_line()
    group[1].kill()
    (code, out, lines), _ = ended(group)
    assert (code, out) == (1, "")
    assert lines[-1].startswith("diagnose: another process of this run has ended; the run goes on from its last")
    assert [code for code, _, _ in ended(start(tmp_path, given | SHARD, "--resume"))] == [0, 0]
    one, two = tensors(the_run(tmp_path)), tensors(divided)
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_what_excludes_dividing_is_refused_in_a_line():
    two = {"run.processes": 2, **SHARD}
    with pytest.raises(DiagnoseError, match=r"^run\.compile = on and run\.shard = on exclude each other$"):
        Recipe.load("quick", two | {"run.compile": "on"})
    with pytest.raises(DiagnoseError, match=r"^report\.noise_scale and run\.shard = on exclude each other$"):
        Recipe.load("quick", two | {"report.noise_scale": True})
    with pytest.raises(DiagnoseError, match=r"run\.shard would have no effect: one process holds the network whole"):
        Recipe.load("quick", SHARD)
    with pytest.raises(DiagnoseError, match=r"run\.shard = 'yes' is not known: auto, on, off"):
        Recipe.load("quick", {"run.processes": 2, "run.shard": "yes"})


def test_a_network_that_cannot_be_divided_is_refused_in_a_line(monkeypatch):
    here, net = torch.device("cpu"), torch.nn.Linear(2, 2)
    sharding.refuse(net, here)
    for wrong, where, why in (
        (torch.nn.LSTM(2, 2), here, "LSTM has recurrent layers of torch, which keep hold of whole weights"),
        (net, torch.device("mps"), "not on mps, only on a CPU or CUDA devices"),
        (
            torch.nn.ParameterDict({"w": torch.nn.Parameter(torch.zeros(2, 3).T)}),
            here,
            "w does not lie in memory in one",
        ),
        (torch.nn.ParameterDict({"scale": torch.nn.Parameter(torch.tensor(1.0))}), here, "the parameter scale is a"),
    ):
        with pytest.raises(DiagnoseError, match="cannot be divided among processes") as found:
            sharding.refuse(wrong, where)
        assert why in str(found.value)
    monkeypatch.setattr(sharding, "_fsdp", SimpleNamespace)
    with pytest.raises(DiagnoseError, match=r"torch \S+ has no FSDP2 that adds gradients up.*run\.shard=off keeps"):
        sharding.refuse(net, here)


@pytest.mark.parametrize(
    ("billions", "count", "samples", "found"),
    [(1, 2, True, "off"), (4, 2, False, "on"), (4, 1, True, "off"), (3, 2, True, "on"), (3, 2, False, "off")],
)
def test_what_does_not_fit_a_card_whole_is_divided(billions, count, samples, found):
    """A card of 80 GB; 20 bytes a parameter: itself, its gradient, two moments, and the gradient once more as sent.

    And 4 more of a second network that writes samples.
    """
    asked = {"run.device": "cuda", "report.sample": samples, **({"run.processes": count} if count > 1 else {})}
    with pretended():
        resolved = device.resolve(Recipe.load("quick", asked), 1e18, billions * 10**9)
    assert resolved.run.shard == found
    assert resolved.run.compile == "off" or found == "off"


def test_shares_are_taken_in_turn_and_some_count_nothing(monkeypatch):
    monkeypatch.setattr(processes, "_group", [processes.Group(1, 3)])
    assert processes.own_shares(4) == [1]
    assert processes.own_shares(4, as_many=True) == [1, None]
    assert processes.settings({"run.processes": 4}) == {"run.processes": 4}
    assert processes.settings({"run.processes": 2, **SHARD}) == {"run.processes": 2}
    with pytest.raises(DiagnoseError, match=r"torchrun started 3, of which some would have nothing to do: start fewer"):
        processes.settings({"run.processes": 2})


def test_members_of_lists_that_share_nothing_are_blocks():
    net = network.build("gpt", {"layers": 2, "width": 16, "heads": 2}, 31, 16, 0, torch.device("cpu"))
    assert sharding._blocks(net) == list(net.blocks)
    net.blocks[1].widen.weight = net.blocks[0].widen.weight
    assert sharding._blocks(net) == []

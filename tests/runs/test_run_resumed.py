import shutil
import signal

import pytest
from run_fixture import assert_same, refusal, signalled, stopped

from diagnose.config.recipe import Recipe
from diagnose.runs import run_tables, runner, store
from diagnose.training.preparation import set_up

pytestmark = pytest.mark.usefixtures("quick_probes")


@pytest.mark.parametrize(
    ("number", "times"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGHUP, 1), (signal.SIGINT, 2)]
)
def test_ctrl_c_leaves_a_run_that_goes_on(number, times, whole, given, runs):
    before = signal.getsignal(number)
    error = refusal("quick", given, runs=runs, watch=signalled(number, times), exit_code=130)
    assert signal.getsignal(number) is before
    (path,) = store.entries(runs)
    assert str(path) in str(error)
    assert "--resume" in str(error)
    assert store.read_json(path / "status.json") == {"format": 1, "state": "interrupted", "why": "stopped by the user"}
    assert not (runs / "latest").exists()
    if times == 1:  # the step was taken to its end and kept
        assert store.read_json(path / "checkpoint" / "state.json")["step"] == 6
        assert len(run_tables.read_table(path, "steps")) == 6
    told = []
    assert runner.train("quick", given, runs=runs, resume=True, watch=told.append) == path
    assert next(one.step for one in told if one.doing == "training") == (7 if times == 1 else 1)
    read = [row["step"] for one in told if one.doing == "going on" for row in one.readings]
    assert set(read) == ({3, 5, 6} if times == 1 else set())
    assert_same(path, whole)


@pytest.mark.parametrize("doing", ["validating", "reading the validation text"])
def test_ctrl_c_while_reading_leaves_a_run_that_goes_on(doing, whole, given, runs):
    def watch(progress):
        if progress.doing == doing and progress.step >= 6:
            signal.raise_signal(signal.SIGINT)

    refusal("quick", given, runs=runs, watch=watch, exit_code=130)
    path = runner.train("quick", given, runs=runs, resume=True)
    assert len(store.entries(runs)) == 1
    assert_same(path, whole)


def test_resume_goes_on_with_the_newest_unfinished_run_of_the_same_recipe(plain, runs):
    first = runner.train("quick", plain, runs=runs, resume=True)  # none is there: one is begun
    assert store.state(first) == "finished"
    old, new = stopped(plain, runs), stopped(plain, runs)
    other = stopped(plain | {"run.seed": 1}, runs)
    assert len({first, old, new, other}) == 4
    with store.locked(new):  # another process is at it
        store.write_status(new, "running")
        assert runner.train("quick", plain, runs=runs, resume=True) == old
    assert runner.train("quick", plain, runs=runs, resume=True) == new
    begun = runner.train("quick", plain, runs=runs, resume=True)  # none is left
    assert begun not in {first, old, new, other}
    assert store.state(other) == "interrupted"
    assert runner.newest_finished(runs, set_up(Recipe.load("quick", plain)).digest) == begun


def test_damage_to_one_run_is_told_when_that_run_is_wanted_and_never_else(plain, runs):
    path = stopped(plain, runs)
    other = shutil.copytree(path, runs / "20000101-000000-other")
    (other / "environment.json").write_text('{"format": 1, "digest": "another"}')
    (other / "status.json").write_text("{")
    (path / "checkpoint" / "model.safetensors").write_bytes(b"x" * 100)
    error = refusal("quick", plain, runs=runs, resume=True)
    assert "checkpoint" in str(error)
    assert "is damaged" in str(error)


def test_damage_to_a_run_of_another_recipe_stops_nobody(plain, runs):
    path = stopped(plain, runs)
    other = shutil.copytree(path, runs / "99990101-000000-other")
    (other / "environment.json").write_text('{"format": 1, "digest": "another"}')
    (other / "status.json").write_text("{")
    assert runner.train("quick", plain, runs=runs, resume=True) == path


def test_a_recipe_object_is_held_to_the_same_rules(plain, runs):
    recipe = Recipe.load("quick", plain)
    assert "loss.padding would have no effect" in str(refusal(recipe, {"loss.padding": "target"}, runs=runs))

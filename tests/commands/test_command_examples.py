"""Each command of docs/how-to/ablate-your-command.md runs as it stands there, but for fewer seeds."""

import re
import shlex
from importlib.util import find_spec
from itertools import pairwise

import pytest
from command_fixture import ROOT, diagnose, record

PAGE = (ROOT / "docs" / "how-to" / "ablate-your-command.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
LINES = [block.replace("\\\n", " ").strip() for block in BLOCKS]
COMMANDS = [shlex.split(part) for lines in LINES for part in re.split(r"\n(?=diagnose )", lines)]
RUNS = [command for command in COMMANDS if "--run" in command and "--dry-run" not in command]
NEEDS = {"own_lightning_cli": "jsonargparse", "own_hydra_app": "hydra", "own_clm": "transformers"}


def example_of(command):
    return re.search(r"examples/(\w+)\.py", command[command.index("--run") + 1])[1]


def test_the_page_has_an_example_of_each_kind():
    assert {example_of(command) for command in RUNS} == {"own_train", "own_nanogpt", *NEEDS}


def is_for_make_commands(command):
    """Whether `make commands` alone runs it: one script's commands but for that of the fewest runs, and two scripts
    whose libraries each of four runs imports for seconds."""
    script = example_of(command)
    return script in ("own_lightning_cli", "own_clm") or (script == "own_train" and "--axis-file" not in command)


def kinds():
    return [
        pytest.param(
            command, id=f"{place}-{example_of(command)}",
            marks=[pytest.mark.slow] if is_for_make_commands(command) else [],
        )
        for place, command in enumerate(RUNS)
    ]  # fmt: skip


@pytest.mark.parametrize("command", kinds())
def test_a_command_of_the_page_runs(command, tmp_path):
    needed = NEEDS.get(example_of(command))
    if needed and find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for name, text in re.findall(r"```toml title=\"(\S+)\"\n(.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert command[0] == "diagnose"
    fewer = ["2" if before == "--seeds" else part for before, part in pairwise(command)]
    ended = diagnose(tmp_path, *fewer, timeout=600)
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = record(tmp_path)
    assert found["carried"]["failed"] == []
    assert {len(arm["seeds"]) for arm in found["arms"]} == {2}
    by_example = "--read" not in command
    assert found["design"]["layout"] == ("crossed" if by_example else "runs")
    assert "did you mean" not in ended.stderr
    assert all(len(set(arm["scores"][0]["per_seed"])) == 2 for arm in found["arms"]), "a seed is not used"


def test_the_examples_say_the_same_commands():
    for command in RUNS:
        if "--axis" in command:
            text = (ROOT / "examples" / f"{example_of(command)}.py").read_text(encoding="utf-8")
            assert f"diagnose ablate --axis {command[command.index('--axis') + 1]}" in text

"""Each line of `diagnose` in the documentation is run as it stands there, but for small networks and two seeds."""

import shlex
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

import pytest
from command_fixture import diagnose as run_diagnose
from command_fixture import environment
from pages_fixture import ENTRIES, GUIDES, ROOT, commands, plain
from ray_fixture import cluster_of
from reader_fixture import filled
from slurm_fixture import one_node

sys.path.insert(0, str(ROOT / "tools"))
from first_hour import STEPS

HOUR = {plain(step.command) for step in STEPS}
ELSEWHERE = {  # which lines another test runs
    "tests/cli/test_demo.py": lambda _, line: line == "diagnose demo",
    "tests/test_first_hour.py": lambda page, line: page == "docs/first-hour.md" and line in HOUR,
    "tests/commands/test_command_examples.py": lambda page, line: (
        page == "docs/how-to/ablate-your-command.md" and "--run" in line and "--dry-run" not in line
    ),
}
SMALL = {
    "budget.steps": 6, "report.interval": 2, "model.layers": 1, "model.width": 32, "model.heads": 2,
    "tokenizer.vocab_size": 400, "batches.context": 32, "batches.size": 8, "run.threads": 1, "run.device": "cpu",
}  # fmt: skip
FEWER = {"--seeds": "2", "--cpus-per-task": "1", "--mem": "500M"}  # of what a command is given
STANDS_FOR = {"brisk-river-7": "second", "8791c76c": "7935cfed"}  # what a reader's own tracker would call it
WITH_A_PAGE = ("train", "ablate", "audit", "loss-gap", "compare", "report")


@dataclass(frozen=True)
class Outcome:
    """What the pages say of a line: its exit code, words that it prints, what it needs."""

    code: int = 0
    says: str = ""
    needs: str = ""
    slow: bool = False


OUTCOMES = {  # the first that fits; what fits none ends well, and says something
    "diagnose log wandb": Outcome(2, "second"),  # several runs: they are named
    "diagnose log train.log --data akjv": Outcome(1, slow=True),  # counts n-grams of the whole Bible
    "diagnose log t*": Outcome(1),  # in these something is found
    "diagnose log monday.log *": Outcome(1),
    "diagnose audit *": Outcome(1, "split-overlap-exact"),
    "diagnose loss-gap * --fail-over *": Outcome(1, "leak is "),
    "diagnose * --engine ray *": Outcome(needs="ray", slow=True),
    "diagnose * --engine slurm *": Outcome(needs="slurm", slow=True),
    "diagnose ablate --axis context --seeds 5 --jobs 2": Outcome(slow=True),
    "diagnose * --report-to wandb": Outcome(needs="wandb", slow=True),
    "diagnose * --report-to tensorboard": Outcome(needs="tensorboard"),
}


def expected(line):
    return next((outcome for pattern, outcome in OUTCOMES.items() if fnmatchcase(line, pattern)), Outcome())


def elsewhere(page, line):
    """Return which other test runs a line of a page; "" for none."""
    return next((test for test, fits in ELSEWHERE.items() if fits(page.relative_to(ROOT).as_posix(), line)), "")


def lines():
    """Return each line once; what the field guide alone shows is measured by its own tool, and slow."""
    ours = {
        pages: {line for page, line in commands(pages) if line.startswith("diagnose ") and not elsewhere(page, line)}
        for pages in (tuple(GUIDES), tuple(ENTRIES))
    }
    guides, entries = ours.values()
    slow = {line: line not in guides or expected(line).slow for line in guides | entries}
    return [pytest.param(line, id=line[:90], marks=[pytest.mark.slow] if slow[line] else []) for line in sorted(slow)]


def smaller(words):
    """Return a command's words with which it trains little; the rest stays as it stands."""
    words = [STANDS_FOR.get(word, word) for word in words]
    fewer = [words[0], *(FEWER.get(before, word) for before, word in pairwise(words))]
    fewer += ["--seeds", "2"] if words[0] == "ablate" and "--seeds" not in words else []
    fewer += ["--budget", "20000 tokens"] if "loss-gap" in words and "runs/latest" in words else []
    if words[0] not in ("train", "ablate") or "--run" in words:
        return fewer
    given = {key: value for key, value in SMALL.items() if key.partition(".")[2] not in words}  # an axis sets its own
    if "--gpus-per-task" in words:  # there is no card to train on: what would be asked for is shown
        fewer.append("--dry-run")
        del given["run.device"]
    text = {} if "--data" in words else {"data.corpus": "file", "data.path": "verses.txt"}
    kept, rest = [], iter(fewer)
    for word in rest:
        pair = [word, next(rest)] if word == "--set" else [word]
        kept += [] if pair[-1].partition("=")[0] in given or pair[-1].startswith("budget.") else pair
    return [*kept, *(word for key, value in (given | text).items() for word in ("--set", f"{key}={value}"))]


@pytest.fixture(scope="module")
def place(tmp_path_factory, verses, tiny):
    return filled(tmp_path_factory.mktemp("reader"), verses, tiny)


@pytest.fixture
def reader(place, tmp_path, monkeypatch, quick_probes):
    """Return a folder with all that a reader has, for one line."""
    shutil.copytree(place, tmp_path, symlinks=True, dirs_exist_ok=True)
    for name in ("PATH", "PYTHONPATH"):
        monkeypatch.setenv(name, environment()[name])
    return tmp_path


def pages(words, printed):
    """Return the pages that a command has printed the paths of."""
    told = [Path(line) for line in printed.splitlines() if line.endswith(".html") and " " not in line]
    paged = (words[0] in WITH_A_PAGE and not {"--dry-run", "--markdown"} & {*words}) or "--page" in words
    assert bool(told) == paged, printed
    return told


@contextmanager
def what_it_needs(needs, request, patch):
    """Start a cluster, or see to it that a tracker is there and writes here alone."""
    if needs == "slurm":
        with one_node(request.getfixturevalue("tmp_path_factory").mktemp("slurm")):
            yield
    elif needs == "ray":
        pytest.importorskip("ray")
        with cluster_of(patch) as (found, _):
            patch.setenv("RAY_ADDRESS", found.address)  # what `--address auto` finds
            yield
    else:
        if needs:
            pytest.importorskip(needs)
            request.getfixturevalue("offline")
        yield


@pytest.fixture
def run(reader, diagnose):
    """Run a command: here, or in a process of its own where a cluster is asked."""

    def call(*words):
        if "--engine" not in words:
            return diagnose(*words)
        ended = run_diagnose(reader, *words, timeout=300)
        return ended.returncode, ended.stdout, ended.stderr

    return call


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("line", lines())
def test_a_line_of_the_documentation_does_what_it_says(line, reader, run, request, monkeypatch):
    outcome = expected(line)
    words = smaller(shlex.split(line)[1:])
    with what_it_needs(outcome.needs, request, monkeypatch):
        code, printed, told = run(*words)
    assert code == outcome.code, told
    assert outcome.says in printed + told
    assert printed or code == 2
    assert "Traceback" not in told
    for page in pages(words, printed):
        assert (reader / page).stat().st_size > 5_000


def test_lines_that_other_tests_run_are_there_and_so_are_the_tests():
    found = {elsewhere(page, line) for page, line in commands(GUIDES)} - {""}
    assert found == set(ELSEWHERE)
    assert all((ROOT / test).exists() for test in found)


def test_what_is_expected_is_expected_of_some_line():
    known = [line for _, line in commands(GUIDES)]
    assert [pattern for pattern in OUTCOMES if not any(fnmatchcase(line, pattern) for line in known)] == []

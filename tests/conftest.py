"""Small real text, a cache of its own, and recipes that train in a second."""

import importlib
import os
import signal
import sys
from importlib.util import find_spec

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported, here and in every process that tests start
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # processes that tests start would each compile the package anew
sys.dont_write_bytecode = False
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # torch up to 2.9 looks once, at a process's first product

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

signal.signal(signal.SIGINT, signal.default_int_handler)  # for fixtures of modules: see `interrupts_as_in_a_terminal`
settings.register_profile("patient", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("patient")  # a busy machine is no failure
pytest.register_assert_rewrite("reader_fixture", "run_fixture", "stats_fixture", "tracker_fixture")


# Files whose tests train networks or start processes, for a second and more each: `make test-fast` leaves them out.
TRAIN = frozenset({
    "test_explain_gap", "test_networks_compared", "test_examples", "test_gallery", "test_run_killed", "test_recorder",
    "test_goldens", "test_gap", "test_gap_cases", "test_planted", "test_axis_meaning", "test_engine_pool",
    "test_gap_where", "test_engine_slurm",
    "test_frameworks", "test_aa", "test_docs", "test_callbacks", "test_audit", "test_axes", "test_run_disks",
    "test_hostile_folders", "test_log_fuzz", "test_site", "test_native", "test_audit_planted", "test_explain_planted",
    "test_planted_effects", "test_factorial", "test_run_resumed", "test_noise_floor", "test_worker_path",
    "test_written_by_0_1", "test_engine_ray", "test_log_folders", "test_browser", "test_noise_scale", "test_compare",
    "test_run_on_card", "test_without_a_card", "test_fused_loss", "test_gpu_report", "test_gpu_stages",
    "test_clean_setups",
    "test_reliability", "test_surroundings", "test_sides_planted", "test_real_libraries", "test_documented_commands",
    "test_snippets", "test_own_command", "test_command_examples", "test_framework_causes", "test_eager_optimizer",
    "test_false_alarms", "test_reported_causes", "test_sides_given_wrong", "test_known_gaps", "test_fourth_newcomer",
    "test_eighth_round", "test_ninth_round", "test_fifth_round", "test_seventh_round", "test_fourth_round",
    "test_habits", "test_what_is_claimed", "test_cli", "test_run_records", "test_final_reading", "test_cards_elsewhere",
    "test_engine_kind", "test_verbatim", "test_start", "test_exports", "test_said",
})  # fmt: skip


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem not in TRAIN)  # long files first: none is left to one process at the end
    for item in items:
        if item.path.stem in TRAIN:
            item.add_marker(pytest.mark.trains)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory):
    """Keep tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIAGNOSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def verses(tmp_path_factory):
    """Return a file of the first user's corpus: its first 150 verses, one a line."""
    from pythonbible_akjv.plain_text_readers_bible import bible

    text, ends = bible.scripture_content, bible.verse_end_indices
    lines = [" ".join(text[a : ends[v]].split()) for v, a in list(bible.verse_start_indices.items())[:150]]
    path = tmp_path_factory.mktemp("text") / "verses.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny(verses):
    """Return overrides of the recipe `quick`: 12 steps of a network of 2 layers, with a print every 5."""
    return {
        "data.corpus": "file", "data.path": str(verses), "tokenizer.vocab_size": 400, "model.layers": 2,
        "model.width": 32, "model.heads": 2, "model.dropout": 0.1, "batches.context": 32, "batches.size": 8,
        "budget.steps": 12, "report.interval": 5, "report.sample": False, "run.threads": 1, "run.device": "cpu",
    }  # fmt: skip


@pytest.fixture(autouse=True)
def interrupts_as_in_a_terminal():
    """Let Ctrl-C raise and a closed terminal be heard: a background job, as CI may be, has them ignored."""
    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    before |= {number: signal.signal(number, signal.SIG_DFL) for number in [getattr(signal, "SIGHUP", None)] if number}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def quick_probes():
    """Let runs probe little text, and seldom."""
    from run_fixture import quickly

    with quickly():
        yield


@pytest.fixture(scope="module")
def frameworks():
    """Skip without them; not at the top of a file, for each process that collects would import them for seconds."""
    for name in ("lightning", "transformers"):
        pytest.importorskip(name)


@pytest.fixture(scope="session")
def given(tiny):
    """Return a recipe that has much to lose: dropout, accumulation, a decaying average, a sample at each print."""
    return tiny | {"batches.accumulate": 2, "batches.size": 4, "report.train": "ema", "report.sample": True}


@pytest.fixture(scope="session")
def whole(given, tmp_path_factory):
    """Return a run of it that nothing disturbed."""
    from run_fixture import quickly

    from diagnose import api

    with quickly():
        return api.train("quick", given, runs=tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def plain(tiny):
    """Return a recipe that has little to lose: 7 steps of one layer."""
    return tiny | {"model.layers": 1, "budget.steps": 7}


@pytest.fixture
def runs(tmp_path):
    """Return the folder of the runs of a test; it is not there yet."""
    return tmp_path / "runs"


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """Have each tracker write below the test's folder, and nowhere else."""
    ended = importlib.import_module("wandb").teardown if find_spec("wandb") else bool
    if find_spec("mlflow"):
        importlib.import_module("mlflow").set_tracking_uri(None)  # which takes the variable out, too
    for name, value in {
        "WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(tmp_path), "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_TRACKING_URI": f"file:{tmp_path}/mlruns",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    ended()  # wandb keeps the environment of the test before
    yield
    ended()


@pytest.fixture
def forked_workers(monkeypatch):
    """Fork what `--jobs` starts: for what is told of runs in several processes, not for the processes themselves."""
    from engine_fixture import ForkedWorker

    from diagnose.engines import local_pool

    monkeypatch.setattr(local_pool, "_process", ForkedWorker)


@pytest.fixture
def diagnose(tmp_path, monkeypatch, capsys):
    """Run the command in this process, in an empty folder; returns exit code, standard output, standard error."""
    from diagnose import __main__

    monkeypatch.chdir(tmp_path)

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["diagnose", *map(str, args)])
        code = 0
        try:
            __main__.main()
        except SystemExit as error:
            code = error.code or 0
        out = capsys.readouterr()
        return code, out.out, out.err

    return call

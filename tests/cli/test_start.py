"""What a command imports: those that only read what is stored import no torch, nor what else they can do without."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from report_fixture import write_ablation

INSTALLED = str(Path(sys.executable).parent / "diagnose")
WATCHED = ("torch", "pandas", "scipy", "seaborn", "matplotlib", "matplotlib.pyplot", "pyarrow", "numpy", "tokenizers")
CODE = """
import contextlib, io, json, sys
from diagnose.__main__ import main
calls, watched, seen = json.loads(sys.argv[1]), json.loads(sys.argv[2]), []
for call in calls:
    sys.argv[1:] = call
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main()
    seen.append([name for name in watched if name in sys.modules])
print(json.dumps(seen))
"""


def test_a_command_imports_what_it_needs(tmp_path):
    ablation = write_ablation(tmp_path / "runs")
    lines = [f"step {i} train loss {3 - i / 100:.3f} val loss {3.2 - i / 100:.3f}" for i in range(60)]
    (tmp_path / "a.log").write_text("\n".join(lines))
    expected = {  # in this order, for what one imports the next ones have
        ("--help",): set(),
        ("--version",): set(),
        ("explain", "mode"): {"numpy"},
        ("runs", "--runs", str(ablation.parent)): {"numpy"},
        ("report", str(ablation)): {"numpy", "pyarrow", "matplotlib"},
        ("log", "a.log"): {"numpy", "pyarrow", "matplotlib", "scipy"},
    }
    call = [sys.executable, "-c", CODE, json.dumps(list(expected)), json.dumps(WATCHED)]
    made = subprocess.run(call, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert [set(names) for names in json.loads(made.stdout)] == list(expected.values())
    assert len(list((tmp_path / "reports").glob("*.html"))) == 1


def test_the_package_imports_nothing_before_it_is_used():
    code = "import sys; import diagnose; print(*{'torch', 'numpy', 'pydantic', 'typer', 'rich'} & set(sys.modules))"
    made = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert made.stdout.strip() == ""


def test_a_runs_tables_are_written_and_read_by_columns_without_pandas(tmp_path):
    code = """
import sys
from pathlib import Path
from diagnose.runs import run_tables
run_tables.write_table(Path(), "readings", {"kind": ["probe", "final"], "step": [1, 2], "loss": [2.5, float("nan")]})
print(run_tables.read_columns(Path(), "readings", ("kind", "step", "loss")), "pandas" in sys.modules)
"""
    made = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert made.stdout == "{'kind': ['probe', 'final'], 'step': [1, 2], 'loss': [2.5, None]} False\n"


@pytest.mark.parametrize("command", [[INSTALLED], [sys.executable, "-m", "diagnose"]], ids=["installed", "module"])
def test_a_run_ends_without_a_word_of_its_libraries(tiny, tmp_path, command):
    given = [f"--set={key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in tiny.items()]
    call = [*command, "train", "--recipe", "quick", "--quiet", *given]
    done = subprocess.run(call, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout
    assert done.stderr == ""  # "nanobind: leaked", where Python does not free what triton's binding holds

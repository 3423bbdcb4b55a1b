"""Every example of the gallery runs, its answer names what was planted, and docs/gallery.md has a section for it."""

import ast
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMED = {
    "01_dropout": ("mode", "dropout is on for one and off for the other"),
    "02_batch_norm": ("mode", "batch norm is in training mode for one"),
    "03_label_smoothing": ("objective", "the objectives of the two sides differ"),
    "04_eval_forgotten": (None, "taken in training mode"),
    "05_padding_counted": ("residual", "averaged over padding too"),
    "06_accumulated_means": ("reduction", "averaged over targets in different ways"),
    "07_running_mean": ("lag", "mean over steps in which the network still improved"),
    "08_duplicates": ("unseen", "training has seen 60% of this data"),
    "09_overlapping_windows": ("mode", "training has seen this data"),
    "10_easier_half": ("unseen", "easier than training's"),
    "11_augmentation": ("collation", "training's batches are not its plain data"),
    "12_same_first_batch": ("draw", "the reported validation batch is harder"),
    "13_bits_and_nats": ("residual", "in bits instead of nats"),
    "15_in_batch_negatives": ("batching", "the loss depends on the batch"),
    "16_averaged_weights": ("weights", "of different weights"),
    "14_shuffling_off": ("recency", "averages batches that were harder than earlier ones"),
}


def gallery():
    spec = importlib.util.spec_from_file_location("gallery_page", ROOT / "tools" / "gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGE = gallery()


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in PAGE.cases()])
def test_an_answer_names_the_planted_cause(path):
    gap = PAGE.main_of(path)()
    leads, words = NAMED[path.stem]
    values = {term["id"]: term["value"] or 0.0 for term in gap.record["terms"]}
    assert sum(values.values()) == pytest.approx(gap.gap, rel=1e-9, abs=1e-12)
    assert leads in (None, max(values, key=lambda name: abs(values[name]))), values
    assert words in PAGE.answer(gap)


def test_the_page_has_a_section_for_each_case():
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert len(PAGE.cases()) >= 12
    for path in PAGE.cases():
        title = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).split("\n")[0].rstrip(".")
        part = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
        assert f"`python examples/gallery/{path.name}`" in part, path.name
        assert NAMED[path.stem][1] in part


def test_an_example_prints_its_ledger_from_the_shell(capsys):
    import runpy
    import sys

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PAGE.FOLDER))
        patch.delitem(sys.modules, "common", raising=False)
        runpy.run_path(str(PAGE.FOLDER / "02_batch_norm.py"), run_name="__main__")
    assert "batch norm is in training mode for one" in " ".join(capsys.readouterr().out.split())

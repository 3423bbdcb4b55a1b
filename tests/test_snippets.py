"""The blocks of Python in the documentation are run, page by page, and what comes of each is what the page says.

A story gives a page's first block what the page leaves to its reader, and looks at what each block came to before the
next one is run. A block without a story fails.
"""

import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from pages_fixture import PAGES, ROOT, blocks
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from diagnose import GapRecorder, Side, explain_gap

ELSEWHERE = {"docs/first-hour.md": "tests/test_first_hour.py"}  # scripts of their own
SHOWN = {page.relative_to(ROOT).as_posix(): [one for _, one in blocks("python", [page])] for page in PAGES}
SHOWN = {page: found for page, found in SHOWN.items() if found}
READ = torch.no_grad()


def squares(model, batch):
    return (model(batch[0]) - batch[1]).square().mean(1)


def regression(dropout=0.5):
    """Return a model, and loaders of 320 training and 160 validation samples that it knows nothing of."""
    torch.manual_seed(0)
    x = torch.randn(480, 8)
    model = nn.Sequential(nn.Linear(8, 32), nn.Dropout(dropout), nn.Linear(32, 1))
    data = TensorDataset(x, x.sum(1, keepdim=True) / 4)
    parts = [torch.utils.data.Subset(data, range(a, b)) for a, b in ((0, 320), (320, 480))]
    return model, *(DataLoader(part, 32) for part in parts)


@READ
def by_hand(model, loader, loss, passes=1):
    """Return the mean loss of a loader's samples, in whichever mode the model is."""
    return torch.cat([loss(model, batch) for _ in range(passes) for batch in loader]).mean().item()


def values(gap):
    """Return a ledger's terms by name, which sum to its gap."""
    found = dict(zip(gap.terms.id, gap.terms.value, strict=True))
    assert sum(value for value in found.values() if pd.notna(value)) == pytest.approx(gap.gap)
    return found


def readme(tiny, patch):
    model, train, val = regression()
    own = {"model": model, "train_loader": train, "val_loader": val, "train_loss": squares, "val_loss": squares}
    yield own
    gap = own["gap"]
    found, mode = values(gap), gap.terms[gap.terms.id == "mode"].iloc[0]
    assert gap.gap == pytest.approx(0.358 - 0.486)
    on = by_hand(model.train(), train, squares, passes=200)
    off = [by_hand(model.eval(), loader, squares) for loader in (train, val)]
    assert mode.low < off[0] - on < mode.high
    assert found["unseen"] == pytest.approx(off[1] - off[0], abs=1e-5)
    assert list(gap.terms.columns) == ["id", "value", "low", "high", "share", "basis", "how"]
    assert Path("gap.html").stat().st_size > 5_000

    quick_is(tiny, patch)
    yield own
    assert (own["run"] / "recipe.toml").exists()
    assert sum(term["value"] or 0 for term in own["gap"]["terms"]) == pytest.approx(own["gap"]["gap"])
    ablation = own["ablation"]
    assert len(ablation.runs) % 3 == 0
    assert all(len(table) for table in (ablation.to_frame(), ablation.scores, ablation.curves))


def quick_is(tiny, patch):
    """Let the recipe `quick` be one that trains in a second."""
    import tomli_w

    from diagnose.config import overrides

    tables = {}
    for key, value in tiny.items():
        tables.setdefault(key.partition(".")[0], {})[key.partition(".")[2]] = value
    shipped = Path("recipes")
    shipped.mkdir()
    (shipped / "quick.toml").write_text(tomli_w.dumps(tables), encoding="utf-8")
    patch.setattr(overrides, "files", lambda _: shipped.resolve())


def own_loop(tiny, patch):
    torch.manual_seed(0)
    x = torch.randn(480, 8)
    data = list(zip(x.split(32), x[:, :4].argmax(1).split(32), strict=True))
    model = nn.Linear(8, 4)
    own = {"F": F, "model": model, "train_loader": data[:10], "val_loader": data[10:]}
    yield own
    found, train_loss, val_loss = values(own["gap"]), own["train_loss"], own["val_loss"]
    smooth, plain = (by_hand(model, data[:10], loss) for loss in (train_loss, val_loss))
    assert found["objective"] == pytest.approx(plain - smooth, abs=1e-5)
    assert found["unseen"] == pytest.approx(by_hand(model, data[10:], val_loss) - plain, abs=1e-5)

    own |= {"batches": data[:10] * 12, "val_batch": data[10], "y": data[10][1]}
    yield own
    gap = own["gap"]
    means = [train_loss(model, batch).mean().item() for batch in own["batches"][20:]]
    assert gap.record["reported"]["train"] == pytest.approx(sum(means) / 100)
    assert gap.record["reported"]["val"] == pytest.approx(val_loss(model, data[10]).mean().item())
    assert values(gap)["residual"] == pytest.approx(0, abs=1e-6)

    yield own
    assert own["audited"].record["exit_code"] in (0, 3)
    assert own["audited"].findings == []
    assert Path("audit.html").exists()


def rules(audited):
    return [finding["rule"] for finding in audited.findings]


def audit(tiny, patch):
    own = {}
    yield own
    shown = re.findall(r"^(?:error|warning) ([\w-]+)$", text_of("audit"), re.MULTILINE)
    assert rules(own["audited"]) == shown
    assert Path("audit.html").exists()

    yield own
    assert rules(own["audited"]) == ["future-visible"]
    assert own["audited"].findings[0]["severity"] == "error"


def ci(tiny, patch):
    def objective(model, batch):
        return (model(batch["x"]) - batch["y"]).square().mean(1)

    torch.manual_seed(0)
    rows = [{"x": torch.randn(8), "y": torch.randn(1), "patient": place // 4} for place in range(480)]
    train, val, leaking = (DataLoader(rows[a:b], 32) for a, b in ((0, 320), (320, 480), (240, 400)))
    own = {"model": nn.Linear(8, 1), "objective": objective, "train_loader": train, "val_loader": val}
    yield own
    tests = [own[name] for name in ("test_the_split", "test_no_patient_is_on_both_sides", "test_the_metric")]
    for test in tests:
        test()
    own["val_loader"] = leaking
    told = []
    for test in tests:
        with pytest.raises(AssertionError) as failed:
            test()
        told.append(f"AssertionError: {failed.value}")
    assert told[0] == " ".join(re.search(r"```text\n(.*?)```", text_of("ci"), re.DOTALL)[1].split())
    assert "groups" in told[1]
    assert "split-overlap-exact" in told[2]


def text_of(name):
    return (ROOT / "docs" / "how-to" / f"{name}.md").read_text(encoding="utf-8")


def compare_results(tiny, patch):
    rows = [
        {"model": model, "seed": seed, "id": of, "accuracy": float((7 * of + seed) % (2 + place) > 0)}
        for place, model in enumerate(("small", "large"))
        for seed in range(3)
        for of in range(40)
    ]
    table = pd.DataFrame(rows)
    own = {"table": table}
    yield own
    means = table.groupby("model").accuracy.mean()
    effects = own["effects"]
    assert effects.loc[0, "value"] == pytest.approx(means["large"] - means["small"])
    assert Path("compare.html").stat().st_size > 5_000


def report_scores(tiny, patch):
    from diagnose.runs.score_file import VARIABLE, read_scores

    patch.setenv(VARIABLE, "scores")
    yield {"losses": torch.tensor([0.5, 0.25, 1.5]), "ids": ["a", "b", "c"]}
    table, names = read_scores(Path("scores"))
    assert (names, dict(zip(table.example, table.loss, strict=True))) == (["loss"], {"a": 0.5, "b": 0.25, "c": 1.5})


def hugging_face(tiny, patch):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    torch.manual_seed(0)
    sizes = {"vocab_size": 128, "n_positions": 32, "n_embd": 32, "n_layer": 1, "n_head": 2}
    config = transformers.GPT2Config(**sizes, bos_token_id=None, eos_token_id=None)
    steps = [(torch.arange(24) * by + by) % 128 for by in torch.randint(1, 128, (96,))]
    rows = [{"input_ids": row, "labels": row} for row in steps]
    args = transformers.TrainingArguments(
        "out", max_steps=24, logging_steps=8, eval_strategy="steps", eval_steps=24, report_to=[], use_cpu=True,
        learning_rate=1e-2, save_strategy="no", disable_tqdm=True, dataloader_pin_memory=False,
    )  # fmt: skip
    own = {
        "Trainer": transformers.Trainer, "model": transformers.GPT2LMHeadModel(config), "args": args,
        "train": rows[:64], "val": rows[64:],
    }  # fmt: skip
    yield own
    (callback,) = [one for one in own["trainer"].callback_handler.callbacks if isinstance(one, own["GapCallback"])]
    logged = own["trainer"].state.log_history
    read = {key: row[key] for row in logged for key in ("loss", "eval_loss") if key in row}
    assert callback.gap.gap == pytest.approx(read["eval_loss"] - read["loss"], abs=2e-4)  # what is logged is rounded
    assert values(callback.gap)["mode"] < 0
    assert (Path("out") / "gap.html").exists()


def lightning(tiny, patch):
    lightning = pytest.importorskip("lightning")

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = regression()[0]

        def training_step(self, batch, _):
            loss = squares(self.net, batch).mean()
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch):
            self.log("val_loss", squares(self.net, batch).mean())

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 1e-3)

    _, train, val = regression()
    own = {"lightning": lightning, "module": Net(), "train_loader": train, "val_loader": val}
    yield own
    trainer = own["trainer"]
    (callback,) = [one for one in trainer.callbacks if isinstance(one, own["GapCallback"])]
    read = {name: float(value) for name, value in trainer.callback_metrics.items()}
    assert callback.gap.gap == pytest.approx(read["val_loss"] - read["train_loss"], abs=1e-5)
    assert values(callback.gap)["residual"] == pytest.approx(0, abs=1e-5)
    assert Path("gap.html").exists()


def other_libraries(tiny, patch):
    class Called(nn.Module):
        """A network that is told of training by its call, and has a regulariser of its own."""

        losses = (torch.tensor(0.125),)

        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2), nn.Softmax(1))

        def forward(self, x, training=False):
            return self.net.train(training)(x)

    x = torch.randn(96, 8)
    batches = list(zip(x.split(16), (x.sum(1) > 0).long().split(16), strict=True))
    own = {
        "F": F, "Side": Side, "explain_gap": explain_gap, "GapRecorder": GapRecorder, "Callback": object,
        "model": Called(), "train_loader": batches[:4], "val_loader": batches[4:],
        "history": {"loss": [1.25, 0.75], "val_loss": [1.0, 0.875]},
    }  # fmt: skip
    yield own
    assert own["gap"].gap == pytest.approx(0.125)
    assert values(own["gap"])["mode"] != 0
    net, loss = SimpleNamespace(module_=own["model"]), own["loss"]
    yield own
    callback = own["Gap"]()
    callback.on_train_begin(net)
    callback.on_epoch_begin(net)
    for training, some in ((True, batches[:4]), (False, batches[4:])):
        net.module_.train(training)
        for batch in some:
            with torch.no_grad():
                callback.on_batch_end(net, batch, training, loss(net.module_, batch).mean())
    callback.on_train_end(net)
    gap = explain_gap(net.module_, loss, loss, recorder=callback.recorder)
    assert values(gap)["residual"] == pytest.approx(0, abs=1e-5)


def api(tiny, patch):
    own = {}
    yield own
    assert {"Side", "explain_gap", "ablate"} <= own.keys()


STORIES = {
    "README.md": readme, "docs/your-own-loop.md": own_loop, "docs/reference/api.md": api,
    "docs/how-to/audit.md": audit, "docs/how-to/ci.md": ci, "docs/how-to/compare-results.md": compare_results,
    "docs/how-to/ablate-your-command.md": report_scores, "docs/how-to/hugging-face.md": hugging_face,
    "docs/how-to/lightning.md": lightning, "docs/how-to/other-libraries.md": other_libraries,
}  # fmt: skip


def test_every_page_that_shows_python_has_a_story():
    assert set(STORIES) | set(ELSEWHERE) == set(SHOWN)
    assert all((ROOT / test).exists() for test in ELSEWHERE.values())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("page", STORIES)
def test_the_blocks_of_a_page_do_what_it_says(page, tiny, tmp_path, monkeypatch, quick_probes):
    monkeypatch.chdir(tmp_path)
    story = STORIES[page](tiny, monkeypatch)
    for place, block in enumerate(SHOWN[page], 1):
        own = next(story, None)
        assert own is not None, f"block {place} of {page} has no story"
        exec(compile(block, f"{page}, block {place}", "exec"), own)
    assert next(story, None) is None, f"{page} has fewer blocks than its story"

"""Libraries that own the loop, by small stand-ins of their shapes (docs/LOG.md, 2026-11-30): batches, hooks, losses."""

import os
import subprocess
import sys
import warnings
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import torch
from test_callbacks import QUIET, terms
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from diagnose import Side, explain_gap
from diagnose.gap.factor_fits import FactorFit
from diagnose.gap.recorder.packing import copied, nbytes, pack, unpack
from diagnose.gap.reported import _or_fallen

pytestmark = [pytest.mark.filterwarnings("ignore")]


@dataclass
class Graphs:
    """Graphs joined into one, as chemprop's: what its construction takes is no field of what it makes."""

    parts: InitVar[list]
    nodes: torch.Tensor = field(init=False)
    owner: torch.Tensor = field(init=False)

    def __post_init__(self, parts):
        self.nodes = torch.cat(parts)
        self.owner = torch.repeat_interleave(torch.arange(len(parts)), torch.tensor([len(part) for part in parts]))


class Molecules(NamedTuple):
    """A batch of graphs with a target each."""

    graphs: Graphs
    extra: torch.Tensor | None
    y: torch.Tensor


def molecules(some):
    return Molecules(Graphs([nodes for nodes, _ in some]), None, torch.stack([y for _, y in some]))


def data(count, seed):
    draw = torch.Generator().manual_seed(seed)
    some = [torch.randn(int(torch.randint(2, 6, (1,), generator=draw)), 10, generator=draw) for _ in range(count)]
    return DataLoader([(nodes, nodes.sum(0)[:1]) for nodes in some], 8, collate_fn=molecules)


class Unscaled(nn.Module):
    """A layer that puts predictions back to the data's scale in evaluation mode."""

    def forward(self, x):
        return x if self.training else 10 * x + 5


def module(*, unscales=False):
    import lightning

    class Net(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.net, self.head = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Dropout(0.3)), nn.Linear(16, 1)
            self.scale = Unscaled() if unscales else nn.Identity()

        def loss(self, batch):
            hidden = torch.zeros(len(batch.y), 16).index_add(0, batch.graphs.owner, self.net(batch.graphs.nodes))
            return F.mse_loss(self.scale(self.head(hidden)), batch.y)

        def training_step(self, batch, _):
            loss = self.loss(batch)
            self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.y))
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", self.loss(batch), batch_size=len(batch.y))

        def on_validation_model_eval(self):
            self.eval()
            self.scale.train()

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 1e-2)

    return Net()


@pytest.fixture(autouse=True)
def _lightning():
    pytest.importorskip("lightning")


def trained(net, folder, callback=None):
    import lightning

    trainer = lightning.Trainer(default_root_dir=folder, callbacks=[callback] if callback else [], **QUIET)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer.fit(net, data(48, 1), data(24, 2))
    return net, [str(one.message) for one in caught]


def test_a_batch_whose_construction_takes_what_it_does_not_hold(tmp_path):
    from diagnose.lightning import GapCallback

    callback = GapCallback()
    net, said = trained(module(), tmp_path, callback)
    assert not [line for line in said if line.startswith("diagnose:") or "ambiguous collection" in line]
    assert callback.gap is not None
    other, _ = trained(module(), tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), other.parameters(), strict=True))


def test_parts_that_validation_leaves_in_training_mode_are_so_in_what_is_read(tmp_path):
    from diagnose.lightning import GapCallback

    callback = GapCallback()
    net, _ = trained(module(unscales=True), tmp_path, callback)
    found = callback.gap.record
    plain = GapCallback()
    trained(module(), tmp_path, plain)
    assert found["reported"] == plain.gap.record["reported"]
    for one, two in zip(found["terms"], plain.gap.record["terms"], strict=True):
        assert (one["value"] is None) == (two["value"] is None)
        assert one["value"] is None or one["value"] == pytest.approx(two["value"], abs=1e-5)
    assert net.training
    assert net.scale.training


def test_a_batch_that_holds_a_column_of_names(tmp_path):
    from test_callbacks import loaders, net

    named = [{"x": x, "y": y, "columns": pd.Index(["a", "b"])} for x, y in loaders()[0]]
    inner = net()
    inner.loss = lambda batch: F.cross_entropy(inner.net(batch["x"]), batch["y"])
    import lightning

    from diagnose.lightning import GapCallback

    callback = GapCallback()
    whole = DataLoader(named, batch_size=None)
    lightning.Trainer(default_root_dir=tmp_path, callbacks=[callback], **QUIET).fit(inner, whole, whole)
    assert terms(callback.gap)["residual"] == pytest.approx(0, abs=1e-2)


def test_the_memory_of_a_batch_with_a_column():
    batch = {"x": torch.zeros(3), "columns": pd.Series(["a", "b"])}
    assert nbytes(batch) == 12
    assert copied(batch)["columns"] is batch["columns"]


def test_a_named_tuple_stays_one_in_a_record():
    batch = Molecules(torch.ones(2), None, torch.zeros(2))
    assert type(copied(batch)) is Molecules
    held = []
    back = unpack(pack(batch, held), {str(k): tensor for k, tensor in enumerate(held)})
    assert torch.equal(back.y, batch.y)
    assert back.extra is None
    assert len(back) == 3


def test_a_mean_over_earlier_steps_is_no_other_unit():
    """A smoothed loss (fastai's) is larger than what the last weights give; bits are, too."""
    wide = FactorFit("in bits", 0.49, 0.45, 0.53, 0.46)
    sharp = FactorFit("in bits", 0.49, 0.485, 0.495, 0.487)
    below = FactorFit("divided by 2", 0.17, 0.15, 0.19, 0.16)
    assert _or_fallen([wide], 0.34) == []
    assert len(_or_fallen([sharp], 0.34)) == 2
    assert _or_fallen([below], 0.34) == [below]


def test_a_decaying_mean_without_a_record_names_no_unit():
    torch.manual_seed(0)
    x = torch.randn(640, 8)
    y = (x.sum(1) > 0).long()
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 2))
    batches = list(zip(x.split(32), y.split(32), strict=True))

    def loss(m, batch):
        return F.cross_entropy(m(batch[0]), batch[1], reduction="none")

    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for batch in batches * 4:
        optimizer.zero_grad()
        loss(model, batch).mean().backward()
        optimizer.step()
    model.train()
    with torch.no_grad():
        read = torch.stack([loss(model, batch).mean() for _ in range(20) for batch in batches]).mean().item()
    for factor in (1.3, 1.44, 1.6):
        gap = explain_gap(model, Side(batches, loss, reported=factor * read), Side(batches[:5], loss))
        assert "bits" not in gap.verdict


def test_a_title_does_not_call_unexplained_what_the_verdict_names(tmp_path):
    torch.manual_seed(0)
    x = torch.randn(64, 8)
    batches = list(zip(x.split(16), (x.sum(1) > 0).long().split(16), strict=True))
    model = nn.Linear(8, 2)

    def loss(m, batch):
        return F.cross_entropy(m(batch[0]), batch[1], reduction="none")

    with torch.no_grad():
        read = torch.cat([loss(model, batch) for batch in batches]).mean().item()
    gap = explain_gap(model, Side(batches, loss, reported=read / 4), Side(batches, loss))
    assert "divided by 4" in gap.verdict
    page = Path(gap.to_html(tmp_path / "gap.html")).read_text(encoding="utf-8")
    assert "How a reported loss was averaged or scaled makes up most of the gap" in page
    assert "What is not explained" not in page


KERAS = """
from keras import Sequential, layers, utils
import torch
from diagnose import Side, explain_gap
utils.set_random_seed(0)
model = Sequential([layers.Input((8,)), layers.Dense(16, "relu"), layers.Dropout(0.4), layers.Dense(2)])
x = torch.randn(64, 8)
batches = [(x[:32], x[:32].sum(1).gt(0).long()), (x[32:], x[32:].sum(1).gt(0).long())]
def loss(m, batch):
    return torch.nn.functional.cross_entropy(m(batch[0]), batch[1], reduction="none")
gap = explain_gap(model, Side(batches, loss), Side(batches, loss))
print([note for note in gap.record["notes"] if "training=model.training" in note])
print("training mode" in str(gap))
"""


def test_a_keras_model_that_is_called_without_training(tmp_path):
    pytest.importorskip("keras")
    notes, mode = run(KERAS, tmp_path, KERAS_BACKEND="torch")[-2:]
    assert "its dropout is off in either mode" in notes
    assert mode == "False"


def test_the_other_distribution_of_lightning_alone(tmp_path):
    """Darts and neuralforecast bring `pytorch_lightning` without `lightning`."""
    pytest.importorskip("pytorch_lightning")
    script = "import sys; sys.modules['lightning'] = None; from diagnose.lightning import GapCallback; "
    script += "import pytorch_lightning as pl; print(issubclass(GapCallback, pl.Callback))"
    assert run(script, tmp_path)[-1] == "True"


def run(script, folder, **environment):
    more = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False, cwd=folder,
        env=os.environ | more | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()

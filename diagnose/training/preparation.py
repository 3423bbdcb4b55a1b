"""What a recipe comes to before a run starts: text, tokens, rows, steps, operations.

Several arms and seeds of an ablation share what they have in common: a corpus, a tokenizer and a token stream are
made once and kept in the cache.
"""

from __future__ import annotations

import json
import math
import platform
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from diagnose.data import corpus, overlap, split, stream, tokenizer
from diagnose.data.cache import cache_folder, digest, entry
from diagnose.errors import DiagnoseError, nearest
from diagnose.records.run_records import CorpusRecord, Derived, Environment, OverlapRecord, SplitRecord
from diagnose.training import batches, device, network, processes
from diagnose.training.trainer import TrainingPlan, peak_learning_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from diagnose.config.recipe import DataConfig, Recipe, TokenizerConfig

PACKAGES = ("torch", "tokenizers", "numpy", "pandas", "safetensors")
PROMPT_WORDS = 4  # of a validation document, given to every arm to go on from
_checked: set[str] = set()  # networks and their settings that passed the check in this process


@dataclass(frozen=True)
class PreparedText:
    """A corpus, its split and its tokens."""

    corpus: corpus.Corpus
    split: split.Split
    tokenizer: Tokenizer
    stream: stream.Stream

    @property
    def vocabulary(self) -> int:
        """Tokens that a network must be able to predict."""
        return tokenizer.vocabulary_size(self.tokenizer)


@dataclass(frozen=True)
class Setup:
    """Everything that is known of a run before its first step.

    Attributes:
        recipe: resolved: nothing in it says `auto`, and what its network does not take is gone.
        text: corpus, split, tokenizer, stream.
        course: rows and length of training.
        validation: rows of the validation text.
        derived: what follows from the recipe.
        dropped: keys that the recipe carried and its parts do not use.
        digest: 16 hex digits of recipe, data and network code; equal digests mean the same run.
    """

    recipe: Recipe
    text: PreparedText
    course: TrainingPlan
    validation: batches.BatchPlan
    derived: Derived
    dropped: tuple[str, ...]
    digest: str

    def network(self, where: torch.device | None = None) -> torch.nn.Module:
        """Build the network, on the run's device unless told otherwise, initialised from its own stream."""
        return build(self.recipe, self.text.vocabulary, where or device.find(self.recipe.run.device))

    @property
    def divides(self) -> bool:
        """Whether the processes that train divide the network among them; one that trains alone holds it whole."""
        return self.recipe.run.shard == "on" and processes.group().count > 1

    def prepare(self) -> torch.device:
        """Set this process up for the run: threads and the like may have been set for another since."""
        return device.prepare(self.recipe, self.derived.flops_per_step)

    def check(self, net: torch.nn.Module) -> None:
        """Refuse a network that cannot be measured; the same code with the same settings is checked once in a process.

        Raises:
            DiagnoseError: see `network.check`.
        """
        recipe, device_type = self.recipe, next(net.parameters(), torch.empty(0)).device.type
        masked = recipe.tables()["batches"].get("mask") == "document"
        this = digest(*_made_of(recipe, self.text.vocabulary), masked, device_type)
        if this not in _checked:
            network.check(net, self.text.vocabulary, recipe.batches.context, segments=masked)
            _checked.add(this)

    def compile(self, net: torch.nn.Module) -> None:
        """Have the network compiled, where the recipe says so."""
        run, table = self.recipe.run, self.recipe.batches
        if run.compiles:
            targets = table.size * table.context // run.processes
            network.compile_in_place(net, targets * self.text.vocabulary, run)

    def scored_bytes(self) -> NDArray[np.int64]:
        """Return the UTF-8 bytes of each document that the canonical reading scores."""
        return self.text.corpus.sizes(self.text.split.scored)


@lru_cache(maxsize=4)
def read_text(data: DataConfig, tokens: TokenizerConfig) -> PreparedText:
    """Load a corpus, divide it, learn or load its tokenizer, and tokenise it; all of it kept in the cache."""
    cache = cache_folder()
    documents = corpus.load(data, cache)
    parts = split.split(documents, data)
    learned = tokenizer.for_run(tokens, documents, parts, cache)
    return PreparedText(documents, parts, learned, stream.tokenise(documents, learned, cache))


def build(recipe: Recipe, vocabulary: int, where: torch.device) -> torch.nn.Module:
    """Build a recipe's network on a device, initialised from its own stream."""
    settings = recipe.model.settings()
    return network.build(recipe.model.name, settings, vocabulary, recipe.batches.context, recipe.run.seed, where)


def set_up(recipe: Recipe, given: Iterable[str] = (), text: PreparedText | None = None) -> Setup:
    """Work out what a recipe comes to.

    Args:
        recipe: as read.
        given: keys that the user set; one that the network does not take is an error, another is dropped.
        text: instead of what the recipe says, for instance part of it.

    Raises:
        DiagnoseError: the text, the tokenizer or the network cannot be had as the recipe says.
    """
    device.find(recipe.run.device)
    recipe, dropped = _fit_network(recipe, set(given))
    text = text or read_text(recipe.data, recipe.tokenizer)
    bytes_V = torch.from_numpy(tokenizer.token_bytes(text.tokenizer).astype("int64"))
    derived = _derived(recipe, text)
    recipe = device.resolve(recipe, derived.flops or 0.0, derived.parameters)
    where = device.prepare(recipe, derived.flops_per_step)
    pad = tokenizer.marks(text.tokenizer)[1]
    train = batches.plan(recipe, text.stream, text.split, "train", pad, where)
    course = TrainingPlan(recipe, train, derived.steps, derived.learning_rate, bytes_V.to(where))
    validation = batches.plan(recipe, text.stream, text.split, "val", pad, where)
    prints = (text.corpus.fingerprint, text.split.fingerprint, network.fingerprint(recipe.model.name))
    digest = recipe.digest(*prints, tokenizer.fingerprint(text.tokenizer))
    return Setup(recipe, text, course, validation, derived, dropped, digest)


def _fit_network(recipe: Recipe, given: set[str]) -> tuple[Recipe, tuple[str, ...]]:
    """Keep those keys of `[model]` that the network takes."""
    builder = network.find(recipe.model.name)
    taken, rest = network.builder_settings(builder, recipe.model.settings())
    wrong = [key for key in rest if f"model.{key}" in given]
    if wrong:
        name = recipe.model.name
        hints = [f"model.{key}: the network '{name}' takes no such key{nearest(key, taken)}" for key in wrong]
        raise DiagnoseError("; ".join(hints))
    if not rest:
        return recipe, ()
    model = type(recipe.model)(name=recipe.model.name, **taken)
    return recipe.model_copy(update={"model": model}), tuple(f"model.{key}" for key in rest)


def _derived(recipe: Recipe, text: PreparedText) -> Derived:
    """Work out sizes: parameters, steps, tokens, UTF-8 bytes ("text") and operations per step and in all."""
    table = recipe.batches
    layout = batches.plan(recipe, text.stream, text.split, "train", 0, torch.device("cpu"))
    per_epoch = batches.steps_per_epoch(layout, table.accumulate)
    train_bytes = text.corpus.size(text.split.train)
    truncated = batches.truncated_targets(layout)
    per_step = table.size * table.accumulate * table.context
    tokens = (layout.targets - truncated) / per_epoch if table.loader == "padded" else float(per_step)
    text_per_step = tokens * train_bytes / layout.targets
    example = build(recipe, text.vocabulary, torch.device("cpu"))
    flops = table.size * table.accumulate * _flops_of_a_row(recipe, example, text.vocabulary)
    steps = _steps(recipe, {"epochs": 1 / per_epoch, "tokens": tokens, "text": text_per_step, "flops": flops})
    total = steps or 0
    return Derived(
        vocabulary=text.vocabulary,
        parameters=network.parameters(example),
        steps=steps,
        steps_per_epoch=per_epoch,
        tokens_per_step=tokens,
        text_per_step=text_per_step,
        flops_per_step=flops,
        flops=flops * total if steps else None,
        text=text_per_step * total if steps else None,
        share_of_training_text=text_per_step * total / train_bytes if steps else None,
        training_text=train_bytes,
        truncated_share=truncated / layout.targets,
        learning_rate=peak_learning_rate(recipe.optimizer, tokens),
        learned_from=tokenizer.learned_from(recipe.tokenizer, text.corpus, text.split, cache_folder()),
    )


def _flops_of_a_row(recipe: Recipe, example: torch.nn.Module, vocabulary: int) -> float:
    """Return the operations of a forward and backward pass over one row."""
    context = recipe.batches.context
    return counted_once("flops", recipe, vocabulary, lambda: network.flops(example, 1, context, vocabulary))


def counted_once(what: str, recipe: Recipe, vocabulary: int, count: Callable[[], float]) -> float:
    """Return what is counted of a recipe's network on tensors without data.

    It is counted once for a network's code and settings and kept in the cache: counting imports torch's compiler, which
    takes a second of every process.

    Args:
        what: its name in the cache.
        recipe: whose network.
        vocabulary: its tokens.
        count: counts it.
    """

    def write(folder: Path) -> None:
        (folder / f"{what}.json").write_text(json.dumps(count()), encoding="utf-8")

    folder = entry(cache_folder(), what, digest(*_made_of(recipe, vocabulary)), write)
    return float(json.loads((folder / f"{what}.json").read_text(encoding="utf-8")))


def _made_of(recipe: Recipe, vocabulary: int) -> tuple[object, ...]:
    """Return what a recipe's network is before it is trained, but for its first weights."""
    model = recipe.model
    return network.fingerprint(model.name), model.settings(), recipe.batches.context, vocabulary, torch.__version__


def _steps(recipe: Recipe, per_step: dict[str, float]) -> int | None:
    """Turn the budget into steps; None for seconds, which only the clock can tell."""
    unit, amount = recipe.budget.unit(), recipe.budget.amount()
    if unit == "seconds":
        return None
    return max(1, math.ceil(round(amount / per_step.get(unit, 1.0), 6)))


def version() -> str:
    """Return the version of diagnose that is installed."""
    return metadata.version("diagnose-training")


def environment(setup: Setup, given: Iterable[str], stack: tuple[int, ...] = ()) -> Environment:
    """Return what a run's record says of where it came from, what it comes to, and which seeds it is stacked with."""
    text, parts, loops = setup.text, setup.text.split, device.fused_loops()
    commit, dirty = source_commit()
    return Environment(
        version=version(),
        versions={"python": platform.python_version()}
        | {name: metadata.version(name) for name in PACKAGES}
        | device.card_versions(device.find(setup.recipe.run.device)),
        platform=f"{platform.system()} {platform.machine()}",
        device=_device_name(setup.recipe.run.device),
        threads=setup.recipe.run.threads,
        loops="fused" if loops and loops.in_use() and not stack else "torch",
        commit=commit,
        dirty=dirty,
        digest=setup.digest,
        corpus=CorpusRecord(
            name=text.corpus.name,
            title=text.corpus.title,
            fingerprint=text.corpus.fingerprint,
            documents=len(text.corpus),
            bytes=text.corpus.size(),
        ),
        split=_split_record(text),
        overlap=OverlapRecord.model_validate(overlap.overlap(text.corpus, parts, cache_folder()).record()),
        derived=setup.derived,
        given=tuple(sorted(given)),
        dropped=setup.dropped,
        sample_prompt=prompt(text),
        stack=stack,
    )


def _split_record(text: PreparedText) -> SplitRecord:
    parts = text.split
    amounts: dict[str, int] = {}
    for side in ("train", "val", "reserve", "scored"):
        documents = getattr(parts, side)
        amounts |= {f"{side}_documents": len(documents), f"{side}_bytes": text.corpus.size(documents)}
    return SplitRecord(kind=parts.kind, fingerprint=parts.fingerprint, scored=parts.scored_text, **amounts)


def prompt(text: PreparedText) -> str:
    """Return the opening of a validation document that every arm goes on from."""
    opening = text.corpus.text(int(text.split.scored[0]))[:400]
    ends = [i for i, c in enumerate(opening) if c.isspace()][:PROMPT_WORDS]
    return opening[: ends[-1]] if ends else opening[:20]


def _device_name(name: str) -> str:
    where = torch.device(name)
    if where.type == "cuda":
        return device.card_name(where)
    cpuinfo = Path("/proc/cpuinfo")
    if where.type == "cpu" and cpuinfo.exists():
        models = [line for line in cpuinfo.read_text(encoding="utf-8").split("\n") if line.startswith("model name")]
        if models:
            return f"{models[0].split(':', 1)[1].strip()} ({len(models)} cores)"
    return platform.processor() or name


@lru_cache(maxsize=1)
def source_commit() -> tuple[str, bool | None]:
    """Return the commit of the source tree that this package runs from, where it is one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return "", None
    try:
        run = [_git(root, *args) for args in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain"))]
    except (OSError, subprocess.SubprocessError):
        return "", None
    return run[0].strip(), bool(run[1].strip())


def _git(root: Path, *args: str) -> str:
    command = ["git", "-C", str(root), *args]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout  # noqa: S603

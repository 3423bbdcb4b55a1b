"""A `Recipe` is everything that determines a run, and nothing else: frozen, checked as a whole, kept as TOML.

Every key has a name `table.key` that `--set` uses too. All errors of a recipe are reported together, each with
the key and what is allowed there.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from diagnose.config.overrides import parse_settings, read_tables, shipped, shown
from diagnose.config.plain_values import not_plain
from diagnose.errors import DiagnoseError, nearest
from diagnose.records.schema import FORMAT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["Recipe", "merge", "parse_settings", "read_tables", "refuse_unused", "shipped", "unused"]


MOST_THREADS = 4096


def _number(value: object) -> object:
    """Refuse true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("input should be a number")  # noqa: TRY004 - pydantic collects ValueError alone
    return value


Number = Annotated[float, BeforeValidator(_number)]
Share = Annotated[Number, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1, strict=True)]
Positive = Annotated[Number, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[Number, Field(ge=0, allow_inf_nan=False)]


class ConfigTable(BaseModel):
    """A table of the recipe; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), defer_build=True)


class DataConfig(ConfigTable):
    """Which text, and what of it validation keeps.

    `split_seed` is apart from the run's seed: arms and seeds that are compared read the same validation documents.
    `scored` is what losses are read on; with "reserve" every split keeps the same documents aside for it.
    """

    corpus: Literal["akjv", "file"] = "akjv"
    path: str = ""
    documents: Literal["line", "paragraph", "file"] = "line"
    split: Literal["documents", "tail", "windows"] = "documents"
    split_seed: Annotated[int, Field(ge=0, strict=True)] = 0
    val_fraction: Annotated[Number, Field(gt=0, lt=1)] = 0.1
    scored: Literal["val", "reserve"] = "val"
    reserve: Annotated[Number, Field(gt=0, le=0.1)] = 0.01
    duplicates: Annotated[Number, Field(ge=0, le=1)] = 0.0


class TokenizerConfig(ConfigTable):
    """How text becomes tokens. `vocab_size` is a ceiling; the attained size is recorded."""

    kind: Literal["char", "word", "bpe"] = "char"
    path: str = ""
    vocab_size: Count = 4096


class BatchesConfig(ConfigTable):
    """What a step sees: `size` rows of `context` tokens, `accumulate` times."""

    loader: Literal["packed", "padded", "windows"] = "packed"
    context: Annotated[int, Field(ge=2, strict=True)] = 128
    size: Count = 64
    accumulate: Count = 1
    order: Literal["shuffled", "random", "sequential"] = "shuffled"
    mask: Literal["none", "document"] = "none"


class ModelConfig(ConfigTable):
    """Which network, by name, and the settings that its builder takes."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=(), defer_build=True)
    name: str = "gpt"

    def settings(self) -> dict[str, Any]:
        """Return every key but the name."""
        return dict(self.model_extra or {})


class OptimizerConfig(ConfigTable):
    """AdamW and its schedule. `warmup` is a share of the budget, `lr_floor` a share of the learning rate.

    `lr_factor` multiplies what the rule gives, so that a rule can be judged apart from its constant.
    """

    lr: Positive = 1e-3
    lr_factor: Positive = 1.0
    lr_rule: Literal["fixed", "linear", "sqrt"] = "fixed"
    lr_reference_tokens: Count = 524_288
    lr_floor: Annotated[Number, Field(ge=0, le=1)] = 0.1
    betas: tuple[Share, Share] = (0.9, 0.95)
    weight_decay: NotNegative = 0.1
    warmup: Share = 0.05
    schedule: Literal["cosine", "constant"] = "cosine"
    clip: NotNegative = 1.0


class LossConfig(ConfigTable):
    """What training minimises and logs. `padding`: not counted; predicted like a token; zero but in the mean."""

    label_smoothing: Share = 0.0
    weight_decay: NotNegative = 0.0
    padding: Literal["ignore", "target", "denominator"] = "ignore"
    mean: Literal["token", "sequence", "batch"] = "token"


class ReportConfig(ConfigTable):
    """What the run prints every `interval` steps: which training loss, which validation loss.

    `final` is what is read at the end: "whole" the whole validation text; "auto" too, where that costs little beside
    the training, and otherwise documents of it drawn at random, the same for all runs (`runs/probes.py`).
    """

    interval: Count = 100
    train: Literal["last", "interval", "ema", "epoch"] = "last"
    val: Literal["batch", "full"] = "batch"
    val_batches: Count = 1
    val_dropout: bool = False
    val_objective: Literal["plain", "training"] = "plain"
    val_precision: Literal["training", "fp32"] = "training"
    val_loader: Literal["training", "padded", "packed"] = "training"
    val_padding: Literal["ignore", "target", "denominator"] = "ignore"
    val_mean: Literal["token", "sequence", "batch"] = "token"
    sample: bool = True
    final: Literal["auto", "whole"] = "auto"
    noise_scale: bool = False


class BudgetConfig(ConfigTable):
    """When training ends: exactly one of these. `text` counts target bytes each time they are trained on."""

    epochs: Positive | None = None
    steps: Count | None = None
    tokens: Positive | None = None
    text: Positive | None = None
    flops: Positive | None = None
    seconds: Positive | None = None

    def unit(self) -> str:
        """Return the name of the one quantity that is set."""
        return next(name for name in BudgetConfig.model_fields if getattr(self, name) is not None)

    def amount(self) -> float:
        """Return how much of it."""
        return float(getattr(self, self.unit()))


class RunConfig(ConfigTable):
    """Where and how exactly it is computed. What `auto` resolves to is decided once and stored.

    Runs repeat bit for bit; on a CUDA device `deterministic = false` gives that up, and with it exact resuming and
    `--verify`, for kernels that may be faster. `compile = "fused"` has the compiler write the matrix products, too,
    with what follows them in the same kernel, takes the loss without writing logits, and keeps documents apart in the
    kernel of attention where no weights are dropped (CUDA and bf16 alone).
    `processes` is into how many shares the rows of each batch are divided, of which torchrun's processes take one each;
    a loss that is a mean of batches' means takes each share for a batch. `shard` is whether these processes also divide
    weights, gradients and moments among them.
    """

    seed: Annotated[int, Field(ge=0, strict=True)] = 0
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: Annotated[int, Field(ge=0, le=MOST_THREADS, strict=True)] = 0
    compile: Literal["auto", "on", "fused", "off"] = "auto"
    deterministic: bool = True
    processes: Count = 1
    shard: Literal["auto", "on", "off"] = "auto"

    @property
    def compiles(self) -> bool:
        """Whether steps are compiled; `auto` is not decided yet."""
        return self.compile in ("on", "fused")


class Recipe(ConfigTable):
    """Everything that determines a run.

    `about` says what the recipe is for and `assumptions` names the keys that its source does not state; neither
    changes the run.
    """

    about: str = ""
    assumptions: tuple[str, ...] = ()
    data: DataConfig = DataConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    batches: BatchesConfig = BatchesConfig()
    model: ModelConfig = ModelConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    loss: LossConfig = LossConfig()
    report: ReportConfig = ReportConfig()
    budget: BudgetConfig = BudgetConfig(epochs=1.0)
    run: RunConfig = RunConfig()

    @classmethod
    def load(cls, source: str | Path = "quick", overrides: Mapping[str, Any] | None = None) -> Recipe:
        """Read a recipe and change some of its keys.

        Args:
            source: the name of a recipe that ships (`diagnose recipes`) or the path of a TOML file.
            overrides: values by `table.key`; a budget replaces the recipe's.

        Raises:
            DiagnoseError: every mistake at once: unknown keys and values with the nearest known one, keys that
                the other settings make irrelevant, two budgets.
        """
        recipe = merge(read_tables(source), overrides or {})
        refuse_unused([recipe], overrides or {})
        return recipe

    def tables(self) -> dict[str, Any]:
        """Return the keys that determine the run, table by table; what other keys make irrelevant is absent."""
        full = self.model_dump(mode="json", exclude_none=True)
        skip = unused(self)
        given = {
            table: {k: v for k, v in rows.items() if f"{table}.{k}" not in skip}
            for table, rows in full.items()
            if isinstance(rows, dict)
        }
        return {table: rows for table, rows in given.items() if rows}

    def to_toml(self) -> str:
        """Return the recipe as TOML, fully resolved; `diagnose train --recipe FILE` repeats the run."""
        head = {"about": self.about} if self.about else {}
        if self.assumptions:
            head["assumptions"] = list(self.assumptions)  # type: ignore[assignment]
        return tomli_w.dumps({**head, **self.tables()})

    def digest(self, *more: str) -> str:
        """Return 16 hex digits of what determines the run; `more` adds fingerprints of data and code."""
        text = json.dumps([FORMAT, self.tables(), *more], sort_keys=True)
        return blake2b(text.encode(), digest_size=8).hexdigest()

    def with_values(self, values: Mapping[str, Any]) -> Recipe:
        """Return the recipe with other values, by `table.key`, checked as a whole."""
        return merge(self.model_dump(mode="json", exclude_none=True), values)


def merge(tables: Mapping[str, Any], overrides: Mapping[str, Any]) -> Recipe:
    """Return the recipe of these tables with some keys changed; a value of None puts a key back to its default.

    Raises:
        DiagnoseError: every mistake at once.
    """
    mistakes = []
    merged = {name: dict(rows) if isinstance(rows, dict) else rows for name, rows in tables.items()}
    set_budgets = (key for key, value in overrides.items() if key.startswith("budget.") and value is not None)
    budgets = [key for key in set_budgets if key.removeprefix("budget.") in BudgetConfig.model_fields]
    if len(budgets) > 1:
        mistakes.append(f"two budgets are given ({' and '.join(budgets)}); give one")
    if budgets:
        merged["budget"] = {}
    for key, value in overrides.items():
        table, _, name = key.partition(".")
        rows = merged.setdefault(table, {})
        if isinstance(rows, dict) and name:
            rows[name] = value
            if value is None:
                del rows[name]
        else:
            mistakes.append(f"'{key}' is no table.key")
    mistakes += [] if len(budgets) > 1 else _budget_mistake(merged)
    try:
        recipe = Recipe.model_validate(merged)
    except ValidationError as error:
        mistakes += [_sentence(dict(e), merged) for e in error.errors()]
    else:
        mistakes += _conflicts(recipe)
        if not mistakes:
            return recipe
    raise DiagnoseError("; ".join(mistakes))


def _budget_mistake(tables: Mapping[str, Any]) -> list[str]:
    """Say so where a recipe sets no budget or several (an override replaces the recipe's own)."""
    rows = tables.get("budget", {"epochs": 1.0})
    if not isinstance(rows, dict) or not rows.keys() <= BudgetConfig.model_fields.keys():
        return []
    given = sum(value is not None for value in rows.values())
    return [] if given == 1 else [f"budget: give exactly one of {', '.join(BudgetConfig.model_fields)}, not {given}"]


def _sentence(error: dict[str, Any], tables: Mapping[str, Any]) -> str:
    """Turn pydantic's error into one that names the key, its value and what is allowed."""
    path = [str(part) for part in error["loc"] if isinstance(part, str)]
    key = ".".join(path[:2])
    if error["type"] == "extra_forbidden":
        return _unknown(path)
    value = tables.get(path[0], {}).get(path[1]) if len(path) > 1 else tables.get(path[0])
    if error["type"] == "literal_error":
        allowed = _allowed(path)
        return f"{key} = {shown(value)} is not known: {', '.join(map(str, allowed))}" + _did_you_mean(value, allowed)
    message = error["msg"].removeprefix("Value error, ")
    return f"{key} = {shown(value)}: {message[0].lower()}{message[1:]}"


def _unknown(path: list[str]) -> str:
    if len(path) == 1:
        return f"unknown table [{path[0]}]{nearest(path[0], Recipe.model_fields)}"
    table = Recipe.model_fields[path[0]].annotation
    return f"unknown key {path[0]}.{path[1]}{nearest(path[1], getattr(table, 'model_fields', {}))}"


def _allowed(path: list[str]) -> tuple[Any, ...]:
    table = Recipe.model_fields[path[0]].annotation
    return tuple(getattr(table.model_fields[path[1]].annotation, "__args__", ()))  # type: ignore[union-attr]


def _did_you_mean(value: Any, allowed: tuple[Any, ...]) -> str:
    hint = nearest(str(value), map(str, allowed))
    return hint if hint.startswith("; did") else ""


def _conflicts(recipe: Recipe) -> list[str]:
    """List what no single key shows."""
    out = []
    if recipe.data.corpus == "file" and not recipe.data.path:
        out.append('data.corpus = "file" needs data.path (or --data FILE)')
    if recipe.data.split == "windows" and recipe.batches.loader != "windows":
        out.append('data.split = "windows" divides single samples and needs batches.loader = "windows"')
    if recipe.data.split == "windows" and recipe.report.val_loader != "training":
        out.append('data.split = "windows" has no validation documents of its own: report.val_loader = "training"')
    if recipe.data.duplicates and recipe.data.split == "windows":
        out.append("data.duplicates copies validation documents, of which the split windows has none")
    if recipe.batches.size % recipe.run.processes:
        out.append(
            f"batches.size = {recipe.batches.size} cannot be divided among {recipe.run.processes} processes: "
            "give a multiple of their number (--batch-size)"
        )
    if recipe.run.processes > 1 and recipe.budget.unit() == "seconds":
        out.append("a budget in seconds is one process's clock: several need budget.steps, tokens, text or epochs")
    if recipe.run.processes > 1 and recipe.run.shard == "on":
        compiled = f"run.compile = {recipe.run.compile}"
        lacking = {compiled: recipe.run.compiles, "report.noise_scale": recipe.report.noise_scale}
        out += [f"{what} and run.shard = on exclude each other" for what, is_set in lacking.items() if is_set]
    texts = {"data.path": recipe.data.path, "tokenizer.path": recipe.tokenizer.path, "model.name": recipe.model.name}
    return out + not_plain(recipe.model.settings(), texts)


def unused(recipe: Recipe) -> dict[str, str]:
    """Return the keys that the other settings make irrelevant, each with the reason."""
    data, batches, report = recipe.data, recipe.batches, recipe.report
    val_loader = batches.loader if report.val_loader == "training" else report.val_loader
    windows = data.split == "windows"
    reserves = windows or data.duplicates > 0 or data.scored == "reserve"
    rules = [
        (data.corpus != "file", "data.path", f"the corpus is {data.corpus}"),
        (data.corpus != "file", "data.documents", f"the corpus {data.corpus} has a document a verse"),
        (windows, "data.scored", "under the split windows the reserve is scored"),
        (not windows and data.scored == "val", "data.scored", "validation is scored as it is"),
        (not reserves, "data.reserve", f"the split {data.split} does not leak"),
        (data.split == "tail" and not reserves, "data.split_seed", "the split tail draws nothing"),
        (bool(recipe.tokenizer.path), "tokenizer.kind", "tokenizer.path names a ready tokenizer"),
        (bool(recipe.tokenizer.path), "tokenizer.vocab_size", "tokenizer.path names a ready tokenizer"),
        (not recipe.tokenizer.path, "tokenizer.path", "the tokenizer is learned"),
        (batches.loader == val_loader == "padded", "batches.mask", "a padded row holds one document"),
        (batches.loader != "padded", "loss.padding", f"the loader {batches.loader} pads nothing"),
        (recipe.optimizer.lr_rule == "fixed", "optimizer.lr_reference_tokens", "optimizer.lr_rule is fixed"),
        (recipe.optimizer.lr_factor == 1.0, "optimizer.lr_factor", "a factor of 1 changes nothing"),
        (report.final == "auto", "report.final", "it is auto unless told otherwise"),
        (not report.noise_scale, "report.noise_scale", "it is not measured unless that is asked for"),
        (recipe.run.deterministic, "run.deterministic", "runs repeat bit for bit unless told otherwise"),
        (recipe.run.device == "cpu", "run.deterministic", "on a CPU runs repeat bit for bit anyway"),
        (recipe.run.processes == 1, "run.processes", "one process takes each batch whole"),
        (recipe.run.processes == 1, "run.shard", "one process holds the network whole"),
        (recipe.optimizer.schedule == "constant", "optimizer.lr_floor", "optimizer.schedule is constant"),
        (report.val == "full", "report.val_batches", "report.val is full"),
        (val_loader != "padded", "report.val_padding", "validation is not padded"),
    ]
    return {key: reason for holds, key, reason in rules if holds}


def refuse_unused(recipes: list[Recipe], given: Iterable[str]) -> None:
    """Refuse keys that were set and that none of these recipes uses.

    Raises:
        DiagnoseError: every such key with the reason.
    """
    skipped = [unused(recipe) for recipe in recipes]
    lines = [f"{key} would have no effect: {skipped[0][key]}" for key in given if all(key in skip for skip in skipped)]
    if lines:
        raise DiagnoseError("; ".join(lines))

"""What all commands share: the application, and the options that several of them take, as groups."""

from __future__ import annotations

import inspect
import os
import shlex
import sys
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_type_hints

import typer

from diagnose.cli.help_text import GroupedCommand, GroupedCommands
from diagnose.errors import DiagnoseError
from diagnose.formatting import visible

if TYPE_CHECKING:
    from collections.abc import Callable

EXPLAIN, TRAIN, LIST = "Explain and check", "Train and compare", "List and look up"
RUNS = Path("runs")
REPORTS = Path("reports")
RECIPE, SETTINGS = "DIAGNOSE_RECIPE", "DIAGNOSE_SET"  # variables of the environment

app = typer.Typer(
    cls=GroupedCommands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Which part of my set-up makes these numbers? Controlled ablations and diagnostics for people who train "
    "networks.",
)


def _print_version(wanted: bool) -> None:
    """Print which version is installed, and end."""
    if wanted:
        from importlib.metadata import version

        print(f"diagnose {version('diagnose-training')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take what stands before a command; its help is the application's."""


JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
MARGIN = 0.01  # bits per byte, of runs of ours
MarginOption = Annotated[
    str | None,
    typer.Option(
        "--margin", metavar="SIZE",
        help="Say where an effect is shown to be no larger: in bits per byte of our runs (0.01), otherwise in the "
        "score's unit, of several scores as A=SIZE,B=SIZE.",
    ),
]  # fmt: skip
DataOption = Annotated[
    str | None,
    typer.Option("--data", metavar="FILE", help="Text to train on: a UTF-8 file, .jsonl, a folder; also .gz, .zst."),
]
SetOption = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="KEY=VALUE", envvar=SETTINGS,
        help="A recipe key, table.key=value, or a TOML file of such tables; may be repeated.",
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Output:
    """In which form a command tells its outcome."""

    HEADING: ClassVar[str] = "Output"

    opens: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no report: print where the page lies.")
    ] = False
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the outcome as Markdown, for a pull request.")] = (
        False
    )
    as_json: JsonOption = False


@dataclass(frozen=True)
class Setting:
    """What is trained: a recipe, and what is to differ from it."""

    HEADING: ClassVar[str] = "What is trained"

    recipe: Annotated[
        str,
        typer.Option(
            "--recipe", metavar="NAME", envvar=RECIPE, help="A recipe's name (`diagnose recipes`) or a TOML file."
        ),
    ] = "quick"
    data: DataOption = None
    lr: Annotated[str | None, typer.Option("--lr", metavar="RATE", help="Short for --set optimizer.lr=RATE.")] = None
    batch_size: Annotated[
        str | None, typer.Option("--batch-size", metavar="N", help="Short for --set batches.size=N.")
    ] = None
    seed: Annotated[
        str | None, typer.Option("--seed", metavar="N", help="Short for --set run.seed=N; of several, the first.")
    ] = None
    device: Annotated[
        str | None, typer.Option("--device", metavar="NAME", help="Short for --set run.device=NAME: auto, cpu, cuda.")
    ] = None
    settings: SetOption = field(default_factory=list)

    @property
    def overrides(self) -> dict[str, Any]:
        """What differs from the recipe, by `table.key`."""
        short = {
            "optimizer.lr": self.lr, "batches.size": self.batch_size, "run.seed": self.seed, "run.device": self.device,
        }  # fmt: skip
        pairs = [f"{key}={value}" for key, value in short.items() if value is not None]
        return overrides([*self.settings, *pairs], self.data)


PairsOption = Annotated[bool, typer.Option("--pairs", help="Compare every two arms too, not only with the control.")]
HigherOption = Annotated[
    bool | None,
    typer.Option("--higher-is-better/--lower-is-better", help="Which side of a score is better; else its name."),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="FILE.py:build",
        help="The code of the network where it is not installed; it is run only if you name it.",
    ),
]  # fmt: skip
MovedOption = Annotated[str | None, typer.Option("--data", metavar="FILE", help="The run's text, if it was moved.")]
FolderOption = Annotated[
    Path, typer.Option("--out", metavar="PATH", help="Folder for the page, or its path.", rich_help_panel="Output")
]


TrackerOption = Annotated[
    str | None,
    typer.Option(
        "--report-to", metavar="TRACKER", rich_help_panel="Output",
        help="Send runs to wandb, mlflow or tensorboard, losses while they train and the page in the end; where to is "
        "the tracker's own setting.",
    ),
]  # fmt: skip


def subcommand(examples: str, *, panel: str, name: str | None = None) -> Callable[..., Callable[..., None]]:
    """Return a decorator that adds a function to the application as a command.

    A parameter that is a dataclass (`Output`, `Setting`) stands for its fields: each is an option, under the heading
    of its class in the help, and the function gets the object.

    Args:
        examples: the most used commands, a line each.
        panel: the heading in the application's help.
        name: of the command; the function's where none is given.
    """

    def add(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        groups = {key: hint for key, hint in hints.items() if is_dataclass(hint) and isinstance(hint, type)}

        @wraps(function)
        def called(**given: Any) -> None:
            made = {key: _gathered(group, given) for key, group in groups.items()}
            function(**given, **made)

        ungrouped = [
            parameter for parameter in inspect.signature(function).parameters.values() if parameter.name not in groups
        ]
        parameters = [parameter.replace(annotation=hints[parameter.name]) for parameter in ungrouped]
        parameters += [parameter for group in groups.values() for parameter in _options(group)]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, cls=GroupedCommand, epilog=examples, rich_help_panel=panel)(called)
        return function

    return add


def _gathered(group: type, given: dict[str, Any]) -> Any:
    """Take a group's fields out of what was given, and return the group."""
    return group(**{option.name: given.pop(option.name) for option in fields(group)})


def _options(group: Any) -> list[inspect.Parameter]:
    """Return a parameter for each field of a group, under the group's heading."""
    hints, out = get_type_hints(group, include_extras=True), []
    for entry in fields(group):
        option = hints[entry.name].__metadata__[0]
        option.rich_help_panel = group.HEADING
        default = [] if entry.default is MISSING else entry.default
        out.append(
            inspect.Parameter(entry.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[entry.name])
        )
    return out


def overrides(pairs: list[str], data: str | None) -> dict[str, Any]:
    """Return the recipe keys that `--set` and `--data` give."""
    from diagnose.config.recipe import parse_settings

    out = parse_settings(pairs)
    if data is not None:
        out |= {"data.corpus": "file", "data.path": str(Path(data).absolute())}
    return out


def command() -> str:
    """Return the command as it was typed, with what it took from the environment, to be repeated."""
    taken = [f"{name}={shlex.quote(os.environ[name])}" for name in (RECIPE, SETTINGS) if os.environ.get(name)]
    return " ".join([*taken, shlex.join(["diagnose", *sys.argv[1:]])])


def margin_of(given: str | None) -> float | dict[str, float] | None:
    """Return what --margin says: a number, or one for each score.

    Raises:
        DiagnoseError: it is neither.
    """
    if given is None:
        return None
    try:
        if "=" not in given:
            return float(given)
        parts = [part.rpartition("=") for part in given.split(",")]
        return {name.strip(): float(size) for name, _, size in parts}
    except ValueError:
        told = f"--margin {visible(given)}: give a number, or one for each score as A=SIZE,B=SIZE"
        raise DiagnoseError(told) from None


def bits_of(given: str | None) -> float:
    """Return the margin of runs of ours, in bits per byte.

    Raises:
        DiagnoseError: it is no number.
    """
    margin = margin_of(given)
    if isinstance(margin, dict):
        raise DiagnoseError(
            f"--margin {visible(given or '')}: runs of ours have one score, so give bits per byte alone"
        )
    return MARGIN if margin is None else margin

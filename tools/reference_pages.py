"""The reference's pages that the code tells of itself: commands from Typer, recipe keys from `recipe.py`."""

import inspect
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))


def pages():
    return {"reference/cli.md": commands(), "reference/recipe.md": recipe()}


def _cell(text):
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


def _paragraphs(text):
    return inspect.cleandoc(text or "").replace("\f", "")


def commands():
    """Return a section for each command, as its `--help` tells it."""
    import typer

    from diagnose.cli import app

    group = typer.main.get_command(app)
    parts = ["# Commands", "What `diagnose COMMAND --help` says of each. Results go to standard output, all else "
             "to standard error. Exit codes: 0; 1 for a finding or a failed run; 2 for a mistake in what was asked; 3 "
             "where an audit could not judge; 130 after Ctrl-C."]  # fmt: skip
    for name, command in group.commands.items():
        parts += [f"## diagnose {name} {{#{name}}}", _paragraphs(command.help)]
        rows = [row for parameter in command.params if (row := _parameter(parameter))]
        parts.append("\n".join(["| | | default |", "| --- | --- | --- |", *rows]))
        parts.append(f"```bash\n{command.epilog}\n```")
    return "\n\n".join(parts) + "\n"


def _parameter(parameter):
    if parameter.name == "help":
        return ""
    option = parameter.param_type_name == "option"
    takes = parameter.metavar or parameter.name.upper().replace("_", "-")
    flag = getattr(parameter, "is_bool_flag", False) or getattr(parameter, "is_flag", False)
    name = f"{', '.join(parameter.opts)}{'' if flag else f' {takes}'}" if option else takes
    default = parameter.default
    shown = "" if default in (None, False, [], ()) or callable(default) else f"`{default}`"
    return f"| `{name.replace('|', '/')}` | {_cell(parameter.help or '')} | {shown} |"


def recipe():
    """Return a table of keys for each table of the recipe."""
    from diagnose.config.recipe import Recipe

    parts = ["# Recipe keys", "Everything that determines a run, and nothing else: a TOML file of these tables, or "
             "`--set table.key=value`. The first of several values is usual; `diagnose recipes` lists the recipes that "
             "ship."]  # fmt: skip
    for name, field in Recipe.model_fields.items():
        kind = field.annotation
        if not hasattr(kind, "model_fields"):
            continue
        parts += [f"## [{name}] {{#{name}}}", _paragraphs(kind.__doc__)]
        rows = [
            f"| `{name}.{key}` | {_type(one)} | {_default(one.default)} |" for key, one in kind.model_fields.items()
        ]
        parts.append("\n".join(["| key | values | default |", "| --- | --- | --- |", *rows]))
    parts.append(
        "The other keys of `[model]` are those that the network's builder takes; for `gpt`: " + _builder() + "."
    )
    return "\n\n".join(parts) + "\n"


def _type(field):
    said = str(field.annotation)
    literal = re.search(r"Literal\[(.*?)\]", said)
    if literal:
        return ", ".join(f"`{value.strip()}`" for value in literal.group(1).replace("'", "").split(","))
    bounds = {"Ge": "at least {ge}", "Gt": "above {gt}", "Lt": "below {lt}", "Le": "at most {le}"}
    limits = [bounds[type(m).__name__].format(**vars_of(m)) for m in field.metadata if type(m).__name__ in bounds]
    word = next((words for key, words in TYPES.items() if key in said), said)
    return ", ".join([word, *limits])


TYPES = {"tuple": "two numbers", "bool": "`true`, `false`", "int": "a whole number", "float": "a number", "str": "text"}


def vars_of(limit):
    return {name: getattr(limit, name) for name in ("ge", "gt", "lt", "le") if hasattr(limit, name)}


def _default(value):
    return "" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value!r}`"


def _builder():
    from diagnose.models import gpt

    taken = inspect.signature(gpt.build).parameters.values()
    return ", ".join(f"`{one.name}`" for one in taken if one.kind is one.KEYWORD_ONLY)

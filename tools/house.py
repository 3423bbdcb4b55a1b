"""Writes the README's list of files, a line each, from the first line of each file's docstring: `make house`."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
START, END = "<!-- house -->\n", "<!-- /house -->\n"
ROOMS = (
    ("Foundations", "errors seeding stats words"),
    ("Settings", "settings recipe"),
    ("Text", "cache sources intake corpus split overlap vocabulary tokenizer stream"),
    ("Networks and their input", "device batches loading network crossentropy models"),
    (
        "One run",
        "losses places units noise_scale trainer store setup yardstick sampling verbatim session runner engines",
    ),
    ("Questions", "gap explain audit logs ablation guide"),
    ("What people see", "report explained audited huggingface lightning progress board inventory cli __main__"),
)


def rooms():
    """Return the names of the rooms in order; those of one group may import each other."""
    return [set(names.split()) for _, names in ROOMS]


def files(name):
    if name == "models":
        return sorted(p for p in (ROOT / "models").rglob("*.py") if p.parent != ROOT / "models" or p.stem != "__init__")
    place = ROOT / "diagnose" / name
    if place.is_dir():
        return sorted(p for p in place.glob("*.py") if p.stem != "__init__")
    return [place.with_suffix(".py")]


def line(path):
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = re.split(r"\.\s", doc.split("\n\n")[0].replace("\n", " "))[0].rstrip(".")
    return f"| `{path.relative_to(ROOT).as_posix()}` | {first} |\n"


def table():
    out = []
    for title, names in ROOMS:
        out.append(f"\n**{title}**\n\n| file | holds |\n| --- | --- |\n")
        out += [line(path) for name in names.split() for path in files(name)]
    return "".join(out)


def written(readme):
    before, rest = readme.split(START)
    return before + START + table() + "\n" + END + rest.split(END)[1]


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")

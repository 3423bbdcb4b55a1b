"""Files that hold losses' names and are no log: source code, and pages that this toolkit wrote."""

from __future__ import annotations

import ast
import html
import re
from typing import TYPE_CHECKING

from diagnose.errors import DiagnoseError
from diagnose.formatting import cut, visible
from diagnose.logs.names import meaning
from diagnose.logs.source import HEAD

if TYPE_CHECKING:
    from pathlib import Path

    from diagnose.logs.series import Log

LANGUAGES = {
    ".py": "Python", ".pyx": "Cython", ".r": "R", ".jl": "Julia", ".lua": "Lua", ".m": "MATLAB", ".c": "C",
    ".h": "C", ".cc": "C++", ".cpp": "C++", ".cu": "CUDA", ".rs": "Rust", ".go": "Go", ".java": "Java",
    ".js": "JavaScript", ".ts": "TypeScript", ".scala": "Scala", ".kt": "Kotlin", ".swift": "Swift",
}  # fmt: skip
DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
CODE = re.compile(r"^(?:import|from|def|class|async def)\s", re.MULTILINE)
FEWEST = 3  # values of a curve
PAGE = (b'<p class="identity">', b'<h1 id="verdict">')  # that our pages alone hold
TITLE = re.compile(r"<title>([^<]{0,400})</title>")


def refuse_page(head: bytes) -> None:
    """Refuse a page of ours, by a file's first bytes. Raises DiagnoseError where it is one."""
    if all(sign in head for sign in PAGE):
        _refuse_page(head.decode("utf-8-sig", "replace"))


def refuse_source(path: Path, head: bytes, log: Log) -> None:
    """Refuse source code, but for such as holds the curves of both losses: in lists, or as somebody pasted them.

    Raises:
        DiagnoseError: it is source code.
    """
    language = LANGUAGES.get(path.suffix.lower()) or (
        "Python" if _is_python(head.decode("utf-8-sig", "replace")) else ""
    )
    curves = {meaning(name).held_out for name, series in log.series.items() if series.count >= FEWEST}
    if language and len(curves) < 2:
        run = f"python {visible(path.name)}" if path.suffix == ".py" else "PROGRAM"
        raise DiagnoseError(
            f"it is {language} source, no log of what it printed: give its output, kept as by `{run} | tee train.log`"
        )


def _is_python(text: str) -> bool:
    """Say whether a whole text is Python source: it parses, and defines or imports something."""
    if len(text) >= HEAD or not CODE.search(text):
        return False
    try:
        return any(isinstance(node, DEFINES) for node in ast.parse(text).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _refuse_page(text: str) -> None:
    match = TITLE.search(text)
    title = visible(html.unescape(match.group(1))) if match else "without a title"
    kind, _, name = title.partition(" ")
    instead = (
        f"the log itself, {cut(name, 60)}" if kind == "Log"
        else f"the log of that training; the record behind the page is the folder {cut(name, 60)}, in runs/ where "
        "--out names no other" if kind in ("Run", "Ablation")
        else "the log of the training that it is of"
    )  # fmt: skip
    raise DiagnoseError(f"it is a page that diagnose wrote ({cut(title, 60)}), no log: give {instead}")

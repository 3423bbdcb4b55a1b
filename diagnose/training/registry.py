"""Finds a network's builder by name, whoever wrote it, reads what it takes, and tells what went wrong in one line.

Ours and a user's come in by the same doors: the entry-point group `diagnose.models`,
`package.module:attribute`, or `path/to/file.py:attribute`.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import sys
import sysconfig
import traceback
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnose.errors import DiagnoseError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType, ModuleType

    from torch import nn

    Builder = Callable[..., nn.Module]

GROUP = "diagnose.models"
ALWAYS = ("vocab_size", "context")  # what every builder is given, besides its settings
INSTALLED = ("site-packages", "dist-packages")  # folders in which packages lie beside others
DOORS = "an installed name, package.module:attribute or path/to/file.py:attribute"


def find(name: str) -> Builder:
    """Return the builder of that name.

    Args:
        name: an entry point of the group `diagnose.models`, "package.module:attribute" or
            "path/to/file.py:attribute".

    Raises:
        DiagnoseError: there is none, or its file or module cannot be loaded.
    """
    module, attribute = _load(name)
    found: Any = module
    for part in attribute.split("."):
        known = [key for key in vars(found) if not key.startswith("_")]
        if not hasattr(found, part):
            source = getattr(module, "__file__", None) or module.__name__
            raise DiagnoseError(f"model '{name}': {source} has no '{part}'{nearest(part, known)}")
        found = getattr(found, part)
    if not callable(found):
        raise DiagnoseError(f"model '{name}': '{attribute}' is a {type(found).__name__}, not a function that builds")
    builder: Builder = found
    return builder


def _load(name: str) -> tuple[ModuleType, str]:
    """Return the module that a name leads to, and the attribute within it."""
    place, attribute = _place(name)
    if place.endswith(".py"):
        return _load_file(name, Path(place)), attribute
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        return importlib.import_module(place), attribute
    except ModuleNotFoundError as error:
        if error.name and (place == error.name or place.startswith(error.name + ".")):
            raise DiagnoseError(
                f"model '{name}': there is no module '{error.name}'; a file is given as file.py:attribute"
            ) from None
        raise DiagnoseError(f"model '{name}' cannot be loaded: {told(error)}") from None
    except Exception as error:  # noqa: BLE001 - a user's module may raise anything
        raise DiagnoseError(f"model '{name}' cannot be loaded: {told(error)}") from None


def is_code(name: str) -> bool:
    """Say whether a name is that of code in a file or module, and not of an installed network."""
    return ":" in name


def is_ours(name: str) -> bool:
    """Say whether a network ships with diagnose."""
    return not is_code(name) and _place(name)[0].startswith("diagnose.models.")


def consented(name: str, given: str | None) -> str:
    """Return the network that a run's record may load: a record may be a stranger's, so its code wants to be named.

    Args:
        name: the record's `model.name`.
        given: what the user names as `--model`; may be the same file elsewhere.

    Raises:
        DiagnoseError: the network is code that was not named, another function was, or there is none to name.
    """
    if given is None and is_code(name):
        raise DiagnoseError(f"the run's network is code at '{name}', which is run only if you name it: --model {name}")
    if given is None:
        return name
    if not is_code(name):
        raise DiagnoseError(f"the run's network '{name}' is installed; --model is for networks that are not")
    if given.rpartition(":")[2] != name.rpartition(":")[2]:
        raise DiagnoseError(f"the run's network is '{name}'; --model {given} names another function")
    return given


def _place(name: str) -> tuple[str, str]:
    """Divide a name into file or module, and attribute."""
    if ":" in name:
        place, _, attribute = name.rpartition(":")
        if place and attribute:
            return place, attribute
        raise DiagnoseError(f"model '{name}' is incomplete; give {DOORS}")
    entries = _installed(tuple(sys.path))
    if name not in entries:  # it may have been installed since
        _installed.cache_clear()
        entries = _installed(tuple(sys.path))
    if name not in entries:
        raise DiagnoseError(f"there is no model '{name}'{nearest(name, entries)} (or give {DOORS})")
    return entries[name].module, entries[name].attr


@lru_cache(maxsize=4)
def _installed(_path: tuple[str, ...]) -> dict[str, importlib.metadata.EntryPoint]:
    """Return the networks that packages along `sys.path` offer, read once: it takes a look at every package."""
    return {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}


class _SourceAsItIs(SourceFileLoader):
    """Compiles what a file holds now: of another of its size in the same second, Python's bytecode would be taken."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        """Return the code of the file."""
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


def _load_file(name: str, path: Path) -> ModuleType:
    if not path.is_file():
        folder = path.parent if path.parent.is_dir() else Path()
        known = [p.name for p in folder.glob("*.py")]
        raise DiagnoseError(f"model '{name}': there is no file {path}{nearest(path.name, known) if known else ''}")
    path = path.resolve()
    digest = hashlib.blake2b(path.read_bytes() + str(path).encode(), digest_size=6).hexdigest()
    unique = f"{path.stem.replace('.', '_')}_{digest}"
    if unique in sys.modules:
        return sys.modules[unique]
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # so that it may import its neighbours; last, so that it hides nothing
    spec = importlib.util.spec_from_file_location(unique, path, loader=_SourceAsItIs(unique, str(path)))
    if spec is None or spec.loader is None:
        raise DiagnoseError(f"model '{name}': {path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[unique]
        if not isinstance(error, Exception):
            raise
        raise DiagnoseError(f"model '{name}' cannot be loaded: {told(error)}") from None
    return module


def builder_settings(builder: Builder, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Divide settings into those that a builder's signature takes and the keys that it does not.

    A builder with `**settings` takes all.
    """
    kinds = {p.name: p.kind for p in inspect.signature(builder).parameters.values()}
    everything = inspect.Parameter.VAR_KEYWORD in kinds.values()
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    taken = {k: v for k, v in given.items() if k not in ALWAYS and (everything or kinds.get(k) in by_name)}
    return taken, [k for k in given if k not in taken]


def check_signature(name: str, builder: Builder) -> None:
    """Refuse a builder that does not take by name what every builder is given."""
    try:
        inspect.signature(builder).bind_partial(**dict.fromkeys(ALWAYS))
    except TypeError:
        takes = ", ".join(inspect.signature(builder).parameters) or "nothing"
        raise DiagnoseError(
            f"model '{name}' takes {takes}; it is called with {' and '.join(ALWAYS)} by name and the recipe's keys "
            f"of [model]: write build({', '.join(ALWAYS)}, ...)"
        ) from None


def of_another_kind(builder: Builder, settings: Mapping[str, Any]) -> str:
    """Name settings that are text where the builder's default is none, or the other way round."""
    known = inspect.signature(builder).parameters
    defaults = {key: known[key].default for key in settings if key in known}
    return "; ".join(
        f"model.{key} = {settings[key]!r}, where the default is {default!r}"
        for key, default in defaults.items()
        if isinstance(default, str | int | float) and isinstance(default, str) != isinstance(settings[key], str)
    )


def told(error: BaseException) -> str:
    """Return an exception in one line: type, message and the last line of the user's code it came by."""
    message = " ".join(str(error).split())
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    foreign = (
        *(sysconfig.get_path(k) for k in ("stdlib", "purelib", "platlib")),
        str(Path(__file__)),
        "<frozen",
    )
    own = [frame for frame in frames if not frame.filename.startswith(foreign)] or list(frames)
    where = f" ({own[-1].filename}:{own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {message}{where}" if message else f"{type(error).__name__}{where}"


def fingerprint(name: str, known_as: str | None = None) -> str:
    """Return what tells one state of a network's code from another.

    A hash of its name, its source and of all that it imports from the same folder; from a folder that packages are
    installed in, of its own package alone.

    Args:
        name: of the network.
        known_as: the name that is hashed, where its file lay elsewhere when it was first told.

    Raises:
        DiagnoseError: there is no such network.
    """
    digest = hashlib.blake2b((known_as or name).encode(), digest_size=16)
    module, _ = _load(name)
    path = Path(getattr(module, "__file__", None) or __file__).resolve()
    depth = module.__name__.count(".") + (path.name == "__init__.py")
    root = path.parents[depth]
    package = path.parents[depth - 1] if depth else path
    own = package if root.name in INSTALLED else root
    for source in sorted(_imported(path, root, own)):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _imported(path: Path, root: Path, own: Path) -> set[Path]:
    """Return a source file and those within `own` that it imports, directly or not; names begin at `root`."""
    found, todo = set(), [path]
    while todo:
        source = todo.pop()
        if source in found:
            continue
        found.add(source)
        for node in _import_statements(source.read_bytes()):
            todo += [p for p in _named(node, source, root) if p.is_relative_to(own) and p.is_file()]
    return found


@lru_cache(maxsize=64)
def _import_statements(code: bytes) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import | ast.ImportFrom)]


def _named(node: ast.Import | ast.ImportFrom, source: Path, root: Path) -> Iterator[Path]:
    """Yield the files that an import statement may mean."""
    if isinstance(node, ast.Import):
        names, base = [alias.name for alias in node.names], root
    else:
        base = source.parents[node.level - 1] if node.level else root
        stem = node.module or ""
        names = [stem, *(f"{stem}.{alias.name}".lstrip(".") for alias in node.names)]
    for name in filter(None, names):
        place = base.joinpath(*name.split("."))
        yield place.with_suffix(".py")
        yield place / "__init__.py"

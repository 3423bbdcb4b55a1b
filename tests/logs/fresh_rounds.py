"""All logs in foreign forms: each file of a round adds its own to `CASES` as it is imported."""

from importlib import import_module
from pathlib import Path

from fresh_forms import CASES

__all__ = ["CASES", "ROUNDS"]

FILES = {path.stem for path in Path(__file__).parent.glob("fresh_*.py")}
ROUNDS = [import_module(name) for name in sorted(FILES - {"fresh_forms", "fresh_rounds"})]

"""What all records share: a checked shape, and one line where a file does not hold it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from diagnose.errors import DiagnoseError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1  # of everything that is written


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


Text = Annotated[str, BeforeValidator(_as_text)]  # a remark may be null
Level = Annotated[str, BeforeValidator(_as_text)]  # as the user gave it; an older record may hold true or 0.1
Severity = Literal["error", "warning", "note"]  # the number is wrong; it may mislead; it should be known


class Schema(BaseModel):
    """What all records share: they cannot be changed, and unknown keys do no harm."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class FindingRecord(Schema):
    """What a rule found, and what to change."""

    rule: str
    severity: Severity
    what: str
    fix: str
    measured: dict[str, Any] = Field(default_factory=dict)


Record = TypeVar("Record", bound=Schema)


def parse(kind: type[Record], document: dict[str, Any], path: Path) -> Record:
    """Return a record of what a file held, or raise DiagnoseError naming the file and the first bad key."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where, problem = ".".join(map(str, first["loc"])), " ".join(first["msg"].split()).rstrip(".").lower()
        raise DiagnoseError(f"{path} is corrupted: {where}: {problem}") from None

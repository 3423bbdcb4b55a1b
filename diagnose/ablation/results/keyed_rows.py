"""JSON that is one object of objects, as {"ours": {"seed_0": {"acc": 0.9}}}: a row for each innermost one."""

from __future__ import annotations

from typing import Any

KEY = "name"  # the column of the outermost keys; those within are "name 2" and so on
MOST_DEPTH = 4


def rows_of(content: Any, depth: int = 1) -> list[dict[str, Any]]:
    """Return a row for each innermost object, with the keys that lead to it; none where it is no such object.

    Lists of one length within an innermost object are a row each, as its scores by seed.
    """
    if not isinstance(content, dict) or depth > MOST_DEPTH:
        return []
    inner = {key: value for key, value in content.items() if isinstance(value, dict)}
    if len(inner) < 2:
        return _of_leaf(content) if depth > 1 and not inner else []
    name = KEY if depth == 1 else f"{KEY} {depth}"
    rows = [{name: key, **row} for key, value in inner.items() for row in rows_of(value, depth + 1)]
    alike = rows and all(set(row) == set(rows[0]) for row in rows)
    return rows if alike and not all(column.isdigit() for column in rows[0] if not column.startswith(KEY)) else []


def _of_leaf(leaf: dict[str, Any]) -> list[dict[str, Any]]:
    lists = {key: value for key, value in leaf.items() if isinstance(value, list)}
    lengths = {len(value) for value in lists.values()}
    single = {key: value for key, value in leaf.items() if not isinstance(value, list)}
    if not lists:
        return [single]
    if len(lengths) > 1 or any(isinstance(one, list | dict) for value in lists.values() for one in value):
        return []
    return [{**single, **{key: value[place] for key, value in lists.items()}} for place in range(lengths.pop())]

"""What is done to bytes, JSON and tables to see what reads them fail: the same for every kind of input."""

import json
from copy import deepcopy

ODD = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, -1e308, 1e-320, 10**400, 2**63, -(2**63) - 1, "", "x", "nan", "0",
    "\ud800", "\x1b]52;c;ZXZpbA==\x07", "\u202eevil", "a" * 5000, "../../etc/passwd", "/dev/zero", "a\nb", "\x00",
    [], {}, [[]], [None], [1, "x"], {"a": 1}, {"": None}, [0.0] * 300,
)  # fmt: skip
RAW = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 4000, b'{"a":' * 2000, b"\x00" * 8, b"\xff\xfe",
    b"\xf0\x9f\x98\x80", b'"\\ud800"', b"\n", b"\r", b"\xef\xbb\xbf", b"{}", b"[]", b"null", b"true", b"=", b"'''",
    b"[[a]]", b"a.b.c = 1\n", b"inf", b"1979-05-27", b"0x7fffffffffffffff", b"\\", b"\t", b"#", b",", b"<b>",
)  # fmt: skip


def mutated_bytes(rng, data, most=4):
    """Return bytes with one to `most` changes."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, most + 1))):
        at, kind = int(rng.integers(0, len(out) + 1)), int(rng.integers(0, 7))
        if kind == 0:
            del out[at:]
        elif kind == 1:
            del out[at : at + int(rng.integers(1, 60))]
        elif kind == 2:
            out[at:at] = RAW[int(rng.integers(len(RAW)))]
        elif kind == 3:
            out[at : at + 4] = rng.bytes(int(rng.integers(1, 9)))
        elif kind == 4:
            out[at:at] = out[at : at + int(rng.integers(1, 200))]
        elif kind == 5 and at < len(out):
            out[at] ^= 1 << int(rng.integers(8))
        else:
            end = min(len(out), at + int(rng.integers(1, 12)))
            out[at:end] = RAW[int(rng.integers(len(RAW)))]
    return bytes(out)


def places(value, at=()):
    """Yield the path of every value within a JSON value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*at, key)
        yield from places(child, (*at, key))


def mutated_json(rng, data, most=3):
    """Return JSON with one to `most` of its values left out, replaced, doubled or swapped, whatever their kind."""
    value = json.loads(data)
    for _ in range(int(rng.integers(1, most + 1))):
        found = list(places(value))
        if not found:
            break
        path = found[int(rng.integers(len(found)))]
        home = _at(value, path[:-1])
        kind = int(rng.integers(0, 6))
        if kind == 0:
            del home[path[-1]]
        elif kind == 1:
            other = found[int(rng.integers(len(found)))]
            home[path[-1]] = json.loads(json.dumps(_at(value, other)))
        elif kind == 2 and isinstance(home[path[-1]], int | float) and not isinstance(home[path[-1]], bool):
            value_there = min(max(home[path[-1]], -(2.0**900)), 2.0**900)
            home[path[-1]] = value_there * float(rng.choice([-1, 0, 1e-9, 1e9, 1e300]))
        elif kind == 3 and isinstance(home, list):
            home.append(deepcopy(home[path[-1]]))
        else:
            home[path[-1]] = deepcopy(ODD[int(rng.integers(len(ODD)))])
    return json.dumps(value).encode()


def _at(value, path):
    for key in path:
        value = value[key]
    return value


def mutated_table(rng, table):
    """Return a table of Arrow with a column left out, renamed, of another type, with odd values, or with other rows."""
    import pyarrow as pa

    place, kind = int(rng.integers(table.num_columns)), int(rng.integers(0, 8))
    name, rows = table.column_names[place], table.num_rows
    if kind == 0:
        return table.remove_column(place)
    if kind == 1:
        return table.slice(int(rng.integers(0, rows + 1)), int(rng.integers(0, rows + 1)))
    if kind == 2:
        return pa.concat_tables([table, table])
    if kind == 3:
        return table.rename_columns([*table.column_names[:place], "other", *table.column_names[place + 1 :]])
    values = table.column(place).to_pylist()
    if kind == 4:
        values = [None] * rows
    elif kind == 5:
        values = [str(value) for value in values]
    elif kind == 6:
        values = [[value] for value in values]
    else:
        odd = (float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 1e300, 1e-300, 2.0**62)
        at = int(rng.integers(rows)) if rows else 0
        try:
            values = [float(value) for value in values]
        except (TypeError, ValueError):
            odd = ("", "\x1b[31m", "\u202e", "val", "x" * 999)
        values[at : at + 1] = [odd[int(rng.integers(len(odd)))]]
        values = values[:rows]
    try:
        return table.set_column(place, name, pa.array(values))
    except pa.lib.ArrowException:  # values of several kinds, which no table holds
        return table.set_column(place, name, pa.array([str(value) for value in values]))

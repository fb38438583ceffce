"""Read one file of a log as the rows of its record, and tell what of it was cut off.

A record's fields are its columns. No figure is computed here.
"""

import os
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import polars as pl

from clients.errors import LogError

# Columns of runs.csv that the first logs were made without. A log that lacks any other is damaged,
# and what is not there must not pass for what was not seen.
ADDED_LATER = frozenset(
    {
        *("jitter_ms", "kbit_per_s", "keepalive", "deflate", "stall_s", "timer", "sample_limit"),
        *("crowd_clients", "crowd_requests", "crowd_deliveries", "crowd_window_deliveries"),
        *("crowd_bytes_up", "crowd_bytes_down", "crowd_cpu_share"),
        *("server_lag_max_ms", "reader_p99_ms", "link_cpu_share", "clock_apart_ms", "failures"),
        *("faults_per_s", "fault_kinds", "proxy", "faults", "gaps"),
    }
)


def read_rows(path: Path, record: type[msgspec.Struct]) -> pl.DataFrame:
    """Read all rows that are whole; raise LogError where they are not what was written.

    A column must be there, unless it is one of ADDED_LATER, which then has its default.
    """
    try:
        if not _has_head(path):
            return no_rows(record)
        header = pl.read_csv(_whole_lines(path), n_rows=0, glob=False).columns
    except (OSError, pl.exceptions.PolarsError) as error:
        raise LogError(f"cannot read {path} ({error}): is it an experiment's folder?") from None
    fields = record.__struct_fields__
    if missing := [name for name in fields if name not in header and name not in ADDED_LATER]:
        raise LogError(f"{path} has no column {', '.join(missing)}: it was made by something else")
    try:
        return _parse(path, record).select(fields)
    except pl.exceptions.PolarsError as error:
        line = str(error).splitlines()[0]
        raise LogError(f"{path} cannot be read ({line}): measure again") from None


def no_rows(record: type[msgspec.Struct]) -> pl.DataFrame:
    """Return the columns alone."""
    return pl.DataFrame(schema=_columns(record))


def fault_of(path: Path) -> str:
    """Say what of a file of rows was cut off; nothing when it is whole."""
    if not path.exists():
        return f"{path.name} is missing: killed before it was made, and taken for empty"
    if not _has_head(path):
        return f"{path.name} was cut off within its head, and has no rows"
    return f"the last line of {path.name} was cut off and is left out" * _is_cut_off(path)


def _has_head(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().endswith(b"\n")


def _is_cut_off(path: Path) -> bool:
    """Tell whether a file ends within a line: each line that was written whole has its end."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return file.read(1) not in {b"", b"\n"}


def _parse(path: Path, record: type[msgspec.Struct]) -> pl.DataFrame:
    """Read the rows; a column of ADDED_LATER has its default in an older log."""
    columns = _columns(record)
    rows = pl.read_csv(_whole_lines(path), schema_overrides=columns, glob=False)
    added = {
        field.name: pl.lit(field.default, columns[field.name])
        for field in msgspec.structs.fields(record)
        if field.name not in rows.columns
    }
    return rows.with_columns(**added).with_columns(pl.col(pl.String).fill_null(""))


def _whole_lines(path: Path) -> Path | bytes:
    """Return the file, or without its last line's rest where that was cut off."""
    if not _is_cut_off(path):
        return path
    text = path.read_bytes()
    return text[: text.rfind(b"\n") + 1]


def _columns(record: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(record)
    return {name: _column(hints[name]) for name in record.__struct_fields__}


def _column(hint: object) -> Any:
    kinds = {int: pl.Int64, float: pl.Float64, bool: pl.Boolean, str: pl.String}
    return next(kind for of, kind in kinds.items() if of is hint or of in get_args(hint))

"""Join the runs of several experiments into one log, as far as they are of a kind. No figures here.

Maps of what each mode costs want many settings, which no single experiment has. A step's cost
depends on the size of the crowd and of the text, so that only runs that share both are joined.
"""

from collections.abc import Sequence

import msgspec
import polars as pl

from analysis.runs import PLAIN
from clients.log import Log

ALIKE = ("clients", "payload_bytes")


def join(logs: Sequence[Log]) -> Log | None:
    """Return the runs of the most usual crowd and text; None when there is none.

    Runs and settings are numbered anew: a setting of one experiment is not one of another's.
    """
    runs = [log.runs.filter(PLAIN).with_columns(of=pl.lit(place)) for place, log in enumerate(logs)]
    every = pl.concat(runs) if runs else pl.DataFrame()
    if every.is_empty():
        return None
    kept = every.join(_most_usual(every), on=ALIKE, how="semi", maintain_order="left")
    kept = kept.with_row_index("number", 1).with_columns(
        number=pl.col("number").cast(pl.Int64),
        setting=pl.struct("of", "setting").rank("dense").cast(pl.Int64) - 1,
    )
    return msgspec.structs.replace(
        logs[0],
        runs=kept.drop("run", "of").rename({"number": "run"}).select(logs[0].runs.columns),
        requests=_renumbered([log.requests for log in logs], kept),
        deliveries=_renumbered([log.deliveries for log in logs], kept),
    )


def _most_usual(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the crowd and text of which most settings were measured."""
    counted = runs.group_by(ALIKE).agg(settings=pl.struct("of", "setting").n_unique())
    return counted.sort("settings", *ALIKE, descending=[True, False, False]).head(1)


def _renumbered(rows: Sequence[pl.DataFrame], kept: pl.DataFrame) -> pl.DataFrame:
    numbers = kept.select("of", "run", "number").partition_by("of", as_dict=True)
    found = [
        rows[int(str(of))].join(number.drop("of"), on="run").drop("run")
        for (of,), number in numbers.items()
    ]
    return pl.concat(found).rename({"number": "run"}).select(rows[0].columns)

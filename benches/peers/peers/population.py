"""The exported population: raw columns on the disk, made into Parquet for the peers that load it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

#: The attributes that the bench policy asks for, as `ansinh-peers export` is told them.
ATTRIBUTES = (
    "person.disability",
    "person.care",
    "person.pension",
    "person.stable_income",
    "person.channel",
    "household.poverty",
    "household.difficult_village",
    "commune.difficult",
)
#: In a column of one byte: not known.
UNKNOWN = 255
#: Rows of a row group: a few for each thread, even of a small population.
ROW_GROUP_ROWS = 1 << 20


def described(folder: Path) -> list[dict[str, Any]]:
    """The columns of an export: name, width, and whether something is not known."""
    return json.loads((folder / "columns.json").read_text())["columns"]


def to_parquet(folder: Path, path: Path) -> None:
    """Writes the columns as one Parquet file; what is not known becomes null."""
    series = []
    for column in described(folder):
        dtype = np.dtype(f"<u{int(column['width'][1:]) // 8}")
        values = pl.Series(column["name"], np.fromfile(folder / column["name"], dtype=dtype))
        if column["unknown"]:
            values = values.set(values == UNKNOWN, None)
        series.append(values)
    pl.DataFrame(series).write_parquet(path, compression="lz4", row_group_size=ROW_GROUP_ROWS)

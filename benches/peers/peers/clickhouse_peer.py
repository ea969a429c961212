"""The job in ClickHouse, embedded as chDB: a MergeTree table; the policy in `sql/clickhouse.sql`."""

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from chdb import session

from .answer import MEMORY_BYTES, SQL, THREADS, bytes_of, print_answer, print_loaded
from .population import described

TYPES = {"u8": "UInt8", "u16": "UInt16", "u32": "UInt32", "u64": "UInt64"}
#: An insert returns when its parts are on the disk.
DURABLE = "fsync_after_insert = 1, fsync_part_directory = 1"
TABLES = {
    "lines": (
        "person UInt32, commune UInt32, channel UInt8, programme UInt8, amount UInt32, "
        "held_programme UInt8, held_amount UInt32",
        "commune, person",
    ),
    "totals": (
        "commune UInt32, programme UInt8, held UInt8, people UInt64, amount UInt64",
        "commune, programme, held",
    ),
    "channel_totals": (
        "commune UInt32, channel UInt8, people UInt64, amount UInt64",
        "commune, channel",
    ),
}
TOTALS = """
INSERT INTO totals
    SELECT commune, programme, 0, count(), sum(amount)
    FROM lines WHERE programme > 0 GROUP BY commune, programme
    UNION ALL
    SELECT commune, held_programme, 1, count(), sum(held_amount)
    FROM lines WHERE held_programme > 0 GROUP BY commune, held_programme
"""
CHANNEL_TOTALS = """
INSERT INTO channel_totals
    SELECT commune, channel, count(), sum(amount)
    FROM lines WHERE programme > 0 GROUP BY commune, channel
"""


def opened(folder: Path) -> session.Session:
    """A session with the settings of the comparison."""
    chdb = session.Session(str(folder))
    chdb.query("CREATE DATABASE IF NOT EXISTS peers")
    chdb.query("USE peers")
    chdb.query(f"SET max_threads = {THREADS}, max_insert_threads = {THREADS}, max_memory_usage = {MEMORY_BYTES}")
    return chdb


def rows(chdb: session.Session, sql: str) -> list[tuple[Any, ...]]:
    """What a query answers; whole numbers alone are asked for."""
    text = chdb.query(sql, "TabSeparated").bytes().decode()
    return [tuple(int(cell) for cell in line.split("\t")) for line in text.splitlines()]


def load(parquet: Path, folder: Path, columns: Path) -> None:
    """Makes the database, its people as one part."""
    begun = perf_counter()
    chdb = opened(folder)
    declared = []
    for column in described(columns):
        kind = TYPES[column["width"]]
        declared.append(f"{column['name']} {f'Nullable({kind})' if column['unknown'] else kind}")
    chdb.query(f"CREATE TABLE people ({', '.join(declared)}) ENGINE = MergeTree ORDER BY (commune, person)")
    chdb.query(f"INSERT INTO people SELECT * FROM file('{parquet}', Parquet)")
    chdb.query("OPTIMIZE TABLE people FINAL")
    chdb.close()
    print_loaded(perf_counter() - begun, bytes_of(folder))


def job(folder: Path) -> None:
    """Works the month out once, until every insert is on the disk."""
    chdb = opened(folder)
    for table, (columns, order) in TABLES.items():
        chdb.query(f"DROP TABLE IF EXISTS {table} SYNC")
        chdb.query(f"CREATE TABLE {table} ({columns}) ENGINE = MergeTree ORDER BY ({order}) SETTINGS {DURABLE}")
    lines = (SQL / "clickhouse.sql").read_text()
    begun = perf_counter()
    for statement in (lines, TOTALS, CHANNEL_TOTALS):
        chdb.query(statement)
    seconds = perf_counter() - begun
    ((people,),) = rows(chdb, "SELECT count() FROM people")
    ((paid, held),) = rows(chdb, "SELECT countIf(programme > 0), countIf(held_programme > 0) FROM lines")
    totals = rows(chdb, "SELECT * FROM totals")
    channels = rows(chdb, "SELECT * FROM channel_totals")
    print_answer(seconds, people, paid, held, totals, channels)
    for table in TABLES:
        chdb.query(f"DROP TABLE {table} SYNC")
    chdb.close()


if __name__ == "__main__":
    {"load": load, "job": job}[sys.argv[1]](*map(Path, sys.argv[2:]))

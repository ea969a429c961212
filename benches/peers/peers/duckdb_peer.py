"""The job in DuckDB: a table in a database file; the policy in `sql/duckdb.sql`."""

import sys
from pathlib import Path
from time import perf_counter

import duckdb

from .answer import MEMORY_BYTES, SQL, THREADS, bytes_of, print_answer, print_loaded

TOTALS = """
CREATE TABLE totals AS
    SELECT commune, programme, FALSE AS held, count(*) AS people, sum(amount)::BIGINT AS amount
    FROM lines WHERE programme > 0 GROUP BY ALL
    UNION ALL
    SELECT commune, held_programme, TRUE, count(*), sum(held_amount)::BIGINT
    FROM lines WHERE held_programme > 0 GROUP BY ALL;
CREATE TABLE channel_totals AS
    SELECT commune, channel, count(*) AS people, sum(amount)::BIGINT AS amount
    FROM lines WHERE programme > 0 GROUP BY ALL;
"""


def opened(database: Path) -> duckdb.DuckDBPyConnection:
    """A connection with the settings of the comparison."""
    connection = duckdb.connect(str(database))
    connection.execute(f"SET threads = {THREADS}")
    connection.execute(f"SET memory_limit = '{MEMORY_BYTES >> 30}GiB'")
    # Threads then need not wait for each other to keep the order of rows.
    connection.execute("SET preserve_insertion_order = false")
    return connection


def load(parquet: Path, database: Path) -> None:
    """Makes the database."""
    begun = perf_counter()
    connection = opened(database)
    connection.execute("SET preserve_insertion_order = true")
    connection.execute("CREATE TABLE people AS SELECT * FROM read_parquet(?)", [str(parquet)])
    connection.execute("CHECKPOINT")
    connection.close()
    print_loaded(perf_counter() - begun, bytes_of(database))


def job(database: Path) -> None:
    """Works the month out once, to the durable commit."""
    connection = opened(database)
    lines = (SQL / "duckdb.sql").read_text()
    begun = perf_counter()
    connection.execute("BEGIN")
    connection.execute(lines)
    connection.execute(TOTALS)
    connection.execute("COMMIT")
    seconds = perf_counter() - begun
    read = connection.execute
    (people,) = read("SELECT count(*) FROM people").fetchall()[0]
    paid, held = read("SELECT count_if(programme > 0), count_if(held_programme > 0) FROM lines").fetchall()[0]
    totals = read("SELECT * FROM totals").fetchall()
    channels = read("SELECT * FROM channel_totals").fetchall()
    print_answer(seconds, people, paid, held, totals, channels)
    for table in ("lines", "totals", "channel_totals"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("CHECKPOINT")
    connection.close()


if __name__ == "__main__":
    {"load": load, "job": job}[sys.argv[1]](*map(Path, sys.argv[2:]))

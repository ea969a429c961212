"""The job in Polars: the people in a Parquet file, the policy in expressions, the lines in another Parquet file.

Null is what is not known. A condition that is null pays nothing, but its amount may be owed: it is held.
"""

import os
import sys
from pathlib import Path
from time import perf_counter

from .answer import THREADS, bytes_of, print_answer, print_loaded, sync

# Polars reads it when it is imported.
os.environ["POLARS_MAX_THREADS"] = str(THREADS)

import polars as pl  # noqa: E402
from polars import col, when  # noqa: E402

from .population import to_parquet  # noqa: E402

#: June 2026 in months since the year 0.
JUNE = 2026 * 12 + 5
#: The programme of each amount but those for a severe disability: no two programmes share one.
PROGRAMMES = {0: 0, 150_000: 5, 350_000: 4, 500_000: 3, 760_000: 2, 1_260_000: 2}
DISABILITY = 1


def dong(amount: int) -> pl.Expr:
    """An amount; the highest is below 2³¹."""
    return pl.lit(amount, pl.Int32)


def younger(age: int) -> pl.Expr:
    """Whether a person is younger at the end of the month."""
    return col("birth_month") > JUNE - age * 12


def may_qualify() -> pl.Expr:
    """Leaves out, at little cost, nearly all who qualify for nothing."""
    village = col("household_difficult_village").fill_null(1)
    return (
        (col("household_poverty").fill_null(1) != 0)
        | (col("person_disability").fill_null(2) >= 2)
        | (~younger(70) & (col("person_pension").fill_null(0) == 0))
        | (younger(16) & (col("person_care").fill_null(1) != 0))
        | (younger(6) & (village != 2) & ((col("commune_difficult") == 1) | (village == 1)))
    )


def rules() -> list[tuple[str, pl.Expr, pl.Expr]]:
    """Of each programme a name, its condition and its amount.

    disability: 0 none, 1 light, 2 severe, 3 extremely severe. care: 0 has care. pension: 0 none.
    poverty: 0 not poor, 1 near-poor, 2 poor. difficult village: 0 as the commune, 1 yes, 2 no.
    """
    severe = col("person_disability") == 2
    poverty, village = col("household_poverty"), col("household_difficult_village")

    def by_degree(of_severe: int, of_extremely_severe: int) -> pl.Expr:
        return when(severe).then(dong(of_severe)).otherwise(dong(of_extremely_severe))

    return [
        (
            "disability",
            col("person_disability") >= 2,
            when(younger(16))
            .then(by_degree(900_000, 1_250_000))
            .when(younger(60))
            .then(by_degree(750_000, 1_000_000))
            .otherwise(by_degree(950_000, 1_300_000)),
        ),
        (
            "care",
            younger(16) & (col("person_care") != 0),
            when(younger(4)).then(dong(1_260_000)).otherwise(dong(760_000)),
        ),
        (
            "elderly",
            ~younger(70) & (col("person_pension") == 0) & (col("person_stable_income") == 0),
            dong(500_000),
        ),
        (
            "small_child",
            younger(6)
            & ((poverty >= 1) | (village == 1) | ((village == 0) & (col("commune_difficult") == 1))),
            dong(350_000),
        ),
        (
            "poor",
            (poverty == 2) | ((poverty == 1) & (younger(16) | ~younger(60))),
            dong(150_000),
        ),
    ]


def lines(people: pl.LazyFrame) -> pl.LazyFrame:
    """What everybody gets: the highest amount that is certain, and what may be owed beyond it."""
    programmes = rules()
    asked = people.filter((col("alive") == 1) & may_qualify()).select(
        "person",
        "commune",
        col("person_channel").fill_null(0).alias("channel"),
        *(condition.alias(name) for name, condition, _ in programmes),
        *(amount.alias(f"{name}_amount") for name, _, amount in programmes),
    )

    def highest(if_unknown: bool) -> pl.Expr:
        amounts = (
            when(col(name).fill_null(if_unknown)).then(col(f"{name}_amount")).otherwise(dong(0))
            for name, _, _ in programmes
        )
        return pl.max_horizontal(*amounts)

    def programme_of(amount: str) -> pl.Expr:
        return col(amount).replace_strict(PROGRAMMES, default=DISABILITY, return_dtype=pl.UInt8)

    chosen = asked.select("person", "commune", "channel", certain=highest(False), possible=highest(True))
    beyond = col("possible") > col("certain")
    return chosen.filter(col("possible") > 0).select(
        "person",
        "commune",
        "channel",
        programme=programme_of("certain"),
        amount="certain",
        held_programme=when(beyond).then(programme_of("possible")).otherwise(pl.lit(0, pl.UInt8)),
        held_amount=col("possible") - col("certain"),
    )


def sums(due: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is paid and held by commune and programme, and what is paid by commune and channel."""

    def summed(amount: str) -> dict[str, pl.Expr]:
        return {"people": pl.len(), "amount": col(amount).cast(pl.Int64).sum()}

    paid = due.lazy().filter(col("programme") > 0)
    held = due.lazy().filter(col("held_programme") > 0)
    by_programme = pl.concat(
        [
            paid.group_by("commune", "programme", held=pl.lit(False)).agg(**summed("amount")),
            held.group_by("commune", programme="held_programme", held=pl.lit(True)).agg(**summed("held_amount")),
        ]
    )
    by_channel = paid.group_by("commune", "channel").agg(**summed("amount"))
    totals, channel_totals = pl.collect_all([by_programme, by_channel])
    return totals, channel_totals


def load(columns: Path, parquet: Path) -> None:
    """Makes the file of the people."""
    begun = perf_counter()
    to_parquet(columns, parquet)
    print_loaded(perf_counter() - begun, bytes_of(parquet))


def job(parquet: Path) -> None:
    """Works the month out once, until the files are on the disk under their names."""
    names = ("lines", "totals", "channel_totals")
    written = [parquet.with_name(f"polars_{name}.parquet.new") for name in names]
    begun = perf_counter()
    due = lines(pl.scan_parquet(parquet)).collect(engine="streaming")
    frames = (due, *sums(due))
    for frame, path in zip(frames, written):
        frame.write_parquet(path, compression="lz4")
        sync(path)
    stored = [path.rename(path.with_suffix("")) for path in written]
    sync(parquet.parent)
    seconds = perf_counter() - begun
    del due, frames
    due, totals, channels = (pl.read_parquet(path) for path in stored)
    (people,) = pl.scan_parquet(parquet).select(pl.len()).collect().row(0)
    paid, held = due.select((col("programme") > 0).sum(), (col("held_programme") > 0).sum()).row(0)
    print_answer(seconds, people, paid, held, totals.rows(), channels.rows())
    for path in stored:
        path.unlink()


if __name__ == "__main__":
    {"load": load, "job": job}[sys.argv[1]](*map(Path, sys.argv[2:]))

"""The systems: what each stores, how it is loaded, and the command that does the job once in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Callable

from .answer import MONTH, SQL
from .population import ATTRIBUTES

PROJECT = Path(__file__).resolve().parents[3]
PACK = PROJECT / "policies" / "bench.toml"
ANSINH = "ansinh"
#: Systems with one row a person are not asked for more people than this.
ROW_PEOPLE_MAX = 10_000_000

Command = list[str]


def rust(*arguments: object) -> Command:
    """A command of the Rust side."""
    target = Path(os.environ["CARGO_TARGET_DIR"])
    return [str(target / "release" / "ansinh-peers"), *map(str, arguments)]


def python(module: str, *arguments: object) -> Command:
    """A command of a module here."""
    return [sys.executable, "-m", f"peers.{module}", *map(str, arguments)]


def answer_of(command: Command) -> dict[str, Any]:
    """Runs a command and reads the JSON that it prints; its messages go through."""
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed with exit code {done.returncode}")
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Files:
    """Where the files of one size are."""

    folder: Path

    @property
    def registry(self) -> Path:
        return self.folder / "population.ansinh"

    @property
    def columns(self) -> Path:
        return self.folder / "columns"

    @property
    def parquet(self) -> Path:
        return self.folder / "people.parquet"

    def of(self, system: "System") -> Path:
        """The file or folder in which a system has the people."""
        return self.folder / system.stored


@dataclass(frozen=True)
class System:
    """A system that does the job."""

    name: str
    title: str
    stored: str
    #: `None` if the load tells it.
    version: Callable[[], str] | None
    load: Callable[[Files], Command] | None
    job: Callable[[Files], Command]
    people_max: int | None = None


def crate_version(name: str) -> str:
    """The version of a crate that the Rust side is built with."""
    lock = (Path(__file__).resolve().parent.parent / "Cargo.lock").read_text()
    for package in lock.split("[[package]]"):
        lines = package.split("\n")
        if f'name = "{name}"' in lines:
            found = next(line for line in lines if line.startswith("version = "))
            return found.split('"')[1]
    raise SystemExit(f"Cargo.lock names no crate {name}")


def make_registry(files: Files, people: int) -> dict[str, Any]:
    """The registry of synthetic people, with the bench policy."""
    return answer_of(rust("make", files.registry, PACK, people, MONTH))


def export(files: Files) -> dict[str, Any]:
    """The population of the month as raw columns."""
    return answer_of(rust("export", files.registry, files.columns, MONTH, ",".join(ATTRIBUTES)))


def make_parquet(files: Files) -> dict[str, Any]:
    """The population as a Parquet file."""
    return answer_of(python("polars_peer", "load", files.columns, files.parquet))


SYSTEMS = (
    System(
        name=ANSINH,
        title="ansinh",
        stored="population.ansinh",
        version=lambda: crate_version("ansinh"),
        load=None,
        job=lambda files: rust("job", files.registry, MONTH),
    ),
    System(
        name="polars",
        title="Polars, Parquet",
        stored="people.parquet",
        version=lambda: version("polars"),
        # The Parquet file is made in any case, because the next two load it.
        load=None,
        job=lambda files: python("polars_peer", "job", files.parquet),
    ),
    System(
        name="duckdb",
        title="DuckDB",
        stored="people.duckdb",
        version=lambda: version("duckdb"),
        load=lambda files: python("duckdb_peer", "load", files.parquet, files.folder / "people.duckdb"),
        job=lambda files: python("duckdb_peer", "job", files.folder / "people.duckdb"),
    ),
    System(
        name="clickhouse",
        title="ClickHouse (chDB)",
        stored="clickhouse",
        version=lambda: version("chdb-core"),
        load=lambda files: python(
            "clickhouse_peer", "load", files.parquet, files.folder / "clickhouse", files.columns
        ),
        job=lambda files: python("clickhouse_peer", "job", files.folder / "clickhouse"),
    ),
    System(
        name="sqlite",
        title="SQLite, a row a person",
        stored="people.sqlite",
        version=None,
        load=lambda files: rust("sqlite-load", files.columns, files.folder / "people.sqlite"),
        job=lambda files: rust("sqlite-job", files.folder / "people.sqlite", SQL / "sqlite.sql"),
        people_max=ROW_PEOPLE_MAX,
    ),
    System(
        name="redb",
        title="redb, a row a person",
        stored="people.redb",
        version=lambda: crate_version("redb"),
        load=lambda files: rust("redb-load", files.columns, files.folder / "people.redb"),
        job=lambda files: rust("redb-job", files.folder / "people.redb"),
        people_max=ROW_PEOPLE_MAX,
    ),
)

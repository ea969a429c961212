"""Compares the systems: makes the population, loads it, does the job in rounds, checks that all agree, and reports."""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from .answer import THREADS
from .systems import ANSINH, PACK, SYSTEMS, Files, System, answer_of, export, make_parquet, make_registry

#: What all systems must agree in, to the đồng.
AGREED = ("people", "paid_people", "held_people", "totals", "channels")
READ_BYTES = 8 << 20


def arguments() -> argparse.Namespace:
    """What was asked for."""
    names = [system.name for system in SYSTEMS if system.name != ANSINH]
    parser = argparse.ArgumentParser(
        prog="benches/peers/run", description="Compares the engine with other systems on the same job."
    )
    parser.add_argument("--people", default="10000000,50000000", help="sizes, with commas [%(default)s]")
    parser.add_argument("--only", default=",".join(names), help="peers, with commas [%(default)s]")
    parser.add_argument("--runs", type=int, default=5, help="rounds, of which the median counts [%(default)s]")
    parser.add_argument("--folder", type=Path, help="where the files are made and deleted; 12 GB at 50 million")
    parser.add_argument("--json", type=Path, help="where the results go [results.json in the build folder]")
    asked = parser.parse_args()
    try:
        asked.sizes = [int(size) for size in asked.people.split(",")]
    except ValueError:
        parser.error(f"--people {asked.people}: expected whole numbers with commas between them")
    asked.peers = asked.only.split(",")
    unknown = [name for name in asked.peers if name not in names]
    if unknown:
        parser.error(f"--only {','.join(unknown)}: expected some of {','.join(names)}")
    if asked.runs < 1 or min(asked.sizes) < 1:
        parser.error("--runs and --people are 1 and more")
    if not PACK.is_file():
        parser.error(f"the bench policy {PACK} is not there")
    return asked


def say(text: str) -> None:
    """Tells what is being done."""
    print(text, file=sys.stderr, flush=True)


def field(path: str, name: str) -> str:
    """A field of a file of the system's; empty where there is none."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")


def machine() -> str:
    """The machine in one line."""
    processor = field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine()
    memory = field("/proc/meminfo", "MemTotal")
    return f"{processor}, {os.cpu_count()} cores, {memory} of memory, {platform.system()} {platform.release()}"


def bind_to_processors() -> None:
    """Lets this process and all that it starts use as many processors as there are threads, where that can be told."""
    if hasattr(os, "sched_setaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:THREADS])


def warm(path: Path) -> None:
    """Reads a file, or all files of a folder, into the page cache; nothing waits to be written any more."""
    os.sync()
    for file in [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]:
        with file.open("rb", buffering=0) as opened:
            while opened.read(READ_BYTES):
                pass


def check(size: int, system: System, found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Ends the program with the first difference unless an answer is that of the engine."""
    for name in AGREED:
        if found[name] == expected[name]:
            continue
        where = f"{system.title} at {size:,} people: {name}"
        if not isinstance(expected[name], list):
            raise SystemExit(f"NOT EQUAL: {where}: found {found[name]}, expected {expected[name]}")
        rows = [{tuple(sorted(row.items())) for row in answer[name]} for answer in (found, expected)]
        only_found, missing = sorted(rows[0] - rows[1])[:1], sorted(rows[1] - rows[0])[:1]
        raise SystemExit(f"NOT EQUAL: {where}: found for example {only_found}, expected {missing}")


def summed(answer: dict[str, Any], kind: str) -> int:
    """What is paid or held in all, in đồng."""
    return sum(row["amount"] for row in answer["totals"] if row["kind"] == kind)


def by_programme(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """People and amounts by programme and kind."""
    sums: dict[tuple[int, str], list[int]] = {}
    for row in answer["totals"]:
        people_and_amount = sums.setdefault((row["programme"], row["kind"]), [0, 0])
        people_and_amount[0] += row["people"]
        people_and_amount[1] += row["amount"]
    return [
        {"programme": programme, "kind": kind, "people": people, "amount": amount}
        for (programme, kind), (people, amount) in sorted(sums.items())
    ]


def measure(size: int, systems: list[System], runs: int, folder: Path) -> dict[str, Any]:
    """Loads a population of one size into all systems, and does the job in rounds."""
    files = Files(folder)
    say(f"{size:,} people: making the registry")
    made = make_registry(files, size)
    say(f"{size:,} people: exporting the population")
    exported = export(files)
    loaded: dict[str, dict[str, Any]] = {ANSINH: {"bytes": made["bytes"]}, "polars": make_parquet(files)}
    for system in systems:
        if system.load is not None:
            say(f"{size:,} people: loading {system.title}")
            loaded[system.name] = answer_of(system.load(files))
    shutil.rmtree(files.columns)
    times: dict[str, list[float]] = {system.name: [] for system in systems}
    memory: dict[str, int] = {}
    expected: dict[str, Any] | None = None
    for round_number in range(1, runs + 1):
        for system in systems:
            warm(files.of(system))
            answer = answer_of(system.job(files))
            expected = expected or answer
            check(size, system, answer, expected)
            times[system.name].append(answer["seconds"])
            memory[system.name] = max(memory.get(system.name, 0), answer["peak_memory_mib"] or 0)
            say(f"{size:,} people, round {round_number}: {system.title} {answer['seconds']:.3f} s")
    assert expected is not None, "there is at least one round, and the engine is in it"
    own = statistics.median(times[ANSINH])
    return {
        "people": size,
        "in_scope": exported["rows"],
        "households": made["households"],
        "making_seconds": made["seconds"],
        "export_seconds": exported["seconds"],
        "paid_people": expected["paid_people"],
        "held_people": expected["held_people"],
        "paid": summed(expected, "paid"),
        "held": summed(expected, "held"),
        "programmes": by_programme(expected),
        "systems": [
            {
                "name": system.name,
                "title": system.title,
                "version": system.version() if system.version else loaded[system.name]["version"],
                "seconds": times[system.name],
                "median": statistics.median(times[system.name]),
                "ratio": statistics.median(times[system.name]) / own,
                "peak_memory_mib": memory[system.name],
                "load_seconds": loaded[system.name].get("seconds"),
                "bytes": loaded[system.name]["bytes"],
            }
            for system in systems
        ],
    }


def report(result: dict[str, Any], runs: int) -> None:
    """Prints a table of one size, as Markdown."""
    print(f"\n## {result['people']:,} people\n")
    print(
        f"{result['in_scope']:,} people in scope, {result['paid_people']:,} paid {result['paid']:,} đ, "
        f"{result['held_people']:,} held {result['held']:,} đ. All systems agree, by commune, programme and channel.\n"
    )
    print(f"| System | Median of {runs} | Least to greatest | Ratio to ansinh | Peak memory | Bytes stored | Load |")
    print("|---|---|---|---|---|---|---|")
    for system in result["systems"]:
        load = system["load_seconds"]
        print(
            f"| {system['title']} {system['version']} | {system['median']:.3f} s "
            f"| {min(system['seconds']):.3f} to {max(system['seconds']):.3f} s | {system['ratio']:.2f} "
            f"| {system['peak_memory_mib']:,} MiB | {system['bytes']:,} | {'' if load is None else f'{load:.1f} s'} |"
        )


def main() -> None:
    """The comparison."""
    asked = arguments()
    # Ended from outside, it still deletes its files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    bind_to_processors()
    results: dict[str, Any] = {
        "machine": machine(),
        "python": platform.python_version(),
        "runs": asked.runs,
        "threads": THREADS,
        "sizes": [],
    }
    print(f"Machine: {results['machine']}; every system on {THREADS} threads.")
    wanted = [system for system in SYSTEMS if system.name == ANSINH or system.name in asked.peers]
    for size in asked.sizes:
        systems = [system for system in wanted if system.people_max is None or size <= system.people_max]
        with tempfile.TemporaryDirectory(prefix="ansinh-peers-", dir=asked.folder) as folder:
            result = measure(size, systems, asked.runs, Path(folder))
        results["sizes"].append(result)
        report(result, asked.runs)
    path = asked.json or Path(os.environ["CARGO_TARGET_DIR"]) / "results.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    print(f"\nThe results as JSON: {path}")


if __name__ == "__main__":
    main()

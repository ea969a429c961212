"""What a job answers, in the form in which all systems are compared; and what every peer is told."""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, Iterable

MONTH = "2026-06"
THREADS = 2
MEMORY_BYTES = 16 << 30
SQL = Path(__file__).resolve().parent.parent / "sql"

#: Commune, programme, whether held, people, amount in đồng.
TotalRow = tuple[int, int, bool, int, int]
#: Commune, channel, people, amount in đồng.
ChannelRow = tuple[int, int, int, int]


def peak_memory_mib() -> int:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def print_answer(
    seconds: float,
    people: int,
    paid_people: int,
    held_people: int,
    totals: Iterable[TotalRow],
    channels: Iterable[ChannelRow],
) -> None:
    """Prints what was stored, as `ansinh-peers job` does."""
    total_keys = ("commune", "programme", "kind", "people", "amount")
    channel_keys = ("commune", "channel", "people", "amount")
    kinds = ("paid", "held")
    # Paid stands before held of the same programme.
    named = [(commune, programme, kinds[held], *sums) for commune, programme, held, *sums in sorted(totals)]
    answer: dict[str, Any] = {
        "seconds": seconds,
        "peak_memory_mib": peak_memory_mib(),
        "people": people,
        "paid_people": paid_people,
        "held_people": held_people,
        "totals": [dict(zip(total_keys, row)) for row in named],
        "channels": [dict(zip(channel_keys, row)) for row in sorted(channels)],
    }
    json.dump(answer, sys.stdout)


def print_loaded(seconds: float, bytes_stored: int) -> None:
    """Prints what a load came to."""
    json.dump({"seconds": seconds, "bytes": bytes_stored}, sys.stdout)


def bytes_of(path: Path) -> int:
    """The bytes of a file, or of all files of a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def sync(path: Path) -> None:
    """Returns when a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""
What a mounted tree costs its clients: reads, listings, and a whole configuration.

Clients are processes of their own, as tools are: the mount never has to wait for
the interpreter of whom it answers. Seconds are those of a clock on the wall, because
both sides and the kernel between them take part.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from threading import Thread
from time import perf_counter

from anyio import to_thread
from bench_control import SAMPLE, configuration

from damon_async.control.live import live_tree
from damon_async.control.mount import mounted
from damon_async.control.world import World
from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.spaces.workload import open_workload

READS_PER_SECOND = 3_000
LISTING_SECONDS = 1.5
START_SECONDS = 0.3
NR_REGIONS = 1_000
NR_READERS = 4
NR_ROUNDS = 5
NR_CALLS = 2_000
TRIED = "kdamonds/0/contexts/0/schemes/0/tried_regions"
FIELDS = ("start", "end", "nr_accesses", "age", "sz_filter_passed")


# -- Clients -----------------------------------------------------------------


def open_read_close(path: str) -> None:
    """Read a file by system calls, as a shell does."""
    descriptor = os.open(path, os.O_RDONLY)
    os.read(descriptor, 4096)
    os.close(descriptor)


def python_read(path: str) -> None:
    """Read a file as Python scripts do, with some calls more."""
    with open(path) as file:  # noqa: PTH123 -- what those scripts say
        file.read()


def read_client(top: str) -> None:
    """Print how many reads and writes of each kind there are per second."""
    path = f"{top}/{SAMPLE}"
    descriptor = os.open(path, os.O_RDWR)
    kinds: dict[str, Callable[[], object]] = {
        "open+read+close": lambda: open_read_close(path),
        "pread of an open file": lambda: os.pread(descriptor, 4096, 0),
        "open().read()": lambda: python_read(path),
        "pwrite to an open file": lambda: os.pwrite(descriptor, b"7000", 0),
    }
    for name, call in kinds.items():
        best = min(_seconds(call) for _ in range(NR_ROUNDS))
        print(f"{name}\t{NR_CALLS / best}")


def _seconds(call: Callable[[], object]) -> float:
    began = perf_counter()
    for _ in range(NR_CALLS):
        call()
    return perf_counter() - began


def list_client(top: str, kind: str) -> None:
    """List tried regions with some readers, each a share of them, and print the seconds."""
    directory = f"{top}/{TRIED}"
    began = perf_counter()
    names = [name for name in os.listdir(directory) if name.isdigit()]  # noqa: PTH208 -- bare calls
    if len(names) != NR_REGIONS:
        sys.exit(f"{len(names)} regions are listed, not {NR_REGIONS}")
    if kind == "whole":
        readers = [
            Thread(target=_read_regions, args=(directory, names[index::NR_READERS]))
            for index in range(NR_READERS)
        ]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    print(perf_counter() - began)


def _read_regions(directory: str, names: list[str]) -> None:
    for name in names:
        for field in FIELDS:
            open_read_close(f"{directory}/{name}/{field}")


def list_all_client(top: str) -> None:
    """List the directory of tried regions and each one in it, and print the seconds."""
    directory = f"{top}/{TRIED}"
    began = perf_counter()
    for entry in os.scandir(directory):
        if entry.is_dir():
            os.listdir(entry.path)  # noqa: PTH208 -- bare calls
    print(perf_counter() - began)


def start_client(top: str) -> None:
    """Write a configuration, start it, and print the seconds."""
    writes = [*configuration(), ("kdamonds/0/state", "on")]
    began = perf_counter()
    for path, text in writes:
        descriptor = os.open(f"{top}/{path}", os.O_WRONLY | os.O_TRUNC)
        os.write(descriptor, text.encode())
        os.close(descriptor)
    print(perf_counter() - began)


def client(*arguments: str) -> list[str]:
    """Run this file as a client, and return the lines that it prints."""
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


# -- The side that is measured -----------------------------------------------


async def measure() -> None:
    """Mount a tree, and have clients measure it."""
    clock = VirtualClock()
    space = open_workload("uniform:size=64M", seed=1)
    with tempfile.TemporaryDirectory() as top:
        async with Damon(clock=clock, seed=1) as damon:
            tree = live_tree(damon, world=World(process=lambda _: space), holds_time=True)
            async with mounted(tree, top):
                seconds = await in_clients("start", top)
                _print(f"start of {len(configuration()) + 1} writes", seconds, START_SECONDS)
                await tree.write_async("kdamonds/0/state", "off")
                for line in await to_thread.run_sync(client, "reads", top):
                    name, rate = line.split("\t")
                    print(f"{name + ':':<34} {float(rate):9,.0f} per s   bar {READS_PER_SECOND:,}")
                rows = [dict.fromkeys(FIELDS, index) for index in range(NR_REGIONS)]
                tree.root.below(TRIED).renew_children(NR_REGIONS, rows=rows)
                for kind in ("names", "deep", "whole"):
                    seconds = await in_clients(kind, top)
                    _print(f"listing of {NR_REGIONS} regions, {kind}", seconds, LISTING_SECONDS)


async def in_clients(kind: str, top: str) -> float:
    """Return the best seconds of some clients, one after the other."""
    rounds = NR_ROUNDS if kind != "start" else 1
    lines = [await to_thread.run_sync(client, kind, top) for _ in range(rounds)]
    return min(float(line) for (line,) in lines)


def _print(name: str, seconds: float, bar: float) -> None:
    print(f"{name + ':':<34} {seconds * 1e3:9.1f} ms      bar {bar * 1e3:,.0f} ms")


def main() -> None:
    """Measure and print, or be a client."""
    clients: dict[str, Callable[[str], None]] = {
        "reads": read_client,
        "names": lambda top: list_client(top, "names"),
        "deep": list_all_client,
        "whole": lambda top: list_client(top, "whole"),
        "start": start_client,
    }
    if len(sys.argv) > 1:
        clients[sys.argv[1]](sys.argv[2])
    else:
        asyncio.run(measure())


if __name__ == "__main__":
    main()

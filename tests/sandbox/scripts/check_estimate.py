"""Checks through the files that the working set of a known program is found."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ADMIN = Path("/sys/kernel/mm/damon/admin")
KDAMOND = ADMIN / "kdamonds/0"
CONTEXT = KDAMOND / "contexts/0"
SCHEME = CONTEXT / "schemes/0"

NR_BLOCKS, BLOCK, BLOCK_MS = 10, 10 * 2**20, 1000


def write(path: Path, value: object) -> None:
    """Write a file; what goes wrong is an OSError."""
    path.write_text(f"{value}\n")


def start(pid: int) -> None:
    """Monitor a process, with a scheme for what is accessed."""
    write(ADMIN / "kdamonds/nr_kdamonds", 1)
    write(KDAMOND / "contexts/nr_contexts", 1)
    write(CONTEXT / "operations", "vaddr")
    write(CONTEXT / "targets/nr_targets", 1)
    write(CONTEXT / "targets/0/pid_target", pid)
    write(CONTEXT / "schemes/nr_schemes", 1)
    write(SCHEME / "action", "stat")
    for name, low, high in (("sz", 0, 2**64 - 1), ("nr_accesses", 1, 20), ("age", 0, 2**32 - 1)):
        write(SCHEME / f"access_pattern/{name}/min", low)
        write(SCHEME / f"access_pattern/{name}/max", high)
    write(KDAMOND / "state", "on")


def estimates(program: "subprocess.Popen[bytes]") -> list[int]:
    """Return the bytes that were accessed, again and again while the program runs."""
    found: list[int] = []
    while program.poll() is None and len(found) < 25:
        time.sleep(0.1)
        write(KDAMOND / "state", "update_schemes_tried_bytes")
        found.append(int((SCHEME / "tried_regions/total_bytes").read_text()))
    return found


def main() -> int:
    """Return 0 if the estimate is good."""
    if os.geteuid() != 0:
        sys.stderr.write("run as root\n")
        return 4
    arguments = [str(each) for each in (NR_BLOCKS, BLOCK, BLOCK_MS)]
    program = subprocess.Popen(["./access_memory", *arguments])
    try:
        start(program.pid)
        found = sorted(estimates(program))
        write(KDAMOND / "state", "off")
    finally:
        program.kill()
        program.wait()
    median = statistics.median(found)
    sys.stdout.write(f"{median / BLOCK:.2f} of a block in {len(found)} estimates\n")
    return 0 if abs(median - BLOCK) <= BLOCK / 5 else 1


if __name__ == "__main__":
    sys.exit(main())

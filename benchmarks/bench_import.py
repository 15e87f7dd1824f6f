"""What ``import damon_async`` costs, beside the libraries that it stands on."""

from __future__ import annotations

import subprocess
import sys

BASE = "import anyio, numpy, pydantic, structlog"
OURS = "import damon_async; damon_async.Damon"
UNWANTED = ("cyclopts", "matplotlib", "rich", "starlette", "yaml")
"""Optional libraries; structlog itself brings rich where that is installed."""

PROBE = """
import sys, time
began = time.perf_counter()
{statement}
print(time.perf_counter() - began)
print(",".join(name for name in {unwanted} if name in sys.modules))
"""


def probe(statement: str) -> tuple[float, str]:
    """Return the seconds an import takes in a fresh process, and what it should not bring."""
    code = PROBE.format(statement=statement, unwanted=UNWANTED)
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    seconds, unwanted = output.stdout.split("\n")[:2]
    return float(seconds), unwanted


def main() -> None:
    """Measure and print."""
    base, brought = min(probe(BASE) for _ in range(5))
    ours, all_brought = min(probe(OURS) for _ in range(5))
    added = sorted(set(all_brought.split(",")) - set(brought.split(",")))
    print(f"libraries alone {base * 1e3:.0f} ms, with us {ours * 1e3:.0f} ms: {ours / base:.2f}x")
    print(f"optional libraries that we bring in: {', '.join(added) or 'none'}; bar: none")


if __name__ == "__main__":
    main()

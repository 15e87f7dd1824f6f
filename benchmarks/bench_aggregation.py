"""
What one whole aggregation costs: 20 ticks, check, merge, publish, reset, split.

Both sides monitor 400 random hot and cold blocks with 10 to 1000 regions. Bars:
at most 0.12 of the plain-object engine; at most 0.35 with about 40 regions.
"""

from __future__ import annotations

from layouts import GIB, monitor_of, noisy, plain_monitor_of
from timing import best_seconds, verdict

WARM_UP = 40


def compare(label: str, nr_blocks: int, bar: float) -> None:
    """Let both engines find the same layout, then time their aggregations."""
    space = noisy(10 * GIB, nr_blocks)
    ours, plain = monitor_of(space), plain_monitor_of(space)
    seen: list[int] = []

    def ours_once() -> None:
        seen.extend(snapshot.nr_regions for snapshot in ours.step(ours.next_us or 0))

    for _ in range(WARM_UP):
        ours_once()
        plain.aggregate()
    seen.clear()
    seconds = best_seconds({"ours": ours_once, "plain": plain.aggregate}, rounds=15, repeat=10)
    mean = sum(seen) / len(seen)
    print(
        f"{label}: {mean:.0f} regions (plain: {len(plain.regions)} after its last split), "
        f"{seconds['ours'] * 1e6:.0f} us against {seconds['plain'] * 1e6:.0f} us"
    )
    print(verdict(f"aggregation / plain objects, {label}", seconds["ours"] / seconds["plain"], bar))


def main() -> None:
    """Measure and print."""
    compare("400 noisy blocks", 400, 0.12)
    compare("few blocks", 60, 0.35)


if __name__ == "__main__":
    main()

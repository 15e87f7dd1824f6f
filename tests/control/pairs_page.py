"""
The page of the documentation that tells who runs with whom, made from what was found.

``python -m tests.control.pairs_page`` tries everything again, and writes it anew.
"""

from __future__ import annotations

import asyncio
import errno
import string
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from damon_async.control.profiles import Profile

from .pairs import KEPT, ROWS, RUNS, SHOWN, SILENT, WAITERS, Found, Order, Pairs, Waits, try_all
from .users import IN_PROCESS, MODULES, USERS, profile_of

PAGE: Final = Path(__file__).parents[2] / "docs" / "who-runs-with-whom.md"

# -- Words -------------------------------------------------------------------

INTRO: Final = """\
# Who runs with whom

Everybody who monitors on one engine shares one gate. The rule is short: *non-exclusive* users run
together, in any number; an *exclusive* one runs alone. What sysfs starts is not exclusive; what
debugfs and the modules start is. In a program, `damon.start(..., exclusive=True)` says which it is, and
`damon.enable(...)` always is exclusive. [The walk-through](walk-through.md) tells it as a story.

All tables on this page were found by trying: a test has every one of them start while each
other one runs, and keeps the page as it is. `python -m tests.control.pairs_page` tries again and writes it anew."""

PAIRS: Final = f"""\
## Every ordered pair

The row runs already, the column asks to. **{RUNS}**: both run now. **{KEPT}**: the same one, asked for
twice; nothing happens, and it is no error. An errno: it was refused, and the one that runs goes on as before.

The column *profile* says whose interface the row uses, in its column as well: debugfs exists up to
6.12, `damon_stat` since 6.17. Trees of different profiles can share an engine. *group* is
`damon.start([context])` in a program, which has no profile."""

HALVES: Final = """\
The last two rows are groups of two contexts, of which one has ended. What is left of an exclusive group
keeps everybody out, the context that has ended included; only when the last one ends the gate is open."""

PROFILES: Final = f"""\
## Other profiles

With all other profiles, and with modern admission, the answers are the same, save for these. *{SILENT}*: the write
succeeds, and yet nothing runs, as `enabled` reads and `kdamond_pid` tells. Kernels before 6.2 started
modules later, when nobody could be told."""

WAITS: Final = """\
## Requests that wait

A kernel never lets anybody wait. In a program, `start` and `enable` do with `wait=True`. The row runs
already, the column asks. *at once*: it need not wait. *waits*: it is let in as soon as the row
has ended; of groups, with the end of the last context."""

ORDERS: Final = """\
## Who is next

The queue is strictly first come, first served; neighbours that get along are let in together. The letters
are requests with `wait=True`, in their order. *then* are those who are let in next, each time after all
that ran has ended. Whoever does not want to wait is refused as long as anybody waits, as the last column says: there
a sysfs kdamond is turned on before the end of what ran at first, and again with each step. A kernel, in which nobody
waits, would have let it in beside another one of sysfs; here, a stream of them could keep an
exclusive request waiting for ever."""

# -- Tables ------------------------------------------------------------------


def page_of(found: Found) -> str:
    """Return the page, as markdown."""
    return "\n\n".join(_blocks(found)) + "\n"


def _blocks(found: Found) -> Iterator[str]:
    shown = found.pairs[SHOWN]
    yield INTRO
    yield PAIRS
    yield _pairs_table(shown)
    yield HALVES
    yield PROFILES
    yield _table(("profile", "asks", f"in {SHOWN}", "there"), _differences(found.pairs))
    yield WAITS
    yield _waits_table(found.waits)
    yield ORDERS
    head = ("runs at first", "queue", "then", "sysfs `on` meanwhile")
    yield _table(head, map(_order_row, found.orders))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _pairs_table(pairs: Pairs) -> str:
    rows = (
        (_name(row), _profile(row), *(_cell(pairs[row, column].cell) for column in USERS))
        for row in ROWS
    )
    return _table(("runs", "profile", *map(_name, USERS)), rows)


def _differences(pairs: dict[Profile, Pairs]) -> Iterator[tuple[str, ...]]:
    """Go through what other profiles answer otherwise, whoever runs."""
    shown = pairs[SHOWN]
    seen: dict[tuple[str, str, str], dict[Profile, None]] = {}
    for profile, there in pairs.items():
        for (row, column), found in there.items():
            usual = shown[row, column].cell
            if found.cell != usual:
                seen.setdefault((column, usual, found.cell), {})[profile] = None
    for (column, usual, cell), profiles in seen.items():
        yield ", ".join(profiles), _name(column), _cell(usual), _cell(cell)


def _waits_table(waits: Waits) -> str:
    rows = (
        (_name(row), *("waits" if waits[row, kind] else "**at once**" for kind in WAITERS))
        for row in ROWS
    )
    return _table(("runs", *map(_name, WAITERS)), rows)


def _order_row(order: Order) -> tuple[str, ...]:
    queue = [
        f"{letter}: {_name(kind)}" + ", which gives up" * (index < order.gives_up)
        for index, (letter, kind) in enumerate(
            zip(string.ascii_uppercase, order.queue, strict=False)
        )
    ]
    steps = [f"{_letters(order.beside)} at once"] if order.beside else []
    steps += map(_letters, order.rounds)
    others = ", ".join(map(_cell, order.others))
    return _name(order.running), "; ".join(queue), ", then ".join(steps), others


def _letters(places: Iterable[int]) -> str:
    return " and ".join(string.ascii_uppercase[place] for place in places)


def _name(name: str) -> str:
    return f"`{name}`" if name in MODULES else name


def _profile(name: str) -> str:
    return "" if name in IN_PROCESS else profile_of(name, SHOWN)


def _cell(cell: str) -> str:
    return cell if cell in errno.errorcode.values() else f"**{cell}**"


if __name__ == "__main__":
    PAGE.write_text(page_of(asyncio.run(try_all())), encoding="utf-8")

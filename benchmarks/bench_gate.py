"""
What admission costs: our gate, ``asyncio.Lock`` and aiorwlock, in one run.

Bars: uncontended at most 1.5 of ``asyncio.Lock`` and at least 3 times faster
than aiorwlock 1.5.1; with 10,000 waiters no turn slower than the lock's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from aiorwlock import RWLock
from timing import verdict

from damon_async.engine.gate import AdmissionGate

NR_TURNS = 20_000
NR_WAITERS = 10_000
ROUNDS = 9

Scope = AbstractAsyncContextManager[object]


async def uncontended(scope: Callable[[], Scope]) -> float:
    """Return the seconds per stay when nobody else is there."""
    began = time.process_time()
    for _ in range(NR_TURNS):
        async with scope():
            pass
    return (time.process_time() - began) / NR_TURNS


async def queued(scope: Callable[[], Scope]) -> float:
    """Return the seconds per turn when all wait for the first one to leave."""

    async def stay() -> None:
        async with scope():
            pass

    async with scope():
        tasks = [asyncio.ensure_future(stay()) for _ in range(NR_WAITERS)]
        await asyncio.sleep(0)
        began = time.process_time()
    await asyncio.gather(*tasks)
    return (time.process_time() - began) / NR_WAITERS


async def best(
    measure: Callable[[Callable[[], Scope]], Awaitable[float]],
    scopes: dict[str, Callable[[], Scope]],
) -> dict[str, float]:
    """Return the best of several rounds, taken in turns."""
    found = dict.fromkeys(scopes, float("inf"))
    for _ in range(ROUNDS):
        for name, scope in scopes.items():
            found[name] = min(found[name], await measure(scope))
    return found


async def main() -> None:
    """Measure and print."""
    gate, lock, rwlock = AdmissionGate(), asyncio.Lock(), RWLock()
    scopes: dict[str, Callable[[], Scope]] = {
        "lock": lambda: lock,
        "gate, exclusive": lambda: gate.hold(exclusive=True),
        "gate, non-exclusive": gate.hold,
        "aiorwlock writer": lambda: rwlock.writer_lock,
        "aiorwlock reader": lambda: rwlock.reader_lock,
    }
    alone = await best(uncontended, scopes)
    crowd = await best(queued, {name: scopes[name] for name in ("lock", "gate, exclusive")})
    for name, value in alone.items():
        print(f"{name:<22} {value * 1e9:8.0f} ns per stay, alone")
    for name, value in crowd.items():
        print(f"{name:<22} {value * 1e9:8.0f} ns per turn, {NR_WAITERS} waiting")
    for kind, peer in (("exclusive", "writer"), ("non-exclusive", "reader")):
        ours, theirs = alone[f"gate, {kind}"], alone[f"aiorwlock {peer}"]
        print(verdict(f"gate, {kind} / asyncio.Lock", ours / alone["lock"], 1.5))
        print(verdict(f"aiorwlock {peer} / gate, {kind}", theirs / ours, 3, at_most=False))
    print(verdict("turn of the gate / of the lock", crowd["gate, exclusive"] / crowd["lock"], 1))


if __name__ == "__main__":
    asyncio.run(main())

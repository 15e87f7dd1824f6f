"""Rows A1 to A11 and examples E36, E36b and E37 of the specification, both ways to admit."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator

import pytest

from damon_async.engine.engine import Admission, Damon, started_before
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.errors import DamonError, InvalidError, NoMemoryError
from damon_async.params.monitoring import Context

from ..engine.worlds import Memory, endless, hang_guard, over_at_once, watched

CLASSIC, MODERN = Admission.CLASSIC, Admission.MODERN

both = pytest.mark.parametrize("admission", list(Admission))


@pytest.fixture(autouse=True)
def _no_test_hangs() -> Iterator[None]:
    with hang_guard():
        yield


class Town:
    """
    An engine and the contexts of a worked example, which are called a, b, c, ...

    Requests answer with the errno's name, N and X, as the examples print them.
    """

    def __init__(self, damon: Damon) -> None:
        self.damon = damon
        self.contexts: dict[str, Context] = {}
        self.error: DamonError | None = None

    def put(self, name: str, context: Context) -> None:
        """Say what *name* stands for, if not for a context that never ends."""
        self.contexts[name] = context

    @property
    def running(self) -> str:
        """The names of all contexts that run."""
        running = {id(each.started_context) for each in self.damon.kdamonds}
        return "".join(name for name, context in self.contexts.items() if id(context) in running)

    @property
    def state(self) -> tuple[int, bool]:
        """N and X."""
        return self.damon.nr_running, self.damon.running_exclusive

    async def start(self, names: str, *, exclusive: bool = False) -> tuple[str, int, bool]:
        """Start a group, exclusively or not."""
        group = [self.contexts.setdefault(name, endless()) for name in names]
        try:
            await self.damon.start(group, exclusive=exclusive)
        except DamonError as error:
            self.error = error
            return errno.errorcode[error.errno], *self.state
        return "0", *self.state

    async def stop(self, names: str) -> tuple[str, int, bool]:
        """Stop a group."""
        try:
            await self.damon.stop(self.contexts[name] for name in names)
        except DamonError as error:
            self.error = error
            return errno.errorcode[error.errno], *self.state
        return "0", *self.state


@pytest.fixture
async def classic() -> AsyncIterator[Town]:
    """Return a town with classic admission."""
    async with Damon(clock=VirtualClock(), admission=CLASSIC) as damon:
        yield Town(damon)


@both
async def test_row_a1_empty_group_admitted(admission: Admission) -> None:
    """A1: an empty group that is admitted changes nothing, not even if exclusive."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        town = Town(damon)
        assert await town.start("", exclusive=True) == ("0", 0, False)
        assert await town.start("") == ("0", 0, False)
        await town.start("a")
        assert await town.start("") == ("0", 1, False)


@both
async def test_row_a2_empty_group_refused(admission: Admission) -> None:
    """A2: admission is tested before the group is looked at."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        town = Town(damon)
        await town.start("a")
        assert await town.start("", exclusive=True) == ("EBUSY", 1, False)
        await town.stop("a")
        await town.start("a", exclusive=True)
        assert await town.start("") == ("EBUSY", 1, True)


@both
async def test_row_a3_exclusive_while_anything_runs(admission: Admission) -> None:
    """A3: an exclusive start is refused while anything runs, even the same group."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        town = Town(damon)
        await town.start("ab")
        assert await town.start("c", exclusive=True) == ("EBUSY", 2, False)
        assert await town.start("ab", exclusive=True) == ("EBUSY", 2, False)


@both
async def test_row_a4_non_exclusive_while_exclusive(admission: Admission) -> None:
    """A4: a non-exclusive start is refused while an exclusive group runs."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        town = Town(damon)
        await town.start("ab", exclusive=True)
        assert await town.start("c") == ("EBUSY", 2, True)
        assert town.running == "ab"


@both
async def test_row_a5_non_exclusive_together(admission: Admission) -> None:
    """A5: non-exclusive groups run together and N grows."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        town = Town(damon)
        assert await town.start("ab") == ("0", 2, False)
        assert await town.start("c") == ("0", 3, False)


@pytest.mark.parametrize(
    ("admission", "answer", "running"),
    [(CLASSIC, ("EINVAL", 2, False), "ab"), (MODERN, ("EINVAL", 0, False), "")],
)
async def test_row_a6_one_of_a_group_fails(
    admission: Admission, answer: tuple[str, int, bool], running: str
) -> None:
    """A6: those before the context that fails keep running, those after do not start."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        town = Town(damon)
        town.put("a", endless())
        town.put("b", endless())
        town.put("x", watched(Memory(refuses=InvalidError("no such memory"))))
        assert await town.start("abxd") == answer
        assert town.running == running
        assert town.error is not None
        assert [each.name for each in started_before(town.error)] == [
            f"kdamond.{index}" for index in range(len(running))
        ]


@both
async def test_row_a7_first_of_exclusive_fails(admission: Admission) -> None:
    """A7: if the first context of an exclusive group fails, nothing is held."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        town = Town(damon)
        town.put("x", watched(Memory(refuses=NoMemoryError("the regions"))))
        assert await town.start("xab", exclusive=True) == ("ENOMEM", 0, False)
        assert await town.start("ab", exclusive=True) == ("0", 2, True)


@pytest.mark.parametrize(
    ("admission", "answer"), [(CLASSIC, ("ENOMEM", 2, True)), (MODERN, ("ENOMEM", 0, False))]
)
async def test_row_a8_later_one_of_exclusive_fails(
    admission: Admission, answer: tuple[str, int, bool]
) -> None:
    """A8: what an exclusive group has started before it failed holds exclusivity."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        town = Town(damon)
        town.put("x", watched(Memory(refuses=NoMemoryError("the regions"))))
        assert await town.start("abx", exclusive=True) == answer
        held = ("EBUSY", 2, True) if admission is CLASSIC else ("0", 1, False)
        assert await town.start("c") == held


async def test_row_a8_flag_falls_with_the_rest(classic: Town) -> None:
    """A8: the flag of a partial exclusive group falls when the last of it is stopped."""
    classic.put("x", watched(Memory(refuses=MemoryError())))
    assert await classic.start("abx", exclusive=True) == ("ENOMEM", 2, True)
    assert await classic.stop("a") == ("0", 1, True)
    assert await classic.stop("b") == ("0", 0, False)


@pytest.mark.parametrize(
    ("admission", "answer", "running"),
    [(CLASSIC, ("EBUSY", 2, False), "ab"), (MODERN, ("EBUSY", 1, False), "a")],
)
async def test_row_a9_context_runs_already(
    admission: Admission, answer: tuple[str, int, bool], running: str
) -> None:
    """A9: a context that runs already fails its group, as in A6."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        town = Town(damon)
        await town.start("a")
        assert await town.start("bac") == answer
        assert town.running == running
        assert str(town.error) == "cannot start a context twice: kdamond.0 runs it"


@pytest.mark.parametrize(
    ("admission", "exclusive", "answer"),
    [
        (CLASSIC, False, ("EBUSY", 1, False)),
        (CLASSIC, True, ("EBUSY", 1, True)),
        (MODERN, False, ("EBUSY", 0, False)),
        (MODERN, True, ("EBUSY", 0, False)),
    ],
)
async def test_row_a10_same_context_twice(
    admission: Admission, *, exclusive: bool, answer: tuple[str, int, bool]
) -> None:
    """A10: the second occurrence of a context in a group fails it, as in A6 and A8."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        assert await Town(damon).start("aa", exclusive=exclusive) == answer


@both
async def test_row_a11_nothing_to_monitor(admission: Admission) -> None:
    """A11: a vaddr context without targets starts, and ends at once by itself."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        [kdamond] = await damon.start([over_at_once()], exclusive=True)
        await kdamond.wait()
        assert damon.clock.now_us() == 0
        assert (damon.nr_running, damon.running_exclusive) == (0, False)
        assert kdamond.error is None


@both
async def test_equal_contexts_are_two(admission: Admission) -> None:
    """Contexts that say the same are two contexts, unless they are one object."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        assert endless() == endless()
        await damon.start([endless(), endless()])
        assert damon.nr_running == 2


BEFORE_THE_LAST_GROUP = [
    ("start", "ab", True, ("0", 2, True)),
    ("start", "c", False, ("EBUSY", 2, True)),
    ("stop", "a", False, ("0", 1, True)),
    ("start", "a", False, ("EBUSY", 1, True)),
    ("stop", "b", False, ("0", 0, False)),
    ("start", "c", False, ("0", 1, False)),
    ("start", "d", False, ("0", 2, False)),
    ("start", "e", True, ("EBUSY", 2, False)),
    ("start", "", True, ("EBUSY", 2, False)),
]

E36 = [
    *BEFORE_THE_LAST_GROUP,
    ("start", "ecf", False, ("EBUSY", 3, False)),
    ("stop", "fc", False, ("EPERM", 3, False)),
    ("stop", "cfd", False, ("EPERM", 2, False)),
    ("start", "", False, ("0", 2, False)),
]

E36B = [
    *BEFORE_THE_LAST_GROUP,
    ("start", "ecf", False, ("EBUSY", 2, False)),
    ("stop", "fc", False, ("0", 1, False)),
    ("stop", "cfd", False, ("0", 0, False)),
    ("start", "", False, ("0", 0, False)),
]


@pytest.mark.parametrize(
    ("admission", "steps"), [(CLASSIC, E36), (MODERN, E36B)], ids=["E36", "E36b"]
)
async def test_examples_e36_and_e36b(
    admission: Admission, steps: list[tuple[str, str, bool, tuple[str, int, bool]]]
) -> None:
    """E36, E36b: every request of the sequence is answered with the result, N and X given."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        town = Town(damon)
        for request, names, exclusive, answer in steps:
            if request == "start":
                given = await town.start(names, exclusive=exclusive)
            else:
                given = await town.stop(names)
            assert given == answer, (request, names, exclusive)


async def test_example_e36_who_runs(classic: Town) -> None:
    """E36: of a group that fails half-way e runs and f does not; a stop ends at the first EPERM."""
    await classic.start("c")
    await classic.start("d")
    await classic.start("ecf")
    assert classic.running == "cde"
    await classic.stop("fc")
    assert classic.running == "cde"
    await classic.stop("cfd")
    assert classic.running == "de"


async def test_example_e37_classic(classic: Town) -> None:
    """E37, classic: a duplicate leaves its first occurrence running, exclusively."""
    assert await classic.start("gg", exclusive=True) == ("EBUSY", 1, True)
    assert classic.running == "g"
    assert await classic.start("h") == ("EBUSY", 1, True)
    assert await classic.stop("g") == ("0", 0, False)


async def test_example_e37_modern() -> None:
    """E37, modern: a duplicate leaves nothing, and the next start is admitted."""
    async with Damon(clock=VirtualClock(), admission=MODERN) as damon:
        town = Town(damon)
        assert await town.start("gg", exclusive=True) == ("EBUSY", 0, False)
        assert await town.start("h") == ("0", 1, False)


@both
async def test_empty_stop(admission: Admission) -> None:
    """3.3: stopping an empty group succeeds."""
    async with Damon(clock=VirtualClock(), admission=admission) as damon:
        assert await Town(damon).stop("") == ("0", 0, False)


async def test_modern_validates_before_admission() -> None:
    """3.5: an invalid context is EINVAL even when admission would say EBUSY."""
    async with Damon(clock=VirtualClock(), admission=MODERN) as damon:
        town = Town(damon)
        town.put("x", watched(Memory(refuses=InvalidError("no such memory"))))
        await town.start("a", exclusive=True)
        assert await town.start("x") == ("EINVAL", 1, True)
        assert await town.start("") == ("EBUSY", 1, True)


async def test_classic_admits_before_it_looks(classic: Town) -> None:
    """3.2: with classic admission a context is only looked at once its group is admitted."""
    classic.put("x", watched(Memory(refuses=InvalidError("no such memory"))))
    await classic.start("a", exclusive=True)
    assert await classic.start("x") == ("EBUSY", 1, True)


async def test_exclusive_start_right_after_the_last_stop(classic: Town) -> None:
    """3.3: when a stop has returned, the decrement has happened."""
    await classic.start("ab")
    assert await classic.stop("ab") == ("0", 0, False)
    assert await classic.start("c", exclusive=True) == ("0", 1, True)


async def test_member_of_exclusive_group_cannot_start_again(classic: Town) -> None:
    """3.4: while others of its exclusive group run, a member that ended is refused."""
    classic.put("a", over_at_once())
    await classic.start("ab", exclusive=True)
    assert classic.running == "b"
    assert await classic.start("a") == ("EBUSY", 1, True)
    assert await classic.start("a", exclusive=True) == ("EBUSY", 1, True)

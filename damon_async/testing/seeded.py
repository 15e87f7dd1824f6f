"""
A loop of virtual time on which runnable tasks take their steps in any order.

Only steps of tasks change places. Callbacks, timers and what files have to say
stay first come, first served among themselves, and no task that became runnable
after a callback was scheduled runs before it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeAlias

from .loops import VirtualTimeLoop
from .orders import FirstCome, Order, RandomWalk, seeded
from .steady import NumberedTask, keep_scopes_in_order
from .tape import Tape
from .waits import describe

MAX_CALLS: Final = 100_000
"""Steps and callbacks after which a schedule is taken for one that never ends."""

STEPS: Final = frozenset({None, "task_wakeup"})
"""Names of the methods of a task that are its steps; the first step has none."""

Task: TypeAlias = "asyncio.Task[Any]"
"""What runs a coroutine."""

Check: TypeAlias = Callable[[], object]
"""Called after each step of a task; raises if what must always hold does not."""


class LivelockError(RuntimeError):
    """
    Something runs, and no end is in sight.

    Args:
        nr_calls: How many steps and callbacks there were.

        tasks: One sentence for each task that is left: its name, the source line at
            which it is, and what it waits for.
    """

    def __init__(self, nr_calls: int, tasks: Iterable[str]) -> None:
        self.nr_calls = nr_calls
        self.tasks = tuple(tasks)
        super().__init__(nr_calls, self.tasks)

    def __str__(self) -> str:
        head = f"livelock: no end after {self.nr_calls} steps and callbacks"
        return "\n  ".join([head, *self.tasks])


class Observer(Protocol):
    """Who wants to know of each step."""

    def step_ended(self, loop: SeededLoop, task: Task, overtaken: Sequence[Task]) -> None:
        """Take note that *task* took a step, before *overtaken* who were first."""
        ...


def task_of(handle: asyncio.Handle) -> Task | None:
    """Return the task of which *handle* is a step, None if it is a plain callback."""
    callback = getattr(handle, "_callback", None)
    owner = getattr(callback, "__self__", None)
    # A task has other methods that people schedule, such as cancel.
    if isinstance(owner, asyncio.Task) and getattr(callback, "__name__", None) in STEPS:
        return owner
    return None


class Line(deque[asyncio.Handle]):
    """
    What is runnable, in the order in which it became so.

    A loop takes what it runs from the left, so this is the place to choose.

    Args:
        loop: Whom to ask and to tell.
    """

    def __init__(self, loop: SeededLoop) -> None:
        super().__init__()
        self._loop = loop
        # Stays while callbacks run that came before it became runnable.
        self._chosen: asyncio.Handle | None = None

    def popleft(self) -> asyncio.Handle:
        """Return what runs next."""
        self._loop.end_step()
        if self._chosen is None:
            task = task_of(self[0])
            if task is not None:
                self._chosen = self._choose(task)
        handle = super().popleft()
        if handle is self._chosen:
            self._chosen = None
            self._loop.begin_step()
        return handle

    def _choose(self, first: Task) -> asyncio.Handle:
        """
        Return the step to be taken, and move it and the callbacks before it forward.

        Args:
            first: Whose step is at the front.
        """
        # For performance: in most turns nobody else is there.
        if len(self) == 1:
            self._loop.choose((first,))
            return self[0]
        # A copy, because other threads may append while this one looks.
        line = tuple(self)
        tasks = {each: task for each in line if (task := task_of(each)) is not None}
        index = self._loop.choose(tuple(tasks.values()))
        if not index:
            return self[0]
        overtaken = list(tasks)[:index]
        chosen = list(tasks)[index]
        # Callbacks stay in front, in their order: nothing overtakes them. Those who are
        # overtaken are next again, in their order too.
        callbacks = []
        while (each := super().popleft()) is not chosen:
            if each not in tasks:
                callbacks.append(each)
        self.extendleft(reversed([*callbacks, chosen, *overtaken]))
        return chosen


class SeededLoop(VirtualTimeLoop):
    """
    A loop of virtual time that chooses who of several runnable tasks is next.

    What it does depends on the order alone and not on addresses or hash seeds,
    as long as the code that runs on it does not either.

    Args:
        seed: Of a random order; without it, and without *order*, tasks run first
            come, first served.

        order: Any other order.

        max_calls: How many steps and callbacks may run before it is a livelock.

        observer: Who is told of each step.

    Attributes:
        order: As above; may be replaced at any time.

        nr_steps: How many steps tasks have taken.

        widths: Among how many tasks there was a choice, by step.

        tasks: All tasks, in the order in which they were made. They are kept: a
            schedule is short, and what became of them is looked at when it is over.

    Raises:
        LivelockError: From ``run_until_complete``, if there is no end.
    """

    def __init__(
        self,
        seed: int | None = None,
        *,
        order: Order | None = None,
        max_calls: int = MAX_CALLS,
        observer: Observer | None = None,
    ) -> None:
        super().__init__()
        keep_scopes_in_order(SeededLoop)
        # Asyncio's turn takes what it runs from this line, and needs no other change:
        # its own code polls, rings timers and counts turns.
        self._ready = Line(self)
        self.order = order or (FirstCome() if seed is None else RandomWalk(seeded(str(seed))))
        self.nr_steps = 0
        self.widths: list[int] = []
        self.tasks: list[Task] = []
        self._max_calls = self._nr_calls_left = max_calls
        self._observer = observer
        self._checks: list[Check] = []
        self._deviations: list[tuple[int, int]] = []
        self._stepping: Task | None = None
        self._overtaken: Sequence[Task] = ()
        self._is_in_step = False

    @property
    def tape(self) -> Tape:
        """What happened so far, as deviations from first come, first served."""
        return tuple(self._deviations)

    @property
    def nr_calls(self) -> int:
        """How many steps and callbacks ran so far."""
        return self._max_calls - self._nr_calls_left

    def watch(self, check: Check) -> None:
        """Have *check* called after each step from now on; what it raises ends the run."""
        self._checks.append(check)

    def create_task(self, coro: Any, **options: Any) -> Task:
        """Return a new task, numbered and named such that other runs do the same."""
        # Their hashes are addresses, so runs may differ; but that is what was asked for.
        if self.get_task_factory() is not None:
            made = super().create_task(coro, **options)
            self.tasks.append(made)
            return made
        number = len(self.tasks)
        # asyncio's own names count all tasks of the process.
        name = str(options.pop("name", None) or f"{getattr(coro, '__name__', 'task')}-{number}")
        task = NumberedTask(coro, number=number, loop=self, name=name, **options)
        self.tasks.append(task)
        return task

    @property
    def has_more_to_close(self) -> bool:
        """Whether generators or threads were begun that closing the loop does not end."""
        return bool(self._asyncgens) or self._default_executor is not None

    def relax(self) -> None:
        """Run first come, first served from now on, unwatched, with new patience."""
        self.order = FirstCome()
        self._checks.clear()
        self._observer = None
        self._nr_calls_left = self._max_calls

    # -- For the line --------------------------------------------------------

    def choose(self, tasks: Sequence[Task]) -> int:
        """Return the index of who is next in *tasks*."""
        index = self.order.choose(self.nr_steps, tasks) if len(tasks) > 1 else 0
        # Also where there is no choice: the index of an entry is the number of a step.
        self.widths.append(len(tasks))
        self._stepping = tasks[index]
        self._overtaken = tasks[:index]
        if index:
            self._deviations.append((self.nr_steps, index))
        return index

    def begin_step(self) -> None:
        """Take note that the chosen task takes its step now."""
        # Not when it is chosen: callbacks may come in between.
        self._is_in_step = True

    def end_step(self) -> None:
        """Take note that what was running, a step or a callback, is over."""
        # Callbacks count as well: anyio's cancellation repeats itself without a step.
        self._nr_calls_left -= 1
        if self._nr_calls_left < 0:
            left = [describe(each) for each in self.tasks if not each.done()]
            raise LivelockError(self._max_calls, left)
        if not self._is_in_step:
            return
        self._is_in_step = False
        self.nr_steps += 1
        if self._observer is not None and self._stepping is not None:
            self._observer.step_ended(self, self._stepping, self._overtaken)
        for check in self._checks:
            check()

    def _run_once(self) -> None:
        super()._run_once()
        # The last one of the turn: nobody was taken from the line after it.
        self.end_step()

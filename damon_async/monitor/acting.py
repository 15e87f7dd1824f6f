"""Driving schemes: answering what can be answered at once, keeping what cannot."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Generic, TypeAlias, TypeVar

from ..operations.requests import ActionRequest, Answer, Applied, Request
from ..params.keywords import Action

Result = TypeVar("Result")

Act: TypeAlias = Callable[[ActionRequest], Applied]
"""Carries out a built-in action at once."""

Proceed: TypeAlias = Callable[[Result], None]
"""What to do with the result, when there is one."""


class Driven(Generic[Result]):
    """
    A generator of requests, driven as far as it goes without the user's functions.

    Args:
        steps: Yields requests and is sent their answers.

        act: Answers built-in actions.

        proceed: Called once with what *steps* returns, at once if it never has
            to wait.

    Attributes:
        request: The one that somebody else must answer; None once done.
    """

    __slots__ = ("_act", "_proceed", "_steps", "request")

    def __init__(
        self,
        steps: Generator[Request, Answer, Result],
        act: Act,
        proceed: Proceed[Result],
    ) -> None:
        self._steps = steps
        self._act = act
        self._proceed = proceed
        self.request: Request | None = None
        self._go_on(None)

    def answer(self, answer: Answer) -> None:
        """Go on with the answer to the pending request."""
        self.request = None
        self._go_on(answer)

    def close(self) -> None:
        """Abandon it; regions are consistent between a request and its answer."""
        self.request = None
        self._steps.close()

    def _go_on(self, answer: Answer | None) -> None:
        """Answer built-in actions until there is none, or it is done."""
        try:
            request = next(self._steps) if answer is None else self._steps.send(answer)
            while isinstance(request, ActionRequest) and isinstance(request.action, Action):
                request = self._steps.send(self._act(request))
        except StopIteration as end:
            self._proceed(end.value)
        else:
            self.request = request

"""The application's log: structlog's events, as lines on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Final, Literal, TypeAlias, get_args

import structlog
from structlog.typing import EventDict, WrappedLogger

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]
"""From which level on events are printed."""

_LEVELS: Final = {name: getattr(logging, name.upper()) for name in get_args(LogLevel)}


class CurrentStderr:
    """
    Whatever ``sys.stderr`` is at the time of writing.

    Progress bars and tests put something else there for a while; loggers keep
    the file that they were made with.
    """

    def write(self, text: str) -> int:
        """Write to it."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush it."""
        sys.stderr.flush()


def configure_log(level: LogLevel, *, has_traces: bool) -> None:
    """
    Send the events of all loggers to stderr.

    An application may do this; the library never does.

    Args:
        level: Events below are dropped.

        has_traces: Whether events that carry an exception are shown. Commands
            raise those exceptions themselves, and users get one line each.
    """
    structlog.configure(
        processors=[
            # First, so that what is dropped is not rendered.
            _keep if has_traces else _drop_exceptions,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                pad_event_to=0,
                # Without the rich one, which is pages long.
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(CurrentStderr()),  # type: ignore[arg-type] # it writes and flushes, no more is used
        # Tests configure more than once in a process.
        cache_logger_on_first_use=False,
    )


def _keep(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return event


def _drop_exceptions(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if event.get("exc_info"):
        raise structlog.DropEvent
    return event

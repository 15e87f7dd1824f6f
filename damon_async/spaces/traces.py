"""
Trace files opened for replay: the options, and how fast a trace runs.

What many traces do not tell is how fast they were: they count instructions or
requests. Such clocks are stretched over a time that the user chooses; see
``TraceOptions``.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from .. import units
from ..errors import InputFileError, Problem
from ..params.base import Parameters, TimeUs, refuse
from .layout import SMALL_PAGE, PageSize
from .touch_log import TouchLog, log_touches
from .trace_formats import TRACE_FORMS, detect_form, read_touches
from .trace_space import TimeScale, TraceSpace

DEFAULT_DURATION_US: Final = 20_000_000
"""How long a trace without real time lasts: 200 aggregations of 100 ms."""

_DEMO: Final = Path("data", "sqlite.trace.xz")
_US_PER_SECOND: Final = 1_000_000

Rate = Annotated[int | float, BeforeValidator(units.parse_number), Field(ge=0)]
"""A number per second; texts like ``1,000`` are read."""


class TraceOptions(Parameters, frozen=True):
    """
    How to replay a trace.

    Block and request traces hold real time, and keep it by default. Traces that
    count instructions, lines or requests are stretched to 20 s by default. With
    that, DAMON's own defaults (5 ms, 100 ms) make sense of the SPEC traces that
    courses use: on average a sampling interval sees 6 pages of ``swim``, 8 of
    ``twolf`` and 12 of ``gzip``; an aggregation sees 9, 17 and 201. So rates tell
    pages apart, and ages have 200 aggregations to grow. In 1 s there would be ten
    aggregations; in 100 s a sampling interval holds 45 instructions of
    ``swim`` and sees only 3 of those 6 pages.
    """

    # The docstrings below the fields are what the command line prints.
    model_config = ConfigDict(use_attribute_docstrings=True)

    page_size: PageSize = SMALL_PAGE
    """Bytes that share one accessed mark; of traces of page numbers, bytes per page."""

    duration_us: TimeUs = 0
    """Time over which the whole trace is stretched; 0 means real time, or 20 s without one."""

    rate: Rate = 0
    """Instructions, lines or requests per second; with real time, recorded seconds per second."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.duration_us and self.rate:
            refuse([Problem("rate", "cannot be given together with a duration")])
        return self


def open_trace(path: str | Path, *, form: str | None = None, **options: Any) -> TraceSpace:
    """
    Open a trace file for replay.

    The text is read once, as a stream, into a temporary file of 16 bytes per
    touch; see ``touch_log``.

    Args:
        path: The file; plain, gzip, xz or bzip2.

        form: A key of ``TRACE_FORMS``; None to see it from the file.

        options: ``page_size``, ``duration`` and ``rate``, as numbers or texts;
            see ``TraceOptions``.

    Raises:
        InputFileError: If the file cannot be read, is not of the format, is
            damaged, or holds no accesses.

        ParametersError: If an option is wrong; every mistake is listed.
    """
    # In text forms the value says its unit, so the name need not.
    named = {"duration_us" if key == "duration" else key: options[key] for key in options}
    # Options first: they are checked at once, while reading may take a while.
    chosen = TraceOptions(**named)
    form = form or detect_form(path)
    if form is None:
        raise InputFileError(path, f"is none of the known traces: {', '.join(TRACE_FORMS)}")
    log = log_touches(read_touches(path, form, chosen.page_size), chosen.page_size, path)
    return TraceSpace(log, _scale(log, form, chosen), chosen.page_size)


def _scale(log: TouchLog, form: str, options: TraceOptions) -> TimeScale:
    origin, last = int(log.clock[0]), int(log.clock[-1])
    per_second = TRACE_FORMS[form].per_second
    # With real time a rate of 2 means twice as fast, without it 2 units a second.
    rate = Fraction(options.rate) * (per_second or 1) or per_second
    if rate and not options.duration_us:
        return TimeScale(origin, _US_PER_SECOND / Fraction(rate))
    # The last unit ends with the duration, so its touch is still inside.
    duration_us = options.duration_us or DEFAULT_DURATION_US
    return TimeScale(origin, Fraction(duration_us, last + 1 - origin))


def demo_trace_path() -> Path:
    """Return the trace of a real program that comes with the package."""
    # Beside the code and not asked for by package name, which would open the door.
    return Path(__file__).resolve().parent.parent / _DEMO

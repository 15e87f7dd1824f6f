"""`damon-async workloads`: which workloads there are, and their options."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Final

from .. import units
from ..errors import InvalidError
from ..params.base import Parameters
from ..spaces.generator_base import Generator
from ..spaces.masim_speed import MasimOptions
from ..spaces.options import Option, options_of
from ..spaces.trace_formats import TRACE_FORMS
from ..spaces.traces import TraceOptions
from ..spaces.workload import GENERATORS, MASIM
from .inputs import RECORD, RECORD_DESCRIPTION, RecordOptions

_MASIM_DESCRIPTION: Final = "configuration of masim, the memory access simulator"

_FILE_OPTIONS: Final[Mapping[str, type[Parameters]]] = {MASIM: MasimOptions, RECORD: RecordOptions}
"""Options of files that are no traces."""

_EXAMPLES: Final = """\
damon-async record stairs.cfg
damon-async record --workload zipf:size=4G,theta=0.8 --timeout 60
damon-async record --workload lackey:ls.txt.gz,duration=10s --ops fvaddr"""

_MARKS: Final = re.compile(r"``(.+?)``|\*(\w+)\*")

_UNIT: Final = 2**20


def workloads(name: str | None = None, /) -> None:
    """
    Say which workloads there are, or what the options of one are.

    Args:
        name: A generator, such as zipf, or a form of files, such as lackey.
    """
    lines = _overview() if name is None else _details(name)
    # Made first and printed then: an unknown name must not follow half a page.
    sys.stdout.write("\n".join(lines) + "\n")


def _overview() -> Iterator[str]:
    """List everything in a line each."""
    # From the tables that opening a workload looks into, so nothing is forgotten.
    yield "Generators: NAME:OPTION=VALUE,OPTION=VALUE"
    yield from _table({each: _sentence(GENERATORS[each]) for each in GENERATORS})
    yield ""
    yield "Files: PATH, or FORM:PATH where the content does not tell; plain, gz, xz or bz2"
    yield from _table(_forms())
    yield ""
    yield "Options of one: damon-async workloads NAME. Options of a file follow its path."
    yield ""
    yield "Examples:"
    yield textwrap.indent(_EXAMPLES, "  ")


def _details(name: str) -> Iterator[str]:
    """Tell all about one."""
    if name in GENERATORS:
        yield _sentence(GENERATORS[name])
        yield ""
        yield f"{name}:OPTION=VALUE,OPTION=VALUE"
        yield from _options(GENERATORS[name])
    elif name in _forms():
        yield f"{_capitalized(_forms()[name])}."
        yield ""
        if name in TRACE_FORMS:
            yield f"A line: {TRACE_FORMS[name].line}"
            yield f"Its clock counts {TRACE_FORMS[name].unit}."
            yield ""
        # Traces share their options, whatever their form.
        yield f"{name}:PATH,OPTION=VALUE,OPTION=VALUE"
        yield from _options(_FILE_OPTIONS.get(name, TraceOptions))
    else:
        known = ", ".join((*GENERATORS, *_forms()))
        raise InvalidError(f"no workload is called {name!r}; there are {known}")


def _forms() -> Mapping[str, str]:
    traces = {name: form.description for name, form in TRACE_FORMS.items()}
    return {MASIM: _MASIM_DESCRIPTION, **traces, RECORD: RECORD_DESCRIPTION}


def _sentence(generator: type[Generator]) -> str:
    # The first paragraph of the docstring says what it does.
    text = inspect.getdoc(generator) or ""
    return _plain(" ".join(text.split("\n\n")[0].split()))


def _plain(text: str) -> str:
    """Drop the marks of docstrings: ``code`` and *emphasis*."""
    return _MARKS.sub(r"\1\2", text)


def _options(model: type[Parameters]) -> Iterable[str]:
    return _table({_name(option): _meaning(option) for option in options_of(model)})


def _name(option: Option) -> str:
    # Values bring their unit along, so the name need not.
    return option.name.removesuffix("_us").removesuffix("_hz").removesuffix("_bp")


def _meaning(option: Option) -> str:
    text = _plain(option.text)
    shown = _shown(option)
    return f"{text} [default: {shown}]" if shown else text


def _shown(option: Option) -> str:
    """Print a default in the form in which a user could type it."""
    default = option.default
    if isinstance(default, Enum):
        return str(default.value)
    if not isinstance(default, (int, float)):
        return ""
    # Zero stays a plain zero: it means "never" or "none", not a time or a size.
    if default and option.name.endswith("_us"):
        return units.format_time_us(int(default))
    # Whole mebibytes are sizes; nothing else that has a default is so large.
    if default and default % _UNIT == 0:
        power = (int(default).bit_length() - 1) // 10
        return f"{int(default) >> 10 * power}{' KMGTPE'[power]}"
    return f"{default:g}" if isinstance(default, float) else str(default)


def _table(rows: Mapping[str, str]) -> Iterator[str]:
    """Print names and texts in two columns, as wide as the terminal."""
    left = max(map(len, rows)) + 4
    # Longer lines are hard to read, however wide the terminal is.
    width = min(100, shutil.get_terminal_size().columns)
    for name, text in rows.items():
        filled = textwrap.wrap(text, max(20, width - left), break_on_hyphens=False)
        yield f"  {name:<{left - 2}}{filled[0]}"
        yield from (" " * left + line for line in filled[1:])


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]

"""One text for any synthetic memory: a file to replay or a generator with options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ..errors import InputFileError, InvalidError
from .generator_base import Generator
from .generators import Diurnal, Hotspot, Noisy, Phases, Scan, Stairs, Uniform, Zigzag
from .masim import load_masim
from .masim_config import looks_like_masim
from .masim_speed import MasimOptions
from .options import build, split_path
from .space import Space
from .trace_formats import TRACE_FORMS, detect_form
from .traces import TraceOptions, open_trace
from .zipf import Zipf

GENERATORS: Final[Mapping[str, type[Generator]]] = MappingProxyType(
    {
        "uniform": Uniform,
        "zipf": Zipf,
        "scan": Scan,
        "stairs": Stairs,
        "zigzag": Zigzag,
        "phases": Phases,
        "diurnal": Diurnal,
        "hotspot": Hotspot,
        "noisy": Noisy,
    }
)
"""The generators by name; ``options.options_of`` lists their fields."""

MASIM: Final = "masim"
"""Name of the form of masim configuration files."""

_MASIM_SUFFIX: Final = ".cfg"
_PEEK_BYTES: Final = 64 * 1024


def open_workload(spec: str, *, seed: int = 0, page_size: int = 4096) -> Space:
    """
    Open any synthetic memory by its text form.

    Args:
        spec: ``zipf:size=1G,theta=0.99`` (a generator and its options),
            ``stairs.cfg`` (a masim configuration or a trace; its form is seen
            from its content), ``lackey:a.txt.gz`` (the form said), all of them
            with options: ``masim:stairs.cfg,repeat=0``.

        seed: For what is random, unless the options give another.

        page_size: Bytes that share one accessed mark, unless the options give
            another.

    Raises:
        InputFileError: If a file cannot be read or is none of the forms.

        ParametersError: If options are wrong; all mistakes are listed.

        InvalidError: If *spec* is neither a file nor a generator.
    """
    name, colon, rest = spec.partition(":")
    name = name.strip()
    # Before files: what a name means must not depend on what lies around.
    if name in GENERATORS:
        given = {"seed": seed, "page_size": page_size}
        return build(GENERATORS[name], rest, given).space()
    if colon and (name == MASIM or name in TRACE_FORMS):
        return _open_file(rest, name, seed, page_size)
    return _open_file(spec, None, seed, page_size)


def workload_forms() -> tuple[str, ...]:
    """Return the forms of files that may be put before a path, as in ``masim:PATH``."""
    return (MASIM, *TRACE_FORMS)


def _open_file(text: str, form: str | None, seed: int, page_size: int) -> Space:
    name, options = split_path(text)
    path = Path(name)
    if form is None:
        form = _form_of(name)
    given = {"page_size": page_size}
    if form == MASIM:
        return load_masim(path, seed=seed, options=build(MasimOptions, options, given))
    return open_trace(path, form=form, **dict(build(TraceOptions, options, given)))


def _form_of(name: str) -> str:
    path = Path(name)
    if not name or not _exists(path):
        raise InvalidError(
            f"no workload {name!r}: it is no file, and the generators are {', '.join(GENERATORS)}"
        )
    if path.is_dir():
        raise InputFileError(path, "is a directory; expected a file to replay")
    # Configurations first: the ids of a trace are numbers, too, but no trace has
    # paragraphs.
    if path.suffix == _MASIM_SUFFIX or looks_like_masim(_beginning(path)):
        return MASIM
    form = detect_form(path)
    if form is None:
        raise InputFileError(
            path,
            "has none of the known forms; if it is one of "
            f"{', '.join(workload_forms())}, say so as in {MASIM}:PATH",
        )
    return form


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        # A misspelt generator with many options is too long for a file's name.
        return False


def _beginning(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_PEEK_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise InputFileError(path, f"cannot be read: {error.strerror}") from None

"""What `schemes` tries: documents of schemes, and a scheme made of options."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from ..errors import DamonError, InvalidError
from ..params.document import load_document
from ..params.monitoring import Kdamond
from ..params.scheme_document import load_schemes
from ..params.schemes import Scheme
from ..params.shapes import load_file, parse_json

CALLED: Final = "scheme document"
"""What errors call it."""


@dataclass(frozen=True)
class Candidate:
    """Schemes to be tried, and what people call them."""

    name: str
    """Short, and unlike all others of a run."""

    schemes: tuple[Scheme, ...]
    """All of them."""

    kdamonds: tuple[Kdamond, ...] = ()
    """If the document says how to monitor as well: all of it."""


def load_candidates(
    texts: Sequence[str], scheme_of_options: Callable[[], Scheme | None]
) -> list[Candidate]:
    """
    Read all schemes that are to be tried.

    Args:
        texts: File names (JSON, YAML, or lines of the old form), or JSON texts:
            lists of schemes, or whole parameter documents.

        scheme_of_options: Makes one more, if options ask for it.

    Raises:
        InvalidError: If there is nothing to try, or anything is wrong anywhere;
            all of it is told.

        InputFileError: If the only thing wrong is a file.
    """
    # Read one by one below, so that every mistake is told at once.
    loads = [partial(_load, text, index) for index, text in enumerate(texts, start=1)]
    candidates: list[Candidate] = []
    wrong: list[DamonError] = []
    for load in (*loads, partial(_of_options, scheme_of_options)):
        try:
            candidates += load()
        except DamonError as error:
            wrong.append(error)
    # A single mistake keeps its own class and, of a file, its line.
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise InvalidError("; ".join(map(str, wrong)))
    if not candidates:
        raise InvalidError("nothing to try: name schemes with --schemes, or give --damos_action")
    return list(_distinct(candidates))


def _of_options(scheme_of_options: Callable[[], Scheme | None]) -> list[Candidate]:
    scheme = scheme_of_options()
    return [] if scheme is None else [Candidate(f"--damos_action {scheme.action}", (scheme,))]


def _load(text: str, index: int) -> list[Candidate]:
    # Hardly any file name begins like that, so nobody has to say which it is.
    if text.lstrip()[:1] in ("{", "["):
        return [_of_tree(f"schemes {index}", parse_json(text, CALLED))]
    return [load_file(text, CALLED, lambda source: _of_source(Path(text).name, source))]


def _of_source(name: str, source: object) -> Candidate:
    """Make a candidate of a file: of its text, or of the tree of a YAML file."""
    if isinstance(source, str) and source.lstrip()[:1] in ("{", "["):
        source = parse_json(source, CALLED)
    return _of_tree(name, source)


def _of_tree(name: str, tree: object) -> Candidate:
    if _is_whole(tree):
        kdamonds = load_document(tree)
        schemes = tuple(s for k in kdamonds for context in k.contexts for s in context.schemes)
    else:
        kdamonds, schemes = (), load_schemes(tree)
    # It would run like the baseline, and look as if it had no effect.
    if not schemes:
        raise InvalidError(f"{name} has no schemes, so there is nothing to try")
    return Candidate(name, schemes, kdamonds)


def _is_whole(tree: object) -> bool:
    """Tell parameter documents from lists of schemes."""
    if isinstance(tree, Mapping):
        return True
    # What lies beside a record is a bare list of kdamonds.
    return isinstance(tree, list) and any(
        isinstance(each, Mapping) and "contexts" in each for each in tree
    )


def _distinct(candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """Number the names that several candidates have."""
    names = [candidate.name for candidate in candidates]
    for index, candidate in enumerate(candidates):
        name = candidate.name
        # Files of one name in two folders; tables and records tell runs apart by it.
        if names.count(name) > 1:
            name = f"{name} #{names[: index + 1].count(name)}"
        yield replace(candidate, name=name)

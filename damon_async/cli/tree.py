"""`damon-async tree`: look into control trees, write to them, and carry them elsewhere."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from cyclopts import Group, Parameter

from ..control.admin import ADMIN
from ..control.dump import kdamonds_of
from ..control.explain import explained
from ..control.folder import Folder
from ..control.load import NR_KDAMONDS, stage
from ..control.lookup import declared_file, natural
from ..control.script import SYSFS, to_script
from ..control.start_line import start_words
from ..control.stored_tree import Files, Values, differences, text_of, to_lines
from ..errors import InvalidError
from ..params.document import to_document
from ..records.beside import written_beside
from .outputs import STDOUT
from .quantities import OutPath
from .report_common import emit
from .text import say
from .tree_places import open_folder, open_place, values_at

WHERE: Final = Group("Which tree", sort_key=1)

OUTPUT: Final = Group("Output", sort_key=2)

EXIT_DIFFERENT: Final = 1
"""What `diff` ends with if there is any difference, as diff(1) does."""

EXIT_PARTLY: Final = 2
"""Some of what was asked for cannot be."""

Where = Annotated[str, Parameter(name="--tree", alias="-t", group=WHERE, metavar="FOLDER|FILE")]
"""A tree to look into."""

Folders = Annotated[str, Parameter(name="--tree", alias="-t", group=WHERE, metavar="FOLDER")]
"""A tree to write to."""

Words = Annotated[str, Parameter(allow_leading_hyphen=True)]
"""A word that may be a negative number."""


# -- Looking -----------------------------------------------------------------


def ls(
    path: str = "",
    /,
    *,
    tree: Where = SYSFS,
    recursive: Annotated[bool, Parameter(alias="-R")] = False,
) -> None:
    """
    List what is in a directory of a tree.

    Args:
        path: The directory, from the root of the tree. Default: the root.

        tree: A directory, or a file that `dump` wrote.

        recursive: List all below it as well, as paths.
    """
    files = open_place(tree)
    emit(_listed(files, _inside(tree, path), recursive))


def cat(*paths: str, tree: Where = SYSFS) -> int:
    """
    Print what files of a tree hold.

    Args:
        paths: The files, from the root of the tree.

        tree: A directory, or a file that `dump` wrote.
    """
    if not paths:
        raise InvalidError("cat needs the path of a file, such as kdamonds/0/state")
    files = open_place(tree)
    code = 0
    for path in paths:
        name = _inside(tree, path)
        try:
            emit([_printable(text_of(files.read(name)))])
        except OSError as error:
            # On with the next one, as cat(1) does.
            say(explained(name, None, error.errno or 0))
            code = EXIT_PARTLY
    return code


def _listed(files: Files, path: str, recursive: bool) -> Iterator[str]:
    try:
        entries = files.entries(path)
    except OSError as error:
        raise OSError(error.errno, explained(path or "/", None, error.errno or 0)) from None
    for name, is_directory in sorted(entries, key=lambda entry: natural(entry[0])):
        below = f"{path}/{name}".lstrip("/")
        yield (below if recursive else name) + "/" * is_directory
        if recursive and is_directory:
            yield from _listed(files, below, recursive)


def _inside(tree: str, path: str) -> str:
    """Return a path from the root of the tree; whole ones are understood as well."""
    return f"{path}/".removeprefix(f"{tree.rstrip('/')}/").strip("/")


# -- Writing -----------------------------------------------------------------


def set_values(*words: Words, tree: Folders = SYSFS) -> None:
    """
    Write values to files of a tree, in the order they are given.

    The tree must be one of ours, such as in `damon-async sandbox`: to the DAMON of
    this machine nothing is written.

    Args:
        words: PATH VALUE [PATH VALUE...]: files, from the root of the tree, and what
            they are to hold.

        tree: A directory.
    """
    if not words or len(words) % 2:
        raise InvalidError("set takes pairs of path and value: set kdamonds/nr_kdamonds 1")
    folder = open_folder(tree)
    for path, value in zip(words[::2], words[1::2], strict=True):
        _write(folder, _inside(tree, path), value)


def load(
    file: str,
    /,
    *,
    tree: Folders = SYSFS,
    on: bool = False,
    commit: bool = False,
) -> None:
    """
    Have a tree hold what a file says; what it held before is gone.

    The tree must be one of ours, such as in `damon-async sandbox`: to the DAMON of
    this machine nothing is written.

    Args:
        file: A parameter document of damo, JSON or YAML, or what `dump` wrote as lines.

        tree: A directory.

        on: Start all kdamonds then.

        commit: Have the kdamonds that run take it over.
    """
    # Of two commands the second would be refused, after half of the work.
    if on and commit:
        raise InvalidError("--on starts and --commit changes what runs; choose one")
    folder = open_folder(tree)
    # Read and understood before the tree is touched.
    values = values_at(file).values
    nr_written = stage(folder, values, ADMIN)
    say(f"wrote {nr_written} values to {folder.path}")
    if on or commit:
        for index in range(int(values.get(NR_KDAMONDS, "0"))):
            _write(folder, f"kdamonds/{index}/state", "on" if on else "commit")


def _write(folder: Folder, path: str, value: str) -> None:
    try:
        folder.write(path, value.encode("utf-8", "surrogateescape"))
    except OSError as error:
        number = error.errno or 0
        told = explained(path, value, number, declared_file(ADMIN, path))
        raise OSError(number, told) from None


# -- Carrying elsewhere ------------------------------------------------------


def dump(
    *,
    tree: Where = SYSFS,
    form: Annotated[Literal["json", "start", "script", "lines"], Parameter(group=OUTPUT)] = "json",
    out: Annotated[OutPath, Parameter(alias="-o", group=OUTPUT)] = STDOUT,
    on: Annotated[bool, Parameter(group=OUTPUT)] = False,
) -> None:
    """
    Write down all that a tree holds.

    Args:
        tree: A directory, or a file: a parameter document, or what `dump` wrote as lines.

        form: json: a parameter document, which damo takes. start: a `damo start` line.
            script: a shell script of writes. lines: "path: value", results as well.

        out: Where to.

        on: Of scripts: end by starting all kdamonds.
    """
    values = values_at(tree).values
    if on and form != "script":
        raise InvalidError("--on is for --form script; the other forms start nothing")
    text = _dumped(values, form, turns_on=on)
    # Made first: what cannot be dumped must not leave half a file.
    if out == STDOUT:
        emit([_printable(text.removesuffix("\n"))])
        return
    with written_beside(out, mode=0o755 if form == "script" else 0o644) as file:
        file.write(text.encode("utf-8", "surrogateescape"))


def diff(left: str, right: str, /) -> int:
    """
    Compare two trees; the exit code is 1 if any value differs.

    Against a parameter document settings count only, not statistics and the like. A
    setting that one of them does not have counts as its default.

    Args:
        left: A directory, a file that `dump` wrote, or a parameter document.

        right: The same.
    """
    first, second = values_at(left), values_at(right)
    # A document has no results, and all of them would differ.
    settings_only = first.is_document or second.is_document
    found = list(differences(first.values, second.values, ADMIN, settings_only=settings_only))
    emit(f"{each.path}: {_shown(each.left)} -> {_shown(each.right)}" for each in found)
    return EXIT_DIFFERENT if found else 0


def reference_page(tree: Literal["sysfs", "debugfs", "modules"] = "sysfs", /) -> None:
    """
    Print the page of the documentation about all files of a tree, as markdown.

    Args:
        tree: Which interface it belongs to.
    """
    # Declarations of the other trees bring the engine along, which takes a while to import.
    from ..control.reference_pages import page_about

    emit([page_about(tree).removesuffix("\n")])


def _dumped(values: Values, form: str, *, turns_on: bool) -> str:
    match form:
        case "lines":
            return to_lines(values)
        case "script":
            return to_script(values, ADMIN, turns_on=turns_on)
        case "start":
            return shlex.join(start_words(kdamonds_of(values))) + "\n"
    # Plain numbers: human forms lose precision.
    document = to_document(kdamonds_of(values), raw=True)
    return json.dumps(document, indent=4) + "\n"


def _shown(value: str | None) -> str:
    return "(none)" if value is None else _printable(value.replace("\n", "\\n"))


def _printable(text: str) -> str:
    """Return a text that every terminal takes: odd bytes as numbers."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

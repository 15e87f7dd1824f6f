"""Schemes of one line each."""

from __future__ import annotations

from pathlib import Path

import pytest

from damon_async.errors import InputFileError, InvalidError, ParametersError
from damon_async.params.patterns import AccessPattern
from damon_async.params.quotas import Quotas, Watermarks, Weights
from damon_async.params.scheme_document import load_schemes, load_schemes_file
from damon_async.params.scheme_lines import FIELDS, MORE_FIELDS, load_scheme_lines
from damon_async.params.schemes import Scheme

PATTERN = "4K max min 5 5s max pageout"
IDLE = AccessPattern(("4K", "max"), (0, 5), ("5 s", "max"))
MARKS = Watermarks("free_mem_rate", "5 s", 500, 400, 50)


@pytest.mark.parametrize(
    ("line", "scheme"),
    [
        (PATTERN, Scheme("pageout", IDLE)),
        (f"{PATTERN} 500M 1s", Scheme("pageout", IDLE, 0, Quotas(0, "500M", "1s"))),
        (
            f"{PATTERN} 500M 1s 0 3 7",
            Scheme("pageout", IDLE, 0, Quotas(0, "500M", "1s", Weights(0, 3, 7))),
        ),
        (
            f"{PATTERN} 500M 1s 0 3 7 free_mem_rate 5s 500 400 50",
            Scheme("pageout", IDLE, 0, Quotas(0, "500M", "1s", Weights(0, 3, 7)), MARKS),
        ),
        (
            f"{PATTERN} 10ms 500M 1s 0 3 7 free_mem_rate 5s 500 400 50",
            Scheme("pageout", IDLE, 0, Quotas("10ms", "500M", "1s", Weights(0, 3, 7)), MARKS),
        ),
    ],
)
def test_lines(line: str, scheme: Scheme) -> None:
    """A line has 7, 9, 12, 17 or 18 fields."""
    assert load_scheme_lines(line) == (scheme,)


def test_as_many_as_they_say() -> None:
    """The tables of fields are as long as the lines they describe."""
    assert {len(FIELDS) + len(more) for more in MORE_FIELDS.values()} == MORE_FIELDS.keys()


def test_comments() -> None:
    """Empty lines and lines of comment are skipped, and several schemes keep their order."""
    text = f"# format is:\n\n  # <min size>\n{PATTERN}\n\t min max\tmin max min max stat \n"
    assert [scheme.action for scheme in load_scheme_lines(text)] == ["pageout", "stat"]
    assert load_scheme_lines(text.encode()) == load_schemes(text) == load_schemes(text.encode())


def test_nothing() -> None:
    """A text of comments alone holds no schemes."""
    assert load_schemes("# nothing\n") == ()


def test_every_mistake_at_once() -> None:
    """All mistakes of a text are told together, each with its line."""
    text = f"# fine\n{PATTERN} 1\n4K 1K min 5 old max page_out\n{PATTERN}\n{PATTERN} -1M 1s\n"
    with pytest.raises(ParametersError, match="5 problems") as caught:
        load_scheme_lines(text)
    assert [str(problem).partition(";")[0] for problem in caught.value.problems] == [
        "line 2: has 8 fields",
        "line 3.action: 'page_out' is not an action",
        "line 3.access_pattern.sz_bytes.min: 4096 bytes is above max, 1024 bytes",
        "line 3.access_pattern.age.min: 'old' is not a time",
        "line 5.quotas.sz_bytes: '-1M' is not a size",
    ]


def test_no_text() -> None:
    """What is no text is refused as such."""
    with pytest.raises(InvalidError, match="not a scheme document; expected UTF-8 text"):
        load_scheme_lines(b"4K \xff")


def test_bad_file(tmp_path: Path) -> None:
    """A bad file is one line that begins with its path."""
    path = tmp_path / "a.damos"
    path.write_text("4K max")
    with pytest.raises(InputFileError, match=r"a\.damos: line 1: has 2 fields; expected 7, 9,"):
        load_schemes_file(path)


def test_real_reclaim(shared: Path) -> None:
    """The reclaiming scheme of the performance tests is the same in both forms."""
    folder = shared / "traces" / "schemes"
    (scheme,) = load_schemes_file(folder / "darc1.damos")
    assert (scheme,) == load_schemes_file(folder / "darc1.json")
    assert scheme.quotas.sz_bytes == 500 * 2**20


def test_real_huge_pages(shared: Path) -> None:
    """The huge page schemes of the performance tests match the same in both forms."""
    folder = shared / "traces" / "schemes"
    old, new = (load_schemes_file(folder / f"ethp.{form}") for form in ("damos", "json"))
    assert [scheme.action for scheme in old] == [scheme.action for scheme in new]
    assert old[1].access_pattern == new[1].access_pattern
    # The old form says max where the new one says 100 %; no region is above.
    assert [each.access_pattern.nr_accesses.min for each in (old[0], new[0])] == [5, 5]

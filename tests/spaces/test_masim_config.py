"""Reading masim configurations: kinder about blanks, stricter about names."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from damon_async.errors import InputFileError, ParametersError
from damon_async.spaces.masim_config import (
    MAX_FILE_SIZE,
    MasimConfig,
    MasimPattern,
    MasimPhase,
    MasimRegion,
    RwMode,
    looks_like_masim,
    parse_masim,
    read_masim,
)

TEXT = """\
#regions
# name, length, initial data file
a, 256, none
b, 100000000

# phase 1
first phase
1000
a, 1, 64, 80, wo
b, 0, 4096, 20

second phase
2500
b, 0, 4096, 50
"""

CONFIG = MasimConfig(
    (MasimRegion("a", 256), MasimRegion("b", 100_000_000)),
    (
        MasimPhase(
            "first phase",
            1_000_000,
            (
                MasimPattern(0, is_random=True, stride=64, weight=80, mode=RwMode.WRITE),
                MasimPattern(1, is_random=False, stride=4096, weight=20),
            ),
        ),
        MasimPhase(
            "second phase",
            2_500_000,
            (MasimPattern(1, is_random=False, stride=4096, weight=50),),
        ),
    ),
)

REGIONS = "a, 100\nb, 200\n\n"
PHASE = "name\n1000\n"


def problems_of(text: str) -> list[str]:
    """Return what a text is refused for."""
    with pytest.raises(ParametersError, match=r"file, line") as caught:
        parse_masim(text, "file")
    return [str(problem) for problem in caught.value.problems]


def pattern_of(fields: str) -> MasimPattern:
    """Read one pattern line."""
    return parse_masim(f"{REGIONS}{PHASE}{fields}\n").phases[0].patterns[0]


def test_grammar() -> None:
    """A configuration is a paragraph of regions and one for each phase (spec damo 6.1)."""
    assert parse_masim(TEXT) == CONFIG


@pytest.mark.parametrize(
    "text",
    [
        TEXT.rstrip("\n"),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        TEXT.replace("\n\n", "\n\n\n \t\n"),
        "\n\n" + TEXT + "\n\n\n",
        TEXT.replace("a, ", "  a ,").replace("b, ", "\tb ,  "),
        TEXT.replace("100000000", "100,000,000".replace(",", "")),
        TEXT.replace("1000\n", "1s\n").replace("2500\n", "2.5 s\n"),
        TEXT.replace("256,", "256 bytes,").replace("50\n", "50 # all of it\n"),
    ],
    ids=["no-end", "crlf", "cr", "blanks", "around", "names", "digits", "units", "remarks"],
)
def test_kindness(text: str) -> None:
    """Line ends, blank lines, blanks, units and remarks after a number do no harm."""
    assert parse_masim(text) == CONFIG


def test_comment_is_no_empty_line() -> None:
    """A comment vanishes as a whole and ends no paragraph."""
    text = TEXT.replace("a, 1, 64", "# the first pattern\na, 1, 64").replace("b, 100", "#\nb, 100")
    assert parse_masim(text) == CONFIG


def test_comment_begins_the_line() -> None:
    """Later in a line a hash is ordinary text."""
    config = parse_masim(f"a#1, 100\n\nphase # 1\n{PHASE[5:]}a#1, 0, 64, 1\n")
    assert config.regions[0].name == "a#1"
    assert config.phases[0].name == "phase # 1"


def test_phase_names() -> None:
    """Names of phases are any text, kept with its blanks, and may come twice."""
    pattern = "1000\na, 0, 64, 1\n"
    config = parse_masim(f"a, 100\n\n  1, 2, 3\n{pattern}\nsame\n{pattern}\nsame\n{pattern}")
    assert [phase.name for phase in config.phases] == ["  1, 2, 3", "same", "same"]


def test_sizes() -> None:
    """Sizes are bytes, or a number with a unit."""
    config = parse_masim(f"a, 4096\nb, 10M\nc, 1.5 GiB\n\n{PHASE}a, 0, 4K, 1\n")
    assert [region.size for region in config.regions] == [4096, 10 * 1024**2, 3 * 1024**3 // 2]
    assert config.phases[0].patterns[0].stride == 4096


@pytest.mark.parametrize(("field", "name"), [("none", None), ("", None), (" a.img ", "a.img")])
def test_data_file(field: str, name: str | None) -> None:
    """A region may name a data file, unless it is none."""
    assert parse_masim(f"a, 64,{field}\n\n{PHASE}a, 0, 1, 1\n").regions[0].data_file == name


@pytest.mark.parametrize(("field", "is_random"), [("0", False), ("1", True), (" 7 ", True)])
def test_random(field: str, is_random: bool) -> None:
    """Whatever is not 0 is random."""
    assert pattern_of(f"a,{field},64,1").is_random is is_random


@pytest.mark.parametrize(
    ("field", "mode"), [("ro", RwMode.READ), (" wo ", RwMode.WRITE), ("rwx", RwMode.BOTH)]
)
def test_modes(field: str, mode: RwMode) -> None:
    """A mode is recognised by its beginning."""
    assert pattern_of(f"a, 0, 64, 1,{field}").mode is mode


def test_no_mode() -> None:
    """Without a mode it is left to the run."""
    assert pattern_of("a, 0, 64, 1").mode is None


def test_weight_of_0() -> None:
    """A pattern may have no chance at all."""
    assert pattern_of("a, 0, 64, 0").weight == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: expected a paragraph of regions"),
        ("a, 100\nb, 200\n", "line 2: expected a paragraph of regions, an empty line"),
        (f"a\n\n{PHASE}a, 0, 64, 1\n", r"line 1: a region is: name, size \[, data file\]"),
        (f"a, 1, x, y\n\n{PHASE}a, 0, 64, 1\n", "line 1: a region is"),
        (f"a, many\n\n{PHASE}a, 0, 64, 1\n", "line 1: size: 'many' is not a size"),
        (f"a, 10O0\n\n{PHASE}a, 0, 64, 1\n", "line 1: size: '10O0' is not a size"),
        (f"a, 0\n\n{PHASE}a, 0, 64, 1\n", "line 1: size must be between 1 byte and 16.000 TiB"),
        (f"a, 17T\n\n{PHASE}a, 0, 64, 1\n", "line 1: size must be between 1 byte and"),
        (f"a, 9T\nb, 9T\n\n{PHASE}a, 0, 64, 1\n", "line 1: all regions together exceed"),
        (f"a, 1\na, 2\n\n{PHASE}a, 0, 64, 1\n", "line 2: region 'a' is already defined"),
        (f"{REGIONS}{PHASE}", "line 5: a phase is: its name, its milliseconds, then"),
        (f"{REGIONS}name\nsoon\na, 0, 64, 1\n", "line 5: milliseconds: 'soon' is not a time"),
        (f"{REGIONS}name\nmax\na, 0, 64, 1\n", "line 5: a phase of max never ends"),
        (f"{REGIONS}{PHASE}a, 0, 64\n", "line 6: a pattern is: region, random, stride"),
        (f"{REGIONS}{PHASE}a, 0, 64, 1, ro, x\n", "line 6: a pattern is"),
        (f"{REGIONS}{PHASE}c, 0, 64, 1\n", "line 6: no region 'c'; regions are a, b"),
        (f"{REGIONS}{PHASE}a, x, 64, 1\n", "line 6: random: 'x' is not a number"),
        (f"{REGIONS}{PHASE}a, 0, x, 1\n", "line 6: stride: 'x' is not a size"),
        (f"{REGIONS}{PHASE}a, 0, 64, -1\n", "line 6: probability: '-1' is not a number"),
        (f"{REGIONS}{PHASE}a, 0, 64, 0.5\n", "line 6: probability: '0.5' is not a number"),
        (f"{REGIONS}{PHASE}a, 0, 64, 3000000000\n", "line 6: probability 3000000000 is above"),
        (f"{REGIONS}{PHASE}a, 0, 64, 1, xo\n", "line 6: mode 'xo' is none of ro, wo, rw"),
    ],
)
def test_problems(text: str, problem: str) -> None:
    """Whatever is wrong is named with its line and what would be right."""
    with pytest.raises(ParametersError, match=f"^file, {problem}") as caught:
        parse_masim(text, "file")
    assert len(caught.value.problems) == 1


def test_all_problems_at_once() -> None:
    """Every wrong line of a file is reported."""
    text = "a, x\nb\n\none\n1000\na, 0, 64, 1\nc, 0, 64, 1\n\ntwo\nsoon\nb, 0, 64\n"
    assert [problem.partition(":")[0] for problem in problems_of(text)] == [
        f"file, line {number}" for number in (1, 2, 7, 10, 11)
    ]


def test_lines_are_those_of_the_file() -> None:
    """Comments and empty lines count as lines."""
    assert problems_of(f"# one\n\n# three\na, x\n\n{PHASE}a, 0, 1, 1\n")[0].startswith(
        "file, line 4"
    )


def test_read_masim(tmp_path: Path) -> None:
    """A file is read as its text; bytes that are no UTF-8 may be in names."""
    path = tmp_path / "a.cfg"
    path.write_bytes(b"\xe4, 100\n\nph\xff\n1000\n\xe4, 0, 64, 1\n")
    assert len(read_masim(path).regions) == 1


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is one clear sentence."""
    with pytest.raises(InputFileError, match=r"no\.cfg: cannot be read: No such file"):
        read_masim(tmp_path / "no.cfg")


def test_directory(tmp_path: Path) -> None:
    """A directory is no configuration."""
    with pytest.raises(InputFileError, match="cannot be read: Is a directory"):
        read_masim(tmp_path)


@pytest.mark.parametrize("content", [b"a\0b", b"#" * (MAX_FILE_SIZE + 1)])
def test_no_text(tmp_path: Path, content: bytes) -> None:
    """Binary and huge files are refused before they are looked at."""
    path = tmp_path / "a.cfg"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="is not a masim configuration, which is a short text"):
        read_masim(path)


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("\n", "\r\n"), TEXT[:115], "a, 1\n\n x\n5\n"])
def test_looks_like_masim(text: str) -> None:
    """Regions and the beginning of a phase are enough to recognise a configuration."""
    assert looks_like_masim(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a, 1\nb, 2\n",
        "l 0x7fff 3\ns 0x8fff 5\n",
        "version,time,op,size,lbn\n1,2,3,4,5\n\nx\n5\n",
        "1\n2\n3\n\nx\n5\n",
        "a, b\n\nx\n5\n",
        "a, 1\n\nx\ny\n",
        " L 04222c80,8\n",
    ],
)
def test_does_not_look_like_masim(text: str) -> None:
    """Traces and other texts are not taken for configurations."""
    assert not looks_like_masim(text)


@given(st.text(alphabet="ab,0 1#\n\r\tx", max_size=60))
def test_any_text(text: str) -> None:
    """Any text at all is read, or refused with the lines that are wrong."""
    with suppress(ParametersError):
        assert parse_masim(text, "file").regions

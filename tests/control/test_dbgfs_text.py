from __future__ import annotations

import errno

import pytest
from hypothesis import given, strategies as st

from damon_async.control.dbgfs_context import ACTIONS, DebugTarget, scheme_of
from damon_async.control.dbgfs_text import (
    INT,
    MAX_SCHEMES,
    UINT,
    ULONG,
    WIDTHS,
    Attrs,
    OnOff,
    Scan,
    SchemeNumbers,
    SchemesFormat,
    Width,
    read_name,
    read_regions,
    read_schemes,
    read_target_ids,
    show_regions,
    show_scheme,
)
from damon_async.control.profiles import Profile, Release
from damon_async.params.intervals import Intervals
from damon_async.params.keywords import Action, WatermarkMetric

from .consoles import Memory
from .debug_consoles import MATCH_ALL, STAT_ALL, every_profile
from .debug_doors import OpenDebug

SCHEME = "1 2 3 4 5 6 4 0 0 0 1 2 3 1 100 3 2 1"


def numbers(text: bytes, width: Width) -> list[int]:
    return [number for (number,) in Scan(text).records([width])]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        (b"1 2\n\t3\v\f\r4", UINT, [1, 2, 3, 4]),
        (b"0x10 2", UINT, [0]),
        (b"010", UINT, [10]),
        (b"+7 8", UINT, [7, 8]),
        (b"7 -8 9", UINT, [7]),
        (b"7 -8 9", INT, [7, -8, 9]),
        (b"7- 8", INT, [7]),
        (b"1,2", UINT, [1]),
        (b"12ab 3", UINT, [12]),
        (b"", UINT, []),
        (b"4294967297 4294967295", UINT, [1, 2**32 - 1]),
        (b"4294967297 4294967295 -2147483649", INT, [1, -1, 2**31 - 1]),
        (b"18446744073709551617", ULONG, [1]),
        (b"1" + b"0" * 50, ULONG, [10**50 % 2**64]),
        (b"\xa0 1", UINT, []),
    ],
)
def test_scans(text: bytes, width: Width, expected: list[int]) -> None:
    """Numbers are scanned as C does: decimal, blanks between, wrapped around (4.2)."""
    assert numbers(text, width) == expected


def test_endless_numbers() -> None:
    """A number of a million digits is one, too."""
    assert numbers(b"0" * 10**6 + b"5 6", ULONG) == [5, 6]


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_scans_read_what_was_written(values: list[int]) -> None:
    """Numbers that fit come back as they were."""
    assert numbers(b" ".join(b"%d" % value for value in values), ULONG) == values


@given(st.binary(), st.sampled_from([INT, UINT, ULONG]))
def test_scans_fit(text: bytes, width: Width) -> None:
    """Whatever the text, numbers fit their width, and scanning ends."""
    low = -(2 ** (width.bits - 1)) if width.is_signed else 0
    assert all(low <= number < low + 2**width.bits for number in numbers(text, width))


def test_attrs() -> None:
    """Five numbers are read, checked as the release does, and printed as a line (4.3)."""
    attrs = Attrs.read(b"20 10 30 4 5 6")
    assert attrs == Attrs(20, 10, 30, 4, 5)
    assert attrs.text == b"20 10 30 4 5\n"
    attrs.check(Release(6, 1))
    with pytest.raises(OSError, match="sample 20 is above aggr 10"):
        attrs.check(Release(6, 12))
    with pytest.raises(OSError, match="not five numbers"):
        Attrs.read(b"1 2 3 4 x")


def test_target_ids() -> None:
    """Physical memory has a word, and all else is numbers or nothing (4.3)."""
    assert read_target_ids(b"paddr") is read_target_ids(b"paddr\n") is None
    assert read_target_ids(b"paddr\n\n") == read_target_ids(b"") == []
    assert read_target_ids(b"7 -8 x 9") == [7, -8]
    assert read_target_ids(b"1 " * 33) == [1] * 32


def test_regions() -> None:
    """Triples are read up to the first incomplete one, and printed one per line (4.3)."""
    triples = read_regions(b"0 1 2 -1 3\n4 5 6")
    assert triples == [(0, 1, 2), (-1, 3, 4)]
    assert show_regions(triples) == b"0 1 2\n-1 3 4\n"
    assert not show_regions([])


def test_regions_share_pages() -> None:
    """A page that two regions share is in one range of the engine."""
    target = DebugTarget(1, Memory())
    for start, end in ((10, 100), (100, 200), (200, 5000), (9000, 9001)):
        target.add_region(start, end)
    ranges = [(each.start, each.end) for each in target.ranges]
    assert ranges == [(0, 4096), (4096, 8192), (8192, 12288)]


def test_formats() -> None:
    """Each format has as many columns as the kernel of its time (4.4)."""
    columns = [(form.nr_inputs, form.nr_inputs + form.nr_stats) for form in SchemesFormat]
    assert columns == [(7, 9), (10, 12), (13, 15), (18, 20), (18, 23)]


@pytest.mark.parametrize("form", SchemesFormat)
def test_formats_round_trip(form: SchemesFormat) -> None:
    """What is written in a format is read in it, with statistics behind."""
    text = " ".join(SCHEME.split()[: form.nr_inputs])
    (scheme,) = read_schemes(text.encode(), form)
    stats = ["7", "8", "9", "10", "11"]
    line = show_scheme(scheme, [*map(int, stats)], form)
    assert line.decode().split() == [*text.split(), *stats[: form.nr_stats]]


def test_records_are_counted_by_the_format() -> None:
    """Thirty-six numbers are as many records as the format says (4.4)."""
    text = " ".join(["1"] * 6 + ["1"] * 30).encode()
    lengths = [len(read_schemes(text, form)) for form in SchemesFormat]
    assert lengths == [5, 3, 2, 2, 2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2 1 2 1 10 1 3 10 1 1 1 1 1 1 1 1 2 3", "2 to 1"),
        ("1 2 3 4 5 6 6 0 0 0 1 2 3 1 100 3 2 1", "no action 6"),
        ("1 2 3 4 5 6 4 0 0 0 1 2 3 1 100 1 2 1", "do not descend"),
        ("1 2 3 4 5 6 4 0 0 0 1 2 3 1 100 3 2 3", "do not descend"),
        ("1 2 4 3 5 6 4 0 0 0 1 2 3 1 100 3 2 1", "4 to 3"),
        ("1 2 3 4 6 5 4 0 0 0 1 2 3 1 100 3 2 1", "6 to 5"),
    ],
)
def test_schemes_that_make_no_sense(text: str, why: str) -> None:
    """Unknown actions and bounds in the wrong order are EINVAL, in any record (112, 113)."""
    for data in (text, f"{SCHEME}\n{text}"):
        with pytest.raises(OSError, match=why) as raised:
            read_schemes(data.encode(), SchemesFormat.E)
        assert raised.value.errno == errno.EINVAL


def test_most_schemes() -> None:
    """Of very many records the first 256 are taken, and the others not even looked at (4.4)."""
    text = " ".join([*[SCHEME] * MAX_SCHEMES, SCHEME.replace(" 4 ", " 6 ", 1)])
    assert len(read_schemes(text.encode(), SchemesFormat.E)) == 256


def test_scheme_of_numbers() -> None:
    """Every number of a record reaches the scheme it describes (4.4)."""
    text = "1 2 3 4 5 6 2 7 8 9 10 11 12 1 13 16 15 14"
    (record,) = read_schemes(text.encode(), SchemesFormat.E)
    scheme = scheme_of(record)
    assert scheme.action is Action.PAGEOUT
    pattern = scheme.access_pattern.resolved(Intervals())
    assert [*vars(scheme.quotas.weights).values()] == [10, 11, 12]
    assert (pattern.min_sz, pattern.max_sz) == (1, 2)
    assert (pattern.min_nr_accesses, pattern.max_nr_accesses) == (3, 4)
    assert (pattern.min_age, pattern.max_age) == (5, 6)
    quotas, marks = scheme.quotas, scheme.watermarks
    assert (quotas.time_ms, quotas.sz_bytes, quotas.reset_interval_ms) == (7, 8, 9)
    assert marks.metric is WatermarkMetric.FREE_MEM_RATE
    assert (marks.interval_us, marks.high_permil, marks.mid_permil) == (13, 16, 15)
    assert marks.low_permil == 14


def test_actions_and_metrics_by_number() -> None:
    """Actions have the numbers of the interface, and unknown metrics are none (4.4)."""
    names = "willneed cold pageout hugepage nohugepage stat"
    assert [str(action) for action in ACTIONS] == names.split()
    for metric in (0, 2, 2**32 - 1):
        record = SchemeNumbers(0, 1, 0, 1, 0, 1, 5, metric=metric)
        assert scheme_of(record).watermarks.metric is WatermarkMetric.NONE


@st.composite
def schemes(draw: st.DrawFn) -> SchemeNumbers:
    """Draw a record that makes sense."""
    drawn = [draw(st.integers(0, 2**width.bits - 1)) for width in WIDTHS]
    for index in (0, 2, 4):
        drawn[index : index + 2] = sorted(drawn[index : index + 2])
    drawn[6] = draw(st.integers(0, 5))
    drawn[15:] = sorted(drawn[15:], reverse=True)
    return SchemeNumbers(*drawn)


@given(st.lists(schemes(), max_size=5), st.sampled_from(["\n", " ", "\t\n "]))
def test_schemes_round_trip(records: list[SchemeNumbers], blank: str) -> None:
    """Records that make sense come back as they were, whatever is between them."""
    text = blank.join(" ".join(map(str, record)) for record in records)
    assert read_schemes(text.encode(), SchemesFormat.E) == records


@given(st.lists(schemes(), min_size=1, max_size=3))
def test_schemes_read_their_own_lines(records: list[SchemeNumbers]) -> None:
    """Without its statistics, what is read can be written again, and reads the same."""
    lines = [show_scheme(record, [0] * 5, SchemesFormat.E) for record in records]
    text = b"\n".join(line.rsplit(maxsplit=5)[0] for line in lines)
    assert read_schemes(text, SchemesFormat.E) == records


def test_switch() -> None:
    """The switch knows two words, with blanks around them (4.3)."""
    kind = OnOff().at(Release(6, 1))
    assert [kind.parse(text) for text in (b"on", b" on\n", b"\toff \n\n", b"off\0x")] == [
        *["on"] * 2,
        *["off"] * 2,
    ]
    assert kind.show("on") == b"on\n"
    for text in (b"", b"\n", b"ON", b"o", b"foo", b"on off", b"onn"):
        with pytest.raises(OSError, match="neither on nor off") as raised:
            kind.parse(text)
        assert raised.value.errno == errno.EINVAL


def test_first_words() -> None:
    """A name is the first word of a text (4.3)."""
    assert read_name(b" foo\tbar\n") == read_name(b"foo") == "foo"
    with pytest.raises(OSError, match="a name is missing"):
        read_name(b" \n")


@every_profile
async def test_schemes_file(profile: Profile, open_debug: OpenDebug) -> None:
    """A scheme reads as it was written, with five statistics (statement 111)."""
    async with open_debug(profile) as console:
        assert not console.text("schemes")
        console.put(schemes=SCHEME)
        assert console.text("schemes") == f"{SCHEME} 0 0 0 0 0\n"


@pytest.mark.parametrize(
    ("form", "text", "stats"),
    [
        ("A", f"{MATCH_ALL} 5", " 0 0"),
        ("B", f"{MATCH_ALL} 5 0 0 0", " 0 0"),
        ("C", f"{MATCH_ALL} 5 0 0 0 0 0 0", " 0 0"),
        ("D", SCHEME, " 0 0"),
        ("E", SCHEME, " 0 0 0 0 0"),
    ],
)
async def test_schemes_file_in_old_formats(
    form: str, text: str, stats: str, open_debug: OpenDebug
) -> None:
    """In an old format a record has fewer numbers, and two statistics (statement 111)."""
    async with open_debug(schemes_format=form) as console:
        console.put(schemes=f"{text}\n{text}")
        assert console.text("schemes") == f"{text}{stats}\n" * 2


@every_profile
async def test_schemes_file_keeps_what_was_there(profile: Profile, open_debug: OpenDebug) -> None:
    """A record that makes no sense leaves the old ones, an empty line none (112, 113)."""
    async with open_debug(profile) as console:
        console.put(schemes=SCHEME)
        refused = "2 1 2 1 10 1 3 10 1 1 1 1 1 1 1 1 2 3"
        console.refuses("schemes", f"{STAT_ALL}\n{refused}", errno.EINVAL)
        assert console.text("schemes") == f"{SCHEME} 0 0 0 0 0\n"
        console.put(schemes="\n")
        assert not console.text("schemes")
        console.put(schemes=SCHEME)
        console.put(schemes=SCHEME.rpartition(" ")[0])
        assert not console.text("schemes")
        console.put(schemes=f"{SCHEME} {SCHEME}")
        assert console.text("schemes") == f"{SCHEME} 0 0 0 0 0\n" * 2

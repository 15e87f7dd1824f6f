from __future__ import annotations

import gzip
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from damon_async.arrays import IntArray
from damon_async.errors import InputFileError, ParametersError
from damon_async.spaces.space import Mapping
from damon_async.spaces.trace_space import MAX_MAPPINGS, TraceSpace
from damon_async.spaces.traces import (
    DEFAULT_DURATION_US,
    TraceOptions,
    demo_trace_path,
    open_trace,
)

PAGE = 4096
MS = 1000


def opened(folder: Path, text: str, **options: Any) -> TraceSpace:
    path = folder / "trace"
    path.write_text(text)
    return open_trace(path, **options)


def lifetimes(folder: Path, text: str, *options: dict[str, object]) -> list[int | None]:
    return [opened(folder, text, **some).lifetime_us for some in options]


def edges(*instants: int) -> IntArray:
    return np.array(instants, dtype=np.int64)


def test_logical_clocks_are_stretched(tmp_path: Path) -> None:
    """A trace without real time lasts 20 s, or as long or as fast as is said."""
    text = "1\n" * 1000
    assert lifetimes(
        tmp_path,
        text,
        {},
        {"duration": "60s"},
        {"duration_us": 5000},
        {"rate": 10},
        {"rate": "2,000"},
        {"rate": 0.5},
    ) == [
        DEFAULT_DURATION_US - DEFAULT_DURATION_US // 1000 + 1,
        59_940_001,
        4996,
        99_900_001,
        499_501,
        1_998_000_001,
    ]


def test_real_time_is_kept(tmp_path: Path) -> None:
    """A trace with real time keeps it, unless a duration or a speed is said."""
    text = "1,100,28,512,0\n1,160,28,512,0\n"
    options: list[dict[str, object]] = [{}, {"rate": 10}, {"duration": "6 s"}]
    assert lifetimes(tmp_path, text, *options) == [60_000_001, 6_000_001, 6_000_000]
    text = '{"timestamp": 100, "hash_ids": [1]}\n{"timestamp": 160, "hash_ids": [1]}\n'
    assert lifetimes(tmp_path, text, {}, {"rate": 0.5}) == [60_001, 120_001]


def test_a_duration_and_a_rate_contradict_each_other(tmp_path: Path) -> None:
    """Saying both how long and how fast is an error."""
    with pytest.raises(ParametersError, match="rate: cannot be given together with a duration"):
        opened(tmp_path, "1\n", rate=5, duration="5s")


def test_all_wrong_options_are_listed(tmp_path: Path) -> None:
    """Every wrong option is reported at once, before the file is looked at."""
    with pytest.raises(ParametersError, match=r"^3 problems: ") as caught:
        open_trace(tmp_path / "gone", page_size=5000, duration="soon", speed=3)
    assert [problem.path for problem in caught.value.problems] == [
        "page_size",
        "duration_us",
        "speed",
    ]


def test_options_are_documented() -> None:
    """Each option has a sentence for the command line's help."""
    assert all(field.description for field in TraceOptions.model_fields.values())


def test_a_compressed_trace_is_opened(tmp_path: Path) -> None:
    """A compressed lackey trace opens, its format seen from the content."""
    path = tmp_path / "run.xz"
    path.write_bytes(lzma.compress(b"==1== tool\nI  00001000,3\n S 00002ffe,4\n"))
    space = open_trace(str(path))
    assert space.mappings(0) == (Mapping(PAGE, 4 * PAGE, PAGE),)


def test_a_format_can_be_forced(tmp_path: Path) -> None:
    """A format that is said wins over what the content looks like."""
    with pytest.raises(InputFileError, match="line 1: '17' is not of the form 'version,time"):
        opened(tmp_path, "17\n", form="block")
    assert opened(tmp_path, "17\n", form="ids", page_size="2M").mappings(0)[0].start == 34 << 20


def test_what_is_no_trace_is_refused(tmp_path: Path) -> None:
    """A file of no known format is refused with those that are known."""
    wrong = "is none of the known traces: address, lackey, block, ids, requests$"
    with pytest.raises(InputFileError, match=wrong):
        opened(tmp_path, "to be, or not to be\n")


def test_an_empty_trace_is_refused(tmp_path: Path) -> None:
    """A trace without a single access is refused."""
    with pytest.raises(InputFileError, match="trace: holds no accesses"):
        opened(tmp_path, "# nothing\n", form="ids")


def test_garbage_in_the_middle_is_told(tmp_path: Path) -> None:
    """A bad line deep inside a compressed trace is told with its number."""
    path = tmp_path / "run.trace.gz"
    lines = [b"l 0x%x 1\n" % (n * 64) for n in range(100_000)]
    lines[77_776] = b"l 0x12 oops\n"
    path.write_bytes(gzip.compress(b"".join(lines), mtime=0))
    with pytest.raises(InputFileError, match=r"run\.trace\.gz, line 77777: 'l 0x12 oops' is not"):
        open_trace(path)


def test_a_truncated_trace_is_refused(tmp_path: Path) -> None:
    """A trace that was cut off is refused and not replayed in part."""
    path = tmp_path / "demo.xz"
    path.write_bytes(demo_trace_path().read_bytes()[:20_000])
    with pytest.raises(InputFileError, match="the xz data end in the middle; the file is trunc"):
        open_trace(path)


@pytest.mark.parametrize(
    ("name", "nr_touches", "nr_pages"),
    [("gzip", 481_044, 39_856), ("swim", 303_193, 135), ("twolf", 482_824, 89)],
)
def test_spec_traces_replay(shared: Path, name: str, nr_touches: int, nr_pages: int) -> None:
    """Every access of a SPEC trace is there, and its pages are found accessed."""
    space = open_trace(shared / "traces" / "spec" / f"{name}.trace.gz")
    assert (space.nr_touches, space.nr_pages) == (nr_touches, nr_pages)
    assert DEFAULT_DURATION_US - 100 < space.lifetime_us <= DEFAULT_DURATION_US
    mappings = space.mappings(0)
    assert 3 <= len(mappings) <= MAX_MAPPINGS
    truth = space.truth(mappings[0].start, mappings[-1].end, edges(0, DEFAULT_DURATION_US))
    assert int(np.diff(truth.bounds)[truth.counts == 1].sum()) == nr_pages * PAGE


def test_the_defaults_fit_swim(shared: Path) -> None:
    """With the default duration, samples of swim see 6 pages and aggregations 9."""
    space = open_trace(shared / "traces" / "spec" / "swim.trace.gz")
    seen = []
    for length in (5 * MS, 100 * MS):
        instants = np.arange(0, DEFAULT_DURATION_US + 1, length)
        truth = space.truth(0, 1 << 32, instants)
        touched = int((np.diff(truth.bounds) // PAGE * truth.counts).sum())
        seen.append(round(touched / truth.nr_intervals))
    assert seen == [6, 9]


def test_a_disk_replays(shared: Path) -> None:
    """Two hours of a disk replay in real time, on the pages its requests overlap."""
    space = open_trace(shared / "traces" / "cloudphysics" / "cloudPhysicsIO.csv.xz")
    assert space.lifetime_us == 7_200_000_001
    first = 42_932_745 * 512
    asked = np.array([[first, first + (1 << 30)]], dtype=np.int64)
    answers = space.accessed(asked, edges(0, 1)[:, None], edges(1, 5 * MS)[:, None])
    assert answers.tolist() == [[True, False], [False, False]]


def test_prompts_replay(shared: Path) -> None:
    """An hour of prompts replays; the block that all of them share is seen most."""
    space = open_trace(shared / "traces" / "mooncake" / "conversation.jsonl.xz")
    assert space.nr_touches == 288_500
    [mapping] = space.mappings(0)
    minutes = np.arange(0, space.lifetime_us, 60_000_000)
    truth = space.truth(mapping.start, mapping.end, minutes)
    assert int(truth.bounds[int(truth.counts.argmax())]) == 0
    assert int(truth.counts.max()) == truth.nr_intervals


def test_the_demo_shows_its_phases() -> None:
    """The trace that comes along has three regions, and hot documents that move."""
    path = demo_trace_path()
    assert path.stat().st_size < 300_000
    space = open_trace(path)
    assert space.lifetime_us == DEFAULT_DURATION_US
    assert len(space.mappings(0)) == 3
    heap = space.mappings(0)[1]
    # Seconds 4, 9 and 18: a hot block, the same moving, and after the packing.
    hot = []
    for second in (4, 9, 18):
        instants = np.arange(second * 1000, second * 1000 + 101, 5) * MS
        truth = space.truth(heap.start, heap.end, instants)
        # What is touched in nearly each sample is the program itself.
        warm = (truth.counts >= 4) & (truth.counts <= 14)
        sizes = np.where(warm, np.diff(truth.bounds), 0)
        assert 80 * PAGE < sizes.sum() < 140 * PAGE
        hot.append(int(np.average(truth.bounds[:-1], weights=sizes)) >> 20)
    assert len(set(hot)) == 3

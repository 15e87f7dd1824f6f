"""The unmodified damo in a sandbox: what it says of our tree."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .scripted import SCRIPTS, Said, sandboxed, scripted, skip_without

MIB = 1 << 20
BLOCK = 10_000_000
"""Bytes of a block of the workload, of which one at a time is in use."""

PROFILES = ("6.18", "6.12")


@pytest.fixture(scope="module")
def damo(sandbox_allowed: None) -> None:
    """Skip what needs damo where it is not installed."""
    skip_without("damo")


@pytest.fixture(scope="module", params=PROFILES)
def control(
    request: pytest.FixtureRequest, damo: None, tmp_path_factory: pytest.TempPathFactory
) -> Said:
    """Start, tune and stop, in each profile."""
    return scripted(tmp_path_factory, "damo_control.sh", "--profile", request.param)


@pytest.fixture(scope="module", params=PROFILES)
def recorded(
    request: pytest.FixtureRequest, damo: None, tmp_path_factory: pytest.TempPathFactory
) -> Said:
    """Record, and report on records, in each profile."""
    return scripted(tmp_path_factory, "damo_record.sh", "--profile", request.param)


@pytest.fixture(scope="module", params=PROFILES)
def live(
    request: pytest.FixtureRequest, damo: None, tmp_path_factory: pytest.TempPathFactory
) -> Said:
    """Look at what runs, in each profile."""
    return scripted(tmp_path_factory, "damo_live.sh", "--profile", request.param)


def size(text: str) -> float:
    """Read a size as damo prints it, in bytes."""
    number, unit = text.split()
    power = ["B", "KiB", "MiB", "GiB", "TiB"].index(unit)
    return float(number) * float(1024**power)


def regions(report: str) -> list[tuple[float, float]]:
    """Return size in bytes and access rate in hertz of all regions of a report."""
    found = re.findall(r"^\d+ +addr \S+ \S+ +size (\S+ \S+) +access (\S+) hz", report, re.MULTILINE)
    return [(size(sz), float(hz.replace(",", ""))) for sz, hz in found]


def total(report: str) -> float:
    """Return the total size of the last snapshot of a report, in bytes."""
    return size(re.findall(r"^total size: (.*?) *$", report, re.MULTILINE)[-1])


class TestControl:
    def test_nothing_to_stop(self, control: Said) -> None:
        """Stopping fails if nothing runs."""
        assert control.rc("stop_idle") == 1
        assert "not turned on" in control.out("stop_idle") + control.err("stop_idle")

    @pytest.mark.parametrize("what", ["command", "pid", "paddr", "json"])
    def test_starts(self, control: Said, what: str) -> None:
        """Commands, processes, physical memory and whole documents can be started."""
        assert (control.rc(f"start_{what}"), control.err(f"start_{what}")) == (0, "")

    @pytest.mark.parametrize("what", ["stop", "stop_paddr", "stop_json"])
    def test_stops(self, control: Said, what: str) -> None:
        """What runs can be stopped, in silence."""
        assert (control.rc(what), control.out(what), control.err(what)) == (0, "", "")

    def test_it_is_on(self, control: Said) -> None:
        """A start by damo is a start in the tree."""
        assert control.word("state_on") == "on"

    def test_it_is_off(self, control: Said) -> None:
        """A stop by damo is a stop in the tree."""
        assert (control.word("state_off"), control.word("kdamond_gone")) == ("off", "-1")

    def test_the_command_runs(self, control: Said) -> None:
        """The target is the process that damo has started."""
        assert "masim" in control.out("command_name")

    def test_a_process_stands_for_the_kdamond(self, control: Said) -> None:
        """The pid in the tree is that of a process named kdamond.0 while it runs."""
        assert control.word("kdamond_name") == "kdamond.0"
        assert control.word("pgrep") == control.word("kdamond_pid")
        assert control.rc("pgrep_gone") == 1

    def test_access(self, control: Said) -> None:
        """The whole memory of the workload is reported, some of it hot."""
        report = control.out("access")
        assert total(report) == pytest.approx(10 * BLOCK, rel=0.01)
        assert max(hz for _, hz in regions(report)) > 50

    def test_access_adds_up(self, control: Said) -> None:
        """The regions of a report add up to its total."""
        report = control.out("access")
        assert sum(sz for sz, _ in regions(report)) == pytest.approx(total(report), rel=0.001)

    def test_damon(self, control: Said) -> None:
        """The parameters are reported as they were given."""
        report = control.out("damon_command")
        assert "ops: vaddr" in report
        assert f"pid: {control.word('command_pid')}" in report
        assert "sample 5 ms, aggr 100 ms, update 1 s" in report
        assert "nr_regions: [10, 1,000]" in report

    def test_tune(self, control: Said) -> None:
        """What is tuned while it runs is in force."""
        assert (control.rc("tune"), control.err("tune")) == (0, "")
        assert control.word("tuned_sample") == "10000"
        assert "sample 10 ms, aggr 200 ms" in control.out("damon_tuned")
        assert "sample 10 ms aggr 200 ms" in control.out("access_tuned")

    def test_a_process_by_its_number(self, control: Said) -> None:
        """A process that runs already can be monitored."""
        (kdamond,) = json.loads(control.out("damon_pid"))
        (context,) = kdamond["contexts"]
        assert kdamond["state"] == "on"
        assert (context["ops"], context["targets"][0]["pid"]) == (
            "vaddr",
            int(control.word("command_pid")),
        )

    def test_the_end_of_the_process(self, control: Said) -> None:
        """When the only target ends, the kdamond does, too."""
        assert control.word("state_of_the_dead") == "off"
        assert control.word("pid_of_the_dead") == "-1"

    def test_physical_memory(self, control: Said) -> None:
        """For paddr, damo finds the memory of our machine, not of the real one."""
        assert control.out("paddr_region").split() == [str(4 << 30), str(5 << 30)]
        assert total(control.out("access_paddr")) == 1 << 30

    def test_layout(self, control: Said) -> None:
        """The layout of physical memory is that of our machine."""
        assert re.search(r"4\.000 GiB +5\.000 GiB", control.out("layout"))

    def test_a_document(self, control: Said) -> None:
        """A document with schemes arrives in the tree, and comes back from it."""
        (kdamond,) = json.loads(control.out("damon_json"))
        (context,) = kdamond["contexts"]
        first, second = context["schemes"]
        number: dict[str, Any] = context["targets"][0]["regions"][0]
        assert int(number["end"]) - int(number["start"]) == 512 * MIB
        assert (first["action"], second["action"]) == ("stat", "pageout")
        assert int(second["quotas"]["sz_bytes"]) == 64 * MIB
        assert float(second["quotas"]["weights"]["age_permil"]) == 700
        assert control.word("tried") == "pageout"


class TestFeatures:
    def test_old_and_new(self, control: Said) -> None:
        """What was there in 6.12 is supported in every profile here."""
        supported = _supported(control)
        assert {"sysfs/vaddr", "sysfs/fvaddr", "sysfs/paddr"} <= supported
        assert {"sysfs/schemes_quota_goals", "sysfs/schemes_tried_regions"} <= supported
        assert {"trace/damon_aggregated", "trace/damos_before_apply"} <= supported

    def test_only_new(self, control: Said) -> None:
        """What came after 6.12 is supported in the newer profile alone."""
        new = {
            "sysfs/refresh_ms",
            "sysfs/intervals_goal",
            "sysfs/addr_unit",
            "sysfs/allow_filter",
            "trace/damon_monitor_intervals_tune",
        }
        is_new = "6_18" in control.folder.name
        assert new & _supported(control) == (new if is_new else set())

    def test_not_yet(self, control: Said) -> None:
        """What came after 6.18 is not supported."""
        later = {"sysfs/obsolete_target", "sysfs/ctx_pause", "sysfs/damos_max_nr_snapshots"}
        assert not later & _supported(control)


def _supported(said: Said) -> set[str]:
    return set(re.findall(r"^(\S+): Supported", said.out("features"), re.MULTILINE))


class TestRecord:
    def test_files(self, recorded: Said) -> None:
        """A record has all the files beside it that damo writes."""
        files = set(recorded.out("files").split())
        sides = {"kdamonds", "mem_footprint", "proc_stats", "profile", "vmas"}
        assert recorded.rc("record") == 0
        assert {"damon.data", *(f"damon.data.{side}" for side in sides)} <= files

    def test_it_cleans_up(self, recorded: Said) -> None:
        """After recording, nothing runs."""
        assert recorded.rc("idle") == 1

    def test_wss(self, recorded: Said) -> None:
        """The working set is one block of the workload."""
        found = re.search(r"^ 50 +(\S+ \S+)", recorded.out("wss"), re.MULTILINE)
        assert found is not None
        assert 9_000_000 <= size(found[1]) <= 11_000_000

    def test_heatmap(self, recorded: Said) -> None:
        """The heat goes down the memory, block by block, and leaves most of it cold."""
        rows = re.findall(r"^[0-9 ]{40}$", recorded.out("heatmap"), re.MULTILINE)
        assert len(rows) == 10
        hottest = [row.rfind(max(row)) for row in rows]
        # Blocks that were allocated later lie below.
        assert hottest[1] > hottest[-1]
        assert sum(row.count("0") for row in rows) > 200

    def test_report(self, recorded: Said) -> None:
        """The last snapshot has a hot block, and cold ones, in the recorded intervals."""
        report = recorded.out("access").rpartition("snapshot time")[2]
        assert "sample 2 ms aggr 40 ms (max access hz 500)" in report
        assert sum(sz for sz, hz in regions(report) if hz == 0) > 5 * BLOCK
        assert total(report) == pytest.approx(10 * BLOCK, rel=0.01)

    def test_ranges(self, recorded: Said) -> None:
        """The record covers heap, mappings and stack, as of a real process."""
        assert len(re.findall(r"^region\s+\d: ", recorded.out("info"), re.MULTILINE)) == 3

    def test_nr_regions(self, recorded: Said) -> None:
        """The number of regions is within the bounds that were asked for."""
        numbers = re.findall(r"^\d+\s+(\d+)$", recorded.out("nr_regions"), re.MULTILINE)
        assert len(numbers) == 5
        assert all(10 <= int(number) <= 1000 for number in numbers)

    def test_footprints(self, recorded: Said) -> None:
        """Footprints are those of the real process, which is real."""
        assert recorded.rc("footprints") == 0
        assert "<rss>" in recorded.out("footprints")

    @pytest.mark.parametrize("what", ["ongoing", "tried"])
    def test_ongoing(self, recorded: Said, what: str) -> None:
        """What runs can be recorded by events, and by what was tried."""
        assert (recorded.rc(what), recorded.err(what)) == (0, "")

    def test_ongoing_events(self, recorded: Said) -> None:
        """Most of a second of an ongoing kdamond is several aggregations."""
        report = recorded.out("ongoing_access")
        assert total(report) == pytest.approx(10 * BLOCK, rel=0.01)
        assert 3 <= report.count("total size") <= 16

    def test_snapshots(self, recorded: Said) -> None:
        """As many snapshots are recorded as were asked for."""
        if "6_12" in recorded.folder.name:
            pytest.skip("damo 3.4.3 saves no snapshots without sz_filter_passed, new in 6.14")
        assert (recorded.rc("snapshots"), recorded.err("snapshots")) == (0, "")
        report = recorded.out("snapshots_access")
        assert report.count("total size") == 3
        assert total(report) == pytest.approx(10 * BLOCK, rel=0.01)

    def test_tried(self, recorded: Said) -> None:
        """A scheme for all memory was tried on all of it."""
        assert "nr_regions" in recorded.out("tried_access")

    def test_it_goes_on(self, recorded: Said) -> None:
        """Recording what runs leaves it running."""
        assert recorded.word("still") == "on"
        assert recorded.rc("stop") == 0


class TestLive:
    def test_schemes(self, live: Said) -> None:
        """A scheme has tried regions, acted on memory, and used up its quota."""
        stats = dict(re.findall(r"^(\w+): (.*?) *$", live.out("stats"), re.MULTILINE))
        assert int(stats["nr_tried"].replace(",", "")) > 0
        assert size(stats["sz_applied"]) > 1 * MIB
        assert size(stats["sz_tried"]) >= size(stats["sz_applied"])
        assert int(stats["qt_exceeds"]) > 0

    def test_parameters_of_schemes(self, live: Said) -> None:
        """A scheme is reported as it was given."""
        report = live.out("schemes_damon")
        assert "action: pageout" in report
        assert "8.000 MiB" in report

    def test_trace(self, live: Said) -> None:
        """Events are shown as they come, of all kinds or of one."""
        assert "damon:damon_aggregated" in live.out("trace_events")
        assert set(re.findall(r"damon:\w+", live.out("trace_one"))) == {"damon:damos_before_apply"}

    def test_schemes_end(self, live: Said) -> None:
        """After an interrupt, nothing runs any more."""
        assert "Ctrl+C" in live.out("schemes")
        assert live.rc("after_schemes") == 1

    def test_monitor(self, live: Said) -> None:
        """Monitoring draws rows of heat."""
        rows = re.findall(r"^[0-9 ]{80}$", live.out("monitor"), re.MULTILINE)
        assert len(rows) == 10
        assert live.rc("monitor") == 0


def test_the_newcomer(damo: None, tmp_path: Path) -> None:
    """The line that everybody begins with works, and leaves no file behind."""
    done = sandboxed(["sh", str(SCRIPTS / "newcomer.sh")], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "total size: 95." in done.stdout
    assert list(tmp_path.iterdir()) == []

"""The server of trace events, and the perf that asks it, without any namespace."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketStream

from damon_async.engine.engine import Damon
from damon_async.engine.virtual_clock import VirtualClock
from damon_async.params.monitoring import Context, Ops, Target
from damon_async.sandbox import perf, tracing
from damon_async.sandbox.tracing import TraceServer
from damon_async.spaces.workload import open_workload

AGGR_US = 100_000


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Damon, TraceServer, Path]]:
    """Have an engine, and a server of its events."""
    server = TraceServer(lambda _: 77)
    socket = folder / "trace"
    async with Damon(clock=VirtualClock(), seed=1) as damon, server.listening(damon, socket):
        yield damon, server, socket


@asynccontextmanager
async def asking(socket: Path, names: str) -> AsyncIterator[SocketStream]:
    """Be a client that is being served."""
    async with await anyio.connect_unix(socket) as stream:
        await stream.send(f"{names}\n".encode())
        assert await stream.receive(1) == b"\n"
        yield stream


@asynccontextmanager
async def asked(folder: Path, names: str) -> AsyncIterator[tuple[Damon, SocketStream]]:
    """Have an engine, and a client of the server of its events."""
    async with served(folder) as (damon, _, socket), asking(socket, names) as stream:
        yield damon, stream


async def rest(stream: SocketStream) -> list[str]:
    """Ask for no more, and return all lines up to the end."""
    await stream.send_eof()
    text = b""
    while True:
        try:
            text += await stream.receive()
        except anyio.EndOfStream:
            return text.decode().splitlines()


async def run_for(damon: Damon, aggregations: int) -> None:
    """Start a kdamond, and let some aggregations pass."""
    space = open_workload("stairs:size=64M", seed=1)
    await damon.start([Context(ops=Ops.VADDR, targets=(Target(space=space),))])
    await damon.clock.sleep_us(aggregations * AGGR_US + 1)


async def test_lines(tmp_path: Path) -> None:
    """A client gets the events it has asked for as lines of perf script."""
    async with asked(tmp_path, "damon:damon_aggregated") as (damon, stream):
        await run_for(damon, 3)
        lines = await rest(stream)
    assert len(lines) > 20
    start = "kdamond.0 77 [000] 0.100000: damon:damon_aggregated: target_id=0 nr_regions="
    assert lines[0].startswith(start)


async def test_other_events(tmp_path: Path) -> None:
    """Events that nobody asked for are not sent."""
    async with asked(tmp_path, "damon:damos_before_apply") as (damon, stream):
        await run_for(damon, 3)
        assert await rest(stream) == []


async def test_two_clients(tmp_path: Path) -> None:
    """Two clients get the same lines; who comes later gets the later ones."""
    async with (
        served(tmp_path) as (damon, server, socket),
        asking(socket, "damon_aggregated") as one,
    ):
        await run_for(damon, 2)
        async with asking(socket, "damon:damon_aggregated") as two:
            assert repr(server) == "<TraceServer of 2 clients>"
            await damon.clock.sleep_us(3 * AGGR_US)
            first, second = await rest(one), await rest(two)
    common = first.index(second[0])
    assert common > 0
    assert first[common:] == second[: len(first) - common]


async def test_nobody_asks(tmp_path: Path) -> None:
    """Events are made only as long as a client is there."""
    async with served(tmp_path) as (_, server, socket):
        before = server.tracer.is_listening
        async with asking(socket, "damon_aggregated") as stream:
            during = server.tracer.is_listening
            await rest(stream)
        await listening(server, on=False)
    assert (before, during) == (False, True)


async def listening(server: TraceServer, *, on: bool) -> None:
    """Wait until somebody listens to a server, or nobody does any more."""
    with anyio.fail_after(30):
        while server.tracer.is_listening is not on:  # noqa: ASYNC110 -- of another process
            await anyio.sleep(0.01)


async def test_a_client_that_is_killed(tmp_path: Path) -> None:
    """A client that vanishes harms nobody."""
    async with served(tmp_path) as (damon, server, socket):
        async with asking(socket, "damon_aggregated"):
            pass
        await run_for(damon, 3)
        async with asking(socket, "damon_aggregated") as stream:
            await damon.clock.sleep_us(2 * AGGR_US)
            assert await rest(stream)
        assert repr(server).startswith("<TraceServer of ")


async def test_lines_after_the_end() -> None:
    """What comes after a client wants no more is not kept, so its end is not put off."""
    client = tracing._Client(frozenset({"damon_aggregated"}))
    client.put(b"one\n")
    client.finish()
    client.put(b"two\n")
    assert await client.take() == b"one\n"
    client.put(b"three\n")
    assert await client.take() == b""


async def test_lost_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into the memory for a client is lost, and counted."""
    monkeypatch.setattr(tracing, "MAX_BUFFERED", 500)
    async with asked(tmp_path, "damon_aggregated") as (damon, stream):
        await run_for(damon, 1)
        lines = await rest(stream)
    assert lines[-1].endswith(" events were lost")
    nr_kept, nr_lost = len(lines) - 1, int(lines[-1].split()[1])
    assert nr_kept > 0
    assert nr_kept + nr_lost == int(lines[0].partition("nr_regions=")[2].split()[0])


# -- perf ----------------------------------------------------------------


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have perf look for the server, and work, in an empty directory."""
    monkeypatch.setattr(perf, "SOCKET", tmp_path / "trace")
    monkeypatch.setattr(perf, "EVENTS", tmp_path / "available_events")
    monkeypatch.setattr(perf, "SPARE_EVENTS", tmp_path / "none")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


async def recorded(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run perf as a process of its own, with events, until it is interrupted."""
    program = "import sys, pathlib; from damon_async.sandbox import perf; "
    program += f"perf.EVENTS = pathlib.Path({str(folder / 'available_events')!r}); "
    program += f"perf.SOCKET = pathlib.Path({str(folder / 'trace')!r}); sys.exit(perf.main())"
    command = [sys.executable, "-c", program, *words]
    async with (
        served(folder) as (damon, server, _),
        await anyio.open_process(command, cwd=folder) as process,
    ):
        await listening(server, on=True)
        await run_for(damon, 2)
        if "--" not in words:
            process.send_signal(signal.SIGINT)
        texts = []
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            texts.append(b"".join([part async for part in stream]).decode())
        code = await process.wait()
    return subprocess.CompletedProcess(command, code, *texts)


async def test_record_until_interrupted(at: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record ends with an interrupt, and is printed as it was."""
    done = await recorded(at, "record", "-a", "-e", "damon:damon_aggregated", "-o", "F")
    assert (done.returncode, done.stderr) == (0, "")
    assert perf.main(["script", "-i", "F"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "damon:damon_aggregated: target_id=0" in line]) > 10
    assert (at / "F").stat().st_mode & 0o777 == 0o600


async def test_record_for_a_command(at: Path) -> None:
    """A record ends with the command, if there is one."""
    # By its path: with nothing else in the way to programs.
    done = await recorded(at, "record", "-e", "damon:damon_aggregated", "--", "/bin/sleep", "0.5")
    assert done.returncode == 0
    assert b"damon:damon_aggregated" in (at / "perf.data").read_bytes()


async def test_trace(at: Path) -> None:
    """Traces are shown on stderr, in milliseconds since the first event."""
    done = await recorded(at, "trace", "--libtraceevent_print", "-e", "damon:damon_aggregated")
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("     0.000 kdamond.0/77 damon:damon_aggregated(target_id=0 ")
    # How many there are by the interrupt is the machine's business.
    assert re.match(r" +[1-9]\d*00\.000 kdamond\.0/77 ", lines[-1])
    assert lines[-1].endswith(")")


async def test_events_of_other_kernels(at: Path) -> None:
    """Events that this kernel does not have are left out, and patterns stand for what it has."""
    (at / "available_events").write_text("damon:damon_aggregated\n")
    events = "damon:damos_esz,damon:damon_*"
    done = await recorded(at, "trace", "-e", "damon:from_the_future", "-e", events)
    assert done.returncode == 0
    assert set(re.findall(r"damon:\w+", done.stderr)) == {"damon:damon_aggregated"}


def test_unknown_events(at: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If no event is left, perf fails."""
    (at / "available_events").write_text("damon:damon_aggregated\n")
    with pytest.raises(SystemExit, match="129"):
        perf.main(["record", "-e", "damon:damos_esz"])
    assert capsys.readouterr().err == "perf: unknown tracepoint: damon:damos_esz\n"


def test_an_older_record_is_kept(at: Path) -> None:
    """A record that would be overwritten is renamed."""
    (at / "perf.data").write_text("before")
    assert perf.main(["record", "-o", "perf.data", "--", "/bin/true"]) == 0
    assert (at / "perf.data.old").read_text() == "before"


@pytest.mark.parametrize("word", ["report", "script"])
def test_profiles_are_empty(at: Path, capsys: pytest.CaptureFixture[str], word: str) -> None:
    """Profiles of the processor say that there is nothing in them."""
    assert perf.main(["record", "-F", "99", "-g", "-o", "P", "--", "/bin/true"]) == 0
    assert perf.main([word, "-i", "P"]) == 0
    assert capsys.readouterr().out == "# no profile: synthetic memory is accessed by no code\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Its version says what it is."""
    assert perf.main(["--version"]) == 0
    assert "damon-async sandbox" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "nr_lines"),
    [([], 2), (["damon:*"], 2), (["damon:damos_*"], 1), (["tracepoint"], 2), (["cycles"], 0)],
)
def test_list(
    at: Path, capsys: pytest.CaptureFixture[str], words: list[str], nr_lines: int
) -> None:
    """Events are listed by their names, and by patterns of these."""
    (at / "available_events").write_text("damon:damon_aggregated\ndamon:damos_before_apply\n")
    assert perf.main(["list", *words]) == 0
    assert capsys.readouterr().out.count("[Tracepoint event]") == nr_lines


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["script", "-i", "none"], 255, "perf: failed to open none: No such file or directory\n"),
        (["record", "--what"], 129, "perf: "),
        (["bench"], 129, "knows record, trace, script, report, list and --version only\n"),
        ([], 129, "only\n"),
        (["trace", "-e", "sched:x"], 129, "only\n"),
    ],
)
def test_mistakes(
    at: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, sentence: str
) -> None:
    """What it does not know, it says in one line, with the exit code of perf."""
    del at
    try:
        returned: object = perf.main(words)
    except SystemExit as error:
        returned = error.code
    told = capsys.readouterr().err
    assert (returned, told.count("\n")) == (code, 1)
    assert sentence in told


def test_the_real_one(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not for us goes to the perf of the machine, if there is one."""
    (at / "perf").write_text("#!/bin/sh\n")
    (at / "perf").chmod(0o755)
    monkeypatch.setattr(perf, "SOCKET", at / "elsewhere" / "trace")
    asked: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, words: asked.append(words))
    perf.main(["stat", "ls"])
    assert asked == [[str(at / "perf"), "stat", "ls"]]

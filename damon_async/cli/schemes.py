"""`damon-async schemes`: what schemes would do, side by side, before anybody runs them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from cyclopts import Group, Parameter
from rich.console import Console

from ..errors import InvalidError
from ..records.beside import written_beside
from ..reports.plots import is_picture
from ..reports.whatif import whatif_json, whatif_text
from ..reports.whatif_plot import plot_whatif
from ..whatif.outcome import Outcome
from ..whatif.runner import ContextsOn, Run, World
from .candidates import load_candidates
from .machine_options import USUAL_MACHINE, MachineOptions
from .options import NO_PARAMETERS, ParameterOptions
from .outputs import STDOUT
from .progress import RunProgress
from .quantities import Count, OutPath, Seconds
from .report_common import emit
from .scheme_options import NO_SCHEME, SchemeOptions
from .text import rounded_time, say, speed
from .trials import Trials
from .whatif_output import RunOutput

WHAT: Final = Group("What to try", sort_key=1)
HOW_LONG: Final = Group("How long", sort_key=2)
OUTPUT: Final = Group("Output", sort_key=3)

BASELINE: Final = "no schemes"
"""What the run is called that the others are compared with."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, kw_only=True)
class WhatIfOutput:
    """Where the results go, besides the table on stdout."""

    output: Annotated[str | None, Parameter(metavar="FILE")] = None
    """A picture (.png, .svg, .pdf or .jpg): memory in use, refaults, stalls and
    quotas over time."""

    json: Annotated[OutPath | None, Parameter()] = None
    """All numbers as JSON; "-" is stdout, instead of the table."""

    out: Annotated[str | None, Parameter(alias="-o", metavar="FOLDER")] = None
    """Keep what the monitors saw: FOLDER/NAME.data for each document, a record for
    `report` and for real damo, and NAME.data.kdamonds, the parameters and what the
    schemes did, for `report damon`."""

    raw_number: bool = False
    """Print plain numbers: bytes, nanoseconds."""


def schemes(
    target: str | None = None,
    /,
    *,
    workload: Annotated[
        tuple[str, ...], Parameter(group=WHAT, metavar="SPEC", show_default=False)
    ] = (),
    schemes: Annotated[
        tuple[str, ...],
        Parameter(
            group=WHAT,
            alias="-c",
            metavar="FILE|JSON",
            consume_multiple=True,
            show_default=False,
        ),
    ] = (),
    timeout: Annotated[Seconds | None, Parameter(group=HOW_LONG)] = None,
    seed: Annotated[Count, Parameter(group=WHAT)] = 0,
    output: WhatIfOutput = WhatIfOutput(),
    machine: MachineOptions = USUAL_MACHINE,
    parameters: ParameterOptions = NO_PARAMETERS,
    scheme: SchemeOptions = NO_SCHEME,
) -> int:
    """
    Try schemes on a workload, and see what they would save and cost.

    Each document of schemes runs over the same memory with the same seed, in
    virtual time; so does the workload without any, which the others are compared
    with.

    Args:
        target: The workload.

        workload: What the schemes act on: a masim configuration, a trace, a DAMON
            record, or a generator such as zipf:size=1G. See `damon-async
            workloads`. Given several times, each is a process of the machine.

        schemes: Schemes as damo takes them: JSON, YAML, lines of the old form
            (.damos), or a whole parameter document. Given several times, each
            document is tried by itself.

        timeout: How long to try, in seconds, or as a text such as "5 m". Default:
            as long as the workload lives.

        seed: Where all randomness comes from.

        output: Where the results go.

        machine: What the workloads run on.

        parameters: How to monitor, for documents that do not say it themselves.

        scheme: A scheme to try besides the documents, or instead of them.
    """
    # Before minutes of work, not after them.
    if output.output is not None and not is_picture(output.output):
        raise InvalidError(f"--output {output.output}: the name of a picture ends in .png or .svg")
    candidates = load_candidates(schemes, scheme.scheme)
    # A bare word and the option are the same thing.
    specs = (*(() if target is None else (target,)), *workload)
    trials = Trials(specs, parameters, machine, seed=seed, timeout_us=timeout)
    # First: all others are compared with it.
    runs: list[tuple[str, ContextsOn]] = [(BASELINE, lambda _: ())]
    runs += [(each.name, trials.contexts_on(each)) for each in candidates]
    # Refuses what cannot be monitored before the first run has taken its time.
    for _, contexts_on in runs:
        contexts_on(trials.world.machine())
    outcomes = _play(trials, runs, output.out)
    _report(outcomes, output)
    return 0


def _play(
    trials: Trials, runs: Sequence[tuple[str, ContextsOn]], folder: str | None
) -> list[Outcome]:
    """Play all runs, one after the other, with one bar for all of them."""
    world = trials.world
    # All runs together, so that the bar fills up once.
    total_us = world.duration_us * len(runs)
    say(f"trying on {trials.describe()}: {len(runs)} runs of {rounded_time(world.duration_us)}")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    progress = RunProgress(total_us, console, "trying schemes")
    began_s = time.perf_counter()
    outcomes = []
    with progress:
        for index, (name, contexts_on) in enumerate(runs):
            done_us = index * world.duration_us
            outcomes.append(_play_one(world, name, contexts_on, folder, progress, done_us))
    wall_s = time.perf_counter() - began_s
    say(f"{rounded_time(total_us)} in {wall_s:.2f} s, {speed(total_us, wall_s)} times real time")
    return outcomes


def _play_one(
    world: World,
    name: str,
    contexts_on: ContextsOn,
    folder: str | None,
    progress: RunProgress,
    done_us: int,
) -> Outcome:
    # A machine of its own, made anew: runs must not see what others did.
    run = Run(world, name, contexts_on)
    with RunOutput(folder, name, run.contexts) as output:
        outcome = run.play(
            sink=output.add,
            tell=lambda now_us: progress.update(done_us + now_us),
            # CPU time, which other programs on this machine do not lengthen.
            seconds=time.process_time,
        )
        output.finish(outcome)
    return outcome


def _report(outcomes: Sequence[Outcome], output: WhatIfOutput) -> None:
    baseline, *tried = outcomes
    if output.json is not None:
        text = whatif_json(baseline, tried)
        if output.json == STDOUT:
            emit([text])
        else:
            with written_beside(output.json, mode=0o644) as out:
                out.write(f"{text}\n".encode())
    # A document on stdout is for programs, which a table behind it would break.
    if output.json != STDOUT:
        emit(whatif_text(baseline, tried, raw=output.raw_number))
    if output.output is not None:
        plot_whatif(baseline, tried, output.output)

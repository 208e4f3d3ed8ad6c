"""`scorebench capacity`: the highest rate that keeps the limits. Wiring."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from contextlib import ExitStack
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.commands.run import add_place_options, checked, run_folder
from scorebench.errors import InputError
from scorebench.folders.names import CAPACITY, CAPACITY_TEXT, PAGE
from scorebench.options.table import OPTIONS
from scorebench.runs.launch import Launch
from scorebench.runs.server import add_server_options, running_server
from scorebench.servers import kinds
from scorebench.servers.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from scorebench.capacity.found import Capacity
    from scorebench.capacity.trial import Measured, Plan

DEFAULT_BUDGET = "10m"
DECIDED_BY_THE_SEARCH = {
    "rate",
    "arrivals",
    "calls",
    "iterations",
    "warm_up",
    "quiet",
    "stop_when",
    "scenario",
}
SHORTEST_BUDGET_S = 20.0


def add(commands: Any) -> None:
    parser = commands.add_parser("capacity", help="find the highest rate that keeps the limits")
    parser.add_argument("target", metavar="TARGET", help=f"a URL, or {kinds.names()}")
    parser.add_argument("--budget", default=DEFAULT_BUDGET, metavar="TIME", help="time for the whole search")
    parser.add_argument(
        "--for", dest="wanted", type=float, metavar="PER_S", help="say how many workers this rate needs"
    )
    add_place_options(parser)
    add_server_options(parser)
    for option in OPTIONS:
        if option.name not in DECIDED_BY_THE_SEARCH:
            parser.add_argument(option.flag, **option.arguments())
    parser.set_defaults(
        run=_capacity, users=1, run_time=None, calls=None, iterations=None, quiet=False, scenario=None
    )


def _capacity(options: argparse.Namespace) -> int:
    from scorebench.capacity.search import search
    from scorebench.runs.steps import Refused, Steps
    from scorebench.units import parse_seconds

    budget_s = parse_seconds(options.budget, "--budget")
    if budget_s < SHORTEST_BUDGET_S:
        raise InputError(
            f"--budget {options.budget}: a search needs {SHORTEST_BUDGET_S:g}s at least, better 5m"
        )
    if options.wanted is not None and not 0 < options.wanted < inf:
        raise InputError(f"--for {options.wanted:g}: expected calls a second, above 0")
    settings = checked(options)
    bring_up = options.target in KINDS
    name = f"{options.target if bring_up else settings.target.host}-capacity"
    with ExitStack() as stack:
        path = stack.enter_context(run_folder(settings.report_dir, name))
        server = stack.enter_context(running_server(options, path)) if bring_up else None
        chosen = {o.name: getattr(options, o.name) for o in OPTIONS if hasattr(options, o.name)}
        base = Launch(
            url=options.target if server is None else server.endpoint,
            folder=path,
            options={name: value for name, value in chosen.items() if name not in ("limit", "quiet")},
            processes=options.processes,
            generator_cpus=options.generator_cpus,
            command=shlex.join(["scorebench", *options.words]),
        )
        steps = Steps(base, settings.limits, settings.seed, server, _progress(budget_s))
        try:
            with steps.stopped_by_signals():
                found = search(steps.measure, settings.limits, budget_s=budget_s)
        except Refused:
            raise InputError("the first step was refused; what to do stands above") from None
        _leave(found, options, base)
    print(f"\nreport: {base.folder}")
    return exit_code(found)


def exit_code(found: Capacity) -> int:
    """0: a rate held; 3: none did; 4: none could be measured, or the server ended; 1: nothing was answered.

    130: stopped by a signal, whatever was known by then.
    """
    from scorebench.capacity.found import Ended

    if found.held is not None and found.ended not in (Ended.SERVER_ENDED, Ended.STOPPED):
        return 0
    codes = {Ended.NOTHING_HELD: 3, Ended.NO_ANSWER: 1, Ended.STOPPED: 130}
    return codes.get(found.ended, 4)


def _leave(found: Capacity, options: argparse.Namespace, base: Launch) -> None:
    from scorebench.folders import folder
    from scorebench.report import capacity, capacity_page

    workers = options.workers if options.target in KINDS else None
    said = capacity.render(found, target_per_s=options.wanted, server_workers=workers)
    told = _told(found, base)
    folder.write_text(base.folder / CAPACITY_TEXT, said)
    as_json = capacity.render_json(found, told)
    record = json.loads(as_json)
    folder.write_text(base.folder / CAPACITY, as_json)
    folder.write_text(base.folder / PAGE, capacity_page.render(said, record))
    for step in found.steps:
        _show_search(base.folder / "steps" / f"{step.plan.number:02d}", record)
    print(said, end="")


def _show_search(path: Path, record: dict[str, Any]) -> None:
    """A step's page again, now that it is known what it was part of."""
    from scorebench.figures.summary import summarise
    from scorebench.folders import folder
    from scorebench.report import page
    from scorebench.verdicts.verdict import judge, limits_of

    recording = folder.read(path)
    summary = summarise(recording)
    verdict = judge(summary, recording, limits_of(recording))
    folder.write_text(path / PAGE, page.render(recording, summary, verdict, capacity=record))


def _told(found: Capacity, base: Launch) -> dict[str, Any]:
    """The environment of the first step; the others' differ in what the steps say themselves."""
    from scorebench.folders import folder

    if not found.steps:
        return {}
    return folder.read(base.folder / "steps" / "00").environment


def _progress(budget_s: float) -> Callable[[Plan, Measured | None], None]:
    """Two lines a step on stderr: what is asked, and what came of it."""
    from scorebench.capacity.trial import Step
    from scorebench.report.capacity import said_load, said_result
    from scorebench.units import say_rate, say_seconds

    spent_s = 0.0

    def say(plan: Plan, measured: Measured | None) -> None:
        nonlocal spent_s
        if measured is None:
            load = f"{say_rate(plan.rate_per_s)}" if plan.rate_per_s is not None else f"{plan.users} users"
            line = f"step {plan.number}: {load} for {say_seconds(plan.duration_s)} ({plan.why})"
        else:
            spent_s += measured.duration_s
            step = Step(plan, measured)
            line = (
                f"step {plan.number}: {said_load(step)}: {say_rate(measured.throughput_per_s)} valid, "
                f"{said_result(step)}; {say_seconds(max(budget_s - spent_s, 0.0))} left"
            )
        print(line, file=sys.stderr, flush=True)

    return say

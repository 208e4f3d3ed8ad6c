"""`scorebench capacity`: the highest rate that keeps the limits. Wiring."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.folders.names import CAPACITY, CAPACITY_TEXT, PAGE
from scorebench.runs import arguments
from scorebench.runs.server import WORKERS
from scorebench.servers.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scorebench.capacity.found import Capacity
    from scorebench.capacity.trial import Measured, Plan
    from scorebench.folders.finished import Finished
    from scorebench.runs.launch import Launch

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
DECIDED_AFTERWARDS = {"limit", "quiet"}
"""Not passed to a step: the search itself checks the limits and shows progress."""
SHORTEST_BUDGET_S = 20.0


def add(commands: Any) -> None:
    parser = commands.add_parser("capacity", help="find the highest rate that keeps the limits")
    arguments.add_target(parser)
    parser.add_argument("--budget", default=DEFAULT_BUDGET, metavar="TIME", help="time for the whole search")
    parser.add_argument(
        "--for", dest="wanted", type=float, metavar="PER_S", help="say how many workers this rate needs"
    )
    arguments.add_options(parser, lambda option: option.name not in DECIDED_BY_THE_SEARCH)
    arguments.add_server(parser)
    arguments.add_place(parser)
    parser.set_defaults(run=_capacity, users=1, run_time=None)


def _capacity(options: argparse.Namespace) -> int:
    from scorebench.capacity.search import search
    from scorebench.runs.request import Request
    from scorebench.runs.steps import Refused, Steps

    budget_s = _checked_budget_s(options)
    request = Request.of(options)
    request.warn()
    limits = request.settings.limits
    with request.ready("-capacity") as ready:
        base = request.launch(ready.url, ready.folder)
        base = replace(base, options={k: v for k, v in base.options.items() if k not in DECIDED_AFTERWARDS})
        steps = Steps(base, limits, request.settings.seed, ready.server, _progress(budget_s))
        try:
            with steps.stopped_by_signals():
                found = search(
                    steps.measure, limits, budget_s=budget_s, too_short=partial(_say_too_short, budget_s)
                )
        except Refused:
            raise InputError("the first step was refused; the line above says what to do") from None
        _leave(found, options, base, steps.finished)
    print(f"\nreport: {base.folder}")
    return exit_code(found)


def _checked_budget_s(options: argparse.Namespace) -> float:
    from scorebench.units import parse_seconds

    budget_s = parse_seconds(options.budget, "--budget")
    if budget_s < SHORTEST_BUDGET_S:
        raise InputError(
            f"--budget {options.budget}: a search needs at least {SHORTEST_BUDGET_S:g}s, better 5m"
        )
    if options.wanted is not None and not 0 < options.wanted < inf:
        raise InputError(f"--for {options.wanted:g}: expected calls a second, above 0")
    return budget_s


def exit_code(found: Capacity) -> int:
    """0: a rate held; 3: none did; 4: none could be measured, or the server ended; 1: nothing was answered.

    130: stopped by a signal, whatever was known by then.
    """
    from scorebench.capacity.found import Ended

    if found.held is not None and found.ended not in (Ended.SERVER_ENDED, Ended.STOPPED):
        return 0
    codes = {Ended.NOTHING_HELD: 3, Ended.NO_ANSWER: 1, Ended.STOPPED: 130}
    return codes.get(found.ended, 4)


def _leave(found: Capacity, options: argparse.Namespace, base: Launch, steps: Mapping[int, Finished]) -> None:
    """Write the search's files, and each step's page again, which now shows the search."""
    from scorebench.folders import atomic
    from scorebench.report import capacity, capacity_page, page

    workers = (options.workers or WORKERS) if options.target in KINDS else None
    # The environment of the first step; the others' differ in what the steps say themselves.
    environment = steps[0].recording.environment if 0 in steps else {}
    report = capacity.render(
        found, target_per_s=options.wanted, server_workers=workers, environment=environment
    )
    as_json = capacity.render_json(found, environment)
    record = json.loads(as_json)
    print(report, end="", flush=True)
    files = [
        (CAPACITY_TEXT, lambda: report),
        (CAPACITY, lambda: as_json),
        (PAGE, lambda: capacity_page.render(report, record)),
    ]
    unwritten = atomic.write_what_fits(base.folder, files)
    for run in (steps[step.plan.number] for step in found.steps):
        shown = partial(page.render, run.recording, run.summary, run.verdict, capacity=record)
        unwritten |= atomic.write_what_fits(run.folder, [(PAGE, shown)])
    if line := atomic.loss(base.folder, unwritten):
        print(f"scorebench: {line}", file=sys.stderr)


def _say_too_short(budget_s: float, needed_s: float) -> None:
    from scorebench.capacity.sentences import too_short

    print(f"scorebench: {too_short(budget_s, needed_s)}", file=sys.stderr, flush=True)


def _progress(budget_s: float) -> Callable[[Plan, Measured | None], None]:
    """Two lines a step on stderr: its load, and its result."""
    from scorebench.capacity.trial import Step
    from scorebench.report.capacity import load_text, result_text
    from scorebench.units import say_rate, say_seconds

    spent_s = 0.0

    def say(plan: Plan, measured: Measured | None) -> None:
        nonlocal spent_s
        if measured is None:
            line = f"step {plan.number}: {load_text(plan)} for {say_seconds(plan.duration_s)} ({plan.why})"
        else:
            spent_s += measured.duration_s
            step = Step(plan, measured)
            line = (
                f"step {plan.number}: {load_text(plan)}: {say_rate(measured.throughput_per_s)} valid, "
                f"{result_text(step)}; {say_seconds(max(budget_s - spent_s, 0.0))} left"
            )
        print(line, file=sys.stderr, flush=True)

    return say

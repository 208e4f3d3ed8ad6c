"""`scorebench versus`: two servers or two models, in turn, until the difference is clear. Wiring."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError
from scorebench.runs import arguments
from scorebench.servers import kinds

if TYPE_CHECKING:
    from scorebench.comparison.alike import Alike
    from scorebench.comparison.versus import DuelResult, Question
    from scorebench.runs.request import Request
    from scorebench.runs.versus import Duel, Side

DEFAULT_PAIRS, DEFAULT_ROUND, DEFAULT_METRIC = 30, "5s", "p50"
MOST_PAIRS = 1000


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "versus", help="measure two servers or models in turn, until the difference is clear"
    )
    what = f"a URL, {kinds.names()}, or a model to serve"
    parser.add_argument("targets", nargs=2, metavar="TARGET", help=f"A, then B: each {what}")
    parser.add_argument(
        "--server",
        choices=tuple(kinds.KINDS),
        default=next(iter(kinds.KINDS)),
        metavar="KIND",
        help=f"what serves the models: {kinds.names()} (default: %(default)s)",
    )
    parser.add_argument(
        "--pairs", type=int, default=DEFAULT_PAIRS, metavar="N", help="most pairs of rounds to measure"
    )
    parser.add_argument("--metric", default=DEFAULT_METRIC, metavar="NAME", help="the figure that decides")
    parser.add_argument(
        "--fail-if",
        action="append",
        default=[],
        metavar="CHANGE",
        help="fail if B is worse than A by this, such as 'p50 +10%%'; repeatable",
    )
    arguments.add_load(parser, f"length of each round (default: {DEFAULT_ROUND})")
    arguments.add_options(parser)
    arguments.add_server(parser)
    arguments.add_place(parser)
    parser.set_defaults(run=_versus)


def _versus(options: argparse.Namespace) -> int:
    from scorebench.folders.fresh import run_folder
    from scorebench.runs import versus

    questions = _questions(options)
    requests = _requests(options)
    digests = {request.check().digest for request in requests}
    if len(digests) > 1:
        raise InputError(
            "versus: A's model and B's would get different rows; give --data FILE, so that both get the same"
        )
    stopped: list[int] = []
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder(requests[0].settings.report_dir, "versus"))
        sides = _sides(requests, folder, stack, quiet=options.quiet)
        alike = _compared(sides)
        duel = versus.measure(
            sides,
            questions,
            folder,
            options.pairs,
            on_pair=_silent if options.quiet else _progress,
            interrupted=stopped,
        )
        result = _result(options, duel, alike, requests)
        lost = _leave(result, folder)
        print(f"\nreport: {folder}")
    return 130 if stopped else 1 if lost else exit_code(result)


def exit_code(result: DuelResult) -> int:
    """3 where a threshold failed, 1 where calls failed, 4 where something is undecided, else 0."""
    from scorebench.comparison.versus import State

    states = {one.state for one in result.answers}
    if State.FAILED in states:
        return 3
    return 1 if result.failures else 4 if State.OPEN in states else 0


def _questions(options: argparse.Namespace) -> list[Question]:
    """What decides: each threshold, or else the metric."""
    from scorebench.comparison.versus import FEWEST_PAIRS, Question
    from scorebench.figures.metric import SHARE
    from scorebench.figures.metrics import UnknownMetric, find
    from scorebench.verdicts.limits import parse_threshold

    if not FEWEST_PAIRS <= options.pairs <= MOST_PAIRS:
        raise InputError(f"--pairs {options.pairs}: expected {FEWEST_PAIRS} to {MOST_PAIRS:,}")
    thresholds = [parse_threshold(text) for text in options.fail_if]
    try:
        asked = [Question(one.metric, one) for one in thresholds] or [Question(find(options.metric).name)]
    except UnknownMetric as unknown:
        raise InputError(f"--metric: {unknown}.") from None
    for metric in (find(one.metric) for one in asked):
        if metric.unit is SHARE and not metric.best:
            raise InputError(
                f"{'--fail-if' if thresholds else '--metric'} {metric.name}: is 0 in a good round, and "
                "versus compares by factors; name a time, a rate or `valid`, or use compare"
            )
    return asked


def _requests(options: argparse.Namespace) -> tuple[Request, Request]:
    """The run of each side, checked before anything is started."""
    from scorebench.runs.request import Request

    if options.port is not None:
        raise InputError(
            f"--port {options.port}: two servers need two ports; leave it out, and each gets a free one"
        )
    a, b = (
        Request.of(argparse.Namespace(**{**vars(options), **_side(options, word)}))
        for word in options.targets
    )
    return a, b


def _side(options: argparse.Namespace, word: str) -> dict[str, Any]:
    """What differs for this target from the options for both."""
    asked: dict[str, Any] = {"target": word, "quiet": True}
    if options.run_time is None and options.calls is None and options.iterations is None:
        asked["run_time"] = DEFAULT_ROUND
    if _is_model(word):
        if options.model is not None:
            raise InputError(f"--model {options.model}: {word} is a model already; leave --model out")
        asked |= {"target": options.server, "model": word}
    if asked["target"] in kinds.KINDS:
        asked["port"] = 0
    return asked


def _is_model(word: str) -> bool:
    from scorebench.options.values import path_of
    from scorebench.payloads.fetching import is_uri

    if word in kinds.KINDS:
        return False
    if is_uri(word):  # a long URL is no path that could be looked at
        return not word.startswith(("http", "databricks", "sagemaker"))
    return path_of(word).is_dir()


def _sides(
    requests: tuple[Request, Request], folder: Path, stack: ExitStack, *, quiet: bool
) -> tuple[Side, Side]:
    from scorebench.runs.versus import Side

    sides = []
    for name, request in zip("AB", requests, strict=True):
        log_folder = folder / f"server-{name}"
        if request.asked.target in kinds.KINDS:
            log_folder.mkdir()
            if not quiet:
                print(f"{name}: starting {_shown(request)}", file=sys.stderr, flush=True)
        server = stack.enter_context(request.bring_up(log_folder, checked=True))
        url = request.asked.target if server is None else server.endpoint
        sides.append(Side(name, request, url, server))
    a, b = sides
    return a, b


def _compared(sides: tuple[Side, Side]) -> Alike:
    """Whether both predict the same, before the load begins."""
    from scorebench.client.target import Target
    from scorebench.runs import alike
    from scorebench.runs.prepare import payload_of

    settings = [
        side.request.settings
        if side.server is None
        else replace(side.request.settings, target=Target.parse(side.url))
        for side in sides
    ]
    return alike.compare(settings[0], settings[1], payload_of(settings[0]))


def _progress(duel: Duel, most: int) -> None:
    """A line a pair."""
    from scorebench.report.words import plain
    from scorebench.units import say_change

    last = replace(duel, rounds=duel.rounds[-1:])
    faults = [
        f"{name}: {plain(one.fault or 'calls failed')}"
        for name, one in zip("AB", last.rounds[0], strict=True)
        if not one.is_usable
    ]
    text = f"not counted. {'; '.join(faults)}"
    if not faults:
        changes = {one.metric: last.pairs(one) for one in duel.questions}
        text = ", ".join(
            f"{metric}: B {say_change(pairs[0].b / pairs[0].a - 1)} against A"
            if pairs
            else f"{metric}: too few calls"
            for metric, pairs in changes.items()
        )
    print(f"pair {len(duel.rounds)} of at most {most}: {text}", file=sys.stderr, flush=True)


def _silent(_duel: Duel, _most: int) -> None:
    """For --quiet."""


def _result(
    options: argparse.Namespace, duel: Duel, alike: Alike, requests: tuple[Request, Request]
) -> DuelResult:
    from scorebench.comparison.versus import DuelResult
    from scorebench.runs import versus
    from scorebench.units import parse_seconds

    return DuelResult(
        sides={name: _shown(one) for name, one in zip("AB", requests, strict=True)},
        round_s=parse_seconds(requests[0].asked.run_time or "0s", "--run-time"),
        most_pairs=options.pairs,
        measured=len(duel.rounds),
        answers=duel.answers,
        alike=alike,
        failures=dict(versus.failures(duel)),
        not_valid=dict(versus.faults(duel)),
        unusable=len(duel.rounds) - len(duel.usable),
    )


def _shown(request: Request) -> str:
    if request.asked.target in kinds.KINDS:
        return f"{request.asked.target} with the model {request.settings.model or 'of the demo'}"
    return request.settings.target.shown


def _leave(result: DuelResult, folder: Path) -> bool:
    """Print what was found and write it; whether the file could not be written."""
    from scorebench.folders import atomic
    from scorebench.folders.names import VERSUS
    from scorebench.report import versus

    print(versus.render(result), end="", flush=True)
    unwritten = atomic.write_what_fits(folder, [(VERSUS, lambda: versus.render_json(result))])
    if line := atomic.loss(folder, unwritten):
        print(f"scorebench: {line}", file=sys.stderr)
    return bool(unwritten)

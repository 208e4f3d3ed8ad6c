"""What `scorebench sweep` takes, and the cells that it asks for. Knows argparse; starts nothing."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from scorebench.client.hiding import in_urls
from scorebench.errors import InputError
from scorebench.models.flavors import DEFAULT_FLAVOR, FLAVORS, served
from scorebench.options.table import DEFAULTS
from scorebench.options.values import path_of
from scorebench.runs import arguments
from scorebench.servers.kinds import KINDS
from scorebench.units import parse_seconds

if TYPE_CHECKING:
    from scorebench.runs.request import Request
    from scorebench.runs.sized import Sized
    from scorebench.sweeps.grid import Place

T = TypeVar("T")
DEFAULT_BUDGET, DEFAULT_RUN_TIME, DEFAULT_WARM_UP, DEFAULT_REPEATS = "30m", "10s", "2s", 2
MOST_CELLS = 2_000
OVERHEAD_S = 5.0
"""What a run takes besides its run time, until one has been measured."""
SIZES = {"B": 1, "kB": 1_000, "MB": 1_000_000}
ALIKE = ("data", "body", "model", "warm_up", "processes", "cpus", "cpu_limit", "memory", "python", "timings")
"""Options that a sweep must not change when it is resumed."""
DECIDED_BY_THE_SWEEP = {
    "format",
    "rows_per_call",
    "rate",
    "arrivals",
    "scenario",
    "calls",
    "iterations",
    "stop_when",
    "limit",
    "warm_up",
}


def add(parser: Any) -> None:
    """The options of a sweep, for a shell and for Python alike; the target is the caller's."""
    lists = parser.add_argument_group("what is varied, each a comma-separated list")
    lists.add_argument("--rows-per-call", metavar="LIST", help="rows in each call (default: 1)")
    lists.add_argument(
        "--body-size", metavar="LIST", help="sizes of bodies, such as 10kB,1MB: as many rows as make them"
    )
    lists.add_argument("--columns", metavar="LIST", help="how many columns, the first of the data")
    lists.add_argument("--format", metavar="LIST", help=f"body formats (default: {DEFAULTS['format']})")
    lists.add_argument("-u", "--users", metavar="LIST", help="concurrent users (default: 1,2,4,8)")
    lists.add_argument("--workers", metavar="LIST", help="worker processes of the server (default: 1)")
    lists.add_argument("--flavors", metavar="LIST", help=f"demo models (default: {DEFAULT_FLAVOR})")
    how = parser.add_argument_group("how it is measured")
    how.add_argument("--budget", default=DEFAULT_BUDGET, metavar="TIME", help="time for the whole sweep")
    how.add_argument("-t", "--run-time", default=DEFAULT_RUN_TIME, metavar="TIME", help="length of each run")
    how.add_argument("--warm-up", default=DEFAULT_WARM_UP, metavar="TIME", help="warm-up of each run")
    how.add_argument(
        "--largest-body",
        metavar="SIZE",
        help="look for the largest body that is answered, up to this size, such as 64MB",
    )
    how.add_argument(
        "--repeats", type=int, default=DEFAULT_REPEATS, metavar="N", help="how often to measure each cell"
    )
    how.add_argument(
        "--resume",
        type=path_of,
        metavar="DIR",
        help="go on with the sweep in this folder; give the same command again",
    )
    arguments.add_options(parser, lambda option: option.name not in DECIDED_BY_THE_SWEEP)
    group = parser.add_argument_group("the server to start")
    arguments.add_port(group)
    arguments.add_sizes(group, workers=False)
    arguments.add_place(parser)


@dataclass(frozen=True)
class Wanted:
    """A sweep that was asked for, checked: a request for each cell. Nothing is started yet."""

    requests: dict[Place, Request]
    budget_s: float
    run_s: float
    repeats: int
    seed: int
    report_dir: Path
    resume: Path | None
    quiet: bool
    most_bytes: int | None = None
    """Up to where the largest body is looked for; None: it is not."""

    @property
    def alike(self) -> dict[str, str]:
        """What else makes the figures of two cells comparable; no secrets."""
        asked = vars(next(iter(self.requests.values())).asked)
        return {name: in_urls(str(asked[name])) for name in ALIKE if asked.get(name) is not None}

    @property
    def name(self) -> str:
        """Of its folder: the servers, or the host."""
        request = next(iter(self.requests.values()))
        servers = dict.fromkeys(place.server for place in self.requests)
        return "-".join(servers) if request.asked.target in KINDS else request.settings.target.host


def wanted(options: argparse.Namespace, command: str | None = None) -> Wanted:
    """InputError for everything that can be checked before anything is started."""
    from scorebench.runs.request import Request
    from scorebench.sweeps.grid import cells

    budget_s = parse_seconds(options.budget, "--budget")
    if options.repeats < 1:
        raise InputError(f"--repeats {options.repeats}: expected at least 1")
    values = _values(options)
    _check_count(math.prod(len(one) for one in values.values()))
    places = [place for one in cells(values) for place in _sized(options, one)]
    _check_count(len(places))
    requests = {place: Request.of(_asked(options, place), command) for place in places}
    first = next(iter(requests.values()))
    run_s = parse_seconds(first.asked.run_time, "--run-time")
    if run_s + OVERHEAD_S > budget_s:
        raise InputError(
            f"--budget {options.budget}: shorter than one run of {options.run_time}, which takes up to "
            f"{OVERHEAD_S:g} s more; give more, or a shorter --run-time"
        )
    return Wanted(
        requests=requests,
        budget_s=budget_s,
        run_s=run_s,
        repeats=options.repeats,
        seed=first.settings.seed,
        report_dir=first.settings.report_dir,
        resume=options.resume,
        quiet=options.quiet,
        most_bytes=_size("--largest-body", options.largest_body) if options.largest_body else None,
    )


def _check_count(cells: int) -> None:
    if cells > MOST_CELLS:
        raise InputError(f"{cells:,} cells: expected at most {MOST_CELLS:,}; leave out some values")


def _values(options: argparse.Namespace) -> dict[str, Sequence[Any]]:
    """Of each field of Place."""
    targets = [one.strip() for one in options.target.split(",")]
    ours = all(one in KINDS for one in targets)
    _check_bodies(options)
    if not ours:
        targets = [in_urls(options.target)]  # what is written down and shown
        for name in ("workers", "flavors"):
            if value := getattr(options, name):
                raise InputError(
                    f"--{name} {value}: belongs to a server that scorebench starts; leave it out, or sweep "
                    f"{', '.join(KINDS)}"
                )
    flavors: Sequence[str | None] = (None,)
    if ours and options.model is None:
        flavors = _listed("--flavors", options.flavors or DEFAULT_FLAVOR, served())
    elif options.flavors:
        raise InputError(f"--flavors {options.flavors}: demo models, and --model is given; leave one out")
    return {
        "server": targets,
        "flavor": flavors,
        "workers": _numbers("--workers", options.workers or "1") if ours else (None,),
        "format": _formats(options, flavors),
        "rows_per_call": _numbers("--rows-per-call", options.rows_per_call or "1"),
        "users": _numbers("--users", options.users or "1,2,4,8"),
        "columns": _numbers("--columns", options.columns) if options.columns else (None,),
    }


def _check_bodies(options: argparse.Namespace) -> None:
    made = ("format", "rows_per_call", "body_size", "columns", "largest_body")
    if options.body is not None and (given := [name for name in made if getattr(options, name)]):
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise InputError(f"--body: sends bodies as they are; leave out {flags}")
    if options.body_size and options.rows_per_call:
        raise InputError("--body-size: makes bodies of as many rows as it takes; leave out --rows-per-call")


def _sized(options: argparse.Namespace, place: Place) -> list[Place]:
    """The cell, or one for each size of --body-size."""
    if not options.body_size:
        return [place]
    sizes = _each("--body-size", options.body_size, "sizes, such as 10kB,1MB", _bytes)
    made = _rows_of(options, place)
    return [replace(place, rows_per_call=made.rows_in(size)) for size in sizes]


def _rows_of(options: argparse.Namespace, place: Place) -> Sized:
    """The rows of a cell."""
    from scorebench.runs.request import Request
    from scorebench.runs.sized import Sized

    return Sized(Request.of(_asked(options, place)).settings)


def _bytes(word: str) -> int | None:
    found = re.fullmatch(r"(\d{1,9})\s*(B|kB|MB)", word, flags=re.ASCII)
    return None if found is None else int(found[1]) * SIZES[found[2]] or None


def _size(flag: str, text: str) -> int:
    size = _bytes(text.strip())
    if size is None:
        raise InputError(f"{flag} {text}: expected a size in {', '.join(SIZES)}, such as 64MB")
    return size


def _formats(options: argparse.Namespace, flavors: Sequence[str | None]) -> Sequence[str]:
    from scorebench.payloads.formats import FORMATS

    formats = _listed("--format", options.format or DEFAULTS["format"], tuple(FORMATS))
    for flavor in flavors:
        only = None if flavor is None else FLAVORS[flavor].only_format
        if only is not None and formats != (only,):
            raise InputError(f"--flavors {flavor}: takes {only} alone; give --format {only}")
    return formats


def _asked(options: argparse.Namespace, place: Place) -> argparse.Namespace:
    """The options of one cell's run."""
    own = {
        "target": place.server if place.server in KINDS else options.target,
        "flavor": place.flavor,
        "workers": place.workers,
        "format": place.format,
        "rows_per_call": place.rows_per_call,
        "users": place.users,
        "quiet": True,
    }
    if place.columns is not None:
        own["drop"] = [*(options.drop or ()), *_columns_after(options, place)]
    return argparse.Namespace(**{**vars(options), **own})


def _columns_after(options: argparse.Namespace, place: Place) -> list[str]:
    """The columns that a cell leaves out: all after its first ones."""
    names = _rows_of(options, replace(place, columns=None)).columns
    assert place.columns is not None
    if place.columns > len(names):
        raise InputError(f"--columns {place.columns}: the data has {len(names)}: {', '.join(names[:12])}")
    return names[place.columns :]


def _numbers(flag: str, text: str) -> tuple[int, ...]:
    return _each(flag, text, "whole numbers from 1 up, such as 1,2,4", _whole)


def _whole(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and 0 < len(word) < 8 and int(word) else None


def _listed(flag: str, text: str, known: Sequence[str]) -> tuple[str, ...]:
    return _each(flag, text, ", ".join(known), lambda word: word if word in known else None)


def _each(flag: str, text: str, expected: str, read: Callable[[str], T | None]) -> tuple[T, ...]:
    found: list[T] = []
    for word in text.split(","):
        value = read(word.strip())
        if value is None:
            raise InputError(f"{flag} {text}: expected a comma-separated list of {expected}")
        found.append(value)
    return tuple(dict.fromkeys(found))

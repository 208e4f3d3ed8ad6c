"""A soak → text, CSV and JSON: what rises, what happened, and a line a stretch. Computes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from itertools import islice

import msgspec

from scorebench.figures.trend import Trend
from scorebench.report.aligned import table
from scorebench.report.data import dumped
from scorebench.report.environment import environment_line
from scorebench.report.forms.soak import StretchForm, form_of
from scorebench.report.words import NOT_MEASURED, count, plain
from scorebench.soaks.found import Ended, Happening, Kind, Soak, Stretch
from scorebench.units import say_bytes, say_length, say_seconds

MOST_HAPPENINGS = 20
MOST_ROWS = 24
NAMES = {"memory": "Server memory", "p50": "Median response time", "p99": "p99 of response times"}
_SAY: dict[str, Callable[[float], str]] = {"memory": say_bytes, "p50": say_seconds, "p99": say_seconds}


def render(soak: Soak) -> str:
    """What it says, what happened, a table of stretches, and what was measured."""
    lines = sentences(soak)
    if soak.happenings:
        lines += ["", "What happened (time from the start)"]
        lines += [f"  {line}" for line in happenings(soak, MOST_HAPPENINGS)]
    lines += ["", *table(rows(soak, MOST_ROWS), text_columns=1)]
    lines += ["", plain(environment_line(soak.environment))]
    return "\n".join(lines).rstrip() + "\n"


def sentences(soak: Soak) -> list[str]:
    """How much was measured, whether it can be trusted, and what rises; the most important first."""
    took = f"{say_length(soak.load_s)} of {say_length(soak.asked_s)}"
    lines = [f"Soak:        {took} measured in {count(len(soak.parts), 'part')}: {soak.ended.value}"]
    if pause_s := soak.longest_pause_s:
        lines[0] += f"; between two of them the load paused for {say_length(pause_s)} at most"
    if soak.ended is Ended.STOPPED:
        lines[0] += "; the same command with --resume FOLDER goes on"
    wrong = [part for part in soak.parts if part.invalid is not None]
    lines.append("Measurement: valid" if soak.parts and not wrong else "Measurement: NOT VALID")
    lines += [f"  not valid  {part.folder}: {plain(part.invalid or '')}" for part in wrong]
    lines += [f"Missed:      {part.folder}: {plain(text)}" for part in soak.parts for text in part.missed]
    calls, valid = (sum(getattr(part, name) for part in soak.parts) for name in ("calls", "valid"))
    lines.append(f"Calls:       {calls:,} sent, {valid:,} valid, {calls - valid:,} not")
    rises = soak.rises()
    trends = {name: _trend(soak, name, found, rises=name in rises) for name, found in soak.trends.items()}
    risen, others = (
        [line for name, line in trends.items() if (name in rises) is wanted] for wanted in (True, False)
    )
    return [lines[0], *risen, *lines[1:], *others]


def _trend(soak: Soak, name: str, found: Trend | None, *, rises: bool) -> str:
    values, say = soak.values(name), _SAY[name]
    if not values:
        return f"{NAMES[name]}: {NOT_MEASURED}"
    reach = f"first stretch {say(values[0])}, last {say(values[-1])}"
    if found is None:
        return f"{NAMES[name]}: {reach}; too few stretches for a trend (needs 60)"
    an_hour = [_signed(3600 * per_s, say) for per_s in (found.per_s, found.low_per_s, found.high_per_s)]
    bounds = f"{an_hour[0]} an hour (95 % sure: {an_hour[1]} to {an_hour[2]})"
    return f"{NAMES[name]}: {'RISES' if rises else 'not shown to rise'}: {bounds}; {reach}"


def _signed(value: float, say: Callable[[float], str]) -> str:
    return f"+{say(value)}" if value > 0 else say(value)


def happenings(soak: Soak, most: int) -> list[str]:
    """A line each, and one that counts those beyond `most`."""
    lines = [f"{clock(one.at_s)}  {_happened(one)}" for one in islice(soak.happenings, most)]
    more = len(soak.happenings) - most
    return [*lines, f"and {more:,} more: see soak.json"] if more > 0 else lines


def _happened(one: Happening) -> str:
    if one.kind is Kind.RESTART:
        return "the server, or a worker of it, restarted"
    if one.kind is Kind.KILLED:
        return "the load generator was killed"
    text = f"no valid answer for {say_length(one.length_s or 0.0)}"
    return f"{text}, {one.failed:,} calls failed" if one.failed else f"{text}; the calls were answered later"


def clock(at_s: float) -> str:
    """`2:13:04`, hours, minutes and seconds."""
    whole = int(at_s)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


HEAD = ["From the start", "valid", "not valid", "p50", "p99", "max", "server memory", "server CPU"]


def rows(soak: Soak, most: int | None = None) -> list[list[str]]:
    """Head and a row a stretch; at most about `most`, evenly chosen, the last one among them."""
    chosen: Sequence[Stretch] = soak.stretches
    if most is not None and len(chosen) > most:
        step = -(-len(chosen) // most)
        chosen = [*chosen[:-1:step], chosen[-1]]
    return [HEAD, *(_row(one) for one in chosen)]


def _row(one: Stretch) -> list[str]:
    def say(value: float | None, words: Callable[[float], str]) -> str:
        return NOT_MEASURED if value is None else words(value)

    few = "too few calls" if one.valid else NOT_MEASURED
    return [
        clock(one.at_s),
        f"{one.valid:,}",
        f"{one.bad:,}",
        *(few if value is None else say_seconds(value) for value in (one.p50_s, one.p99_s)),
        say(one.max_s, say_seconds),
        say(one.server_rss_bytes, say_bytes),
        say(one.server_cpu, lambda cores: f"{cores:.2f} cores"),
    ]


def render_json(soak: Soak) -> str:
    """The text of soak.json; its schema is schemas/soak.schema.json."""
    return dumped(form_of(soak), indent=2)


def render_csv(soak: Soak) -> str:
    """A line a stretch; an empty field is what was not measured."""
    text = io.StringIO()
    writer = csv.DictWriter(text, StretchForm.__struct_fields__, lineterminator="\n")
    writer.writeheader()
    writer.writerows(msgspec.structs.asdict(one) for one in form_of(soak).stretches)
    return text.getvalue()

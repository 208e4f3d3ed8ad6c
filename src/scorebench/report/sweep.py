"""A sweep → text, CSV and JSON: a line a cell, then what the lines through them say. Computes nothing new."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from math import isinf
from typing import Any

import msgspec

from scorebench.report.aligned import table
from scorebench.report.data import dumped
from scorebench.report.environment import environment_line
from scorebench.report.forms.sweep import RunForm, SweepCellForm, form_of
from scorebench.report.words import NOT_MEASURED, count, plain
from scorebench.sweeps.curves import Curve, curves
from scorebench.sweeps.found import Ended, Ran, Sweep, SweepCell
from scorebench.sweeps.grid import VARIED
from scorebench.sweeps.largest import MOST_ROWS, Largest
from scorebench.sweeps.scaling import Bounded, Scaling
from scorebench.units import say_bytes, say_rate, say_seconds

PROBLEM_CHARACTERS = 90
NO_LAW = "It describes servers that gain ever less from more users, or lose; look at the runs themselves."
OF_THE_FIRST_RUN = ("stopped_s", "load_ended_s")
"""Recorded by it, and not the sweep's."""
HEADS = {"rows_per_call": "rows", "flavor": "model"}


def render(sweep: Sweep) -> str:
    """The table, the sentences under it, and what was measured."""
    lines = [*table(rows(sweep), text_columns=len(_shown(sweep))), ""]
    lines += [plain(line) for line in sentences(sweep)]
    lines += ["", plain(environment_line(alike(sweep)))]
    return "\n".join(lines).rstrip() + "\n"


def alike(sweep: Sweep) -> dict[str, Any]:
    """Of the environment what all cells have in common; it was recorded by the first."""
    varied = set(sweep.varied())
    of_one = {*OF_THE_FIRST_RUN, *({"users"} & varied)}
    found = {name: value for name, value in sweep.environment.items() if name not in of_one}
    if varied & {"format", "rows_per_call", "columns"}:
        found.pop("payload", None)
    if varied & {"server", "flavor"}:
        found.pop("server", None)
    elif "workers" in varied and isinstance(found.get("server"), dict):
        found["server"] = {name: value for name, value in found["server"].items() if name != "workers"}
    return found


def _shown(sweep: Sweep) -> tuple[str, ...]:
    return sweep.varied() or ("users",)


def rows(sweep: Sweep) -> list[list[str]]:
    """Head and a row a cell: medians of its runs, or why it has none."""
    head = [HEADS.get(name, name) for name in _shown(sweep)]
    found = [[*head, "valid answers", "rows", "p50", "p99", "server CPU", "runs", "says"]]
    return found + [[*_values(sweep, cell), *_figures(sweep, cell)] for cell in sweep.cells]


def _values(sweep: Sweep, cell: SweepCell) -> list[str]:
    return [plain(str(getattr(cell.place, name))) for name in _shown(sweep)]


def _figures(sweep: Sweep, cell: SweepCell) -> list[str]:
    def say(of: Callable[[Ran], float | None], words: Callable[[float], str]) -> str:
        value = cell.middle(of)
        return NOT_MEASURED if value is None else words(value)

    problem = cell.problem
    return [
        say(lambda run: run.throughput_per_s, say_rate),
        say(lambda run: run.rows_per_s, say_rate),
        say(lambda run: run.p50_s, say_seconds),
        "too few calls" if cell.good and not cell.values(_p99) else say(_p99, say_seconds),
        say(lambda run: run.server_cpu, lambda cores: f"{cores:.2f} cores"),
        _runs(sweep, cell),
        "ok" if problem is None else plain(problem, PROBLEM_CHARACTERS),
    ]


def _runs(sweep: Sweep, cell: SweepCell) -> str:
    """How many runs count, and how far apart their throughput is: what two cells differ by may be no more."""
    apart = cell.apart(_rate)
    return f"{len(cell.good)} of {sweep.repeats}" + ("" if apart is None else f", {_percent(apart)} apart")


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{100 * share:.0f} %"


def _p99(run: Ran) -> float | None:
    return run.p99_s


def _rate(run: Ran) -> float | None:
    return run.throughput_per_s


def sentences(sweep: Sweep) -> list[str]:
    """What the cells say together, and what they cannot."""
    took = f"{count(sweep.measured, 'cell')} of {len(sweep.cells):,} measured in {say_seconds(sweep.took_s)}"
    sentences = [f"{took}: {sweep.ended.value}."]
    if sweep.ended is not Ended.DONE:
        sentences[0] += " The same command with --resume FOLDER measures the others."
    sentences += _users(curves(sweep, "users"))
    sentences += _rows(curves(sweep, "rows_per_call"))
    sentences += [line for curve in curves(sweep, "workers") for line in _workers(curve)]
    sentences += [_largest(one) for one in sweep.largest]
    if not sweep.largest and (largest := sweep.largest_body()):
        cell, size = largest
        sentences.append(f"Largest body that was answered: {size:,} bytes ({cell.place.words}).")
    return sentences


def _largest(one: Largest) -> str:
    passed, failed = one.passed, one.failed
    passes = f"{say_bytes(passed.size_bytes)} ({count(passed.rows, 'row')}) is answered"
    if failed is None:
        most = f"{say_bytes(one.most_bytes)}, or {MOST_ROWS:,} rows"
        return f"Largest body ({one.of.words}): {passes}; none of more than {most}, was tried."
    fails = f"{say_bytes(failed.size_bytes)} ({count(failed.rows, 'row')}) is not: {failed.why}"
    return f"Largest body ({one.of.words}): {passes if passed.rows else 'none is answered'}, {fails}."


def _users(every: list[Curve]) -> list[str]:
    found = [(curve, curve.scaling()) for curve in every]
    lines = [_scaling(curve, law) for curve, law in found if law is not None]
    lines += [
        f"Users ({curve.name}): no scaling law fits. {NO_LAW}"
        for curve, law in found
        if law is None and curve.has_enough_loads
    ]
    few = [curve for curve in every if not curve.has_enough_loads]
    lines += _lacking("Users", few, every, "loads for a scaling law (needs 4 and 5 runs)")
    knees = [(curve, curve.knee()) for curve in every]
    return lines + [
        f"Users ({curve.name}): the knee is at {count(int(at), 'user')}." for curve, at in knees if at
    ]


def _lacking(along: str, few: Sequence[Curve], every: Sequence[Curve], what: str) -> list[str]:
    """One sentence for all curves that have too `few` points."""
    if not few:
        return []
    of = "" if len(few) == len(every) else f" ({'; '.join(curve.name for curve in few)})"
    return [f"{along}{of}: too few {what}."]


def _scaling(curve: Curve, found: Scaling) -> str:
    peak = (
        "throughput is not shown to fall with more users"
        if found.peak is None
        else f"throughput peaks at {between(found.peak, lambda users: f'{users:.3g}')} users"
    )
    return (
        f"Users ({curve.name}): one user gets {between(found.per_one, say_rate)}, contention "
        f"{between(found.contention, lambda share: f'{share:.2g}')}, coherency "
        f"{between(found.coherency, lambda share: f'{share:.2g}')}; {peak}."
    )


def between(found: Bounded, say: Callable[[float], str]) -> str:
    """`96/s (90/s to 101/s)`; the bounds are 95 % sure."""
    high = "no upper bound" if isinf(found.high) else say(found.high)
    return f"{say(found.value)} ({say(found.low)} to {high})"


def _rows(every: list[Curve]) -> list[str]:
    found = [(curve, curve.costs()) for curve in every]
    lines = [
        f"Rows ({curve.name}): a call takes {between(costs.per_call_s, say_seconds)}, and each row "
        f"{between(costs.per_row_s, say_seconds)} more."
        for curve, costs in found
        if costs is not None
    ]
    few = [curve for curve, costs in found if costs is None]
    return lines + _lacking("Rows", few, every, "numbers of rows for their cost (needs 3)")


def _workers(curve: Curve) -> list[str]:
    measured = [cell for cell in curve.cells if cell.middle(_rate)]
    if len(measured) < 2:
        return []
    first, last = measured[0], measured[-1]
    few, many = first.place.workers or 1, last.place.workers or 1
    gain = (last.middle(_rate) or 0.0) / (first.middle(_rate) or 1.0)
    return [
        f"Workers ({curve.name}): {many} carry {gain:.3g} times the throughput of {few}"
        f"{_between_runs(first.values(_rate), last.values(_rate))}; the ideal is {many / few:.3g}."
    ]


def _between_runs(few: list[float], many: list[float]) -> str:
    """The least and the most that two runs make of it: a range, and no bound."""
    if len(few) < 2 and len(many) < 2:
        return ""
    return f" ({min(many) / max(few):.3g} to {max(many) / min(few):.3g} between single runs)"


def render_json(sweep: Sweep) -> str:
    """The text of sweep.json; its schema is schemas/sweep.schema.json."""
    return dumped(form_of(sweep), indent=2)


def render_csv(sweep: Sweep) -> str:
    """A line a run, and one for a cell without any; an empty field is what was not measured."""
    text = io.StringIO()
    columns = [*VARIED, "problem", *RunForm.__struct_fields__]
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for cell in form_of(sweep).cells:
        writer.writerows(_lines(cell))
    return text.getvalue()


def _lines(cell: SweepCellForm) -> list[dict[str, object]]:
    own = msgspec.structs.asdict(cell)
    return [{**own, **msgspec.structs.asdict(run)} for run in cell.runs] or [own]

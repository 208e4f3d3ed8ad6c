"""A sweep → text, CSV and JSON: a line a cell, then what the lines through them say. Computes nothing new."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from math import isinf

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
from scorebench.sweeps.scaling import Bounded
from scorebench.units import say_bytes, say_rate, say_seconds

PROBLEM_CHARACTERS = 90
HEADS = {"rows_per_call": "rows", "flavor": "model"}


def render(sweep: Sweep) -> str:
    """The table, the sentences under it, and what was measured."""
    lines = [*table(rows(sweep), text_columns=len(_shown(sweep))), ""]
    lines += [plain(line) for line in sentences(sweep)]
    lines += ["", plain(environment_line(sweep.environment))]
    return "\n".join(lines).rstrip() + "\n"


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
        f"{len(cell.good)} of {sweep.repeats}",
        "ok" if problem is None else plain(problem, PROBLEM_CHARACTERS),
    ]


def _p99(run: Ran) -> float | None:
    return run.p99_s


def sentences(sweep: Sweep) -> list[str]:
    """What the cells say together, and what they cannot."""
    took = f"{count(sweep.measured, 'cell')} of {len(sweep.cells):,} measured in {say_seconds(sweep.took_s)}"
    sentences = [f"{took}: {sweep.ended.value}."]
    if sweep.ended is not Ended.DONE:
        sentences[0] += " The same command with --resume FOLDER measures the others."
    sentences += [line for curve in curves(sweep, "users") for line in _scaling(curve)]
    sentences += [line for curve in curves(sweep, "rows_per_call") for line in _costs(curve)]
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


def _scaling(curve: Curve) -> list[str]:
    found, knee = curve.scaling(), curve.knee()
    knee_text = "" if knee is None else f" The knee is at {count(int(knee), 'user')}."
    if found is None:
        return [f"Users ({curve.name}): too few loads for a scaling law (needs 4 and 5 runs).{knee_text}"]
    peak = (
        "throughput is not shown to fall with more users"
        if found.peak is None
        else f"throughput peaks at {between(found.peak, lambda users: f'{users:.3g}')} users"
    )
    return [
        f"Users ({curve.name}): one user gets {between(found.per_one, say_rate)}, contention "
        f"{between(found.contention, lambda share: f'{share:.2g}')}, coherency "
        f"{between(found.coherency, lambda share: f'{share:.2g}')}; {peak}.{knee_text}"
    ]


def between(found: Bounded, say: Callable[[float], str]) -> str:
    """`96/s (90/s to 101/s)`; the bounds are 95 % sure."""
    high = "no upper bound" if isinf(found.high) else say(found.high)
    return f"{say(found.value)} ({say(found.low)} to {high})"


def _costs(curve: Curve) -> list[str]:
    found = curve.costs()
    if found is None:
        return [f"Rows ({curve.name}): too few numbers of rows for their cost (needs 3)."]
    return [
        f"Rows ({curve.name}): a call takes {between(found.per_call_s, say_seconds)}, and each row "
        f"{between(found.per_row_s, say_seconds)} more."
    ]


def _workers(curve: Curve) -> list[str]:
    rates = [(int(at), rate) for at, rate in curve.middles(lambda run: run.throughput_per_s) if rate]
    if len(rates) < 2:
        return []
    (first, base), (last, rate) = rates[0], rates[-1]
    gain, ideal = rate / base, last / first
    return [
        f"Workers ({curve.name}): {last} carry {gain:.3g} times the throughput of {first}; "
        f"the ideal is {ideal:.3g}."
    ]


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

"""A comparison → text, Markdown and JSON. Knows wording; computes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from scorebench.comparison.compare import Change, Comparison, Difference, Gate, Middle, compared, runs_needed
from scorebench.figures.metrics import find
from scorebench.report import text
from scorebench.report.data import dumped
from scorebench.report.forms.comparison import form_of
from scorebench.report.markdown import escaped
from scorebench.report.words import NOT_MEASURED, count, plain
from scorebench.units import say_change, say_percent


def render(comparisons: Sequence[Comparison], warnings: Sequence[str] = ()) -> str:
    """Each comparison: its verdict, then its table."""
    blocks = [[f"warning: {plain(line)}" for line in warnings]] if warnings else []
    for one in comparisons:
        body = [line.rstrip() for line in text.table(rows(one))]
        blocks += [headline(one), *([gates(one)] if one.gates else []), body]
    blocks.append(legend(comparisons))
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def render_markdown(comparisons: Sequence[Comparison], warnings: Sequence[str] = ()) -> str:
    """The same for a step summary or a merge request."""
    blocks = [[f"- warning: {escaped(line)}" for line in warnings]] if warnings else []
    for one in comparisons:
        lines = [[escaped(cell) for cell in row] for row in rows(one)]
        rule = ["---", *["---:"] * (len(lines[0]) - 1)]
        table = ["| " + " | ".join(row) + " |" for row in (lines[0], rule, *lines[1:])]
        sets, *changes = [*headline(one), *(gates(one) if one.gates else [])]
        blocks += [[f"## {escaped(sets)}"], [f"- {escaped(line)}" for line in changes], table]
    blocks.append([escaped(line) for line in legend(comparisons)])
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def headline(one: Comparison) -> list[str]:
    """Which sets, and what changed."""
    runs = [f"{plain(each.name)} ({count(len(each.runs), 'run')})" for each in (one.before, one.after)]
    real = {
        change: [f"{d.metric} {_ratio(d)}" for d in one.differences if d.change is change]
        for change in (Change.WORSE, Change.BETTER)
    }
    few = any(d.change is Change.TOO_FEW for d in one.differences)
    changes = "; ".join(f"{change}: {', '.join(metrics)}" for change, metrics in real.items() if metrics)
    if not changes:
        changes = _too_few(len(one.before.runs), len(one.after.runs)) if few else "no difference is shown"
    return [f"{runs[0]} → {runs[1]}", changes]


def _too_few(before: int, after: int) -> str:
    return (
        f"{before} and {after} runs are too few to show a difference (p < 0.05). "
        f"You need at least {runs_needed()} of each, better 10: --repeat 10"
    )


def gates(one: Comparison) -> list[str]:
    """A line a threshold."""
    words = {True: "FAILED", False: "kept", None: "undecided"}
    return [f"{words[gate.failed]}: --fail-if '{gate.threshold.text}': {why(gate)}" for gate in one.gates]


def why(gate: Gate) -> str:
    """The figures behind a gate."""
    found = gate.difference
    if found.before is None or found.after is None:
        needed = find(found.metric).needs
        needs = "" if needed is None else f": it {needed} a run"
        return f"{found.metric} was not measured in both{needs}"
    if found.change is Change.TOO_FEW:
        return _too_few(found.before.runs, found.after.runs)
    metric = find(found.metric)
    return (
        f"{metric.name} went from {metric.say(found.before.value)} to {metric.say(found.after.value)} "
        f"({_ratio(found)}{_between(gate)}, p {_p(found, '= ')})"
        + ("; the noise may hide more: measure more runs" if gate.failed is None else "")
    )


def _between(gate: Gate) -> str:
    if gate.low is None or gate.high is None:
        return ""
    return f", between {say_change(gate.low)} and {say_change(gate.high)}"


def rows(one: Comparison) -> list[list[str]]:
    """The table, its head first."""
    lines = [["Metric", plain(one.before.name), plain(one.after.name), "change", "p"]]
    lines += [
        [
            d.metric,
            _middle(d, d.before, len(one.before.runs)),
            _middle(d, d.after, len(one.after.runs)),
            _change(d),
            _p(d),
        ]
        for d in one.differences
    ]
    if one.geometric_mean is not None:
        lines.append(["geometric mean of times", "", "", say_change(one.geometric_mean - 1), ""])
    return lines


def _middle(found: Difference, middle: Middle | None, runs: int) -> str:
    if middle is None:
        return NOT_MEASURED
    return _bounded(found.metric, middle) + (f" ({middle.runs} of {runs} runs)" if middle.runs < runs else "")


def _bounded(metric: str, middle: Middle) -> str:
    say = find(metric).say
    value = say(middle.value)
    if middle.within is not None:
        return f"{value} ({say(middle.within[0])} to {say(middle.within[1])})"
    if middle.low is None or middle.high is None or not middle.value:
        return value
    return (
        f"{value} ± {say_percent(max(middle.high - middle.value, middle.value - middle.low) / middle.value)}"
    )


def _change(found: Difference) -> str:
    if found.change in (Change.BETTER, Change.WORSE):
        return f"{_ratio(found)} {found.change}"
    return {Change.NOT_SHOWN: "~", Change.TOO_FEW: "? (too few runs)"}.get(found.change, "-")


def _ratio(found: Difference) -> str:
    return "-" if found.ratio is None else say_change(found.ratio)


def _p(found: Difference, equals: str = "") -> str:
    if found.p is None:
        return ""
    return "< 0.001" if found.p < 0.001 else f"{equals}{found.p:.3f}"


def legend(comparisons: Sequence[Comparison]) -> list[str]:
    """How to read the signs."""
    lines = ["medians over runs ± 95 % certain; ~: no difference is shown (Mann-Whitney U, p ≥ 0.05)"]
    if any(m.low is None for one in comparisons for d in one.differences for m in (d.before, d.after) if m):
        lines.append("a median has no bounds below 6 runs")
    if any(m.within for one in comparisons for d in one.differences for m in (d.before, d.after) if m):
        lines.append("brackets: a single run, 99 % sure by its own calls; other runs may differ more")
    return lines + _left_out(comparisons)


def _left_out(comparisons: Sequence[Comparison]) -> list[str]:
    """Percentiles that no run has the calls for."""
    shown = {d.metric for one in comparisons for d in one.differences}
    missing = [find(name) for name in compared() if name not in shown and not name.startswith("service_")]
    needs = [f"{metric.name} needs {metric.needed:,}" for metric in missing if metric.needed is not None]
    return [f"left out, too few calls a run: {', '.join(needs)}"] if needs else []


def render_json(comparisons: Sequence[Comparison], warnings: Sequence[str] = ()) -> str:
    """Its schema is schemas/comparison.schema.json. Seconds, shares of 1, numbers a second."""
    return dumped(form_of(comparisons, warnings, why), indent=2)

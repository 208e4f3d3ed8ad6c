"""A comparison → one HTML file, with the percentile curves over one another. Knows wording alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from scorebench.comparison.compare import Change, Comparison, RunSet
from scorebench.report import compare, html
from scorebench.report.charts import Chart, percentiles
from scorebench.report.compare_charts import compare_charts
from scorebench.report.sent import place
from scorebench.report.sent import rows as rows_sent
from scorebench.report.words import count, plain, say_moment

if TYPE_CHECKING:
    from scorebench.figures.times import Times

MOST_CURVES = 6
"""Points of a curve: more would not be visible."""
CURVES = "The curve of a set is that of its median run by p99."


def render(comparisons: Sequence[Comparison], warnings: Sequence[str] = ()) -> str:
    """The page; the curve of each set is that of its run with the median p99."""
    sets = [comparisons[0].before, *(one.after for one in comparisons)]
    curves = []
    for one in sets[:MOST_CURVES]:
        runs = sorted(
            (run for run in one.runs if run.response.count), key=lambda run: run.figure("p99") or 0.0
        )
        curves += [(plain(one.name), runs[len(runs) // 2].response)] if runs else []
    return html.render(
        "compare",
        title="Comparison of load tests",
        warnings=[plain(line) for line in warnings],
        comparisons=[_one(each) for each in comparisons],
        sets=[_set_line(one) for one in sets],
        dots=compare_charts(sets),
        curve=_curve(curves),
        legend=" ".join(f"{line[:1].upper()}{line[1:]}." for line in compare.legend(comparisons)),
        sent=_sent(sets),
    )


def _set_line(one: RunSet) -> str:
    """When its runs were measured, where, and which model answered."""
    facts = one.runs[0].environment if one.runs else {}
    starts = [run.environment.get("started_s") for run in one.runs]
    known = sorted(float(at) for at in starts if isinstance(at, int | float))
    moments = list(dict.fromkeys(map(say_moment, (known[0], known[-1])))) if known else []
    when = f"measured on {' to '.join(moments)}" if moments else "when is not recorded"
    parts = [f"{one.name}: {count(len(one.runs), 'run')}, {when}", place(facts)]
    return plain("; ".join(filter(None, parts)))


def _sent(sets: Sequence[RunSet]) -> list[str]:
    """Which rows each set got; once, if all got the same."""
    of = {one.name: rows_sent(one.runs[0].environment) if one.runs else "" for one in sets}
    known = {name: text or "not recorded" for name, text in of.items()}
    if len(set(known.values())) == 1:
        return [plain(f"All sets: {text}") for text in list(known.values())[:1]]
    return [plain(f"{name}: {text}") for name, text in known.items()]


def _curve(curves: Sequence[tuple[str, Times]]) -> Chart | None:
    found = percentiles(curves)
    return None if found is None else replace(found, note=f"{found.note} {CURVES}")


def _one(one: Comparison) -> dict[str, object]:
    names, changes = compare.headline(one)
    worse = any(d.change is Change.WORSE for d in one.differences)
    better = any(d.change is Change.BETTER for d in one.differences)
    rows = compare.rows(one)
    kinds = {True: "bad", False: "good", None: "warn"}
    texts = compare.gates(one)
    return {
        "names": names,
        "changes": changes,
        "kind": "bad" if worse else "good" if better else "plain",
        "gates": [{"kind": kinds[g.failed], "text": t} for g, t in zip(one.gates, texts, strict=True)],
        "head": rows[0],
        "rows": rows[1:],
    }

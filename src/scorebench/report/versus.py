"""What came of A against B → text and JSON. Knows wording; computes nothing."""

from __future__ import annotations

from typing import Any

from scorebench.comparison.alike import Alike
from scorebench.comparison.versus import ALPHA, Answer, DuelResult, State
from scorebench.figures.metrics import find
from scorebench.report.data import dumped
from scorebench.report.forms.versus import form_of
from scorebench.report.words import count, plain
from scorebench.units import say_change, say_percent

SHOWN_CHARACTERS, WHY_CHARACTERS = 60, 400


def render(result: DuelResult) -> str:
    """The answers first, then the predictions, then how it was measured."""
    blocks = [
        [f"{name}: {plain(what)}" for name, what in result.sides.items()],
        [line for one in result.answers for line in _answer(one, result)],
        [f"{name}: {plain(why)}; such pairs are not counted" for name, why in result.failures.items()],
        [f"{name}: {plain(why, WHY_CHARACTERS)}" for name, why in result.not_valid.items()],
        _alike(result.alike),
        _how(result),
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _answer(one: Answer, result: DuelResult) -> list[str]:
    metric = find(one.question.metric)
    if one.change is None or one.a is None or one.b is None:
        if result.measured and result.unusable == result.measured:
            return [f"undecided: no pair counts, so nothing is known of {metric.name}"]
        return [f"undecided: {metric.name} was not measured in any pair{_needs(one)}"]
    figures = f"  {metric.name}: A {metric.say(one.a)}, B {metric.say(one.b)} (medians of {one.pairs} pairs)"
    threshold = one.question.threshold
    if threshold is None:
        first = {
            State.SLOWER: f"B is worse: {_change(one)}",
            State.FASTER: f"B is better: {_change(one)}",
        }.get(one.state, f"undecided: {_change(one)}")
    else:
        word = {State.FAILED: "FAILED", State.KEPT: "kept"}.get(one.state, "undecided")
        first = f"{word}: --fail-if '{threshold.text}': {_change(one)}"
    return [first, figures, *([_more(one, result)] if one.state is State.OPEN else [])]


def _needs(one: Answer) -> str:
    needs = find(one.question.metric).needs
    return "" if needs is None else f": it {needs} a round. Lengthen the rounds with --run-time"


def _change(one: Answer) -> str:
    assert one.change is not None
    if one.low is None or one.high is None:
        return f"{one.question.metric} {say_change(one.change)}; too few pairs for bounds"
    return (
        f"{one.question.metric} {say_change(one.change)}, between {say_change(one.low)} and "
        f"{say_change(one.high)} ({say_percent(1 - ALPHA)} sure)"
    )


def _more(one: Answer, result: DuelResult) -> str:
    more = f"give more pairs (--pairs {2 * result.most_pairs}) or longer rounds"
    if one.hidden is None:
        return f"  Too few pairs: {more}."
    return f"  This noise hides changes below {say_percent(one.hidden)}. To see smaller ones, {more}."


def _alike(found: Alike | None) -> list[str]:
    if found is None:
        return []
    lines = []
    if found.rows:
        verdict = (
            "the same from both" if not found.differing else f"{found.differing:,} differ between A and B"
        )
        lines.append(f"Predictions: {count(found.rows, 'row')} compared, {verdict}")
        lines += [
            f"  call {one.body}, row {one.row}: A {_shown(one.a)}, B {_shown(one.b)}"
            for one in found.examples
        ]
    if found.unread:
        bodies = count(found.unread, "body").replace("bodys", "bodies")
        lines.append(f"Predictions: not compared for {bodies}: {plain(found.problem, 200)}")
    return lines


def _shown(value: Any) -> str:
    return plain(str(value), SHOWN_CHARACTERS)


def _how(result: DuelResult) -> list[str]:
    used = max((one.pairs for one in result.answers), default=0)
    left_out = result.measured - used
    few = left_out - result.unusable
    reasons = [f"{result.unusable} not valid"] if result.unusable else []
    reasons += [f"{few} with too few calls"] if few > 0 else []
    unused = f"; {left_out} left out ({', '.join(reasons)})" if left_out > 0 else ""
    return [
        f"{count(result.measured, 'pair')} of rounds of {result.round_s:g} s, A and B in random order, "
        f"at most {result.most_pairs} pairs{unused}"
    ]


def render_json(result: DuelResult) -> str:
    """Its schema is schemas/versus.schema.json. SI units; changes are shares of A's figure."""
    return dumped(form_of(result), indent=2)

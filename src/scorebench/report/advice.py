"""Advice → text and JSON. Computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from scorebench.advice.record import Advice
from scorebench.report.data import dumped
from scorebench.report.words import plain

NOTHING = "No advice: the figures support none."


def render(found: Sequence[Advice], invalid: str | None = None) -> str:
    """A paragraph each: what was found, from where on, what to change and expect, and how to prove it."""
    if not found:
        line = NOTHING if invalid is None else f"No advice: the measurement is not valid: {plain(invalid)}."
        return line + "\n"
    return "\n".join(_paragraph(one) for one in found)


def _paragraph(one: Advice) -> str:
    figure = plain(one.figure)
    lines = [
        f"{one.rule}: {figure}",
        f"  rule:   {plain(one.threshold)} (source: {plain(one.source)})",
        f"  change: {plain(one.change)}",
        f"  expect: {plain(one.gain)}",
        f"  prove:  {plain(one.proof)}",
    ]
    return "\n".join(lines) + "\n"


def render_json(found: Sequence[Advice], invalid: str | None = None) -> str:
    """`{"invalid": …, "advice": [{…}]}`, each with the fields of `Advice`."""
    each = [{name: plain(text) for name, text in asdict(one).items()} for one in found]
    return dumped({"invalid": None if invalid is None else plain(invalid), "advice": each}, indent=2)

"""The folder of a `versus`, read again. Knows its form; nothing of how it was made."""

from __future__ import annotations

from pathlib import Path

from scorebench.comparison.alike import Alike, Different
from scorebench.comparison.versus import Answer, DuelResult, Question
from scorebench.errors import InputError
from scorebench.figures.metrics import UnknownMetric, find
from scorebench.folders import reading
from scorebench.folders.names import VERSUS
from scorebench.report.forms.versus import AlikeForm, AnswerForm, VersusForm
from scorebench.report.words import plain
from scorebench.verdicts.limits import parse_threshold

WHAT, HINT = "what `scorebench versus` left", "Give the folder that it named."
SIDES = {"A", "B"}


def read_versus(path: Path) -> DuelResult:
    """The comparison of versus.json in `path`. InputError for whatever can't be read."""
    file = path / VERSUS
    form = reading.decoded(reading.content_of(file, WHAT, HINT), VersusForm, file, WHAT)
    if form.sides.keys() != SIDES or not form.failures.keys() <= SIDES:
        raise InputError(f"{file}: is damaged: found other sides than A and B. Expected {WHAT}, unchanged.")
    try:
        answers = [_answer(one) for one in form.answers]
    except (InputError, UnknownMetric) as problem:
        raise InputError(f"{file}: is damaged: {plain(str(problem))} Expected {WHAT}, unchanged.") from None
    return DuelResult(
        sides=form.sides,
        round_s=form.round_s,
        most_pairs=form.most_pairs,
        measured=form.measured,
        answers=answers,
        alike=None if form.predictions is None else _alike(form.predictions, file),
        failures=form.failures,
        not_valid=form.not_valid,
        unusable=form.unusable,
    )


def _answer(form: AnswerForm) -> Answer:
    threshold = None if form.fail_if is None else parse_threshold(form.fail_if, "$.answers: fail_if")
    question = Question(find(form.metric).name, threshold)
    return Answer(question, form.state, form.pairs, form.a, form.b, form.change, form.low, form.high)


def _alike(form: AlikeForm, file: Path) -> Alike:
    examples = []
    for one in form.examples:
        if not reading.is_flat([one.a, one.b], reading.DEEPEST):
            raise InputError(f"{file}: is damaged: found lists within lists. Expected {WHAT}, unchanged.")
        examples.append(Different(one.call, one.row, one.a, one.b))
    return Alike(form.rows, form.differing, form.unread, tuple(examples), form.problem)

"""Pairs of short runs of two servers, in turn and in random order, until they tell. Knows runs; no wording.

Both servers are up all the time, and one of them is called at a time. What the machine does meanwhile meets
both alike.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scorebench.comparison.versus import Answer, Look, Pair, Question, State, answer, looks
from scorebench.folders.finished import Finished, finished, is_finished
from scorebench.runs import launch
from scorebench.verdicts.finding import Severity

if TYPE_CHECKING:
    from scorebench.runs.request import Request
    from scorebench.servers.protocol import Server

LEAST = 1e-6
"""A figure of 0 is taken for this: chunks that come together are no microsecond apart, which is as finely as
times are counted. To leave the pair out would leave out what one of the servers is good at."""
SPARE = 4
"""Of so many pairs one may fail to be measured, and is made again."""


@dataclass(frozen=True)
class Side:
    """One of the two: what is asked of it, and where it listens."""

    name: str
    request: Request
    url: str
    server: Server | None


@dataclass(frozen=True)
class Round:
    """One run of one side. `done` is None where it left no recording."""

    side: str
    folder: Path
    code: int
    done: Finished | None

    @property
    def is_usable(self) -> bool:
        """Only a valid measurement counts."""
        return self.done is not None and self.done.verdict.valid and self.code in (0, 3)

    @property
    def fault(self) -> str | None:
        """Why it is not valid, and what to try; None where it is, also if calls failed."""
        if self.done is None:
            return f"the run ended with exit code {self.code} and left no recording"
        wrong = [one for one in self.done.verdict.findings if one.severity is Severity.INVALID]
        return f"{wrong[0].text}. Try: {wrong[0].advice}" if wrong else None


@dataclass
class Duel:
    """What has been measured so far, and what is known by it."""

    questions: Sequence[Question]
    looks: tuple[Look, ...]
    rounds: list[tuple[Round, Round]] = field(default_factory=list)
    """A's and B's run of each pair; which came first is in their recordings."""
    answers: list[Answer] = field(default_factory=list)

    @property
    def usable(self) -> list[tuple[Round, Round]]:
        return [pair for pair in self.rounds if all(one.is_usable for one in pair)]

    def pairs(self, question: Question) -> list[Pair]:
        """The figures of A and B, where both were measured."""
        found = []
        for runs in self.usable:
            a, b = (one.done.summary.figure(question.metric) for one in runs if one.done is not None)
            if a is not None and b is not None:
                found.append(Pair(max(a, LEAST), max(b, LEAST)))
        return found

    def look(self, number: int) -> bool:
        """Take look `number`; whether it decides everything that was asked.

        What was decided at an earlier look stays decided. Several questions share the look's error.
        """
        alpha = self.looks[number].alpha / len(self.questions)
        decided = {one.question: one for one in self.answers if one.state is not State.OPEN}
        self.answers = [
            decided.get(question) or answer(question, self.pairs(question), alpha)
            for question in self.questions
        ]
        return all(one.state is not State.OPEN for one in self.answers)


def measure(
    sides: tuple[Side, Side],
    questions: Sequence[Question],
    folder: Path,
    most_pairs: int,
    *,
    seed: int = 0,
    on_pair: Callable[[Duel, int], None] = lambda _duel, _most: None,
    interrupted: list[int] | None = None,
) -> Duel:
    """Pairs of runs, until a look decides all questions, there are no more, or a signal came (`interrupted`).

    The first pair warms up both sides, and is not counted. A pair with a run that is not valid is made again,
    a few times.
    """
    duel = Duel(questions, looks(most_pairs))
    stopped = [] if interrupted is None else interrupted
    draw = random.Random(seed)
    next_look = 0
    _pair(sides, folder, 0, draw, stopped)
    for number in range(1, most_pairs + most_pairs // SPARE + 1):
        if stopped or not all(side.server is None or side.server.alive() for side in sides):
            break
        duel.rounds.append(_pair(sides, folder, number, draw, stopped))
        on_pair(duel, most_pairs)
        if len(duel.usable) >= duel.looks[next_look].pairs:
            next_look += 1
            if duel.look(next_look - 1) or next_look == len(duel.looks):
                return duel
    if next_look < len(duel.looks):
        duel.look(next_look)
    return duel


def _pair(
    sides: tuple[Side, Side], folder: Path, number: int, draw: random.Random, stopped: list[int]
) -> tuple[Round, Round]:
    order = list(sides)
    draw.shuffle(order)
    done = {side.name: _round(side, folder / f"{number:03d}-{side.name}", stopped) for side in order}
    a, b = (done[side.name] for side in sides)
    return a, b


def _round(side: Side, folder: Path, stopped: list[int]) -> Round:
    if stopped:
        return Round(side.name, folder, 130, None)
    folder.mkdir()
    wanted = side.request.launch(side.url, folder, show_report=False)
    code = launch.run(wanted, side.server, on_signal=stopped.append)
    return Round(side.name, folder, code, finished(folder) if is_finished(folder) else None)


def failures(duel: Duel) -> Iterator[tuple[str, str]]:
    """Each side that had calls which were not valid, with the most frequent outcome."""
    for place, name in enumerate("AB"):
        outcomes: dict[str, int] = {}
        for pair in duel.rounds:
            done = pair[place].done
            for label, count in ({} if done is None else done.summary.outcomes).items():
                outcomes[label] = outcomes.get(label, 0) + count
        outcomes.pop("valid", None)
        if outcomes:
            label, count = max(outcomes.items(), key=lambda item: item[1])
            yield name, f"{sum(outcomes.values()):,} calls were not valid, {count:,} of them {label}"


def faults(duel: Duel) -> Iterator[tuple[str, str]]:
    """Each side that had rounds which were not valid, with the reason of the last."""
    for place, name in enumerate("AB"):
        reasons = [why for pair in duel.rounds if (why := pair[place].fault) is not None]
        if reasons:
            yield name, f"{len(reasons)} of {len(duel.rounds)} rounds not valid; the last: {reasons[-1]}"

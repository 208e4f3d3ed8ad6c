"""Two servers in turn: how often the decision is wrong, by simulation; what is told; a pair of servers."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from scorebench import cli
from scorebench.commands.versus import DEFAULT_PAIRS, exit_code
from scorebench.comparison import alike
from scorebench.comparison.versus import (
    ALPHA,
    FEWEST_PAIRS,
    Answer,
    DuelResult,
    Pair,
    Question,
    State,
    answer,
    looks,
)
from scorebench.report import versus as report
from scorebench.runs.versus import Duel, Round
from scorebench.verdicts.limits import parse_threshold
from tests.commands import here, run_within
from tests.schemas import validator
from tests.scoring_server import Behaviour, Constant, Reply, scoring_server

TRIALS = 1000
NOISE = 0.05
"""From round to round, as a share of the figure, besides what meets both rounds of a pair alike."""
DIFFERS = Question("p50")
DRIFT = 0.3
"""What does meet both: a busy neighbour, a clock that throttles."""


def trial(draw: np.random.Generator, true_ratio: float, question: Question = DIFFERS) -> Answer:
    """What is said in the end of two servers, B `true_ratio` times as slow, with the default budget."""
    pairs: list[Pair] = []
    for look in looks(DEFAULT_PAIRS):
        while len(pairs) < look.pairs:
            both = draw.normal(math.log(0.05), DRIFT) + draw.normal(0, NOISE, 2)
            pairs.append(Pair(math.exp(both[0]), math.exp(both[1]) * true_ratio))
        found = answer(question, pairs, look.alpha)
        if found.state is not State.OPEN:
            break
    return found


def states(true_ratio: float, question: Question = DIFFERS) -> list[State]:
    draw = np.random.default_rng(7)
    return [trial(draw, true_ratio, question).state for _ in range(TRIALS)]


def test_no_difference_is_seldom_called_one() -> None:
    """Over all looks: at most 5 % of 1,000 comparisons of a server with itself end in a difference."""
    assert 0 < TRIALS - states(1.0).count(State.OPEN) <= ALPHA * TRIALS


def test_a_true_twentieth_is_found() -> None:
    """5 % slower is found in at least 80 %, and never with the wrong sign more often than by chance."""
    found = states(1.05)
    assert found.count(State.SLOWER) >= 0.8 * TRIALS
    assert found.count(State.FASTER) <= 0.025 * TRIALS


def test_a_large_difference_is_decided_early() -> None:
    """Of 20 % the first look is enough, in nearly all cases."""
    draw = np.random.default_rng(7)
    first = looks(DEFAULT_PAIRS)[0].pairs
    assert sum(trial(draw, 1.2).pairs == first for _ in range(200)) >= 190


@pytest.mark.parametrize(("true_ratio", "wrong"), [(1.0999, State.FAILED), (1.1001, State.KEPT)])
def test_a_threshold_is_seldom_misjudged(true_ratio: float, wrong: State) -> None:
    """At the edge of +10 % either mistake is made in at most 2.5 %: one side of 5 %."""
    question = Question("p50", parse_threshold("p50 +10%"))
    assert states(true_ratio, question).count(wrong) <= ALPHA / 2 * TRIALS


def test_the_bounds_hold_the_truth_whenever_one_stops() -> None:
    """At whichever look a comparison ends, its bounds hold the true change in 95 %."""
    draw = np.random.default_rng(3)
    found = [trial(draw, 1.05) for _ in range(TRIALS)]
    held = sum(one.low is not None and one.high is not None and one.low <= 0.05 <= one.high for one in found)
    assert held >= (1 - ALPHA) * TRIALS


@pytest.mark.parametrize("most", [FEWEST_PAIRS, 7, 10, 30, 400])
def test_looks_share_the_error(most: int) -> None:
    """They add up to ALPHA, go up to the last pair, and none is too early to tell anything."""
    found = looks(most)
    assert sum(look.alpha for look in found) == pytest.approx(ALPHA)
    assert found[-1].pairs == most
    assert all(2.0 ** (1 - look.pairs) <= look.alpha for look in found)


def pairs(ratio: float, count: int = 12) -> list[Pair]:
    """Pairs whose ratio is known, but for a thousandth either way."""
    return [Pair(0.05, 0.05 * ratio * (1 + 1e-3 * (-1) ** number)) for number in range(count)]


@pytest.mark.parametrize(
    ("metric", "ratio", "state"),
    [
        ("p50", 1.1, State.SLOWER),
        ("p50", 0.9, State.FASTER),
        ("throughput", 1.1, State.FASTER),
        ("throughput", 0.9, State.SLOWER),
        ("p50", 1.0, State.OPEN),
    ],
)
def test_which_side_is_good(metric: str, ratio: float, state: State) -> None:
    """More time is worse, more calls a second are better."""
    assert answer(Question(metric), pairs(ratio), 0.01).state is state


@pytest.mark.parametrize(
    ("threshold", "ratio", "state"),
    [
        ("p50 +10%", 1.2, State.FAILED),
        ("p50 +10%", 1.05, State.KEPT),
        ("p50 +10%", 0.5, State.KEPT),
        ("p50 +10%", 1.1, State.OPEN),
        ("p50 +10% and +20ms", 1.2, State.KEPT),  # 10 ms more than 50
        ("p50 +10% and +5ms", 1.2, State.FAILED),
        ("throughput -10%", 0.8, State.FAILED),
        ("throughput -10%", 0.95, State.KEPT),
    ],
)
def test_a_threshold_is_decided_by_both_bounds(threshold: str, ratio: float, state: State) -> None:
    """Failed where even the better bound exceeds it, kept where not even the worse one does."""
    limit = parse_threshold(threshold)
    assert answer(Question(limit.metric, limit), pairs(ratio), 0.01).state is state


def test_too_few_pairs_say_nothing() -> None:
    """No pair at all, and fewer than could be unlikely."""
    assert answer(Question("p50"), [], 0.05).state is State.OPEN
    few = answer(Question("p50"), pairs(2.0, 4), 0.05)
    assert (few.state, few.low) == (State.OPEN, None)


@dataclass(frozen=True)
class Measured:
    """What `Duel` reads of a valid round: a figure of each metric, by its name."""

    figures: dict[str, float | None]

    @property
    def summary(self) -> Measured:
        return self

    @property
    def verdict(self) -> Measured:
        return self

    valid = True

    def figure(self, metric: str) -> float | None:
        return self.figures[metric]


def duel(rounds: Sequence[tuple[float | None, float | None]], metric: str) -> Duel:
    """What was measured of A and B in each pair."""
    made = Duel([Question(metric)], looks(max(len(rounds), FEWEST_PAIRS)))
    for both in rounds:
        a, b = (
            Round(side, Path(side), 0, cast(Any, Measured({metric: value})))
            for side, value in zip("AB", both, strict=True)
        )
        made.rounds.append((a, b))
    return made


def test_a_time_of_zero_counts() -> None:
    """A sends its chunks together in 8 of 12 rounds (0 s), else as B, 3 ms apart; B is faster in 4 of 12.

    Without the eight rounds B would be better in every pair; with them it is worse in most, and nothing else
    may be said.
    """
    rounds = [(0.0, 0.003)] * 8 + [(0.003, 0.002)] * 4
    found = duel(rounds, "chunk_gap_p50")
    assert [pair.a for pair in found.pairs(found.questions[0])] == [1e-6] * 8 + [0.003] * 4
    found.look(len(found.looks) - 1)
    (one,) = found.answers
    assert (one.pairs, one.state is State.FASTER) == (12, False)


def test_a_figure_that_was_not_measured_is_no_pair() -> None:
    """A round with too few calls for a p99."""
    found = duel([(0.05, None), (None, 0.05), (0.05, 0.06)], "p99")
    assert found.pairs(Question("p99")) == [Pair(0.05, 0.06)]


def test_predictions_are_compared_row_by_row() -> None:
    """Within the tolerance they are the same; a row more, another type or another number differs."""
    found = alike.compare([([1.0, 2.0], [1.0, 2.0 + 1e-12]), ([3], [4]), ([5, 6], [5]), ([True], [1])], 1e-9)
    assert (found.rows, found.differing) == (6, 3)
    assert [(one.body, one.row) for one in found.examples] == [(2, 1), (3, 2), (4, 1)]


def told(state: State, **changes: object) -> DuelResult:
    one = answer(Question("p50"), pairs({State.SLOWER: 1.1}.get(state, 1.0)), 0.01)
    what: dict[str, object] = {
        "sides": {"A": "http://a", "B": "http://b\x1b[2J"},
        "round_s": 5.0,
        "most_pairs": 30,
        "measured": 13,
        "answers": [one],
        "alike": alike.compare([([1.0], [2.0])], 0.0),
        "failures": {},
    }
    return DuelResult(**{**what, **changes})  # type: ignore[arg-type]


def test_what_is_told() -> None:
    """The answer first, with bounds; what would help; which predictions differ; what was left out."""
    text = report.render(told(State.SLOWER))
    assert "B is worse: p50 +10.0 %, between +9.9 % and +10.1 % (95 % sure)" in text
    assert "call 1, row 1: A 1.0, B 2.0" in text
    assert "13 pairs of rounds of 5 s, A and B in random order, at most 30 pairs; 1 left out" in text
    assert "\x1b" not in text
    still = report.render(told(State.OPEN))
    assert "undecided: p50 " in still
    assert "This noise hides changes below 0.1" in still
    assert "--pairs 60" in still


def test_the_file_has_its_schema() -> None:
    """versus.json, as the shipped schema says."""
    validator("versus").validate(json.loads(report.render_json(told(State.SLOWER))))


def test_a_folder_is_told_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`scorebench report FOLDER` prints the text that `versus` printed, and the file that it wrote."""
    result = told(
        State.SLOWER, answers=[answer(Question("p50", parse_threshold("p50 +5%")), pairs(1.2), 0.01)]
    )
    (tmp_path / "versus.json").write_text(report.render_json(result))
    for words, text in (
        ([], report.render(result)),
        (["--format", "json"], report.render_json(result)),
    ):
        assert cli.main(["report", str(tmp_path), *words]) == 0
        assert capsys.readouterr().out == text
    assert cli.main(["report", str(tmp_path), "--format", "junit"]) == 2
    assert "not available for versus; expected one of text, json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"metric": "p50"', '"metric": "p5x"'),
        ('"fail_if": null', '"fail_if": "p50"'),
        ('"B": "', '"\\u001b[2J": "'),
        ('"round_s": 5', '"round_s": "5"'),
        ('"a": 1.0', f'"a": {"[" * 30}{"]" * 30}'),
        ("{", ""),
    ],
)
def test_a_damaged_folder_is_one_line(
    tmp_path: Path, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, with the file, and nothing of it that a terminal would obey."""
    whole = report.render_json(told(State.SLOWER))
    assert old in whole
    (tmp_path / "versus.json").write_text(whole.replace(old, new, 1))
    assert cli.main(["report", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"scorebench: {tmp_path / 'versus.json'}: is ")
    assert said.count("\n") == 1
    assert "\x1b" not in said


def test_exit_codes() -> None:
    """0 decided, 4 undecided, 1 calls failed, 3 a threshold failed."""
    limit = parse_threshold("p50 +5%")
    failed = answer(Question("p50", limit), pairs(1.2), 0.01)
    assert exit_code(told(State.SLOWER)) == 0
    assert exit_code(told(State.OPEN)) == 4
    assert exit_code(told(State.SLOWER, failures={"B": "3 calls were not valid"})) == 1
    assert exit_code(told(State.SLOWER, answers=[failed], failures={"B": "x"})) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("http://a", "http://b", "--pairs", "5"), "--pairs 5: expected 6 to 1,000"),
        (("http://a", "http://b", "--metric", "p51x"), "--metric: "),
        (("http://a", "http://b", "--fail-if", "p50 -10%"), "is for the better"),
        (("http://a", "http://b", "--metric", "changed"), "--metric changed: is 0 in a good round"),
        (("http://a", "http://b", "--fail-if", "changed +1%"), "--fail-if changed: is 0 in a good round"),
        (("webserver", "docker", "--port", "5"), "--port 5: two servers need two ports"),
        (("models:/m/1", "models:/m/2", "--model", "x"), "--model x: models:/m/1 is a model already"),
        (("http://a",), "TARGET: missing"),
    ],
)
def test_what_can_not_be_compared(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """One line, exit code 2, and nothing is left behind."""
    done = here(tmp_path, "versus", *words)
    assert done.code == 2
    assert said in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.timeout(400)  # fourteen runs, which start in three seconds each on a quiet machine
def test_two_servers_in_turn(tmp_path: Path) -> None:
    """20 ms against 30 ms: +50 %, by the servers' own settings, found with six pairs; every call is in a log.

    B answers with another prediction. The order within a pair changes; the warm-up is a pair besides the six.
    """
    other = Reply(200, b'{"predictions": [1.5]}')
    with (
        scoring_server(Behaviour(service=Constant(0.020))) as a,
        scoring_server(Behaviour(service=Constant(0.030), default=other)) as b,
    ):
        words = ("--pairs", "6", "-t", "1s", "-u", "2", "--rows", "3", "--fail-if", "p50 +10%")
        command = [sys.executable, "-m", "scorebench", "versus", a.url, b.url, *words]
        done = run_within(300, command, tmp_path)
        logged = [len(server.log()) for server in (a, b)]
    assert done.code == 3, done.out + done.err
    (folder,) = (path for path in done.reports.iterdir() if not path.is_symlink())
    found = json.loads((folder / "versus.json").read_text())
    validator("versus").validate(found)
    (one,) = found["answers"]
    assert (one["state"], one["pairs"]) == ("failed", 6)
    assert 0.1 < one["low"] <= one["change"] <= one["high"]
    assert found["predictions"]["differing"] == found["predictions"]["rows"] == 3
    assert "call 1, row 1: A " in done.out
    rounds = {path.name: json.loads((path / "recording.json").read_text()) for path in folder.glob("*-?")}
    assert sorted(rounds) == [f"{number:03d}-{side}" for number in range(7) for side in "AB"]
    for side, log in zip("AB", logged, strict=True):
        sent = sum(
            sum(one["measured"]["outcomes"].values()) for name, one in rounds.items() if name[-1] == side
        )
        assert sent <= log <= sent + 7 * 3 + 3 + 3  # besides: each run's probes, and the compared bodies
    begun = {name: one["environment"]["started_s"] for name, one in rounds.items()}
    assert {begun[f"{number:03d}-A"] < begun[f"{number:03d}-B"] for number in range(7)} == {True, False}

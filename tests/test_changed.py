"""Answers that differ from the first to the same body: counted, shown side by side, and allowed for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.answer import Judge
from scorebench.answers.first import BEFORE, KEPT_BYTES, LARGEST_BYTES, SHOWN_CHARACTERS, Changed
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import summarise
from scorebench.recordings.recording import Recording
from scorebench.verdicts.findings import look
from tests.commands import scorebench
from tests.recordings import calls, evenly, recording
from tests.scoring_server import Behaviour, Reply, scoring_server


def judged(*bodies: bytes, rows: int = 2, tolerance: float = 0.0) -> Judge:
    judge = Judge((rows,), tolerance=tolerance)
    for body in bodies:
        judge.judge(0, Answer(200, "application/json", body))
    return judge


@pytest.mark.parametrize(
    ("first", "then", "tolerance", "is_near"),
    [
        (b"[1.0, 2.0]", b"[1.0,2.0]", 1e-9, True),  # the same numbers in other bytes
        (b"[1.0, 2.0]", b"[1.0, 2.0000001]", 1e-6, True),
        (b"[1.0, 2.0]", b"[1.0, 2.0001]", 1e-6, False),
        (b"[0.0, 2.0]", b"[1e-7, 2.0]", 1e-6, True),  # near 0 the tolerance is absolute
        (b"[1000000.0, 2]", b"[1000000.5, 2]", 1e-6, True),  # and elsewhere relative: 0.5 of a million
        (b'[{"a": 1.0, "b": "x"}, 2]', b'[{"a": 1.0000001, "b": "x"}, 2]', 1e-6, True),
        (b'[{"a": 1.0, "b": "x"}, 2]', b'[{"a": 1.0, "b": "y"}, 2]', 1e-6, False),
        (b'[{"a": 1.0}, 2]', b'[{"c": 1.0}, 2]', 0.5, False),
        (b"[true, 2]", b"[1, 2]", 0.5, False),  # a truth value is no number
        (b"[[1, 2], 2]", b"[[1], 2]", 0.5, False),
        (b"[1, 2]", b"not JSON", 0.5, False),
        (b"[1, 2]", b"[1, 2, 3]", 0.5, False),
        (b"[1.0, 2.0]", b"[1.0,2.0]", 0.0, False),  # without a tolerance each byte counts
    ],
)
def test_what_is_near_enough(first: bytes, then: bytes, tolerance: float, is_near: bool) -> None:
    assert judged(first, then, tolerance=tolerance).first.changed == (0 if is_near else 1)


def test_the_first_answer_stays_what_others_are_compared_with() -> None:
    """A model that drifts by a little at each call has gone far in the end."""
    bodies = [b"[%.3f, 1]" % (1 + n * 1e-3) for n in range(100)]
    judge = judged(*bodies, tolerance=1e-2)
    # 1 + n / 1000 is within 1 % of the first until n = 10: 0.010 of 1.010, and 0.011 of 1.011 is more.
    assert judge.first.changed == 100 - 11


def test_only_bytes_of_the_first_answer_may_pass_unparsed() -> None:
    """Bytes of another answer would pass from then on as known, and the next ones would count nothing."""
    judge = Judge((2,))
    passes = []
    for body in (b"[1, 2]", b"[1, 3]", b"[1, 2]", b"[1]"):
        passes.append(judge.compare(0, Answer(200, "", body)).is_first)
    assert passes == [True, False, True, False]


class Meanwhile:
    """A pause in which other answers are judged, as when several users read large ones at once."""

    def __init__(self) -> None:
        self.others: list[Callable[[], object]] = []

    def __call__(self) -> None:
        if self.others:
            self.others.pop()()


def large(number: float) -> bytes:
    """A list of 100,000 numbers, which is read in slices."""
    return b'{"predictions": [' + b",".join([b"%g" % number] * 100_000) + b"]}"


def test_answers_that_are_read_at_once_are_compared() -> None:
    """Of 20 that all differ, 19 differ from the first, whichever that is; each begins in another's pause."""
    pause = Meanwhile()
    judge = Judge((100_000,), pause=pause)
    bodies = [large(n + 0.5) for n in range(20)]
    outcomes = []

    def read(body: bytes) -> None:
        outcomes.append(judge.judge(0, Answer(200, "", body)))

    pause.others = [partial(read, body) for body in bodies[1:]]
    read(bodies[0])
    assert outcomes == [Outcome.VALID] * 20
    assert judge.first.changed == 19


def test_an_answer_that_repeats_one_that_was_read_meanwhile_is_no_change() -> None:
    """The same bytes twice at once, and an invalid one that ends after the first valid one."""
    pause = Meanwhile()
    judge = Judge((100_000,), pause=pause)
    found = []
    pause.others = [lambda: found.append(judge.compare(0, Answer(200, "", large(1.5)))[:2])]
    found.append(judge.compare(0, Answer(200, "", large(1.5)))[:2])
    assert found == [(Outcome.VALID, True)] * 2
    assert judge.first.changed == 0
    pause.others = [lambda: judge.judge(1, Answer(200, "", large(1.5)))]
    judge = Judge((100_000, 100_000), pause=pause)
    wrong = b"[" + b"1," * 100_000 + b"1]"
    assert judge.compare(1, Answer(200, "", wrong)) == (
        Outcome.WRONG_COUNT,
        False,
        "100,001 instead of 100,000",
    )
    assert judge.first.changed == 1


def test_another_first_answer_meanwhile_says_nothing_about_this_one() -> None:
    """What repeats the first answer passes unparsed from then on: another body's first is no reason to."""
    pause = Meanwhile()
    judge = Judge((100_000, 1), pause=pause)
    judge.judge(0, Answer(200, "", large(1.5)))
    found = []
    pause.others = [lambda: found.append(judge.compare(1, Answer(200, "", b"[5]"))[:2])]
    found.append(judge.compare(0, Answer(200, "", large(2.5)))[:2])
    assert found == [(Outcome.VALID, True), (Outcome.VALID, False)]
    assert judge.first.changed == 1


def test_two_answers_are_shown_from_before_they_differ() -> None:
    same = b"1.5, " * 200
    first, then = Changed(0, b"[" + same + b"2.5]", b"[" + same + b"3.5]").shown()
    assert first.startswith("…")
    assert (first.endswith("2.5]"), then.endswith("3.5]")) == (True, True)
    assert first[:BEFORE] == then[:BEFORE]
    assert len(first) <= SHOWN_CHARACTERS + 2


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_any_two_bodies_can_be_shown(first: bytes, then: bytes) -> None:
    """And neither is longer than there is room for."""
    assert all(len(text) <= SHOWN_CHARACTERS + 2 for text in Changed(0, first, then).shown())


def test_one_example_is_kept_and_given_once() -> None:
    judge = judged(b"[1, 2]", b"[1, 3]", b"[1, 4]")
    example = judge.first.take_example()
    assert example == Changed(0, b"[1, 2]", b"[1, 3]")
    assert judge.first.take_example() is None
    assert judge.first.changed == 2


def test_large_bodies_are_counted_and_not_kept() -> None:
    """Their digest tells that they differ; nobody says by how much, so no tolerance helps."""
    large = b"[" + b"1.0, " * (LARGEST_BYTES // 5) + b"%s]"
    judge = judged(large % b"1.0", large % b"1.0000001", rows=LARGEST_BYTES // 5 + 1, tolerance=1e-3)
    assert judge.first.changed == 1
    assert judge.first.take_example() is None


def test_memory_for_bodies_is_bounded() -> None:
    body = b"[" + b" " * 60_000 + b"1]"
    judge = Judge((1,) * 1000)
    for payload in range(1000):
        judge.judge(payload, Answer(200, "", body))
    assert sum(map(len, judge.first._bodies.values())) <= KEPT_BYTES


def test_the_finding_has_both() -> None:
    made: Recording = recording(calls(evenly(30)))
    made.changed, made.changed_example = 3, {"body": "0", "first": "[1.25]", "then": "[7.5]"}
    (found,) = [one for one in look(summarise(made), made) if one.code == "changed_under_load"]
    assert "3 answers (10 %) differed from the first to the same payload: [1.25] became [7.5]" in found.text
    assert "--expect random" in found.advice


SECOND = Reply(body=b'{"predictions": [9.5]}')


def test_a_run_with_changed_answers(tmp_path: Path) -> None:
    """Two of 20 answers are others: the limit is missed, and the report has the pair."""
    with scoring_server(Behaviour(script={5: SECOND, 9: SECOND})) as server:
        words = ["--users", "1", "--calls", "20", "--rows", "1", "--limit", "changed<0.1%"]
        done = scorebench(tmp_path, "run", server.url, *words)
    assert done.code == 3
    assert done.summary["changed"] == 2
    example = done.summary["changed_example"]
    assert example["body"] == "0"
    assert example["then"] == '{"predictions": [9.5]}'
    assert example["first"].startswith('{"predictions": [')
    assert "Two answers to the same body" in (done.folders[0] / "report.html").read_text()


def test_a_model_that_is_random_by_nature(tmp_path: Path) -> None:
    """It says so: no finding; what is counted is still told."""
    with scoring_server(Behaviour(script={5: SECOND})) as server:
        words = ["--users", "1", "--calls", "20", "--rows", "1", "--expect", "random"]
        done = scorebench(tmp_path, "run", server.url, *words)
    assert done.summary["changed"] == 1
    codes = {one["code"] for one in done.summary["verdict"]["findings"]}
    assert "changed_under_load" not in codes


@pytest.mark.parametrize("tolerance", ["-1", "1", "nan", "inf"])
def test_a_tolerance_that_is_none_is_refused(tmp_path: Path, tolerance: str) -> None:
    done = scorebench(tmp_path, "run", "http://127.0.0.1:1", f"--tolerance={tolerance}")
    assert done.code == 2
    assert "--tolerance" in done.err
    assert done.err.count("\n") == 1


def test_an_outcome_is_not_lost() -> None:
    """What differs is still judged by itself."""
    judge = Judge((2,))
    bodies = (b"[1, 2]", b"[1, 3]", b"[1]", b"x")
    assert [judge.judge(0, Answer(200, "", body)) for body in bodies] == [
        Outcome.VALID,
        Outcome.VALID,
        Outcome.WRONG_COUNT,
        Outcome.NOT_PARSEABLE,
    ]

"""`scorebench versus`: what is refused before a server is started, and why a round does not count."""

from __future__ import annotations

import json
from argparse import Namespace
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from scorebench import cli
from scorebench.commands import versus as command
from scorebench.comparison.versus import DuelResult, Question, looks
from scorebench.report import versus as report
from scorebench.runs import server as running_server
from scorebench.runs import versus
from scorebench.runs.versus import Duel, Round
from scorebench.verdicts.finding import Finding, Severity
from tests.schemas import validator

STALLED = Finding(Severity.INVALID, "stalled", "generator stood still for 349 ms", "find what held it.")


@dataclass(frozen=True)
class Run:
    """What `Duel` reads of a finished run: its verdict and one figure."""

    p50: float | None = 0.01
    findings: tuple[Finding, ...] = ()
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        return not self.findings

    @property
    def verdict(self) -> Run:
        return self

    @property
    def summary(self) -> Run:
        return self

    def figure(self, _metric: str) -> float | None:
        return self.p50


def duel(*pairs: tuple[Run | None, Run | None], code: int = 0) -> Duel:
    made = Duel([Question("p50")], looks(6))
    for a, b in pairs:
        both = [Round(name, Path(name), code, cast(Any, one)) for name, one in zip("AB", (a, b), strict=True)]
        made.rounds.append((both[0], both[1]))
    made.look(0)
    return made


def told(made: Duel) -> DuelResult:
    options = Namespace(pairs=6)
    request = Namespace(
        asked=Namespace(run_time="3s", target="http://a"),
        settings=Namespace(target=Namespace(shown="http://a")),
    )
    return command._result(options, made, cast(Any, None), cast(Any, (request, request)))


def test_rounds_that_are_not_valid_are_told_with_their_reason() -> None:
    """All three pairs were measured and none was valid: longer rounds would not help."""
    result = told(duel(*[(Run(findings=(STALLED,)), Run())] * 3))
    text = report.render(result)
    assert "undecided: no pair counts, so nothing is known of p50" in text
    assert (
        "A: 3 of 3 rounds not valid; the last: generator stood still for 349 ms. Try: find what held it."
        in text
    )
    assert "B: " not in text.replace("B: http://a", "")
    assert "3 left out (3 not valid)" in text
    assert "Lengthen" not in text
    validator("versus").validate(json.loads(report.render_json(result)))


def test_too_few_calls_are_told_apart_from_rounds_that_are_not_valid() -> None:
    """Two pairs without a p50, one of which A's generator spoiled: longer rounds would help the other one."""
    text = report.render(told(duel((Run(None), Run()), (Run(None, (STALLED,)), Run()))))
    assert (
        "undecided: p50 was not measured in any pair: it needs 11 calls a round. Lengthen the rounds" in text
    )
    assert "2 left out (1 not valid, 1 with too few calls)" in text


def test_a_run_that_left_nothing_is_a_reason() -> None:
    text = report.render(told(duel((None, Run()), code=143)))
    assert (
        "A: 1 of 1 rounds not valid; the last: the run ended with exit code 143 and left no recording" in text
    )


def test_what_was_told_is_told_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From versus.json; and one that was written before it had reasons can be read."""
    result = told(duel((Run(findings=(STALLED,)), Run())))
    (tmp_path / "versus.json").write_text(report.render_json(result))
    assert cli.main(["report", str(tmp_path)]) == 0
    assert capsys.readouterr().out == report.render(result)
    former = json.loads(report.render_json(result))
    del former["not_valid"], former["unusable"]
    (tmp_path / "versus.json").write_text(json.dumps(former))
    assert cli.main(["report", str(tmp_path)]) == 0
    assert "undecided: p50" in capsys.readouterr().out


def test_progress_is_of_the_last_pair(capsys: pytest.CaptureFixture[str]) -> None:
    """10 ms and 11 ms are +10 %; the pair after it does not count, and shows no figure of the one before."""
    made = duel((Run(0.010), Run(0.011)))
    command._progress(made, 6)
    made.rounds += duel((Run(findings=(STALLED,)), Run())).rounds
    command._progress(made, 6)
    made.rounds += duel((Run(None), Run())).rounds
    command._progress(made, 6)
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "pair 1 of at most 6: p50: B +10.0 % against A"
    assert second == (
        "pair 2 of at most 6: not counted. A: generator stood still for 349 ms. Try: find what held it."
    )
    assert third == "pair 3 of at most 6: p50: too few calls"


def model(folder: Path, columns: str) -> None:
    """A model folder as far as it is read before a server is started."""
    folder.mkdir()
    inputs = json.dumps([{"name": name, "type": "double", "required": True} for name in columns])
    (folder / "MLmodel").write_text(
        f"flavors:\n  python_function:\n    loader_module: mine\nsignature:\n  inputs: '{inputs}'\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("good", "none"), "none: no MLmodel file there"),
        (("good", "none", "--body", "body.json"), "none: no MLmodel file there"),
        (("good", "good", "--data", "bad.csv"), "bad.csv"),
        (("good", "other", "--data", "good.csv"), "c"),
        (("good", "other"), "would get different rows; give --data FILE"),
    ],
)
def test_both_sides_are_checked_before_a_server_is_started(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """B once was checked when A was up: two minutes for a typo, on a busy machine. Nothing is left behind."""
    model(tmp_path / "good", "ab")
    model(tmp_path / "other", "abc")
    (tmp_path / "none").mkdir()
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n3,4,5\n")
    (tmp_path / "good.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "body.json").write_text('{"dataframe_split": {"columns": ["a"], "data": [[1]]}}')
    monkeypatch.chdir(tmp_path)
    started: list[Namespace] = []

    def start(asked: Namespace, *_: object) -> nullcontext[None]:
        started.append(asked)
        return nullcontext()

    monkeypatch.setattr(running_server, "running_server", start)
    assert cli.main(["versus", *words]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("scorebench: ")
    assert said in error
    assert not started
    assert not (tmp_path / "reports").exists()


def test_faults_of_nothing_are_none() -> None:
    """A valid pair has no reason, also where calls failed: those are counted as calls."""
    assert not dict(versus.faults(duel((Run(), Run()), code=1)))

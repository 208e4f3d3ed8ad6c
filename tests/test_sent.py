"""What a run says that it sends, and to what; and what it says where the server takes none of it."""

from __future__ import annotations

from typing import Any

import pytest

from scorebench.answers.answer import FULL_CHARACTERS, described_in_full
from scorebench.answers.http_message import Answer
from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import summarise
from scorebench.payloads.origin import Kind, origin
from scorebench.recordings.happenings import ALL_REJECTED
from scorebench.report import markdown, sent, text
from scorebench.verdicts import rejected
from scorebench.verdicts.verdict import judge
from tests.commands import scorebench
from tests.recordings import calls, evenly, recording
from tests.scoring_server import Behaviour, replies, scoring_server

MISSING = "Failed to predict data " + "1 " * 200 + "Model is missing inputs ['age']."


def told(kind: Kind, name: str | None, **more: Any) -> dict[str, Any]:
    """The environment of a run of 3,000 rows from there."""
    source = origin(kind, name, **more).facts()
    payload = {"rows": 3000, "rows_per_call": 10, "format": "split", "source": source}
    return {"payload": payload, "url": "http://h:1"}


@pytest.mark.parametrize(
    ("environment", "rows"),
    [
        (told(Kind.DEMO, None), "of the demo (neither --data nor --model was given) as split, 10 a call"),
        (told(Kind.EXAMPLE, "m"), "of the input example of m as split, 10 a call"),
        (told(Kind.SIGNATURE, "m", signature_of="m"), "made from the signature of m as split, 10 a call"),
        (told(Kind.BODY, "b.json"), "in the body b.json, sent as it is, as split, 10 a call"),
        (
            told(Kind.FILE, "d.csv", columns=["a", "b"]),
            "of d.csv as split, 10 a call; columns sent as they are: a, b",
        ),
        (
            told(Kind.FILE, "d.csv", columns=list("abcdefghij")),
            "of d.csv as split, 10 a call; columns sent as they are: a, b, c, d, e, f, g, h and 2 more",
        ),
        (
            told(Kind.FILE, "d.csv", columns=[0, 1]),
            "of d.csv as split, 10 a call; columns sent as they are, without names",
        ),
        (
            told(Kind.FILE, "d.csv", columns=["a"], signature_of="m"),
            "of d.csv as split, 10 a call; columns cast by the signature of m",
        ),
        (
            told(Kind.FILE, "d.csv", columns=["Unnamed: 0", "a"]),
            "of d.csv as split, 10 a call; columns sent as they are: Unnamed: 0, a (is 'Unnamed: 0' a saved "
            "index? --drop 'Unnamed: 0' leaves it out)",
        ),
    ],
)
def test_the_rows_are_told(environment: dict[str, Any], rows: str) -> None:
    """Where they came from, and which columns go out where no signature casts them."""
    assert sent.rows(environment) == f"3,000 rows {rows}"


def test_the_model_is_told() -> None:
    """The one that is served; the one that was named; or that nobody knows."""
    server = {"kind": "webserver", "url": "http://h:1", "model": "models:/wine/3"}
    assert sent.place({"server": server}) == "webserver http://h:1 with the model models:/wine/3"
    assert sent.place({"url": "http://h:1", "model": "m"}) == "http://h:1; --model says that m answers there"
    assert sent.place({"url": "http://h:1"}) == "http://h:1; which model answers there is not known"
    assert sent.header({}) == []


def test_reports_begin_with_it() -> None:
    """Text and Markdown; what a server or a file is called can't break out."""
    of = recording(calls(evenly(100)), **told(Kind.FILE, "d\x1b[2J.csv", columns=["a"]))
    summary = summarise(of)
    verdict = judge(summary, of, ())
    first, second, *_ = text.render(summary, verdict).splitlines()
    assert first == "Sent:        3,000 rows of d.csv as split, 10 a call; columns sent as they are: a"
    assert second == "To:          http://h:1; which model answers there is not known"
    assert "- Sent: 3,000 rows of d.csv as split" in " ".join(markdown.render(summary, verdict).split(" ", 9))


def test_a_rejection_is_told_whole() -> None:
    """MLflow's message is not cut before the cause at its end; the middle of a very long one is."""
    answer = Answer(400, "application/json", replies.rejected("BAD_REQUEST", MISSING).body)  # type: ignore[arg-type]
    assert described_in_full(answer) == f"400 BAD_REQUEST: {MISSING}"
    long = described_in_full(Answer(422, "text/plain", b"a" + b"b" * 9_000 + b"c"))
    assert (long[:5], long[-1], len(long)) == ("422 a", "c", FULL_CHARACTERS + 3)


@pytest.mark.parametrize(
    ("said", "environment", "advice"),
    [
        ("400 X: missing inputs", told(Kind.DEMO, None), "--data FILE, or your model with --model"),
        ("400 X: missing inputs", told(Kind.FILE, "d.csv"), "compare the columns"),
        ("400 X", told(Kind.FILE, "d.csv", signature_of="m"), "check that the server has the model"),
        ("400 X", {}, "check that the server has the model"),
        ("401 no", told(Kind.DEMO, None), "--bearer-env"),
        ("404 no", told(Kind.DEMO, None), "check the path"),
        ("415 no", told(Kind.DEMO, None), "--format"),
    ],
)
def test_the_advice_fits_the_rejection(said: str, environment: dict[str, Any], advice: str) -> None:
    """By its status, else by where the rows came from."""
    of = recording(calls(evenly(9), outcome=[Outcome.REJECTED] * 9), **environment)
    of.events.append({"what": ALL_REJECTED, "why": said})
    verdict = judge(summarise(of), of, ())
    assert not verdict.valid
    found = next(one for one in verdict.findings if one.code == rejected.CODE)
    assert said in found.text
    assert advice in found.advice


def test_one_worker_that_met_rejections_is_no_reason() -> None:
    """Where others had valid answers, the run went on, and the finding would be wrong."""
    of = recording(calls(evenly(9)))
    of.events.append({"what": ALL_REJECTED, "why": "400"})
    assert rejected.CODE not in [one.code for one in judge(summarise(of), of, ()).findings]


def test_a_run_that_is_rejected_stops_at_once(tmp_path: Any) -> None:
    """Of 30 s it takes one; the first line says what is sent; the message is whole; exit 1."""
    with scoring_server(Behaviour(default=replies.rejected("BAD_REQUEST", MISSING))) as server:
        done = scorebench(tmp_path, "run", server.url, "--users", "1", "--run-time", "30s")
    assert done.code == 1, done.out + done.err
    assert done.err.startswith("sending 4,898 rows of the demo (neither --data nor --model was given)")
    assert MISSING in done.out
    assert done.summary["wall_time_s"] < 10

"""JUnit, GitHub and Markdown: red where the exit code is, and no foreign text that formats or commands."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import Summary, summarise
from scorebench.folders.finished import Finished
from scorebench.recordings.recording import Recording
from scorebench.report import github, junit, markdown
from scorebench.report.words import plain
from scorebench.runs import publish
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import Verdict, judge
from tests.recordings import START_S, calls, evenly, recording

HOSTILE = "::error::x\n%0A @everyone <script>alert(1)</script> | `a` ``` ]]> & \x00\x1b[31m *b*"


def judged(made: Recording, *limits: str) -> tuple[Summary, Verdict]:
    summary = summarise(made)
    return summary, judge(summary, made, [parse_limit(limit) for limit in limits])


def broken() -> Recording:
    """Half the calls failed, the generator was at its limit, and the server says what it should not."""
    made = recording(calls(evenly(800), outcome=[0, Outcome.MODEL_ERROR] * 400))
    made.resources += [
        {"t_s": START_S + t, "who": f"generator {HOSTILE}", "cpu": 1.0, "rss_bytes": None} for t in range(9)
    ]
    made.examples["model error"] = HOSTILE
    made.never_sent[HOSTILE] = 3
    return made


def cases(made: Recording, *limits: str) -> dict[str, ElementTree.Element | None]:
    """Test cases by name, with the element that says what went wrong."""
    suite = ElementTree.fromstring(junit.render(*judged(made, *limits)))
    assert suite.tag == "testsuite"
    found = suite.findall("testcase")
    assert suite.get("tests") == str(len(found))
    assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
    assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))
    return {case.get("name", ""): next(iter(case), None) for case in found}


def test_a_file_that_can_not_be_written_is_named_and_the_other_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder went during the run: the option and the path as they were given, and no temporary name."""
    made = recording(calls(evenly(700)))
    summary, verdict = judged(made, "mean<5ms")
    lost, step = tmp_path / "gone" / "out.xml", tmp_path / "step.md"
    monkeypatch.setenv(publish.GITHUB_VARIABLE, str(step))
    options = argparse.Namespace(junit=lost, github_summary=True, mlflow_experiment=None, quiet=True)
    publish.publish(options, [Finished(tmp_path, made, summary, verdict)])
    printed = capsys.readouterr()
    assert printed.err == f"scorebench: --junit {lost}: No such file or directory; the run is kept\n"
    assert "::error title=scorebench%3A limit missed::" in printed.out
    assert "MISSED" in step.read_text()


def test_junit_has_a_case_a_limit_and_one_for_validity() -> None:
    """Of a good run all pass; a missed limit fails alone, and says its figure."""
    found = cases(recording(calls(evenly(700))), "p99<20ms", "mean<5ms")
    assert list(found) == [
        "the measurement is valid",
        "calls without a valid answer: at most 0",
        "p99<20ms",
        "mean<5ms",
    ]
    assert [wrong is None for wrong in found.values()] == [True, True, True, False]
    wrong = found["mean<5ms"]
    assert wrong is not None
    assert wrong.get("message") == "mean is 10 ms, beyond mean<5ms"


def test_junit_skips_what_could_not_be_judged_and_fails_validity() -> None:
    """100 calls for a p99: the limit is open, and the measurement did not do what was asked of it."""
    found = cases(recording(calls(evenly(100))), "p99<20ms")
    assert getattr(found["p99<20ms"], "tag", None) == "skipped"
    assert getattr(found["the measurement is valid"], "tag", None) == "failure"


@given(
    failed=st.integers(0, 3),
    slow=st.booleans(),
    stopped=st.booleans(),
    limits=st.sets(st.sampled_from(["p99<20ms", "mean<5ms", "valid>50%", "p99.9<1s"])),
)
def test_junit_is_red_exactly_where_the_exit_code_is(
    failed: int, slow: bool, stopped: bool, limits: set[str]
) -> None:
    """Any mixture of faults: a case fails if and only if the command would not return 0."""
    made = recording(calls(evenly(700), outcome=[Outcome.OVERLOADED] * failed + [0] * (700 - failed)))
    if slow:
        made.resources += [
            {"t_s": START_S + t, "who": "generator", "cpu": 1.0, "rss_bytes": None} for t in range(9)
        ]
    if stopped:
        made.events.append({"t_s": START_S, "what": "stopped early"})
    summary, verdict = judged(made, *limits)
    red = "<failure" in junit.render(summary, verdict)
    assert red == (verdict.exit_code != 0)
    assert ("::error" in github.annotate(verdict)) == red


def test_junit_bears_any_text() -> None:
    """Control characters, tags and the end of a CDATA section: still well-formed."""
    suite = ElementTree.fromstring(junit.render(*judged(broken())))
    assert "<script>" in "".join(suite.itertext())


def test_annotations_are_one_command_a_line() -> None:
    """A foreign line can't begin a command of its own, nor end ours."""
    lines = github.annotate(judged(broken(), "mean<5ms")[1]).splitlines()
    assert len(lines) >= 3
    for line in lines:
        assert re.fullmatch(r"::(error|warning|notice) title=scorebench%3A [\w ]+::.+", line)
    assert not any("%0A" in line for line in lines)
    assert any("%250A" in line for line in lines)


def test_an_answer_gives_github_no_command() -> None:
    """Its runner takes `::error::` at a line's start and `##[error]` anywhere: neither is printed."""
    of = broken()
    of.examples = dict.fromkeys(of.examples, "\n::error::taken\n##[error]taken ##[add-mask]a")
    said = github.render(*judged(of))
    assert said.count("taken") >= 2
    assert "##[" not in said
    assert not [line for line in said.splitlines() if line.strip().startswith("::") and "taken" in line]


def test_a_name_gives_github_no_command() -> None:
    """What a server calls itself stands first on the line of the environment; addresses stay as they are."""
    named = {"kind": "::error title=a::taken", "url": "http://[::1]:5001 ::add-mask::b"}
    said = github.render(*judged(recording(calls(evenly(700)), server=named)))
    assert not [line for line in said.splitlines() if line.lstrip().startswith("::")]
    assert ": :error title=a::taken http://[::1]:5001 : :add-mask::b" in said
    assert plain("std::vector::at ::1 of ::ffff:127.0.0.1") == "std::vector::at ::1 of ::ffff:127.0.0.1"


def test_an_annotation_names_the_limit_and_its_figure() -> None:
    """What a reviewer sees beside the job."""
    shown = github.annotate(judged(recording(calls(evenly(700))), "mean<5ms")[1])
    assert shown == "::error title=scorebench%3A limit missed::mean is 10 ms, beyond mean<5ms\n"


def test_the_log_of_a_good_run_has_no_annotation() -> None:
    """Nothing to say, nothing said; the report follows as text."""
    summary, verdict = judged(recording(calls(evenly(700))))
    assert github.annotate(verdict) == ""
    assert github.render(summary, verdict).startswith("Measurement: valid")


def outside_fences(text: str) -> str:
    """Markdown without its fenced blocks; a fence ends with as many backticks as it began."""
    return re.sub(r"^(`{3,})\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)


def test_outside_fences_finds_what_broke_out() -> None:
    """The helper: text in a fence is left out, text after an early end is not."""
    assert "in" not in outside_fences("````\nin ```\n````\n")
    assert "out" in outside_fences("```\nin\n```\nout\n```")


def test_markdown_lets_no_foreign_text_out() -> None:
    """An example stays in its fence; in lines and tables nothing mentions, opens a tag or a cell."""
    text = outside_fences(markdown.render(*judged(broken(), "p99<20ms")))
    assert "<script" not in text
    assert "@everyone" not in text
    assert not re.search(r"(?<!\*)\*b\*", text)
    for row in (line for line in text.splitlines() if line.startswith("|")):
        assert row.count("|") in (4, 5)


def test_markdown_holds_verdicts_and_tables() -> None:
    """What a merge request shows: verdicts, limits, times, outcomes."""
    text = markdown.render(*judged(recording(calls(evenly(700))), "p99<20ms"))
    assert "- Measurement: valid\n- Limits: met" in text
    assert "| p99&#60;20ms | met |" in text
    assert "| ms | time | 99 % sure |" in text
    assert "| valid | 700 | 100 % |" in text


@pytest.mark.parametrize("char", list("\\`*_[]<>#|~&@"))
def test_each_sign_of_markdown_is_escaped(char: str) -> None:
    """Each becomes an entity; a mention is parted from its name by a space of no width."""
    expected = "@&#8203;" if char == "@" else f"&#{ord(char)};"
    assert markdown.escaped(f"a{char}b") == f"a{expected}b"

"""A run's folder: written whole or not at all, and read back with suspicion."""

from __future__ import annotations

import csv
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scorebench.answers.outcome import Outcome
from scorebench.errors import InputError
from scorebench.figures.summary import summarise
from scorebench.folders import folder, making
from scorebench.recordings.recording import Recording
from scorebench.report import FORMATS
from scorebench.report.forms.summary import figures_of
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import judge
from tests.recordings import calls, data_of, evenly, recording
from tests.requirements import require
from tests.schemas import validator
from tests.test_schema import PATHS, VALUES, changed

NOON = datetime(2026, 1, 2, 12, 0, 5)


def made() -> Recording:
    found = recording(
        calls(evenly(800), outcome=[Outcome.MODEL_ERROR] + [0] * 799, user=[0, 1] * 400), host_cores=2
    )
    found.add_example("model error", 'HTTP 500: "<b>ü\x1b[31m\ud800"')
    return found


def written(path: Path, of: Recording) -> Path:
    summary = summarise(of)
    folder.write(path, of, summary, judge(summary, of, [parse_limit("p99<50ms")]))
    making.point_latest(path)
    return path


def test_a_folder_is_named_by_time_and_server(tmp_path: Path) -> None:
    """Date, time and server; what a file's name should not hold becomes a dash."""
    assert making.create(tmp_path, "webserver", NOON).name == "2026-01-02T120005-webserver"
    assert making.create(tmp_path, "../../etc/x y", NOON).name == "2026-01-02T120005-etc-x-y"
    assert making.create(tmp_path, "..", NOON).name == "2026-01-02T120005-server"


def test_two_runs_in_one_second_have_two_folders(tmp_path: Path) -> None:
    """The second is numbered; neither overwrites the other."""
    first, second = (making.create(tmp_path / "deep" / "reports", "url", NOON) for _ in range(2))
    assert first != second
    assert second.name.endswith("-url-2")


def test_a_parent_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    """A file where the folder should be: an error that names it and the option."""
    (tmp_path / "reports").write_text("")
    with pytest.raises(InputError, match=r"reports: .*--report-dir"):
        making.create(tmp_path / "reports", "url", NOON)
    with pytest.raises(InputError, match=r"reports.*--report-dir"):
        making.check_parent(tmp_path / "reports" / "deeper")


def test_a_folder_that_takes_no_folders_is_said() -> None:
    """A parent that is there, and where not even root may make one."""
    nowhere = Path("/proc/self/task")
    require("a folder closed to everybody", nowhere.is_dir(), "run on Linux, whose /proc is one")
    with pytest.raises(InputError, match=r"no report can be written here .*--report-dir"):
        making.create(nowhere, "url", NOON)
    with pytest.raises(InputError, match=r"no report can be written here .*--report-dir"):
        making.check_parent(nowhere)


def test_checking_a_parent_leaves_nothing(tmp_path: Path) -> None:
    """Asked before the run, of a folder that is not there yet: no folder is left."""
    making.check_parent(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    """The recording alone is enough: the same figures, and the same text of every report."""
    original = made()
    path = written(making.create(tmp_path, "url", NOON), original)
    read = folder.read(path)
    assert data_of(read) == json.loads((path / "recording.json").read_text())
    figures = msgspec.to_builtins(figures_of(summarise(original)))
    assert msgspec.to_builtins(figures_of(summarise(read))) == figures | {
        "examples": read.examples  # half a character can't be written
    }


def test_all_files_are_there_and_nothing_else(tmp_path: Path) -> None:
    """Five files, no temporary one left, and `latest` beside them."""
    path = written(making.create(tmp_path, "url", NOON), made())
    assert {file.name for file in path.iterdir()} == {
        "recording.json",
        "summary.json",
        "users.csv",
        "seconds.csv",
        "report.html",
    }
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, "latest"}


@pytest.mark.parametrize("name", ["recording", "summary"])
def test_files_keep_to_the_shipped_schema(tmp_path: Path, name: str) -> None:
    """By everybody's validator, for a full run and for an empty one."""
    for number, of in enumerate((made(), Recording())):
        path = written(making.create(tmp_path / str(number), "url", NOON), of)
        data = json.loads((path / f"{name}.json").read_text())
        validator(name).validate(data)


def test_the_tables_hold_what_the_summary_says(tmp_path: Path) -> None:
    """users.csv has a line a user and seconds.csv one a second; their calls add up to those of the run."""
    path = written(making.create(tmp_path, "url", NOON), made())
    with (path / "users.csv").open() as file:
        users = list(csv.DictReader(file))
    with (path / "seconds.csv").open() as file:
        seconds = list(csv.DictReader(file))
    assert list(users[0]) == ["worker", "user", "calls", "valid", "mean_s", "min_s", "max_s"]
    assert sum(int(user["calls"]) for user in users) == sum(int(row["due"]) for row in seconds) == 800
    assert sum(int(row["failed"]) for row in seconds) == 1
    assert [row["t_s"] for row in seconds] == [str(second) for second in range(len(seconds))]


def test_what_was_not_measured_is_an_empty_cell(tmp_path: Path) -> None:
    """A user without a valid call has no mean, not a mean of 0."""
    of = recording(calls(evenly(2), outcome=Outcome.OVERLOADED))
    path = written(making.create(tmp_path, "url", NOON), of)
    assert (path / "users.csv").read_text().splitlines()[1] == "0,0,2,0,,,"


def test_latest_follows_the_last_run(tmp_path: Path) -> None:
    """A relative link, so that the reports can be moved, to the run that was written last."""
    first, second = (making.create(tmp_path, name, NOON) for name in ("a", "b"))
    written(first, made())
    written(second, made())
    assert (tmp_path / "latest").readlink() == Path(second.name)
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert folder.read(moved / "latest").measured.calls == 800


def test_a_real_folder_named_latest_is_left_alone(tmp_path: Path) -> None:
    """Somebody's own folder is not replaced by a link."""
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "mine").write_text("")
    written(making.create(tmp_path, "url", NOON), made())
    assert (tmp_path / "latest" / "mine").exists()


def refused(path: Path) -> str:
    """The message of the error; one line, whatever the file held."""
    with pytest.raises(InputError) as caught:
        folder.read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert "\x1b" not in message
    return message


CONTENTS = {
    "": "is not JSON",
    "{": "is not JSON",
    "\xff\xfe": "is not JSON",
    "[" * 100_000: "is not a recording",
    "null": "is not a recording",
    "[1]": "is not a recording",
    '{"calls": 3}': "is not a recording",
    '{"format": 2, "measured": {}}': "format 2; this scorebench reads format 1",
    '{"format": "\\u001b[31m", "measured": 1}': "this scorebench reads format 1",
    '{"format": true, "measured": 1}': "format True; this scorebench reads format 1",
    '{"format": 1, "measured": {}}': "is damaged: $: object missing required field warm_up",
    '{"format": 1, "measured": {"rows": NaN}}': "is not JSON",
}


@pytest.mark.parametrize("content", CONTENTS, ids=lambda text: repr(text[:30]))
def test_what_is_no_recording_is_refused_in_a_line(tmp_path: Path, content: str) -> None:
    """Empty, cut, another format, another file: the line names the file and what was expected."""
    file = tmp_path / "recording.json"
    file.write_text(content, encoding="latin-1")
    message = refused(tmp_path)
    assert str(file) in message
    assert CONTENTS[content] in message


def test_a_format_without_end_is_no_long_line(tmp_path: Path) -> None:
    """A file may say anything of itself: the refusal stays a line that a person reads."""
    file = tmp_path / "recording.json"
    file.write_text(json.dumps({"format": "x" * 10_000, "measured": {}}))
    with pytest.raises(InputError, match="reads format 1") as refused:
        folder.read(file)
    assert len(str(refused.value)) < 300 + len(str(file))


def test_a_folder_without_a_recording_is_refused(tmp_path: Path) -> None:
    """Nothing there, or a folder of something else."""
    assert "No such file" in refused(tmp_path)
    assert "No such file" in refused(tmp_path / "nowhere")


def test_a_histogram_that_does_not_decode_is_refused(tmp_path: Path) -> None:
    """The right form, and rubbish where the counts should be."""
    for rubbish in ("AAAA", "é", "HISTFAAAA"):
        data = changed(("measured", "service", "hdr"), rubbish)
        (tmp_path / "recording.json").write_text(json.dumps(data))
        assert "is damaged" in refused(tmp_path)


def test_a_run_of_ten_thousand_years_is_refused(tmp_path: Path) -> None:
    """Two seconds far apart would make a table of all between them."""
    data = changed(("measured", "seconds", 0, 0), 0)
    (tmp_path / "recording.json").write_text(json.dumps(data))
    assert "a week at most" in refused(tmp_path)


def test_more_limits_than_can_be_judged_are_refused(tmp_path: Path) -> None:
    """20,000 limits would take 20 s: 1,000 are the most, and are read."""
    for many in (1_000, 20_000):
        data = changed(("environment", "limits"), ["p99<50ms"] * many)
        (tmp_path / "recording.json").write_text(json.dumps(data))
        if many == 1_000:
            assert len(folder.read(tmp_path).environment["limits"]) == many
        else:
            assert "$.environment.limits: found" in refused(tmp_path)


def test_lists_within_lists_without_end_are_refused(tmp_path: Path) -> None:
    """What could be read and not be written again."""
    nested: list[Any] = []
    for _ in range(300):
        nested = [nested]
    (tmp_path / "recording.json").write_text(json.dumps(changed(("environment",), {"x": nested})))
    assert "lists within lists" in refused(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(place=("measured", "seconds"), value=[])  # calls, and no second of them
@given(place=st.sampled_from(PATHS), value=st.sampled_from([*VALUES, float("nan"), "\x1b[31m", 2**53]))
def test_a_damaged_recording_is_refused_or_reported(tmp_path: Path, place: Any, value: Any) -> None:
    """With any value in any place: an error in a line, or a report in every format. Never a traceback."""
    (tmp_path / "recording.json").write_text(json.dumps(changed(place, value)))
    try:
        read = folder.read(tmp_path)
    except InputError:
        return
    summary = summarise(read)
    verdict = judge(summary, read, [parse_limit("p99<50ms")])
    for render in FORMATS.values():
        assert "\x1b" not in render(read, summary, verdict)


SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
"""Recordings that earlier versions wrote: a real run; two workers, with half a character in an example."""


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_recordings_of_earlier_versions_are_read(file: Path) -> None:
    """Every count, second and sample of the file is in what was read; only half a character is replaced."""
    before = json.loads(file.read_text())
    read = data_of(folder.read(file))
    assert read["examples"].keys() == before.pop("examples").keys()
    assert without_new_fields(read, before) == before


def without_new_fields(read: Any, before: Any) -> Any:
    """What was read, without the fields that its file does not have."""
    if not isinstance(before, dict) or not isinstance(read, dict):
        return read
    return {name: without_new_fields(value, before[name]) for name, value in read.items() if name in before}


def test_there_are_samples() -> None:
    """A folder that is not there would pass for read."""
    assert [file.stem for file in SAMPLES] == ["closed-loop", "two-workers"]


def test_two_seconds_a_week_apart_are_drawn_in_bounded_time(tmp_path: Path) -> None:
    """7 kB that took 24 s: a week is 604,800 rows of seconds.csv, in 15 s of processor time at most."""
    week_s = 604_800
    far_apart = recording(calls([(0.0, 0.0, 0.01), (week_s - 1, week_s - 1, week_s - 0.99)]))
    began_s = time.process_time()
    path = written(making.create(tmp_path, "url", NOON), far_apart)
    assert time.process_time() - began_s < 15
    assert len((path / "seconds.csv").read_text().splitlines()) == week_s + 1

"""The targets of `make fuzz` hold for their examples, and each way in which they can fail does fail."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from scorebench.cluster.seals import Seals
from scorebench.errors import InputError, in_one_line
from scorebench.load import arrivals
from scorebench.load.trace import read_trace
from scorebench.payloads.rows import read_rows
from tests.fuzz import __main__ as driver
from tests.fuzz import files, oracles, targets
from tests.fuzz.files import Broken
from tests.fuzz.targets import TARGETS

EXAMPLES = [(name, file) for name in sorted(TARGETS) for file in sorted((driver.CORPORA / name).iterdir())]


def test_each_target_has_examples() -> None:
    """The driver takes the names from the folders, so that it need not load what it tests."""
    assert driver.all_names() == sorted(TARGETS)


@pytest.mark.parametrize(("name", "file"), EXAMPLES, ids=[f"{name}-{file.name}" for name, file in EXAMPLES])
def test_what_holds_for_an_example(name: str, file: Path) -> None:
    """And for some inputs made of it: bytes changed, left out, put in."""
    content = file.read_bytes()
    TARGETS[name](content)
    changes = random.Random(file.name)
    for _ in range(20):
        TARGETS[name](changed(content, changes))


def changed(content: bytes, changes: random.Random) -> bytes:
    """The content with up to three bytes changed, left out or put in."""
    made = bytearray(content)
    for _ in range(changes.randint(1, 3)):
        at = changes.randrange(len(made) + 1)
        made[at : at + changes.randint(0, 1)] = bytes(
            changes.choices(b'\x00\n\r ",:;[]{}-9e\xff', k=changes.randint(0, 2))
        )
    return bytes(made)


def test_another_reading_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where h11 or json read another value, or refuse, the target fails."""
    message = (driver.CORPORA / "http" / "predicted").read_bytes()
    for theirs in ((200, b"[]"), "a reason that nobody has looked at"):
        monkeypatch.setattr(oracles, "by_h11", lambda _, theirs=theirs: theirs)
        with pytest.raises(Broken, match="h11"):
            targets.http(message)
    monkeypatch.setattr(oracles, "by_json", lambda _: [1, 2, 3])
    with pytest.raises(Broken, match="found 2, expected 3"):
        targets.predictions(b"[1, 2]")


def test_two_lines_and_other_errors_are_seen() -> None:
    """An error of two lines is Broken; one that is no InputError passes through, with its traceback."""

    def of_two_lines(_: Path) -> None:
        error = InputError("one")
        error.args = ("one\ntwo",)
        raise error

    def other(_: Path) -> None:
        raise KeyError("x")

    with pytest.raises(Broken, match="several lines"):
        files.read(of_two_lines, b"")
    with pytest.raises(KeyError):
        files.read(other, b"")


def test_an_opened_message_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that opens without the secret would be the worst find."""
    monkeypatch.setattr(Seals, "opened", lambda *_: b"")
    with pytest.raises(Broken, match="nobody sealed"):
        targets.seals(b"")


def test_atheris_runs_a_target() -> None:
    """For a second: inputs are counted, and none broke the promise."""
    pytest.importorskip("atheris")
    command = [sys.executable, "-m", "tests.fuzz", "--minutes", "0.02", "--only", "server-timing"]
    ended = subprocess.run(command, cwd=driver.ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert int(ended.stdout.split()[-2].replace(",", "")) > 100


# ---- what fuzzing found ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", r"a\nb"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("half \ud800", r"half \ud800"),
        ("a\u2028b\u202e", r"a\u2028b\u202e"),
        ("São Paulo — „gut“ …", "São Paulo — „gut“ …"),
    ],
)
def test_an_error_is_one_line(text: str, shown: str) -> None:
    """Whatever it quotes: line breaks and a terminal's commands are shown as Python writes them."""
    assert str(InputError(text)) == in_one_line(text) == shown


def test_names_of_csv_columns_with_line_breaks(tmp_path: Path) -> None:
    """RFC 4180, section 2.6: a quoted field may hold a line break, in the header too."""
    (file := tmp_path / "a.csv").write_text('"a ""b""","c\nd"\n1,2\n')
    assert read_rows(file).to_dict("list") == {'a "b"': [1], "c\nd": [2]}


def test_an_empty_line_before_the_names(tmp_path: Path) -> None:
    """It is no header: MLflow's reader, pandas', passes over it."""
    (file := tmp_path / "a.csv").write_text("\n\r\na\n1\n")
    assert read_rows(file).to_dict("list") == {"a": [1]}


def test_half_a_character_in_a_name(tmp_path: Path) -> None:
    """JSON can write it; pandas' names, and UTF-8, can't hold it."""
    (file := tmp_path / "a.json").write_text('{"dataframe_split": {"columns": ["a\\ud800"], "data": [[1]]}}')
    with pytest.raises(InputError, match=r"found column 'a\\ud800', which no UTF-8 can hold; rename it"):
        read_rows(file)


@pytest.mark.parametrize("times", ["-1e308\n1e308\n", "1700000000000\n"])
def test_times_that_are_none(tmp_path: Path, times: str) -> None:
    """Their distance was infinite; and what counts milliseconds is taken for no seconds."""
    (file := tmp_path / "t.csv").write_text(times)
    with pytest.raises(InputError, match=r"line 1: found .*; expected seconds, below 1e12"):
        read_trace(file)


def test_a_rate_that_never_comes() -> None:
    """At 1e-308 calls a second the next one is due in 1e308 seconds, and the one after it at infinity."""
    with pytest.raises(InputError, match=r"found 5\.1e-307; expected calls a second, from 1e-06 to"):
        arrivals.parse("poisson+ramp:1-51e-308", None, 60.0, 1)

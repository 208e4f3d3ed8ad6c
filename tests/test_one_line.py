"""What the command says of words that it can't use: one line, with what was found and the next step."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from scorebench import cli
from scorebench.cli import parser
from scorebench.errors import InputError
from scorebench.options import values
from scorebench.options.settings import from_namespace

URL = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", URL, "--time", "3"], "run: --time: no such option; did you mean --timeout or --run-time?"),
        (["run", URL, "--userz=3"], "run: --userz: no such option; did you mean --users?"),
        (["run", URL, "--xyzzy"], "run: --xyzzy: no such option"),
        (["run", URL, "--users", "five"], "run: --users five: expected a whole number"),
        (["run", URL, "--rate", "20/s"], "run: --rate 20/s: expected a number"),
        (["run", URL, "--rate"], "run: --rate: expected a value after it"),
        (["run", URL, "--quiet=yes"], "run: --quiet: takes no value; found yes"),
        (["run", URL, "again"], "run: again: not expected here"),
        (["run"], "run: TARGET: missing"),
        (
            ["serve", "docker", "--flavor", "onnx"],
            "serve: --flavor onnx: expected one of sklearn, spark, mleap",
        ),
        # What other load testers call it: wrk and k6, hey and ab, oha, vegeta, curl.
        (["run", URL, "--duration", "30s"], "run: --duration: no such option; did you mean --run-time?"),
        (["run", URL, "-n", "100"], "run: -n: no such option; did you mean --calls?"),
        (["run", URL, "-c", "5"], "run: -c: no such option; did you mean --users?"),
        (["run", URL, "-d", "30s"], "run: -d: no such option; did you mean --run-time or --data?"),
        (["run", URL, "--qps", "9"], "run: --qps: no such option; did you mean --rate?"),
        (
            ["run", URL, "--batch-size", "8"],
            "run: --batch-size: no such option; did you mean --rows-per-call?",
        ),
        (["run", URL, "--insecure"], "run: --insecure: no such option; did you mean --ca-file?"),
        (["run", URL, "--token", "x"], "run: --token: no such option; did you mean --bearer-env?"),
        (["plan", "x", "--for", "9/s", "-n", "9"], "plan: -n: no such option"),  # a plan has no such option
        (["models", "mak"], "models: mak: no such command; did you mean make?"),
    ],
)
def test_a_word_that_is_not_known_is_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2; the help that is named is the command's."""
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    place = said.split(":", maxsplit=1)[0]
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"scorebench {said}; see scorebench {place} --help\n"


def test_a_command_that_is_not_known_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The one that is like it, or all of them."""
    for word, hint in (
        ("runn", "did you mean run?"),
        ("xyzzy", "expected one of run, call, capacity"),
    ):
        with pytest.raises(SystemExit):
            cli.main([word])
        assert capsys.readouterr().err.startswith(f"scorebench: {word}: no such command; {hint}")


def test_the_command_alone_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """What there is to type; exit 0."""
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 0
    assert capsys.readouterr().out == parser().format_help()


def test_ctrl_c_while_modules_load_is_no_traceback() -> None:
    """130, as a shell says it, and nothing printed."""
    code = """
import sys
class Interrupted:
    def find_spec(self, name, *_):
        if name == "scorebench.commands.run":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from scorebench.cli import main
sys.exit(main(["run", "http://127.0.0.1:1"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


BODY = json.dumps({"instances": [[7.4, 0.7, 1.9]] * 30})  # longer than the 255 bytes of a name
FILE = str(Path(__file__).parents[1] / "payloads" / "wine.csv")
NOT_LOOKED_AT = [
    (["run", URL, "--data", BODY], "--data "),
    (["run", URL, "--body", BODY], "--body "),
    (["call", URL, "--body", BODY], "--body "),
    (["run", URL, "--data", FILE, "--report-dir", BODY], "--report-dir "),
    (["capacity", URL, "--data", FILE, "--report-dir", BODY, "--limit", "p99<1s"], "--report-dir "),
    (["versus", URL, URL, "--data", FILE, "--report-dir", BODY], "--report-dir "),
    (["versus", BODY, URL, "--data", FILE], ""),
    (["soak", URL, "--data", FILE, "--run-time", "9s", "--resume", BODY], ""),
    (["sweep", URL, "--data", FILE, "--users", "1,2", "--resume", BODY], ""),
    (["report", BODY], ""),
    (["compare", BODY, BODY], ""),
    (["compare", "a=" + "x" * 300, "b=x"], ""),
    (["merge", BODY], ""),
    (["advise", BODY], ""),
    (["plan", BODY, "--for", "9/s"], ""),
    (["list", "--report-dir", BODY], ""),
    (["list", "--delete", BODY], ""),
]


@pytest.mark.parametrize(("words", "flag"), NOT_LOOKED_AT, ids=[" ".join(w)[:40] for w, _ in NOT_LOOKED_AT])
def test_a_body_in_place_of_a_path_is_one_line(
    words: list[str], flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `curl -d` takes it. No file system holds a name of 256 bytes, and looking for one is an error."""
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"scorebench: {flag}")
    assert said.count("\n") == 1
    assert "File name too long" in said
    assert "put the text into a file" in said


def test_a_folder_that_may_not_be_entered_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's; root may enter all, so the system call is replaced."""

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(InputError) as problem:
        values.path("--data", "/home/them/rows.csv")
    assert str(problem.value).startswith("--data /home/them/rows.csv: can't be looked at (Permission denied)")


def test_a_path_that_does_not_exist_is_left_to_who_reads_it() -> None:
    """It may be a folder to be made; a file in the place of a folder is told by who makes it."""
    assert values.path("--report-dir", "nothing/here") == Path("nothing/here")
    assert values.path("--report-dir", f"{FILE}/below") == Path(f"{FILE}/below")
    assert values.path("--data", None) is None


def test_several_limits_stand_in_one_option() -> None:
    """With commas between, as in the form of Locust's page; given again, all of them hold."""
    words = [
        "--limit",
        "p99<50ms, valid>99%",
        "--limit",
        "mean<9ms",
        "--stop-when",
        "p99>2s for 10s,valid<9% for 5s",
    ]
    settings = from_namespace(parser().parse_args(["run", URL, *words]), URL)
    assert [limit.text for limit in settings.limits] == ["p99<50ms", "valid>99%", "mean<9ms"]
    assert [condition.text for condition in settings.stop_when] == ["p99>2s for 10s", "valid<9% for 5s"]

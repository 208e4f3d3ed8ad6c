"""What the command says of words that it can't use: one line, with what was found and the next step."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scorebench import cli
from scorebench.cli import parser
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

"""Options from pyproject.toml, scorebench.toml, --config FILE and SCOREBENCH_*: which holds, what is refused.

The order is Locust's (its documentation, "Configuration"): command line, variables, then files, the last read
first.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scorebench.cli import MEASURING, SHARED, parser
from scorebench.errors import InputError
from scorebench.options.one_line import commands_of
from scorebench.options.sources import Parsers, words_of
from tests.commands import ROOT, here
from tests.requirements import require
from tests.scoring_server import scoring_server
from tests.test_compare import left

URL = "http://127.0.0.1:1"


def parsed(folder: Path, *words: str, **variables: str) -> tuple[Any, dict[str, str]]:
    """The options of a command that is started in `folder`, and where they came from."""
    made = parser()
    found = words_of(words[1:], words[0], Parsers(commands_of(made), MEASURING, SHARED), variables, folder)
    return made.parse_args([words[0], *found.words]), dict(found.origins)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scorebench.toml").write_text("users = 1\nrate = 1.5\nseed = 1\nlabel = 'a'\nrows = 9\n")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.scorebench]\nusers = 2\nrate = 2.5\nseed = 2\nlabel = 'b'\n"
    )
    (tmp_path / "mine.toml").write_text("users = 3\nrate = 3.5\nseed = 3\n")
    return tmp_path


def test_each_place_goes_before_the_next(folder: Path) -> None:
    """One option is set in each place, and by all that are weaker."""
    options, origins = parsed(
        folder,
        *("run", URL, "--config", str(folder / "mine.toml"), "-u5"),
        SCOREBENCH_USERS="4",
        SCOREBENCH_RATE="4.5",
    )
    found = (options.users, options.rate, options.seed, options.label, options.rows)
    assert found == (5, 4.5, 3, "b", 9)
    assert origins == {
        "rate": "SCOREBENCH_RATE",
        "seed": "mine.toml",
        "label": "pyproject.toml",
        "rows": "scorebench.toml",
    }


def test_a_variable_names_the_file_too(folder: Path) -> None:
    options, _ = parsed(folder, "run", URL, SCOREBENCH_CONFIG=str(folder / "mine.toml"))
    assert options.users == 3


def test_switches_lists_and_underscores(tmp_path: Path) -> None:
    """As TOML writes them; false leaves a switch off; what was typed replaces a list."""
    (tmp_path / "scorebench.toml").write_text(
        "quiet = true\nkeep_calls = false\nlimit = ['p99<50ms', 'valid>99%']\nparams = {n = 2}\n"
    )
    options, _ = parsed(tmp_path, "run", URL)
    assert (options.quiet, options.keep_calls, options.params) == (True, False, '{"n": 2}')
    assert options.limit == ["p99<50ms", "valid>99%"]
    typed, _ = parsed(tmp_path, "run", URL, "--limit", "mean<9ms", SCOREBENCH_QUIET="no")
    assert (typed.limit, typed.quiet) == (["mean<9ms"], False)


def test_options_hold_where_a_command_measures(tmp_path: Path) -> None:
    """--format of a report is another; a command's own table is for it alone, and goes before the top."""
    (tmp_path / "scorebench.toml").write_text(
        "format = 'records'\nreport-dir = 'speed'\nusers = 2\n[run]\nusers = 3\n"
        "[compare]\nfail-if = ['p99 +10%']\n"
    )
    assert parsed(tmp_path, "run", URL)[0].users == 3
    assert parsed(tmp_path, "matrix")[0].users == 2
    assert parsed(tmp_path, "report")[0].format == "text"
    assert parsed(tmp_path, "list")[0].report_dir == Path("speed")
    assert parsed(tmp_path, "compare", "a", "b")[0].fail_if == ["p99 +10%"]
    assert "rate" not in parsed(tmp_path, "capacity", URL)[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("userz = 1", "scorebench.toml: userz: no such option; did you mean users?"),
        ("[run]\nuserz = 1", "scorebench.toml: run.userz: no such option; did you mean users?"),
        ("open = true", "scorebench.toml: open: no such option"),
        ("users = 'five'", "scorebench.toml: users: found five; expected a whole number"),
        ("rate = '20/s'", "scorebench.toml: rate: found 20/s; expected a number"),
        ("rate = [1, 2]", "scorebench.toml: rate: found a list; expected one value"),
        ("users = true", "scorebench.toml: users: found true; expected a value"),
        ("quiet = 3", "scorebench.toml: quiet: found 3; expected true or false"),
        ("flavor = 'onnx'", "scorebench.toml: flavor: found onnx; expected one of sklearn, spark, mleap"),
        ("users = ", "scorebench.toml: is not TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    """Before anything is sent; exit 2."""
    (tmp_path / "scorebench.toml").write_text(text)
    done = here(tmp_path, "run", URL)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_an_error_found_later_says_where_the_option_was_set(tmp_path: Path) -> None:
    (tmp_path / "scorebench.toml").write_text("users = 0")
    done = here(tmp_path, "run", URL)
    assert done.code == 2
    assert done.err.splitlines()[-1].endswith("expected at least 1 (--users is set in scorebench.toml)")


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    done = here(tmp_path, "run", URL, "--config", "nothing.toml")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "--config nothing.toml: no such file" in done.err


def test_somebody_elses_pyproject_is_left_alone(tmp_path: Path) -> None:
    """One without our table, even one that is not TOML."""
    for text in ("[tool.other]\nusers = 2\n", "<<<<<<< HEAD\n"):
        (tmp_path / "pyproject.toml").write_text(text)
        assert parsed(tmp_path, "run", URL)[1] == {}
    (tmp_path / "pyproject.toml").write_text("[tool]\nscorebench = 3\n")
    with pytest.raises(InputError, match=r"tool\.scorebench is no table"):
        parsed(tmp_path, "run", URL)


def test_the_recording_tells_what_came_from_where(tmp_path: Path) -> None:
    """And its command makes the run again without the files."""
    from tests.commands import scorebench

    (tmp_path / "scorebench.toml").write_text("calls = 12\n")
    with scoring_server() as server:
        done = scorebench(tmp_path, "run", server.url, SCOREBENCH_USERS="2")
        assert done.code in (0, 4), done.err
        assert len(server.log()) == 12
    told = done.summary["environment"]
    assert told["options_from"] == {"users": "SCOREBENCH_USERS", "calls": "scorebench.toml"}
    assert told["command"] == f"scorebench run --users=2 --calls=12 {server.url}"
    assert "from SCOREBENCH_USERS: users; from scorebench.toml: calls" in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands_and_their_options(tmp_path: Path, shell: str) -> None:
    """The script parses in its shell, where there is one."""
    done = here(tmp_path, "completion", shell)
    assert done.code == 0
    assert "capacity" in done.out
    assert "rows-per-call" in done.out


def test_a_reader_that_reads_no_more_is_no_error(tmp_path: Path) -> None:
    """`scorebench completion bash | head -1`: the script is longer than a pipe holds, and nobody reads it."""
    command = f"{sys.executable} -m scorebench completion bash | :; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    require("bash", "not found" not in done.stderr, "install bash")
    assert (done.stdout, done.stderr) == ("141\n", "")


def test_bash_completes_an_option(tmp_path: Path) -> None:
    """`scorebench run --rows-p` and a tab, in a real bash."""
    script = here(tmp_path, "completion", "bash").out
    typed = 'COMP_WORDS=(scorebench run --rows-p); COMP_CWORD=2; _shtab_scorebench; echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", f"{script}\n{typed}"], capture_output=True, text=True, check=False)
    require("bash", "not found" not in done.stderr, "install bash")
    assert done.stdout.split() == ["--rows-per-call"], done.stderr


def test_report_dir_holds_for_the_list(tmp_path: Path) -> None:
    left(tmp_path / "speed" / "a", 0.01)
    (tmp_path / "pyproject.toml").write_text("[tool.scorebench]\nreport-dir = 'speed'\n")
    assert "speed/a" in here(tmp_path, "list").out


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SCOREBENCH_USRES", "SCOREBENCH_USERS"),
        ("SCOREBENCH_LIMITS", "SCOREBENCH_LIMIT"),
        ("SCOREBENCH_RUNTIME", "SCOREBENCH_RUN_TIME"),
        ("SCOREBENCH_STOPWHEN", "SCOREBENCH_STOP_WHEN"),
        ("SCOREBENCH_CONFG", "SCOREBENCH_CONFIG"),
        ("SCOREBENCH_CLUSTER_SECRETS", "SCOREBENCH_CLUSTER_SECRET"),
    ],
)
def test_a_variable_that_is_nearly_an_option_is_refused(tmp_path: Path, variable: str, meant: str) -> None:
    """A limit under a wrong name would be a limit that nobody checks."""
    with pytest.raises(InputError, match=f"^{variable}: no such option; did you mean {meant}\\?"):
        parsed(tmp_path, "run", URL, **{variable: "5"})


def test_other_variables_with_our_prefix_are_left_alone(tmp_path: Path) -> None:
    """Users' own, and all that our source names for another purpose."""
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    ours = set(re.findall(r'"(SCOREBENCH_[A-Z_]*[A-Z])"', source))
    assert {"SCOREBENCH_FOLDER", "SCOREBENCH_CLUSTER_SECRET"} <= ours
    users = {"SCOREBENCH_TOKEN", "SCOREBENCH_BEARER", "SCOREBENCH_API_KEY", "SCOREBENCH_CLUSTER_SECRET_FILE"}
    others = {"SCOREBENCH_IMAGES", "SCOREBENCH_REQUIRE", "SCOREBENCH_ENDPOINT"}
    options = {"SCOREBENCH_TIMINGS", "SCOREBENCH_SERVER"}
    _, origins = parsed(tmp_path, "run", URL, **dict.fromkeys((ours | users | others) - options, "x"))
    assert origins == {}


def test_what_kubernetes_sets_for_a_service_of_our_name_is_no_option(tmp_path: Path) -> None:
    """Its documentation, "Accessing the Service", has this list; `serve` and `run` have a --port."""
    place = "10.0.0.11"
    links = {
        "SERVICE_HOST": place,
        "SERVICE_PORT": "8089",
        "PORT": f"tcp://{place}:8089",
        "PORT_8089_TCP": f"tcp://{place}:8089",
        "PORT_8089_TCP_PROTO": "tcp",
        "PORT_8089_TCP_PORT": "8089",
        "PORT_8089_TCP_ADDR": place,
    }
    variables = {f"SCOREBENCH_{name}": value for name, value in links.items()}
    assert parsed(tmp_path, "run", URL, **variables)[1] == {}
    assert parsed(tmp_path, "run", "webserver", SCOREBENCH_PORT="5007")[0].port == 5007

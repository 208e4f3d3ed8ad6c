"""What the README tells people to type is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from scorebench.cli import parser
from tests.commands import ROOT

PAGE = (ROOT / "README.md").read_text()
PASTED = re.compile(r"<!-- output: .*?<!-- end -->", re.DOTALL)
COMMANDS = re.findall(r"^    (\S.*?)(?:\s+#.*)?$", PASTED.sub("", PAGE), re.MULTILINE)


def of(program: str) -> list[str]:
    return [command for command in COMMANDS if command.split()[0] == program]


def test_commands_are_found() -> None:
    """The reader of the page sees commands of every kind: otherwise the tests below check nothing."""
    assert all(of(program) for program in ("make", "scorebench", "locust", "python", "pip"))


@pytest.mark.parametrize("command", of("scorebench"))
def test_scorebench_takes_it(command: str) -> None:
    """Each command and option is known."""
    assert parser().parse_args(shlex.split(command)[1:]).run


def test_an_unknown_option_is_refused() -> None:
    """The check above goes red for an option that does not exist."""
    with pytest.raises(SystemExit):
        parser().parse_args(["run", "http://localhost:5001", "--no-such-option"])


@pytest.mark.parametrize("command", of("make"))
def test_make_has_the_target(command: str) -> None:
    """Each target stands in the Makefile."""
    assert re.search(rf"^{command.split()[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", of("python"))
def test_the_script_takes_it(command: str) -> None:
    """Each script is there and knows the options."""
    words = shlex.split(command)
    script = next(word for word in words if word.endswith(".py"))
    told = subprocess.run(
        [sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for flag in (word for word in words if word.startswith("--")):
        assert flag in told.stdout


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", PAGE))))
def test_links_lead_somewhere(link: str) -> None:
    """Each page that is linked is there."""
    assert (ROOT / link).exists()

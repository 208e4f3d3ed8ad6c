"""`make quick` runs the tests that start no process and no server: how they are found and checked."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.quick import is_quick

MODULE = """
import subprocess
import pytest
from tests import requirements
from tests.commands import ROOT, scorebench
from tests.queues import Queue
from tests.scoring_server import replies, scoring_server

def helper(): return subprocess.run(["true"])
@pytest.fixture
def server():
    with scoring_server() as one: yield one
SERVER = scoring_server()

def test_arithmetic(): assert 1 + 1 == 2
def test_with_names_alone(): assert (ROOT / "src").exists() and replies.RESET
def test_with_a_tool_alone(): requirements.module("mlflow")
def test_by_itself(): subprocess.run(["true"])
def test_by_a_helper(): helper()
def test_by_a_helper_elsewhere(tmp_path): scorebench(tmp_path, "--help")
def test_by_a_tool(): requirements.java()
def test_by_a_fixture(server): server.url
def test_by_a_constant(): SERVER.url
def test_by_a_simulation(): Queue()
def test_by_an_import_of_its_own():
    from tests.scoring_server import refusing_port
    refusing_port()
def test_by_a_module_that_a_text_names(): import_module("tests.scoring_server.handle")
class TestBoth:
    def test_one(self): assert True
    def test_two(self): helper()
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "test_module.py"
    path.write_text(MODULE)
    return path


@pytest.mark.parametrize("test", ["test_arithmetic", "test_with_names_alone", "test_with_a_tool_alone"])
def test_what_starts_nothing_is_quick(module: Path, test: str) -> None:
    """Not the imports of a module count, but what the test uses of them."""
    assert is_quick(module, test)


@pytest.mark.parametrize(
    "test",
    [
        "test_by_itself",
        "test_by_a_helper",
        "test_by_a_helper_elsewhere",
        "test_by_a_tool",
        "test_by_a_fixture",
        "test_by_a_constant",
        "test_by_a_simulation",
        "test_by_an_import_of_its_own",
        "test_by_a_module_that_a_text_names",
        "TestBoth",
    ],
)
def test_what_starts_something_is_not(module: Path, test: str) -> None:
    """The way to the process may lead through helpers, fixtures, constants and other modules."""
    assert not is_quick(module, test)


def test_an_automatic_fixture_counts_for_every_test(tmp_path: Path) -> None:
    """No test of the module names it, and each gets it."""
    path = tmp_path / "test_automatic.py"
    path.write_text(
        "import subprocess\nimport pytest\n\n@pytest.fixture(autouse=True)\ndef started():\n"
        "    subprocess.run(['true'])\n\ndef test_nothing():\n    pass\n"
    )
    assert not is_quick(path, "test_nothing")


@pytest.mark.quick
def test_a_quick_test_can_start_no_process() -> None:
    """Whatever the names said: the process does not start, and the test fails."""
    with pytest.raises(AssertionError, match=r"subprocess\.Popen .*python.* is marked quick"):
        subprocess.run([sys.executable, "-c", ""], check=True)


@pytest.mark.quick
def test_a_quick_test_can_not_listen() -> None:
    """A server in a thread of the test needs a port."""
    with socket.socket() as sock, pytest.raises(AssertionError, match=r"socket\.bind .* is marked quick"):
        sock.bind(("127.0.0.1", 0))


def test_the_tests_as_they_are() -> None:
    """Arithmetic is chosen, and what measures a server is not, in the modules as they are."""
    here = Path(__file__).parent
    assert is_quick(
        here / "test_percentiles.py", "test_the_interval_holds_the_true_percentile_as_often_as_it_says"
    )
    assert not is_quick(here / "test_accuracy.py", "test_service_times_are_the_servers")

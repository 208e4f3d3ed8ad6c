"""For every test: no deadline for an example, SIGINT as a terminal gives it, the marker `quick`.

`make quick` tries a fifth of Hypothesis's examples; `make test` tries them all.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.quick import is_quick

# Machines that run tests are shared.
settings.register_profile("scorebench", deadline=None)
settings.register_profile("quick", settings.get_profile("scorebench"), max_examples=20)


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("quick" if config.option.markexpr == "quick" else "scorebench")


# A shell that runs tests in the background has them ignore SIGINT, and what they start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "socket.bind"}
"""Python's audit events of a process that starts and of a port that is taken."""
_guarded: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that needs no process and no server."""
    for item in items:
        in_live = "live" in item.path.relative_to(Path(__file__).parent).parts  # real servers, all of them
        if not in_live and isinstance(item, pytest.Function) and is_quick(item.path, _at_the_top(item)):
            item.add_marker(pytest.mark.quick)


def _at_the_top(item: pytest.Function) -> str:
    """The name by which the module knows the test: its own, or that of its class."""
    return item.cls.__name__ if item.cls else item.originalname


@pytest.fixture(autouse=True)
def quick_tests_start_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """A quick test fails where it starts a process or listens: the names it uses did not give it away."""
    if request.node.get_closest_marker("quick") is None:
        yield
        return
    _guarded.append(request.node.nodeid)
    yield
    _guarded.pop()


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    what = arguments[0] if arguments else ""  # os.fork has none
    # Python's `platform` asks uname for the processor.
    if _guarded and event in STARTS and what != "uname":
        raise AssertionError(
            f"{event} {what}: {_guarded[-1]} is marked quick, so it may start nothing; "
            "add what starts this to STARTERS in tests/quick.py"
        )


sys.addaudithook(_refuse)

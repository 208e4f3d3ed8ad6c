"""Runs pytest, and what failed beside other tests once more, alone. It knows no test by name.

    python -m tests.twice -n 3 tests

Many tests here start real processes on machines that others use too. One that fails in the crowd and passes
alone was starved; one that fails both times is a failure, and so is anything where more than `FEW` tests
failed. Both results are printed, so that a test that often needs its second chance is seen.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

FEW = 3


class Failures:
    """The node ids of tests that failed, in the process that hears of all of them."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and report.nodeid not in self.ids:
            self.ids.append(report.nodeid)


def main(arguments: list[str]) -> int:
    failures = Failures()
    code = int(pytest.main(arguments, plugins=[failures]))
    if code != pytest.ExitCode.TESTS_FAILED or not 0 < len(failures.ids) <= FEW:
        return code
    print("failed beside other tests, and run once more, alone:", *failures.ids, sep="\n  ", flush=True)
    return subprocess.run([sys.executable, "-m", "pytest", *failures.ids], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

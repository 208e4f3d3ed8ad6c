"""The words for exceptions of tasks. The traceback is Python's own, of a function that raises here."""

from __future__ import annotations

import subprocess
import sys
import traceback

CODE = """
import sys
from scorebench.plugin.lifecycle.raised import raised
print(*raised([{"msg": sys.argv[1], "count": int(sys.argv[2]), "traceback": sys.argv[3]}]))
"""


def said(message: str, count: int, trace: str) -> str:
    """In a process of its own: the plugin's package imports Locust."""
    words = [sys.executable, "-c", CODE, message, str(count), trace]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def test_an_exception_is_told_with_its_place() -> None:
    """How often, in which file and in which function: that of the innermost frame."""
    try:
        raise ValueError("boom")
    except ValueError as error:
        trace = "".join(traceback.format_exception(error))
    words = said("boom", 1_200, trace)
    assert words.startswith("boom (1,200 times, test_raised.py:")
    assert words.endswith(", in test_an_exception_is_told_with_its_place)")


def test_an_exception_without_a_frame_is_told_too() -> None:
    """No report is lost to a traceback that names no file."""
    assert said("", 1, "SystemError: nothing known") == "an exception without a message (once)"

"""Figures get into the docs by a tool."""

from __future__ import annotations

import pytest
from bench.paste import pasted

PAGE = "before\n<!-- output: make bench -->\nold\n<!-- end -->\nafter\n"


def test_output_replaces_what_stood_between_the_marks() -> None:
    """The block is replaced, what is around it stays, colours are removed."""
    assert pasted(PAGE, "make bench", "\x1b[1mnew\x1b[0m\n") == PAGE.replace("old", "```text\nnew\n```")


def test_pasting_twice_is_pasting_once() -> None:
    """A page can be pasted into again."""
    once = pasted(PAGE, "make bench", "new")
    assert pasted(once, "make bench", "new") == once


def test_missing_marks_are_refused() -> None:
    """A label that the page does not have is an error, and not silently nothing."""
    with pytest.raises(ValueError, match="found 0"):
        pasted(PAGE, "make test", "new")

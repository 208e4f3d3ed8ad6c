"""Shows a run in another process: in a notebook's cell, or in a line of a terminal.

Knows IPython and stderr; what is shown is `live`'s.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from scorebench.figures.live import Live
from scorebench.report.live import line

_CLEAR = "\r\x1b[2K"


class Watching:
    """Takes the run's stderr line by line; `lines` has those that were not progress."""

    def __init__(self, show: Callable[[Live], None]) -> None:
        self._show = show
        self.lines: list[str] = []

    def hear(self, text: str) -> None:
        """One line."""
        try:
            live = Live(**json.loads(text))
        except (ValueError, TypeError):
            self.lines.append(text)
        else:
            self._show(live)


@contextmanager
def watching(*, quiet: bool) -> Iterator[Watching]:
    """Show progress until the run has ended, then remove it: the result shows the figures."""
    if not quiet and "ipykernel" in sys.modules:
        with _cell() as show:
            yield Watching(show)
    elif not quiet and sys.stderr.isatty():
        yield Watching(lambda live: _write(_CLEAR + line(live)))
        _write(_CLEAR)
    else:
        yield Watching(lambda _live: None)


def _write(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


@contextmanager
def _cell() -> Iterator[Callable[[Live], None]]:
    from importlib import import_module

    shown: Any = import_module("IPython.display").display(
        _display_data("starting"), raw=True, display_id=True
    )
    try:
        yield lambda live: shown.update(_display_data(line(live), live.share_done), raw=True)
    finally:
        shown.update({"text/plain": "", "text/html": ""}, raw=True)


def _display_data(text: str, share_done: float | None = None) -> dict[str, str]:
    """As a notebook takes it: plain, and with a bar."""
    from html import escape

    bar = "" if share_done is None else f'<progress max="1" value="{share_done:.3f}"></progress> '
    return {"text/plain": text, "text/html": f"<div>{bar}{escape(text)}</div>"}

"""Shows a run while it goes on: bars and figures on a terminal, a plain line now and then elsewhere.

Knows rich and stderr; what is shown is `live`'s. With SCOREBENCH_PROGRESS=json it is a JSON line a second,
for programs that started the run.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import gevent
from gevent.event import Event

from scorebench.figures.live import Live
from scorebench.report import live as words
from scorebench.runs.launch import PROGRESS_VARIABLE

if TYPE_CHECKING:
    from rich.console import RenderableType

PERIOD_S = 1.0
LINE_EVERY = 5
"""Seconds between plain lines."""


class LiveView:
    """Shows what `look` says once a second, from `start` until `end`, which leaves the screen as it was."""

    def __init__(self, look: Callable[[], Live | None], *, quiet: bool) -> None:
        self._look, self._quiet = look, quiet
        self._over = Event()
        self._greenlet: Any = None

    def start(self) -> None:
        if not self._quiet or wants_json():
            self._greenlet = gevent.spawn(self._show)

    def end(self) -> None:
        self._over.set()
        if self._greenlet is not None:
            self._greenlet.join()

    def _show(self) -> None:
        with _display() as (show, every):
            second = 0
            while not self._over.wait(PERIOD_S):
                second += 1
                # A look costs a millisecond in which no user wakes: only where it is shown.
                if second % every == 0 and (live := self._look()):
                    show(live)


def wants_json() -> bool:
    return os.environ.get(PROGRESS_VARIABLE) == "json"


@contextmanager
def _display() -> Iterator[tuple[Callable[[Live], None], int]]:
    """What shows a look, and every how many seconds."""
    if wants_json():
        yield lambda live: _say(json.dumps(live.to_dict())), 1
    elif sys.stderr.isatty():
        with _screen() as show:
            yield show, 1
    else:
        yield lambda live: _say(words.line(live)), LINE_EVERY


@contextmanager
def _screen() -> Iterator[Callable[[Live], None]]:
    from rich.console import Console
    from rich.live import Live as Screen

    console, before = Console(stderr=True), (sys.stdout, sys.stderr)
    # What goes to stdout stays there where that is a file.
    own = Screen(console=console, auto_refresh=False, transient=True, redirect_stdout=sys.stdout.isatty())
    with own as screen, _logging_above(before):
        yield lambda live: screen.update(_panel(live), refresh=True)


@contextmanager
def _logging_above(before: tuple[TextIO, TextIO]) -> Iterator[None]:
    """Have log handlers write through the streams that rich put in place, above the figures.

    They hold the streams that were there `before`: written past rich, a line would be drawn over.
    """
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    handlers = {
        one for logger in loggers for one in logger.handlers if isinstance(one, logging.StreamHandler)
    }
    moved = [(handler, handler.stream) for handler in handlers if handler.stream in before]
    for handler, stream in moved:
        handler.setStream((sys.stdout, sys.stderr)[before.index(stream)])
    try:
        yield
    finally:
        for handler, stream in moved:
            handler.setStream(stream)


def _panel(live: Live) -> RenderableType:
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    rows: list[RenderableType] = [Text(words.progress(live), style="bold")]
    rows += [] if live.share_done is None else [ProgressBar(total=1.0, completed=live.share_done, width=60)]
    rows += [Text(words.rates(live)), Text(words.times(live))]
    rows += [Text(words.outcomes(live), style="green" if live.calls == live.valid else "red")]
    panel = Table.grid()
    for row in rows:
        panel.add_row(row)
    return panel


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

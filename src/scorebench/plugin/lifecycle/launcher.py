"""What the command that launched this process has to tell: a line an event on standard input.

Knows the descriptor and gevent; not what the words mean, but that the end of the file says: nobody waits.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import gevent
from gevent.socket import wait_read

from scorebench.recordings.happenings import LEFT_ALONE


class Words:
    """Keeps what is said until somebody can act upon it; then each word goes to `on_word` at once."""

    def __init__(self, on_word: Callable[[str], None]) -> None:
        self._on_word = on_word
        self._early: list[str] | None = []

    def say(self, word: str) -> None:
        """Hand the word on, or keep it."""
        if self._early is None:
            self._on_word(word)
        else:
            self._early.append(word)

    def let_through_once(self, can_act: Callable[[], bool]) -> None:
        """Let the words through as soon as `can_act`; for a greenlet of its own."""
        while not can_act():
            gevent.sleep(0.05)
        self.let_through()

    def let_through(self) -> None:
        """Hand on what was kept, in its order, and from now on whatever is said."""
        early, self._early = self._early or [], None
        for word in early:
            self._on_word(word)


def hear(descriptor: int, on_word: Callable[[str], None]) -> None:
    """Give `on_word` each line, and LEFT_ALONE at the end; for a greenlet of its own."""
    unfinished = b""
    while True:
        wait_read(descriptor)  # whether it blocks is not ours to say: other processes may share it
        if not (more := os.read(descriptor, 4096)):
            break
        *lines, unfinished = (unfinished + more).split(b"\n")
        for line in lines:
            on_word(line.decode())
    on_word(LEFT_ALONE)

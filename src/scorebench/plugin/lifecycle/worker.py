"""A worker: sends its share of the calls, and what it counted to the master.

Knows Locust's worker and our messages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from locust import argument_parser
from locust.runners import WorkerRunner

from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle import messages, open_files
from scorebench.plugin.lifecycle.asked import Asked
from scorebench.plugin.lifecycle.sender import Sender
from scorebench.recordings.recording import Recording


class Worker:
    """Does what its master says, and tells it everything."""

    leads = False
    behind_s = 1

    def __init__(self, runner: WorkerRunner, asked: Asked, sender: Sender, hurry: Callable[[], None]) -> None:
        """`hurry` is called where the master waits no longer for the calls in flight."""
        self._runner, self._asked, self._sender = runner, asked, sender
        self._resets = 0
        runner.environment.events.report_to_master.add_listener(self._on_report)
        runner.register_message(messages.STOP, lambda **_: runner.stop(), concurrent=True)
        runner.register_message(messages.CUT_SHORT, lambda **_: hurry())
        runner.register_message(messages.RESET, self._on_reset)
        # At each order to spawn Locust makes the table of its own options anew, once an option that came with
        # it: a quarter of a second in which no user wakes.
        argument_parser.default_args_dict = cache(argument_parser.default_args_dict)

    def prepare(self, settings: Settings) -> None:
        open_files.make_most_room()
        order = getattr(self._asked.options, messages.ORDER, None) or [self._runner.client_id]
        place = order.index(self._runner.client_id)
        session = self._sender.prepare(settings, worker=place, workers=len(order))
        session.sending.on_start = lambda: self._runner.send_message(messages.BEGUN)
        session.sending.on_exhausted = lambda: self._runner.send_message(messages.EXHAUSTED)

    def begin(self) -> None:
        self._resets = 0
        self._sender.begin()

    def fall_silent(self, settings: Settings) -> None:
        self._sender.fall_silent(settings.drain_s)

    def cut_short(self) -> None:
        self._sender.cut_short()

    def hand_over(self, report: Callable[[], None]) -> None:  # noqa: ARG002 (the master reports)
        counted = messages.pack(*self._sender.take_all(), self._resets)
        self._runner.send_message(messages.LAST, {messages.KEY: counted})

    def reset(self) -> None:
        """Its master says when: what it told until then is dropped there."""

    def so_far(self) -> Recording:
        return self._sender.so_far() or Recording()

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002 (Locust's names)
        session = self._sender.session
        if session is not None and not session.is_over:
            data[messages.KEY] = messages.pack(*self._sender.take(), self._resets)

    def _on_reset(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        self._resets = msg.data["resets"]
        self._sender.forget()

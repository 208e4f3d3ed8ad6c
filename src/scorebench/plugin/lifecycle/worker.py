"""A worker: sends what its master deals, and tells it what it counted.

Knows Locust's worker and our messages.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import gevent
from locust import argument_parser
from locust.runners import WorkerRunner

from scorebench.cluster import reports
from scorebench.errors import InputError
from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle import guard, messages, open_files, orphan
from scorebench.plugin.lifecycle.asked import Asked
from scorebench.plugin.lifecycle.following import Following
from scorebench.plugin.lifecycle.messages import Hello, Prepare, Ready
from scorebench.plugin.lifecycle.muster import ready_for
from scorebench.plugin.lifecycle.reported import Reported
from scorebench.plugin.lifecycle.sender import Sender
from scorebench.recordings.recording import Recording
from scorebench.verdicts.verdict import ExitCode

ALONE_DRAIN_S = 1.0
"""How long a worker without a master waits for its calls in flight."""
FROM_MASTER = ("expect_workers", "tags", "exclude_tags")
"""Locust's own options that its master's workers take over."""


class Worker:
    """Does what its master says, and tells it everything."""

    leads = False
    behind_s = 1

    def __init__(self, runner: WorkerRunner, asked: Asked, sender: Sender, hurry: Callable[[], None]) -> None:
        """`hurry` is called where the master waits no longer for the calls in flight."""
        self._runner, self._asked, self._sender = runner, asked, sender
        is_forked = bool(getattr(asked.options, "processes", None))
        self._following = Following(runner, sender, self._on_lost, is_forked=is_forked)
        self._reported = Reported()
        self._is_alone = False
        """Whether the master is dead."""
        self._resets = 0
        hooks = runner.environment.events
        hooks.report_to_master.add_listener(self._on_report)
        hooks.quitting.add_listener(lambda **_: self._leave())  # before Locust says that it quits
        runner.register_message(messages.PREPARE, self._on_prepare, concurrent=True)
        runner.register_message(messages.STOP, lambda **_: runner.stop(), concurrent=True)
        runner.register_message(messages.CUT_SHORT, lambda **_: hurry())
        runner.register_message(messages.RESET, self._on_reset)
        # At each order to spawn Locust makes the table of its own options anew, once an option that came with
        # it: a quarter of a second in which no user wakes.
        argument_parser.default_args_dict = cache(argument_parser.default_args_dict)
        runner.send_message(messages.HELLO, messages.saying(Hello(socket.gethostname(), os.getpid())))

    def prepare(self, settings: Settings) -> None:
        open_files.make_most_room()
        session = self._sender.prepare(settings, is_dealt=True)
        session.sending.on_start = lambda: self._runner.send_message(messages.BEGUN)

    def begin(self) -> None:
        self._resets = 0
        self._reported.forget()
        self._began_s = time.time()
        self._sender.begin()
        if self._sender.session is not None:
            self._following.begin(self._sender.session)

    def fall_silent(self, settings: Settings) -> None:
        self._following.end()
        self._ended_s, self._settings = time.time(), settings
        self._sender.fall_silent(min(settings.drain_s, ALONE_DRAIN_S) if self._is_alone else settings.drain_s)

    def cut_short(self) -> None:
        self._sender.cut_short()

    def hand_over(self, report: Callable[[], None]) -> None:  # noqa: ARG002 (the master reports)
        counted = reports.pack(*self._sender.take_all(), self._resets)
        if self._is_alone:
            self._leave_own(counted)
        else:
            self._runner._send_stats()  # Locust's own: a worker that is asked to end would keep the last ones
            self._runner.send_message(messages.LAST, {messages.KEY: counted})
        self._reported.forget()

    def _leave_own(self, counted: bytes) -> None:
        """Nobody else will write down what this worker sent."""
        self._reported.add(counted)
        number, times = self._following.number, {"started_s": self._began_s, "load_ended_s": self._ended_s}
        own = orphan.leave_own(self._settings, self._asked, number, self._reported.all(number), times)
        print(f"scorebench: {own}", file=sys.stderr, flush=True)
        self._runner.environment.process_exit_code = int(ExitCode.NOT_VALID)
        guard.let_go(self._runner.client)

    def _on_lost(self) -> None:
        self._is_alone = True
        self._runner.quit()

    def reset(self) -> None:
        """Its master says when: what it told until then is dropped there."""

    def so_far(self) -> Recording:
        return self._sender.so_far() or Recording()

    def waiting(self) -> dict[int, int]:
        return self._sender.waiting()

    def _leave(self) -> None:
        """Somebody ends this process while it sends: the others take over first."""
        session = self._sender.session
        if session is not None and not session.is_over:
            self._following.leave(session)

    def _on_prepare(self, environment: Any, msg: Any) -> None:
        what = messages.content(msg, Prepare)
        self._following.prepare()
        environment.host = what.host
        known = argument_parser.default_args_dict()
        for name, value in msg.data["options"].items():
            if self._asked.options is not None and (name not in known or name in FROM_MASTER):
                setattr(self._asked.options, name, value)
        self._runner.send_message(messages.READY, messages.saying(self._ready(what)))

    def _ready(self, what: Prepare) -> Ready:
        test = what.test
        try:
            settings = self._asked.settings()
            if what.payload is not None:
                self._asked.encode(settings, what.payload)
            elif not self._asked.is_encoded(settings):
                # In a thread, since a worker's heartbeats must go on meanwhile.
                gevent.get_hub().threadpool.apply(self._asked.encode, (settings,))
            self._asked.access(settings)  # what is missing is told now
        except InputError as error:
            return Ready(test, fault=str(error))
        return ready_for(self._runner.environment, self._asked, settings, test)

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002 (Locust's names)
        session = self._sender.session
        if session is not None and not session.is_over:
            data[messages.KEY] = reports.pack(*self._sender.take(), self._resets)
            with suppress(OSError):  # the master has it
                self._reported.add(data[messages.KEY])

    def _on_reset(self, environment: Any, msg: Any) -> None:  # noqa: ARG002
        self._resets = msg.data["resets"]
        self._reported.forget()
        self._sender.forget()

"""The request for a run, checked; and what it needs to begin: a folder, and a server that answers.

Shell and Python both come this way. Knows the options of a run; nothing of what it finds.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from math import ceil, inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench.client.hiding import in_urls
from scorebench.errors import InputError
from scorebench.folders.fresh import run_folder
from scorebench.load.arrivals import RECORDED
from scorebench.load.scenario import default_users
from scorebench.options import settings as options_settings
from scorebench.options.given import forget
from scorebench.options.recorded import shown
from scorebench.options.settings import Settings
from scorebench.options.table import DEFAULT_RUN_TIME, DEFAULT_USERS, OPTIONS
from scorebench.runs import server
from scorebench.runs.launch import Launch
from scorebench.servers import check_cpus, kinds, mlmodel, parse_cpus
from scorebench.servers import settings as server_settings
from scorebench.servers.kinds import KINDS
from scorebench.servers.settings import hidden_in
from scorebench.units import parse_seconds

if TYPE_CHECKING:
    from scorebench.payloads.payload import Payload
    from scorebench.servers.protocol import Server

_ANY_URL = "http://127.0.0.1"
"""A placeholder for the server that is not started yet."""


@dataclass(frozen=True)
class Ready:
    """A run may begin: its folder is there, and the server, if it was ours to start, is up."""

    folder: Path
    url: str
    server: Server | None


def command_of(words: Iterable[str]) -> str:
    """The command as a recording may hold it: without the values of --server-env that may be secrets."""
    return shown(["scorebench", *hidden_in(words)])


@dataclass(frozen=True)
class Request:
    """A run that was asked for, checked; nothing is started yet. `command` makes it again."""

    asked: Namespace
    """The parsed options, with users, run time and model filled in."""
    settings: Settings
    command: str

    @classmethod
    def of(cls, options: Namespace, command: str | None = None) -> Request:
        """InputError for everything that can be checked before anything is started."""
        asked = Namespace(**{"users": None, "calls": None, "iterations": None, "body": None, **vars(options)})
        if asked.users is None:
            asked.users = default_users(getattr(asked, "scenario", None), DEFAULT_USERS)
        if asked.users < 1:
            raise InputError(f"--users {asked.users}: expected at least 1")
        spawn_rate = getattr(asked, "spawn_rate", None)
        if spawn_rate is not None and not 0 < spawn_rate < inf:
            raise InputError(f"--spawn-rate {spawn_rate:g}: expected users a second, above 0")
        _check_place(asked)
        seconds = _fill_in_run_time(asked)
        brought_up = asked.target in KINDS
        server.settle_model(asked)
        server.refuse_what_no_server_takes(asked)
        sent = Namespace(**{**vars(asked), "run_time": seconds, "num_users": asked.users})
        if brought_up and asked.body is not None:
            sent.model = None  # it is served; a ready body is sent as it is
            forget(sent, "model")
        settings = options_settings.from_namespace(sent, _ANY_URL if brought_up else asked.target)
        command = command or command_of(asked.words)
        return cls(asked, settings, in_urls(command))

    def warn(self) -> None:
        """Say on stderr what others can see of the command; for a shell, whose words are in `ps`."""
        if not self.settings.target.query or self.settings.quiet:
            return
        print(
            f"scorebench: {self.settings.target.shown}: reports hide the values of the query, but every user "
            "of this machine can read them in the list of processes. Pass a secret with --bearer-env instead",
            file=sys.stderr,
        )

    @contextmanager
    def ready(self, suffix: str = "") -> Iterator[Ready]:
        """A folder and a server for it, for as long as the block lasts; `suffix` ends the folder's name."""
        brought_up = self.asked.target in KINDS
        name = self.asked.target if brought_up else self.settings.target.host
        with ExitStack() as stack:
            path = stack.enter_context(run_folder(self.settings.report_dir, name + suffix))
            up = stack.enter_context(self.bring_up(path))
            yield Ready(path, self.asked.target if up is None else up.endpoint, up)

    def check(self) -> Payload:
        """What would be sent.

        InputError where it can't be sent, or where the model to serve is none. Ask before any server is
        started, which takes a minute.
        """
        from scorebench.runs.prepare import encoded

        model = self.asked.model if self.asked.target in KINDS else None
        if model is not None and (folder := mlmodel.local_folder(model)) is not None:
            mlmodel.read_card(folder)
        return encoded(replace(self.settings, quiet=True))

    def bring_up(
        self, log_folder: Path | None = None, *, checked: bool = False
    ) -> AbstractContextManager[Server | None]:
        """The server to start, up within the block; None where the target is up already.

        InputError, before it is started, for what `check` finds, unless that was `checked`.
        """
        if self.asked.target not in KINDS:
            return nullcontext()
        if not checked:
            self.check_rows()
        return server.running_server(self.asked, log_folder)

    def check_rows(self) -> None:
        """`check`, where rows, bodies or a model were given: the demo's need none."""
        if any(one is not None for one in (self.settings.data, self.settings.body, self.asked.model)):
            self.check()

    def launch(self, url: str, folder: Path, **changes: Any) -> Launch:
        """The run in a process of its own, against `url`, left in `folder`."""
        return Launch(
            url=url,
            folder=folder,
            users=self.asked.users,
            spawn_rate=getattr(self.asked, "spawn_rate", None),
            run_time=self.asked.run_time,
            options={option.name: getattr(self.asked, option.name, option.default) for option in OPTIONS}
            | {"model": self.settings.model},
            processes=getattr(self.asked, "processes", None),
            generator_cpus=self.asked.generator_cpus,
            command=self.command,
            origins=getattr(self.asked, "origins", {}),
            **changes,
        )


def check_rows(requests: Iterable[Request]) -> None:
    """InputError where not one of the `requests` can be sent: else a cell says what is wrong with it."""
    wrong: InputError | None = None
    for request in requests:
        try:
            request.check_rows()
        except InputError as error:
            wrong = wrong or error
        else:
            return
    if wrong is not None:
        raise wrong


def _check_place(asked: Namespace) -> None:
    if asked.target.isalpha() and asked.target not in KINDS:
        raise InputError(
            f"{asked.target}: no such server; expected one of {kinds.names()}, or a URL such as "
            "http://localhost:5001"
        )
    if server_settings.parse(getattr(asked, "server_env", None)) and asked.target not in KINDS:
        raise InputError(f"{server_settings.OPTION}: {asked.target} is started by you; set it there")
    processes = getattr(asked, "processes", None)
    if processes is not None and processes < 1:
        raise InputError(f"--processes {processes}: expected at least 1")
    if asked.generator_cpus is not None:
        check_cpus(parse_cpus(asked.generator_cpus, "--generator-cpus"), "--generator-cpus")


def _fill_in_run_time(asked: Namespace) -> float | None:
    """Seconds; `asked.run_time` becomes whole seconds, because Locust reads fewer forms."""
    if asked.run_time is None and asked.calls is None and asked.iterations is None:
        if str(getattr(asked, "arrivals", None) or "").startswith(RECORDED):
            asked.iterations = 1  # recorded traffic lasts as long as it lasted, once
        else:
            asked.run_time = DEFAULT_RUN_TIME
    if asked.run_time is None:
        return None
    seconds = parse_seconds(asked.run_time, "--run-time")
    if seconds != int(seconds):
        raise InputError(f"--run-time {asked.run_time}: expected whole seconds, such as {ceil(seconds)}s")
    asked.run_time = f"{seconds:.0f}s"
    return seconds

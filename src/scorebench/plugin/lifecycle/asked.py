"""What a test is asked to do: Locust's options or its page's form → settings, and the payload for them.

Knows where options and the server's URL come from; nothing of the test that then runs.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Any

from scorebench.client.access import Access
from scorebench.client.credentials import Source
from scorebench.folders import making
from scorebench.options.settings import Settings, from_namespace
from scorebench.payloads.payload import Payload
from scorebench.plugin.lifecycle import command_line, open_files
from scorebench.plugin.users.user import ScoringUser
from scorebench.runs.prepare import payload_of

if TYPE_CHECKING:
    from locust.env import Environment

ALL_AT_ONCE = "scorebench_all_at_once"
"""The option by which a master tells its workers whether all users start at once."""
RUN_TIME = "scorebench_run_time"
"""The option that holds --run-time once it is ours."""
ELSEWHERE = Payload((), (), "", "the locustfile's own")
"""Where no user is ours: nothing to send."""


class Asked:
    """The options of an Environment, which its page may change from test to test."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._encoded: tuple[Settings, Payload] | None = None
        """The payload, and what it was made of: the settings without the arrivals, which change no body."""
        self._access: tuple[Source, Access] | None = None

    @property
    def options(self) -> Any:
        """Locust's, with ours among them."""
        return self._environment.parsed_options

    def settings(self) -> Settings:
        """The settings as they stand now: from the command line, or from Locust's page.

        Recorded times are among them as soon as the bodies have been read.
        """
        settings = self.settings_in(self.options, self.host())
        known = self.payload is not None and self.is_encoded(settings)
        return settings.with_times(self.payload.times_s) if self.payload and known else settings

    def settings_in(self, options: Any, host: str | None) -> Settings:
        """The settings of other `options`. Raises InputError for what is wrong, or what no user obeys."""
        if not self.needs_payload:
            command_line.refuse_what_nobody_obeys(options, sys.argv[1:])
        return from_namespace(options, host, ours=self.needs_payload)

    def host(self) -> str | None:
        """The server's URL, from the command line, the page or a user class."""
        classes = self._environment.user_classes
        return self._environment.host or next((cls.host for cls in classes if cls.host), None)

    @property
    def needs_payload(self) -> bool:
        """Whether any user class posts payloads; a plain HttpUser brings its own."""
        return bool(self.names_of_our_users)

    @property
    def names_of_our_users(self) -> list[str]:
        """The names of the user classes that post payloads."""
        return [cls.__name__ for cls in self._environment.user_classes if issubclass(cls, ScoringUser)]

    @property
    def all_at_once(self) -> bool:
        """Whether all users start at once; then the first call waits until the last user is connected.

        Any slower --spawn-rate, a LoadTestShape and Locust's page ramp up as Locust does. Without options
        Locust is a library, and the program that uses it says how fast.
        """
        decided = getattr(self.options, ALL_AT_ONCE, None)  # by a master, for its workers
        if decided is not None or self.options is None:
            return bool(decided)
        rate, users = self.options.spawn_rate, self.options.num_users
        ramps = self._environment.shape_class is not None or self._environment.web_ui is not None
        return not ramps and (rate or 1) >= (users or 1)

    @property
    def only_ours(self) -> bool:
        """Whether all user classes are ours: how a test ends is then ours to choose, and not Locust's."""
        return all(issubclass(cls, ScoringUser) for cls in self._environment.user_classes)

    @property
    def run_time_s(self) -> float | None:
        """--run-time, once it is ours."""
        return getattr(self.options, RUN_TIME, None)

    def take_over_run_time(self) -> None:
        """Keep Locust from counting --run-time, which it does from before the first call could leave.

        Under a name of ours the option also reaches the workers, whose schedules end with it. Where a shape
        ends the test, or no user is ours, Locust's way is right.
        """
        if self.needs_payload and self._environment.shape_class is None and self.options is not None:
            self.options.scorebench_run_time, self.options.run_time = self.options.run_time, None

    def give_back_run_time(self) -> None:
        """The test starts, and Locust has looked: the option says again what was asked for."""
        if self.run_time_s is not None and self.options.run_time is None:
            self.options.run_time = self.run_time_s

    def check(self, settings: Settings) -> None:
        """Raise InputError for whatever is wrong before anything is sent; encode the payload."""
        making.check_parent(settings.report_dir, settings.run_time_s)
        if self.needs_payload:
            open_files.make_room(self._users_a_process())
            self.access(settings)  # what is missing is told now
            self.encode(settings)

    def access(self, settings: Settings) -> Access:
        """What lets calls in: loaded once in a process, and kept from test to test. InputError."""
        if self._access is None or self._access[0] != settings.credentials:
            self._access = settings.credentials, settings.credentials.load()
        return self._access[1]

    def reached(self, settings: Settings) -> Settings:
        """`settings` with the target that calls go to: a sign-in may know of a better way to it."""
        return replace(settings, target=self.access(settings).target)

    def _users_a_process(self) -> int:
        """As far as this process knows: users that Locust starts later, or elsewhere, are not among them."""
        if self.options is None:  # Locust as a library: its caller says how many when the test starts
            return 1
        users, processes = int(self.options.num_users or 1), self.options.processes
        if processes:
            return ceil(users / int(processes))
        return 0 if self.options.master else users

    def is_encoded(self, settings: Settings) -> bool:
        """Whether `payload` is what these settings ask for; always, where users bring their own."""
        return not self.needs_payload or (
            self._encoded is not None and self._encoded[0] == replace(settings, arrivals=None)
        )

    def encode(self, settings: Settings, handed_out: Payload | None = None) -> None:
        """Make the payload, unless it is there, or was `handed_out` by a master."""
        if handed_out is not None or not self.is_encoded(settings):
            payload = handed_out or payload_of(settings)
            settings.with_times(payload.times_s)  # which is refused where they are asked for and missing
            self._encoded = replace(settings, arrivals=None), payload

    @property
    def payload(self) -> Payload | None:
        """The one that was encoded last."""
        return self._encoded[1] if self._encoded else None

    @property
    def bodies(self) -> int:
        """How many different bodies are sent: one pass over the data."""
        return len(self._encoded[1].bodies) if self._encoded else 1

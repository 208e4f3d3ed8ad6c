"""What a test is asked to do: Locust's options or its page's form → settings, and the payload for them.

Knows where options and the server's URL come from; nothing of the test that then runs.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from scorebench.folders import folder
from scorebench.options.settings import Settings, from_namespace
from scorebench.payloads.payload import Payload
from scorebench.plugin.lifecycle import open_files
from scorebench.plugin.users.user import ScoringUser
from scorebench.runs.prepare import payload_of

if TYPE_CHECKING:
    from locust.env import Environment

ELSEWHERE = Payload((b"",), (1,), "", "the locustfile's own")
"""Stands for the bodies of users that are not ours: one row a call, as far as we know."""


class Asked:
    """The options of an Environment, which its page may change from test to test."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._encoded: tuple[Settings, Payload] | None = None

    @property
    def options(self) -> Any:
        """Locust's, with ours among them."""
        return self._environment.parsed_options

    def settings(self) -> Settings:
        """The settings as they stand now: from the command line, or from Locust's page."""
        return from_namespace(self.options, self.host())

    def host(self) -> str | None:
        """The server's URL, from the command line, the page or a user class."""
        classes = self._environment.user_classes
        return self._environment.host or next((cls.host for cls in classes if cls.host), None)

    @property
    def needs_payload(self) -> bool:
        """Whether any user class posts payloads; a plain HttpUser brings its own."""
        return any(issubclass(cls, ScoringUser) for cls in self._environment.user_classes)

    @property
    def run_time_s(self) -> float | None:
        """--run-time, once it is ours."""
        return getattr(self.options, "scorebench_run_time", None)

    def take_over_run_time(self) -> None:
        """Keep Locust from counting --run-time, which it does from before the first call could leave.

        Under a name of ours the option also reaches the workers, whose schedules end with it.
        """
        self.options.scorebench_run_time, self.options.run_time = self.options.run_time, None

    def check(self, settings: Settings) -> None:
        """Raise InputError for whatever is wrong before anything is sent; encode the payload."""
        folder.check_parent(settings.report_dir, settings.run_time_s)
        open_files.make_room(self._users_a_process())
        if self.needs_payload:
            settings.credentials.load()  # what is missing is told now
            self.encode(settings)

    def _users_a_process(self) -> int:
        """As far as this process knows: users that Locust starts later, or elsewhere, are not among them."""
        users, processes = int(self.options.num_users or 1), self.options.processes
        if processes:
            return ceil(users / int(processes))
        return 0 if self.options.master else users

    def is_encoded(self, settings: Settings) -> bool:
        """Whether `payload` is what these settings ask for; always, where users bring their own."""
        return not self.needs_payload or (self._encoded is not None and self._encoded[0] == settings)

    def encode(self, settings: Settings) -> None:
        """Make the payload, unless it is there."""
        if not self.is_encoded(settings):
            self._encoded = settings, payload_of(settings)

    @property
    def payload(self) -> Payload | None:
        """The one that was encoded last."""
        return self._encoded[1] if self._encoded else None

    @property
    def bodies(self) -> int:
        """How many different bodies are sent: one pass over the data."""
        return len(self._encoded[1].bodies) if self._encoded else 1

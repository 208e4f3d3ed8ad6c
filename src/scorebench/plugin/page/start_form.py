"""What the start form of Locust's page sent, checked before Locust acts on it.

Knows the form's fields; `settings` knows what they mean. Locust casts each by the type of the value
before it, answers with a bare 500 to what can't be cast, and starts before anybody has looked at the rest.
"""

from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flask import jsonify, request
from locust.runners import STATE_RUNNING, STATE_SPAWNING
from locust.util.timespan import parse_timespan

from scorebench.errors import InputError
from scorebench.options.form_rules import as_fields, refuse_what_is_no_field
from scorebench.options.names import name_in
from scorebench.options.settings import Settings
from scorebench.options.table import OPTIONS

if TYPE_CHECKING:
    from scorebench.plugin.lifecycle.run import Run

logger = logging.getLogger("scorebench")


def checked(run: Run, locusts_own: Callable[[], Any]) -> Callable[[], Any]:
    """Locust's view of POST /swarm, which a wrong option does not reach: the form shows what is wrong."""
    begun = Namespace(**vars(run.environment.parsed_options), scorebench_host=run.asked.host())

    def swarm() -> Any:
        try:
            refuse_what_is_no_field(begun, request.form)
            _check(run, request.form)
        except InputError as error:
            logger.error("scorebench: %s", error)
            return jsonify({"success": False, "message": as_fields(str(error)), "host": run.environment.host})
        return locusts_own()

    return swarm


def _check(run: Run, form: Mapping[str, str]) -> None:
    runner = run.environment.runner
    if runner is None or runner.state in (STATE_RUNNING, STATE_SPAWNING):
        return  # the number of users changes, and nothing else
    run.check(_settings(run, form))
    _forget_what_was_cleared(run.environment.parsed_options, form)


def _settings(run: Run, form: Mapping[str, str]) -> Settings:
    """As they will be once Locust has taken the form over."""
    options = Namespace(**vars(run.environment.parsed_options))
    for name in _names(options):
        if name in form:
            setattr(options, name, form[name])
    if "run_time" in form:
        options.run_time = None
        with suppress(ValueError):  # Locust has its own words for what is no time
            options.run_time = parse_timespan(form["run_time"]) if form["run_time"] else None
    host = form.get("host", "").replace("<", "").replace(">", "")  # as Locust takes it
    return run.asked.settings_in(options, host or run.asked.host())


def _names(options: Namespace) -> list[str]:
    """The fields of our options."""
    return [name_in(options, option.name) for option in OPTIONS]


def _forget_what_was_cleared(options: Any, form: Mapping[str, str]) -> None:
    """An empty field is no value; Locust keeps the one before, or fails to cast it.

    It also cuts what it takes for a list at each comma: a header may hold one.
    """
    for name in (*_names(options), "run_time"):
        if form.get(name) == "" or (name in form and isinstance(getattr(options, name, None), list)):
            setattr(options, name, None)

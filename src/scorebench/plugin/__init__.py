"""scorebench inside Locust: import it in a locustfile, and every run leaves its tables and its folder.

The only place that imports Locust. `ScoringUser` is the user class that posts payloads; a locustfile with
other users needs the import alone.
"""

from __future__ import annotations

import logging
from typing import Any

import gevent
from locust import events
from locust.argument_parser import LocustArgumentParser

from scorebench.errors import InputError
from scorebench.options.table import OPTIONS
from scorebench.plugin.lifecycle import interrupt
from scorebench.plugin.lifecycle.run import Run, refuse
from scorebench.plugin.lifecycle.states import ImpossibleEvent
from scorebench.plugin.page import page
from scorebench.plugin.users import plain
from scorebench.plugin.users.session import set_session
from scorebench.plugin.users.user import ScoringUser

__all__ = ["ScoringUser", "install"]

logger = logging.getLogger("scorebench")


@events.init_command_line_parser.add_listener
def _add_options(parser: LocustArgumentParser, **_: Any) -> None:
    for option in OPTIONS:
        parser.add_argument(option.flag, include_in_web_ui=option.on_page, **option.arguments())


@events.init.add_listener
def _on_init(environment: Any, **_: Any) -> None:
    run = install(environment)
    interrupt.listen(run.interrupted)
    # The loop's clock stood still while all was imported: what Locust times next (--run-time beside
    # --autostart) would end that much too early.
    gevent.get_hub().loop.update_now()
    if environment.web_ui is not None:
        page.add(run, environment.web_ui)
        return  # its options come when its form is sent
    if not run.leads:
        return  # and a worker's with the order to spawn
    run.asked.take_over_run_time()
    run.listen_to_launcher()
    try:
        run.check()
    except InputError as error:
        refuse(error)


def install(environment: Any) -> Run:
    """Make scorebench listen to what happens in `environment`; for `locust` itself this is done at import."""
    set_session(environment, None)
    run = Run(environment)
    environment.scorebench = run
    hooks = environment.events
    plain.listen(environment)
    hooks.test_start.add_listener(lambda **_: _start(run))
    hooks.test_stopping.add_listener(lambda **_: run.stopping())
    hooks.test_stop.add_listener(lambda **_: run.stopped())
    hooks.reset_stats.add_listener(lambda **_: run.reset())
    # --reset-stats resets Locust's own at that moment, and fires no reset_stats for it.
    hooks.spawning_complete.add_listener(lambda **_: run.reset() if environment.reset_stats else None)
    hooks.quitting.add_listener(lambda **_: run.end())
    hooks.quit.add_listener(lambda **_: run.print_report())
    return run


def _start(run: Run) -> None:
    on_page = run.environment.web_ui is not None
    try:
        run.start(checked=not on_page)  # what the page sent was checked by nobody yet
    except InputError as error:
        if not on_page:
            refuse(error)
        logger.error("scorebench: %s", error)
        run.give_up(str(error))
    except ImpossibleEvent as error:
        logger.error("scorebench: this test sends nothing: %s", error)

"""scorebench inside Locust: import it in a locustfile, and every run leaves its tables and its folder.

The only package that imports Locust. `ScoringUser` is the user class that posts payloads; a locustfile with
other users needs the import alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gevent
from locust import events

from scorebench.errors import InputError
from scorebench.options.names import value_of
from scorebench.plugin.lifecycle import command_line, guard, in_advance, interrupt
from scorebench.plugin.lifecycle.refusing import refuse
from scorebench.plugin.lifecycle.run import Run
from scorebench.plugin.lifecycle.states import ImpossibleEvent
from scorebench.plugin.page import page
from scorebench.plugin.users import owners, plain
from scorebench.plugin.users.session import set_session
from scorebench.plugin.users.user import ScoringUser

if TYPE_CHECKING:
    from locust.event import EventHook

__all__ = ["ScoringUser", "install"]

logger = logging.getLogger("scorebench")

guard.install()
command_line.LINE.add_last(events.init_command_line_parser)
plain.hear(events.request)  # from now on: other listeners to init may send requests before ours is called


@events.init.add_listener
def _on_init(environment: Any, **_: Any) -> None:
    run = install(environment)
    # Users of ours are started at once, and wait for each other: what Locust warns of can't happen.
    logging.getLogger("locust.runners").addFilter(
        lambda record: "spawn rate is very high" not in str(record.msg)
    )
    interrupt.listen(lambda: run.interrupts.next(leads=run.leads))
    try:
        _prepare(run)
    finally:
        # The loop's clock stood still while all was imported, and what Locust times next (--run-time) would
        # end that much too early.
        gevent.get_hub().loop.update_now()


def _prepare(run: Run) -> None:
    environment = run.environment
    if run.asked.needs_payload and (environment.web_ui is not None or not run.leads):
        # The run's time counts from the order to start, which comes later. In a thread: a worker has greeted
        # its master already, which gives it up after three seconds without a heartbeat.
        gevent.get_hub().threadpool.apply(in_advance.import_for_rows)
    if environment.web_ui is not None:
        page.add(run, environment.web_ui)
        return  # its options come when its form is sent
    if not run.leads:
        return  # and a worker's with the order to spawn
    if warning := command_line.said_to_give_way(environment.parsed_options):
        logger.warning("scorebench: %s", warning)
    run.asked.take_over_run_time()
    run.listen_to_launcher()
    in_advance.pay(value_of(run.asked.options, "calls"))
    try:
        run.check()
    except InputError as error:
        refuse(error, environment.parsed_options)


@events.test_start.add_listener
def _on_start(environment: Any, **_: Any) -> None:
    """Locust as a library: it need not fire `init`."""
    if getattr(environment, "scorebench", None) is None:
        run = install(environment)
        run.others.open()
        _start(run)
        gevent.get_hub().loop.update_now()  # as for `init`


def install(environment: Any) -> Run:
    """Make scorebench listen to what happens in `environment`; for `locust` itself this is done at import."""
    set_session(environment, None)
    run = Run(environment)
    environment.scorebench = run
    hooks = environment.events
    _add_first(hooks.test_start, lambda **_: run.others.open())
    hooks.test_start.add_listener(lambda **_: _start(run))
    hooks.test_stopping.add_listener(lambda **_: run.stopping())
    hooks.test_stop.add_listener(lambda **_: owners.uninterrupted(run.stopped))
    hooks.reset_stats.add_listener(lambda **_: run.reset())
    # --reset-stats resets Locust's own at that moment, and fires no reset_stats for it.
    hooks.spawning_complete.add_listener(lambda **_: run.reset() if environment.reset_stats else None)
    _add_first(hooks.quitting, lambda **_: run.end())  # the last to be called: in reverse
    hooks.quit.add_listener(lambda **_: run.print_report())
    return run


def _add_first(hook: EventHook, listener: Callable[..., None]) -> None:
    """Add a listener that Locust calls before those that are there; where it goes in reverse, after them."""
    hook._handlers.insert(0, listener)


def _start(run: Run) -> None:
    on_page = run.environment.web_ui is not None
    try:
        run.start(checked=not on_page)  # what the page sent was checked by nobody yet
    except InputError as error:
        if not on_page:
            refuse(error, run.asked.options)
        logger.error("scorebench: %s", error)
        run.give_up(str(error))
    except ImpossibleEvent as error:
        logger.error("scorebench: this test sends nothing: %s", error)

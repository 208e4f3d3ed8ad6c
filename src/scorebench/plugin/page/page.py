"""The tab in Locust's web page, the same on a page of its own, and the files that runs left.

Knows Flask and Locust's WebUI; what is shown is `report.board`'s, as texts that the browser puts in place.
Locust's page is a program in the browser whose tabs hold tables alone and stop with the run. So it is given
a tab without a table, and a script of ours that fills it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Blueprint, Flask, Response, abort, jsonify, make_response, request, send_from_directory

from scorebench.figures.last_minutes import LastMinutes
from scorebench.figures.summary import summarise
from scorebench.folders.names import CALLS, PAGE, RECORDING, SECONDS, SUMMARY, USERS
from scorebench.options.names import value_of
from scorebench.plugin.lifecycle.command_line import LINE
from scorebench.plugin.page import guard, start_form
from scorebench.report.board import board
from scorebench.verdicts.verdict import judge, limits_of

if TYPE_CHECKING:
    from locust.web import WebUI

    from scorebench.plugin.lifecycle.run import Run

View = Callable[..., Any]

NAME = "scorebench"
WEB = Path(__file__).with_name("web")
SHOWN = (PAGE, SUMMARY, USERS, SECONDS, RECORDING, CALLS)
"""Files of a run's folder that are served, in the order of their links."""
FRESH_S = 0.5
"""Several browsers may ask: what was computed less than this ago is still true."""
OWN_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
RUN_POLICY = "sandbox allow-scripts allow-downloads allow-popups"
"""A report is a page of its own: nothing in it may act for the user who is logged in here."""


def add(run: Run, web_ui: WebUI) -> None:
    """Give Locust's page the tab, under whatever base path it is served, behind its login if it has one."""
    assert web_ui.app is not None
    guard.protect(web_ui, value_of(run.asked.options, "web_allowed_host"), start=f"{_base_path(web_ui)}/")
    LINE.on_form = True
    tab = Tab(run)
    run.environment.events.test_stop.add_listener(lambda **_: tab.remember())
    web_ui.app.register_blueprint(_blueprint(tab, web_ui))
    tabs = web_ui.template_args.setdefault("extended_tabs", [])
    tabs.append({"title": NAME, "key": NAME})
    _wrap(web_ui.app, "locust.index", _with_script)
    _wrap(
        web_ui.app, "locust.swarm", lambda own: web_ui.auth_required_if_enabled(start_form.checked(run, own))
    )


def _wrap(app: Flask, endpoint: str, wrapper: Callable[[View], View]) -> None:
    app.view_functions[endpoint] = wrapper(app.view_functions[endpoint])


def _with_script(own: View) -> View:
    """Locust's start page, with one line more."""

    def index() -> Any:
        page = own()
        # What is no text leads somewhere else: to the login.
        tag = f'<script src="./{NAME}/tab.js" defer></script></body>'
        return page.replace("</body>", tag) if isinstance(page, str) else page

    return index


def _blueprint(tab: Tab, web_ui: WebUI) -> Blueprint:
    assert web_ui.app is not None
    routes = Blueprint(NAME, __name__, url_prefix=f"{_base_path(web_ui)}/{NAME}")
    guarded = web_ui.auth_required_if_enabled
    routes.add_url_rule("/", "own_page", guarded(_own_page))
    routes.add_url_rule("/state", "state", guarded(lambda: jsonify(tab.state())))
    routes.add_url_rule("/runs/<name>/<file>", "file", guarded(tab.file))
    routes.add_url_rule("/metrics", "metrics", guarded(tab.metrics))
    for asset in ("tab.js", "tab.css"):  # hold nothing: before the login, as Locust's own
        routes.add_url_rule(f"/{asset}", asset.replace(".", "_"), _asset(asset))
    return routes


def _base_path(web_ui: WebUI) -> str:
    """Of --web-base-path, without a slash at its end."""
    assert web_ui.app is not None
    return (web_ui.app.blueprints["locust"].url_prefix or "").rstrip("/")


def _own_page() -> Response:
    response = make_response((WEB / "page.html").read_text(encoding="utf-8"))
    response.headers["Content-Security-Policy"] = OWN_POLICY
    return response


def _asset(name: str) -> View:
    return lambda: send_from_directory(WEB, name, max_age=0)


class Tab:
    """What the tab shows, and the folders of the runs of this process, by name."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._folders: dict[str, Path] = {}
        self._state: dict[str, Any] = {}
        self._fresh_until_s = 0.0
        self._last = LastMinutes()

    def remember(self) -> None:
        """A run ended: its files may be seen, and its last minutes, whether or not anybody looked before."""
        self._fresh_until_s = 0.0
        self._last.see_all(self._run.progress.so_far())
        if (results := self._run.results) is not None:
            self._folders[results.folder.name] = results.folder.absolute()

    def state(self) -> dict[str, Any]:
        """The run that goes on, or the last one, with links to what the runs left."""
        if time.monotonic() >= self._fresh_until_s:
            self._state = {"refused": self._run.refused, "board": self._board(), "runs": self._links()}
            self._fresh_until_s = time.monotonic() + FRESH_S
        return self._state

    def _board(self) -> dict[str, Any] | None:
        run, live = self._run, self._run.progress.look()
        if live is not None:
            known_s = run.progress.known_s()  # before the recording, which lacks what is counted from now on
            recording = run.progress.so_far()
            summary = summarise(recording, bounds=False)
            self._last.see(recording, known_s)
            verdict = judge(summary, recording, limits_of(recording), so_far=True)
            return board(summary, verdict, live, self._last)
        if run.results is None:
            return None
        return board(run.results.summary, run.results.verdict, None, self._last)

    def _links(self) -> list[dict[str, Any]]:
        """Latest first; `href` counts from the address of these routes."""
        return [
            {
                "name": name,
                "files": [
                    {"name": file, "href": f"runs/{quote(name)}/{file}"}
                    for file in SHOWN
                    if (folder / file).exists()
                ],
            }
            for name, folder in reversed(self._folders.items())
        ]

    def metrics(self) -> Response:
        """What the run that goes on, or the last one, has counted, for Prometheus."""
        from scorebench.telemetry.prometheus import exposed  # for those who ask

        recording = self._run.progress.so_far()
        text, content_type = exposed(recording, request.headers.get("Accept", ""))
        return Response(text, content_type=content_type)

    def file(self, name: str, file: str) -> Response:
        """A file that a run of this process left; whatever else is asked for is not there."""
        if name not in self._folders or file not in SHOWN:
            abort(404)
        response = send_from_directory(self._folders[name], file, max_age=0)
        response.headers["Content-Security-Policy"] = RUN_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

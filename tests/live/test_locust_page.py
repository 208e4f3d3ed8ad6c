"""Locust's page in a real browser: a run begun from its form, its figures, its report, its refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from tests.browser import browser, complaints
from tests.locust_form import fill, open_tab, until
from tests.locust_page import get, locust_page, post
from tests.scoring_server import Behaviour, Constant, replies, scoring_server

from scorebench.servers import ports
from scorebench.units import say_rate

pytestmark = pytest.mark.timeout(300)
HOSTILE = '<script>window.taken = 1</script><img src=x onerror="window.taken = 1">'
READ_TABLE = """
const tables = [...document.querySelectorAll(".scorebench table")];
const found = tables.find((one) => one.caption.innerText.startsWith(arguments[0]));
return [...(found ? found.tBodies[0].rows : [])].map((row) => [...row.cells].map((cell) => cell.innerText));
"""
LOGIN = '''
import flask
from flask_login import UserMixin, login_user
from locust import events
from scorebench.plugin import ScoringUser

class Caller(ScoringUser):
    """As it comes."""

class Somebody(UserMixin):
    id = "somebody"

@events.init.add_listener
def on_init(environment, **_):
    if environment.web_ui is None:
        return
    app, login = environment.web_ui.app, environment.web_ui.login_manager
    app.config["SECRET_KEY"] = "of this test"
    login.user_loader(lambda _: Somebody())
    environment.web_ui.auth_args = {"username_password_callback": "/bench/enter"}

    @app.route("/bench/enter", methods=["POST"])
    def enter():
        login_user(Somebody())
        return flask.redirect("/bench/")
'''


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[WebDriver]:
    with browser(tmp_path / "profile") as driver:
        yield driver


def calling(**behaviour: Any) -> Behaviour:
    return Behaviour(service=Constant(0.01), **behaviour)


def table(driver: WebDriver, title: str) -> dict[str, list[str]]:
    """A table of the tab: {first cell: the others}; read at once, since each second it may be drawn anew."""
    rows: list[list[str]] = driver.execute_script(READ_TABLE, title)
    return {first: others for first, *others in rows}


def wait_for_end(driver: WebDriver, reports: Path) -> dict[str, Any]:
    """summary.json of the run, once the tab says that it ended."""
    until(lambda: "Ended: " in driver.find_element(By.CLASS_NAME, "scorebench").text, "the end")
    until(lambda: "report.html" in driver.find_element(By.CLASS_NAME, "scorebench").text, "the links")
    (path,) = (path for path in reports.glob("*/summary.json") if not path.parent.is_symlink())
    summary: dict[str, Any] = json.loads(path.read_text())
    return summary


def assert_same(driver: WebDriver, summary: dict[str, Any]) -> None:
    """Each figure in the tab is the one in summary.json; times stand there in seconds."""
    outcomes = {name: int(row[0].replace(",", "")) for name, row in table(driver, "Calls").items()}
    assert outcomes == summary["outcomes"]
    times = table(driver, "Times")
    for name in ("mean", "min", "p50", "p95", "max"):
        known = summary["service_time_s"].get(name)
        if known is None and name == "p95":  # on a slow machine calls may be too few: the cell is empty
            assert times[name][0] == ""
        else:
            assert float(times[name][0]) == pytest.approx(known * 1e3, rel=1e-3)
    users = [row[3].replace(",", "") for row in table(driver, "Users").values()]
    assert [int(calls) for calls in users] == [user["calls"] for user in summary["users"]]
    cards = driver.find_element(By.CLASS_NAME, "scorebench-figures").text.replace(",", "")
    assert say_rate(summary["throughput_per_s"]).replace(",", "") in cards
    verdicts = driver.find_element(By.CLASS_NAME, "scorebench-verdicts").text
    assert ("not valid" not in verdicts) == summary["verdict"]["valid"]


def test_a_run_from_the_form_and_its_figures(tmp_path: Path, driver: WebDriver) -> None:
    """The tab moves while it runs, then holds the figures of summary.json, and leads to the report."""
    with scoring_server(calling()) as server, locust_page(tmp_path, server.url) as url:
        driver.get(f"{url}/")
        fill(driver, userCount="3", spawnRate="100", runTime="6s", limit="p95<5s, valid>50%")
        panel = open_tab(driver)
        until(lambda: "Running: " in panel.text and "met so far" in panel.text, "figures while it runs")
        first = until(lambda: table(driver, "Users")["0"][3], "the first user's calls")
        until(lambda: table(driver, "Users")["0"][3] != first, "more of them")
        summary = wait_for_end(driver, tmp_path / "reports")
        assert summary["calls"] == len([one for one in server.log() if one.number is not None])
        assert_same(driver, summary)
        assert not complaints(driver)
        driver.find_element(By.LINK_TEXT, "report.html").click()
        driver.switch_to.window(driver.window_handles[-1])
        until(lambda: "p99" in driver.find_element(By.TAG_NAME, "body").text, "the report")
        assert not complaints(driver)


def test_a_wrong_option_is_told_in_the_form(tmp_path: Path, driver: WebDriver) -> None:
    """The form says what is wrong and nothing is sent; set right, the same form starts the run."""
    with scoring_server(calling()) as server, locust_page(tmp_path, server.url) as url:
        driver.get(f"{url}/")
        fill(driver, userCount="1", spawnRate="100", rowsPerCall="0")
        lists = [Select(one) for one in driver.find_elements(By.TAG_NAME, "select")]
        assert [one.first_selected_option.text for one in lists] == ["split", "none"]
        assert all(choice.text for one in lists for choice in one.options)
        alert = until(lambda: driver.find_element(By.CSS_SELECTOR, "[role=alert]").text, "the refusal")
        assert "Rows Per Call 0: expected a whole number of at least 1" in alert
        assert not [one for one in server.log() if one.number is not None]
        fill(driver, rowsPerCall="2")
        until(lambda: [one for one in server.log() if one.number is not None], "the first call")
        post(f"{url}/stop")
        open_tab(driver)
        summary = wait_for_end(driver, tmp_path / "reports")
        assert summary["rows"] == 2 * summary["valid"] > 0


def test_a_script_in_an_answer_stays_text(tmp_path: Path, driver: WebDriver) -> None:
    """A server whose errors are script tags: the tab shows them as text, and none of it ran."""
    hostile = replies.Reply(status=500, body=HOSTILE.encode())
    with scoring_server(calling(script={3: hostile})) as server, locust_page(tmp_path, server.url) as url:
        driver.get(f"{url}/")
        fill(driver, userCount="1", spawnRate="100", runTime="2s")
        open_tab(driver)
        wait_for_end(driver, tmp_path / "reports")
        assert HOSTILE in table(driver, "Calls")["model error"][2]
        assert driver.execute_script("return window.taken === undefined")
        driver.get(f"{url}/scorebench/")
        until(lambda: HOSTILE in table(driver, "Calls")["model error"][2], "the same on the page of its own")
        assert driver.execute_script("return window.taken === undefined")
        assert not complaints(driver)


def test_behind_a_login_and_under_a_base_path(tmp_path: Path, driver: WebDriver) -> None:
    """Nobody sees figures or files before the login; after it the tab works under /bench."""
    locustfile = tmp_path / "behind_login.py"
    locustfile.write_text(LOGIN)
    with (
        scoring_server(calling()) as server,
        locust_page(tmp_path, server.url, "--web-login", base_path="/bench", locustfile=locustfile) as url,
    ):
        for path in ("scorebench/", "scorebench/state", "scorebench/runs/any/summary.json"):
            assert "window.authArgs" in get(f"{url}/{path}")[1], path
        driver.get(f"{url}/")
        until(lambda: driver.find_element(By.NAME, "username"), "the login").send_keys("somebody")
        driver.find_element(By.NAME, "password").send_keys("secret")
        driver.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
        fill(driver, userCount="2", spawnRate="100", runTime="2s")
        open_tab(driver)
        assert_same(driver, wait_for_end(driver, tmp_path / "reports"))
        href = driver.find_element(By.LINK_TEXT, "summary.json").get_attribute("href")
        assert href is not None
        assert href.startswith(f"{url}/scorebench/runs/")
        assert "window.authArgs" in get(href)[1], "a file was served without a login"


def test_with_workers(tmp_path: Path, driver: WebDriver) -> None:
    """Two processes: the users of both are in the tab, while it runs and at the end."""
    port = str(ports.claim(0))
    words = ["--processes", "2", "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
    with (
        scoring_server(calling()) as server,
        locust_page(tmp_path, server.url, *words, "--master-port", port) as url,
    ):
        until(lambda: json.loads(get(f"{url}/worker-count")[1])["worker_count"] == 2, "both workers")
        driver.get(f"{url}/")
        fill(driver, userCount="4", spawnRate="100", runTime="8s")
        open_tab(driver)
        until(
            lambda: set(table(driver, "Users")) == {"0.0", "0.1", "1.0", "1.1"}, "four users on two workers"
        )
        summary = wait_for_end(driver, tmp_path / "reports")
        assert_same(driver, summary)
        assert summary["calls"] == len([one for one in server.log() if one.number is not None])

"""A page elsewhere, open in the owner's browser, tries to use Locust's page: it starts and reads nothing."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.support.ui import WebDriverWait
from tests.browser import browser
from tests.locust_page import get, locust_page, post
from tests.scoring_server import Behaviour, Constant, scoring_server

pytestmark = pytest.mark.timeout(300)
ATTACK = """<!doctype html><title>prizes</title><body><iframe name="hidden"></iframe><script>
const page = "PAGE", body = "user_count=2&spawn_rate=100&host=" + encodeURIComponent("VICTIM");
const form = {method: "POST", body, headers: {"Content-Type": "application/x-www-form-urlencoded"}};
const tries = [];
for (const route of ["/swarm", "/stop", "/stats/reset", "/scorebench/state", "/stats/requests", "/logs", "/"])
  for (const mode of ["cors", "no-cors"])
    for (const options of [{}, form])
      tries.push(fetch(page + route, {...options, mode}).then((answer) => answer.text()).catch(() => ""));
const sent = document.createElement("form");
sent.method = "POST"; sent.action = page + "/swarm"; sent.target = "hidden";
for (const [name, value] of new URLSearchParams(body)) {
  const field = document.createElement("input");
  field.name = name; field.value = value; sent.append(field);
}
document.body.append(sent);
sent.submit();
for (const kind of ["img", "script", "iframe"])
  for (const route of ["/stop", "/stats/requests", "/"]) {
    const part = document.createElement(kind);
    part.src = page + route;
    document.body.append(part);
  }
Promise.all(tries).then((texts) => setTimeout(() => { window.read = texts.join(""); }, 2000));
</script>"""


@contextmanager
def site(folder: Path) -> Iterator[str]:
    """A site of somebody else's: another port, and so another origin."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.mark.parametrize("base_path", ["", "/load"])
def test_a_page_elsewhere_tries_each_route(tmp_path: Path, base_path: str) -> None:
    """By script, form, picture and frame: no call is sent, nothing is read; the owner's own page works."""
    with (
        scoring_server(Behaviour(service=Constant(0.01))) as server,
        locust_page(tmp_path, server.url, base_path=base_path) as url,
        site(tmp_path) as elsewhere,
        browser(tmp_path / "profile") as driver,
    ):
        (tmp_path / "attack.html").write_text(ATTACK.replace("PAGE", url).replace("VICTIM", server.url))
        driver.get(f"{elsewhere}/attack.html")
        read = WebDriverWait(driver, 60).until(
            lambda d: d.execute_script("return window.read === undefined ? null : [window.read]")
        )
        assert read == [""]
        assert json.loads(get(f"{url}/stats/requests")[1])["state"] == "ready"
        assert not [record for record in server.log() if record.number is not None]
        assert post(f"{url}/swarm", user_count=1, spawn_rate=100, run_time="1s", host=server.url)["success"]
        driver.get(f"{url}/")
        assert "Locust" in driver.title
        shown = "return fetch('./stats/requests').then((answer) => answer.status)"
        assert driver.execute_script(shown) == 200

"""A page elsewhere, open in the owner's browser, tries to use Locust's page: it starts and reads nothing."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from getpass import getuser
from pathlib import Path

import pytest
from selenium.webdriver.support.ui import WebDriverWait
from tests.browser import browser
from tests.locust_page import get, locust_page
from tests.nginx import nginx_with
from tests.scoring_server import Behaviour, Constant, scoring_server

from scorebench.servers import ports

pytestmark = pytest.mark.timeout(300)
ATTACK = """<!doctype html><title>prizes</title><body><iframe name="hidden"></iframe><script>
const page = "PAGE", body = "user_count=2&spawn_rate=100&host=" + encodeURIComponent("VICTIM");
const form = {method: "POST", body, headers: {"Content-Type": "application/x-www-form-urlencoded"}};
const tries = [];
for (const route of ROUTES)
  for (const mode of ["cors", "no-cors"])
    for (const options of [{}, form])
      tries.push(fetch(page + route, {...options, mode}).then((answer) => answer.text()).catch(() => ""));
const sent = document.createElement("form");
sent.method = "POST"; sent.action = page + "SWARM"; sent.target = "hidden";
for (const [name, value] of new URLSearchParams(body)) {
  const field = document.createElement("input");
  field.name = name; field.value = value; sent.append(field);
}
document.body.append(sent);
sent.submit();
for (const kind of ["img", "script", "iframe"])
  for (const route of ROUTES) {
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


LISTING = """
from scorebench.locustfile import *
from locust import events

@events.init.add_listener
def tell(environment, **_):
    app = environment.web_ui.app
    app.add_url_rule("/routes", "mine", lambda: "\\n".join(one.rule for one in app.url_map.iter_rules()))
"""
"""Has a route of its own, which names each that there is: Locust's, ours and this."""
PROXY = """
daemon off; user {user}; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {behind}; }}
  }}
}}
"""


@contextmanager
def proxy(folder: Path, behind: str) -> Iterator[str]:
    """nginx as it comes: it puts the address behind it in place of the host that was asked for."""
    port = ports.claim(0)
    folder.mkdir()
    with nginx_with(folder, PROXY.format(folder=folder, port=port, behind=behind, user=getuser())):
        yield f"http://load.localhost:{port}"


@pytest.mark.parametrize(
    ("base_path", "is_behind_a_proxy"), [("", False), ("/load", False), ("/load", True)], ids=str
)
def test_a_page_elsewhere_tries_each_route(tmp_path: Path, base_path: str, is_behind_a_proxy: bool) -> None:
    """By script, form, picture and frame: no call is sent, nothing is read; the owner's own page works."""
    locustfile = tmp_path / "listing.py"
    locustfile.write_text(LISTING)
    words = ["--web-allowed-host", "load.localhost"]
    with (
        scoring_server(Behaviour(service=Constant(0.01))) as server,
        locust_page(tmp_path, server.url, *words, base_path=base_path, locustfile=locustfile) as direct,
        ExitStack() as stack,
        site(tmp_path) as elsewhere,
        browser(tmp_path / "profile") as driver,
    ):
        root = direct.removesuffix(base_path)
        routes = {re.sub("<.*?>", "x", rule) for rule in get(f"{root}/routes")[1].splitlines()}
        assert {f"{base_path}/swarm", f"{base_path}/stop", f"{base_path}/scorebench/state"} <= routes, routes
        if is_behind_a_proxy:
            root = stack.enter_context(proxy(tmp_path / "nginx", root))
        url = root + base_path
        attack = ATTACK.replace("ROUTES", json.dumps(sorted(routes))).replace("SWARM", f"{base_path}/swarm")
        (tmp_path / "attack.html").write_text(attack.replace("PAGE", root).replace("VICTIM", server.url))
        driver.get(f"{elsewhere}/attack.html")
        read = WebDriverWait(driver, 60).until(
            lambda d: d.execute_script("return window.read === undefined ? null : [window.read]")
        )
        assert read == [""]
        assert json.loads(get(f"{direct}/stats/requests")[1])["state"] == "ready"
        assert not [record for record in server.log() if record.number is not None]
        driver.get(f"{url}/")
        assert "Locust" in driver.title
        started = driver.execute_async_script(START, server.url)
        assert started["success"], started
        shown = "return fetch('./stats/requests').then((answer) => answer.status)"
        assert driver.execute_script(shown) == 200
        server.wait_for_calls(5, timeout_s=30)


START = """
const [host, done] = arguments;
const body = new URLSearchParams({user_count: "1", spawn_rate: "100", run_time: "8s", host});
fetch("./swarm", {method: "POST", body}).then((answer) => answer.json()).then(done);
"""
"""As the owner's page does it."""

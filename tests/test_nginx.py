"""The real nginx before a scoring server: TLS, a path prefix, a key in a header, a password, mutual TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path

import pytest

from scorebench.servers import ports
from tests.commands import scorebench
from tests.nginx import nginx_with
from tests.scoring_server import Certificates, certificates, scoring_server

KEY, BOTH = "key-of-the-gateway-0123", "me:a-password-0123"
CONFIG = """
daemon off; user {user}; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {server}; ssl_certificate_key {server};
    ssl_client_certificate {client_ca}; ssl_verify_client on;
    location /models/wine/ {{
      if ($http_x_api_key != "{key}") {{ return 401; }}
      if ($host != "wine.example") {{ return 404; }}
      auth_basic "wine"; auth_basic_user_file {folder}/users;
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass http://127.0.0.1:{behind}/;
    }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, papers: Certificates, client: Certificates, behind: int) -> Iterator[int]:
    """Its port; it asks for all of them at once."""
    port = ports.claim(0)
    (folder / "users").write_text(f"me:{{PLAIN}}{BOTH.partition(':')[2]}\n")
    paths = {"server": papers.server, "client_ca": client.ca, "folder": folder}
    values = {"port": port, "behind": behind, "key": KEY, "user": getuser()}
    with nginx_with(folder, CONFIG.format(**paths, **values)):
        yield port


@pytest.mark.parametrize("missing", [None, "--cert", "--basic-env"])
def test_nginx_lets_in_who_has_it_all(tmp_path: Path, missing: str | None) -> None:
    """With certificate, key, password and host each call is scored; without one of them none is."""
    folders = [tmp_path / name for name in ("gateway", "server", "client", "run")]
    for folder in folders:
        folder.mkdir()
    place, papers, mine = folders[0], certificates(folders[1]), certificates(folders[2], "client.example")
    given = {
        "--cert": str(mine.server),
        "--header-env": "X-Api-Key=KEY",
        "--basic-env": "BOTH",
        "--header": "Host: wine.example",
    }
    words = [word for flag, value in given.items() if flag != missing for word in (flag, value)]
    with scoring_server() as behind, nginx(place, papers, mine, behind.port) as port:
        url = f"https://localhost:{port}/models/wine/invocations"
        asked = ["--ca-file", str(papers.ca), "--users", "2", "--calls", "20", *words]
        done = scorebench(folders[3], "run", url, *asked, KEY=KEY, BOTH=BOTH)
        scored = len(behind.log())
    outcomes = done.summary["outcomes"]
    assert (scored, sum(outcomes.values())) == (0 if missing else 20, 20), done.err
    assert set(outcomes) == {{None: "valid", "--cert": "rejected"}.get(missing, "unauthorized")}
    left = [path.read_bytes() for path in folders[3].rglob("*") if path.is_file()]
    secrets = (KEY.encode(), BOTH.partition(":")[2].encode())
    assert not [content for content in left for secret in secrets if secret in content]

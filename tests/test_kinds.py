"""The table of kinds of servers: docs and compose agree with it, and a new kind needs nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scorebench import cli, servers
from scorebench.errors import InputError
from scorebench.models.flavors import FLAVORS, served
from scorebench.servers import compose, hosting
from scorebench.servers.kinds import KINDS
from tests.commands import ROOT
from tests.own_server import MINE, OwnServer

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
MLMODEL = """\
flavors: {python_function: {loader_module: none}}
signature: {inputs: '[{"type": "double", "name": "x"}]', outputs: null}
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kind of the test's own in the table, and a model for it to serve; commands run in `tmp_path`."""
    monkeypatch.setitem(KINDS, MINE.name, MINE)
    monkeypatch.setattr(OwnServer, "last", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text(MLMODEL)
    return tmp_path / "model"


def test_a_new_kind_is_run_by_its_name(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """From `scorebench run mine` to the report: brought up, asked 20 times, described, stopped."""
    words = ["--model", str(model), "--workers", "3", "--users", "2", "--calls", "20"]
    assert cli.main(["run", "mine", *words]) == 0
    assert OwnServer.last is not None
    assert (OwnServer.last.calls, OwnServer.last.wanted.workers) == (20, 3)
    assert OwnServer.last.wanted.port == MINE.port
    out = capfd.readouterr().out
    assert re.search(r"^mine http://127\.0\.0\.1:\d+ \(workers 3\)", out, re.MULTILINE)
    (path,) = Path("reports").glob("2*-mine")
    told = json.loads((path / "summary.json").read_text())["environment"]["server"]
    assert (told["kind"], told["model"]) == ("mine", str(model))


def test_a_new_kind_is_served_by_its_name(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`scorebench serve mine` says where, until the server ends: with its status and its log."""
    monkeypatch.setattr(OwnServer, "looks", 2)
    assert cli.main(["serve", "mine", "--model", str(model), "--port", "0"]) == 1
    said = capsys.readouterr()
    assert re.match(r"mine is ready on http://127\.0\.0\.1:\d+; press Ctrl-C to stop it\n", said.out)
    assert "mine ended with status 7" in said.err
    assert "mine has said nothing" in said.err


def test_a_new_kind_has_a_row_in_the_matrix(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Under its title, with every flavor that was asked for; a demo model is there already."""
    model.parent.joinpath(".models").mkdir()
    model.rename(model.parent / ".models" / "sklearn")
    words = ["--servers", "mine", "--flavors", "sklearn", "-t", "2s", "--warm-up", "1s"]
    assert cli.main(["matrix", *words]) == 0
    assert re.search(r"^\| Mine +\| OK ", capfd.readouterr().out, re.MULTILINE)


def test_a_new_kind_is_listed(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the help of each command that takes a server, with its port; and where a name is mistyped."""
    for command in ("run", "capacity", "serve", "matrix"):
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        shown = " ".join(capsys.readouterr().out.split())
        assert "mine" in shown
        assert f", {MINE.port})" in shown
    assert cli.main(["run", "mein"]) == 2
    assert "mine" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"expected one of webserver, docker, sagemaker, (.*, )?mine"):
        servers.create("mein", model_uri="m")


def test_each_kind_has_a_port_of_its_own() -> None:
    """5001, 5002, 5003 and on, all on this machine alone; the command that gives no --port gets them."""
    endpoints = [servers.create(name, model_uri="m").endpoint for name in KINDS]
    assert endpoints[:3] == ["http://127.0.0.1:5001", "http://127.0.0.1:5002", "http://127.0.0.1:5003"]
    assert endpoints == [f"http://127.0.0.1:{kind.port}" for kind in KINDS.values()]
    assert len(set(endpoints)) == len(KINDS)
    assert [name for name, kind in KINDS.items() if name != kind.name] == []


def test_docs_list_the_kinds() -> None:
    """docs/servers.md has a row for each, with the words of its record."""
    rows = [f"| `{one.name}` | {one.about} | {one.port} | {one.needs} |" for one in KINDS.values()]
    assert "\n".join(rows) in (ROOT / "docs" / "servers.md").read_text()


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.image() is not None])
def test_compose_serves_each_kind_on_its_port(name: str) -> None:
    """docker-compose.yml: its profile, the image that `images build` names, its port, SageMaker's times."""
    service = COMPOSE["services"][name]
    assert service["profiles"] == [name]
    assert service["image"].startswith(f"scorebench-{name}:")
    port = f"127.0.0.1:${{{name.upper()}_PORT:-{KINDS[name].port}}}:{hosting.CONTAINER_PORT}"
    assert service["ports"] == [port]
    check = service["healthcheck"]
    assert check["start_period"] == f"{hosting.READY_WITHIN_S:g}s"
    assert check["timeout"] == f"{hosting.PING_TIMEOUT_S:g}s"


def test_images_build_leaves_its_line_for_compose(tmp_path: Path) -> None:
    """The variable that docker-compose.yml asks for; lines of somebody else stay, and ours comes once."""
    variables = tmp_path / compose.VARIABLES
    variables.write_text("WORKERS=2")
    compose._say_built(variables)
    compose._say_built(variables)
    assert variables.read_text() == f"WORKERS=2\n{compose.BUILT}\n"
    name = compose.BUILT.partition("=")[0]
    assert COMPOSE["x-images"].startswith(f"${{{name}:?the images are not built yet; run make up")


def test_an_image_that_nobody_builds_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["images", "build", "serverweb"]) == 2
    assert capsys.readouterr().err == (
        "scorebench: images build serverweb: no such image; expected one of webserver, docker, sagemaker\n"
    )


def test_compose_has_a_service_for_each_kind_with_an_image() -> None:
    """Besides Locust's two."""
    with_image = {name for name, kind in KINDS.items() if kind.image() is not None}
    assert (
        set(COMPOSE["services"]) - {"master", "worker"} == with_image >= {"webserver", "docker", "sagemaker"}
    )


def test_a_flavor_names_servers_and_formats_that_are_there() -> None:
    """What a record of a flavor points to exists; the command offers it."""
    from scorebench.payloads.formats import FORMATS

    for name, flavor in FLAVORS.items():
        assert name == flavor.name
        assert flavor.only_served_by in (None, *KINDS)
        assert flavor.only_format in (None, *FORMATS)
    assert served() == ("sklearn", "spark", "mleap")

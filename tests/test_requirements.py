"""What a machine lacks skips a test with its reason, or fails it where everything is required."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import requirements
from tests.requirements import browser, docker_engine, java, module, program, require, shared


@pytest.fixture(autouse=True)
def _nothing_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCOREBENCH_REQUIRE", raising=False)


def test_found_lets_the_test_run() -> None:
    """What is there neither skips nor fails."""
    require("a thing", True, "none needed")


def test_missing_skips_with_its_reason() -> None:
    """What is missing skips, and the reason names it and its cure."""
    with pytest.raises(pytest.skip.Exception, match=r"needs a thing: get one"):
        require("a thing", False, "get one")


def test_missing_fails_where_all_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """SCOREBENCH_REQUIRE=all turns the skip into a failure."""
    monkeypatch.setenv("SCOREBENCH_REQUIRE", "all")
    with pytest.raises(pytest.fail.Exception, match=r"needs a thing: get one \(SCOREBENCH_REQUIRE=all\)"):
        require("a thing", False, "get one")
    require("another", True, "none needed")


def test_another_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that nobody knows would otherwise skip in silence."""
    monkeypatch.setenv("SCOREBENCH_REQUIRE", "docker")
    with pytest.raises(pytest.fail.Exception, match="'docker' is not known"):
        require("a thing", True, "none needed")


def test_one_thing_may_be_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """SCOREBENCH_REQUIRE='a browser,java' fails for a missing browser, and skips for what is not named."""
    monkeypatch.setenv("SCOREBENCH_REQUIRE", "a browser,java")
    with pytest.raises(pytest.fail.Exception, match="needs a browser"):
        require("a browser", False, "get one")
    with pytest.raises(pytest.skip.Exception, match="needs wrk"):
        require("wrk", False, "get one")


def test_programs_are_looked_up_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program is found by its name on the PATH, and skipped where the PATH lacks it."""
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program("tool") == str(tool)
    with pytest.raises(pytest.skip.Exception, match="needs other: install other"):
        program("other")


def test_a_module_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that nobody installed skips, and fails where all is required."""
    module("json")
    with pytest.raises(pytest.skip.Exception, match="needs the module no_such_module"):
        module("no_such_module")
    monkeypatch.setenv("SCOREBENCH_REQUIRE", "all")
    with pytest.raises(pytest.fail.Exception, match="needs the module no_such_module"):
        module("no_such_module")


def test_shared_files_may_be_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clone alone has no `shared` beside it."""
    (tmp_path / "here.csv").write_text("a\n1\n")
    monkeypatch.setattr(requirements, "SHARED", tmp_path)
    assert shared("here.csv") == tmp_path / "here.csv"
    with pytest.raises(pytest.skip.Exception, match=r"needs \.\./shared/gone\.csv"):
        shared("gone.csv")


def test_ipv6_is_tried_and_not_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where no socket of IPv6 can be had has none."""

    def refuse(family: int) -> None:
        raise OSError("address family not supported")

    monkeypatch.setattr("socket.socket", refuse)
    with pytest.raises(pytest.skip.Exception, match="needs IPv6"):
        requirements.ipv6()


def test_a_java_that_does_not_start_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stub named java on the PATH is not a Java; one that starts is."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    fake = tmp_path / "java"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    with pytest.raises(pytest.skip.Exception, match="needs java"):
        java()
    fake.write_text("#!/bin/sh\nexit 0\n")
    assert java() == str(fake)


def test_a_browser_needs_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chromium without chromedriver cannot be driven."""
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "chromium").touch(mode=0o755)
    with pytest.raises(pytest.skip.Exception, match="chromedriver"):
        browser()
    (tmp_path / "chromedriver").touch(mode=0o755)
    assert browser().binary == str(tmp_path / "chromium")


def test_an_engine_that_does_not_answer_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where no engine listens counts as no engine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(pytest.skip.Exception, match="needs a docker engine"):
        docker_engine()

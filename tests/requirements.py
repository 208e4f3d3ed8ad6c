"""What a test needs and a machine may lack: skipped with its reason, or failed where all is required.

Knows programs, engines and folders outside this repository; nothing of scorebench.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

VARIABLE = "SCOREBENCH_REQUIRE"
SHARED = Path(__file__).resolve().parents[2] / "shared"
KNOWN = (
    "all",
    "a browser",
    "a docker engine",
    "java",
    "mvn",
    "nginx",
    "wrk",
    "hey",
    "mlserver",
    "prometheus",
    "kube-apiserver",
)
OPTIONAL = ("-k6", "-vegeta", "-oha", "-kube-apiserver")
"""What may be left out of "all": programs that no package of Debian has."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Browser:
    """A browser that selenium can drive: its program and its driver's."""

    binary: str
    driver: str


def require(what: str, found: bool, cure: str) -> None:
    """End the running test here unless `what` was found.

    The test is skipped with a reason that names the cure. With SCOREBENCH_REQUIRE=all, or a list that has
    `what` in it ("a browser,java"), it fails instead, so that a machine which is meant to run everything
    cannot pass by running nothing. "all,-k6" is all but k6.
    """
    asked = os.environ.get(VARIABLE, "")
    names = [name for name in asked.split(",") if name]
    if unknown := [name for name in names if name not in KNOWN + OPTIONAL]:
        known = ", ".join(KNOWN + OPTIONAL)
        pytest.fail(f"{VARIABLE}={asked}: {unknown[0]!r} is not known; known are {known}", pytrace=False)
    if found:
        return
    reason = f"needs {what}: {cure}"
    if what in names or ("all" in names and f"-{what}" not in names):
        pytest.fail(f"{reason} ({VARIABLE}={asked})", pytrace=False)
    pytest.skip(reason)


def program(name: str, cure: str | None = None) -> str:
    """The path of a program on the PATH."""
    path = shutil.which(name)
    require(name, path is not None, cure or f"install {name} and have it on the PATH")
    assert path is not None
    return path


def module(name: str) -> None:
    """A Python module; those of the extra `spark` have a lock of their own."""
    found = importlib.util.find_spec(name) is not None
    require(f"the module {name}", found, "pip install --require-hashes -r locks/spark.txt, or the extra's")


def shared(relative: str) -> Path:
    """A file in the folder `shared` beside this repository, which a clone alone does not have."""
    path = SHARED / relative
    require(
        f"../shared/{relative}", path.exists(), "it lies beside the repository on the machines that have it"
    )
    return path


def java() -> str:
    """The path of a Java that starts. (A stub on the PATH that only says where to get one does not.)"""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which("java", path=f"{home}/bin") if home else None
    path = path or shutil.which("java")
    require("java", path is not None and _starts(path, "-version"), "install a JRE, 17 or newer")
    assert path is not None
    return path


def browser() -> Browser:
    """A Chromium or Chrome and its driver."""
    binary = next((path for path in map(shutil.which, BROWSERS) if path), None)
    driver = shutil.which("chromedriver")
    require(
        "a browser", bool(binary and driver), "install chromium and chromedriver (Debian: chromium-driver)"
    )
    assert binary is not None
    assert driver is not None
    return Browser(binary, driver)


def docker_engine() -> None:
    """A Docker engine that answers."""
    require(
        "a docker engine",
        _engine_answers(),
        "install scorebench[containers], start dockerd, be allowed to use it",
    )


def control_plane() -> None:
    """Kubernetes' own store and server, and what talks to them."""
    programs = ("etcd", "kube-apiserver", "kubectl")
    require(
        "kube-apiserver",
        all(map(shutil.which, programs)),
        "have it, etcd (Debian: etcd-server) and kubectl on the PATH; tests/live/kube_apiserver.sh builds it",
    )


def ipv6() -> None:
    """A loopback address of IPv6, which many containers lack."""
    require("IPv6", _can_bind("::1"), "sysctl net.ipv6.conf.lo.disable_ipv6=0")


def _can_bind(address: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind((address, 0))
    except OSError:
        return False
    return True


def _starts(path: str, *arguments: str) -> bool:
    try:
        return (
            subprocess.run([path, *arguments], capture_output=True, timeout=30, check=False).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _engine_answers() -> bool:
    try:
        import docker
    except ImportError:
        return False
    try:
        client = docker.from_env(timeout=5)
    except docker.errors.DockerException:
        return False
    try:
        return bool(client.ping())
    except (
        Exception
    ):  # requests' errors come through the SDK as they are: whatever it says, there is no engine
        return False
    finally:
        client.close()

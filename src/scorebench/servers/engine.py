"""The container engine: is there one, and does it let us in? Knows the Docker SDK; nothing of images."""

from __future__ import annotations

import os
from typing import Any

from scorebench import extras
from scorebench.errors import InputError

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"


def address() -> str:
    """Where the engine is: DOCKER_HOST, else the system's socket."""
    return os.environ.get("DOCKER_HOST") or DEFAULT_ADDRESS


def connect() -> Any:
    """A docker.DockerClient whose engine answered. InputError: no SDK, no engine, or one that refuses."""
    try:
        import docker
    except ImportError:
        raise InputError(f"containers need the Docker SDK; {extras.install('containers')}") from None
    import requests.exceptions  # the SDK's own dependency: some of its failures come as requests' errors

    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        raise InputError(_explain(error)) from None
    return client


def _explain(error: Exception) -> str:
    text = " ".join(str(error).split())[:300]
    if "Permission denied" in text or "PermissionError" in text:
        return (
            f"{address()}: the Docker engine refuses this user; add it to the group `docker` and log in "
            "again, or set DOCKER_HOST to an engine that is yours"
        )
    if " Client Error" in text:  # as requests has it: the engine answered, with a status from 400 to 499
        return f"{address()}: the Docker engine refuses ({text}); set DOCKER_HOST to one that lets you in"
    return f"{address()}: no Docker engine answers ({text}); start one, or set DOCKER_HOST to where it is"

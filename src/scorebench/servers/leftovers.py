"""A note on disk for each start of a server, so that the next one stops what a killed one left. Knows tokens.

Each start writes `<token>.json` into a folder of this user's before anything runs. The token is in the
environment of every process and the label of every container that is started: what is left is found by it,
and a process id that was given to somebody else is never touched.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import stat
import tempfile
from pathlib import Path

import psutil

from scorebench.errors import InputError
from scorebench.folders import atomic

TOKEN_VARIABLE = "SCOREBENCH_SERVER_TOKEN"  # noqa: S105 a name, not a secret
TOKEN_LABEL = "scorebench.token"  # noqa: S105

_log = logging.getLogger("scorebench.servers")

_FOLDER_VARIABLE = "SCOREBENCH_RUNTIME_DIR"


def runtime_folder() -> Path:
    """A folder that only this user can enter: SCOREBENCH_RUNTIME_DIR, else under XDG_RUNTIME_DIR or /tmp."""
    parent = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(os.environ.get(_FOLDER_VARIABLE) or Path(parent) / f"scorebench-{os.getuid()}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise InputError(
            f"{folder}: only this user may enter it (mode 700); remove it, or set {_FOLDER_VARIABLE}"
        )
    return folder


def register(kind: str, engine: str | None = None) -> str:
    """Note that this process starts a server; the token for its processes and containers.


    `engine` is the address of the container engine if containers are started (`unix:///…`).
    """
    token = secrets.token_hex(8)
    note = {"kind": kind, "owner": os.getpid(), "created": psutil.Process().create_time(), "engine": engine}
    atomic.write_text(_path(token), json.dumps(note))
    return token


def forget(token: str) -> None:
    """Everything of this token is stopped."""
    _path(token).unlink(missing_ok=True)


def stop_abandoned() -> list[str]:
    """Stop what starters left that are gone; one line for each, such as `webserver of process 4711`.

    Called before a start looks at its port: what was left over may hold it.
    """
    stopped = [line for path in sorted(runtime_folder().glob("*.json")) if (line := _settle(path))]
    for line in stopped:
        _log.warning("stopped a leftover server: %s", line)
    return stopped


def _path(token: str) -> Path:
    return runtime_folder() / f"{token}.json"


def _settle(path: Path) -> str | None:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
        kind, owner, created, engine = str(note["kind"]), int(note["owner"]), note["created"], note["engine"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # being removed by its owner, or no note of ours
    if _is_alive(owner, created):
        return None
    kill_processes(path.stem)
    if engine is not None and not remove_containers(path.stem, engine):
        return None  # the engine is away; the note stays for a later start
    path.unlink(missing_ok=True)
    return f"{kind} of process {owner}"


def _is_alive(pid: int, created: float) -> bool:
    try:
        return bool(abs(psutil.Process(pid).create_time() - created) < 1.0)
    except psutil.NoSuchProcess:
        return False


def kill_processes(token: str) -> None:
    processes = [process for process in psutil.process_iter() if _carries(process, token)]
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=5)


def _carries(process: psutil.Process, token: str) -> bool:
    try:
        return process.environ().get(TOKEN_VARIABLE) == token
    except (psutil.Error, OSError):
        return False


def remove_containers(token: str, engine: str) -> bool:
    try:
        import docker
    except ImportError:
        return False
    try:
        client = docker.from_env(environment=os.environ | {"DOCKER_HOST": engine}, timeout=30)
        for container in client.containers.list(all=True, filters={"label": f"{TOKEN_LABEL}={token}"}):
            container.remove(force=True, v=True)
    except (docker.errors.DockerException, OSError):
        return False
    return True

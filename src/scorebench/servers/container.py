"""One container that serves a model: start, watch, stop. Knows the Docker SDK; the spec says what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorebench import timings
from scorebench.errors import InputError
from scorebench.folders import atomic
from scorebench.folders.names import SERVER_LOG
from scorebench.servers import engine, images, leftovers, logs, mlmodel, ports, ready, settings
from scorebench.servers.cores import check_cpus
from scorebench.servers.hosting import CONTAINER_PORT, READY_WITHIN_S, STOPPED_WITHIN_S
from scorebench.servers.kinds import LOCAL, Wanted
from scorebench.servers.protocol import TAIL_LINES, Progress, ServerFailed, ServerInfo
from scorebench.servers.usage import ContainerUsage

if TYPE_CHECKING:
    from scorebench.recordings.types import Sample

STOP_TIMEOUT_UNSERVED_S = 1
TIMINGS_VARIABLE = "SCOREBENCH_TIMINGS"
TIMINGS_FOLDER = "/opt/scorebench-timings"
"""Where `scorebench.timings`, and nothing else of scorebench, is mounted for --timings."""
_MOST_CPUS = 10_000
_LEAST_MEMORY_BYTES = 6 * 2**20
"""The engine's own."""
_ASK_VERSIONS = """
import importlib.metadata as m, importlib.util as u, json, platform
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
has = {name: u.find_spec(name) is not None for name in ("uvloop", "httptools")}
print(json.dumps({"python": platform.python_version(), "mlflow": version("mlflow")} | has))
"""


@dataclass(frozen=True)
class ContainerSpec:
    """The differences between the container servers."""

    image: images.Recipe
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    mount_model_at: str | None = None
    """The folder in the container where the model is mounted read-only; None: the image holds it."""
    init: bool = False
    """An init process as PID 1, as `docker run --init`."""
    starts_timings: bool = False
    """The image itself starts `scorebench.timings` where TIMINGS_VARIABLE is set."""


class ContainerServer:
    """A model behind a container that is published on 127.0.0.1."""

    def __init__(self, spec: ContainerSpec, wanted: Wanted) -> None:
        _check_limits(wanted)
        self._spec = spec
        self._wanted = wanted
        self._port = wanted.port
        self._card: mlmodel.ModelCard | None = None
        self._container: Any = None
        self._token: str | None = None
        self._versions: Mapping[str, Any] = {}
        self._last_log = b""
        self._time_to_ready_s: float | None = None
        self._usage = ContainerUsage()

    @property
    def kind(self) -> str:
        return self._spec.image.kind

    @property
    def endpoint(self) -> str:
        return f"http://{ports.LOOPBACK}:{self._port}"

    def start(self, progress: Progress | None = None) -> None:
        """Build the image if it is not there (minutes), start the container."""
        images.require_mlflow()
        client = engine.connect()
        check_cpus(self._wanted.cpus)
        leftovers.stop_abandoned()
        self._port = ports.claim(self._port)
        folder = self._folder()
        model = mlmodel.local_copy(self._wanted.model_uri, folder)
        self._card = mlmodel.read_card(model)
        recipe = replace(self._spec.image, base_image=self._wanted.base_image)
        image = images.ensure(client, recipe, model, folder, progress)
        self._token = leftovers.register(self.kind, engine.address())
        self._run(client, image, model)

    def wait_ready(self, progress: Progress | None = None, timeout_s: float | None = None) -> None:
        self._time_to_ready_s = ready.wait(
            self.kind,
            host=ports.LOOPBACK,
            port=self._port,
            server=self,
            timeout_s=READY_WITHIN_S if timeout_s is None else timeout_s,
            progress=progress,
        )
        self._versions = self._ask_versions()  # now: later it would be part of what is measured

    def describe(self) -> ServerInfo:
        by_java = self._versions.get("java_server")
        image = None if self._container is None else self._container.image
        return ServerInfo(
            kind=self.kind,
            url=self.endpoint,
            model=self._wanted.model_uri,
            flavors=None if self._card is None else self._card.flavors,
            mlflow_version=None if by_java else self._versions.get("mlflow"),
            python_version=None if by_java else self._versions.get("python"),
            java_server_version=by_java,
            uvloop=None if by_java else self._versions.get("uvloop"),
            httptools=None if by_java else self._versions.get("httptools"),
            workers=None if by_java else self._wanted.workers,
            environment=settings.shown(self._environment(), self._wanted.environment),
            cpus=tuple(self._wanted.cpus) or None,
            cpu_limit=self._wanted.cpu_limit,
            memory_limit_bytes=self._wanted.memory_bytes,
            image=image.tags[0] if image is not None and image.tags else None,
            image_id=None if image is None else image.id,
            pids=self._pids(),
            container_ids=None if self._container is None else (self._container.id,),
            time_to_ready_s=self._time_to_ready_s,
        )

    def usage(self) -> list[Sample]:
        import docker
        import requests.exceptions

        if self._container is None:
            return []
        try:
            return self._usage.of(
                self._container.client.api.stats(self._container.id, stream=False, one_shot=True)
            )
        except (docker.errors.DockerException, requests.exceptions.RequestException):
            return []

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        if self._container is None:
            return logs.tail(self._last_log, lines)
        return logs.tail(self._container.logs(tail=lines + 20), lines)

    def alive(self) -> bool:
        return self._state() == "running"

    def exit_status(self) -> int | None:
        if self._container is None or self._state() not in ("exited", "dead"):
            return None
        return int(self._container.attrs["State"]["ExitCode"])

    def stop(self) -> None:
        if self._container is not None:
            self._stop_container(self._container)
            self._container = None
        if self._token is not None:
            if leftovers.remove_containers(self._token, engine.address()):
                leftovers.forget(self._token)
            self._token = None  # where the engine is out of reach the note stays, for a later start

    def _run(self, client: Any, image: str, model: Path) -> None:
        import docker

        try:
            options = self._options(model)
            if self._wanted.timings:
                options = with_timings(options, client.images.get(image), self._spec)
            self._container = client.containers.create(image, **options)
            self._container.start()
        except docker.errors.APIError as error:
            raise ServerFailed(
                f"{self.kind}: the engine did not start the container ({error.explanation})"
            ) from None

    def _stop_container(self, container: Any) -> None:
        """SIGTERM, and its log kept; what is left of it is removed by its label."""
        import docker
        import requests.exceptions

        # Before it serves it has nothing to finish, and a container's first process may not heed SIGTERM yet.
        served = self._time_to_ready_s is not None
        try:
            container.stop(timeout=STOPPED_WITHIN_S if served else STOP_TIMEOUT_UNSERVED_S)
            self._last_log = container.logs()
        except (docker.errors.DockerException, requests.exceptions.RequestException):
            return  # somebody else removed it, or the engine has gone
        log_folder = self._wanted.log_folder
        if log_folder is not None and log_folder.is_dir():  # a refused run's folder is gone
            with suppress(OSError):  # a full disk: the run's own line says so
                atomic.write_bytes(log_folder / SERVER_LOG, self._last_log)

    def _options(self, model: Path) -> dict[str, Any]:
        wanted, at = self._wanted, self._spec.mount_model_at
        options: dict[str, Any] = {
            "environment": self._environment(),
            "ports": {f"{CONTAINER_PORT}/tcp": (ports.LOOPBACK, self._port)},
            "volumes": {} if at is None else {str(model.resolve()): {"bind": at, "mode": "ro"}},
            "labels": {leftovers.TOKEN_LABEL: self._token},
            "cpuset_cpus": ",".join(map(str, wanted.cpus)) or None,
            "nano_cpus": None if wanted.cpu_limit is None else int(wanted.cpu_limit * 1e9),
            "mem_limit": wanted.memory_bytes,
            "init": self._spec.init,
            "detach": True,
        }
        return options | ({"command": list(self._spec.command)} if self._spec.command else {})

    def _environment(self) -> dict[str, str]:
        wanted = self._wanted
        own = {"MLFLOW_MODELS_WORKERS": str(wanted.workers), **self._spec.environment}
        return own | dict(wanted.environment)

    def _folder(self) -> Path:
        folder = self._wanted.log_folder or leftovers.runtime_folder()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _state(self) -> str:
        import docker
        import requests.exceptions

        if self._container is None:
            return "none"
        try:
            self._container.reload()
        except docker.errors.NotFound:
            return "removed"
        except (docker.errors.DockerException, requests.exceptions.RequestException):
            return "out of reach"  # the engine itself has gone, and its containers with it or not
        return str(self._container.status)

    def _ask_versions(self) -> Mapping[str, Any]:
        commands = self._container.top().get("Processes") or []
        if any("org.mlflow.sagemaker.ScoringServer" in " ".join(process) for process in commands):
            return {"java_server": self._container.image.labels.get("scorebench.mlflow-scoring")}
        status, output = self._container.exec_run(["python", "-c", _ASK_VERSIONS], stderr=False)
        try:
            return dict(json.loads(output)) if status == 0 else {}
        except (ValueError, TypeError):
            return {}

    def _pids(self) -> tuple[int, ...] | None:
        import docker
        import requests.exceptions

        if self._container is None or not self.alive():
            return None
        try:
            top = self._container.top()
        except (docker.errors.DockerException, requests.exceptions.RequestException):
            return None  # it has just ended
        column = top["Titles"].index("PID")
        return tuple(int(process[column]) for process in top["Processes"])


def with_timings(options: dict[str, Any], image: Any, spec: ContainerSpec) -> dict[str, Any]:
    """The options of a container whose server tells its stages; ServerFailed where nobody knows how.

    MLflow's images begin with `python -c CODE`; `python -m scorebench.timings -c CODE` does the same.
    """
    folder = Path(timings.__file__).parent.resolve()
    more: dict[str, Any] = {
        "environment": {**options["environment"], "PYTHONPATH": TIMINGS_FOLDER, TIMINGS_VARIABLE: "1"},
        "volumes": {
            **options["volumes"],
            str(folder): {"bind": f"{TIMINGS_FOLDER}/scorebench/timings", "mode": "ro"},
        },
    }
    if not spec.starts_timings:
        first, *rest = image.attrs["Config"]["Entrypoint"] or [""]
        if first != "python" or rest[:1] != ["-c"]:
            raise ServerFailed(
                f"{spec.image.kind}: --timings can't start an image whose entrypoint begins with {first!r}; "
                "run without it"
            )
        more["entrypoint"] = [first, "-m", timings.__name__, *rest]
    return options | more


def _check_limits(wanted: Wanted) -> None:
    for flag, value in (("--python", wanted.python), ("--env-manager", wanted.env_manager)):
        if value not in (None, LOCAL):
            raise InputError(f"{flag} {value}: the image brings its own Python; leave it out")
    cpu_limit, memory_bytes = wanted.cpu_limit, wanted.memory_bytes
    if cpu_limit is not None and not 0.01 <= cpu_limit <= _MOST_CPUS:
        raise InputError(f"--cpu-limit {cpu_limit:g}: expected a number of cores, such as 0.5")
    if memory_bytes is not None and memory_bytes < _LEAST_MEMORY_BYTES:
        raise InputError(f"--memory {memory_bytes // 2**20}: a container needs at least 6 MB")

"""MLflow's web server, `mlflow models serve`, as a local process. Knows its command line; loads no model."""

from __future__ import annotations

import importlib.util
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scorebench import extras, timings
from scorebench.errors import InputError
from scorebench.folders.names import SERVER_LOG
from scorebench.payloads.signature import read_mlmodel, read_text
from scorebench.servers import images, leftovers, mlmodel, ports, ready, settings
from scorebench.servers.cores import check_cpus
from scorebench.servers.images import Recipe
from scorebench.servers.interpreter import Interpreter, interpreter
from scorebench.servers.kinds import LOCAL, Wanted
from scorebench.servers.logs import tail_of_file
from scorebench.servers.mlmodel import ModelCard
from scorebench.servers.process import SupervisedProcess
from scorebench.servers.protocol import TAIL_LINES, Progress, ServerInfo
from scorebench.servers.usage import ProcessUsage

if TYPE_CHECKING:
    from scorebench.recordings.types import Sample

KIND = "webserver"
REQUIREMENTS = "requirements.txt"
"""What MLflow saves with a model: its packages, one a line."""
READY_TIMEOUT_S = 120.0
"""5 to 10 s is usual; a SparkML model on a busy machine took 42."""
READY_WITH_ENVIRONMENT_S = 1200.0
"""Where MLflow first installs the model's packages."""


def create(wanted: Wanted) -> WebServer:
    if wanted.cpu_limit is not None or wanted.memory_bytes is not None:
        raise InputError(f"{KIND}: a process has no CPU or memory limit; use --cpus, or the server `docker`")
    if wanted.timings and (wanted.python is not None or wanted.env_manager != LOCAL):
        raise InputError(
            f"--timings: needs scorebench beside {KIND}'s MLflow; leave out --python and --env-manager"
        )
    if wanted.base_image is not None:
        raise InputError(f"--base-image {wanted.base_image}: {KIND} has no image; leave it out")
    return WebServer(wanted)


class WebServer:
    """`mlflow models serve` on 127.0.0.1, by this Python or the one that was asked for."""

    kind = KIND

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._port = wanted.port
        self._cpus = tuple(wanted.cpus)
        self._process: SupervisedProcess | None = None
        self._card: mlmodel.ModelCard | None = None
        self._python: Interpreter | None = None
        self._time_to_ready_s: float | None = None
        self._usage = ProcessUsage()
        self._environment: dict[str, str] = {}

    @property
    def endpoint(self) -> str:
        return f"http://{ports.LOOPBACK}:{self._port}"

    @property
    def log(self) -> Path | None:
        """Where the server writes what it says; known after the start."""
        return None if self._process is None else self._process.log

    def start(self, progress: Progress | None = None) -> None:  # noqa: ARG002
        python = self._python = interpreter(self._wanted.python)
        if python.version("mlflow") is None:
            raise InputError(f"{KIND}: {python.path} has no MLflow; {extras.install('mlflow')}")
        folder = mlmodel.local_folder(self._wanted.model_uri)
        self._card = None if folder is None else mlmodel.read_card(folder)
        if self._wanted.env_manager == LOCAL:
            _check_packages(python, self._wanted.model_uri, folder)
        check_cpus(self._cpus)
        leftovers.stop_abandoned()
        self._port = ports.claim(self._port)
        command, self._environment = self._command(python.path), self._variables(python.path)
        self._process = SupervisedProcess(KIND, command, self._new_log(), self._environment, self._cpus)
        self._process.start()

    def wait_ready(self, progress: Progress | None = None, timeout_s: float | None = None) -> None:
        self._time_to_ready_s = ready.wait(
            KIND,
            host=ports.LOOPBACK,
            port=self._port,
            server=self,
            timeout_s=self._usual_timeout_s() if timeout_s is None else timeout_s,
            progress=progress,
            is_ours=lambda: self._process is not None and ports.is_held_by(self._port, self._process.pids()),
        )

    def _usual_timeout_s(self) -> float:
        return READY_TIMEOUT_S if self._wanted.env_manager == LOCAL else READY_WITH_ENVIRONMENT_S

    def describe(self) -> ServerInfo:
        # The packages of an environment that MLflow makes are not known here.
        python = self._python if self._wanted.env_manager == LOCAL else None
        return ServerInfo(
            kind=KIND,
            url=self.endpoint,
            model=self._wanted.model_uri,
            flavors=None if self._card is None else self._card.flavors,
            mlflow_version=None if python is None else python.version("mlflow"),
            python_version=None if python is None else python.python_version,
            uvloop=None if python is None else python.version("uvloop") is not None,
            httptools=None if python is None else python.version("httptools") is not None,
            workers=self._wanted.workers,
            environment=settings.shown(self._environment, self._wanted.environment),
            cpus=self._cpus or None,
            pids=None if self._process is None else self._process.pids(),
            time_to_ready_s=self._time_to_ready_s,
        )

    def usage(self) -> list[Sample]:
        return self._usage.of(() if self._process is None else self._process.pids())

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        return "" if self._process is None else tail_of_file(self._process.log, lines)

    def alive(self) -> bool:
        return self._process is not None and self._process.alive()

    def exit_status(self) -> int | None:
        return None if self._process is None else self._process.exit_status()

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()

    def _command(self, python: str) -> list[str]:
        mlflow = [timings.__name__, "mlflow"] if self._wanted.timings else ["mlflow"]
        serve = [python, "-m", *mlflow, "models", "serve", "--env-manager", self._wanted.env_manager]
        where = ["-h", ports.LOOPBACK, "-p", str(self._port), "-w", str(self._wanted.workers)]
        return [*serve, *where, "-m", self._wanted.model_uri]

    def _variables(self, python: str) -> dict[str, str]:
        return _environment(python) | dict(self._wanted.environment)

    def _new_log(self) -> Path:
        if self._wanted.log_folder is not None:
            return self._wanted.log_folder / SERVER_LOG
        return leftovers.runtime_folder() / f"{KIND}-{self._port}.log"


def _check_packages(python: Interpreter, model: str, folder: Path | None) -> None:
    """InputError for a package of the model that the Python that shall serve it lacks."""
    if missing := python.lacks(_requirements(model, folder).splitlines()):
        raise InputError(
            f"{model}: needs {', '.join(missing)}, which {python.path} lacks; install it there, name another "
            "with --python, or have MLflow make an environment with --env-manager uv"
        )


def _requirements(model: str, folder: Path | None) -> str:
    """The model's list of packages; "" where it has none. InputError where a URI leads to no model."""
    if folder is not None:
        return read_text(folder, REQUIREMENTS) or ""
    if importlib.util.find_spec("mlflow") is not None:  # else the server's MLflow alone can fetch it
        read_mlmodel(model)
        with suppress(InputError):
            return read_text(model, REQUIREMENTS) or ""
    return ""


def _environment(python: str) -> dict[str, str]:
    # MLflow finds `uvicorn` on the PATH; it must be the one of that environment, activated or not.
    path = os.pathsep.join([str(Path(python).absolute().parent), os.environ.get("PATH", os.defpath)])
    # A line a request would be the server's largest output, and part of what is measured.
    return {"UVICORN_ACCESS_LOG": "false"} | dict(os.environ) | {"PATH": path}


def _write_context(card: ModelCard, output: Path, recipe: Recipe) -> None:
    """docker-compose.yml runs it in a container."""
    text = (images.OURS / "webserver/Dockerfile").read_text()
    text = text.replace("ARG MLFLOW_VERSION\n", f"ARG MLFLOW_VERSION={images.mlflow_version()}\n")
    (output / "Dockerfile").write_text(
        text.replace(images.BASE_IMAGE, recipe.base_image or images.BASE_IMAGE)
    )
    images.write_model_environment(card, output / "model_env")


IMAGE = Recipe(kind=KIND, write=_write_context)

"""MLflow's web server, `mlflow models serve`, as a local process. Knows its command line; loads no model."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
from pathlib import Path

from scorebench import timings
from scorebench.errors import InputError
from scorebench.folders.names import SERVER_LOG
from scorebench.servers import images, leftovers, mlmodel, ports, ready
from scorebench.servers.cores import check_cpus
from scorebench.servers.images import Recipe
from scorebench.servers.kinds import Wanted
from scorebench.servers.logs import tail_of_file
from scorebench.servers.mlmodel import ModelCard
from scorebench.servers.process import SupervisedProcess
from scorebench.servers.protocol import TAIL_LINES, Progress, ServerInfo

KIND = "webserver"
READY_TIMEOUT_S = 120.0
"""5 to 10 s is usual; a SparkML model on a busy machine took 42."""


def create(wanted: Wanted) -> WebServer:
    if wanted.cpu_limit is not None or wanted.memory_bytes is not None:
        raise InputError(f"{KIND}: a process has no CPU or memory limit; use --cpus, or the server `docker`")
    return WebServer(wanted)


class WebServer:
    """`mlflow models serve --env-manager local` from this interpreter's environment, on 127.0.0.1."""

    kind = KIND

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._port = wanted.port
        self._cpus = tuple(wanted.cpus)
        self._process: SupervisedProcess | None = None
        self._card: mlmodel.ModelCard | None = None
        self._time_to_ready_s: float | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{ports.LOOPBACK}:{self._port}"

    @property
    def log(self) -> Path | None:
        """Where the server writes what it says; known after the start."""
        return None if self._process is None else self._process.log

    def start(self, progress: Progress | None = None) -> None:  # noqa: ARG002
        if importlib.util.find_spec("mlflow") is None:
            raise InputError(
                f"{KIND}: MLflow is not installed beside {sys.executable}; pip install 'scorebench[mlflow]'"
            )
        folder = mlmodel.local_folder(self._wanted.model_uri)
        self._card = None if folder is None else mlmodel.read_card(folder)
        check_cpus(self._cpus)
        leftovers.stop_abandoned()
        self._port = ports.claim(self._port)
        self._process = SupervisedProcess(KIND, self._command(), self._new_log(), _environment(), self._cpus)
        self._process.start()

    def wait_ready(self, progress: Progress | None = None, timeout_s: float | None = None) -> None:
        self._time_to_ready_s = ready.wait(
            KIND,
            host=ports.LOOPBACK,
            port=self._port,
            server=self,
            timeout_s=READY_TIMEOUT_S if timeout_s is None else timeout_s,
            progress=progress,
        )

    def describe(self) -> ServerInfo:
        return ServerInfo(
            kind=KIND,
            url=self.endpoint,
            model=self._wanted.model_uri,
            flavors=None if self._card is None else self._card.flavors,
            mlflow_version=importlib.metadata.version("mlflow"),
            python_version=platform.python_version(),
            uvloop=importlib.util.find_spec("uvloop") is not None,
            httptools=importlib.util.find_spec("httptools") is not None,
            workers=self._wanted.workers,
            cpus=self._cpus or None,
            pids=None if self._process is None else self._process.pids(),
            time_to_ready_s=self._time_to_ready_s,
        )

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        return "" if self._process is None else tail_of_file(self._process.log, lines)

    def alive(self) -> bool:
        return self._process is not None and self._process.alive()

    def exit_status(self) -> int | None:
        return None if self._process is None else self._process.exit_status()

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()

    def _command(self) -> list[str]:
        mlflow = [timings.__name__, "mlflow"] if self._wanted.timings else ["mlflow"]
        serve = [sys.executable, "-m", *mlflow, "models", "serve", "--env-manager", "local"]
        where = ["-h", ports.LOOPBACK, "-p", str(self._port), "-w", str(self._wanted.workers)]
        return [*serve, *where, "-m", self._wanted.model_uri]

    def _new_log(self) -> Path:
        if self._wanted.log_folder is not None:
            return self._wanted.log_folder / SERVER_LOG
        return leftovers.runtime_folder() / f"{KIND}-{self._port}.log"


def _environment() -> dict[str, str]:
    # MLflow finds `uvicorn` on the PATH; it must be the one of this environment, activated or not.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
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

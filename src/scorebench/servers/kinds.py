"""The kinds of servers that scorebench brings up, one record each. Knows their names and ports; starts none.

To add a kind, add its record to `KINDS` and a module with two names:

    create(wanted: Wanted) -> Server     the server that `wanted` describes, not yet started
    IMAGE: Recipe                        what docker-compose.yml runs; leave it out where there is no image
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from scorebench.errors import InputError

if TYPE_CHECKING:
    from scorebench.servers.images import Recipe
    from scorebench.servers.protocol import Server


LOCAL = "local"
ENV_MANAGERS = (LOCAL, "virtualenv", "uv")
"""MLflow's names. `local`: the packages are installed; the others make an environment for the model."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The server that is wanted, of any kind. None and (): no limit, or the kind's own default."""

    model_uri: str
    port: int
    """0: any free one."""
    workers: int = 1
    cpus: Sequence[int] = ()
    """The cores to pin it to."""
    cpu_limit: float | None = None
    """Cores' worth of CPU time that a container may use."""
    memory_bytes: int | None = None
    """The most memory that a container may use."""
    deployment_flavor: str | None = None
    """Which flavor of a model the SageMaker image scores; `mleap` or `python_function`."""
    base_image: str | None = None
    """What the container's image is built on."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for its processes, besides those that it gets anyway."""
    timings: bool = False
    """Start it so that it tells its stages in `Server-Timing`."""
    env_manager: str = LOCAL
    """One of ENV_MANAGERS: where the packages of a model come from that a process serves."""
    python: Path | None = None
    """The Python that runs that process; None: the one that runs scorebench."""
    log_folder: Path | None = None
    """Where its log is kept; None: the runtime folder."""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InputError(f"--workers {self.workers}: expected at least 1")
        if self.python is not None and self.env_manager != LOCAL:
            raise InputError(
                f"--python {self.python}: --env-manager {self.env_manager} makes an environment of its own; "
                "leave one of them out"
            )


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of server. `about` and `needs` are the words of docs/servers.md, in Markdown."""

    name: str
    """What you type."""
    title: str
    """What tables show."""
    port: int
    about: str
    needs: str
    module: str

    def create(self, wanted: Wanted) -> Server:
        """The server that `wanted` describes, not yet started."""
        server: Server = import_module(self.module).create(wanted)
        return server

    def image(self) -> Recipe | None:
        """What `scorebench images build` builds for docker-compose.yml; None: nothing."""
        return getattr(import_module(self.module), "IMAGE", None)


_RECORDS = (
    Kind(
        name="webserver",
        title="webserver",
        port=5001,
        about="`mlflow models serve`, a process on this machine",
        needs="the extra `mlflow`",
        module="scorebench.servers.web_server",
    ),
    Kind(
        name="docker",
        title="docker",
        port=5002,
        about="the image that `mlflow models generate-dockerfile` describes; the model is inside",
        needs="a Docker engine, the extras `mlflow` and `containers`",
        module="scorebench.servers.docker",
    ),
    Kind(
        name="sagemaker",
        title="SageMaker",
        port=5003,
        about="MLflow's SageMaker image, run as SageMaker runs it; the model is mounted",
        needs="a Docker engine, the extras `mlflow` and `containers`",
        module="scorebench.servers.sagemaker",
    ),
)
KINDS = {kind.name: kind for kind in _RECORDS}
"""By name, in the order in which they are listed."""


def names() -> str:
    """`webserver, docker, sagemaker`, for help and errors."""
    return ", ".join(KINDS)


def ports() -> str:
    """`5001, 5002, 5003`, for help."""
    return ", ".join(str(kind.port) for kind in KINDS.values())

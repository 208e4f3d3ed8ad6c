"""The demo models, one record each: how each is made, and what serves it. Makes none when it is imported."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

FOLDER = Path(".models")
"""Where `demo_model` keeps them, below the current folder."""


@dataclass(frozen=True, kw_only=True)
class Flavor:
    """One demo model. `module` and `function` make it in the folder that they are given."""

    name: str
    title: str
    """What tables show."""
    module: str
    function: str
    for_servers: bool = True
    """Whether `--flavor` offers it."""
    only_served_by: str | None = None
    """The one kind of server that can serve it; None: every kind."""
    deployment_flavor: str | None = None
    """The flavor of it that the SageMaker image scores; None: the model decides."""
    only_format: str | None = None
    """The one body format that its server takes in every version; None: all formats."""

    def make(self, folder: Path) -> None:
        """Write the model into `folder`."""
        getattr(import_module(self.module), self.function)(folder)


_RECORDS = (
    Flavor(name="sklearn", title="sklearn", module="scorebench.models.scikit_learn", function="make_sklearn"),
    Flavor(name="spark", title="SparkML", module="scorebench.models.spark", function="make_spark"),
    Flavor(
        name="mleap",
        title="MLeap",
        module="scorebench.models.mleap",
        function="make_mleap",
        only_served_by="sagemaker",
        deployment_flavor="mleap",
        only_format="split-1x",
    ),
    Flavor(
        name="mleap-spark",
        title="MLeap from SparkML",
        module="scorebench.models.mleap",
        function="make_mleap_spark",
        for_servers=False,
    ),
)
FLAVORS = {flavor.name: flavor for flavor in _RECORDS}
DEFAULT_FLAVOR = "sklearn"


def served() -> tuple[str, ...]:
    """The names that `--flavor` takes."""
    return tuple(flavor.name for flavor in FLAVORS.values() if flavor.for_servers)


def demo_model(name: str) -> Path:
    """The folder of the demo model of that flavor, which is made when it is first asked for."""
    folder = FOLDER / name
    if not (folder / "MLmodel").exists():
        print(f"making the {name} demo model in {folder}", file=sys.stderr, flush=True)
        FLAVORS[name].make(folder)
    return folder

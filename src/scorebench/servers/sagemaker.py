"""MLflow's SageMaker image, run as SageMaker runs it. Knows SageMaker's rules for a serving container."""

from __future__ import annotations

from scorebench.servers.container import ContainerSpec

KIND = "sagemaker"
PORT = 5003
MLEAP = "mleap"
MODEL_FOLDER = "/opt/ml/model"

PING_TIMEOUT_S = 2.0
READY_WITHIN_S = 240.0
STOPPED_WITHIN_S = 30.0
BODY_LIMIT_BYTES = 6_291_456
"""6 MiB: the largest body that a real-time endpoint takes."""


def spec(deployment_flavor: str | None = None) -> ContainerSpec:
    """deployment_flavor: `mleap` or `python_function`, for a model that has both; None: the model decides."""
    chosen = {} if deployment_flavor is None else {"MLFLOW_DEPLOYMENT_FLAVOR_NAME": deployment_flavor}
    return ContainerSpec(
        kind=KIND,
        command=("serve",),
        environment=chosen,
        mount_model_at=MODEL_FOLDER,
        with_requirements=deployment_flavor != MLEAP,
    )

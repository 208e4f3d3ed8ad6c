"""Have MLflow's generators write a build context. A program of its own: importing MLflow takes seconds.

    python -m scorebench.servers.generate docker MODEL_FOLDER OUTPUT_FOLDER BASE_IMAGE
    python -m scorebench.servers.generate sagemaker OUTPUT_FOLDER BASE_IMAGE

Knows MLflow's Python interface; nothing of what is added to its text.
"""

from __future__ import annotations

import sys

_JAVA = "openjdk-17-jre-headless"


def docker(model: str, output: str, base_image: str) -> None:
    """As `mlflow models generate-dockerfile --env-manager local`, for a SparkML model on a Python base image.

    The command would choose ubuntu:24.04 for it, which it then refuses with `local`; on a Python base it
    installs no Java, unless its own table of packages by flavor says so.
    """
    from mlflow.models.flavor_backend_registry import get_flavor_backend
    from mlflow.pyfunc import backend as pyfunc_backend

    pyfunc_backend.FLAVOR_SPECIFIC_APT_PACKAGES["spark"] = [_JAVA]
    backend = get_flavor_backend(model, docker_build=True, env_manager="local")
    backend.generate_dockerfile(model, output, base_image=base_image)


def sagemaker(output: str, base_image: str) -> None:
    """As `mlflow sagemaker build-and-push-container --env-manager …` hands to docker, for any base image.

    On a Python image (`python:…`) the container's own Python serves; on MLflow's stock base, a virtualenv.
    """
    from mlflow.models import docker_utils

    manager = "local" if base_image.startswith("python:") else "virtualenv"
    docker_utils.generate_dockerfile(
        output_dir=output,
        base_image=base_image,
        env_manager=manager,
        entrypoint=f"import sys; from mlflow.models import container as C; C._init(sys.argv[1], '{manager}')",
        model_install_steps="# Install minimal serving dependencies\n"
        'RUN python -c "from mlflow.models.container import _install_pyfunc_deps;'
        '_install_pyfunc_deps(None, False)"',
        disable_env_creation_at_runtime=False,
    )


if __name__ == "__main__":
    if sys.argv[1] == "docker":
        docker(*sys.argv[2:])
    else:
        sagemaker(*sys.argv[2:])

"""`python -m scorebench.timings mlflow models serve …`: MLflow's command, whose server tells its timings.

`-c CODE` instead of `mlflow` runs Python code that starts the server: what MLflow's images begin with.
"""

from __future__ import annotations

import sys

USAGE = "expected `python -m scorebench.timings mlflow models serve …`, or `-c CODE` instead of `mlflow …`"


def main(words: list[str]) -> None:
    """Run the command in this process, after MLflow was told which application its server shall start."""
    if not words or words[0] not in ("mlflow", "-c") or (words[0] == "-c" and len(words) < 2):
        sys.exit(f"scorebench.timings: {USAGE}")
    from scorebench.timings.mlflow_server import name_our_app

    name_our_app()
    if words[0] == "mlflow":
        from mlflow.cli import cli

        sys.argv = words
        cli()
    else:
        sys.argv = ["-c", *words[2:]]
        exec(compile(words[1], "<command>", "exec"), {"__name__": "__main__"})  # noqa: S102 (as `python -c`)


if __name__ == "__main__":
    main(sys.argv[1:])

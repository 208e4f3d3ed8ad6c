"""MLServer, which speaks the Open Inference Protocol V2: it reads our tensors, and its answers are valid."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import requirements
from tests.commands import ROOT, scorebench

from scorebench.servers import ports

pytestmark = pytest.mark.timeout(300)  # a start on a machine that others share
ENVIRONMENT = ROOT / ".venv-mlserver" / "bin"
MODEL = """
import json, sys
import joblib, pandas as pd
from sklearn.tree import DecisionTreeRegressor
table = pd.read_csv(sys.argv[1])
rows = table.drop(columns="quality")
tree = DecisionTreeRegressor(max_depth=5, random_state=0).fit(rows, table["quality"])
joblib.dump(tree, sys.argv[2] + "/model.joblib")
print(json.dumps(tree.predict(rows.head(3)).tolist()))
"""
WINE = str(ROOT / "payloads" / "wine.csv")


@dataclass(frozen=True)
class Served:
    """Where a tree of scikit-learn's answers, and what it says itself of the first three wines."""

    port: int
    metrics_port: int
    predictions: list[float]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2/models/wine/infer"


@pytest.fixture(scope="module")
def mlserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """MLServer with that tree, in an environment of its own."""
    requirements.require("mlserver", (ENVIRONMENT / "mlserver").exists(), "make mlserver")
    folder = tmp_path_factory.mktemp("mlserver")
    command = [str(ENVIRONMENT / "python"), "-c", MODEL, WINE, str(folder)]
    predictions = json.loads(subprocess.check_output(command, text=True))
    http_port, *others = (ports.claim(0) for _ in range(3))
    settings = {"host": "127.0.0.1", "http_port": http_port, "parallel_workers": 0, "debug": False}
    settings |= dict(zip(("grpc_port", "metrics_port"), others, strict=True))
    model = {"name": "wine", "implementation": "mlserver_sklearn.SKLearnModel"}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(
        json.dumps({**model, "parameters": {"uri": "./model.joblib"}})
    )
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [str(ENVIRONMENT / "mlserver"), "start", str(folder)], cwd=folder, stdout=log, stderr=log
        )
    try:
        wait_until_ready(http_port, server, folder / "log")
        yield Served(http_port, others[1], predictions)
    finally:
        server.terminate()
        server.wait(30)


def wait_until_ready(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until the model's own ready endpoint answers 200."""
    end_s = time.monotonic() + 120
    while time.monotonic() < end_s and server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/v2/models/wine/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    pytest.fail(log.read_text()[-3000:])


def test_the_shipped_body_is_answered_by_the_model_itself(mlserver: Served) -> None:
    """Eleven tensors of three wines become the model's DataFrame; the answer has our id."""
    connection = http.client.HTTPConnection("127.0.0.1", mlserver.port, timeout=30)
    body = (ROOT / "payloads" / "wine-v2.json").read_bytes()
    connection.request("POST", "/v2/models/wine/infer", body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    (output,) = answer["outputs"]
    assert (answer["id"], output["data"]) == ("1", mlserver.predictions)


@pytest.mark.parametrize("words", [[], ["--params", '{"content_type": "np"}']], ids=["pd", "np"])
def test_a_run_in_v2(words: list[str], mlserver: Served, tmp_path: Path) -> None:
    """Every answer is valid, as a DataFrame and as one array; equal bodies are answered alike."""
    rows = ["--data", WINE, "--label", "quality", "--rows", "60", "--rows-per-call", "20", "--format", "v2"]
    done = scorebench(tmp_path, "run", mlserver.url, *rows, *words, "-u", "2", "--calls", "12")
    assert done.ends_with(0), done.err + done.out
    assert (done.summary["outcomes"], done.summary["changed"]) == ({"valid": 12}, 0)
    assert done.summary["environment"]["payload"]["expected"] == "v2"


def test_its_own_metrics_count_the_same_calls(mlserver: Served, tmp_path: Path) -> None:
    """What MLServer shows to Prometheus is read: its counter grows by the calls that the run made."""
    rows = ["--data", WINE, "--label", "quality", "--rows", "60", "--rows-per-call", "20", "--format", "v2"]
    words = ["--rate", "20", "--users", "4", "--run-time", "5s"]
    metrics = f"http://127.0.0.1:{mlserver.metrics_port}/metrics"
    done = scorebench(tmp_path, "run", mlserver.url, *rows, *words, "--scrape", metrics)
    assert done.ends_with(0), done.err + done.out
    (folder,) = done.folders
    kept = json.loads((folder / "recording.json").read_text())
    counted = [points for name, points in kept["scraped_counters"].items() if "infer_request_success" in name]
    assert counted, sorted(kept["scraped_counters"])
    first, last = counted[0][0][1], counted[0][-1][1]
    assert last - first == done.summary["calls"] == 100

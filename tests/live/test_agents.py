"""MLflow's own server with a chat model and an agent: their examples are sent, and their answers valid."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests import requirements
from tests.commands import Done, scorebench

from scorebench import servers

CHAT = """
import mlflow
from mlflow.pyfunc import ChatModel
from mlflow.types.llm import ChatChoice, ChatCompletionResponse, ChatMessage


class Echo(ChatModel):
    def predict(self, context, messages, params):
        said = ChatMessage(role="assistant", content=f"{messages[-1].content} {params.temperature}")
        return ChatCompletionResponse(choices=[ChatChoice(index=0, message=said)])


mlflow.models.set_model(Echo())
"""
AGENT = """
import mlflow
from mlflow.pyfunc import ResponsesAgent
from mlflow.types.responses import ResponsesAgentResponse


class Echo(ResponsesAgent):
    def predict(self, request):
        return ResponsesAgentResponse(output=[self.create_text_output_item(text="Hello", id="1")])


mlflow.models.set_model(Echo())
"""
SAVE = """
import sys
from mlflow.pyfunc import save_model
for name, key in (("chat", "messages"), ("agent", "input")):
    save_model(
        f"{sys.argv[1]}/{name}",
        python_model=f"{sys.argv[1]}/{name}.py",
        input_example={key: [{"role": "user", "content": "Hello"}]},
        pip_requirements=["mlflow"],  # else MLflow starts a process to find out
    )
"""
pytestmark = pytest.mark.timeout(600)  # servers start slowly on a machine that others share
FIVE = ["-u", "1", "--calls", "5"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models `chat` and `agent`, saved with an example each; they need no network."""
    requirements.module("mlflow")
    folder = tmp_path_factory.mktemp("agents")
    (folder / "chat.py").write_text(CHAT)
    (folder / "agent.py").write_text(AGENT)
    command = [sys.executable, "-c", SAVE, str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def assert_valid(done: Done, form: str) -> None:
    """All five answers are of that kind."""
    assert done.ends_with(0), done.err + done.out
    summary = json.loads((done.folders[-1] / "summary.json").read_text())
    assert summary["outcomes"] == {"valid": 5}
    assert (summary["environment"]["payload"]["format"], summary["environment"]["payload"]["expected"]) == (
        form,
        form,
    )


def test_a_chat_model_is_asked_with_its_own_example(models: Path, tmp_path: Path) -> None:
    """As --body; and as --model with a parameter, which the model repeats in its answer."""
    with servers.running(servers.create("webserver", model_uri=str(models / "chat"), port=0)) as server:
        example = str(models / "chat" / "serving_input_example.json")
        assert_valid(scorebench(tmp_path, "run", server.endpoint, "--body", example, *FIVE), "chat")
        words = ["--model", str(models / "chat"), "--params", '{"temperature": 0.5}']
        path = ["--expect", "$.choices[?@.message.content == 'Hello 0.5']"]
        done = scorebench(tmp_path, "run", server.endpoint, *words, *path, *FIVE)
    assert done.ends_with(0), done.err + done.out


def test_an_agent_is_served_and_asked_with_its_own_example(models: Path, tmp_path: Path) -> None:
    """One command: the model is served, and its example sent."""
    words = ["run", "webserver", "--model-uri", str(models / "agent"), "--port", "0"]
    assert_valid(scorebench(tmp_path, *words, *FIVE), "responses")

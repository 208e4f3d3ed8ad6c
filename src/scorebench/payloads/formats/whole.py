"""JSON bodies that are no table of rows: a chat, a prompt, what an agent takes. They are sent as they are.

Knows by which keys MLflow and OpenAI's API tell them apart; nothing of how rows are written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scorebench.payloads.formats.record import Source, has_key

CONTENT_TYPE = "application/json"


def _is_any(_content: Any) -> bool:
    return True


def _one(_content: Any) -> int:
    return 1


@dataclass(frozen=True)
class WholeForm:
    """A body with `key`, which no `--format` writes. MLflow hands it to the model whole.

    `is_it` looks at what is under the key, where several forms share one. `answers` is the kind of answer
    that is expected, as `--expect` names it, and `units` how many units it answers.
    """

    name: str
    about: str
    key: str
    answers: str
    sample: str
    is_it: Callable[[Any], bool] = _is_any
    units: Callable[[Any], int] = _one
    content_type: str = CONTENT_TYPE
    params_key: str | None = ""
    """Parameters stand at the top, beside the key: there MLflow looks for those of the model's schema."""

    def holds(self, source: Source) -> bool:
        """Whether the JSON is a body of this form."""
        return has_key(self.key, source) and self.is_it(source.json[self.key])

    def count(self, source: Source) -> int:
        """The units that an answer counts."""
        return self.units(source.json[self.key]) if self.key else 1

    quick_count = count


def _is_list_of_items(content: Any) -> bool:
    return isinstance(content, list) and bool(content) and all(isinstance(item, Mapping) for item in content)


def _texts(content: Any) -> int:
    """A list of texts, or of lists of tokens, is several; a text, or one list of tokens, is one."""
    several = isinstance(content, list) and bool(content) and not isinstance(content[0], int)
    return len(content) if several else 1


WHOLE: dict[str, WholeForm] = {
    form.name: form
    for form in (
        WholeForm(
            "chat",
            "MLflow's ChatModel and ChatAgent, and OpenAI's chat completions",
            "messages",
            "chat",
            '{"messages":[{"role":"user","content":"Hello"}]}',
        ),
        WholeForm(
            "prompt",
            "MLflow's and OpenAI's completions",
            "prompt",
            "completion",
            '{"prompt":"Once upon a time"}',
        ),
        WholeForm(
            "responses",
            "MLflow's ResponsesAgent and AgentServer, and OpenAI's responses",
            "input",
            "responses",
            '{"input":[{"role":"user","content":"Hello"}]}',
            is_it=_is_list_of_items,
        ),
        WholeForm(
            "input",
            "embeddings, one for each text; or an agent that takes text",
            "input",
            "embeddings",
            '{"input":["one text","another"]}',
            units=_texts,
        ),
    )
}
"""By name. MLflow looks for these keys first, in this order, and for those of rows where none is there."""
OTHER = WholeForm("other", "any other body, with --expect", "", "", "", params_key=None)
"""What is sent as it is though nobody knows its form."""

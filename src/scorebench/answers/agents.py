"""The body of a 200 from a chat model or an agent: whether it holds what such a model answers. Knows JSON.

The forms are those of OpenAI's API, which MLflow's ChatModel, ChatAgent and ResponsesAgent answer in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scorebench.answers.outcome import Outcome
from scorebench.answers.predictions import NotPredictions, error_inside, parse_json, says_error

_SAYS = ("tool_calls", "function_call", "refusal", "audio")
"""Keys of a message by which it says something without `content`."""


def count_chat(body: bytes, *, pause: Callable[[], None], **_: object) -> None:
    """A chat completion: `choices`, each with a message. A ChatAgent's: `messages`."""
    parsed = _object(body, pause)
    if "choices" in parsed:
        _check_each(parsed["choices"], lambda choice: _is_message(choice.get("message")), "choices")
    else:
        _check_each(parsed.get("messages"), _is_message, "messages")


def count_completion(body: bytes, *, pause: Callable[[], None], **_: object) -> None:
    """A completion: `choices`, each with its text."""
    _check_each(
        _object(body, pause).get("choices"), lambda choice: isinstance(choice.get("text"), str), "choices"
    )


def count_responses(body: bytes, *, pause: Callable[[], None], **_: object) -> None:
    """A response: `output`, a list of items that each name their type."""
    _check_response(_object(body, pause))


def count_embeddings(body: bytes, *, pause: Callable[[], None], **_: object) -> int | None:
    """One embedding for each text; an agent that takes text answers with a response instead."""
    parsed = _object(body, pause)
    if "output" in parsed:
        _check_response(parsed)
        return None
    _check_each(parsed.get("data"), lambda item: _is_vector(item.get("embedding")), "data")
    return len(parsed["data"])


def _object(body: bytes, pause: Callable[[], None]) -> Mapping[str, Any]:
    parsed = parse_json(body, pause)
    if says_error(parsed):
        raise error_inside()
    if not isinstance(parsed, dict):
        raise _not_what_was_expected("an object")
    return parsed


def _check_response(parsed: Mapping[str, Any]) -> None:
    if parsed.get("status") in ("failed", "cancelled"):
        raise error_inside()
    _check_each(parsed.get("output"), lambda item: isinstance(item.get("type"), str), "output")


def _check_each(items: Any, is_whole: Callable[[Mapping[str, Any]], bool], key: str) -> None:
    """NotPredictions unless `items` is a list of objects, at least one, and all of them whole."""
    if not isinstance(items, list) or not items:
        raise _not_what_was_expected(f"a list under {key!r}")
    if any(map(says_error, items)):
        raise error_inside()
    if not all(isinstance(item, dict) and is_whole(item) for item in items):
        raise _not_what_was_expected(f"whole objects under {key!r}")


def _is_message(message: Any) -> bool:
    """Whether it says something: text or parts of it, even empty ones, or the call of a tool."""
    if not isinstance(message, Mapping):
        return False
    return isinstance(message.get("content"), str | list) or any(message.get(key) for key in _SAYS)


def _is_vector(embedding: Any) -> bool:
    return isinstance(embedding, str | list) and bool(embedding)  # text: base64, where it was asked for


def _not_what_was_expected(what: str) -> NotPredictions:
    return NotPredictions(Outcome.NOT_PARSEABLE, f"JSON without {what}")

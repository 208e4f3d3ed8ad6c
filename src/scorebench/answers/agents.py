"""The body of a 200 from a chat model or an agent: whether it holds what such a model answers. Knows JSON.

The forms are those of OpenAI's API, which MLflow's ChatModel, ChatAgent and ResponsesAgent answer in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from scorebench.answers.outcome import Outcome
from scorebench.answers.predictions import ROWS_AT_ONCE, Pause, error_inside, in_chunks, says_error
from scorebench.answers.strict_json import NotPredictions, parsed

_SAYS = ("tool_calls", "function_call", "refusal", "audio")
"""Keys of a message by which it says something without `content`."""


def count_chat(body: bytes, *, pause: Pause, **_: object) -> None:
    """A chat completion: `choices`, each with a message. A ChatAgent's: `messages`."""
    with _object(body, pause) as chat:
        if "choices" in chat:
            _check_each(chat, "choices", lambda choice: _is_message(choice.get("message")), pause)
        else:
            _check_each(chat, "messages", _is_message, pause)


def count_completion(body: bytes, *, pause: Pause, **_: object) -> None:
    """A completion: `choices`, each with its text."""
    with _object(body, pause) as completion:
        _check_each(completion, "choices", lambda choice: isinstance(choice.get("text"), str), pause)


def count_responses(body: bytes, *, pause: Pause, **_: object) -> None:
    """A response: `output`, a list of items that each name their type."""
    with _object(body, pause) as response:
        _check_response(response, pause)


def count_embeddings(body: bytes, *, pause: Pause, **_: object) -> int | None:
    """One embedding for each text; an agent that takes text answers with a response instead."""
    with _object(body, pause) as answer:
        if "output" in answer:
            _check_response(answer, pause)
            return None
        _check_each(answer, "data", lambda item: _is_vector(item.get("embedding")), pause)
        return len(answer["data"])


@contextmanager
def _object(body: bytes, pause: Pause) -> Iterator[Mapping[str, Any]]:
    with parsed(body, pause) as value:
        if says_error(value):
            raise error_inside()
        if not isinstance(value, dict):
            raise _not_what_was_expected("an object")
        yield value


def _check_response(response: Mapping[str, Any], pause: Pause) -> None:
    if response.get("status") in ("failed", "cancelled"):
        raise error_inside()
    _check_each(response, "output", lambda item: isinstance(item.get("type"), str), pause)


def _check_each(
    answer: Mapping[str, Any], key: str, is_whole: Callable[[Mapping[str, Any]], bool], pause: Pause
) -> None:
    """NotPredictions unless `key` has a list of objects, at least one, and all of them whole."""
    items = answer.get(key)
    if not isinstance(items, list) or not items:
        raise _not_what_was_expected(f"a list under {key!r}")
    if any(any(map(says_error, chunk)) for chunk in in_chunks(items, pause, ROWS_AT_ONCE)):
        raise error_inside()
    for chunk in in_chunks(items, pause, ROWS_AT_ONCE):
        if not all(isinstance(item, dict) and is_whole(item) for item in chunk):
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

"""A JSONPath of RFC 9535, looked for in a value step by step. Knows the library's parts; no JSON text.

The library parses the path and applies its selectors. It goes through a huge value in one go where nothing is
found; this goes through it in its place, and lets others go first now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from scorebench.errors import InputError

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathNode, JSONPathQuery
    from jsonpath_rfc9535.segments import JSONPathSegment

AT_ONCE = 1_000
"""Values that are looked at between two pauses, in a few milliseconds."""


class JsonPath:
    """One path. `finds` says whether a value has something there."""

    def __init__(self, text: str) -> None:
        """InputError for text that is no JSONPath."""
        import jsonpath_rfc9535 as library

        try:
            self._query = library.compile(text)
        except library.JSONPathError as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"--expect {text}: not a JSONPath ({reason}); expected one by RFC 9535, such as "
                "'$.choices[0].message'"
            ) from None
        self._faults = (library.JSONPathError, RecursionError)
        self._steps = _Steps()
        _walk_by(self._steps, self._query)

    def finds(self, value: Any, pause: Callable[[], None]) -> bool:
        """Whether anything but null is at the path; calls `pause` between each `AT_ONCE` values."""
        self._steps.pause = pause
        try:
            return any(node.value is not None for node in self._query.finditer(value))
        except self._faults:
            return False


class _Steps:
    """Counts what is looked at. All calls of a session share one pause, so others may count meanwhile."""

    def __init__(self) -> None:
        self.pause: Callable[[], None] = lambda: None
        self._left = AT_ONCE

    def __call__(self) -> None:
        self._left -= 1
        if self._left <= 0:
            self._left = AT_ONCE
            self.pause()


class _Segment:
    """Does what a segment of the library does."""

    def __init__(self, segment: JSONPathSegment, steps: _Steps) -> None:
        from jsonpath_rfc9535.segments import JSONPathRecursiveDescentSegment

        self._selectors, self._steps = segment.selectors, steps
        self._descends = isinstance(segment, JSONPathRecursiveDescentSegment)

    def resolve(self, nodes: Iterable[JSONPathNode]) -> Iterator[JSONPathNode]:
        for node in nodes:
            for place in _with_descendants(node, self._steps) if self._descends else (node,):
                for selector in self._selectors:
                    for found in selector.resolve(place):
                        self._steps()
                        yield found


def _with_descendants(node: JSONPathNode, steps: _Steps) -> Iterator[JSONPathNode]:
    """The node, and every list and object in it, however deep; each before what it holds."""
    yield node
    inside = [_children(node, steps)]
    while inside:
        child = next(inside[-1], None)
        if child is None:
            inside.pop()
            continue
        yield child
        inside.append(_children(child, steps))


def _children(node: JSONPathNode, steps: _Steps) -> Iterator[JSONPathNode]:
    value: Any = node.value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in pairs:
        steps()
        if isinstance(child, dict | list):
            yield node.new_child(child, key, node)


class _Filter:
    """A filter's expression that counts how often it is asked."""

    def __init__(self, expression: Any, steps: _Steps) -> None:
        self._evaluate, self._steps = expression.evaluate, steps

    def evaluate(self, context: Any) -> bool:
        self._steps()
        return bool(self._evaluate(context))


def _walk_by(steps: _Steps, query: JSONPathQuery) -> None:
    """Have the query, and those in its filters, count their steps."""
    from jsonpath_rfc9535.selectors import FilterSelector

    for segment in query.segments:
        for selector in segment.selectors:
            if isinstance(selector, FilterSelector):
                for inner in _queries_in(selector.expression):
                    _walk_by(steps, inner)
                selector.expression = _Filter(selector.expression, steps)  # type: ignore[assignment]
    query.segments = tuple(_Segment(segment, steps) for segment in query.segments)  # type: ignore[misc]


def _queries_in(expression: Any) -> Iterator[JSONPathQuery]:
    """The queries of a filter's expression, from `@` or from `$`."""
    if (query := getattr(expression, "query", None)) is not None:
        yield query
    parts = [getattr(expression, name, None) for name in ("expression", "left", "right")]
    for part in [*parts, *getattr(expression, "args", ())]:
        if part is not None:
            yield from _queries_in(part)

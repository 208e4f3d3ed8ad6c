"""A large answer is read in slices, with the outcome of the same answer read whole; and no slice is long."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebench.answers import predictions, slices, strict_json
from scorebench.answers.outcome import Outcome
from scorebench.answers.predictions import count_predictions
from scorebench.answers.readings import READINGS, expected
from scorebench.answers.strict_json import LARGE_BYTES, SLICE_BYTES, NotPredictions, parse_large, parsed

Found = tuple[object, str]
"""What was counted, or the outcome; and the reason."""
DAMAGE = [
    *(b"%c" % byte for byte in b'[]{},:"0129eE.-+\\u \n\x00\xff\x80\xed\x0b'),
    *(b",,", b"NaN", b"null", b"1e999", b"9" * 400, b"-Infinity", b" " * 120, b"\xef\xbb\xbf", b"\\ud83d"),
    *(b'"error": "x", ', b'"predictions": [1], ', "é".encode(), "😀".encode(), b'"' + b"long" * 40 + b'"'),
    b"",
]
ENCODINGS = ["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"]
KEYS = st.one_of(
    st.sampled_from(["a", "b", "predictions", "error", "outputs", 'k"', ",", ""]), st.text(max_size=3)
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["", "a,b]}[{", 'é\\"', "\\", "😀" * 20, "\ud83d", "x" * 90, 10**400]),
    st.text(max_size=5),
)


class Pairs(list[tuple[str, Any]]):
    """An object whose keys may stand twice."""


VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.lists(st.tuples(KEYS, inner), max_size=4).map(Pairs)
    ),
    max_leaves=30,
)
ROWS = st.lists(VALUES, max_size=8)
ANSWERS = st.one_of(VALUES, ROWS, st.one_of(ROWS, VALUES).map(lambda value: Pairs([("predictions", value)])))


def written(value: Any, chance: random.Random) -> str:
    """The value as JSON, with blanks anywhere, and characters as they are or escaped."""

    def blank() -> str:
        return chance.choice(["", "", "", "", " ", "\r\n  ", "\t", " " * 101])

    if isinstance(value, Pairs):
        pairs = (blank() + written(key, chance) + blank() + ":" + written(one, chance) for key, one in value)
        return "{" + ",".join(pairs) + blank() + "}"
    if isinstance(value, list):
        return "[" + ",".join(blank() + written(one, chance) + blank() for one in value) + blank() + "]"
    return json.dumps(value, ensure_ascii=chance.random() < 0.5)


def body_of(value: Any, damage: int, encoding: str, chance: random.Random) -> bytes:
    """The value as JSON in that encoding, with bytes put in, left out or replaced."""
    made = bytearray(written(value, chance).encode(encoding, "surrogatepass"))
    for _ in range(damage):
        at = chance.randrange(len(made) + 1)
        made[at : at + chance.randint(0, 1)] = chance.choice(DAMAGE)
    return bytes(made)


BODIES = st.builds(
    body_of,
    ANSWERS,
    st.sampled_from([0, 0, 1, 3]),
    st.sampled_from(ENCODINGS),
    st.randoms(use_true_random=False),
)


def found_by(count: Callable[[], object]) -> Found:
    try:
        return repr(count()), ""  # a NaN is not itself, and 1 is not 1.0
    except NotPredictions as error:
        return error.outcome, str(error)


@contextmanager
def slices_of(size: int | None) -> Iterator[None]:
    """Answers are read in slices of that size; None: whole, whatever their size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_json, "SLICE_BYTES", size or 10**9)
        patch.setattr(strict_json, "LARGE_BYTES", size or 10**9)
        yield


READ_BY = st.sampled_from([*READINGS, "3", "$.a", *["rows", "any"] * 4])


@given(BODIES, st.integers(1, 60), READ_BY, st.booleans())
def test_an_answer_in_slices_is_judged_as_the_whole_one(
    body: bytes, size: int, reading: str, nulls: bool
) -> None:
    """Any JSON, damaged or not, cut anywhere: the same value, count, outcome and reason, by each reading."""
    count = expected(reading).reading.count
    found = []
    for each in (None, size):
        with slices_of(each):
            value = found_by(lambda: parse_large(body, lambda: None))
            found.append((value, found_by(lambda: count(body, nulls=nulls, pause=lambda: None))))
    assert found[0] == found[1]


@given(BODIES)
def test_the_whole_reader_agrees_with_json(body: bytes) -> None:
    """What Python's own reader refuses is refused, and a value is the same: msgspec is no other JSON."""
    value, _ = found_by(lambda: strict_json.parse(body))
    try:
        theirs: object = repr(json.loads(body, parse_constant=refuse))
    except (ValueError, RecursionError):
        theirs = None
    if isinstance(value, Outcome) and theirs is not None:
        assert value is Outcome.OUT_OF_RANGE  # a number like 1e999, which json takes as infinite
    elif not isinstance(value, Outcome):
        assert value == theirs


def refuse(name: str) -> None:
    raise ValueError(name)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": [1, 2, 3], "b": [7, 8], "a": [4, 5, 6]}',  # a key twice: the last one counts
        b'{"a": [1, 2, 3], "a": 4}',
        b'{"a": {"c": 1, "d": 2}, "a": {"c": 3}}',
        b'{"a": 1, "b": 2, "a": [3, 4, 5]}',
        b'{"a\\"b": {"c,d": [1, 2, {"e": "f]g"}, [[], {}, ""]]}}',
        json.dumps([1, "two", {"three": [4]}]).encode("utf-16"),
        b"\xef\xbb\xbf[1, 2, 3]",
        b"[" * 150 + b"1, 2" + b"]" * 150,
        json.dumps({"a": '😀é\\"' * 40, "b": ["x" * 200, "y" * 200]}).encode(),
        json.dumps(['😀é\\"' * 40], ensure_ascii=False).encode(),
        json.dumps("a long text, and nothing else" * 9).encode(),
    ],
)
def test_what_is_hard_to_cut_is_read_right(body: bytes) -> None:
    """At any size of a slice, the value is that of the standard library's reader, in the same order."""
    for size in range(1, min(len(body), 200) + 2):
        with slices_of(size):
            assert repr(parse_large(body, lambda: None)) == repr(json.loads(body))


BLANKS = b" " * 130
LONG = b'"' + b"x" * 300_000 + b'"'


@pytest.mark.parametrize(
    "body",
    [
        b'{"predictions": [' + LONG + b"," + BLANKS + b"]}",
        b'{"predictions": [' + LONG + b"," + BLANKS + b",1]}",
        b'{"predictions": {"a": [1], "b": ' + LONG + b"," + BLANKS + b"}}",
        b"[" + b"1," * 200_000 + BLANKS + b"]",
        b"[" + BLANKS + b"," + b"1," * 200_000 + b"1]",
    ],
)
def test_a_comma_without_a_value_is_no_json(body: bytes) -> None:
    """However many blanks stand between it and the bracket: RFC 8259, section 5."""
    with pytest.raises(NotPredictions, match="not JSON"):
        count_predictions(body)


def test_a_key_that_stands_twice_counts_as_in_the_whole() -> None:
    """The last one stands: 70,000 texts, and not the 40,000 numbers before, nor all of them."""
    texts = b'"a",' * 69_999 + b'"a"'
    numbers = b"1.5," * 39_999 + b"1.5"
    body = b'{"predictions": [' + numbers + b'], "predictions": [' + texts + b"]}"
    assert count_predictions(body) == len(json.loads(body)["predictions"]) == 70_000


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([None, "NaN"], Outcome.NAN_PREDICTION),  # no JSON comes before a row's fault
        ([None, "9" * 400], Outcome.NULL_PREDICTION),
        (["9" * 400, None], Outcome.NULL_PREDICTION),
        (["9" * 400, "1e999"], Outcome.OUT_OF_RANGE),
        (["1e999", "NaN"], Outcome.OUT_OF_RANGE),  # of two faults of the text, the first
        (["NaN", "1e999"], Outcome.NAN_PREDICTION),
        (["NaN", "]"], Outcome.NAN_PREDICTION),
        (["NaN", '"\xff"'], Outcome.NOT_PARSEABLE),  # what is no text comes before all
        ([None, '{"error": "x"}'], Outcome.ERROR_INSIDE),
    ],
)
@pytest.mark.parametrize("many", [5, 30_000])
def test_which_of_two_faults_is_named(rows: list[str | None], outcome: Outcome, many: int) -> None:
    """The same one in a small answer and in a large one, where they are slices apart."""
    between = ["1.5"] * many
    texts = ["null" if row is None else row for row in rows]
    body = ("[" + ",".join([texts[0], *between, texts[1], *between]) + "]").encode("latin-1")
    assert found_by(lambda: count_predictions(body, nulls=False))[0] is outcome


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b'{"predictions": [1], "x": "\xff"}', Outcome.NOT_PARSEABLE),
        (b'{"predictions": [1], "x": 1e999}', Outcome.OUT_OF_RANGE),
        (b'{"predictions": [1], "x": ' + b"9" * 5000 + b"}", Outcome.NOT_PARSEABLE),
    ],
)
def test_what_stands_beside_predictions_is_read_too(body: bytes, outcome: Outcome) -> None:
    """A parser that passes over it would take what is no JSON."""
    assert found_by(lambda: count_predictions(body))[0] is outcome


# ---- no slice is long --------------------------------------------------------------------------------------

MILLION = 1_000_000
HOSTILE = {
    "text": b'["' + b"x" * 4 * MILLION + b'"]',
    "escapes": b'["' + b"\\n" * 2 * MILLION + b'"]',
    "pairs": b'["' + b"\\ud83d\\ude00" * (MILLION // 3) + b'"]',
    "characters": ('["' + "😀" * MILLION + '"]').encode(),
    "backslashes": b'["' + b"\\\\" * 2 * MILLION + b'", 1]',
    "text alone": b'"' + b"x" * 4 * MILLION + b'"',
    "text in objects": b'{"predictions": [{"a": {"b": "' + b"x" * 4 * MILLION + b'"}}]}',
    "text without end": b'{"predictions": ["' + b"x," * 2 * MILLION,
    "wrong escape": b'["' + b"x" * 2 * MILLION + b"\\uzzzz" + b"x" * 2 * MILLION + b'"]',
    "blanks": b'{"predictions": [1' + b" " * 4 * MILLION + b",2]}",
    "blanks first": b'{"predictions": ' + b" " * 4 * MILLION + b"[1,2]}",
    "blanks last": b"[1,2" + b" " * 4 * MILLION + b"]",
    "digits": b'{"predictions": [' + b"9" * 4 * MILLION + b"]}",
    "decimals": b'{"predictions": [0.' + b"9" * 4 * MILLION + b"]}",
    "key": b'{"' + b"k" * 4 * MILLION + b'": [1, 2]}',
    "brackets": b'{"predictions": ' + b"[" * 4 * MILLION,
    "braces": b'{"predictions": ' + b'{"a":' * MILLION,
    "closed brackets": b"[1" + b"]" * 4 * MILLION,
    "deep": b"[" * 150 + b"1.5," * MILLION + b"1" + b"]" * 150,
    "keys": b'{"predictions":{' + b",".join(b'"k%d":[1]' % n for n in range(200_000)) + b"}}",
    "columns": b'{"predictions":{"a":[' + b"1," * MILLION + b'1],"b":[' + b"1," * MILLION + b"1]}}",
    "one row": b'{"predictions":{' + b",".join(b'"k%d":1' % n for n in range(200_000)) + b"}}",
    "rows": b"[" + b",".join([b'{"a":1,"b":"two"}'] * 150_000) + b"]",
    "empty texts": b"[" + b'"",' * MILLION + b'""]',
    "empty objects": b"[" + b"{}," * MILLION + b"{}]",
    "commas": b"[" + b"," * 4 * MILLION + b"]",
    "numbers": b'{"predictions": [' + b"1.5," * MILLION + b"1]}",
    "lists": b"[" + b"[1,2]," * (MILLION // 2) + b"[1]]",
    "UTF-16": ("[" + "1.5," * MILLION + "1]").encode("utf-16"),
    "choices": b'{"choices": [' + b",".join([b'{"text": "a"}'] * 200_000) + b"]}",
    "tensor": b'{"outputs": [{"name": "o", "datatype": "FP32", "shape": [1000000, 1], "data": ['
    + b"1.5," * (MILLION - 1)
    + b"1]}]}",
}


def sized(decode: Callable[[bytes], Any], sizes: list[int]) -> Callable[[bytes], Any]:
    """The decoder, which notes the size of what it reads."""

    def noted(text: bytes) -> Any:
        sizes.append(len(text))
        return decode(text)

    return noted


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_read_at_once_is_bounded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """4 MB of anything: a parser has never more than a slice and the longest number, and pauses in between.

    Most of these have commas everywhere, or are refused at the first slice; so few bytes come to one parse.
    """
    body, sizes, pauses = HOSTILE[name], list[int](), list[int]()
    reading = {"choices": "completion", "tensor": "v2"}.get(name, "rows")
    for module, name_of_decoder in ((strict_json, "_decode"), (predictions, "_decode_numbers")):
        counted = sized(getattr(module, name_of_decoder), sizes)
        monkeypatch.setattr(module, name_of_decoder, counted)
    found_by(lambda: READINGS[reading].count(body, nulls=False, pause=lambda: pauses.append(1)))
    assert len(body) > 10 * SLICE_BYTES
    assert max(sizes, default=0) <= SLICE_BYTES + slices.LONGEST_BYTES + 60_000  # and what is opened again
    read_all = sum(sizes) > len(body)
    assert len(pauses) >= (len(body) // (2 * LARGE_BYTES) if read_all else 0)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_slice_is_bounded(name: str) -> None:
    """By bytes and by marks: an object of 20 bytes costs as much as 2,000 bytes of numbers."""
    try:
        for piece in slices.cut(HOSTILE[name], SLICE_BYTES):
            assert len(piece.text) <= 2 * SLICE_BYTES + slices.LONGEST_BYTES
            assert piece.text.count(b"{") <= 3 * slices.MOST_MARKS
    except slices.NotCut:
        pass


def test_a_value_is_freed_bit_by_bit() -> None:
    """As often as there are slices, with what is large taken apart before: 4 MB of objects, 100 and more."""
    rows = HOSTILE["rows"]
    pauses = list[int]()
    with parsed(rows, lambda: pauses.append(1)) as value:
        assert len(value) == 150_000
        read = len(pauses)
    assert read >= len(rows) // (2 * SLICE_BYTES)
    assert len(pauses) - read >= read
    assert value == []

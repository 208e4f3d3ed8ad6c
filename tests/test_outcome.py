"""The fates of a call and their names."""

from __future__ import annotations

from scorebench.answers.outcome import BY_LABEL, FATES, Group, Outcome
from tests.commands import ROOT


def test_each_outcome_has_a_name_of_its_own() -> None:
    """Every outcome is named, no two alike, and a name leads back to it."""
    assert set(FATES) == set(Outcome)
    assert len(BY_LABEL) == len(Outcome)
    assert all(BY_LABEL[outcome.label] is outcome for outcome in Outcome)


def test_only_an_unusable_200_is_invalid() -> None:
    """Valid, with a time or without; cut off; six ways for a 200 to be of no use; the rest is a failure."""
    groups = {group: {o for o in Outcome if o.group is group} for group in Group}
    assert groups[Group.VALID] == {Outcome.VALID, Outcome.NO_RESPONSE_TIME}
    assert groups[Group.CUT_OFF] == {Outcome.CUT_OFF}
    assert groups[Group.INVALID] == {
        Outcome.WRONG_COUNT,
        Outcome.NOT_PARSEABLE,
        Outcome.NAN_PREDICTION,
        Outcome.NULL_PREDICTION,
        Outcome.OUT_OF_RANGE,
        Outcome.ERROR_INSIDE,
    }
    assert len(groups[Group.FAILED]) == len(Outcome) - 9


def test_the_docs_explain_each_outcome() -> None:
    """docs/client.md has the table's lines, in its order."""
    page = (ROOT / "docs" / "client.md").read_text()
    lines = [f"| {fate.label} | {fate.group.replace('_', ' ')} | {fate.cause} |\n" for fate in FATES.values()]
    assert "|---|---|---|\n" + "".join(lines) in page

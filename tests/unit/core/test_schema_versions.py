"""What a program may do with a database that has other migrations than it carries."""

import pytest

from ledger.core.schema_versions import SchemaState, compare_schema

KNOWN = ("0015_jobs", "0016_compatibility")
OWN: dict[str, str | None] = {"0015_jobs": "0015", "0016_compatibility": "0015"}


def state_with(**newer: str | None) -> SchemaState:
    """A database that has besides ours what is named, with what each says it works with."""
    named = {name.removeprefix("m"): works_with for name, works_with in newer.items()}
    return compare_schema(KNOWN, OWN | named)


def test_the_same_schema_is_at_peace() -> None:
    """Nothing missing, nothing newer, no fault."""
    assert compare_schema(KNOWN, OWN) == SchemaState((), (), None)
    assert compare_schema(KNOWN, OWN).fault is None


def test_what_is_missing_is_a_fault_that_migrating_mends() -> None:
    """It is named, and is no refusal."""
    state = compare_schema(KNOWN, {"0015_jobs": None})

    assert (state.missing, state.newer, state.refusal) == (("0016_compatibility",), (), None)
    assert state.fault == "the database lacks 0016_compatibility; run `ledger migrate` first"


@pytest.mark.parametrize("works_with", ["0012", "0015", "0016"])
def test_newer_ones_that_work_with_it_are_lived_with(works_with: str) -> None:
    """Each says the oldest schema whose programs go on."""
    state = state_with(m0017_holds="0016", m0018_webhooks=works_with)

    assert (state.newer, state.fault) == (("0017_holds", "0018_webhooks"), None)


@pytest.mark.parametrize("works_with", ["0017", "0018", None])
def test_newer_ones_that_do_not_are_refused(works_with: str | None) -> None:
    """One is enough, and it alone is named; one that says nothing works with nobody."""
    fault = state_with(m0017_holds="0016", m0018_webhooks=works_with).fault

    assert fault is not None
    assert "0018_webhooks does not work with programs made for schema 0016" in fault
    assert "upgrade this program" in fault
    assert "0017" not in fault


def test_another_line_of_versions_is_refused() -> None:
    """Another migration under a number of ours, or newer ones over a gap, whatever they say."""
    twin = state_with(m0016_other="0001").fault
    gap = compare_schema(KNOWN, {"0015_jobs": "0015", "0017_holds": "0001"}).fault

    assert twin is not None
    assert "has 0016_other: it was migrated by another line" in twin
    assert gap is not None
    assert "has 0017_holds and lacks 0016_compatibility: it was migrated by another line" in gap

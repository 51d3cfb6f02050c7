"""What the tests of importers share: a day, a head, and drafts as readable lines."""

from datetime import UTC, date, datetime

from pricing import RateTable, load_rate_table
from pricing.imports import DraftHead, DraftTable, Imported, Wanted, draft_text

DAY = date(2026, 11, 20)
HEAD = DraftHead(
    version="2026-11-20",
    effective_from=datetime(2026, 11, 20, tzinfo=UTC),
    source="a price list, read 2026-11-20",
)


def wanted(*providers: str, on: date = DAY) -> Wanted:
    """Ask for some providers, or for all."""
    return Wanted(frozenset(providers) or None, on)


def body_of(table: DraftTable) -> list[str]:
    """Write a draft, load it as a rate table must, and give its lines after the head."""
    text = draft_text("acme", HEAD, table)
    load_rate_table(text, "draft.yaml")
    lines = text.splitlines()
    return [line.removeprefix("  ") for line in lines[lines.index("models:") + 1 :]]


def loaded(provider: str, table: DraftTable) -> RateTable:
    """Give the rate table that a draft is."""
    return load_rate_table(draft_text(provider, HEAD, table), "draft.yaml")


def left_out(imported: Imported) -> list[str]:
    """Give what was left out, a line each."""
    return [f"{each.model} {each.field}: {each.reason}" for each in imported.left_out]

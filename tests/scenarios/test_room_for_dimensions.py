"""The room for combinations of names and prices: what senders invent never takes all of it."""

from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.statements import Statement
from ledger.services.customers import set_customer
from ledger.services.intake.outcomes import Outcome
from ledger.services.intake.writer import Writer
from ledger.services.meters import set_meter
from ledger.services.rates import publish_tables
from ledger.store import interning
from ledger.store.database import Database
from tests.scenarios.invoice_tables import scalar, statement

TABLE = """
provider: fireworks
version: "fallback"
effective_from: 2025-10-01T00:00:00Z
currency: USD
source: test
models:
  accounts/fireworks/models/llama-v3p3-70b-instruct: {input: "0.90", output: "0.90"}
  family: {input: "1", output: "1"}
fallback:
  "family-*": family
"""
MOST, MOST_UNLISTED, MOST_UNRATED = 12, 9, 6


@pytest.fixture(autouse=True)
def _small_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger has room for a dozen."""
    monkeypatch.setattr(interning, "MAX_DIMENSIONS", MOST)
    monkeypatch.setattr(interning, "MAX_UNLISTED_DIMENSIONS", MOST_UNLISTED)
    monkeypatch.setattr(interning, "MAX_UNRATED_DIMENSIONS", MOST_UNRATED)


def sent(model: str = "llama", **changes: Any) -> Statement:
    """A record of a listed model, or of any other."""
    row = {"customer": "acme", "on": "2025-10-16", "model": "llama", "input": "1000000"}
    made = statement(row)
    if model != "llama":
        made.model = model
    for field, value in changes.items():
        setattr(made, field, value)
    return made


def said(outcomes: list[Outcome]) -> list[str]:
    """What came of records: accepted, or the code of what is wrong with them and its field."""
    return [
        f"{each.errors[0].field}: {each.errors[0].code}" if each.errors else each.verdict.value
        for each in outcomes
    ]


REFUSED = "model: too_many_dimensions"


@pytest.mark.parametrize("field", ["model", "service_tier", "accelerator", "region"])
async def test_invented_names_leave_half_of_the_room(
    database: Database, clock: FixedClock, writer: Writer, field: str
) -> None:
    """Whichever name they vary: what is priced is accepted beside them, also after a new meter.

    | sent                                      | outcome                |
    | 8 invented                                | 6 accepted, 2 refused  |
    | listed, invented, listed as batch's mate  | only that is refused   |
    | listed, invented, with a new meter        | only that is refused   |
    | an invented one of the first 6 again      | accepted               |
    """
    invented = [sent(**{field: f"invented-{n}"}) for n in range(8)]
    assert said(await writer.submit(invented)) == ["accepted"] * 6 + [REFUSED] * 2

    mixed = [sent(), sent("new"), sent()]
    assert said(await writer.submit(mixed)) == ["accepted", REFUSED, "accepted"]
    await set_meter(database, clock, "test", "tenth", {"percentage": "10"})
    await set_customer(database, clock, "test", "acme", "tenth")
    mixed = [sent("new"), sent()]
    assert said(await writer.submit(mixed)) == [REFUSED, "accepted"]

    again = sent(**{field: "invented-0"}, customer_id="globex")
    assert said(await writer.submit([again])) == ["accepted"]
    assert await scalar(database, "SELECT count(*) FROM dimension") == 8


async def test_names_that_a_pattern_prices_leave_a_quarter_of_the_room(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """They have a price, and are without number all the same: what is listed by name outlasts them.

    | sent                  | room taken | outcome               |
    | 7 without a price     | 6          | 1 refused             |
    | 4 priced by a pattern | 9          | 1 refused             |
    | 4 listed              | 12         | 1 refused             |
    """
    await publish_tables(database, clock, "test", [("fallback.yaml", TABLE)], currency="USD")
    unrated = [sent(f"invented-{n}") for n in range(7)]
    assert said(await writer.submit(unrated)) == ["accepted"] * 6 + [REFUSED]
    by_pattern = [sent(f"family-{n}") for n in range(4)]
    assert said(await writer.submit(by_pattern)) == ["accepted"] * 3 + [REFUSED]
    tiers: tuple[dict[str, Any], ...] = (
        {}, {"key_type": "byok"}, {"service_tier": "standard"}, {"service_tier": "default"},
    )  # fmt: skip
    listed = [sent(**changes) for changes in tiers]
    assert said(await writer.submit(listed)) == ["accepted"] * 3 + [REFUSED]


async def test_the_priced_come_first_where_little_is_left(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one batch, whatever its order, invented names take only what listed ones leave."""
    monkeypatch.setattr(interning, "MAX_DIMENSIONS", 3)
    invented = [sent(f"invented-{n}") for n in range(4)]
    assert said(await writer.submit([*invented, sent()])) == (
        ["accepted"] * 2 + [REFUSED] * 2 + ["accepted"]
    )
    assert await scalar(database, "SELECT count(*) FROM dimension") == 3


async def test_another_process_finds_the_same_room(database: Database, clock: FixedClock) -> None:
    """The room is counted in the database, and what is interned already needs none."""
    writers = [Writer(database, clock) for _ in range(2)]
    for writer in writers:
        await writer.start()
    first = [sent(f"invented-{n}") for n in range(6)]
    assert said(await writers[0].submit(first)) == ["accepted"] * 6
    second = [sent(f"invented-{n}") for n in range(4, 8)]
    assert said(await writers[1].submit(second)) == ["accepted"] * 2 + [REFUSED] * 2
    for writer in writers:
        await writer.close()

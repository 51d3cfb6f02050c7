"""Usage that has no price, as it is announced: once for each customer, month and way of calling a model."""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

# Where a spelled-out dimension has what prices depend on; see `dimension_words` in sql/queries/interning.sql.
_PROVIDER, _MODEL, _TIER, _BATCH = 0, 1, 3, 4
_REGION, _ACCELERATOR = 13, 14


class Called(NamedTuple):
    """How a model was called, as far as prices depend on it."""

    provider: str | None
    model: str | None
    service_tier: str | None
    batch: bool
    region: str | None
    accelerator: str | None


class UnratedUsage(msgspec.Struct, frozen=True):
    """Some usage of a customer in a month that no rate is known for. `customer` is the ledger's number."""

    customer: int
    month: date
    called: Called

    @property
    def alert_id(self) -> str:
        """Follows from what it is, so it exists once."""
        text = msgspec.json.encode((self.customer, self.month, self.called))
        return "unr_" + hashlib.sha256(text).hexdigest()[:32]

    def body(self, customer_id: str) -> dict[str, Any]:
        """What its alert says."""
        return {
            "alert_id": self.alert_id,
            "customer_id": customer_id,
            "month": self.month.isoformat()[:7],
            **self.called._asdict(),
        }


def called_as(words: Sequence[Any]) -> Called:
    """How a model was called, from its dimension spelled out; its last words may be left out."""
    later = words[_REGION : _ACCELERATOR + 1] or (None, None)
    return Called(words[_PROVIDER], words[_MODEL], words[_TIER], words[_BATCH], *later)

"""Drawing records: of a few customers and models, over months, half of them of today."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from ledger.demo.shapes import EPOCH, time_text, ulid
from tests.soak_kills.memory import Record

CUSTOMERS = 24
PRICED = (
    "accounts/fireworks/models/deepseek-v4-pro",
    "accounts/fireworks/models/kimi-k2-instruct",
    "accounts/fireworks/models/llama-v3p3-70b-instruct",
    "accounts/fireworks/models/gpt-oss-20b",
)
OWN_PROVIDER, OWN_MODELS = "soak", 6  # some of them have no price for long
MONTHS = 4
OPAQUE_SHARE, TODAY_SHARE, OWN_SHARE = 0.1, 0.5, 0.2
MILLISECOND = timedelta(milliseconds=1)


class Drawing:
    """Records, no two of one id."""

    def __init__(self, dice: Random, now: datetime) -> None:
        self.dice = dice
        self.customers = [f"customer-{number:02d}" for number in range(CUSTOMERS)]
        self.months = past_months(now, MONTHS)
        self.start_at = self.months[0]
        self.end_at = now

    def record(self) -> Record:
        """A completed record; its customer may also be drawn by more than it says."""
        dice = self.dice
        moment = self._moment()
        time_ms = (moment - EPOCH) // MILLISECOND
        is_opaque = dice.random() < OPAQUE_SHARE
        bits = dice.getrandbits(80)
        record: Record = {
            "request_id": f"soak {bits:x}/ä" if is_opaque else f"req_{ulid(time_ms, bits)}",
            "customer_id": dice.choice(self.customers),
            **self._model(),
            "provider_key_type": dice.choice(("managed", "managed", "byok")),
            "timestamp": time_text(time_ms),
            "input_tokens": dice.randint(1, 20_000),
            "output_tokens": dice.randint(0, 4_000),
        }
        if dice.random() < 0.3:
            record["cached_input_tokens"] = dice.randint(0, record["input_tokens"])
        if dice.random() < 0.2:
            record["metadata"] = {"feature": dice.choice(("chat", "söarch")), "n": str(bits)}
        return record

    def contradiction(self, record: Record) -> Record:
        """The same request, told otherwise."""
        return {**record, "output_tokens": record["output_tokens"] + self.dice.randint(1, 9)}

    def pending(self, record: Record) -> Record:
        """The announcement of a request, without what it used."""
        told = ("request_id", "customer_id", "provider", "model", "timestamp")
        return {name: record[name] for name in told} | {"status": "pending"}

    def impossible(self, record: Record) -> Record:
        """A record that must be refused."""
        faults: Sequence[Record] = (
            {"input_tokens": -1},
            {"cached_input_tokens": record["input_tokens"] + 1},
            {"output_tokens": "7"},
        )
        return {**record, **self.dice.choice(faults)}

    def _moment(self) -> datetime:
        start_at = self.start_at
        if self.dice.random() < TODAY_SHARE:
            start_at = self.end_at.replace(hour=0, minute=0, second=0, microsecond=0)
        span_ms = max(1, (self.end_at - start_at) // MILLISECOND)
        return start_at + self.dice.randrange(span_ms) * MILLISECOND

    def _model(self) -> Record:
        if self.dice.random() < OWN_SHARE:
            model = f"soak-model-{self.dice.randrange(OWN_MODELS)}"
            return {"provider": OWN_PROVIDER, "model": model}
        return {"provider": "fireworks", "model": self.dice.choice(PRICED)}


def past_months(now: datetime, count: int) -> list[datetime]:
    """The first moments of the last months that are over, oldest first, and of the one that is not."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = [first]
    for _ in range(count):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[::-1]

"""Drawing random histories.

A history is drawn from a `random.Random`: a seeded one repeats it, hypothesis's own shrinks it. All
names in it contain its number, so that many histories fit into one database.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from ledger.core.request_ids import request_id_of
from tests.properties.histories import (
    DAY,
    Adjust,
    AtOnce,
    Condense,
    GiveMeter,
    History,
    MoveClock,
    Operation,
    Prices,
    Publish,
    RunInvoices,
    Send,
    SetLimit,
    SetMeter,
    Single,
    month_at,
    origin_of,
)

MOST_OPERATIONS = 24
MOST_RECORDS = 8
HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)
ENCODER = msgspec.json.Encoder(decimal_format="number")


def draw_history(random: Random, number: int) -> History:
    """A history of a few to two dozen operations; the same of the same random source."""
    scene = Scene(random, number)
    begins_at = scene.now
    operations = tuple(scene.opening() + scene.operations())
    return History(number, scene.customers, begins_at, operations)


@dataclass
class Scene:
    """Who and what there is while a history is drawn.

    `now` is its clock, `sent` and `adjusted` are what happened in it before.
    """

    random: Random
    number: int
    now: datetime = field(init=False)
    sent: list[dict[str, Any]] = field(default_factory=list)
    adjusted: list[Adjust] = field(default_factory=list)
    versions: int = 0

    def __post_init__(self) -> None:
        number = self.number
        self.origin = origin_of(number)
        self.now = self.origin + self.random.randint(62, 75) * DAY + 12 * HOUR
        self.customers = tuple(f"{name}-{number}" for name in "abc")
        self.providers = tuple(f"provider-{number}{letter}" for letter in "xy")
        self.models = tuple(f"model-{number}-{index}" for index in range(4))
        # No table lists these; one is an alias in some, one fits a pattern in some.
        self.other_names = (f"also-{number}", f"too-{number}", f"model-{number}-x-small")
        self.meters = tuple(f"meter-{number}-{index}" for index in range(2))

    def opening(self) -> list[Operation]:
        """Most histories begin with prices of both providers and with fees."""
        first: list[Operation] = [
            self.publish(self.origin - DAY, provider)
            for provider in self.providers
            if self.often(9)
        ]
        first += [self.set_meter(slug) for slug in self.meters if self.often(9)]
        return [*first, GiveMeter(self.customers[0], self.meters[0])]

    def operations(self) -> list[Operation]:
        return [self.operation() for _ in range(self.random.randint(3, MOST_OPERATIONS))]

    def operation(self) -> Operation:
        if self.often(2):
            return self.at_once()
        if self.often(1):
            return self.move_clock()
        if self.often(1):
            return Condense()
        return self.single()

    def single(self) -> Single:
        kinds: list[Callable[[], Single]] = [self.send] * 9 + [self.adjust] * 6
        kinds += [self.run_invoices] * 3 + [self.set_limit, self.publish] * 2
        return self.random.choice([*kinds, self.set_meter, self.give_meter])()

    def at_once(self) -> AtOnce:
        """Two or three, of which the first may decide how others are rated; sometimes twice the same.

        Two such decisions at once would leave open which of them counts: no answer tells.
        """
        first = self.single()
        same = isinstance(first, Send | Adjust | RunInvoices) and self.often(4)
        others = [first] if same else [self.rival(first)]
        if self.often(2):
            others.append(self.rival(first))
        together = tuple(self.at_another_writer(each) for each in (first, *others))
        return AtOnce(together, tuple(self.random.choice([0, 0, 2, 5, 10, 20]) for _ in together))

    def rival(self, first: Single) -> Single:
        """Something beside an operation, mostly about the same customer."""
        kinds: list[Callable[[], Single]] = [self.send, self.send, self.adjust, self.adjust]
        other = self.random.choice([*kinds, self.set_limit, self.run_invoices, Condense])()
        customer = getattr(first, "customer", None)
        if customer and isinstance(other, SetLimit | RunInvoices) and self.often(7):
            return replace(other, customer=customer)
        return other

    def at_another_writer(self, operation: Single) -> Single:
        if not isinstance(operation, Send):
            return operation
        return Send(self.random.randrange(2), self.shuffled(operation.records))

    def shuffled(self, records: tuple[bytes, ...]) -> tuple[bytes, ...]:
        order = list(records)
        self.random.shuffle(order)
        return tuple(order)

    def move_clock(self) -> MoveClock:
        step = -HOUR if self.often(2) else self.random.randint(0, 12 * 24) * HOUR
        self.now += step
        return MoveClock(self.now)

    def send(self) -> Send:
        records = [self.record() for _ in range(self.random.randint(1, MOST_RECORDS))]
        self.sent += records
        return Send(self.random.randrange(2), tuple(ENCODER.encode(each) for each in records))

    def record(self) -> dict[str, Any]:
        """A new record, or one that was sent before, the same or not."""
        if self.sent and self.often(3):
            return self.again(self.random.choice(self.sent))
        index = self.random.randrange(40)
        status = self.random.choice(["completed"] * 6 + ["pending", "error"])
        record = {
            "request_id": self.request_id(index),
            "customer_id": self.random.choice(self.customers),
            "model": self.random.choice(self.models if self.often(8) else self.other_names),
            "status": status,
            **self.quantities(),
        }
        if self.often(8):
            record["timestamp"] = self.instant().isoformat()
        if self.often(8):
            record["provider"] = self.random.choice(self.providers)
        return record | self.extras()

    def again(self, record: dict[str, Any]) -> dict[str, Any]:
        """The same, with another figure, or completed."""
        match self.random.randrange(5):
            case 0:
                return record | self.quantities()
            case 1:
                return record | {"status": "completed"}
            case 2:
                return record | {"status": "pending"}
            case 3:
                return record | {"customer_id": self.random.choice(self.customers)}
        return record

    def extras(self) -> dict[str, Any]:
        """What a record may state besides."""
        extras: dict[str, Any] = {}
        if self.often(5):
            extras["provider_key_type"] = self.random.choice(["managed", "unmanaged", "byok"])
        if self.often(1):
            extras["meter_slug"] = self.random.choice(self.meters)
        if self.often(3):
            extras |= self.call()
        if self.often(1):
            extras["metadata"] = {"team": self.random.choice(["red", "blue"])}
        if self.often(1):
            extras |= {"reported_cost": "0.25", "trace": "kept as it is"}
        return extras

    def call(self) -> dict[str, Any]:
        """What a price may depend on besides the usage."""
        ways: list[dict[str, Any]] = [
            *({"batch": True}, {"batch": False}, {"service_tier": "batch"}),
            *({"service_tier": tier} for tier in ("standard", "default", "priority")),
            *({"region": "us"}, {"accelerator": "h100"}, {"batch": True, "region": "us"}),
        ]
        return self.random.choice(ways)

    def request_id(self, index: int) -> str:
        """Of this history alone; every third is opaque, the others are made two days apart."""
        if index % 3 == 0:
            return f"req_test_{self.number}_{index}"
        milliseconds = int((self.origin + 2 * index * DAY).timestamp()) * 1000
        bits = milliseconds << 80 | self.number * 1000 + index
        return request_id_of(bits.to_bytes(16, "big"), None)

    def quantities(self) -> dict[str, Any]:
        """Some of input, output, parts of both, seconds of audio, and images, which have no price."""
        stated: dict[str, Any] = {"output_tokens": self.count()}
        if self.often(8):
            stated["input_tokens"] = self.count()
        if self.often(2):
            most = stated.get("input_tokens", 0)
            # Now and then more than there are: such a record is rejected.
            stated["cached_input_tokens"] = self.random.randint(0, most + most // 20)
        if self.often(1):
            stated |= self.parts(stated)
        if self.often(1):
            stated["input_seconds"] = Decimal(self.random.randint(0, 10**9)).scaleb(-6)
        if self.random.randrange(40) == 0:
            stated["images"] = self.random.randint(0, 3)
        return stated

    def parts(self, stated: dict[str, Any]) -> dict[str, Any]:
        """Parts of what is stated, which most of the time fit into it."""
        room = stated.get("input_tokens", 0) - stated.get("cached_input_tokens", 0)
        inside = ["cache_write_tokens", "audio_input_tokens", "cached_audio_input_tokens"]
        outside = ["reasoning_tokens", "audio_output_tokens"]
        return {
            self.random.choice(inside): self.random.randint(0, max(room, 0)),
            self.random.choice(outside): self.random.randint(0, stated["output_tokens"]),
        }

    def count(self) -> int:
        return self.random.randint(0, self.random.choice([10, 10_000, 1_000_000, 30_000_000]))

    def instant(self) -> datetime:
        """A time of use: in the months before now, at their edges, or a little too late to be true."""
        hours = int((self.now - self.origin) / HOUR)
        if self.often(1):
            month = month_at(self.origin, self.random.randint(0, 3))
            return month + self.random.randint(-1, 1) * MICROSECOND
        moment = self.origin + self.random.randint(0, hours + 26) * HOUR
        return moment + self.random.randint(0, 3_600_000_000) * MICROSECOND

    def adjust(self) -> Adjust | Send:
        """Of a request that was sent, or adjusted before; sometimes under a key that was used before."""
        if not self.sent:
            return self.send()
        if self.adjusted and self.often(3):
            earlier = self.random.choice(self.adjusted)
            kind, stated = self.change()
            anew = replace(earlier, kind=kind, quantities=stated)
            adjustment = self.random.choice([earlier, anew, *[replace(anew, key=self.key())] * 4])
        else:
            customer, request_id = self.target()
            kind, stated = self.change()
            adjustment = Adjust(customer, request_id, kind, stated, self.key())
        self.adjusted.append(adjustment)
        return adjustment

    def target(self) -> tuple[str, str]:
        """Customer and request, mostly one that has completed; now and then nobody has heard of it."""
        completed = [each for each in self.sent if each["status"] == "completed"]
        if self.random.randrange(20) == 0:
            return self.random.choice(self.customers), self.request_id(self.random.randrange(40))
        record = self.random.choice(completed if completed and self.often(9) else self.sent)
        return record["customer_id"], record["request_id"]

    def change(self) -> tuple[str, dict[str, int | Decimal]]:
        """A void, or a correction to at least one of the quantities that a record may state."""
        return ("void", {}) if self.often(2) else ("correction", self.correction())

    def key(self) -> str:
        return f"key-{self.random.randrange(10**6)}"

    def correction(self) -> dict[str, int | Decimal]:
        quantities = self.quantities()
        names = sorted(quantities)
        chosen = [name for name in names if self.often(5)] or [self.random.choice(names)]
        return {name: quantities[name] for name in chosen}

    def publish(
        self, effective_from: datetime | None = None, provider: str | None = None
    ) -> Publish:
        self.versions += 1
        models = [model for model in self.models if self.often(8)] or [self.models[0]]
        return Publish(
            provider or self.random.choice(self.providers),
            f"v{self.versions}",
            effective_from or self.instant(),
            {model: self.model_prices() for model in models},
            *self.names(models),
        )

    def names(self, models: list[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Aliases, of which one may lead to the other, and what unlisted ids fall back on."""
        if self.often(5):
            return {}, {}
        also, too, _ = self.other_names
        aliases = {also: self.random.choice(models), too: self.random.choice([also, models[-1]])}
        patterns = [f"model-{self.number}-*", f"*-{self.number}-*-small", "*"]
        chosen = [pattern for pattern in patterns if self.often(3)]
        return aliases, {pattern: self.random.choice(models) for pattern in chosen}

    def model_prices(self) -> Prices:
        """Mostly plain; now and then by tiers, or with those of other ways to call it."""
        usual: dict[str, Any] = self.tiers() if self.often(2) else dict(self.prices())
        if self.often(5):
            return usual
        ways = [{"batch": "true"}, {"service_tier": "priority"}, {"region": "us"}]
        ways += [{"accelerator": "h100"}, {"batch": "true", "region": "us"}]
        chosen = self.random.sample(ways, self.random.randint(1, 3))
        variants = [
            {"when": way, **(self.tiers() if self.often(2) else self.prices())} for way in chosen
        ]
        return {"variants": variants} if self.often(1) else {**usual, "variants": variants}

    def tiers(self) -> dict[str, Any]:
        """Two or three tiers by the tokens of the input; an end repeats the next start, if it stands."""
        starts = [0, *sorted(self.random.sample([1, 10, 5000, 5001, 1_000_000], 2))]
        tiers: list[dict[str, Any]] = [{"start": str(at), **self.prices()} for at in starts]
        if self.often(5):
            tiers[0]["end"] = tiers[1]["start"]
        return {"tiers": tiers[: self.random.choice([2, 3])]}

    def prices(self) -> Prices:
        """Per 1M tokens, with up to six decimals, per minute of audio, and now and then per request."""
        prices: dict[str, Any] = {"output": self.price(), "input": self.price()}
        if self.often(4):
            prices["cached_input"] = self.price()
        if self.often(8):
            prices["audio_input"] = {"price": self.price(), "per": "minute"}
        for name in ("cache_write", "reasoning", "audio_input_tokens", "audio_output_tokens"):
            if self.often(3):
                prices[name] = self.price()
        if self.often(1):
            prices["request"] = {"price": self.price(), "per": self.random.choice(["1", "1K"])}
        if self.random.randrange(20) == 0:
            del prices["input"]
        return prices

    def price(self) -> str:
        micros = self.random.choice([self.random.randint(0, 3_000_000), 900_000])
        return f"{Decimal(micros).scaleb(-6):f}"

    def set_meter(self, slug: str | None = None) -> SetMeter:
        """Mostly a percentage of cost, else a rate for so much of a unit."""
        slug = slug or self.random.choice(self.meters)
        if self.often(7):
            return SetMeter(slug, self.random.choice(["0", "10", "12.5", "0.333333", None]))
        unit = self.random.choice(["tokens_1m", "characters_1m", "minutes", "requests"])
        return SetMeter(slug, self.random.choice(["0.01", "1.25", "0.000001"]), unit)

    def give_meter(self) -> GiveMeter:
        return GiveMeter(self.random.choice(self.customers), self.random.choice(self.meters))

    def set_limit(self) -> SetLimit:
        amount = self.random.choice(["0.01", "0.50", "2.00", "10.00", "50.00"])
        window = self.random.choice(["day", "week", "month", "total"])
        thresholds = self.random.choice([("0.5", "0.8", "1"), ("1",), ("0.1", "0.25", "2")])
        return SetLimit(self.random.choice(self.customers), amount, window, thresholds)

    def run_invoices(self) -> RunInvoices:
        """Mostly of a month that is over."""
        month = month_at(self.origin, self.random.choice([0, 0, 0, 1, 1, 1, 1, 1, 2, 3]))
        customer = self.random.choice([None, None, *self.customers])
        return RunInvoices(month.isoformat()[:7], customer)

    def often(self, tenths: int) -> bool:
        """So many times in ten."""
        return self.random.randrange(10) < tenths

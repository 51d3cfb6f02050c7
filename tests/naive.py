"""A second, deliberately naive ledger: the rules of the documents, as an auditor's sheet.

It shares no code with the product and prefers the obvious way to the fast one. Money is Decimal USD.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.naive_prices import (
    SECONDS,
    UNITS,
    WHOLES,
    Names,
    Quantities,
    Table,
    Terms,
    called_as,
    cost_of,
    fee_of,
    in_force,
)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID_ID = re.compile(f"req_[0-7][{CROCKFORD}]{{25}}")
ULID_MS = range(1_577_836_800_000, 4_102_444_800_000)  # the years 2020 to 2100
DAY, CLOCK, OFFSET = r"(\d{4}-\d\d-\d\d)", r"(\d\d:\d\d:\d\d)", r"([Zz]|[+-]\d\d:\d\d)"
TIME = re.compile(rf"{DAY}[Tt]{CLOCK}(?:\.(\d+))?{OFFSET}", re.ASCII)
TIME_NAMES = ("timestamp", "occurred_at", "created_at")
HOSTS = {
    "api.fireworks.ai": "fireworks",
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "google",
}
KEY_TYPES = {"managed": "managed", "unmanaged": "byok", "byok": "byok", "stored": "byok"}
TOKENS = ("input_tokens", "cached_input_tokens", "output_tokens")
ALIASES = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
# Parts of a whole that a provider's usage object of a chat states apart.
IN_DETAILS = (
    ("cached_input_tokens", "prompt_tokens_details", "cached_tokens"),
    ("reasoning_tokens", "completion_tokens_details", "reasoning_tokens"),
)
TEXTS = ("model", "provider", "service_tier", "region", "accelerator", "meter_slug")
LEFT_OPEN = {"service_tier": "auto", "region": "global"}  # to say so is to say nothing
COUNTERS = ("read", "accepted", "duplicates", "conflicts", "rejected", "unrated")
PLURALS = {"duplicate": "duplicates", "conflict": "conflicts"}
Percentages = Mapping[str, Decimal]
NO_FEES: Percentages = {}


@dataclass(frozen=True)
class Event:
    """One completed record. `input_tokens` and `output_tokens` include their parts; money is USD."""

    customer: str
    provider: str | None
    model: str | None
    key_type: str
    occurred_at: datetime
    quantities: Quantities
    called: Names  # what the price depends on besides
    cost: Decimal
    fee: Decimal

    def group_value(self, name: str) -> Any:
        """The event's value in one of the groupings of the spend answer."""
        text = self.occurred_at.isoformat()
        times = {"hour": f"{text[:13]}:00:00Z", "day": text[:10], "month": text[:7]}
        return times[name] if name in times else getattr(self, name)

    def sums(self) -> dict[str, Any]:
        """What the event adds to a row. Under the caller's own key only the fee is owed."""
        spend = self.fee if self.key_type == "byok" else self.cost + self.fee
        tokens = {name: self.quantities.get(name, 0) for name in TOKENS}
        return {"requests": 1, **tokens, "cost": self.cost, "fee": self.fee, "spend": spend}


def read_tables(directory: Path) -> list[Table]:
    """Every `<provider>/<version>.yaml` under a folder, in order of name. Trusts the files."""
    tables = []
    for path in sorted(directory.glob("*/*.yaml")):
        sheet = yaml.load(path.read_text("utf-8"), yaml.CBaseLoader)  # noqa: S506 (makes only text)
        names = (sheet.get("aliases", {}), sheet.get("fallback", {}))
        since = read_time(sheet["effective_from"])
        tables.append(Table(sheet["provider"], since, sheet["models"], *names))
    return tables


def require(field: str, condition: object) -> None:
    if not condition:
        raise ValueError(field)


def read_time(value: object) -> datetime:
    """RFC 3339 with an offset, in UTC; digits beyond microseconds are cut off."""
    match = TIME.fullmatch(str(value))
    if match is None:
        raise ValueError("timestamp")
    day, clock, fraction, offset = match.groups(default="0")
    moment = datetime.fromisoformat(f"{day}T{clock}{offset.upper()}").astimezone(UTC)
    return moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))


def ulid_time(request_id: str) -> datetime | None:
    """The moment inside a canonical id, None for an opaque one."""
    if not ULID_ID.fullmatch(request_id):
        return None
    digits = enumerate(reversed(request_id[4:14]))
    milliseconds = sum(CROCKFORD.index(digit) * 32**place for place, digit in digits)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds % 2**43)
    return moment if milliseconds in ULID_MS else None


def read_record(line: bytes) -> dict[str, Any]:
    """One JSON object, its fractions as Decimal; fields that are null count as left out."""
    record = json.loads(line.decode(), parse_float=Decimal)
    require("record", isinstance(record, dict))
    json.dumps(record, default=str, ensure_ascii=False, allow_nan=False).encode()  # no surrogates
    return {name: value for name, value in record.items() if value is not None}


def host_of(endpoint: str) -> str | None:
    """The host of `POST https://...`; None where that is no address."""
    try:
        return urlsplit(endpoint.rpartition(" ")[2]).hostname
    except ValueError:  # such as an open bracket
        return None


def read_id(record: Mapping[str, Any], *names: str) -> str:
    """The first of some names that is there: text of 1 to 255 characters without NUL."""
    value = next((record[name] for name in names if name in record), None)
    require(names[0], isinstance(value, str) and 1 <= len(value) <= 255 and "\0" not in value)
    return str(value)


def read_quantities(record: Mapping[str, Any]) -> Quantities:
    """What a record states of each unit: on top, else in `model_usage`, else in `usage`."""
    usage = dict(record.get("usage") or {})
    for name, details, part in IN_DETAILS:
        usage.setdefault(name, (usage.get(details) or {}).get(part))
    stated: dict[str, int | Decimal] = {}
    for source in (usage, record.get("model_usage") or {}, record):  # the later one wins
        for unit in UNITS:
            for name in (ALIASES.get(unit, unit), unit):
                if source.get(name) is not None:
                    stated[unit] = source[name]
    for unit, amount in stated.items():
        whole = isinstance(amount, int) and not isinstance(amount, bool)
        require(unit, whole or (isinstance(amount, Decimal) and unit in SECONDS))
        require(unit, 0 <= amount <= 10**12 and (Fraction(amount) * 10**6).denominator == 1)
    for unit, parts in WHOLES.items():
        require(unit, sum(stated.get(part, 0) for part in parts) <= stated.get(unit, 0))
    return stated


def read_statement(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record states of itself and what another copy of it must not contradict."""
    stated: dict[str, Any] = dict(read_quantities(record))
    stated |= {name: record[name] for name in (*TEXTS, "batch", "metadata") if name in record}
    stated = {name: it for name, it in stated.items() if it != LEFT_OPEN.get(name)}
    for name in TEXTS:
        require(name, isinstance(stated.get(name, ""), str))
    require("batch", isinstance(stated.get("batch", False), bool))
    require("batch", stated.get("batch", True) or stated.get("service_tier") != "batch")
    metadata = stated.get("metadata", {})
    require("metadata", isinstance(metadata, dict) and len(metadata) <= 100)
    for text in (*metadata.keys(), *metadata.values()):
        require("metadata", isinstance(text, str) and 1 <= len(text) <= 255)
    if "provider_key_type" in record:
        require("provider_key_type", record["provider_key_type"] in KEY_TYPES)
        stated["key_type"] = KEY_TYPES[record["provider_key_type"]]
    times = [record[name] for name in TIME_NAMES[:2] if name in record]
    return {**stated, "timestamp": read_time(times[0])} if times else stated


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two copies agree in all that both state; words for one tier are one."""
    both = one.keys() & other.keys()
    ours, theirs = called_as(one), called_as(other)
    compared = [(one[name], other[name]) for name in both - {"service_tier", "batch"}]
    if "service_tier" in both:
        compared.append((ours.get("service_tier"), theirs.get("service_tier")))
        if "batch" in (one["service_tier"], other["service_tier"]):  # it says what `batch` says
            both = {*both, "batch"}
    if "batch" in both:
        compared.append((ours.get("batch"), theirs.get("batch")))
    return all(mine == yours for mine, yours in compared)


class NaiveLedger:
    """Records in the order they come, and the questions asked of them.

    `received_at` stands for the clock at receipt; `percentages` holds the fee of a
    customer as a percentage of cost (10 for 10 %), none for others. `meters` are those that a
    new record may state, and None for one that states none; without them it may state any.
    """

    def __init__(
        self, tables: Sequence[Table], received_at: datetime, percentages: Percentages = NO_FEES
    ) -> None:
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.events: list[Event] = []
        self.received_at = received_at
        self.meters: Collection[str | None] | None = None
        self._tables = tables
        self._percentages = percentages
        self._statements: dict[tuple[str, str], dict[str, Any] | None] = {}  # None: unmetered

    def add(self, line: bytes) -> str:
        """Take one record: accepted, duplicate, conflict or rejected."""
        try:
            outcome = self._take(read_record(line))
        except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
            outcome = "rejected"  # a value that does not read as its field asks
        self.counters["read"] += 1
        self.counters[PLURALS.get(outcome, outcome)] += 1
        return outcome

    def _take(self, record: dict[str, Any]) -> str:
        key = (read_id(record, "customer_id", "connection_id"), read_id(record, "request_id"))
        statement = read_statement(record)
        occurred_at = self._occurred_at(record)
        status = record.get("status", "completed")
        require("status", status in ("completed", "pending", "error"))
        if (known := self._statements.get(key)) is not None and status == "completed":
            return "duplicate" if is_same(known, statement) else "conflict"
        if status != "completed" and key in self._statements:
            return "duplicate"
        require("meter_slug", self.meters is None or record.get("meter_slug") in self.meters)
        provider = self._provider(record, occurred_at)
        if status == "completed":
            self._rate(key[0], statement, provider, occurred_at)
        self._statements[key] = statement if status == "completed" else None
        return "accepted"

    def _occurred_at(self, record: Mapping[str, Any]) -> datetime:
        stated = [record[name] for name in TIME_NAMES if name in record]
        derived = ulid_time(record["request_id"]) or self.received_at
        moment = read_time(stated[0]) if stated else derived
        require("timestamp", moment <= self.received_at + timedelta(hours=24))
        return moment

    def _provider(self, record: Mapping[str, Any], moment: datetime) -> str | None:
        if "provider" in record:
            return str(record["provider"])
        host = host_of(str(record.get("endpoint", "")))
        if host in HOSTS:
            return HOSTS[host]
        names = {table.provider for table in self._tables}
        tables = [in_force(self._tables, name, moment) for name in names]
        listing = [t.provider for t in tables if t and t.lists(record.get("model"))]
        return listing[0] if len(listing) == 1 else None

    def _rate(
        self, customer: str, stated: Mapping[str, Any], provider: str | None, at: datetime
    ) -> None:
        model = stated.get("model")
        quantities = {unit: stated[unit] for unit in UNITS if unit in stated}
        called = called_as(stated)
        table = in_force(self._tables, provider or "", at)
        prices = table.prices_of(model) if table else None
        cost = cost_of(quantities, prices, called) if prices else None
        money = cost or Decimal(0)  # an unrated event counts nothing yet
        fee = fee_of(Terms(self._percentages.get(customer, Decimal(0))), money, quantities)
        self.counters["unrated"] += cost is None
        key_type = stated.get("key_type", "managed")
        event = Event(customer, provider, model, key_type, at, quantities, called, money, fee)
        self.events.append(event)

    def spend(self, by: Sequence[str], start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Sums of the events in [start, end), one row a group, in byte order, None last."""
        rows: dict[tuple[str | None, ...], dict[str, Any]] = {}
        for event in self.events:
            if start <= event.occurred_at < end:
                values = tuple(event.group_value(name) for name in by)
                row = rows.setdefault(values, dict(zip(by, values, strict=True)))
                for name, amount in event.sums().items():
                    row[name] = row.get(name, 0) + amount
        order = sorted(rows, key=lambda row: [(v is None, (v or "").encode()) for v in row])
        return [rows[values] for values in order]

    def uninvoiced(self, customer: str, month: str) -> tuple[Decimal, Decimal]:
        """A customer's spend in a month (`2026-04`), exactly and rounded half-up to cents."""
        mine = [e for e in self.events if (e.customer, e.group_value("month")) == (customer, month)]
        exact = sum((event.sums()["spend"] for event in mine), Decimal(0))
        return exact, exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def naive_ledger(
    lines: Iterable[bytes],
    tables: Sequence[Table],
    received_at: datetime,
    customer_percentages: Percentages = NO_FEES,
) -> NaiveLedger:
    """A ledger that has taken every line (blank ones are no records)."""
    ledger = NaiveLedger(tables, received_at, customer_percentages)
    for line in filter(bytes.strip, lines):
        ledger.add(line)
    return ledger

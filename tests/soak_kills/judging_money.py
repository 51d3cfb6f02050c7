"""Whether spend, invoices and alerts follow from the rows, as the naive ledger adds them up."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.naive import TOKENS
from tests.naive_history import Row
from tests.soak_kills.evidence import Evidence
from tests.soak_kills.memory import Limit, Memory

SUMS = ("requests", *TOKENS, "cost", "fee", "spend")
ZERO, CENT = Decimal(0), Decimal("0.01")
THRESHOLDS = ("0.5", "0.8", "1")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
Sums = Counter[str]
Line = tuple[str, str, str, str, str]  # customer, month, provider, model, key type


def judge_spend(rows: Iterable[Row], evidence: Evidence) -> Iterator[str]:
    """To the last digit, by customer, model and day; no row too many."""
    expected = _summed(rows, ("customer", "model", "day"))
    shown = {(row["customer"], row["model"], row["day"]): row for row in evidence.spend}
    for group in sorted(expected.keys() | shown.keys()):
        ours, theirs = expected.get(group, Counter()), shown.get(group, {})
        if any(ours[name] != Decimal(theirs.get(name, 0)) for name in SUMS):
            yield f"spend of {group}: {dict(ours)} by the rows, {dict(theirs)} by the ledger"


def judge_invoices(memory: Memory, rows: Iterable[Row], evidence: Evidence) -> Iterator[str]:
    """Gapless, each right in itself; what is billed and what waits is all that was used."""
    invoices = evidence.invoices
    numbers = [invoice["number"] for invoice in invoices]
    if numbers != [f"INV-{number:06d}" for number in range(1, len(numbers) + 1)]:
        yield f"numbers with gaps: {numbers}"
    periods = Counter((each["customer_id"], each["period_start"]) for each in invoices)
    yield from (f"two invoices of {period}" for period, count in periods.items() if count > 1)
    for invoice in invoices:
        yield from _judge_invoice(invoice)
    by_number = {invoice["number"]: invoice for invoice in invoices}
    for number, head in memory.issued.items():
        if any(by_number.get(number, {}).get(name) != value for name, value in head.items()):
            yield f"{number} was issued as {head} and is {by_number.get(number)}"
    yield from _judge_billed(list(rows), evidence)


def _judge_invoice(invoice: Mapping[str, Any]) -> Iterator[str]:
    lines = invoice["lines"]
    exact = sum((Decimal(line["exact"]) for line in lines), ZERO)
    total = Decimal(invoice["total"])
    is_right = (
        total == exact.quantize(CENT, ROUND_HALF_UP) > 0
        and Decimal(invoice["rounding"]) == total - exact
        and sum((Decimal(line["amount"]) for line in lines), ZERO) == total
        and all(abs(Decimal(line["amount"]) - Decimal(line["exact"])) < CENT for line in lines)
        and all(Decimal(line["exact"]) == _owed(line) for line in lines)
    )
    if not is_right:
        yield f"an invoice that is wrong in itself: {invoice}"


def _owed(line: Mapping[str, Any]) -> Decimal:
    cost, fee = Decimal(line["cost"]), Decimal(line["fee"])
    return fee if line["key_type"] == "byok" else cost + fee


def _judge_billed(rows: Sequence[Row], evidence: Evidence) -> Iterator[str]:
    """Who has the invoice of the last month over has been billed all up to it; the others owe nothing."""
    used = _summed(rows, ("customer", "month", "provider", "model", "key_type"))
    billed = _billed(evidence.invoices)
    drafts = {draft["customer_id"]: Decimal(draft["total"]) for draft in evidence.drafts}
    open_month = max((draft["period_start"][:7] for draft in evidence.drafts), default="9999")
    last = max((invoice["period_start"] for invoice in evidence.invoices), default="")
    settled = {each["customer_id"] for each in evidence.invoices if each["period_start"] == last}
    left: dict[str, Decimal] = {}  # by customer, of months that are over
    waiting: dict[str, Decimal] = {}  # of all months
    for line in sorted(used.keys() | billed.keys()):
        difference = {
            name: used.get(line, Counter())[name] - billed.get(line, Counter())[name]
            for name in SUMS
        }
        customer, month = line[:2]
        waiting[customer] = waiting.get(customer, ZERO) + difference["spend"]
        if month < open_month:
            left[customer] = left.get(customer, ZERO) + difference["spend"]
            if customer in settled and any(difference.values()):
                yield f"billed otherwise than used: {line}: {difference}"
    for customer, exact in sorted(left.items()):
        if customer not in settled and exact.quantize(CENT, ROUND_HALF_UP) > 0:
            yield f"{customer} owes {exact} and has no invoice of the last month"
    for customer, exact in sorted(waiting.items()):
        due = max(ZERO, exact.quantize(CENT, ROUND_HALF_UP))
        if drafts.get(customer, ZERO) != due:
            yield f"{customer} would get {drafts.get(customer)}, of {exact} that waits"


def _billed(invoices: Iterable[Mapping[str, Any]]) -> dict[Line, Sums]:
    billed: dict[Line, Sums] = {}
    for invoice in invoices:
        for line in invoice["lines"]:
            month = line["period_start"][:7]
            names = (line["provider"], line["model"], line["key_type"])
            sums = billed.setdefault((invoice["customer_id"], month, *names), Counter())
            for name in SUMS:
                sums[name] += _exactly(line["exact" if name == "spend" else name])
    return billed


def judge_alerts(memory: Memory, rows: Sequence[Row], evidence: Evidence) -> Iterator[str]:
    """Once for each limit, threshold and window. What was crossed before it was taken back may be told."""
    crossings = [
        (alert["limit_id"], alert["threshold"], alert["window_start"]) for alert in evidence.alerts
    ]
    yield from (f"alert twice: {it}" for it, count in Counter(crossings).items() if count > 1)
    raised = set(crossings)
    shown = {limit["limit_id"] for limit in evidence.limits}
    by_customer: dict[str, list[Row]] = {}
    for row in rows:
        by_customer.setdefault(row.customer, []).append(row)
    for limit in memory.limits:
        if limit.limit_id in shown:
            owed, possible = _crossings(limit, by_customer.get(limit.customer, ()))
            mine = {each for each in raised if each[0] == limit.limit_id}
            yield from (f"no alert for {each} of {limit}" for each in sorted(owed - mine, key=str))
            yield from (
                f"nothing for {each} of {limit}" for each in sorted(mine - possible, key=str)
            )
    for alert in evidence.alerts:
        reached = Decimal(alert["threshold"]) * Decimal(alert["limit_amount"])
        if Decimal(alert["spend"]) < reached or alert["limit_id"] not in shown:
            yield f"an alert for nothing: {alert}"


def _crossings(limit: Limit, rows: Iterable[Row]) -> tuple[set[Any], set[Any]]:
    """Those that must have been raised, and those that may: a window closed meanwhile, money taken back."""
    spent: dict[datetime, Decimal] = {}
    stated: dict[datetime, Decimal] = {}  # what was ever said, whatever was taken back
    ends: dict[datetime, datetime] = {}
    for row in rows:
        start_at, ends_at = window_of(limit.window, row.occurred_at)
        amount = row.sums()["spend"]
        spent[start_at] = spent.get(start_at, ZERO) + amount
        stated[start_at] = stated.get(start_at, ZERO) + max(amount, ZERO)
        ends[start_at] = ends_at
    owed, possible = set(), set()
    answered_at = limit.answered_at or FOR_EVER
    for start_at, ends_at in ends.items():
        for threshold in THRESHOLDS:
            name = start_at.isoformat().replace("+00:00", "Z") if ends_at < FOR_EVER else None
            crossing = limit.limit_id, threshold, name
            amount = Decimal(threshold) * limit.amount
            if spent[start_at] >= amount and (ends_at > answered_at or ends_at == FOR_EVER):
                owed.add(crossing)
            if stated[start_at] >= amount and ends_at > limit.asked_at:
                possible.add(crossing)
    return owed, possible


def window_of(kind: str, moment: datetime) -> tuple[datetime, datetime]:
    """The window of a kind around a moment, in UTC; weeks begin on Monday."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    month = day.replace(day=1)
    monday = day - timedelta(days=day.weekday())
    return {
        "day": (day, day + timedelta(days=1)),
        "week": (monday, monday + timedelta(days=7)),
        "month": (month, (month + timedelta(days=31)).replace(day=1)),
        "total": (EPOCH, FOR_EVER),
    }[kind]


def _summed(rows: Iterable[Row], names: Sequence[str]) -> dict[Any, Sums]:
    """Sums by some groupings; what comes to nothing in every figure has no group."""
    groups: dict[Any, Sums] = {}
    for row in rows:
        group = tuple(row.group_value(name) for name in names)
        sums = groups.setdefault(group, Counter())
        for name, amount in row.sums().items():
            sums[name] += amount
    return {group: sums for group, sums in groups.items() if any(sums.values())}


def _exactly(value: int | str) -> Any:
    return Decimal(value) if isinstance(value, str) else value

"""Single statements of a source, put together to models that are priced whole or not listed."""

from collections.abc import Iterable

from msgspec import Struct

from pricing.imports.drafts import PLAIN, DraftModel, DraftTier, Prices, Report, Tiers, When
from pricing.imports.numbers import NoPrice, ZeroPrice, price_of
from pricing.prices import BILLS_AS
from pricing.units import UNIT_BY_RATE_KEY, Unit

MODEL = "model"
# Without these a tier or a variant prices nothing useful.
_ESSENTIAL = ("input", "output")
# A request is counted only where it has a price: without one its charge is lost, and nothing shows it.
_REQUEST = Unit.BILLABLE_REQUESTS.rate_key
_PER_TOKEN = frozenset(unit.rate_key for unit in Unit if unit.value.endswith("_tokens"))
_STAND_INS = {Unit(unit).rate_key: Unit(stand_in).rate_key for unit, stand_in in BILLS_AS.items()}
_ORDER = {key: place for place, key in enumerate(UNIT_BY_RATE_KEY)}


class Stated(Struct, frozen=True):
    """One price that a source states.

    Attributes:
        field: The source's name of it.
        key: The rate key that it is the price for.
        number: The number as the source has it.
        places: How many places the point moves to the right to make it a price of the table.
        per: The word for `per` of the table; empty for the unit's default.
        start: The fewest input tokens of a request that it counts for.
        when: The combination that it counts for.
    """

    field: str
    key: str
    number: object
    places: int = 0
    per: str = ""
    start: int = 0
    when: When = PLAIN


class CannotList(Exception):
    """A model stays out of the draft, because what would be left of it would price wrongly."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def draft_model(statements: Iterable[Stated], report: Report) -> DraftModel | None:
    """Put what a source states of one model together.

    A field is left out where its absence makes usage unrated; the model, where it would be priced
    wrongly. Both are reported. A combination that is not stated whole is left out.

    Returns:
        The model, or None when nothing of it can be listed.
    """
    try:
        stated = _gather(statements, report)
        plain = _tiers(stated.pop(PLAIN, {}), report)
    except CannotList as reason:
        report(reason.field, reason.reason)
        return None
    if not plain:
        report(MODEL, "has no price that a table can hold")
        return None
    combinations = {PLAIN: plain}
    for when, prices in sorted(stated.items()):
        tiers = _variant(when, prices, plain, report)
        if tiers:
            combinations[when] = tiers
    return DraftModel(combinations)


def words(when: When) -> str:
    """Name a combination in a report."""
    return " ".join(f"{key}={value}" for key, value in when) or "plain calls"


def _gather(statements: Iterable[Stated], report: Report) -> dict[When, dict[int, Prices]]:
    """Turn numbers into prices, by combination and by start."""
    gathered: dict[When, dict[int, Prices]] = {}
    refused: list[tuple[Stated, NoPrice]] = []
    for each in statements:
        try:
            price = price_of(each.number, each.key, places=each.places, per=each.per)
        except NoPrice as error:
            refused.append((each, error))
            continue
        prices = gathered.setdefault(each.when, {}).setdefault(each.start, {})
        if prices.setdefault(each.key, price) != price:
            raise CannotList(each.field, f"states {each.key} a second time with another price")
    for each, reason in refused:
        _check_refused(each, reason, gathered.get(each.when, {}).get(each.start, {}))
        report(each.field, str(reason))
    return gathered


def _check_refused(stated: Stated, reason: NoPrice, prices: Prices) -> None:
    """Refuse the model when, without this price, usage would be billed at another one or at none.

    That holds of 0 too: no source says whether it is free or unknown. Only a request at 0 costs the
    same when it has no price.
    """
    stand_in = _STAND_INS.get(stated.key)
    if stand_in in prices:
        raise CannotList(stated.field, f"{reason}; left out, it would bill as {stand_in}")
    if stated.key == _REQUEST and not isinstance(reason, ZeroPrice):
        raise CannotList(stated.field, f"{reason}; left out, requests would bill without it")


def _tiers(by_start: dict[int, Prices], report: Report) -> Tiers:
    """Make tiers of prices by start; what is not priced by the token is the same in all of them."""
    if not by_start:
        return ()
    first = by_start.get(0, {})
    carried = {key: price for key, price in first.items() if key not in _PER_TOKEN}
    tiers: list[DraftTier] = []
    for start in sorted(by_start):
        prices = _sorted(carried | by_start[start])
        missing = [key for key in first if key not in prices]
        if start and (not first or any(key in missing for key in _ESSENTIAL)):
            raise CannotList(f"tier from {start}", "is not stated whole")
        for key in missing:
            report(f"tier from {start}", f"states no {key}; {_consequence(key)}")
        if not tiers or tiers[-1].prices != prices:
            tiers.append(DraftTier(start, prices))
    return tuple(tiers)


def _variant(when: When, by_start: dict[int, Prices], plain: Tiers, report: Report) -> Tiers | None:
    """Make the tiers of a combination, when it is stated as fully as plain calls are."""
    try:
        tiers = _tiers(by_start, report)
    except CannotList as reason:
        report(f"{words(when)} {reason.field}", reason.reason)
        return None
    missing = [key for key in plain[0].prices if key not in tiers[0].prices]
    if any(key in missing for key in (*_ESSENTIAL, _REQUEST)):
        report(words(when), "is not stated whole: " + ", ".join(missing) + " missing")
        return None
    if not {tier.start for tier in plain} <= by_start.keys():
        report(words(when), "states no tiers, though plain calls have some")
        return None
    for key in missing:
        report(words(when), f"states no {key}; {_consequence(key)}")
    return tiers


def _consequence(key: str) -> str:
    """Say what the lack of a price means."""
    stand_in = _STAND_INS.get(key)
    return f"bills as {stand_in}" if stand_in else "such usage is unrated"


def _sorted(prices: Prices) -> Prices:
    return {key: prices[key] for key in sorted(prices, key=_ORDER.__getitem__)}

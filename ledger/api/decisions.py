"""Customers, meters, limits, alerts and rate tables: what is decided, and what follows from it."""

from typing import Any

import msgspec
from litestar import Router, get, post, put
from litestar.params import FromPath, FromQuery

from ledger.api.authentication import SENDER
from ledger.api.dependencies import OpenLedger
from ledger.api.reading import (
    AnyRequest,
    integer_parameter,
    optional_instant,
    plain_texts,
    read_form,
)
from ledger.core.errors import NotFound
from ledger.services.customers import list_customers, set_customer
from ledger.services.limits import LimitRequest, list_alerts, list_limits, set_limit
from ledger.services.meters import list_meters, set_meter
from ledger.services.price_lists import list_models, show_tables

MOST_LISTED = 1000


class CustomerForm(msgspec.Struct, forbid_unknown_fields=True):
    """What can be set of a customer."""

    meter_slug: str
    reason: str | None = None


class MeterForm(msgspec.Struct, forbid_unknown_fields=True):
    """A meter: `kind` and what that asks for, or Lava's `rate_type`, `tier_type` and `tiers`."""

    meter_slug: str
    reason: str | None = None
    kind: str | None = None
    percentage: str | None = None
    unit: str | None = None
    rate: str | None = None
    tiers: list[dict[str, Any]] | None = None
    package_size: int | str | None = None
    period: str | None = None
    rate_type: str | None = None
    tier_type: str | None = None


@get("/customers", summary="List customers")
async def get_customers(
    ledger: OpenLedger, cursor: FromQuery[str | None] = None, limit: FromQuery[str | None] = None
) -> dict[str, Any]:
    """In the order of their ids; `cursor` is the last id of the page before."""
    most = integer_parameter("limit", limit, 100, 1, MOST_LISTED)
    plain_texts("cursor", [cursor or ""])
    rows = await list_customers(ledger.database, after=cursor or "", most=most + 1)
    has_more = len(rows) > most
    return {
        "data": rows[:most],
        "has_more": has_more,
        "next_cursor": rows[most - 1]["customer_id"] if has_more else None,
    }


@get("/customers/{customer_id:path}", summary="Show a customer")
async def get_customer(ledger: OpenLedger, customer_id: FromPath[str]) -> dict[str, Any]:
    """A customer with its meter."""
    name = customer_id.removeprefix("/")
    plain_texts("customer_id", [name])
    rows = await list_customers(ledger.database, only=name, most=1)
    if not rows:
        raise NotFound(f"no customer {name!r}")
    return rows[0]


@put("/customers/{customer_id:path}", summary="Give a customer a meter")
async def put_customer(
    request: AnyRequest, ledger: OpenLedger, customer_id: FromPath[str]
) -> dict[str, Any]:
    """The meter counts for every event recorded from now on."""
    form = await read_form(request, CustomerForm)
    name = customer_id.removeprefix("/")
    return await set_customer(
        ledger.database, ledger.clock, SENDER, name, form.meter_slug, form.reason
    )


@get("/meters", summary="List meters")
async def get_meters(ledger: OpenLedger) -> dict[str, Any]:
    """The version in force of each."""
    return {"data": await list_meters(ledger.database)}


@post("/meters", status_code=200, summary="Publish a version of a meter")
async def post_meter(request: AnyRequest, ledger: OpenLedger) -> dict[str, Any]:
    """The same again makes no new version."""
    form = await read_form(request, MeterForm)
    terms = msgspec.structs.asdict(form)
    slug, reason = terms.pop("meter_slug"), terms.pop("reason")
    return await set_meter(ledger.database, ledger.clock, SENDER, slug, terms, reason)


@get("/limits", summary="List spend limits")
async def get_limits(
    ledger: OpenLedger, customer_id: FromQuery[list[str] | None] = None
) -> dict[str, Any]:
    """Of all customers, or of those named."""
    customers = plain_texts("customer_id", customer_id) or None
    return {"data": await list_limits(ledger.database, customers)}


@post("/limits", status_code=200, summary="Set a spend limit")
async def post_limit(request: AnyRequest, ledger: OpenLedger) -> dict[str, Any]:
    """Judges the windows that are open at once."""
    form = await read_form(request, LimitRequest)
    return await set_limit(ledger.database, ledger.clock, SENDER, form)


@get("/alerts", summary="List alerts, oldest first")
async def get_alerts(
    ledger: OpenLedger,
    customer_id: FromQuery[list[str] | None] = None,
    limit: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Of all customers, or of those named."""
    most = integer_parameter("limit", limit, MOST_LISTED, 1, MOST_LISTED)
    customers = plain_texts("customer_id", customer_id) or None
    return {"data": await list_alerts(ledger.database, customers, most)}


@get("/models", summary="List models that have a price")
async def get_models(ledger: OpenLedger) -> dict[str, Any]:
    """Those of the rate tables in force now, with other ids that bill as one of them."""
    return {"object": "list", "data": await list_models(ledger.database, ledger.clock.now())}


@get("/rates", summary="List published rate tables")
async def get_rates(
    ledger: OpenLedger,
    provider: FromQuery[str | None] = None,
    version: FromQuery[str | None] = None,
    at: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Every version of every provider; `at` leaves those that are in force at that time."""
    plain_texts("provider", [provider or ""])
    plain_texts("version", [version or ""])
    instant = optional_instant("at", at)
    try:
        rows = await show_tables(ledger.database, at=instant, provider=provider, version=version)
    except NotFound:
        rows = []
    return {"data": rows}


router = Router(
    "/v1",
    route_handlers=[
        get_customers,
        get_customer,
        put_customer,
        get_meters,
        post_meter,
        get_limits,
        post_limit,
        get_alerts,
        get_models,
        get_rates,
    ],
    tags=["decisions"],
)

"""Customers, meters, limits, alerts and rate tables: what is decided, and what follows from it."""

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post, put

from ledger.api.answers import JsonAnswer
from ledger.api.authentication import ADMIN, READ
from ledger.api.dependencies import TheCaller, caller_of, limit_questions_of
from ledger.api.openapi.answers.decisions import (
    AlertList,
    CustomerAnswer,
    CustomerPage,
    LimitAnswer,
    LimitList,
    MeterAnswer,
    MeterList,
    ModelList,
    RateTableList,
)
from ledger.api.openapi.bodies import form
from ledger.api.openapi.meters import METER, MeterForm
from ledger.api.openapi.operations import says
from ledger.api.openapi.parameters import (
    At,
    Cursor,
    CustomerInPath,
    Customers,
    Provider,
    Text,
    Version,
    page_size,
)
from ledger.api.reading import (
    AnyRequest,
    integer_parameter,
    name_in_path,
    optional_instant,
    plain_texts,
    read_form,
)
from ledger.core.errors import NotFound
from ledger.core.shapes import PlainText, Reason
from ledger.services.customers import list_customers, set_customer
from ledger.services.limits import LimitRequest, list_alerts, set_limit
from ledger.services.meters import list_meters, set_meter
from ledger.services.price_lists import list_models, show_tables

DEFAULT_PAGE = 100
MOST_LISTED = 1000
Limit = Annotated[Text, page_size(DEFAULT_PAGE, MOST_LISTED)]
AlertLimit = Annotated[Text, page_size(MOST_LISTED, MOST_LISTED)]


class CustomerForm(msgspec.Struct, forbid_unknown_fields=True):
    """What can be set of a customer."""

    meter_slug: PlainText
    reason: Reason | None = None


@get(
    "/customers",
    opt=READ | says(CustomerPage),
    operation_id="list_customers",
    summary="List customers",
)
async def get_customers(
    caller: TheCaller, cursor: Cursor = None, limit: Limit = None
) -> dict[str, Any]:
    """In the order of their ids; `cursor` is the last id of the page before."""
    most = integer_parameter("limit", limit, DEFAULT_PAGE, 1, MOST_LISTED)
    plain_texts("cursor", [cursor or ""])
    rows = await list_customers(
        caller.database, after=cursor or "", most=most + 1, only=caller.customer_id
    )
    has_more = len(rows) > most
    return {
        "data": rows[:most],
        "has_more": has_more,
        "next_cursor": rows[most - 1]["customer_id"] if has_more else None,
    }


@get(
    "/customers/{customer_id:str}",
    opt=READ | says(CustomerAnswer),
    operation_id="show_customer",
    summary="Show a customer",
)
async def get_customer(
    request: AnyRequest,
    caller: TheCaller,
    customer_id: CustomerInPath,  # noqa: ARG001 - documents the parameter
) -> dict[str, Any]:
    """A customer with its meter. Ids are any text: what stands after `/v1/customers/` is the id."""
    name = _customer_in_path(request)
    is_hidden = caller.customer_id not in (
        None,
        name,
    )  # not even asked for: that would take its time
    rows = [] if is_hidden else await list_customers(caller.database, only=name, most=1)
    if not rows:
        raise NotFound(f"no customer {name!r}")
    return rows[0]


@put(
    "/customers/{customer_id:str}",
    opt=ADMIN | says(CustomerAnswer, 422, body=form(CustomerForm)),
    operation_id="set_customer",
    summary="Give a customer a meter",
)
async def put_customer(
    request: AnyRequest,
    caller: TheCaller,
    customer_id: CustomerInPath,  # noqa: ARG001 - documents the parameter
) -> dict[str, Any]:
    """The meter counts for every event recorded from now on."""
    form = await read_form(request, CustomerForm)
    name = _customer_in_path(request)
    ledger = caller.ledger
    return await set_customer(
        ledger.database, ledger.clock, caller.actor, name, form.meter_slug, form.reason
    )


@get("/meters", opt=READ | says(MeterList), operation_id="list_meters", summary="List meters")
async def get_meters(caller: TheCaller) -> dict[str, Any]:
    """The version in force of each; to a key of one customer, its meter alone."""
    meters = await list_meters(caller.database)
    if caller.customer_id is not None:
        customer = await list_customers(caller.database, only=caller.customer_id, most=1)
        own = {each["meter_slug"] for each in customer}
        meters = [meter for meter in meters if meter["meter_slug"] in own]
    return {"data": meters}


@post(
    "/meters",
    status_code=200,
    opt=ADMIN | says(MeterAnswer, body=METER),
    operation_id="publish_meter",
    summary="Publish a version of a meter",
)
async def post_meter(request: AnyRequest, caller: TheCaller) -> dict[str, Any]:
    """The same again makes no new version."""
    form = await read_form(request, MeterForm)
    terms = msgspec.structs.asdict(form)
    slug, reason = terms.pop("meter_slug"), terms.pop("reason")
    ledger = caller.ledger
    return await set_meter(ledger.database, ledger.clock, caller.actor, slug, terms, reason)


@get("/limits", opt=READ | says(LimitList), operation_id="list_limits", summary="List spend limits")
async def get_limits(request: AnyRequest, customer_id: Customers = None) -> JsonAnswer:
    """Of all customers, or of those named."""
    caller = caller_of(request)
    questions = limit_questions_of(request)
    limits = await questions.ask(caller.database, caller.customers(customer_id))
    return JsonAnswer({"data": limits})


@post(
    "/limits",
    status_code=200,
    opt=ADMIN | says(LimitAnswer, 404, body=form(LimitRequest)),
    operation_id="set_limit",
    summary="Set a spend limit",
)
async def post_limit(request: AnyRequest, caller: TheCaller) -> dict[str, Any]:
    """Judges the windows that are open at once."""
    form = await read_form(request, LimitRequest)
    return await set_limit(caller.ledger.database, caller.ledger.clock, caller.actor, form)


@get(
    "/alerts",
    opt=READ | says(AlertList),
    operation_id="list_alerts",
    summary="List alerts, oldest first",
)
async def get_alerts(
    caller: TheCaller,
    customer_id: Customers = None,
    limit: AlertLimit = None,
) -> dict[str, Any]:
    """Of all customers, or of those named."""
    most = integer_parameter("limit", limit, MOST_LISTED, 1, MOST_LISTED)
    return {"data": await list_alerts(caller.database, caller.customers(customer_id), most)}


@get(
    "/models",
    opt=READ | says(ModelList),
    operation_id="list_models",
    summary="List models that have a price",
)
async def get_models(caller: TheCaller) -> dict[str, Any]:
    """Those of the rate tables in force now, with other ids that bill as one of them."""
    return {"object": "list", "data": await list_models(caller.database, caller.ledger.clock.now())}


@get(
    "/rates",
    opt=READ | says(RateTableList),
    operation_id="list_rates",
    summary="List published rate tables",
)
async def get_rates(
    caller: TheCaller,
    provider: Provider = None,
    version: Version = None,
    at: At = None,
) -> dict[str, Any]:
    """Every version of every provider; `at` leaves those that are in force at that time."""
    plain_texts("provider", [provider or ""])
    plain_texts("version", [version or ""])
    instant = optional_instant("at", at)
    try:
        rows = await show_tables(caller.database, at=instant, provider=provider, version=version)
    except NotFound:
        rows = []
    return {"data": rows}


def _customer_in_path(request: AnyRequest) -> str:
    name = name_in_path(request, "customer_id", "/v1/customers")
    plain_texts("customer_id", [name])
    return name


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

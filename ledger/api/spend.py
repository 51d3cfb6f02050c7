"""`/v1/spend`: what was spent."""

from typing import Annotated, Any

from litestar import Router, get
from msgspec import Meta

from ledger.api.authentication import READ
from ledger.api.dependencies import TheCaller
from ledger.api.openapi.answers.spend import Grouping, SpendAnswer
from ledger.api.openapi.operations import says
from ledger.api.openapi.parameters import (
    POINT_IN_LOG,
    Customers,
    From,
    KeyTypes,
    Query,
    Text,
    Texts,
    To,
)
from ledger.api.reading import instant_parameter, plain_texts, words
from ledger.core.cuts import AsOf, parse_as_of
from ledger.core.errors import InvalidParameter
from ledger.core.shapes import PlainText
from ledger.core.spend import spend_query
from ledger.services.spend import answer_spend, spend_body

Groupings = Annotated[
    Texts,
    Query(
        description="What rows are grouped by, in this order; commas part as repeating does.",
        shape=Annotated[list[Grouping], Meta(extra_json_schema={"uniqueItems": True})],
    ),
]
Providers = Annotated[Texts, Query(description="Providers.", shape=list[PlainText])]
Models = Annotated[Texts, Query(description="Exact ids of models.", shape=list[PlainText])]
AsOfPoint = Annotated[Text, Query(description="What was recorded by then.", shape=POINT_IN_LOG)]


@get(
    "/",
    opt=READ | says(SpendAnswer),
    operation_id="get_spend",
    summary="Spend in a half-open span, grouped and filtered",
)
async def get_spend(
    caller: TheCaller,
    from_: From = None,
    to: To = None,
    group_by: Groupings = None,
    customer: Customers = None,
    customer_id: Customers = None,
    provider: Providers = None,
    model: Models = None,
    key_type: KeyTypes = None,
    as_of: AsOfPoint = None,
) -> dict[str, Any]:
    """What was acknowledged before the call is in the answer.

    The fees of tiered meters are those of whole months: rows of their own, with `meter`, in every span that
    the first instant of their month lies in. Questions for a provider, model or key type leave them out.

    With `as_of`, what was recorded by then and nothing else: a time or a date such as
    `2026-11-20T12:00:00Z`, a cut such as `1-23.2-5`, or the `as_of` of an answer, which gives that answer
    again.
    """
    question = spend_query(
        instant_parameter("from", from_),
        instant_parameter("to", to),
        words(group_by),
        customers=caller.customers((customer or []) + (customer_id or []), "customer") or [],
        providers=plain_texts("provider", provider),
        models=plain_texts("model", model),
        key_types=plain_texts("key_type", key_type),
    )
    answer = await answer_spend(caller.database, caller.ledger.clock, question, _point(as_of))
    return spend_body(answer, caller.ledger.settings.currency)


def _point(text: str | None) -> AsOf | None:
    if text is None:
        return None
    try:
        # A plus sign that was not escaped arrives as a space.
        return parse_as_of(text[:11] + text[11:].replace(" ", "+"))
    except ValueError as error:
        raise InvalidParameter("as_of", str(error)) from None


router = Router("/v1/spend", route_handlers=[get_spend], tags=["spend"])

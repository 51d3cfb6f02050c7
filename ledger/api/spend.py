"""`/v1/spend`: what was spent."""

from typing import Annotated, Any

from litestar import Router, get
from litestar.params import FromQuery, QueryParameter

from ledger.api.dependencies import OpenLedger
from ledger.api.reading import instant_parameter, plain_texts, words
from ledger.core.cuts import AsOf, parse_as_of
from ledger.core.errors import InvalidParameter
from ledger.core.spend import spend_query
from ledger.services.spend import answer_spend, spend_body

Texts = list[str] | None


@get("/", summary="Spend in a half-open span, grouped and filtered")
async def get_spend(
    ledger: OpenLedger,
    from_: Annotated[str | None, QueryParameter(name="from")] = None,
    to: FromQuery[str | None] = None,
    group_by: FromQuery[Texts] = None,
    customer: FromQuery[Texts] = None,
    customer_id: FromQuery[Texts] = None,
    provider: FromQuery[Texts] = None,
    model: FromQuery[Texts] = None,
    key_type: FromQuery[Texts] = None,
    as_of: FromQuery[str | None] = None,
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
        customers=plain_texts("customer", (customer or []) + (customer_id or [])),
        providers=plain_texts("provider", provider),
        models=plain_texts("model", model),
        key_types=plain_texts("key_type", key_type),
    )
    answer = await answer_spend(ledger.database, ledger.clock, question, _point(as_of))
    return spend_body(answer, ledger.settings.currency)


def _point(text: str | None) -> AsOf | None:
    if text is None:
        return None
    try:
        # A plus sign that was not escaped arrives as a space.
        return parse_as_of(text[:11] + text[11:].replace(" ", "+"))
    except ValueError as error:
        raise InvalidParameter("as_of", str(error)) from None


router = Router("/v1/spend", route_handlers=[get_spend], tags=["spend"])

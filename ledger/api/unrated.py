"""What has no price: listed until a table has one."""

from typing import Annotated, Any

from litestar import Router, get

from ledger.api.authentication import READ
from ledger.api.dependencies import TheCaller
from ledger.api.openapi.answers.spend import UnratedAnswer
from ledger.api.openapi.operations import says
from ledger.api.openapi.parameters import Customers, Text, page_size
from ledger.api.reading import integer_parameter
from ledger.services.unrated import MOST_GROUPS, list_unrated

Limit = Annotated[Text, page_size(MOST_GROUPS, MOST_GROUPS)]


@get(
    "/unrated",
    opt=READ | says(UnratedAnswer),
    operation_id="list_unrated",
    summary="List usage without a price",
)
async def get_unrated(
    caller: TheCaller,
    customer_id: Customers = None,
    limit: Limit = None,
) -> dict[str, Any]:
    """By customer and way of calling a model: how much, since when, and what is missing."""
    most = integer_parameter("limit", limit, MOST_GROUPS, 1, MOST_GROUPS)
    return await list_unrated(caller.database, caller.customers(customer_id), most)


router = Router("/v1", route_handlers=[get_unrated], tags=["unrated"])

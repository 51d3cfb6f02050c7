"""What has no price: listed until a table has one."""

from typing import Any

from litestar import Router, get
from litestar.params import FromQuery

from ledger.api.dependencies import OpenLedger
from ledger.api.reading import integer_parameter, plain_texts
from ledger.services.unrated import MOST_GROUPS, list_unrated


@get("/unrated", summary="List usage without a price")
async def get_unrated(
    ledger: OpenLedger,
    customer_id: FromQuery[list[str] | None] = None,
    limit: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """By customer and way of calling a model: how much, since when, and what is missing."""
    most = integer_parameter("limit", limit, MOST_GROUPS, 1, MOST_GROUPS)
    customers = plain_texts("customer_id", customer_id) or None
    return await list_unrated(ledger.database, customers, most)


router = Router("/v1", route_handlers=[get_unrated], tags=["unrated"])

"""Finding the one request that somebody means."""

import msgspec

from ledger.core.errors import AmbiguousRequestId, NotFound
from ledger.core.json_values import is_unicode
from ledger.core.request_ids import RequestKey, request_key
from ledger.services.customers import known_customer
from ledger.store.adjustments import customers_with
from ledger.store.database import Connection


class Target(msgspec.Struct, frozen=True):
    """A recorded request: its id as text and as key, and whose it is."""

    request_id: str
    key: RequestKey
    customer: int


async def find_target(connection: Connection, request_id: str, customer_id: str | None) -> Target:
    """The request of an id, and of a customer if one is named.

    Raises:
        NotFound: no such request, or not of that customer.
        AmbiguousRequestId: several customers have it and none is named.
    """
    key = _key(request_id)
    customers = await customers_with(connection, key)
    if customer_id is not None:
        named = await known_customer(connection, customer_id)
        customers = [customer for customer in customers if customer == named]
    if not customers:
        raise NotFound(f"no request {request_id!r}")
    if len(customers) > 1:
        raise AmbiguousRequestId(
            "several customers have this request id; name one with customer_id (--customer)"
        )
    return Target(request_id, key, customers[0])


def _key(request_id: str) -> RequestKey:
    """The key of an id; what no request can have for an id is the id of none."""
    if "\x00" in request_id or not is_unicode(request_id):
        raise NotFound(f"no request {request_id!r}")
    return request_key(request_id)

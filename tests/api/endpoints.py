"""Every endpoint: who may ask for it, and what a key of one customer is told about another."""

from typing import Any

import msgspec

from tests.api.doors import record

SPAN = "from=2026-10-01&to=2026-12-01"


class Call(msgspec.Struct, frozen=True):
    """An endpoint, and the scopes other than `admin` that it is open to.

    `foreign` is what a key of one customer is told when the call is about another: words in braces stand for
    things of the customer that is asked about. None: the call is about nobody. `bound` is what any such key
    is told where the call is about all customers.
    """

    method: str
    route: str
    path: str
    scopes: tuple[str, ...] = ()
    body: Any = None
    foreign: int | None = None
    bound: int | None = None


CALLS = (
    Call("POST", "/v1/requests", "/v1/requests",
         ("ingest",), record("new-{key}-{customer}", "{customer}"), 403),
    Call("POST", "/v1/requests/batch", "/v1/requests/batch",
         ("ingest",), [record("new-{key}", "{customer}")]),
    Call("GET", "/v1/requests", "/v1/requests?customer_id={customer}", ("read",), None, 403),
    Call("GET", "/v1/requests/{request_id:str}", "/v1/requests/of-{customer}", ("read",), None, 404),
    Call(
        "GET", "/v1/requests/{request_id:str}", "/v1/requests/of-{customer}?customer_id={customer}",
        ("read",), None, 403,
    ),
    Call("GET", "/v1/requests/{request_id:str}/explain", "/v1/requests/of-{customer}/explain",
         ("read",), None, 404),
    Call(
        "POST", "/v1/requests/{request_id:str}/adjustments",
        "/v1/requests/of-{customer}/adjustments", ("finance",),
        {"kind": "void", "reason": "a test", "idempotency_key": "void"}, 404,
    ),
    Call(
        "POST", "/v1/requests/{request_id:str}/adjustments",
        "/v1/requests/of-{customer}/adjustments", ("finance",),
        {"kind": "void", "reason": "a test", "idempotency_key": "void", "customer_id": "{customer}"},
        403,
    ),
    Call("GET", "/v1/spend", f"/v1/spend?{SPAN}&customer={{customer}}", ("read",), None, 403),
    Call("GET", "/v1/spend", f"/v1/spend?{SPAN}&customer_id={{customer}}", ("read",), None, 403),
    Call("GET", "/v1/unrated", "/v1/unrated?customer_id={customer}", ("read",), None, 403),
    Call("GET", "/v1/customers", "/v1/customers", ("read",)),
    Call("GET", "/v1/customers/{customer_id:str}", "/v1/customers/{customer}", ("read",), None, 404),
    Call("PUT", "/v1/customers/{customer_id:str}", "/v1/customers/new", (), {"meter_slug": "ten"}),
    Call("GET", "/v1/meters", "/v1/meters", ("read",)),
    Call("POST", "/v1/meters", "/v1/meters", (), {"meter_slug": "ten", "percentage": "10"}),
    Call("GET", "/v1/limits", "/v1/limits?customer_id={customer}", ("read",), None, 403),
    Call("POST", "/v1/limits", "/v1/limits", (), {"customer_id": "acme", "amount": "5", "window": "day"}),
    Call("GET", "/v1/alerts", "/v1/alerts?customer_id={customer}", ("read",), None, 403),
    Call("GET", "/v1/models", "/v1/models", ("read",)),
    Call("GET", "/v1/rates", "/v1/rates", ("read",)),
    Call("GET", "/v1/invoices", "/v1/invoices?customer_id={customer}", ("read", "finance"), None, 403),
    Call("GET", "/v1/invoices/{number:str}", "/v1/invoices/{invoice}", ("read", "finance"), None, 404),
    Call("GET", "/v1/invoices/{number:str}/explain", "/v1/invoices/{invoice}/explain", ("read", "finance"),
         None, 404),
    Call(
        "GET", "/v1/invoices/{number:str}/lines/{line:str}/explain", "/v1/invoices/{invoice}/lines/1/explain",
        ("read", "finance"), None, 404,
    ),
    Call("POST", "/v1/invoices/runs", "/v1/invoices/runs", ("finance",),
         {"period": "2026-10", "customer_id": "{customer}"}, 403),
    Call("GET", "/v1/exports/{file:str}", f"/v1/exports/usage.csv?{SPAN}&customer_id={{customer}}",
         ("read", "finance"), None, 403),
    Call("GET", "/v1/quarantine", "/v1/quarantine", ("read",)),
    Call("GET", "/v1/quarantine/{quarantine_id:str}", "/v1/quarantine/{quarantine_id}", ("read",), None, 404),
    Call("POST", "/v1/quarantine/{quarantine_id:str}/replay", "/v1/quarantine/{quarantine_id}/replay",
         ("ingest",), None, 404),
    Call("POST", "/v1/quarantine/{quarantine_id:str}/dismiss", "/v1/quarantine/{quarantine_id}/dismiss",
         ("ingest",), {"reason": "a test"}, 404),
    Call("GET", "/v1/jobs", "/v1/jobs", ("read",), bound=403),
    Call("GET", "/v1/keys", "/v1/keys", ("read",)),
    Call("GET", "/v1/keys/{key_id:str}", "/v1/keys/{key_id}", ("read",), None, 404),
    Call("POST", "/v1/keys", "/v1/keys", (), {"name": "n", "scopes": ["read"]}),
    Call("POST", "/v1/keys/{key_id:str}/revoke", "/v1/keys/{key_id}/revoke", (), {}),
    Call("GET", "/metrics", "/metrics", ("read",), bound=403),
)  # fmt: skip
PUBLIC = {"/healthz", "/readyz", "/schema", "/schema/openapi.json", "/schema/{path:str}"}

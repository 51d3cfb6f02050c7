"""Liveness and readiness; open to everybody."""

from typing import Any

from litestar import Response, Router, get

from ledger.api.dependencies import OpenLedger
from ledger.api.problems import PROBLEM_JSON, problem_body, status_of
from ledger.core.errors import DatabaseUnavailable


@get("/healthz", opt={"public": True}, summary="Whether the process lives")
async def get_health() -> dict[str, str]:
    """Says nothing about the database."""
    return {"status": "ok"}


@get("/readyz", opt={"public": True}, summary="Whether the database answers")
async def get_readiness(ledger: OpenLedger) -> Response[Any]:
    """503 while it does not; `checks` says how: `refused`, or `silent`."""
    try:
        await ledger.database.check()
    except DatabaseUnavailable as error:
        code = ledger.database.presence.why_away or error.code
        checks = [{"name": "database", "ok": False, "code": code}]
        status = status_of(error)
        body = problem_body(status, error.code, error.detail, {"checks": checks})
        return Response(body, status_code=status, media_type=PROBLEM_JSON)
    return Response({"status": "ready"})


router = Router("/", route_handlers=[get_health, get_readiness], tags=["health"])

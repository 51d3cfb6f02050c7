"""Liveness and readiness; open to everybody."""

from litestar import Router, get

from ledger.api.dependencies import OpenLedger


@get("/healthz", opt={"public": True}, summary="Whether the process lives")
async def get_health() -> dict[str, str]:
    """Says nothing about the database."""
    return {"status": "ok"}


@get("/readyz", opt={"public": True}, summary="Whether the database answers")
async def get_readiness(ledger: OpenLedger) -> dict[str, str]:
    """503 while it does not."""
    await ledger.database.check()
    return {"status": "ready"}


router = Router("/", route_handlers=[get_health, get_readiness], tags=["health"])

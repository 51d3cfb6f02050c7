"""Liveness and readiness; open to everybody, so they name no version and no address."""

from typing import Any

from litestar import Response, Router, get

from ledger.api.openapi.answers.access import Readiness as ReadinessAnswer
from ledger.api.openapi.operations import says
from ledger.api.problems import PROBLEM_JSON, problem_body
from ledger.api.reading import AnyRequest
from ledger.services.observing.readiness import Readiness

UNAVAILABLE = 503


@get("/healthz", opt={"public": True}, summary="Whether the process lives")
async def get_health() -> dict[str, str]:
    """Says nothing about the database."""
    return {"status": "ok"}


@get(
    "/readyz",
    opt={"public": True} | says(ReadinessAnswer, UNAVAILABLE),
    summary="Whether the process can do its work",
)
async def get_readiness(request: AnyRequest) -> Response[Any]:
    """503 while it cannot; `checks` says why: database, migrations, lane, clock."""
    readiness: Readiness = request.app.state.readiness
    checks = await readiness.checks()
    if all(check.ok for check in checks):
        return Response({"status": "ready", "checks": checks})
    extra = {"checks": checks}
    if not checks[0].ok:
        detail = f"the database does not answer ({checks[0].code})"
        body = problem_body(UNAVAILABLE, "database_unavailable", detail, extra)
    else:
        detail = "the server is not ready; checks says why"
        body = problem_body(UNAVAILABLE, "not_ready", detail, extra)
    return Response(body, status_code=UNAVAILABLE, media_type=PROBLEM_JSON)


router = Router("/", route_handlers=[get_health, get_readiness], tags=["health"])

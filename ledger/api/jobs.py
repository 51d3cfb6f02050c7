"""`/v1/jobs`: what is done without anybody asking, and whether it was."""

from typing import Any

from litestar import Router, get

from ledger.api.authentication import READ
from ledger.api.dependencies import TheCaller
from ledger.api.openapi.answers.jobs import JobsAnswer
from ledger.api.openapi.operations import says
from ledger.bootstrap import jobs_of
from ledger.core.errors import Forbidden
from ledger.services.jobs.listing import list_jobs


@get("/jobs", opt=READ | says(JobsAnswer), operation_id="list_jobs", summary="List jobs")
async def get_jobs(caller: TheCaller) -> dict[str, Any]:
    """Each with its last run, what comes next, and for how long that has been due.

    Jobs are about all customers: a key that is bound to one does not see them.
    """
    if caller.customer:
        raise Forbidden("a key that is bound to a customer may not see jobs")
    ledger = caller.ledger
    return {"data": await list_jobs(ledger.database, ledger.clock, jobs_of(ledger))}


router = Router("/v1", route_handlers=[get_jobs], tags=["jobs"])

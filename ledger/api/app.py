"""The application: routes, dependencies, errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

import ledger as product
from ledger.api import (
    decisions,
    explanations,
    exports,
    health,
    invoices,
    problems,
    requests,
    spend,
    unrated,
)
from ledger.api.authentication import KeyGuard
from ledger.api.parameters import refuse_unknown_parameters
from ledger.bootstrap import Ledger
from ledger.core.errors import LedgerError


def create_app(ledger: Ledger, admin_key: str) -> Litestar:
    """The application over an open ledger. Its writer lives as long as the application runs."""

    @asynccontextmanager
    async def writing(app: Litestar) -> AsyncIterator[None]:
        async with ledger.intake() as intake:
            app.state.intake = intake
            yield

    return Litestar(
        route_handlers=[
            health.router,
            requests.router,
            spend.router,
            decisions.router,
            invoices.router,
            explanations.router,
            exports.router,
            unrated.router,
        ],
        lifespan=[writing],
        guards=[KeyGuard(admin_key), refuse_unknown_parameters],
        dependencies={"ledger": Provide(lambda: ledger, sync_to_thread=False)},
        exception_handlers={
            LedgerError: problems.answer_ledger_error,
            HTTPException: problems.answer_http_error,
            Exception: problems.answer_unexpected,
        },
        openapi_config=OpenAPIConfig(
            title="Usage ledger",
            version=product.__version__,
            render_plugins=[JsonRenderPlugin(path="/")],
            openapi_router=Router("/schema", route_handlers=[], opt={"public": True}),
        ),
        request_max_body_size=None,  # ledger.api.reading bounds every body by what it is
        logging_config=None,
    )

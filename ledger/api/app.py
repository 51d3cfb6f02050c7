"""The application: routes, dependencies, errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

import ledger as product
from ledger.api import (
    decisions,
    explanations,
    exports,
    health,
    invoices,
    jobs,
    keys,
    metrics,
    problems,
    quarantine,
    requests,
    spend,
    unrated,
)
from ledger.api.admission import admitted_by
from ledger.api.authentication import KeyGuard
from ledger.api.dependencies import provide_caller
from ledger.api.hygiene import with_hygiene
from ledger.api.measuring import with_measuring
from ledger.api.methods import with_options
from ledger.api.names_in_paths import with_names_in_paths
from ledger.api.openapi.document import LedgerOpenAPI
from ledger.api.schema_page import SchemaPage, refuse_unknown_page
from ledger.api.spans import with_spans
from ledger.bootstrap import Ledger, jobs_of
from ledger.core.errors import LedgerError
from ledger.metrics.instruments import Metrics
from ledger.services.key_ring import KeyRing
from ledger.services.limit_questions import LimitQuestions
from ledger.services.observing.figures import DatabaseFigures
from ledger.services.observing.readiness import Readiness
from ledger.services.observing.state import ProcessState


def create_app(ledger: Ledger, admin_key: str, instruments: Metrics | None = None) -> Litestar:
    """The application over an open ledger. Its writer lives as long as the application runs.

    It counts what it does in the instruments; without any it has its own.
    """
    instruments = instruments or Metrics()
    ring = KeyRing(ledger.database)
    guard = KeyGuard(admin_key, ring, ledger.clock)

    @asynccontextmanager
    async def writing(app: Litestar) -> AsyncIterator[None]:
        database, clock = ledger.database, ledger.clock
        async with database.watched(clock.now), ledger.intake(instruments.intake) as intake:
            app.state.ledger = ledger
            app.state.intake = intake
            app.state.key_ring = ring
            app.state.key_guard = guard
            app.state.limit_questions = LimitQuestions(database)
            app.state.readiness = Readiness(database, intake.writer)
            app.state.figures = DatabaseFigures(database, clock, jobs_of(ledger))
            state = ProcessState(product.__version__, database, intake)
            with instruments.showing(state, app.state.figures):
                yield

    app = Litestar(
        route_handlers=[
            health.router,
            requests.router,
            spend.router,
            decisions.router,
            invoices.router,
            keys.router,
            quarantine.router,
            explanations.router,
            exports.router,
            unrated.router,
            jobs.router,
            metrics.router,
        ],
        lifespan=[writing],
        before_request=admitted_by(guard),
        dependencies={
            "ledger": Provide(lambda: ledger, sync_to_thread=False),
            "caller": provide_caller(ledger),
        },
        exception_handlers={
            LedgerError: problems.answer_ledger_error,
            HTTPException: problems.answer_http_error,
            Exception: problems.answer_unexpected,
        },
        openapi_config=LedgerOpenAPI(
            title="Usage ledger",
            version=product.__version__,
            use_handler_docstrings=True,
            operation_id_creator=lambda handler, *_: handler.handler_name,
            routes=lambda: app.routes,
            render_plugins=[SchemaPage()],
            openapi_router=Router(
                "/schema",
                route_handlers=[],
                opt={"public": True},
                include_in_schema=False,
                after_request=refuse_unknown_page,
            ),
        ),
        request_max_body_size=None,  # ledger.api.reading bounds every body by what it is
        logging_config=None,
    )
    app.state.metrics = instruments
    answering = with_hygiene(with_spans(with_names_in_paths(with_options(app, app.asgi_handler))))
    app.asgi_handler = with_measuring(instruments.http, answering)
    return app

"""`/metrics`: what a process counts and its database says, for Prometheus."""

from litestar import Response, Router, get
from prometheus_client.exposition import choose_encoder

from ledger.api.authentication import BEARS_ABSENCE, READ
from ledger.api.dependencies import TheCaller
from ledger.api.openapi.operations import says
from ledger.api.reading import AnyRequest
from ledger.core.errors import Forbidden
from ledger.metrics.instruments import Metrics
from ledger.services.observing.figures import DatabaseFigures

OPEN_METRICS = "application/openmetrics-text"
TEXT = "text/plain"


@get(
    "/metrics",
    opt=READ | BEARS_ABSENCE | says(None, media_types=(TEXT, OPEN_METRICS)),
    operation_id="get_metrics",
    media_type=TEXT,
    summary="Metrics for Prometheus",
)
async def get_metrics(caller: TheCaller, request: AnyRequest) -> Response[bytes]:
    """As Prometheus reads them, or as OpenMetrics to those who accept it; docs/monitoring.md explains each.

    They are about all customers: a key that is bound to one does not see them.
    """
    if caller.customer:
        raise Forbidden("a key that is bound to a customer may not see metrics")
    metrics: Metrics = request.app.state.metrics
    figures: DatabaseFigures = request.app.state.figures
    await figures.refresh()
    # Of what a stranger accepts the library would believe any version, and repeat it.
    is_open = OPEN_METRICS in request.headers.get("accept", "")
    encode, media_type = choose_encoder(OPEN_METRICS if is_open else TEXT)
    return Response(encode(metrics.registry), media_type=media_type)


router = Router("/", route_handlers=[get_metrics], tags=["health"])

"""What the door counts: requests by the route as it is declared, and connections."""

from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from ledger.metrics.tallies import Count, Spread, gauge

NO_ROUTE, NO_ANSWER = "none", "none"
_METHODS = {name: name for name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")}
_CLASSES = (NO_ANSWER, "1xx", "2xx", "3xx", "4xx", "5xx")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class HttpMetrics(Collector):
    """Requests and connections."""

    def __init__(self) -> None:
        self._requests = Count(
            "ledger_http_requests_total",
            "Requests by route, method and class of status.",
            *("route", "method", "status"),
        )
        self._seconds = Spread(
            "ledger_http_request_seconds",
            "Time from the head of a request to the end of its answer.",
            _SECONDS,
            "route",
        )
        self.open_connections = 0
        self.most_connections = 0
        self.refused = Count(
            "ledger_http_connections_refused_total",
            "Connections ended before a request of theirs was answered, by code.",
            "code",
        )

    def answered(self, route: str, method: str, status: int, took_s: float) -> None:
        """Count a request; status 0: whoever asked went away without an answer."""
        self._requests.count(route, _METHODS.get(method, "other"), _CLASSES[status // 100])
        self._seconds.observe(took_s, route)

    def collect(self) -> Iterator[Metric]:
        """All of it."""
        yield from self._requests.collect()
        yield from self._seconds.collect()
        yield from self.refused.collect()
        yield gauge("ledger_http_connections", "Open connections.", self.open_connections)
        yield gauge(
            "ledger_http_connections_limit",
            "How many connections may be open.",
            self.most_connections,
        )

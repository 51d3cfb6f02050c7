"""What the door counts: requests by the route as it is declared, and connections."""

from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from ledger.metrics.tallies import Cell, Count, Labels, gauge, histogram

NO_ROUTE, NO_ANSWER, OTHER = "none", "none", "other"
TOO_BUSY = 429
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_CLASSES = (NO_ANSWER, "1xx", "2xx", "3xx", "4xx", "5xx")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class HttpMetrics(Collector):
    """Requests and connections."""

    def __init__(self) -> None:
        self._answered: dict[tuple[str, str, int], Cell] = {}
        self.open_connections = 0
        self.most_connections = 0
        self.refused = Count(
            "ledger_http_connections_refused_total",
            "Connections ended before a request of theirs was answered, by code.",
            "code",
        )

    def answered(self, route: str, method: str, status: int, took_s: float) -> None:
        """Count a request; status 0: whoever asked went away without an answer."""
        cell = self._answered.get((route, method, status))
        if cell is None:
            method = method if method in _METHODS else OTHER
            cell = self._answered.setdefault((route, method, status), Cell(_SECONDS))
        cell.observe(took_s)

    def collect(self) -> Iterator[Metric]:
        """All of it."""
        yield from self._requests()
        yield from self.refused.collect()
        yield gauge("ledger_http_connections", "Open connections.", self.open_connections)
        yield gauge(
            "ledger_http_connections_limit",
            "How many connections may be open.",
            self.most_connections,
        )

    def _requests(self) -> Iterator[Metric]:
        """Their number by all that is known of them, their times by route alone."""
        requests = Count(
            "ledger_http_requests_total",
            "Requests by route, method and class of status.",
            *("route", "method", "status"),
        )
        too_busy = Count("ledger_http_too_busy_total", "Requests answered 429, by route.", "route")
        seconds: dict[Labels, Cell] = {}
        for (route, method, status), cell in self._answered.items():
            requests.count(route, method, _CLASSES[status // 100], by=sum(cell.counts))
            if status == TOO_BUSY:
                too_busy.count(route, by=sum(cell.counts))
            seconds.setdefault((route,), Cell(_SECONDS)).merge(cell)
        yield from requests.collect()
        yield from too_busy.collect()
        yield histogram(
            "ledger_http_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ["route"],
            seconds,
        )

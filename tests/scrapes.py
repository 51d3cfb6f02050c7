"""Reading /metrics as Prometheus does."""

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
from prometheus_client.parser import text_string_to_metric_families as read_text

Scrape = dict[str, float]


async def scraped(client: httpx.AsyncClient) -> Scrape:
    """Every sample by its name with its labels, as in `ledger_records_total{outcome="accepted"}`."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return samples(answer)


def samples(answer: httpx.Response) -> Scrape:
    """The samples of an answer, by its media type."""
    is_open = answer.headers["content-type"].startswith("application/openmetrics-text")
    families = list((read_open if is_open else read_text)(answer.text))
    found = [
        (_spelled(sample.name, sample.labels), sample.value)
        for family in families
        for sample in family.samples
    ]
    assert len(dict(found)) == len(found), "a sample stands there twice"
    return dict(found)


def _spelled(name: str, labels: dict[str, str]) -> str:
    words = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{words}}}" if words else name

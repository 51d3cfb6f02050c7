"""`/metrics`: what happened is what is counted, for whoever may see it, also without a database."""

import asyncio
import re
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx
import pytest

from ledger.clock import FixedClock
from ledger.services.jobs.runner import run_due
from ledger.services.observing import figures
from ledger.services.observing.remembered import Remembered
from ledger.store.database import Database
from ledger.store.sql_files import query
from tests.api.doors import Door, open_door, record
from tests.conftest import ADMIN_KEY, NOW
from tests.lines import line_to
from tests.scenarios.job_desk import product_job
from tests.scrapes import Scrape, samples, scraped

PATIENCE_S = 20


@pytest.fixture(autouse=True)
def never_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the database says is read anew each time."""
    monkeypatch.setattr(figures, "KEEP_S", 0)


def moved(before: Scrape, after: Scrape, *names: str) -> Scrape:
    """By how much samples moved; those that did not are left out."""
    steps = {name: after[name] - before.get(name, 0) for name in after if name.startswith(names)}
    return {name: step for name, step in steps.items() if step}


async def send(api: httpx.AsyncClient, *records: dict[str, object]) -> None:
    answer = await api.post("/v1/requests/batch", json=records)
    assert answer.status_code == 200, answer.text


async def test_records_are_counted_by_what_became_of_them(api: httpx.AsyncClient) -> None:
    """Once each: accepted, with and without a price or usage, resent, contradicting and faulty ones."""
    before = await scraped(api)
    await send(
        api,
        record("good", "acme"),
        record("pending", "acme", status="pending"),
        record("unknown", "acme", model="of nobody"),
        record("faulty", "acme", input_tokens=-1),
    )
    await send(api, record("good", "acme"), record("good", "acme", input_tokens=2), {"x": 1})
    await api.post("/v1/requests", json=record("faulty", "acme", input_tokens=-1))

    found = moved(
        before, await scraped(api), "ledger_records", "ledger_alerts", "ledger_quarantine"
    )
    assert found.pop("ledger_quarantine_bytes") > 0
    assert found == {
        'ledger_records_total{outcome="accepted"}': 3,
        'ledger_records_total{outcome="duplicate"}': 1,
        'ledger_records_total{outcome="conflict"}': 1,
        'ledger_records_total{outcome="rejected"}': 3,
        "ledger_records_unrated_total": 1,
        "ledger_records_unmetered_total": 1,
        'ledger_alerts_total{kind="unrated_found"}': 1,
        "ledger_quarantine_records": 3,
    }


async def test_a_batch_is_counted_with_its_size_its_stages_and_its_second_attempt(
    api: httpx.AsyncClient,
) -> None:
    """The second one meets a key, is looked up and committed at the second attempt."""
    before = await scraped(api)
    await send(api, *(record(f"a{n}", "acme") for n in range(5)))
    await send(api, record("a0", "acme"), record("b", "acme"))

    found = moved(before, await scraped(api), "ledger_batch", "ledger_last_batch")
    assert found["ledger_batch_records_count"] == 2
    assert found["ledger_batch_records_sum"] == 7
    assert found['ledger_batch_records_bucket{le="3.0"}'] == 1
    assert found['ledger_batch_records_bucket{le="10.0"}'] == 2
    assert found["ledger_batch_seconds_count"] == 2
    for stage in ("plan", "write", "commit"):
        assert found[f'ledger_batch_stage_seconds_count{{stage="{stage}"}}'] == 2
        assert found[f'ledger_batch_stage_seconds_sum{{stage="{stage}"}}'] > 0
    assert found["ledger_batches_probed_total"] == 1
    assert found['ledger_batch_retries_total{reason="key_taken"}'] == 1
    assert found["ledger_last_batch_timestamp_seconds"] == NOW.timestamp()


async def test_requests_are_counted_by_route_and_never_by_what_stands_in_a_path(
    api: httpx.AsyncClient,
) -> None:
    """Ids, unknown paths and made-up methods make no series of their own; refusals count as well."""
    await api.get("/v1/customers/somebody-secret")
    await api.get("/v1/requests/secret-id/explain?customer_id=secret")
    await api.get("/secret-path")
    await api.request("PROPFIND", "/v1/spend")
    await api.get("/v1/limits", headers={"Authorization": "Bearer secret-key"})
    await api.get("/healthz")
    await api.get("/healthz")

    answer = await api.get("/metrics")
    assert "secret" not in answer.text.lower()
    found = samples(answer)
    counted = {
        re.findall('"(.*?)"', name)[1]: value
        for name, value in found.items()
        if name.startswith("ledger_http_requests_total{") and "/healthz" in name
    }
    assert counted == {"/healthz": 2}
    for method, route, status in (
        ("GET", "/v1/customers/{customer_id}", "4xx"),
        ("GET", "/v1/requests/{request_id}/explain", "4xx"),
        ("GET", "none", "4xx"),
        ("other", "none", "4xx"),
        ("GET", "/v1/limits", "4xx"),
    ):
        name = f'{{method="{method}",route="{route}",status="{status}"}}'
        assert found[f"ledger_http_requests_total{name}"] == 1, name
    assert found['ledger_http_request_seconds_count{route="/healthz"}'] == 2
    assert found['ledger_http_request_seconds_bucket{le="+Inf",route="/healthz"}'] == 2


async def test_connections_are_counted_while_they_are_open(api: httpx.AsyncClient) -> None:
    """And those that are ended by a bound, with the code that they are told."""
    assert (await scraped(api))["ledger_http_connections"] == 1
    async with httpx.AsyncClient(base_url=api.base_url) as other:
        await other.get("/healthz")
        assert (await scraped(api))["ledger_http_connections"] == 2
    reader, writer = await asyncio.open_connection("127.0.0.1", api.base_url.port)
    writer.write(b"nonsense\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400")
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    found = await scraped(api)
    assert found["ledger_http_connections"] == 1
    assert found['ledger_http_connections_refused_total{code="malformed_request"}'] == 1


async def test_the_state_of_the_process_is_shown(
    api: httpx.AsyncClient, database: Database
) -> None:
    """Pool, exports, queue and lane, as they are at the moment."""
    quiet = await scraped(api)
    assert quiet["ledger_database_up"] == quiet["ledger_writer_lane_held"] == 1
    assert quiet["ledger_figures_up"] == 1
    assert quiet["ledger_queue_records"] == quiet["ledger_queue_submissions"] == 0
    assert quiet["ledger_body_bytes"] == quiet["ledger_pool_waiting"] == 0
    async with AsyncExitStack() as others:
        await others.enter_async_context(database.connection())
        await others.enter_async_context(database.stream("somebody"))
        busy = await scraped(api)
    assert (quiet["ledger_pool_connections"], busy["ledger_pool_connections"]) == (0, 2)
    assert (quiet["ledger_streams"], busy["ledger_streams"]) == (0, 1)
    assert busy["ledger_pool_connections_limit"] == 8


async def test_jobs_say_how_late_they_are_and_how_they_ended(
    api: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """Before the first run all are late; a verification also tells what it found."""
    early = await scraped(api)
    assert early['ledger_job_lag_seconds{name="verify"}'] == 9 * 3600
    assert early['ledger_job_lag_seconds{name="invoices"}'] == 0  # it is off
    assert "ledger_verify_ok" not in early

    await run_due(database, clock, product_job(database, clock, "verify"))
    clock.instant += timedelta(seconds=30)
    found = await scraped(api)
    assert found['ledger_job_lag_seconds{name="verify"}'] == 0
    assert found['ledger_job_last_run{name="verify",outcome="done"}'] == 1
    assert found['ledger_job_last_run{name="verify",outcome="failed"}'] == 0
    success = found['ledger_job_last_success_timestamp_seconds{name="verify"}']
    assert success == found["ledger_verify_timestamp_seconds"] == NOW.timestamp()
    assert found["ledger_verify_ok"] == 1


async def test_unrated_usage_is_a_figure_of_now(api: httpx.AsyncClient) -> None:
    """It goes down again when a request is voided."""
    await send(api, *(record(name, "acme", model="of nobody") for name in "ab"))
    assert (await scraped(api))["ledger_unrated_requests"] == 2
    body = {"kind": "void", "reason": "a test", "idempotency_key": "k"}
    assert (await api.post("/v1/requests/a/adjustments", json=body)).is_success
    assert (await scraped(api))["ledger_unrated_requests"] == 1


async def test_whoever_accepts_it_gets_open_metrics(api: httpx.AsyncClient) -> None:
    """As Prometheus asks for it; what a stranger accepts besides is neither believed nor repeated."""
    plain = await api.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    for accept in (
        "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text; version=nonsense; escaping=secret",
    ):
        answer = await api.get("/metrics", headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(
            "application/openmetrics-text; version=1.0.0"
        )
        assert "secret" not in answer.headers["content-type"]
        assert answer.text.endswith("# EOF\n")
        assert samples(answer).keys() >= {"ledger_database_up", "ledger_records_unrated_total"}
    odd = await api.get("/metrics", headers={"Accept": "text/plain; version=nonsense"})
    assert odd.headers["content-type"] == plain.headers["content-type"]


async def test_a_key_of_one_customer_does_not_see_metrics(
    database: Database, clock: FixedClock
) -> None:
    """They are about all; a key to read them is bound to nobody."""
    async with open_door(database, clock) as door:
        bound = await door.make_key("read", customer_id="acme")
        for key, status in (
            (None, 401),
            (bound, 403),
            (await door.make_key("ingest", "finance"), 403),
            (await door.make_key("read"), 200),
            (ADMIN_KEY, 200),
        ):
            assert (await door.ask(key, "GET", "/metrics")).status_code == status


async def test_two_applications_in_one_process_share_no_counters(
    database: Database, clock: FixedClock
) -> None:
    """What one of them takes in, the other one does not count; what the database says they agree on."""
    async with open_door(database, clock) as one, open_door(database, clock) as other:
        await one.ask(
            ADMIN_KEY, "POST", "/v1/requests", json=record("a", "acme", model="of nobody")
        )
        found, elsewhere = [await scraped_at(door) for door in (one, other)]
    name = 'ledger_records_total{outcome="accepted"}'
    assert (found[name], elsewhere[name]) == (1, 0)
    assert found["ledger_unrated_requests"] == elsewhere["ledger_unrated_requests"] == 1
    assert not any("/v1/requests" in name for name in elsewhere)


async def scraped_at(door: Door) -> Scrape:
    """What an application tells an admin."""
    return samples(await door.ask(ADMIN_KEY, "GET", "/metrics"))


@pytest.mark.parametrize("how", ["refused", "silent"])
async def test_without_a_database_the_process_tells_what_it_knows(
    database_url: str, clock: FixedClock, how: str
) -> None:
    """At once, with what it counted before; and all again when the database is back."""
    async with line_to(database_url) as line:
        database = Database(line.url)
        await database.open()
        async with open_door(database, clock) as door:
            await door.ask(ADMIN_KEY, "POST", "/v1/requests", json=record("a", "acme"))
            known, unseen = [await door.make_key("read") for _ in range(2)]
            await door.ask(known, "GET", "/metrics")
            await (line.cut() if how == "refused" else asyncio.to_thread(line.silence))
            async with asyncio.timeout(PATIENCE_S):  # also in the moments before that is noticed
                while (found := await scraped_at(door))["ledger_database_up"]:
                    pass
            refused = await door.ask(ADMIN_KEY, "POST", "/v1/requests", json=record("b", "acme"))
            found = samples(await door.ask(known, "GET", "/metrics"))
            for key, path in ((unseen, "/metrics"), (known, "/v1/limits")):
                assert (await door.ask(key, "GET", path)).status_code == 503
            changed = known[:-1] + ("x" if known[-1] != "x" else "y")
            assert (await door.ask(changed, "GET", "/metrics")).status_code == 401
            await line.restore()
            async with asyncio.timeout(PATIENCE_S):
                while not (back := await scraped_at(door))["ledger_writer_lane_held"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        await database.close()

    assert refused.status_code == 503
    assert (found["ledger_figures_up"], found["ledger_writer_lane_held"]) == (0, 0)
    assert found['ledger_records_total{outcome="accepted"}'] == 1
    assert found["ledger_batches_failed_total"] == 1
    assert not {"ledger_unrated_requests", "ledger_clock_offset_seconds"} & found.keys()
    if how == "refused":
        assert found['ledger_database_errors_total{kind="connection"}'] > 0
    assert (back["ledger_database_up"], back["ledger_figures_up"]) == (1, 1)
    assert back["ledger_unrated_requests"] == 0


async def test_many_who_ask_cost_one_read() -> None:
    """While one reads the others wait for it, and for some seconds nobody reads; nor waits for ever."""
    reads, may_end = 0, asyncio.Event()

    async def read() -> int:
        nonlocal reads
        reads += 1
        await may_end.wait()
        return reads

    remembered = Remembered(read, keep_s=60, patience_s=0.05)
    assert await asyncio.gather(*(remembered.get() for _ in range(5))) == [None] * 5
    may_end.set()
    await asyncio.sleep(0.05)
    assert [await remembered.get() for _ in range(5)] == [1] * 5
    assert reads == 1


async def test_no_figure_scans_the_log(database: Database) -> None:
    """Each is read from an index, or from a table that stays small."""
    plans = {}
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off")  # all tables are small here
        for name, values in (
            ("unrated", ()),
            ("quarantine", ()),
            ("jobs", (["verify"],)),
            ("verified", ()),
        ):
            rows = await connection.fetch(f"EXPLAIN {query('metrics', name)}", *values)
            plans[name] = "\n".join(row[0] for row in rows)
    assert not any("usage_event" in plan for plan in plans.values())
    assert "rollup_hour_unrated" in plans["unrated"]
    assert "quarantine_sender" in plans["quarantine"]
    assert plans["jobs"].count("job_run_by_time") == 2
    assert "job_run_by_time" in plans["verified"]

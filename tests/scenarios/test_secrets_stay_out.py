"""Secrets wherever a caller can put one: a real server's output, answers and database are searched.

place                                        answers    database    output
keys, headers, query values                  no         no          no
a path                                       as a name  no          no
fields under a secret's name, broken or not  no         a hint      no
metadata, other fields of records            yes        yes         no
values that break a rule                     no         quarantine  no
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from ledger.bench.processes import end_process

PATIENCE_S = 60
LISTENING = re.compile(r"listening on (http://\S+)")
KEPT = ("answers", "database")
TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
FORMS: dict[str, dict[str, Any]] = {
    "/v1/limits": {"customer_id": "acme", "amount": "1.00", "window": "month", "action": "alert"},
    "/v1/meters": {"meter_slug": "standard", "kind": "percentage", "percentage": "10"},
    "/v1/keys": {"name": "gateway", "scopes": ["ingest"]},
}
WRONG_AS_TEXT = ("amount", "window", "action", "kind", "percentage", "scopes")


class Secrets:
    """Texts that nobody else has, one for each place, and where each may be found afterwards."""

    def __init__(self) -> None:
        self.allowed: dict[str, tuple[str, ...]] = {}

    def __call__(self, place: str, *allowed: str) -> str:
        """A secret for a place. Its first characters may be shown as a hint, so they are not searched for."""
        needle = f"Q{len(self.allowed):03d}x{re.sub('[^a-z]', '', place.lower())}x0123456789"
        self.allowed[needle] = allowed
        return f"sk-l{needle}"

    def found_in(self, text: str, surface: str) -> list[str]:
        """Those that stand in a text and may not."""
        return [
            needle
            for needle, allowed in self.allowed.items()
            if surface not in allowed and (needle in text or needle.encode().hex() in text)
        ]


class Service:
    """A server as a process, a client of it, and everything that either has said."""

    def __init__(self, client: httpx.AsyncClient, output: Path) -> None:
        self.client = client
        self.answers: list[str] = []
        self._output = output

    async def ask(self, method: str, path: str, expected: int, **request: Any) -> httpx.Response:
        """Send a request and keep its answer."""
        answer = await self.client.request(method, path, **request)
        self.answers.append(f"{answer.headers} {answer.text}")
        assert answer.status_code == expected, (path, answer.text)
        return answer

    @property
    def output(self) -> str:
        """What the process has written, to either stream."""
        return self._output.read_text()


@pytest.fixture
def secrets() -> Secrets:
    """No secret yet."""
    return Secrets()


@pytest.fixture
async def service(database_url: str, tmp_path: Path, secrets: Secrets) -> AsyncIterator[Service]:
    """`ledger serve` on a fresh database, with an admin key that is a secret too."""
    output = tmp_path / "output"
    key = secrets("admin key") + "0123456789"
    environment = {"LEDGER_DATABASE_URL": database_url, "LEDGER_ADMIN_KEY": key}
    with output.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ledger", "serve", "--port", "0"),
            env=os.environ | environment,
            stdout=stream,
            stderr=stream,
        )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := LISTENING.search(output.read_text())):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=found[1], headers=headers, timeout=30) as client:
            yield Service(client, output)
    finally:
        await end_process(process)


def record(**fields: Any) -> dict[str, Any]:
    """A record without a fault."""
    return {
        "request_id": "r1",
        "customer_id": "acme",
        "model": "accounts/fireworks/models/deepseek-v4-pro",
        "timestamp": "2026-11-19T08:00:00Z",
        "input_tokens": 10,
    } | fields


async def put_into_headers(service: Service, secrets: Secrets) -> None:
    """Keys that are none, and headers that nobody asked for or that are wrong."""
    for stated in (f"Bearer {secrets('bearer')}", f"Basic {secrets('basic')}", secrets("bare key")):
        await service.ask("GET", "/v1/limits", 401, headers={"Authorization": stated})
    for name in ("X-Api-Key", "Cookie", "User-Agent", "Referer", "X-Forwarded-For", "Accept"):
        await service.ask("GET", "/v1/limits", 200, headers={name: secrets(name)})
    await service.ask("GET", "/v2", 404, headers={"X-Request-Id": f"{secrets('id')} with space"})
    for name in ("Content-Type", "Content-Encoding"):
        headers = {"Content-Type": "application/json"} | {name: secrets(name)}
        await service.ask("POST", "/v1/requests", 415, content=b"{}", headers=headers)


async def put_into_addresses(service: Service, secrets: Secrets) -> None:
    """Query values that break a rule or have no place; paths that lead nowhere."""
    for path, names in {
        "/v1/requests": ("limit", "cursor", "status", "from", "metadata_filters", "api_key"),
        "/v1/spend": ("from", "as_of", "group_by", "key_type", "token"),
        "/v1/rates": ("at",),
        "/v1/exports/usage.csv": ("from", "to"),
    }.items():
        for name in names:
            parameters = {"from": "2026-11-01", "to": "2026-12-01"} if "spend" in path else {}
            await service.ask("GET", path, 400, params=parameters | {name: secrets(name)})
    await service.ask("GET", f"/{secrets('nowhere')}", 404)
    await service.ask("DELETE", f"/v1/requests/{secrets('not deleted')}", 405)
    for path in ("/v1/customers", "/v1/requests", "/v1/invoices", "/v1/exports", "/v1/keys"):
        await service.ask("GET", f"{path}/{secrets('name in path', 'answers')}", 404)


async def put_into_records(service: Service, secrets: Secrets) -> None:
    """Under names of secrets, in metadata, and as values that break a rule; single and in batches."""
    hidden = {
        name: secrets(name) for name in ("api_key", "apiKey", "Authorization", "forward_token")
    }
    await service.ask("POST", "/v1/requests", 201, json=record(**hidden, nested=[{"n": hidden}]))
    kept = {"metadata": {"note": secrets("metadata", *KEPT)}, "note": secrets("a note", *KEPT)}
    await service.ask("POST", "/v1/requests", 201, json=record(request_id="r2", **kept))
    await service.ask("POST", "/v1/requests", 409, json=record(input_tokens=11, **hidden))
    broken = record() | {"input_tokens": -1, "provider_key": secrets("provider key")}
    await service.ask("POST", "/v1/requests", 400, json=broken)
    for name in ("input_tokens", "timestamp", "status", "provider_key_type", "usage", "cost"):
        value = secrets(f"wrong {name}", "database")
        await service.ask("POST", "/v1/requests", 400, json=record(**{name: value}))
        await service.ask("POST", "/v1/requests/batch", 200, json=[record(**{name: [value]})])
    for path in ("/v1/requests", "/v1/requests/batch", "/v1/limits"):
        cut = json.dumps({"api_key": secrets("cut off")})[:-1].encode()
        headers = {"Content-Type": "application/json"}
        await service.ask("POST", path, 400, content=cut, headers=headers)
    lines = json.dumps({"token": secrets("line")})[:-1].encode() + b"\n\xff\n"
    headers = {"Content-Type": "application/x-ndjson"}
    await service.ask("POST", "/v1/requests/batch", 200, content=lines, headers=headers)


async def put_into_forms(service: Service, secrets: Secrets) -> None:
    """In fields that a form does not have, and in place of its values."""
    for path, form in FORMS.items():
        await service.ask("POST", path, 400, json=form | {"api_key": secrets("of a form")})
        for name in form:
            value = secrets(f"wrong {name}", "answers")
            await service.ask("POST", path, 400, json=form | {name: {"x": value}})
            if name in WRONG_AS_TEXT:
                await service.ask("POST", path, 400, json=form | {name: value})
    made = (await service.ask("POST", "/v1/keys", 201, json=FORMS["/v1/keys"])).json()["key"]
    secrets.allowed[made] = ("answers",)
    headers = {"Authorization": f"Bearer {made}"}
    await service.ask("POST", "/v1/requests", 200, json=record(), headers=headers)
    await service.ask("GET", "/v1/limits", 403, headers=headers)


async def put_into_a_failing_database(service: Service, secrets: Secrets, connection: Any) -> None:
    """PostgreSQL's own words of such a failure hold the row."""
    await connection.execute(
        "ALTER TABLE ledger.event_text ADD CONSTRAINT none_at_all CHECK (response_id IS NULL) NOT VALID"
    )
    failing = record(request_id="r3", response_id=secrets("row"), metadata={"n": secrets("row")})
    await service.ask("POST", "/v1/requests", 503, json=failing)
    await connection.execute("ALTER TABLE ledger.rollup_hour RENAME COLUMN customer TO gone")
    await service.ask("GET", "/v1/spend?from=2026-11-01&to=2026-12-01", 503)


async def found_in_tables(connection: Any, secrets: Secrets) -> list[str]:
    """Secrets that lie in any row of any table and may not."""
    found = []
    for row in await connection.fetch(TABLES):
        rows = await connection.fetch(f"SELECT t::text AS whole FROM {row[0]} t")
        found += secrets.found_in("\n".join(each["whole"] for each in rows), "database")
    return found


async def test_no_secret_is_logged_answered_or_kept(
    service: Service, secrets: Secrets, database_url: str
) -> None:
    """Wherever it was put; what the interface keeps is kept, and still reaches no log."""
    connection = await asyncpg.connect(database_url)
    await put_into_headers(service, secrets)
    await put_into_addresses(service, secrets)
    await put_into_records(service, secrets)
    await put_into_forms(service, secrets)
    shown = await service.ask("GET", "/v1/requests/r1", 200)
    assert shown.json()["fields"]["api_key"].startswith("sk-l… (")
    await put_into_a_failing_database(service, secrets, connection)
    found = await found_in_tables(connection, secrets)
    await connection.close()

    assert found == []
    assert secrets.found_in("\n".join(service.answers), "answers") == []
    output = service.output
    assert re.search("CheckViolationError.*23514", output)  # it is told
    assert [needle for needle in secrets.allowed if needle in output] == []
    assert len(secrets.allowed) > 60


async def test_a_key_in_a_broken_request_reaches_no_log(service: Service, secrets: Secrets) -> None:
    """Bytes that are no HTTP, and a client that leaves in the middle of its body."""
    host, port = service.client.base_url.host, service.client.base_url.port
    half = (
        "POST /v1/requests HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Length: 999\r\n\r\n"
    )
    for sent in (
        f"{secrets('no http')}\r\n\r\n",
        f"GET /{secrets('no version')}\r\n\r\n",
        half.format(service.client.headers["Authorization"])
        + f'{{"api_key": "{secrets("half a body")}',
    ):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(sent.encode())
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.2)
    await service.ask("GET", "/healthz", 200)
    assert [needle for needle in secrets.allowed if needle in service.output] == []
    assert " ERROR " not in service.output

"""What every answer carries, whatever gave it; errors of the framework and defects included."""

import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from litestar import get
from litestar.exceptions import InternalServerException
from litestar.params import FromPath, FromQuery

from ledger.api.app import create_app
from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.core.errors import SetupError
from ledger.logs import formatter
from ledger.settings import Settings
from ledger.store.database import Database
from tests.conftest import ADMIN_KEY, serving

NOTHING_LOADED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SECRET = "sk-of-a-row"  # noqa: S105 - of nobody

# One for every way in which an answer comes about: method, path, headers, status.
ANSWERS = [
    ("GET", "/healthz", {}, 200),
    ("GET", "/v1/limits", {}, 200),
    ("GET", "/v1/exports/usage.csv?from=2026-11-01&to=2026-12-01", {}, 200),
    ("GET", "/schema", {}, 200),
    ("GET", "/schema", BROWSER, 200),
    ("OPTIONS", "/v1/spend", {}, 204),
    ("GET", "/v1/spend", {}, 400),
    ("POST", "/v1/requests", {}, 400),
    ("GET", "/v1/limits", {"Authorization": "Bearer wrong"}, 401),
    ("GET", "/v1/customers/nobody", {}, 404),
    ("GET", "/v2/nothing", {}, 404),
    ("GET", "/schema/nothing", {}, 404),
    ("DELETE", "/v1/limits", {}, 405),
    ("POST", "/v1/limits", {"Content-Type": "text/plain"}, 415),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), ANSWERS)
async def test_every_answer_has_an_id_and_the_headers_of_safety(
    api: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """Answers of ours and of the framework, pages, streams and refusals."""
    answer = await api.request(method, path, headers=headers)
    assert answer.status_code == status
    assert re.fullmatch("[0-9a-f]{24}", answer.headers["x-request-id"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"].startswith(NOTHING_LOADED)
    if headers is not BROWSER:
        assert answer.headers["content-security-policy"] == NOTHING_LOADED
    assert answer.headers.get_list("content-security-policy") == [
        answer.headers["content-security-policy"]
    ]


@pytest.mark.parametrize("stated", ["a", "A-z.0_9", "x" * 64])
async def test_the_caller_may_name_its_request(api: httpx.AsyncClient, stated: str) -> None:
    """It finds the log lines by its own id then."""
    answer = await api.get("/healthz", headers={"X-Request-Id": stated})
    assert answer.headers["x-request-id"] == stated


@pytest.mark.parametrize("stated", ["", "x" * 65, "a b", "a\tb", "ä", "a/b", "$(id)", "a;b"])
async def test_an_id_of_other_characters_is_replaced(api: httpx.AsyncClient, stated: str) -> None:
    """What a stranger writes into it reaches no log."""
    answer = await api.get("/healthz", headers={b"X-Request-Id": stated.encode()})
    assert re.fullmatch("[0-9a-f]{24}", answer.headers["x-request-id"])


async def test_a_path_that_does_not_take_a_method_says_what_it_takes(
    api: httpx.AsyncClient,
) -> None:
    """`Allow` is no more and no less than what is answered there."""
    for path, allowed in (
        ("/v1/limits", "GET, POST"),
        ("/v1/limits/", "GET, POST"),
        ("/v1/customers/a", "GET, PUT"),
        ("/v1/spend", "GET"),
        ("/v1/requests/batch", "POST"),
    ):
        answer = await api.patch(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.json()["error"]["code"] == "method_not_allowed"


async def test_framework_errors_are_problem_documents_that_repeat_nothing(
    api: httpx.AsyncClient,
) -> None:
    """Type, title, status and Lava's envelope agree; no part of the address comes back."""
    for method, path, status, code in (
        ("GET", f"/{SECRET}", 404, "not_found"),
        ("GET", f"/schema/{SECRET}", 404, "not_found"),
        ("DELETE", f"/v1/requests/{SECRET}?key={SECRET}", 405, "method_not_allowed"),
    ):
        answer = await api.request(method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert SECRET not in answer.text
        body = answer.json()
        assert body["type"] == f"urn:ledger:problem:{code}"
        assert body["status"] == answer.status_code == status
        assert body["error"] == {"message": body["detail"], "code": code, "status": status}


@get("/number/{word:str}", opt={"public": True})
async def need_number(word: FromPath[str], count: FromQuery[int]) -> dict[str, int]:
    """A handler whose parameters the framework judges."""
    return {word: count}


@get("/defect/{word:str}", opt={"public": True})
async def fail_by_defect(word: FromPath[str], key: FromQuery[str]) -> dict[str, str]:
    """A defect whose message holds a value."""
    raise ValueError(word, key)


@get("/failing/{word:str}", opt={"public": True})
async def fail_in_the_framework(word: FromPath[str], key: FromQuery[str]) -> dict[str, str]:
    """What the framework raises for a failure of the server."""
    raise InternalServerException(word + key)


@get("/setup", opt={"public": True})
async def lack_something() -> dict[str, str]:
    """What is wrong with the server is said in words for its owner."""
    raise SetupError("/etc/ledger/rates: no such folder")


@pytest.fixture
async def failing(database: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application some of whose endpoints fail."""
    settings = Settings(database_url=database.url, data_dir=Path())
    app = create_app(Ledger(settings, clock, database, ()), ADMIN_KEY)
    for handler in (need_number, fail_by_defect, fail_in_the_framework, lack_something):
        app.register(handler)
    async with serving(app) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


async def test_parameters_that_the_framework_refuses_are_fields(failing: httpx.AsyncClient) -> None:
    """Named, with our code, and without what was sent."""
    answer = await failing.get(f"/number/{SECRET}", params={"count": SECRET})
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("count", "invalid_parameter")
    assert SECRET not in answer.text


@pytest.mark.parametrize("way", ["defect", "failing"])
async def test_a_defect_says_nothing_to_the_caller_and_its_frames_to_the_log(
    failing: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """The log names the route as it is declared; its line carries the id of the answer."""
    caplog.handler.setFormatter(formatter("text"))
    with caplog.at_level(logging.ERROR, "ledger"):
        answer = await failing.get(f"/{way}/{SECRET}", params={"key": SECRET})
    assert answer.status_code == 500
    assert answer.json()["detail"] == "the server failed; its log says why"
    assert SECRET not in json.dumps(dict(answer.headers)) + answer.text
    [line] = caplog.text.splitlines()
    request_id = answer.headers["x-request-id"]
    assert f' [{request_id}] request_failed route="GET /{way}/{{word}}" error="' in line
    assert "test_hygiene.py:" in line
    assert SECRET not in line


async def test_what_the_server_lacks_is_for_its_log(
    failing: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Strangers learn no path of the machine."""
    with caplog.at_level(logging.ERROR, "ledger"):
        answer = await failing.get("/setup")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "setup")
    assert "/etc/ledger" not in answer.text
    assert "/etc/ledger/rates: no such folder" in caplog.text


async def test_a_page_of_its_own_policy_keeps_it(api: httpx.AsyncClient) -> None:
    """Nothing but the style that stands in it, known by its digest."""
    policy = (await api.get("/schema", headers=BROWSER)).headers["content-security-policy"]
    assert re.fullmatch(re.escape(NOTHING_LOADED) + r"; style-src 'sha256-[\w+/]{43}='", policy)

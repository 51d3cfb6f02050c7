"""The application served by a thread of its own, for tests that are not asynchronous."""

import asyncio
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ledger.api.app import create_app
from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.services.observing import readiness
from ledger.settings import Settings
from ledger.store.database import Database
from tests.api.doors import record
from tests.conftest import ADMIN_KEY, NOW, serving

KEY = {"Authorization": f"Bearer {ADMIN_KEY}"}
_FILLED_WITH = (
    ("POST", "/v1/meters", {"meter_slug": "ten", "percentage": "10"}),
    ("POST", "/v1/meters", {"meter_slug": "steps", "kind": "graduated", "unit": "requests",
                            "tiers": [{"start": 0, "rate": "0.5"}]}),
    ("PUT", "/v1/customers/acme", {"meter_slug": "ten"}),
    ("PUT", "/v1/customers/globex", {"meter_slug": "steps"}),
    ("POST", "/v1/limits", {"customer_id": "acme", "amount": "0.5"}),
    ("POST", "/v1/requests", record("r1", "acme", timestamp="2026-10-05T08:00:00Z")),
    ("POST", "/v1/requests", record("r1", "globex", timestamp="2026-10-05T08:00:00Z")),
    ("POST", "/v1/requests", record("r2", "acme", gpu_seconds="1.5", metadata={"feature": "chat"})),
    ("POST", "/v1/requests", record("r2", "acme", output_tokens=7)),
    ("POST", "/v1/requests", record("r3", "acme", model="of nobody")),
    ("POST", "/v1/requests", record("r4", "acme", input_tokens=-1)),
    ("POST", "/v1/requests/r2/adjustments",
     {"kind": "void", "reason": "a test", "idempotency_key": "k"}),
    ("POST", "/v1/invoices/runs", {"period": "2026-10"}),
    ("POST", "/v1/keys", {"name": "n", "scopes": ["read"], "customer_id": "acme"}),
)  # fmt: skip


def unopened(url: str = "postgresql://nowhere/none") -> Ledger:
    """A ledger that has not been opened: enough to ask the application for its schema."""
    settings = Settings(database_url=url, data_dir=Path())
    return Ledger(settings, FixedClock(NOW), Database(url), ())


@contextmanager
def served(database_url: str) -> Iterator[str]:
    """Serve the application on a database and fill it with something of everything; gives the address."""
    started, stop = threading.Event(), asyncio.Event()
    loop, urls = asyncio.new_event_loop(), list[str]()

    async def serve() -> None:
        ledger = unopened(database_url)
        await ledger.database.open()
        async with serving(create_app(ledger, ADMIN_KEY)) as url:
            urls.append(url)
            started.set()
            await stop.wait()
        await ledger.database.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    with pytest.MonkeyPatch.context() as patch:
        # The clock of tests stands still; else the server would never be ready.
        patch.setattr(readiness, "MOST_CLOCK_OFFSET_S", math.inf)
        thread.start()
        try:
            assert started.wait(30)
            _fill(urls[0])
            yield urls[0]
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(30)
            loop.close()


def _fill(url: str) -> None:
    for method, path, body in _FILLED_WITH:
        httpx.request(method, url + path, json=body, headers=KEY, timeout=30)

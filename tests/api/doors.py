"""A ledger with keys of every sort, for the tests of who may ask for what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from ledger.api.app import create_app
from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.services.keys import KeyRequest, create_key, revoke_key
from ledger.settings import Settings
from ledger.store.database import Database
from tests.conftest import ADMIN_KEY, NO_AUTHORITIES, serving

MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"
MINE, THEIRS = "acme", "globex"


class Door(msgspec.Struct):
    """The application, and how to knock."""

    client: httpx.AsyncClient
    database: Database
    clock: FixedClock

    async def make_key(self, *scopes: str, customer_id: str | None = None, **more: Any) -> str:
        """A new key, as its owner would send it."""
        wanted = KeyRequest("for a test", scopes, customer_id, **more)
        body = await create_key(self.database, self.clock, "test", wanted)
        return str(body["key"])

    async def revoke(self, key: str) -> None:
        """End a key, as another process would."""
        await revoke_key(self.database, self.clock, "test", key.rpartition("_")[0][:13])

    async def ask(self, key: str | None, method: str, path: str, **request: Any) -> httpx.Response:
        """Knock with a key, or without."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return await self.client.request(method, path, headers=headers, **request)


@asynccontextmanager
async def open_door(database: Database, clock: FixedClock) -> AsyncIterator[Door]:
    """Serve the application on a database."""
    ledger = Ledger(Settings(database_url=database.url, data_dir=Path()), clock, database, ())
    async with (
        serving(create_app(ledger, ADMIN_KEY)) as url,
        httpx.AsyncClient(base_url=url, timeout=30, verify=NO_AUTHORITIES) as client,
    ):
        yield Door(client, database, clock)


def record(request_id: str, customer_id: str | None, **fields: Any) -> dict[str, Any]:
    """A request of a million input tokens on 2026-11-19, for 0.90 USD."""
    stated = {} if customer_id is None else {"customer_id": customer_id}
    return (
        {
            "request_id": request_id,
            "model": MODEL,
            "input_tokens": 1_000_000,
            "timestamp": "2026-11-19T08:00:00Z",
        }
        | stated
        | fields
    )

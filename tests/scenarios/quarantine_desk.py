"""One who mends what was refused: the steps that the stories about quarantine share."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ledger.clock import FixedClock
from ledger.core.keys import Sender
from ledger.services.customers import set_customer
from ledger.services.intake.intake import Intake
from ledger.services.intake.window import Taken
from ledger.services.intake.writer import Writer
from ledger.services.meters import set_meter
from ledger.services.proof.verification import verify
from ledger.services.quarantine import list_quarantined
from ledger.services.rates import publish_tables
from ledger.services.replaying import Replayed, replay
from ledger.services.requests import show_request
from ledger.store.database import Database
from ledger.store.quarantine import QuarantineFilter

CLI = Sender("cli")
ALL = QuarantineFilter()
SECRET = "sk-0123456789abcdefghij"  # noqa: S105 - of nobody


class Desk:
    """A ledger that makes no customers by itself, and one who mends what was refused."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database = database
        self.clock = clock

    @asynccontextmanager
    async def intake(self) -> AsyncIterator[Intake]:
        """A way in with a writer of its own, as each process has one."""
        writer = Writer(self.database, self.clock, create_customers=False)
        await writer.start()
        try:
            yield Intake(writer, self.database, self.clock)
        finally:
            await writer.close()

    async def send(self, *records: dict[str, Any], sender: Sender = CLI) -> Taken:
        """Send records as a client does."""
        async with self.intake() as intake:
            return await intake.take([json.dumps(each).encode() for each in records], sender)

    async def replay(self, *ids: str) -> Replayed:
        """Replay some, or all."""
        async with self.intake() as intake:
            return await replay(self.database, intake, ALL, ids or None)

    async def kept(self, **wanted: Any) -> list[dict[str, Any]]:
        """What lies in quarantine."""
        body = await list_quarantined(self.database, QuarantineFilter(**wanted), most=100)
        rows: list[dict[str, Any]] = body["data"]
        return rows

    async def codes(self) -> dict[str | None, str]:
        """Why each request lies in quarantine."""
        return {row["request_id"]: row["code"] for row in await self.kept()}

    async def show(self, request_id: str) -> dict[str, Any]:
        """What is recorded of a request."""
        return await show_request(self.database, request_id)

    async def know(self, customer_id: str) -> None:
        """Make a customer known."""
        await set_meter(self.database, self.clock, "test", "none", {"kind": "none"})
        await set_customer(self.database, self.clock, "test", customer_id, "none")

    async def publish(self, version: str, price: str) -> None:
        """A version of the lab's table, its one model at so much for 1M output tokens."""
        text = (
            f'provider: lab\nversion: "{version}"\neffective_from: 2026-01-01T00:00:00Z\n'
            f'currency: USD\nmodels:\n  chat: {{output: "{price}"}}\n'
        )
        files = [(f"{version}.yaml", text)]
        await publish_tables(self.database, self.clock, "test", files, currency="USD")

    async def rows_of(self, request_id: str) -> int:
        """How many rows the log has of a request."""
        async with self.database.connection() as connection:
            count: int = await connection.fetchval(
                "SELECT count(*) FROM usage_event WHERE request_id_text(request_id, opaque_id) = $1",
                request_id,
            )
        return count

    async def is_sound(self) -> bool:
        """Whether every figure follows from the log."""
        checked = await verify(self.database, self.clock)
        return bool(checked["ok"])


async def open_desk(database: Database, clock: FixedClock) -> Desk:
    """The customer acme is known; the lab's prices are a million times too high."""
    desk = Desk(database, clock)
    await desk.know("acme")
    await desk.publish("2026-01", "900000000")
    return desk


def record(request_id: str, **fields: Any) -> dict[str, Any]:
    """A request of a million output tokens of the lab's model."""
    return {
        "request_id": request_id,
        "customer_id": "acme",
        "provider": "lab",
        "model": "chat",
        "output_tokens": 1_000_000,
        **fields,
    }

"""What is noted of a ledger, to be held against what is restored."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from tests.recovery.machine import ledger

SPEND = ("spend", "--from", "2026-06-01", "--to", "2026-08-01", "--by", "customer,model")


class Noted(msgspec.Struct, frozen=True):
    """Answers of a ledger at some moment, as they were printed. `as_of` is the moment of `spend`."""

    as_of: str
    spend: bytes
    alerts: bytes
    invoices: bytes


async def note(url: str) -> Noted:
    """Ask everything."""
    as_of = (await document(url, *SPEND))["as_of"]
    return await ask_again(url, as_of)


async def ask_again(url: str, as_of: str) -> Noted:
    """Ask everything, the spend as it was then."""
    spend = await ledger(url, *SPEND, "--as-of", as_of)
    alerts, invoices = await ledger(url, "alerts", "list"), await ledger(url, "invoices", "list")
    return Noted(as_of, spend, alerts, invoices)


async def seal(url: str, heads: Path) -> Path:
    """Write the heads of every lane to a file."""
    await asyncio.to_thread(heads.write_bytes, await ledger(url, "seal", "show"))
    return heads


async def spend_rows(url: str) -> list[dict[str, Any]]:
    """What was spent, as of now."""
    rows: list[dict[str, Any]] = (await document(url, *SPEND))["rows"]
    return rows


async def issue(url: str, period: str) -> list[tuple[str, ...]]:
    """Issue the invoices of a month: their numbers, for whom, and how much."""
    issued = (await document(url, "invoices", "run", "--period", period))["invoices"]
    return [(each["number"], each["customer_id"], each["total"]) for each in issued]


async def send_again(url: str, lines: list[bytes], file: Path) -> tuple[int, int]:
    """Ingest records by way of a file: how many were accepted, how many were there."""
    await asyncio.to_thread(file.write_bytes, b"\n".join(lines))
    counters = await document(url, "ingest", file)
    assert counters["accepted"] + counters["duplicates"] == len(lines), counters
    return counters["accepted"], counters["duplicates"]


async def document(url: str, *words: object) -> dict[str, Any]:
    """What a command prints."""
    decoded: dict[str, Any] = msgspec.json.decode(await ledger(url, *words))
    return decoded

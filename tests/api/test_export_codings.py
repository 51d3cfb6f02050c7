"""Exports over HTTP in the coding that their reader takes."""

import zlib
from typing import Any

import httpx
import pytest
import zstandard

from ledger.demo.sample import sample_lines
from tests.conftest import ADMIN_KEY

USAGE = "/v1/exports/usage.csv?from=2026-04-01&to=2026-06-01"


async def raw(api: httpx.AsyncClient, accepted: str | None) -> tuple[httpx.Headers, bytes]:
    """The head and the bytes of an answer as they came."""
    headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Accept-Encoding": accepted or ""}
    request = httpx.Request("GET", api.base_url.join(USAGE), headers=headers)
    if accepted is None:
        del request.headers["Accept-Encoding"]
    answer = await api.send(request, stream=True)
    try:
        assert answer.status_code == 200
        return answer.headers, b"".join([chunk async for chunk in answer.aiter_raw()])
    finally:
        await answer.aclose()


@pytest.fixture
async def sample(api: httpx.AsyncClient) -> None:
    """The first records of the bundled sample."""
    lines = b"".join(list(sample_lines())[:1500])
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await api.post("/v1/requests/batch", content=lines, headers=headers)
    assert answer.json()["accepted"] > 1000


@pytest.mark.usefixtures("sample", "database", "clock")
async def test_an_export_comes_in_the_coding_that_is_asked_for(api: httpx.AsyncClient) -> None:
    """The text is the same, the answer says what it is, and caches are told that it may differ."""
    head, plain = await raw(api, None)
    assert "Content-Encoding" not in head
    assert head["Vary"] == "Accept-Encoding"
    unpacked: dict[str, Any] = {
        "gzip": lambda packed: zlib.decompress(packed, 31),
        "zstd": lambda packed: zstandard.ZstdDecompressor().decompressobj().decompress(packed),
    }
    for accepted, coding in (
        ("gzip", "gzip"),
        ("gzip;q=0.4, zstd", "zstd"),
        ("zstd;q=0, *;q=0.1", "gzip"),
    ):
        head, packed = await raw(api, accepted)
        assert head["Content-Encoding"] == coding
        assert head["Vary"] == "Accept-Encoding"
        assert head["Content-Type"].startswith("text/csv")
        assert unpacked[coding](packed) == plain
        assert len(packed) < len(plain) / 4
        assert packed == (await raw(api, accepted))[1]
    for refused in ("identity", "br", "gzip;q=0"):
        head, same = await raw(api, refused)
        assert "Content-Encoding" not in head
        assert same == plain
    assert plain.count(b"\r\n") > 1000

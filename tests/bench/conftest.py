"""A server for benches, one for the session: what they find out is looked at, and how long it took is not."""

import asyncio
from collections.abc import Iterator

import pytest

from ledger.bench.databases import BenchServer, bench_server
from tests.servers import SETTINGS, memory_folder


@pytest.fixture(scope="session")
def server() -> Iterator[BenchServer]:
    """A server that benches make their databases on. Held open by a loop of its own."""
    with asyncio.Runner() as runner:
        opened = bench_server(SETTINGS, memory_folder())
        yield runner.run(opened.__aenter__())
        runner.run(opened.__aexit__(None, None, None))

"""`python -m tests.fuzz_bodies`, called by `scripts/fuzz-bodies`: drawn bodies against a real server process.

Bodies come in rounds of a seed each, which a failure names together with the smallest body that shows it.
"""

import asyncio
import json
import sys
import time
from typing import Any

import asyncpg
import click
import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings

from ledger.bench.processes import (
    ServerProcess,
    peak_resident_bytes,
    run_command,
    server_process,
)
from tests.conftest import ADMIN_KEY, execute
from tests.properties.fuzzed_bodies import Drawn, drawn_bodies
from tests.properties.fuzzing import Fuzzing
from tests.servers import test_server, with_database

ROUND = 500
ROUNDS = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
MOST_GROWTH = 1.25  # from a tenth of the bodies to all of them: a leak would show as much more
ANSWER_TIMEOUT_S = 60
_DATABASE = "ledger_fuzzed_bodies"
_MEBIBYTE = 1024 * 1024


@click.command()
@click.option("--bodies", default=100_000, show_default=True)
@click.option("--seed", "first_seed", default=1, show_default=True, help="That of the first round.")
def main(bodies: int, first_seed: int) -> None:
    """Send drawn bodies to a server; exit 1 if it breaks, loses or doubles a record, or grows."""
    summary = asyncio.run(fuzz(bodies, first_seed))
    print(json.dumps(summary))  # noqa: T201
    sys.exit(0 if summary["ok"] else 1)


async def fuzz(bodies: int, first_seed: int) -> dict[str, Any]:
    """Serve a fresh ledger and send bodies to it; give the figures."""
    async with test_server() as url:
        await execute(url, f"CREATE DATABASE {_DATABASE}")
        try:
            return await _fuzz(with_database(url, _DATABASE), bodies, first_seed)
        finally:
            await execute(url, f"DROP DATABASE {_DATABASE} WITH (FORCE)")


async def _fuzz(url: str, bodies: int, first_seed: int) -> dict[str, Any]:
    environment = {"LEDGER_DATABASE_URL": url, "LEDGER_ADMIN_KEY": ADMIN_KEY}
    started_at = time.monotonic()
    async with (
        server_process("ledger", "serve", "--port", "0", environment=environment) as server,
        httpx.AsyncClient(
            base_url=server.url,
            headers={"Authorization": f"Bearer {ADMIN_KEY}"},
            timeout=ANSWER_TIMEOUT_S,
        ) as client,
    ):
        fuzzing = Fuzzing(client)
        peaks = await _send_rounds(fuzzing, server, bodies, first_seed)
        await fuzzing.settle()
        await fuzzing.check_spend()
        assert server.process.returncode is None
    connection = await asyncpg.connect(url)
    fuzzing.check_events(await connection.fetchval("SELECT count(*) FROM ledger.usage_event"))
    await connection.close()
    verified = (await run_command(url, "verify")).document["ok"]
    return {
        "ok": verified and peaks[-1] <= peaks[0] * MOST_GROWTH,
        "bodies": fuzzing.bodies,
        "good_records": len(fuzzing.landed),
        "statuses": dict(sorted(fuzzing.statuses.items())),
        "verified": verified,
        "peak_mib_at_a_tenth": peaks[0],
        "peak_mib_at_the_end": peaks[-1],
        "seconds": round(time.monotonic() - started_at),
    }


async def _send_rounds(
    fuzzing: Fuzzing, server: ServerProcess, bodies: int, first_seed: int
) -> list[int]:
    """Send all of them; give the server's peak of memory in MiB after each tenth."""
    peaks: list[int] = []
    loop = asyncio.get_running_loop()
    number = first_seed
    while fuzzing.bodies < bodies:
        size = min(ROUND, bodies - fuzzing.bodies)
        try:
            await asyncio.to_thread(_send_round, fuzzing, loop, number, size)
        except BaseException:
            _tell(f"repeat with --seed {number} --bodies {size}")
            raise
        number += 1
        while fuzzing.bodies * 10 >= bodies * (len(peaks) + 1):
            peaks.append(peak_resident_bytes(server.process.pid) // _MEBIBYTE)
            _tell(f"{fuzzing.bodies} bodies, peak {peaks[-1]} MiB")
    return peaks


def _send_round(
    fuzzing: Fuzzing, loop: asyncio.AbstractEventLoop, number: int, bodies: int
) -> None:
    @seed(number)
    @settings(ROUNDS, max_examples=bodies)
    @given(drawn_bodies())
    def send(drawn: Drawn) -> None:
        sent = asyncio.run_coroutine_threadsafe(fuzzing.send(drawn), loop)
        sent.result(timeout=ANSWER_TIMEOUT_S)

    send()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

"""`python -m tests.soak_histories`, which `scripts/soak-histories` calls: random histories by the thousand.

The same seed gives the same histories; what is started at once in them may still happen in another order.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from random import Random

import click

from tests.conftest import execute, make_template, template_name
from tests.properties.drawing import draw_history
from tests.properties.histories import HISTORIES_A_ROOM
from tests.properties.playing import play
from tests.properties.rooms import Rooms
from tests.servers import test_server

MOST_HISTORY_S = 300  # one that takes longer hangs


@dataclass
class Tally:
    """What was played; a failure is told with all that it takes to repeat it."""

    histories: int = 0
    operations: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.histories += other.histories
        self.operations += other.operations
        self.failures += other.failures


@click.command()
@click.option("--histories", default=10_000, show_default=True)
@click.option("--processes", default=2, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--first", default=0, show_default=True, help="The number of the first history.")
def main(histories: int, processes: int, seed: int, first: int) -> None:
    """Play random histories to the product and to the second model; exit 1 if they ever differ."""
    started_at = time.monotonic()
    tally = asyncio.run(soak(range(first, first + histories), processes, seed))
    elapsed_s = round(time.monotonic() - started_at, 1)
    summary = {"histories": tally.histories, "operations": tally.operations, "seconds": elapsed_s}
    print(json.dumps(summary | {"seed": seed, "failures": len(tally.failures)}))  # noqa: T201
    sys.exit(1 if tally.failures else 0)


async def soak(numbers: range, processes: int, seed: int) -> Tally:
    """Play histories on one server, a room at a time in each process."""
    async with test_server() as url:
        await make_template(url)
        try:
            return await asyncio.to_thread(_play_rooms, url, numbers, processes, seed)
        finally:
            await execute(url, f"DROP DATABASE {template_name()}")


def _play_rooms(url: str, numbers: range, processes: int, seed: int) -> Tally:
    tally, started_at = Tally(), time.monotonic()
    rooms = [numbers[at : at + HISTORIES_A_ROOM] for at in range(0, len(numbers), HISTORIES_A_ROOM)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        played = [pool.submit(_play_room, url, template_name(), room, seed) for room in rooms]
        for room in as_completed(played):
            tally.add(room.result())
            rate = tally.histories / (time.monotonic() - started_at)
            _tell(f"{tally.histories} of {len(numbers)} histories, {rate:.1f}/s")
            for failure in room.result().failures:
                _tell(failure)
    return tally


def _play_room(url: str, template: str, numbers: Sequence[int], seed: int) -> Tally:
    return asyncio.run(_play(Rooms(url, template), numbers, seed))


async def _play(rooms: Rooms, numbers: Sequence[int], seed: int) -> Tally:
    """Play some histories in one room; the first failure ends it, for it stays in the database."""
    tally = Tally()
    for number in numbers:
        history = draw_history(Random(f"{seed}:{number}"), number)
        try:
            async with asyncio.timeout(MOST_HISTORY_S), rooms.enter() as product:
                await play(product, history)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
            again = f"--seed {seed} --first {numbers[0]} --histories {number - numbers[0] + 1}"
            told = f"{type(error).__name__}: {error}\n{history}"
            tally.failures.append(f"history {number}; repeat with {again} --processes 1\n{told}")
            break
        tally.histories += 1
        tally.operations += len(history.operations)
    await rooms.close()
    return tally


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

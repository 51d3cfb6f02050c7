"""Request records for benches: distinct, in the order of their time, the same bytes for the same seed."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache

import msgspec

from ledger.clock import Clock
from ledger.demo.shapes import EPOCH, time_text, ulid
from pricing import load_rate_table, shipped_rate_files

_MILLISECOND = timedelta(milliseconds=1)
_TABLE_FILE = "fireworks/2026-05-12.yaml"
_MOST_INPUT_TOKENS, _MOST_OUTPUT_TOKENS = 20_000, 4_000


class Mix(msgspec.Struct, frozen=True):
    """Who sends: so many customers, each of whom uses so many models, all evenly drawn from one seed."""

    customers: int = 50
    models: int = 20
    seed: int = 20260512
    provider: str = "fireworks"


@cache
def priced_models() -> tuple[str, ...]:
    """The models of a shipped table that prices every one by input and output tokens."""
    text = dict(shipped_rate_files())[_TABLE_FILE]
    return tuple(load_rate_table(text, _TABLE_FILE, currency="USD").models)


def record_lines(count: int, start_at: datetime, mix: Mix, step_ms: int = 1) -> Iterator[bytes]:
    """So many JSON records, one each step from `start_at` on, without a newline.

    Ids are canonical (`req_` and a ULID of the record's millisecond), so no two are alike.

    Raises:
        ValueError: the shipped table has fewer models than the mix asks for.
    """
    models = priced_models()[: mix.models]
    if len(models) < mix.models:
        raise ValueError(f"there are {len(models)} models, not {mix.models}")
    dice = random.Random(mix.seed)  # noqa: S311 - repeatable figures, not secrets
    start_ms = (start_at - EPOCH) // _MILLISECOND
    for time_ms in range(start_ms, start_ms + count * step_ms, step_ms):
        yield _line(dice, time_ms, mix, models)


def customer_id(number: int) -> str:
    """What a customer of a mix is called, counted from 0."""
    return f"customer-{number:05d}"


def yesterday(clock: Clock) -> datetime:
    """When yesterday began: what is sent to a server begins there, so that none of it lies ahead."""
    return clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)


def cut(lines: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """The lines in batches of one size; the last may have fewer."""
    for start in range(0, len(lines), size):
        yield lines[start : start + size]


def _line(dice: random.Random, time_ms: int, mix: Mix, models: Sequence[str]) -> bytes:
    draw = dice.getrandbits(96)  # one draw for all small choices; it is far wider than they are
    draw, customer = divmod(draw, mix.customers)
    draw, model = divmod(draw, len(models))
    draw, input_tokens = divmod(draw, _MOST_INPUT_TOKENS)
    output_tokens = draw % _MOST_OUTPUT_TOKENS
    return (
        f'{{"request_id":"req_{ulid(time_ms, dice.getrandbits(80))}"'
        f',"customer_id":"{customer_id(customer)}","provider":"{mix.provider}"'
        f',"model":"{models[model]}","provider_key_type":"managed"'
        f',"timestamp":"{time_text(time_ms)}"'
        f',"input_tokens":{input_tokens + 1},"output_tokens":{output_tokens}}}'
    ).encode()

"""The bundled request records: two calendar months of twelve customers over a rate change.

It shows every case that intake must tell apart. All is drawn from a seed in whole numbers: the same
bytes on every machine. `PLAN` says who sends how much of what, the tables below it what else comes.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec

from ledger.demo import shapes
from ledger.demo.shapes import EPOCH, Call, Model, Record, ulid

MILLISECOND = timedelta(milliseconds=1)
START_MS = (datetime(2026, 4, 1, tzinfo=UTC) - EPOCH) // MILLISECOND
MAY_MS = (datetime(2026, 5, 1, tzinfo=UTC) - EPOCH) // MILLISECOND
CHANGE_MS = (datetime(2026, 5, 12, tzinfo=UTC) - EPOCH) // MILLISECOND
END_MS = (datetime(2026, 6, 1, tzinfo=UTC) - EPOCH) // MILLISECOND
LONGEST_CALL_MS = 60_000
WEEKDAYS, OFFICE_HOURS = range(5), range(7, 19)

WHOLE, APRIL = (START_MS, END_MS), (START_MS, MAY_MS)
BEFORE, AFTER = (START_MS, CHANGE_MS), (CHANGE_MS, END_MS)


@dataclass(frozen=True)
class Slice:
    """A number of calls of one customer, alike in kind.

    `models` None means the text models on offer at the moment of the call. The ranges are tokens
    (or seconds, for audio), `byok_percent` the share of calls under the caller's own key.
    """

    customer: str
    calls: int
    models: Sequence[Model] | None = None
    window: tuple[int, int] = WHOLE
    input_range: tuple[int, int] = (20_000, 120_000)
    output_range: tuple[int, int] = (500, 8_000)
    byok_percent: int = 1


PLAN = (
    # text, 2,720 calls; two customers mostly bring their own keys, acme also reads whole code bases
    Slice("acme", 960, input_range=(60_000, 120_000)),
    Slice("acme", 140, (shapes.DEEPSEEK_PRO,), AFTER, (200_000, 600_000), (2_000, 8_000)),
    Slice("globex", 430),
    Slice("initech", 290, byok_percent=55),
    Slice("umbrella", 250),
    Slice("hooli", 190, byok_percent=55),
    Slice("stark", 150),
    Slice("wonka", 110),
    Slice("tyrell", 80),
    Slice("cyberdyne", 55, input_range=(2_000, 30_000)),
    Slice("soylent", 35, input_range=(2_000, 30_000)),
    Slice("vandelay", 20, input_range=(500, 8_000)),
    # the next one's April stays under half a cent, so that no invoice is issued for it
    Slice("corner-shop", 6, None, APRIL, (40, 160), (10, 60), byok_percent=0),
    Slice("corner-shop", 4, None, AFTER, (4_000, 20_000), byok_percent=0),
    # audio and embeddings while the table lists them, 120 calls
    Slice("wonka", 50, (shapes.WHISPER,), BEFORE, (5, 1_800), byok_percent=0),
    Slice("globex", 70, (shapes.NOMIC,), BEFORE, (20_000, 400_000), (0, 0), byok_percent=0),
    # unrated, 56 calls: no longer listed, or never
    Slice("wonka", 8, (shapes.WHISPER,), AFTER, (5, 600), byok_percent=0),
    Slice("globex", 8, (shapes.NOMIC,), AFTER, (20_000, 400_000), (0, 0), byok_percent=0),
    Slice("umbrella", 20, (shapes.LLAMA_405B, shapes.FIREFUNCTION), AFTER),
    Slice("tyrell", 20, (shapes.HOUSE,), WHOLE),
)
LATE = (Slice("acme", 25, window=APRIL), Slice("globex", 15, window=APRIL))
LATE_WITHIN = 150  # late records stand among so many last ordinary ones
ADJACENT_DUPLICATES = 25
FAR_DUPLICATES = 35  # between 300 and 1,500 records after the first copy

OPAQUE_IDS = (
    "req_test_01EXAMPLE00000000000000001",
    "req_01234567890abcdef",
    "batch-7/42",
    "nightly report #9",
)

# Times that stand on an edge, each for a call of umbrella on the model whose price changes.
EDGE_TIMES = (
    "2026-05-11T23:59:59.999999Z",  # the last microsecond of the old price
    "2026-05-11T23:59:59.9999999Z",  # cut off, not rounded up: still the old price
    "2026-05-12T00:00:00Z",  # the first instant of the new price
    "2026-05-12T01:30:00+02:00",  # May 12 on that clock, old price in UTC
    "2026-05-01T01:00:00+02:00",  # May on that clock, April in UTC
    "2026-05-01T00:00:00Z",  # the first instant of May
)

# (after how many ordinary records, the line): each is refused, none disturbs its neighbours.
MALFORMED = (
    (700, b'{"request_id":"req_01KN4M7A00BR0KEN0000000000","customer_id":"globex","input_tok\n'),
    (1500, b'{"customer_id":"stark","model":"whisper-v3","input_seconds":12.5}\n'),
    (2300, b'{"request_id":"negative","customer_id":"stark","model":"x","input_tokens":-5}\n'),
)

FEATURES = (
    (("feature", "chat"), ("team", "support")),
    (("feature", "search"), ("team", "search")),
    (("feature", "summarise"),),
    (("feature", "chat"), ("team", "sales"), ("environment", "production")),
    (),
)

SHAPES = 11 * (shapes.current_shape,) + 4 * (shapes.older_shape,) + 5 * (shapes.flat_shape,)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
Placed = tuple[tuple[int, int], bytes]  # (after which ordinary record, rank there), the line


class Dice:
    """Whole-number draws from one seed, made of `getrandbits` alone."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 (demo records, not secrets)

    def bits(self, count: int) -> int:
        """Any number of so many bits."""
        return self._random.getrandbits(count)

    def below(self, bound: int) -> int:
        """A number from 0 up to, not including, the bound."""
        return self.bits(64) % bound

    def between(self, bounds: tuple[int, int]) -> int:
        """A number from the first bound to the second, both included."""
        low, high = bounds
        return low + self.below(high - low + 1)


def sample_lines(seed: int = 20260512) -> Iterator[bytes]:
    """The bundled records as NDJSON lines in order of arrival, the same bytes for the same seed.

    Beside the ordinary records of `PLAN` there are late ones (April records near the end), exact
    duplicates, one conflict, a pending record that completes and one that never does, an error,
    opaque ids, the key type by its alias, times on an edge, and three malformed lines.
    """
    dice = Dice(seed)
    calls = sorted(_calls(dice, PLAN), key=lambda call: call.completed_ms)
    placed = [((index, 0), _line(_record(call))) for index, call in enumerate(calls)]
    placed += _duplicates(dice, [line for _, line in placed])
    for call in _calls(dice, LATE):
        placed.append(((len(calls) - 1 - dice.below(LATE_WITHIN), 3), _line(_record(call))))
    placed += _states(dice, calls)
    placed += _unusual_ids_and_keys(dice, calls)
    placed += _edges(dice, calls)
    placed += [((index, 9), line) for index, line in MALFORMED]
    yield from (line for _, line in sorted(placed))


def _calls(dice: Dice, plan: Sequence[Slice]) -> Iterator[Call]:
    for part in plan:
        for _ in range(part.calls):
            yield _call(dice, part)


def _call(dice: Dice, part: Slice) -> Call:
    started_ms = _moment(dice, part.window)
    models = part.models or (shapes.OLD_TEXT if started_ms < CHANGE_MS else shapes.NEW_TEXT)
    model = models[dice.below(len(models))]
    size = dice.between(part.input_range)
    audio, chat = model.path.startswith("audio"), model.path.startswith("chat")
    return Call(
        request_id=f"req_{ulid(started_ms, dice.bits(80))}",
        customer=part.customer,
        model=model,
        started_ms=started_ms,
        completed_ms=started_ms + 400 + dice.below(LONGEST_CALL_MS - 400),
        input_tokens=0 if audio else size,
        cached_tokens=size * dice.below(80) // 100 if chat else 0,
        output_tokens=dice.between(part.output_range) if chat else 0,
        audio_us=size * 10**6 + dice.below(10**6) if audio else 0,
        key_type="unmanaged" if dice.below(100) < part.byok_percent else "managed",
        metadata=FEATURES[dice.below(len(FEATURES))],
        variant=dice.bits(60),
    )


def _moment(dice: Dice, window: tuple[int, int]) -> int:
    """A time in the window, ms, more often than not in office hours (three tries)."""
    start_ms, end_ms = window
    for _ in range(3):
        moment_ms = start_ms + dice.below(end_ms - start_ms - LONGEST_CALL_MS)
        weekday = (moment_ms // 86_400_000 + 3) % 7  # 1970-01-01 was a Thursday
        if weekday in WEEKDAYS and moment_ms // 3_600_000 % 24 in OFFICE_HOURS:
            break
    return moment_ms


def _record(call: Call) -> Record:
    return SHAPES[call.variant // 16 % 20](call)


def _line(record: Record) -> bytes:
    return _ENCODER.encode(record) + b"\n"


def _duplicates(dice: Dice, lines: Sequence[bytes]) -> Iterator[Placed]:
    for _ in range(ADJACENT_DUPLICATES):
        index = dice.below(len(lines))
        yield (index, 1), lines[index]
    for _ in range(FAR_DUPLICATES):
        index = dice.below(len(lines) - 1_500)
        yield (index + dice.between((300, 1_500)), 2), lines[index]


def _states(dice: Dice, calls: Sequence[Call]) -> Iterator[Placed]:
    """One conflict, and the records that are seen before, or without, their usage."""
    first = _acme_call(calls, 400)
    other = replace(first, output_tokens=first.output_tokens + 1)
    yield (650, 4), _line(_record(other))
    completes = _renamed(dice, _acme_call(calls, 900))
    yield (910, 4), _line(shapes.pending_shape(completes))
    yield (960, 4), _line(shapes.current_shape(completes))
    fails = _renamed(dice, _acme_call(calls, 1_200))
    yield (1_210, 4), _line({**shapes.pending_shape(fails), "status": "error"})
    hangs = _renamed(dice, _acme_call(calls, 1_800))
    yield (1_810, 4), _line(shapes.pending_shape(hangs))


def _unusual_ids_and_keys(dice: Dice, calls: Sequence[Call]) -> Iterator[Placed]:
    """Ids that are no ULID (the shape states the time), and `byok` said by that name."""
    for number, request_id in enumerate(OPAQUE_IDS, start=1):
        call = replace(_acme_call(calls, 350 * number), request_id=request_id)
        yield (350 * number + 10, 5), _line(shapes.current_shape(call))
    alias = replace(_renamed(dice, _acme_call(calls, 1_000)), key_type="byok")
    yield (1_010, 5), _line(shapes.current_shape(alias))


def _edges(dice: Dice, calls: Sequence[Call]) -> Iterator[Placed]:
    for text in EDGE_TIMES:
        ended_ms = (datetime.fromisoformat(text) - EPOCH) // MILLISECOND
        request_id = f"req_{ulid(ended_ms - 900, dice.bits(80))}"
        model = shapes.MIXTRAL_AFTER if ended_ms >= CHANGE_MS else shapes.MIXTRAL_BEFORE
        call = Call(request_id, "umbrella", model, ended_ms - 900, ended_ms, 100_000, 0, 1_000)
        place = sum(earlier.completed_ms < ended_ms for earlier in calls)
        yield (place, 6), _line({**shapes.current_shape(call), "timestamp": text})


def _acme_call(calls: Sequence[Call], index: int) -> Call:
    """The first call of acme, always a rated text call, at or after a place."""
    return next(call for call in calls[index:] if call.customer == "acme")


def _renamed(dice: Dice, call: Call) -> Call:
    return replace(call, request_id=f"req_{ulid(call.started_ms, dice.bits(80))}")

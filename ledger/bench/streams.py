"""Streams of batches for `bench duplicates`: all new, half of it sent before, or all of it."""

from collections.abc import Callable, Sequence
from itertools import chain

Batch = Sequence[bytes]
Stream = Callable[[Sequence[Batch]], list[Batch]]
RETRIED_AFTER = (
    8  # how many batches later one comes again: its first answer is there by then, or nearly
)


def clean(batches: Sequence[Batch]) -> list[Batch]:
    """Every batch once."""
    return list(batches)


def whole_batches_again(batches: Sequence[Batch]) -> list[Batch]:
    """Half of the batches, each of them once more a little later, as a client does that missed an answer."""
    new = batches[: (len(batches) + 1) // 2]
    groups = [new[start : start + RETRIED_AFTER] for start in range(0, len(new), RETRIED_AFTER)]
    return list(chain.from_iterable((*group, *group) for group in groups))


def half_of_every_batch(batches: Sequence[Batch]) -> list[Batch]:
    """Batches whose first half stood in one before, so that none is without duplicates but the first ones."""
    halves = [batch[: len(batch) // 2] for batch in batches]
    before = [halves[max(0, index - RETRIED_AFTER)] for index in range(len(halves))]
    return [[*first, *second] for first, second in zip(before, halves, strict=True)]


CLEAN = "clean"
STREAMS: dict[str, Stream] = {
    CLEAN: clean,
    "half are retries, batch by batch": whole_batches_again,
    "half are retries, in every batch": half_of_every_batch,
}

"""The driver's errors about a write, sorted by what a writer does about each."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg


class WriteFailure(Exception):
    """A write that did not happen."""


class KeyTaken(WriteFailure):
    """A key is recorded already: look which, and write the others."""


class MetOtherWriter(WriteFailure):
    """Another writer stood in the way; the same again will do."""


class DataRefused(WriteFailure):
    """Something in it cannot be stored: find out which record."""


_SORTED: tuple[tuple[type[WriteFailure], tuple[type[Exception], ...]], ...] = (
    (KeyTaken, (asyncpg.UniqueViolationError,)),
    (MetOtherWriter, (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)),
    (
        DataRefused,
        (
            asyncpg.DataError,
            asyncpg.IntegrityConstraintViolationError,
            asyncpg.ProgramLimitExceededError,
            # What the driver raises when it cannot encode a value.
            OverflowError,
            TypeError,
            ValueError,
        ),
    ),
)
_KNOWN = tuple(error for _, errors in _SORTED for error in errors)


@contextmanager
def sorted_failures() -> Iterator[None]:
    """Raise the driver's errors about a write as one of the three failures; others pass."""
    try:
        yield
    except _KNOWN as error:
        failure = next(kind for kind, errors in _SORTED if isinstance(error, errors))
        raise failure(type(error).__name__) from error

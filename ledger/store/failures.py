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
    # What a record can be at fault for. A missing partition or an exhausted sequence is not: such errors
    # would turn every good record away for good.
    (DataRefused, (asyncpg.DataError, asyncpg.ProgramLimitExceededError)),
)
_NOBODYS_FAULT = (asyncpg.InvalidParameterValueError, asyncpg.SequenceGeneratorLimitExceededError)
_KNOWN = tuple(error for _, errors in _SORTED for error in errors)


@contextmanager
def sorted_failures() -> Iterator[None]:
    """Raise the driver's errors about a write as one of the three failures; others pass."""
    try:
        yield
    except _NOBODYS_FAULT:
        raise
    except _KNOWN as error:
        failure = next(kind for kind, errors in _SORTED if isinstance(error, errors))
        raise failure(type(error).__name__) from error


@contextmanager
def encoding_values() -> Iterator[None]:
    """A value that the driver cannot encode is data that cannot be stored."""
    try:
        yield
    except (OverflowError, TypeError, ValueError) as error:
        raise DataRefused(type(error).__name__) from error

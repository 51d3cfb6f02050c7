"""What the driver raises, as errors of ours: the database is away, is not set up, or has failed."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from ledger.core.errors import DatabaseUnavailable, LedgerError, SetupError
from ledger.logs import logger

_LOG = logger(__name__)

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a COPY raises when its connection breaks in the middle
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
    OSError,
    TimeoutError,
)
_NOT_SET_UP = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InvalidParameterValueError,
    asyncpg.InsufficientPrivilegeError,
)
_MISADDRESSED = (asyncpg.ClientConfigurationError,)
_REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


@asynccontextmanager
async def in_our_words(failures: Counter[str] | None = None) -> AsyncIterator[None]:
    """Raise what the driver raises as an error of ours, and count it."""
    try:
        with _counted(failures):
            yield
    except LedgerError:
        raise
    except _MISADDRESSED as error:
        raise SetupError(
            f"LEDGER_DATABASE_URL is no address of a PostgreSQL database: {said(error)}"
        ) from error
    except _REFUSED as error:
        raise SetupError(f"the database refuses the connection: {said(error)}") from error
    except _AWAY as error:
        raise DatabaseUnavailable(
            f"the database does not answer ({type(error).__name__})"
        ) from error
    except _NOT_SET_UP as error:
        raise SetupError(
            f"the database is not set up: {said(error)}. Run `ledger migrate`."
        ) from error
    except asyncpg.PostgresError as error:
        # A cancelled statement, a full disk, a missing partition: nothing that sending less would mend.
        _LOG.error("database_failed", exc_info=error)
        raise DatabaseUnavailable(f"the database failed ({type(error).__name__})") from error


@contextmanager
def _counted(failures: Counter[str] | None) -> Iterator[None]:
    """Count errors by the class of PostgreSQL's `sqlstate`; `connection` where the server said nothing."""
    try:
        yield
    except (asyncpg.PostgresError, *_AWAY) as error:
        if failures is not None:
            sqlstate = getattr(error, "sqlstate", None)
            failures[sqlstate[:2] if sqlstate else "connection"] += 1
        raise


def said(error: Exception) -> str:
    """What an error says, without the details, which may repeat what a row holds."""
    return str(error.args[0]) if error.args else type(error).__name__

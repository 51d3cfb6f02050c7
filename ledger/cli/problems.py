"""What a command could not do: in words for whoever typed it, as a document for whoever asked for JSON."""

import asyncio
from typing import Any

import click

from ledger.core.errors import DatabaseUnavailable, LedgerError
from pricing import RateFileError

# Of what is no error of the ledger; those have codes of their own.
CODES: dict[type[BaseException], str] = {
    RateFileError: "invalid_rate_file",
    click.ClickException: "wrong_usage",
    OSError: "file_error",
    KeyboardInterrupt: "interrupted",
    asyncio.CancelledError: "interrupted",
}


def problem_document(error: BaseException, exit_code: int) -> dict[str, Any]:
    """An error as answers over HTTP have it, with the exit code in the place of the status."""
    envelope = {"message": words_of(error), "code": _code_of(error), "exit_code": exit_code}
    document: dict[str, Any] = {"error": envelope}
    faults = error.problems if isinstance(error, RateFileError) else getattr(error, "errors", ())
    if faults:
        document["errors"] = faults
    return document


def words_of(error: BaseException) -> str:
    """What went wrong and what to do."""
    if isinstance(error, KeyboardInterrupt | asyncio.CancelledError):
        return "interrupted; it is safe to run the command again"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, LedgerError):
        return _with_cause(error)
    return str(error)


def _code_of(error: BaseException) -> str:
    if isinstance(error, LedgerError):
        return error.code
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def _with_cause(error: LedgerError) -> str:
    """Why the database does not answer, for whoever sits at the machine; answers over HTTP do not tell."""
    if not isinstance(error, DatabaseUnavailable) or not str(error.__cause__ or ""):
        return error.detail
    return f"{error.detail}: {error.__cause__}; check LEDGER_DATABASE_URL"

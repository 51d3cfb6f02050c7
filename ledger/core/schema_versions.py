"""Which programs and which schemas get on with each other. Pure.

A schema has the number of its newest migration, and a program that of the newest one that it carries. Each
migration states the oldest schema whose programs may go on after it; so an old program lives with a newer
database for as long as everything new there was made with it in mind.
"""

from collections.abc import Mapping, Sequence

import msgspec

_DIGITS = 4


class SchemaState(msgspec.Struct, frozen=True):
    """What a program finds in a database.

    `missing`: migrations that it knows and that were not applied. `newer`: the other way round.
    `refusal`: why it must not touch the database, whatever is migrated; None if it may.
    """

    missing: tuple[str, ...]
    newer: tuple[str, ...]
    refusal: str | None

    @property
    def fault(self) -> str | None:
        """Why the program cannot work on the database as it is, and what to do; None if it can."""
        if self.refusal is None and self.missing:
            return f"the database lacks {', '.join(self.missing)}; run `ledger migrate` first"
        return self.refusal


def schema_number(migration: str) -> str:
    """`0016_compatibility` -> `0016`. Numbers have one length, so they compare as texts."""
    return migration[:_DIGITS]


def compare_schema(known: Sequence[str], applied: Mapping[str, str | None]) -> SchemaState:
    """Hold the migrations that a program carries, in order, against those applied to a database.

    `applied` has for each the number of the oldest schema whose programs work with it, None if nobody said.
    """
    missing = tuple(name for name in known if name not in applied)
    newer = tuple(sorted(applied.keys() - set(known)))
    return SchemaState(missing, newer, _refusal(known, applied, missing, newer))


def _refusal(
    known: Sequence[str],
    applied: Mapping[str, str | None],
    missing: Sequence[str],
    newer: Sequence[str],
) -> str | None:
    own = schema_number(known[-1])
    if newer and (missing or schema_number(newer[0]) <= own):
        others = f" and lacks {', '.join(missing)}" if missing else ""
        return (
            f"the database has {', '.join(newer)}{others}: it was migrated by another line of versions; "
            "use the program that it was made with"
        )
    if unfit := [name for name in newer if own < (applied[name] or schema_number(name))]:
        return (
            f"the database is newer than this version: {', '.join(unfit)} does not work with programs "
            f"made for schema {own}; upgrade this program, or go back to a backup from before"
        )
    return None

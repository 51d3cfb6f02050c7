"""The database keeps facts as they are, whoever asks, by whichever way in.

Two walls. The service role may read and append, and reaches partitions through their parents only. The
owner role could do anything, so triggers refuse it what changes rows, on each table and partition by name.

What is left: the owner can still use DDL (DROP a table, DISABLE or DROP a trigger, ALTER a column's type
with a new value), a superuser also `session_replication_role`, and a login that is a member of both roles,
as one is that also migrates, can SET ROLE. No right prevents that; the digests find it afterwards
(`ledger verify`, `ledger seal check`).
"""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.services.intake.writer import Writer
from ledger.store.database import BOUND_ROLE, OWNER_ROLE, SERVICE_ROLE, Connection, Database
from tests.conftest import NOW

FACTS = (
    "usage_event", "ledger_event", "batch", "customer", "dimension", "rate_table", "meter_version",
)  # fmt: skip
RECORD = b"""{"request_id": "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ", "customer_id": "acme", "model": "m",
    "metadata": {"user": "ann"}}"""
APPEND = {"SELECT", "INSERT"}
WORDS = ("response_id", "metadata", "fields", "salt", "redacted")
DERIVED_OR_OPERATIONAL = (
    "rollup_hour", "rollup_hour_unit", "customer_setting", "spend_limit", "limit_window", "alert",
    "number_series", "invoice", "invoice_line", "touched_period", "outbox", "quarantine", "meter_usage",
    "quarantine_sender", "api_key", "job_run", "rollup_lane_hour", "rollup_lane_hour_unit", "rollup_day",
    "rollup_day_unit", "touched_day",
)  # fmt: skip
OF_LOG = ",".join(("timestamp with time zone",) * 4 + ("integer[]", "integer[]", "bigint[]"))
CALLED = (
    "enter_fence()", "raise_epoch()", "request_id_text(uuid,text)", "csv_text(text)", "pico_text(numeric)",
    "instant_text(timestamp with time zone)", "counts_as_input(text)", "counts_as_output(text)",
    "input_parts(jsonb)", "output_parts(jsonb)", "dimension_words(text,text,text,text,text,text)",
    "spread_digits(bigint)", "base32_letters(bigint)",
    "is_metered(text,text)", "metered_quantity(text,numeric,numeric,jsonb)",
    *(f"{name}({OF_LOG})" for name in ("spend_of_log", "units_of_log")),
)  # fmt: skip
# Every right of the service; what is not here, as no partition is, it may not even read.
RIGHTS = {
    "the schema": {"USAGE"},
    "schema_migration": {"SELECT"},
    "configuration": {"SELECT", "UPDATE"},
    **dict.fromkeys((*FACTS, "event_text"), APPEND),
    **{f"event_text.{erasable}": {"UPDATE"} for erasable in WORDS},
    **{table: APPEND | {"UPDATE", "DELETE"} for table in DERIVED_OR_OPERATIONAL},
    **{function: {"EXECUTE"} for function in CALLED},
}

# Every right of the role that reads for keys of one customer: by rows of its own, or by views of such rows.
READ_BY_ALL = ("configuration", "rate_table", "meter_version", "dimension", "batch")
READ_BY_ROWS = (
    "customer", "customer_setting", "spend_limit", "limit_window", "alert", "rollup_hour", "rollup_hour_unit",
    "meter_usage", "invoice", "ledger_event", "api_key", "quarantine", "quarantine_sender", "outbox",
    "rollup_day", "rollup_day_unit", "touched_day",
)  # fmt: skip
NEVER_SEEN = (
    "rollup_lane_hour",
    "rollup_lane_hour_unit",
)  # sums of everybody: asking for them is no error
READ_BY_VIEWS = ("usage_event", "event_text", "invoice_line")
RIGHTS_OF_BOUND = {
    "the schema": {"USAGE"},
    **{table: {"SELECT"} for table in (*READ_BY_ALL, *READ_BY_ROWS, *NEVER_SEEN)},
    **{
        function: {"EXECUTE"}
        for function in CALLED
        if function not in ("enter_fence()", "raise_epoch()")
    },
    "bound_customer()": {"EXECUTE"},
}

# Ways to change rows, with the table's primary key and a column of it. One statement a line, here and below.
CHANGES = """
UPDATE {table} SET {column} = {column}
UPDATE {table} SET {column} = {column} WHERE false
DELETE FROM {table}
WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM gone
TRUNCATE {table} CASCADE
INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE {table} ON CONFLICT ({key}) DO UPDATE SET {column} = DEFAULT
MERGE INTO {table} t USING (SELECT) one ON true WHEN MATCHED THEN UPDATE SET {column} = t.{column}
MERGE INTO {table} USING (SELECT) one ON true WHEN MATCHED THEN DELETE
"""
# Ways around the rights and the triggers of a table.
DETOURS = """
DROP TABLE {table} CASCADE
ALTER TABLE {table} DISABLE TRIGGER ALL
ALTER TABLE {table} OWNER TO CURRENT_USER
ALTER TABLE {table} SET SCHEMA pg_temp
ALTER TABLE {table} DROP COLUMN {column} CASCADE
ALTER TABLE {table} ADD FOREIGN KEY ({key}) REFERENCES {table} ON DELETE CASCADE
CREATE TABLE own (LIKE {table}, FOREIGN KEY ({key}) REFERENCES {table} ON DELETE CASCADE)
CREATE RULE own AS ON INSERT TO {table} DO INSTEAD NOTHING
CREATE TRIGGER own BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()
CREATE TEMP VIEW own AS TABLE {table}; DELETE FROM own
CREATE FUNCTION pg_temp.own() RETURNS void LANGUAGE sql AS 'DELETE FROM {table}'; SELECT pg_temp.own()
DO 'BEGIN DELETE FROM {table}; END'
"""
DETOURS_OF_FACTS = """
DROP TRIGGER facts_are_kept ON {table}
DROP TRIGGER facts_are_kept_by_name ON {table}
ALTER TABLE {table} DISABLE TRIGGER facts_are_kept_by_name
"""
DETOURS_OF_PARTITIONS = """
TABLE {table}
INSERT INTO {table} TABLE {parent}
ALTER TABLE {parent} DETACH PARTITION {table}
GRANT ALL ON {table} TO CURRENT_USER
"""
# Ways around the schema as a whole.
UNDERMININGS = """
SELECT make_month_partition('usage_event', '2030-01-01')
SELECT make_month_partitions('2030-01-01', 1)
SELECT end_past('usage_event', '2020-01-01')
SELECT guard_facts('usage_event')
SELECT month_bound('2030-01-01')
SELECT refuse_change()
SELECT setval('customer_customer_seq', 1)
CREATE TABLE ledger.own ()
CREATE TEMP TABLE own () INHERITS (customer)
CREATE VIEW ledger.own AS TABLE customer
CREATE FUNCTION ledger.own() RETURNS integer LANGUAGE sql AS 'SELECT 1'
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
DROP FUNCTION refuse_change CASCADE
DROP SCHEMA ledger CASCADE
ALTER TYPE event_kind RENAME VALUE 'usage' TO 'own'
REASSIGN OWNED BY ledger_owner TO CURRENT_USER
ALTER DEFAULT PRIVILEGES FOR ROLE ledger_owner GRANT ALL ON TABLES TO ledger_service
ALTER ROLE ledger_service SUPERUSER
GRANT ledger_owner TO ledger_service
SET ROLE ledger_owner
SET session_replication_role = replica
UPDATE pg_trigger SET tgenabled = 'D'
"""

TABLES = """
SELECT root, place.relid::regclass::text AS table, parentrelid::regclass::text AS parent, key, "column"
FROM unnest($1::text[]) AS root
CROSS JOIN LATERAL (
    SELECT relid, parentrelid FROM pg_partition_tree(root::regclass) UNION SELECT root::regclass, NULL
) AS place
CROSS JOIN LATERAL (
    SELECT string_agg(attname, ', ') FILTER (WHERE attnum = ANY (indkey)),
        (array_agg(attname ORDER BY attnum) FILTER (WHERE attidentity = ''))[1]
    FROM pg_attribute JOIN pg_index ON indrelid = attrelid AND indisprimary
    WHERE attrelid = root::regclass AND attnum > 0
) AS columns (key, "column")
"""
GRANTS = """
SELECT object, grantee::regrole::text, is_grantable, array_agg(privilege_type) AS rights
FROM (
    SELECT relname::text, relowner, relacl FROM pg_class WHERE relnamespace = 'ledger'::regnamespace
    UNION ALL SELECT relname || '.' || attname, relowner, attacl
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'ledger'::regnamespace
    UNION ALL SELECT oid::regprocedure::text, proowner, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace
    UNION ALL SELECT 'the schema', nspowner, nspacl FROM pg_namespace WHERE nspname = 'ledger'
) AS granted (object, owner, rights), aclexplode(rights)
WHERE grantee <> owner
GROUP BY object, grantee, is_grantable
"""
# What would give more: powers, memberships, rights on what is made later, SECURITY DEFINER, another owner.
POWERS = """
SELECT rolname FROM pg_roles WHERE rolname = current_user
    AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
UNION ALL SELECT roleid::regrole::text FROM pg_auth_members WHERE member = current_user::regrole
UNION ALL SELECT defaclacl::text FROM pg_default_acl
UNION ALL SELECT proname FROM pg_proc
WHERE pronamespace = 'ledger'::regnamespace AND (prosecdef OR proowner <> 'ledger_owner'::regrole)
UNION ALL SELECT relname FROM pg_class
WHERE relnamespace = 'ledger'::regnamespace AND relowner <> 'ledger_owner'::regrole
"""
# What each fires before, as pg_trigger.tgtype: a row's UPDATE or DELETE; the statements, and TRUNCATE.
GUARDS = {"facts_are_kept": 27, "facts_are_kept_by_name": 58}
TRIGGERS = """
SELECT tgrelid::regclass::text, tgname, tgenabled::text, tgfoid::regproc::text, tgtype
FROM pg_trigger WHERE NOT tgisinternal
"""


async def login(role: str, url: str) -> Connection:
    """A session as if the role had opened it: it may become no other."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "ledger"})
    await connection.execute(f"SET SESSION AUTHORIZATION {role}")
    return connection


@pytest.fixture
async def event_url(all_months: str, writer: Writer) -> str:
    """The address of a database with all months and one event in the log."""
    statement = read_statement(RECORD, NOW)
    assert isinstance(statement, Statement)
    await writer.submit([statement])
    return all_months


@pytest.fixture
async def service(event_url: str) -> AsyncIterator[Connection]:
    """What the product may do."""
    connection = await login(SERVICE_ROLE, event_url)
    yield connection
    await connection.close()


@pytest.fixture
async def owner(event_url: str) -> AsyncIterator[Connection]:
    """What a migration may do; two months have been made since the first."""
    connection = await login(OWNER_ROLE, event_url)
    assert await connection.fetchval("SELECT make_month_partitions('2028-12-01', 2)") == 4
    yield connection
    await connection.close()


async def tables(connection: Connection, *roots: str) -> list[dict[str, str]]:
    """These tables and all partitions below them, as the catalog has them."""
    return [dict(row) for row in await connection.fetch(TABLES, roots)]


def about(table: dict[str, str], *statements: str) -> list[str]:
    """The statements about one table."""
    return [line.format(**table) for block in statements for line in block.strip().splitlines()]


async def unrefused(role: Connection, statements: list[str], refusal: type[Exception]) -> list[str]:
    """The statements that did not end in this refusal, with what they ended in."""
    found = []
    for statement in statements:
        transaction = role.transaction()
        await transaction.start()
        try:
            found.append(f"{statement}: {await role.execute(statement)}")
        except refusal:
            continue
        except asyncpg.PostgresError as error:
            found.append(f"{statement}: {error}")
        finally:
            await transaction.rollback()
    return found


async def test_the_product_works_as_the_service(database: Database) -> None:
    """So what holds for the service here holds for the product."""
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT current_user") == SERVICE_ROLE


async def test_the_service_may_do_what_is_written_here_and_no_more(service: Connection) -> None:
    """Every right of anyone but the owner, PUBLIC included; the service cannot give itself another."""
    for everything in ("usage_event", "event_text", "SCHEMA ledger"):  # warns, and does nothing
        await service.execute(f"GRANT ALL ON {everything} TO {SERVICE_ROLE}")
    grants = await service.fetch(GRANTS)
    assert {(row["grantee"], row["is_grantable"]) for row in grants} == {
        (SERVICE_ROLE, False),
        (BOUND_ROLE, False),
    }
    for role, rights in ((SERVICE_ROLE, RIGHTS), (BOUND_ROLE, RIGHTS_OF_BOUND)):
        found = {row["object"]: set(row["rights"]) for row in grants if row["grantee"] == role}
        assert found == rights, role
    assert await service.fetch(POWERS) == []


async def test_the_service_may_not_change_facts(service: Connection) -> None:
    """Nor go around, by the name of any table or partition; nor touch the keys of an event's words."""
    statements = about({}, UNDERMININGS)
    for table in await tables(service, *FACTS, "event_text"):
        statements += about(table, CHANGES, DETOURS)
        statements += about(table, DETOURS_OF_FACTS) if table["root"] in FACTS else []
        statements += about(table, DETOURS_OF_PARTITIONS) if table["parent"] else []

    assert await unrefused(service, statements, asyncpg.InsufficientPrivilegeError) == []


async def test_the_service_may_not_copy_into_a_partition(service: Connection) -> None:
    """Rows reach it through its parent only."""
    for table in await tables(service, "usage_event", "event_text"):
        if table["parent"]:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service.copy_records_to_table(table["table"], records=[])


async def test_the_service_may_erase_words(service: Connection) -> None:
    """All that redaction needs; the event stays."""
    erasure = ", ".join(f"{word} = NULL" for word in WORDS)
    assert await service.execute(f"UPDATE event_text SET {erasure}") == "UPDATE 1"


async def test_triggers_refuse_the_owner(owner: Connection) -> None:
    """On each table and partition by name, and the owner cannot switch them off for a session."""
    found = await tables(owner, *FACTS)
    statements = [statement for table in found for statement in about(table, CHANGES)]
    assert {"usage_event_2029_01", "usage_event_opaque_3"} <= {table["table"] for table in found}
    assert await unrefused(owner, statements, asyncpg.RestrictViolationError) == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute("SET session_replication_role = replica")


async def test_a_detached_partition_keeps_its_facts(owner: Connection) -> None:
    """Taken out of the log, it is guarded still, with the partitions below it."""
    found = [table for table in await tables(owner, "usage_event") if table["parent"]]
    for table in found:
        below = [table, *(row for row in found if row["parent"] == table["table"])]
        statements = [statement for row in below for statement in about(row, CHANGES)]
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute(*about(table, "ALTER TABLE {parent} DETACH PARTITION {table}"))

        assert await unrefused(owner, statements, asyncpg.RestrictViolationError) == []
        await transaction.rollback()


@pytest.mark.parametrize("trigger", GUARDS)
async def test_each_trigger_refuses_alone(owner: Connection, trigger: str) -> None:
    """With the other one switched off, a change of a row is refused as well."""
    await owner.execute(f"ALTER TABLE usage_event DISABLE TRIGGER {trigger}")

    changes = ["UPDATE usage_event SET fee_pico = 0", "DELETE FROM usage_event"]
    assert await unrefused(owner, changes, asyncpg.RestrictViolationError) == []


async def test_every_fact_has_both_triggers(owner: Connection) -> None:
    """On each partition that the catalog knows, enabled for the origin: who replays a log is a superuser."""
    expected = {
        (table["table"], trigger, "O", "refuse_change", events)
        for table in await tables(owner, *FACTS)
        for trigger, events in GUARDS.items()
    }

    assert {tuple(row) for row in await owner.fetch(TRIGGERS)} == expected

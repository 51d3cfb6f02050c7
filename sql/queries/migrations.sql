-- name: lock
-- One process migrates at a time; the lock ends with the connection.
SELECT pg_advisory_lock(4, 0);

-- name: may_not_be_owner
-- Whether migrating is left to another login. Before the role is made, whoever comes first may try.
SELECT EXISTS (
    SELECT FROM pg_roles WHERE rolname = 'ledger_owner' AND NOT pg_has_role(session_user, oid, 'MEMBER'));

-- name: has_month
SELECT to_regclass('usage_event_' || to_char($1::date, 'YYYY_MM')) IS NOT NULL;

-- name: make_history
CREATE TABLE IF NOT EXISTS ledger.schema_migration (
    name       text PRIMARY KEY,
    digest     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- name: has_history
SELECT to_regclass('ledger.schema_migration') IS NOT NULL;

-- name: history
-- Before 0016 there is no column `works_with`; read so, it is null.
SELECT name, digest, to_jsonb(applied) ->> 'works_with' AS works_with FROM ledger.schema_migration AS applied;

-- name: remember_early
-- One of those before 0016.
INSERT INTO ledger.schema_migration (name, digest) VALUES ($1, $2);

-- name: remember
INSERT INTO ledger.schema_migration (name, digest, works_with) VALUES ($1, $2, $3);

-- name: make_months
SELECT ledger.make_month_partitions($1, $2);

-- name: wait_shortly
-- Everybody who comes after waits behind whoever waits for a table.
SET lock_timeout = '2s';

-- name: wait_for_ever
RESET lock_timeout;

-- name: in_the_way
-- The oldest transactions that hold tables of the ledger, or its fence. Of sessions of other users, who may not
-- be looked at, there is no more than the process and the name.
SELECT holder.pid, holder.usename, holder.application_name, holder.state, holder.xact_start
FROM pg_stat_activity AS holder
WHERE holder.pid <> pg_backend_pid() AND holder.pid IN (
    SELECT held.pid FROM pg_locks AS held LEFT JOIN pg_class AS owned ON owned.oid = held.relation
    WHERE held.granted AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (owned.relnamespace = 'ledger'::regnamespace
            OR (held.locktype = 'advisory' AND held.classid = 1 AND held.objid = 0)))
ORDER BY holder.xact_start LIMIT 3;

-- name: lock
-- One process migrates at a time; the lock ends with the connection.
SELECT pg_advisory_lock(4, 0);

-- name: make_history
CREATE TABLE IF NOT EXISTS ledger.schema_migration (
    name       text PRIMARY KEY,
    digest     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- name: history
SELECT name, digest FROM ledger.schema_migration;

-- name: remember
INSERT INTO ledger.schema_migration (name, digest) VALUES ($1, $2);

-- name: make_months
SELECT ledger.make_month_partitions($1, $2);

-- name: wait_shortly
-- Everybody who comes after waits behind whoever waits for a table.
SET lock_timeout = '2s';

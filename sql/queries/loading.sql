-- name: is_made
-- Whether there is a ledger's schema at all.
SELECT to_regclass('ledger.schema_migration') IS NOT NULL;

-- name: wait_shortly
-- Who is at work on the target is not waited for.
SET LOCAL lock_timeout = '5s';

-- name: lock_tables
-- Until the transaction ends nobody else reads or writes any of them: a writer that takes a lane meanwhile waits
-- with its first question, and then sees what was loaded.
DO $$ BEGIN
    EXECUTE (
        SELECT format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', string_agg(oid::regclass::text, ', ' ORDER BY relname))
        FROM pg_class
        WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition);
END $$;

-- name: others_at_work
-- Whether other sessions hold a lock of the ledger in this database: a lane, the fence, a job, an invoice run.
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND classid BETWEEN 1 AND 99
        AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database()));

-- name: clearing
-- What takes the rows out of one table that migrations have put there; they come again with the dump. The guards of
-- facts stand again before anybody else sees the table.
SELECT format('ALTER TABLE ledger.%1$I DISABLE TRIGGER USER; DELETE FROM ledger.%1$I; '
              'ALTER TABLE ledger.%1$I ENABLE TRIGGER USER', $1::text);

-- name: continue_numbers
-- What numbers itself goes on after the highest number there is.
DO $$
DECLARE
    numbered record;
    following bigint;
BEGIN
    FOR numbered IN
        SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'ledger'::regnamespace AND a.attidentity <> '' AND NOT c.relispartition
    LOOP
        EXECUTE format('SELECT greatest(max(%I), 0) + 1 FROM ledger.%I', numbered.attname, numbered.relname)
            INTO following;
        EXECUTE format('ALTER TABLE ledger.%I ALTER COLUMN %I RESTART WITH %s',
                       numbered.relname, numbered.attname, following);
    END LOOP;
END $$;

-- name: learn_statistics
-- As the server does by itself in time; what reads the log right away should not wait for that.
DO $$
DECLARE
    loaded regclass;
BEGIN
    FOR loaded IN
        SELECT oid FROM pg_class
        WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    LOOP
        EXECUTE format('ANALYZE %s', loaded);
    END LOOP;
END $$;

-- Facts stay facts when their partition is taken out, and nobody runs functions they do not need.

-- Two triggers on each table. The row trigger of a parent reaches partitions that nobody guarded by name,
-- and leaves them when they are detached. The statement trigger belongs to the one table: it stays there,
-- and it also stops TRUNCATE and statements that meet no row.
CREATE OR REPLACE FUNCTION guard_facts(guarded regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = guarded AND tgname = 'facts_are_kept') THEN
        EXECUTE format('CREATE TRIGGER facts_are_kept BEFORE UPDATE OR DELETE ON %s '
                       'FOR EACH ROW EXECUTE FUNCTION refuse_change()', guarded);
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER facts_are_kept_by_name BEFORE UPDATE OR DELETE OR TRUNCATE '
                   'ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', guarded);
END $$;

DO $$
DECLARE
    guarded regclass;
BEGIN
    FOR guarded IN
        SELECT tgrelid FROM pg_trigger
        WHERE tgname = 'facts_are_not_truncated' AND tgfoid = 'refuse_change'::regproc
    LOOP
        PERFORM guard_facts(guarded);
        EXECUTE format('DROP TRIGGER facts_are_not_truncated ON %s', guarded);
    END LOOP;
END $$;

-- A new function may be run by PUBLIC unless somebody says otherwise. Those that make partitions and
-- guards are the owner's; the service runs what its queries call.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    enter_fence(), raise_epoch(), request_id_text(uuid, text), csv_text(text), pico_text(numeric),
    instant_text(timestamptz)
TO ledger_service;

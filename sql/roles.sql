-- The roles and the schemas. Run by `ledger migrate` before the migrations, as whoever connects.
-- Roles belong to the whole server and may be there already, made by another ledger or by its keeper.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['ledger_owner', 'ledger_service', 'ledger_bound'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another ledger on this server was faster
            END;
        END IF;
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
    END LOOP;
    FOREACH wanted IN ARRAY ARRAY['ledger', 'ledger_bound'] LOOP
        IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = wanted) THEN
            EXECUTE format('CREATE SCHEMA %I AUTHORIZATION ledger_owner', wanted);
        END IF;
    END LOOP;
END $$;

-- What keeps facts as they are: triggers on every table and partition that holds them.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: facts are appended, never changed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Append a correction instead.';
END $$;

-- A row trigger on a partitioned table reaches its partitions, a TRUNCATE trigger does not: hence both,
-- on each table by name.
CREATE FUNCTION guard_facts(guarded regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = guarded AND tgname = 'facts_are_kept') THEN
        EXECUTE format('CREATE TRIGGER facts_are_kept BEFORE UPDATE OR DELETE ON %s '
                       'FOR EACH ROW EXECUTE FUNCTION refuse_change()', guarded);
    END IF;
    EXECUTE format('CREATE TRIGGER facts_are_not_truncated BEFORE TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', guarded);
END $$;

SELECT guard_facts(guarded)
FROM unnest(ARRAY[
    'customer', 'rate_table', 'meter_version', 'dimension', 'batch', 'ledger_event', 'usage_event',
    'usage_event_past', 'usage_event_future', 'usage_event_opaque', 'usage_event_opaque_0',
    'usage_event_opaque_1', 'usage_event_opaque_2', 'usage_event_opaque_3'
]::regclass[]) AS guarded;

-- The smallest id of a month: a ULID's first 48 bits are milliseconds since 1970.
CREATE FUNCTION month_bound(month date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM month) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Cuts one month out of `future` of one partitioned table. Rows that already lie there with a time in
-- that month are carried over: the old partition is copied aside and dropped, nothing is deleted.
CREATE FUNCTION make_month_partition(parent text, month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lower_bound uuid := month_bound(month);
    upper_bound uuid := month_bound((month + interval '1 month')::date);
    month_name text := parent || to_char(month, '"_"YYYY"_"MM');
    future_name text := parent || '_future';
BEGIN
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, future_name);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', future_name, future_name || '_old');
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                   month_name, parent, lower_bound, upper_bound);
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                   future_name, parent, upper_bound, '80000000-0000-0000-0000-000000000000');
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', parent, future_name || '_old');
    EXECUTE format('DROP TABLE %I', future_name || '_old');
    IF parent = 'usage_event' THEN
        PERFORM guard_facts(month_name::regclass);
        PERFORM guard_facts(future_name::regclass);
    END IF;
END $$;

-- Makes the months from `first` on, `months` of them, that are not there yet. The first call also ends
-- `past` where the months begin; at that time all of them are empty.
CREATE FUNCTION make_month_partitions(first date, months integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    month date;
    made integer := 0;
    newest date;
BEGIN
    FOREACH parent IN ARRAY ARRAY['usage_event', 'event_text'] LOOP
        SELECT max(to_date(right(c.relname, 7), 'YYYY_MM')) INTO newest
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = parent::regclass AND c.relname ~ '_\d{4}_\d{2}$';
        IF newest IS NULL THEN
            PERFORM end_past(parent, first);
            newest := first - interval '1 month';
        END IF;
        FOR month IN SELECT generate_series(newest + interval '1 month',
                                            first + make_interval(months => months - 1),
                                            interval '1 month')::date LOOP
            PERFORM make_month_partition(parent, month);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION end_past(parent text, first date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    partition text;
BEGIN
    FOREACH partition IN ARRAY ARRAY[parent || '_past', parent || '_future'] LOOP
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, partition);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', partition, partition || '_old');
    END LOOP;
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (MINVALUE) TO (%L)',
                   parent || '_past', parent, month_bound(first));
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                   parent || '_future', parent, month_bound(first), '80000000-0000-0000-0000-000000000000');
    FOREACH partition IN ARRAY ARRAY[parent || '_past', parent || '_future'] LOOP
        EXECUTE format('INSERT INTO %I SELECT * FROM %I', parent, partition || '_old');
        EXECUTE format('DROP TABLE %I', partition || '_old');
        IF parent = 'usage_event' THEN
            PERFORM guard_facts(partition::regclass);
        END IF;
    END LOOP;
END $$;

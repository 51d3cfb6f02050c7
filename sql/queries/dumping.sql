-- name: steady
-- The same rows are the same text, whatever a server, a database or a login is set to. It may take its time, and
-- some room to sort in.
SELECT set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),
    set_config('timezone', 'UTC', true), set_config('bytea_output', 'hex', true),
    set_config('extra_float_digits', '3', true), set_config('statement_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true), set_config('work_mem', '64MB', true);

-- name: tables
-- Every table of the ledger but those that are left out: its columns, its rows in the order of its key, and how
-- many it has, counted up to a thousand. Tables come after those that they refer to. Partitions are their parent's.
WITH RECURSIVE owned AS (
    SELECT oid, relname FROM pg_class
    WHERE relnamespace = to_regnamespace('ledger') AND relkind IN ('r', 'p') AND NOT relispartition
        AND relname <> ALL($1::text[])
), referring AS (
    SELECT oid, 0 AS depth FROM owned
    UNION
    SELECT k.conrelid, r.depth + 1
    FROM referring r JOIN pg_constraint k ON k.confrelid = r.oid AND k.contype = 'f' AND k.conrelid <> r.oid
), described AS (
    SELECT o.relname, (SELECT max(r.depth) FROM referring r WHERE r.oid = o.oid) AS depth,
        ARRAY(SELECT a.attname::text FROM pg_attribute a
            WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            ORDER BY a.attnum) AS columns,
        ARRAY(SELECT format('%I', a.attname)
            FROM pg_index i, unnest(i.indkey::smallint[]) WITH ORDINALITY AS key (attnum, place)
            JOIN pg_attribute a USING (attnum)
            WHERE i.indrelid = o.oid AND i.indisprimary AND a.attrelid = o.oid ORDER BY place) AS keys
    FROM owned o
)
SELECT relname::text AS name, columns,
    format('SELECT %s FROM ledger.%I ORDER BY %s',
        (SELECT string_agg(format('%I', name), ', ' ORDER BY place)
            FROM unnest(columns) WITH ORDINALITY AS col (name, place)),
        relname, array_to_string(keys, ', ')) AS selection,
    format('SELECT count(*) FROM (SELECT FROM ledger.%I LIMIT 1000) AS first', relname) AS counting
FROM described ORDER BY depth, relname;

-- name: months
-- The first and the last month that events have a partition for.
SELECT min(right(c.relname, 7)) AS first_month, max(right(c.relname, 7)) AS last_month
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'usage_event'::regclass AND c.relname ~ '_\d{4}_\d{2}$';

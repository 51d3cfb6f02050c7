-- name: lock_lifetimes
-- Usage of an early month moves the fees of later ones, whose rows and windows somebody else may be moving. Who
-- counts in both kinds of row waits here. Customers share a fixed number of locks, taken in their order: the
-- memory for locks is the whole server's.
SELECT pg_advisory_xact_lock(7, shared.number)
FROM (SELECT DISTINCT customer % 256 AS number FROM unnest($1::integer[]) AS customer ORDER BY 1) AS shared;

-- name: add
-- Sorted by key, as all rows are locked.
INSERT INTO meter_usage AS u
SELECT * FROM unnest($1::integer[], $2::integer[], $3::date[], $4::numeric[])
ON CONFLICT (customer, meter_version, period_start) DO UPDATE SET quantity = u.quantity + excluded.quantity;

-- name: later_months
-- The months after some others in which customers have used the same meter.
SELECT DISTINCT u.customer, u.period_start
FROM unnest($1::integer[], $2::integer[], $3::date[]) AS moved (customer, meter_version, period_start)
JOIN meter_usage u ON u.customer = moved.customer AND u.meter_version = moved.meter_version
    AND u.period_start > moved.period_start;

-- name: usage
-- What customers, or all for null, used in the months that begin in a span: $2 inclusive, $3 exclusive. Of a meter
-- that goes on for a lifetime what came before too, summed up as the month before, because the tiers of a
-- month begin where those ended.
SELECT u.customer, u.meter_version,
    CASE WHEN u.period_start::timestamp AT TIME ZONE 'UTC' >= $2::timestamptz THEN u.period_start
        ELSE date_trunc('month', ($2::timestamptz - interval '1 microsecond') AT TIME ZONE 'UTC')::date
        END AS period_start,
    sum(u.quantity) AS quantity
FROM meter_usage u JOIN meter_version m USING (meter_version)
WHERE ($1::integer[] IS NULL OR u.customer = ANY($1))
    AND u.period_start::timestamp AT TIME ZONE 'UTC' < $3::timestamptz
    AND (m.terms ->> 'period' = 'lifetime' OR u.period_start::timestamp AT TIME ZONE 'UTC' >= $2::timestamptz)
GROUP BY 1, 2, 3;

-- name: usage_at_cut
-- The same at a cut, where what came after it is taken off again: $4 are the lanes that go on after it, $5 where
-- each stood. A query of its own: to plan one that may read the log takes longer than to run the other.
WITH part AS (
    SELECT customer, meter_version, period_start, quantity
    FROM meter_usage WHERE $1::integer[] IS NULL OR customer = ANY($1)
    UNION ALL
    SELECT after.*
    FROM unnest($4::integer[], $5::bigint[]) AS cut (lane, batch), LATERAL (
        SELECT e.customer, d.meter_version, date_trunc('month', e.occurred_at AT TIME ZONE 'UTC')::date,
            -metered_quantity(m.terms ->> 'unit', e.requests,
                e.uncached_input_tokens::numeric + e.cached_input_tokens + e.output_tokens, e.other_units)
        FROM usage_event e JOIN dimension d USING (dimension) JOIN meter_version m USING (meter_version)
        WHERE e.lane = cut.lane AND e.batch > cut.batch AND e.revision > 0 AND e.unrated = 0
            AND m.kind IN ('graduated', 'volume', 'package') AND ($1::integer[] IS NULL OR e.customer = ANY($1))
        OFFSET 0 -- lane by lane through the index
    ) AS after
    WHERE cardinality($4) > 0
        AND EXISTS (SELECT FROM meter_version WHERE kind IN ('graduated', 'volume', 'package'))
)
SELECT p.customer, p.meter_version,
    CASE WHEN p.period_start::timestamp AT TIME ZONE 'UTC' >= $2::timestamptz THEN p.period_start
        ELSE date_trunc('month', ($2::timestamptz - interval '1 microsecond') AT TIME ZONE 'UTC')::date
        END AS period_start,
    sum(p.quantity) AS quantity
FROM part p JOIN meter_version m USING (meter_version)
WHERE p.period_start::timestamp AT TIME ZONE 'UTC' < $3::timestamptz
    AND (m.terms ->> 'period' = 'lifetime' OR p.period_start::timestamp AT TIME ZONE 'UTC' >= $2::timestamptz)
GROUP BY 1, 2, 3;

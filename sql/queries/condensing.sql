-- name: add_of_lane
-- Sorted by key, as all rows are locked. Only the writer that holds the lane moves its rows.
INSERT INTO rollup_lane_hour AS r (hour_at, dimension, lane, requests, unrated, uncached_input_tokens,
    cached_input_tokens, output_tokens, input_pico, cached_input_pico, output_pico, other_pico, fee_pico)
SELECT * FROM unnest(
    $1::text::timestamptz[], $2::text::integer[], $3::text::integer[], $4::text::bigint[],
    $5::text::bigint[], $6::text::numeric[], $7::text::numeric[], $8::text::numeric[],
    $9::text::numeric[], $10::text::numeric[], $11::text::numeric[], $12::text::numeric[],
    $13::text::numeric[])
ON CONFLICT (hour_at, dimension, lane) DO UPDATE SET
    requests = r.requests + excluded.requests,
    unrated = r.unrated + excluded.unrated,
    uncached_input_tokens = r.uncached_input_tokens + excluded.uncached_input_tokens,
    cached_input_tokens = r.cached_input_tokens + excluded.cached_input_tokens,
    output_tokens = r.output_tokens + excluded.output_tokens,
    input_pico = r.input_pico + excluded.input_pico,
    cached_input_pico = r.cached_input_pico + excluded.cached_input_pico,
    output_pico = r.output_pico + excluded.output_pico,
    other_pico = r.other_pico + excluded.other_pico,
    fee_pico = r.fee_pico + excluded.fee_pico;

-- name: add_units_of_lane
INSERT INTO rollup_lane_hour_unit AS r (hour_at, dimension, unit, lane, quantity, pico)
SELECT * FROM unnest(
    $1::text::timestamptz[], $2::text::integer[], $3::text::text[], $4::text::integer[],
    $5::text::numeric[], $6::text::numeric[])
ON CONFLICT (hour_at, dimension, unit, lane) DO UPDATE SET
    quantity = r.quantity + excluded.quantity,
    pico = r.pico + excluded.pico;

-- name: mark_days
-- A mark of this epoch is taken by nobody before the batch has ended: who takes marks raises the epoch first, and
-- waits for it inside the fence.
INSERT INTO touched_day (customer, day_on, epoch)
SELECT customer, day_on, $3 FROM unnest($1::integer[], $2::date[]) AS t (customer, day_on)
ON CONFLICT DO NOTHING;

-- name: try_alone
-- One session condenses at a time. The lock frees itself when the session ends.
SELECT pg_try_advisory_lock(10, 0);

-- name: end_alone
SELECT pg_advisory_unlock(10, 0);

-- name: horizons
-- Up to where days are marked and condensed, and whether any of them is marked.
SELECT marked_until, condensed_until, EXISTS (SELECT FROM touched_day) AS is_touched FROM configuration;

-- name: mark_until
-- Together with an epoch: whoever writes by it or a later one marks the days before this.
UPDATE configuration SET marked_until = greatest(marked_until, $1::date);

-- name: forget_older_months
-- Each epoch has months marked anew. Of marks from before this one the last says all that the others do; those
-- that an invoice run holds it takes itself.
DELETE FROM touched_period WHERE (customer, period_start, epoch) IN (
    SELECT customer, period_start, epoch FROM touched_period older
    WHERE epoch < $1 AND EXISTS (
        SELECT FROM touched_period later
        WHERE later.customer = older.customer AND later.period_start = older.period_start
            AND later.epoch > older.epoch AND later.epoch < $1)
    FOR UPDATE SKIP LOCKED);

-- name: condensed_until
-- After all days before it were worked out.
UPDATE configuration SET condensed_until = greatest(condensed_until, $1::date);

-- name: first_day
-- The first day from one on that has sums.
SELECT (min(hour_at) AT TIME ZONE 'UTC')::date FROM rollup_lane_hour
WHERE hour_at >= $1::date::timestamp AT TIME ZONE 'UTC';

-- name: next_customers
SELECT customer FROM customer WHERE customer > $1 ORDER BY customer LIMIT $2;

-- name: forget_span
-- What an earlier attempt, which did not come to its end, has left.
DELETE FROM rollup_day WHERE customer = ANY($1::integer[]) AND day_on >= $2 AND day_on < $3;

-- name: forget_span_units
DELETE FROM rollup_day_unit WHERE customer = ANY($1::integer[]) AND day_on >= $2 AND day_on < $3;

-- name: condense_span
INSERT INTO rollup_day
SELECT customer, (hour_at AT TIME ZONE 'UTC')::date AS day_on, dimension, sum(requests), sum(unrated),
    sum(uncached_input_tokens), sum(cached_input_tokens), sum(output_tokens), sum(input_pico),
    sum(cached_input_pico), sum(output_pico), sum(other_pico), sum(fee_pico)
FROM rollup_hour
WHERE customer = ANY($1::integer[]) AND hour_at >= $2::date::timestamp AT TIME ZONE 'UTC'
    AND hour_at < $3::date::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2, 3;

-- name: condense_span_units
INSERT INTO rollup_day_unit
SELECT customer, (hour_at AT TIME ZONE 'UTC')::date AS day_on, dimension, unit, sum(quantity), sum(pico)
FROM rollup_hour_unit
WHERE customer = ANY($1::integer[]) AND hour_at >= $2::date::timestamp AT TIME ZONE 'UTC'
    AND hour_at < $3::date::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2, 3, 4;

-- name: condense_everybody
INSERT INTO rollup_day
SELECT 0, (hour_at AT TIME ZONE 'UTC')::date AS day_on, dimension, sum(requests), sum(unrated),
    sum(uncached_input_tokens), sum(cached_input_tokens), sum(output_tokens), sum(input_pico),
    sum(cached_input_pico), sum(output_pico), sum(other_pico), sum(fee_pico)
FROM rollup_lane_hour
WHERE hour_at >= $1::date::timestamp AT TIME ZONE 'UTC' AND hour_at < $2::date::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2, 3;

-- name: condense_everybody_units
INSERT INTO rollup_day_unit
SELECT 0, (hour_at AT TIME ZONE 'UTC')::date AS day_on, dimension, unit, sum(quantity), sum(pico)
FROM rollup_lane_hour_unit
WHERE hour_at >= $1::date::timestamp AT TIME ZONE 'UTC' AND hour_at < $2::date::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2, 3, 4;

-- name: take_marks
-- Some days that batches of earlier epochs have moved. A mark of this epoch on the same day stays: that batch may
-- commit after the day was worked out.
DELETE FROM touched_day t USING (
    SELECT DISTINCT customer, day_on FROM touched_day WHERE epoch < $1 ORDER BY customer, day_on LIMIT $2
) AS taken
WHERE t.customer = taken.customer AND t.day_on = taken.day_on AND t.epoch < $1
RETURNING t.customer, t.day_on;

-- name: forget_days
DELETE FROM rollup_day r USING unnest($1::integer[], $2::date[]) AS taken (customer, day_on)
WHERE r.customer = taken.customer AND r.day_on = taken.day_on;

-- name: forget_days_units
DELETE FROM rollup_day_unit r USING unnest($1::integer[], $2::date[]) AS taken (customer, day_on)
WHERE r.customer = taken.customer AND r.day_on = taken.day_on;

-- name: condense_days
-- The hours are looked up day by day (OFFSET 0), whatever the planner thinks of their number.
INSERT INTO rollup_day
SELECT taken.customer, taken.day_on, hours.*
FROM unnest($1::integer[], $2::date[]) AS taken (customer, day_on), LATERAL (
    SELECT dimension, sum(requests), sum(unrated), sum(uncached_input_tokens), sum(cached_input_tokens),
        sum(output_tokens), sum(input_pico), sum(cached_input_pico), sum(output_pico), sum(other_pico),
        sum(fee_pico)
    FROM rollup_hour r
    WHERE r.customer = taken.customer AND hour_at >= taken.day_on::timestamp AT TIME ZONE 'UTC'
        AND hour_at < (taken.day_on + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY dimension OFFSET 0
) AS hours
WHERE taken.customer <> 0
UNION ALL
SELECT 0, taken.day_on, hours.*
FROM unnest($1::integer[], $2::date[]) AS taken (customer, day_on), LATERAL (
    SELECT dimension, sum(requests), sum(unrated), sum(uncached_input_tokens), sum(cached_input_tokens),
        sum(output_tokens), sum(input_pico), sum(cached_input_pico), sum(output_pico), sum(other_pico),
        sum(fee_pico)
    FROM rollup_lane_hour
    WHERE hour_at >= taken.day_on::timestamp AT TIME ZONE 'UTC'
        AND hour_at < (taken.day_on + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY dimension OFFSET 0
) AS hours
WHERE taken.customer = 0;

-- name: condense_days_units
INSERT INTO rollup_day_unit
SELECT taken.customer, taken.day_on, hours.*
FROM unnest($1::integer[], $2::date[]) AS taken (customer, day_on), LATERAL (
    SELECT dimension, unit, sum(quantity), sum(pico)
    FROM rollup_hour_unit r
    WHERE r.customer = taken.customer AND hour_at >= taken.day_on::timestamp AT TIME ZONE 'UTC'
        AND hour_at < (taken.day_on + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY dimension, unit OFFSET 0
) AS hours
WHERE taken.customer <> 0
UNION ALL
SELECT 0, taken.day_on, hours.*
FROM unnest($1::integer[], $2::date[]) AS taken (customer, day_on), LATERAL (
    SELECT dimension, unit, sum(quantity), sum(pico)
    FROM rollup_lane_hour_unit
    WHERE hour_at >= taken.day_on::timestamp AT TIME ZONE 'UTC'
        AND hour_at < (taken.day_on + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY dimension, unit OFFSET 0
) AS hours
WHERE taken.customer = 0;

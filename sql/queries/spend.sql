-- Answers read the coarsest sums that say what is asked, one after the other:
--   rollup_day         whole days that are over and have not moved since ($19 to $20), of customers or of all
--   rollup_hour        whole hours outside of these days, and of days that have moved, of customers
--   rollup_lane_hour   the same of all customers together
--   usage_event        the stretches before and after whole hours, and what came after a cut, if there are any
-- $21: customers are asked about, one, some ($12) or each of them (null); else all together, as customer 0.
-- $16 are the lanes that go on after the cut that is asked about, $17 where each stood.

-- name: shape
-- Before which day days are condensed; and what there is besides tokens, since most ledgers have neither.
SELECT condensed_until, EXISTS (SELECT FROM rollup_hour_unit) AS has_units,
    EXISTS (SELECT FROM meter_usage) AS has_tiers
FROM configuration;

-- name: figures
-- Sums by whatever is grouped by: an expression that is not grouped by is null for all rows. Spend of byok is the
-- fee alone. What is read is summed up by dimension first, which leaves few rows to be named.
WITH asked AS (
    SELECT customer FROM customer
    WHERE $21::boolean AND customer <> 0 AND ($12::integer[] IS NULL OR customer = ANY($12))
    UNION ALL
    SELECT 0 WHERE NOT $21
), touched AS (
    SELECT DISTINCT customer, day_on FROM touched_day JOIN asked USING (customer)
    WHERE day_on >= ($19::timestamptz AT TIME ZONE 'UTC')::date AND day_on < ($20::timestamptz AT TIME ZONE 'UTC')::date
), stretch AS (
    SELECT customer, from_at, to_at
    FROM asked CROSS JOIN (VALUES ($2::timestamptz, $19), ($20, $3::timestamptz)) AS outside (from_at, to_at)
    WHERE from_at < to_at
    UNION ALL
    SELECT customer, day_on::timestamp AT TIME ZONE 'UTC', (day_on + 1)::timestamp AT TIME ZONE 'UTC' FROM touched
), part AS (
    SELECT asked.customer, days.*
    FROM asked, LATERAL (
        SELECT day_on::timestamp AT TIME ZONE 'UTC' AS at, dimension, requests, unrated, uncached_input_tokens,
            cached_input_tokens, output_tokens, input_pico + cached_input_pico + output_pico + other_pico AS cost_pico,
            fee_pico
        FROM rollup_day r
        WHERE r.customer = asked.customer AND day_on >= ($19 AT TIME ZONE 'UTC')::date
            AND day_on < ($20 AT TIME ZONE 'UTC')::date
            AND NOT EXISTS (SELECT FROM touched t WHERE t.customer = r.customer AND t.day_on = r.day_on)
        OFFSET 0 -- customer by customer through the index
    ) AS days
    UNION ALL
    SELECT stretch.customer, hours.*
    FROM stretch, LATERAL (
        SELECT hour_at, dimension, requests, unrated, uncached_input_tokens, cached_input_tokens, output_tokens,
            input_pico + cached_input_pico + output_pico + other_pico, fee_pico
        FROM rollup_hour r
        WHERE r.customer = stretch.customer AND hour_at >= stretch.from_at AND hour_at < stretch.to_at
        OFFSET 0 -- stretch by stretch through the index
    ) AS hours
    WHERE $21
    UNION ALL
    SELECT stretch.customer, hours.*
    FROM stretch, LATERAL (
        SELECT hour_at, dimension, requests, unrated, uncached_input_tokens, cached_input_tokens, output_tokens,
            input_pico + cached_input_pico + output_pico + other_pico, fee_pico
        FROM rollup_lane_hour
        WHERE hour_at >= stretch.from_at AND hour_at < stretch.to_at
        OFFSET 0
    ) AS hours
    WHERE NOT $21
    UNION ALL
    SELECT * FROM spend_of_log($1::timestamptz, $2, $3, $4::timestamptz, $12, $16::integer[], $17::bigint[])
    WHERE $1 < $2 OR $3 < $4 OR cardinality($16) > 0
), summed AS (
    SELECT CASE WHEN $5::boolean THEN customer END AS customer, dimension,
        CASE WHEN $9::boolean THEN date_trunc('hour', at, 'UTC') WHEN $10::boolean THEN date_trunc('day', at, 'UTC')
            WHEN $11::boolean THEN date_trunc('month', at, 'UTC') END AS at,
        sum(requests) AS requests, sum(unrated) AS unrated, sum(uncached_input_tokens) AS uncached_input_tokens,
        sum(cached_input_tokens) AS cached_input_tokens, sum(output_tokens) AS output_tokens,
        sum(cost_pico) AS cost_pico, sum(fee_pico) AS fee_pico
    FROM part GROUP BY 1, 2, 3
)
SELECT
    CASE WHEN $5 THEN c.customer_id END AS customer,
    CASE WHEN $6::boolean THEN d.provider END AS provider,
    CASE WHEN $7::boolean THEN d.model END AS model,
    CASE WHEN $8::boolean THEN d.key_type::text END AS key_type,
    CASE WHEN $9 THEN to_char(p.at, 'YYYY-MM-DD"T"HH24:00:00"Z"') END AS hour,
    CASE WHEN $10 THEN to_char(p.at, 'YYYY-MM-DD') END AS day,
    CASE WHEN $11 THEN to_char(p.at, 'YYYY-MM') END AS month,
    sum(p.requests) AS requests,
    sum(p.unrated) AS unrated,
    sum(p.uncached_input_tokens) AS uncached_input_tokens,
    sum(p.cached_input_tokens) AS cached_input_tokens,
    sum(p.output_tokens) AS output_tokens,
    sum(p.cost_pico) AS cost_pico,
    sum(p.fee_pico) AS fee_pico,
    sum(p.fee_pico + CASE d.key_type WHEN 'managed' THEN p.cost_pico ELSE 0 END) AS spend_pico
FROM summed p JOIN dimension d USING (dimension) LEFT JOIN customer c USING (customer)
WHERE ($13::text[] IS NULL OR d.provider = ANY($13))
    AND ($14::text[] IS NULL OR d.model = ANY($14))
    AND ($15::text[] IS NULL OR d.key_type::text = ANY($15))
GROUP BY 1, 2, 3, 4, 5, 6, 7
-- What cancels out is no row, and does not count as one.
HAVING (
    sum(p.requests), sum(p.unrated), sum(p.uncached_input_tokens), sum(p.cached_input_tokens),
    sum(p.output_tokens), sum(p.cost_pico), sum(p.fee_pico),
    sum(p.fee_pico + CASE d.key_type WHEN 'managed' THEN p.cost_pico ELSE 0 END)
) <> (0, 0, 0, 0, 0, 0, 0, 0)
LIMIT $18;

-- name: units
-- The same for every unit that is not tokens.
WITH asked AS (
    SELECT customer FROM customer
    WHERE $21::boolean AND customer <> 0 AND ($12::integer[] IS NULL OR customer = ANY($12))
    UNION ALL
    SELECT 0 WHERE NOT $21
), touched AS (
    SELECT DISTINCT customer, day_on FROM touched_day JOIN asked USING (customer)
    WHERE day_on >= ($19::timestamptz AT TIME ZONE 'UTC')::date AND day_on < ($20::timestamptz AT TIME ZONE 'UTC')::date
), stretch AS (
    SELECT customer, from_at, to_at
    FROM asked CROSS JOIN (VALUES ($2::timestamptz, $19), ($20, $3::timestamptz)) AS outside (from_at, to_at)
    WHERE from_at < to_at
    UNION ALL
    SELECT customer, day_on::timestamp AT TIME ZONE 'UTC', (day_on + 1)::timestamp AT TIME ZONE 'UTC' FROM touched
), part AS (
    SELECT asked.customer, days.*
    FROM asked, LATERAL (
        SELECT day_on::timestamp AT TIME ZONE 'UTC' AS at, dimension, unit, quantity FROM rollup_day_unit r
        WHERE r.customer = asked.customer AND day_on >= ($19 AT TIME ZONE 'UTC')::date
            AND day_on < ($20 AT TIME ZONE 'UTC')::date
            AND NOT EXISTS (SELECT FROM touched t WHERE t.customer = r.customer AND t.day_on = r.day_on)
        OFFSET 0
    ) AS days
    UNION ALL
    SELECT stretch.customer, hours.*
    FROM stretch, LATERAL (
        SELECT hour_at, dimension, unit, quantity FROM rollup_hour_unit r
        WHERE r.customer = stretch.customer AND hour_at >= stretch.from_at AND hour_at < stretch.to_at
        OFFSET 0
    ) AS hours
    WHERE $21
    UNION ALL
    SELECT stretch.customer, hours.*
    FROM stretch, LATERAL (
        SELECT hour_at, dimension, unit, quantity FROM rollup_lane_hour_unit
        WHERE hour_at >= stretch.from_at AND hour_at < stretch.to_at
        OFFSET 0
    ) AS hours
    WHERE NOT $21
    UNION ALL
    SELECT * FROM units_of_log($1::timestamptz, $2, $3, $4::timestamptz, $12, $16::integer[], $17::bigint[])
    WHERE $1 < $2 OR $3 < $4 OR cardinality($16) > 0
)
SELECT
    CASE WHEN $5::boolean THEN c.customer_id END AS customer,
    CASE WHEN $6::boolean THEN d.provider END AS provider,
    CASE WHEN $7::boolean THEN d.model END AS model,
    CASE WHEN $8::boolean THEN d.key_type::text END AS key_type,
    CASE WHEN $9::boolean THEN to_char(p.at, 'YYYY-MM-DD"T"HH24:00:00"Z"') END AS hour,
    CASE WHEN $10::boolean THEN to_char(p.at, 'YYYY-MM-DD') END AS day,
    CASE WHEN $11::boolean THEN to_char(p.at, 'YYYY-MM') END AS month,
    p.unit, sum(p.quantity) AS quantity
FROM part p JOIN dimension d USING (dimension) LEFT JOIN customer c USING (customer)
WHERE ($13::text[] IS NULL OR d.provider = ANY($13))
    AND ($14::text[] IS NULL OR d.model = ANY($14))
    AND ($15::text[] IS NULL OR d.key_type::text = ANY($15))
GROUP BY 1, 2, 3, 4, 5, 6, 7, p.unit
HAVING sum(p.quantity) <> 0
LIMIT $18;

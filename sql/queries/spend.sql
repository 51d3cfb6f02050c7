-- name: from_rollups
-- Sums of whole hours by whatever is grouped by: an expression that is not grouped by is null for all
-- rows. Spend of byok is the fee alone.
SELECT
    CASE WHEN $3::boolean THEN c.customer_id END AS customer,
    CASE WHEN $4::boolean THEN d.provider END AS provider,
    CASE WHEN $5::boolean THEN d.model END AS model,
    CASE WHEN $6::boolean THEN d.key_type::text END AS key_type,
    CASE WHEN $7::boolean THEN to_char(r.hour_at, 'YYYY-MM-DD"T"HH24:00:00"Z"') END AS hour,
    CASE WHEN $8::boolean THEN to_char(r.hour_at, 'YYYY-MM-DD') END AS day,
    CASE WHEN $9::boolean THEN to_char(r.hour_at, 'YYYY-MM') END AS month,
    sum(r.requests) AS requests,
    sum(r.unrated) AS unrated,
    sum(r.uncached_input_tokens) AS uncached_input_tokens,
    sum(r.cached_input_tokens) AS cached_input_tokens,
    sum(r.output_tokens) AS output_tokens,
    sum(r.input_pico + r.cached_input_pico + r.output_pico + r.other_pico) AS cost_pico,
    sum(r.fee_pico) AS fee_pico,
    sum(r.fee_pico) + coalesce(sum(r.input_pico + r.cached_input_pico + r.output_pico + r.other_pico)
        FILTER (WHERE d.key_type = 'managed'), 0) AS spend_pico
FROM rollup_hour r JOIN dimension d USING (dimension) JOIN customer c USING (customer)
WHERE r.hour_at >= $1 AND r.hour_at < $2
    AND ($10::integer[] IS NULL OR r.customer = ANY($10))
    AND ($11::text[] IS NULL OR d.provider = ANY($11))
    AND ($12::text[] IS NULL OR d.model = ANY($12))
    AND ($13::text[] IS NULL OR d.key_type::text = ANY($13))
GROUP BY 1, 2, 3, 4, 5, 6, 7
LIMIT $14;

-- name: units_from_rollups
SELECT
    CASE WHEN $3::boolean THEN c.customer_id END AS customer,
    CASE WHEN $4::boolean THEN d.provider END AS provider,
    CASE WHEN $5::boolean THEN d.model END AS model,
    CASE WHEN $6::boolean THEN d.key_type::text END AS key_type,
    CASE WHEN $7::boolean THEN to_char(r.hour_at, 'YYYY-MM-DD"T"HH24:00:00"Z"') END AS hour,
    CASE WHEN $8::boolean THEN to_char(r.hour_at, 'YYYY-MM-DD') END AS day,
    CASE WHEN $9::boolean THEN to_char(r.hour_at, 'YYYY-MM') END AS month,
    r.unit, sum(r.quantity) AS quantity
FROM rollup_hour_unit r JOIN dimension d USING (dimension) JOIN customer c USING (customer)
WHERE r.hour_at >= $1 AND r.hour_at < $2
    AND ($10::integer[] IS NULL OR r.customer = ANY($10))
    AND ($11::text[] IS NULL OR d.provider = ANY($11))
    AND ($12::text[] IS NULL OR d.model = ANY($12))
    AND ($13::text[] IS NULL OR d.key_type::text = ANY($13))
GROUP BY 1, 2, 3, 4, 5, 6, 7, r.unit
LIMIT $14;

-- name: from_events
-- The same for a stretch that is no whole hour, from the log itself.
SELECT
    CASE WHEN $3::boolean THEN c.customer_id END AS customer,
    CASE WHEN $4::boolean THEN d.provider END AS provider,
    CASE WHEN $5::boolean THEN d.model END AS model,
    CASE WHEN $6::boolean THEN d.key_type::text END AS key_type,
    CASE WHEN $7::boolean THEN to_char(e.occurred_at, 'YYYY-MM-DD"T"HH24:00:00"Z"') END AS hour,
    CASE WHEN $8::boolean THEN to_char(e.occurred_at, 'YYYY-MM-DD') END AS day,
    CASE WHEN $9::boolean THEN to_char(e.occurred_at, 'YYYY-MM') END AS month,
    sum(e.requests) AS requests,
    sum(e.unrated) AS unrated,
    sum(e.uncached_input_tokens) AS uncached_input_tokens,
    sum(e.cached_input_tokens) AS cached_input_tokens,
    sum(e.output_tokens) AS output_tokens,
    coalesce(sum(e.input_pico::numeric + e.cached_input_pico + e.output_pico + e.other_pico), 0) AS cost_pico,
    coalesce(sum(e.fee_pico), 0) AS fee_pico,
    coalesce(sum(e.fee_pico), 0)
        + coalesce(sum(e.input_pico::numeric + e.cached_input_pico + e.output_pico + e.other_pico)
            FILTER (WHERE d.key_type = 'managed'), 0) AS spend_pico
FROM usage_event e JOIN dimension d USING (dimension) JOIN customer c USING (customer)
WHERE e.occurred_at >= $1 AND e.occurred_at < $2 AND e.revision > 0
    AND ($10::integer[] IS NULL OR e.customer = ANY($10))
    AND ($11::text[] IS NULL OR d.provider = ANY($11))
    AND ($12::text[] IS NULL OR d.model = ANY($12))
    AND ($13::text[] IS NULL OR d.key_type::text = ANY($13))
GROUP BY 1, 2, 3, 4, 5, 6, 7
LIMIT $14;

-- name: units_from_events
SELECT
    CASE WHEN $3::boolean THEN c.customer_id END AS customer,
    CASE WHEN $4::boolean THEN d.provider END AS provider,
    CASE WHEN $5::boolean THEN d.model END AS model,
    CASE WHEN $6::boolean THEN d.key_type::text END AS key_type,
    CASE WHEN $7::boolean THEN to_char(e.occurred_at, 'YYYY-MM-DD"T"HH24:00:00"Z"') END AS hour,
    CASE WHEN $8::boolean THEN to_char(e.occurred_at, 'YYYY-MM-DD') END AS day,
    CASE WHEN $9::boolean THEN to_char(e.occurred_at, 'YYYY-MM') END AS month,
    u.unit, sum((u.pair ->> 0)::numeric) AS quantity
FROM usage_event e JOIN dimension d USING (dimension) JOIN customer c USING (customer),
    LATERAL jsonb_each(e.other_units) AS u (unit, pair)
WHERE e.occurred_at >= $1 AND e.occurred_at < $2 AND e.revision > 0 AND e.other_units IS NOT NULL
    AND ($10::integer[] IS NULL OR e.customer = ANY($10))
    AND ($11::text[] IS NULL OR d.provider = ANY($11))
    AND ($12::text[] IS NULL OR d.model = ANY($12))
    AND ($13::text[] IS NULL OR d.key_type::text = ANY($13))
GROUP BY 1, 2, 3, 4, 5, 6, 7, u.unit
LIMIT $14;

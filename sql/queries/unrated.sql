-- name: announce
-- An alert for each kind of usage without a price, to be delivered. Only those that were not announced before
-- come back; of two writers that find the same the second waits for the first.
INSERT INTO outbox (customer, topic, subject, body, created_at)
SELECT customer, 'unrated', subject, body, $4
FROM unnest($1::integer[], $2::text[], $3::jsonb[]) AS message (customer, subject, body)
ON CONFLICT DO NOTHING
RETURNING customer, subject;

-- name: groups
-- What counts and has no price, by who used it and how it was called. A dimension without a rate table has
-- nothing but such usage.
SELECT r.customer, c.customer_id, d.provider, d.model, d.service_tier, d.is_batch, d.region, d.accelerator,
    d.key_type::text, sum(r.unrated)::text AS requests,
    sum(r.uncached_input_tokens)::text AS uncached_input_tokens,
    sum(r.cached_input_tokens)::text AS cached_input_tokens, sum(r.output_tokens)::text AS output_tokens,
    min(r.hour_at) AS first_hour_at, max(r.hour_at) AS last_hour_at
FROM rollup_hour r JOIN dimension d USING (dimension) JOIN customer c USING (customer)
WHERE r.unrated <> 0 AND d.rate_version IS NULL AND ($1::text[] IS NULL OR c.customer_id = ANY($1))
GROUP BY r.customer, c.customer_id, d.provider, d.model, d.service_tier, d.is_batch, d.region, d.accelerator,
    d.key_type
HAVING sum(r.unrated) <> 0
ORDER BY c.customer_id, d.provider, d.model, d.service_tier, d.is_batch, d.region, d.accelerator, d.key_type
LIMIT $2;

-- name: units
-- The other units of the same groups.
SELECT r.customer, d.provider, d.model, d.service_tier, d.is_batch, d.region, d.accelerator, d.key_type::text,
    u.unit, sum(u.quantity)::text AS quantity
FROM rollup_hour r
JOIN rollup_hour_unit u USING (customer, hour_at, dimension)
JOIN dimension d USING (dimension)
WHERE r.unrated <> 0 AND d.rate_version IS NULL AND r.customer = ANY($1::integer[])
GROUP BY r.customer, d.provider, d.model, d.service_tier, d.is_batch, d.region, d.accelerator, d.key_type,
    u.unit
HAVING sum(u.quantity) <> 0
ORDER BY u.unit;

-- name: announced
-- When usage of some customers was announced.
SELECT customer, subject, created_at FROM outbox
WHERE topic = 'unrated' AND customer = ANY($1::integer[]);

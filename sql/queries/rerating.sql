-- name: hours
-- The hours in which requests stand, and how many: that tells where to look, and how far it is. $5: only those
-- without a price.
SELECT r.hour_at, r.dimension, sum(CASE WHEN $5 THEN r.unrated ELSE r.requests END)::bigint AS requests
FROM rollup_hour r JOIN dimension d USING (dimension)
WHERE r.hour_at >= $1 AND r.hour_at < $2
    AND ($3::integer[] IS NULL OR r.customer = ANY($3))
    AND ($4::text[] IS NULL OR d.model = ANY($4))
    AND (NOT $5::boolean OR d.rate_version IS NULL AND r.unrated <> 0)
GROUP BY r.hour_at, r.dimension
HAVING sum(CASE WHEN $5 THEN r.unrated ELSE r.requests END) <> 0
ORDER BY r.hour_at, r.dimension;

-- name: dimensions
SELECT dimension, provider, model, key_type::text, service_tier, is_batch, rate_version, meter_version,
    region, accelerator, billed_as
FROM dimension
WHERE dimension = ANY($1::integer[]);

-- name: standing
-- The requests that stand within a stretch of time, whole: the last statement of each that is not negated. All
-- revisions of a request have the same time, so its negation is only looked for within the stretch. $5: only
-- those without a price. $6: only these dimensions. $7: only under these ids. In an order in which a chunk
-- moves few sums.
SELECT e.request_id, e.occurred_at, e.uncached_input_tokens, e.cached_input_tokens, e.output_tokens,
    e.input_pico, e.cached_input_pico, e.output_pico, e.other_pico, e.fee_pico, e.batch, e.lane, e.customer,
    e.dimension, e.stated, e.kind::text, e.revision, e.requests, e.unrated, e.opaque_id, e.other_units,
    e.reported_cost, e.text_digest,
    d.provider, d.model, d.key_type::text, d.service_tier, d.is_batch, d.rate_version, d.meter_version,
    d.region, d.accelerator, d.billed_as,
    m.slug AS meter_slug, m.version AS meter_number, m.kind AS meter_kind, m.percentage, m.terms
FROM usage_event e
JOIN dimension d USING (dimension)
LEFT JOIN meter_version m USING (meter_version)
WHERE e.occurred_at >= $1 AND e.occurred_at < $2
    AND ($3::integer[] IS NULL OR e.customer = ANY($3))
    AND ($4::text[] IS NULL OR d.model = ANY($4))
    AND (NOT $5::boolean OR e.unrated = 1)
    AND ($6::integer[] IS NULL OR e.dimension = ANY($6))
    AND ($7::uuid[] IS NULL OR e.request_id = ANY($7))
    AND e.revision % 2 = 1
    AND NOT EXISTS (
        SELECT FROM usage_event negation
        WHERE negation.request_id = e.request_id AND negation.customer = e.customer
            AND negation.revision = e.revision + 1 AND negation.revision >= 2
            AND negation.occurred_at >= $1 AND negation.occurred_at < $2
            AND ($7::uuid[] IS NULL OR negation.request_id = ANY($7)))
ORDER BY e.customer, e.occurred_at, e.request_id;

-- name: try_unrated_job
-- One process at a time rates what is unrated. The lock frees itself when the session ends.
SELECT pg_try_advisory_lock(8, 0);

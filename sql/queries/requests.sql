-- name: page
-- The current statement of each request, newest id first. A page is cut out of the primary key: keys
-- first, then what stands under them.
SELECT e.request_id, e.customer, e.opaque_id
FROM usage_event e JOIN dimension d USING (dimension)
WHERE e.revision <= 1
    AND ($1::uuid IS NULL OR (e.request_id, e.customer) < ($1, $2))
    AND e.request_id BETWEEN $3 AND $4
    AND ($5::integer IS NULL OR e.customer = $5)
    AND ($6::timestamptz IS NULL OR e.occurred_at >= $6)
    AND ($7::timestamptz IS NULL OR e.occurred_at < $7)
    AND ($8::text IS NULL OR d.model = $8)
    AND CASE $9::text
        WHEN 'completed' THEN e.revision = 1
        WHEN 'unrated' THEN e.revision = 1 AND e.unrated = 1
        WHEN 'pending' THEN e.kind = 'pending'
        WHEN 'error' THEN e.kind = 'error'
        ELSE true END
    -- A sighting stands for its request only until that has completed.
    AND (e.revision = 1 OR NOT EXISTS (
        SELECT FROM usage_event later
        WHERE later.request_id = e.request_id AND later.customer = e.customer AND later.revision = 1))
    AND ($10::jsonb IS NULL OR EXISTS (
        SELECT FROM event_text t
        WHERE t.request_id = e.request_id AND t.customer = e.customer AND t.revision = e.revision
            AND t.metadata @> $10))
ORDER BY e.request_id DESC, e.customer DESC
LIMIT $11;

-- name: revisions
-- Every revision under some keys, with all that is known about it.
SELECT e.request_id, e.customer, e.revision, e.opaque_id, c.customer_id, e.kind::text, e.occurred_at,
    b.recorded_at, e.requests, e.unrated, e.uncached_input_tokens, e.cached_input_tokens,
    e.output_tokens, e.other_units, e.input_pico, e.cached_input_pico, e.output_pico, e.other_pico,
    e.fee_pico, e.reported_cost, d.provider, d.model, d.key_type::text, d.service_tier, d.is_batch,
    r.version AS rate_version, m.slug AS meter_slug, t.response_id, t.metadata, t.fields
FROM usage_event e
JOIN customer c USING (customer)
JOIN batch b USING (lane, batch)
JOIN dimension d USING (dimension)
LEFT JOIN rate_table r USING (rate_version)
LEFT JOIN meter_version m USING (meter_version)
LEFT JOIN LATERAL (
    SELECT response_id, metadata, fields FROM event_text x
    WHERE x.request_id = e.request_id AND x.customer = e.customer AND x.revision = least(e.revision, 1)
) AS t ON true
WHERE e.request_id = ANY($1::uuid[]) AND ($2::integer[] IS NULL OR e.customer = ANY($2))
ORDER BY e.request_id, e.customer, e.revision;

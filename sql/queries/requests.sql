-- name: page
-- The current statement of each request, newest id first. A page is cut out of the primary key: keys
-- first, then what stands under them. What is current is the highest odd revision, void or not.
-- OFFSET 0 keeps what is asked of a row a question of its own, for the rows of a page and no others.
SELECT e.request_id, e.customer, e.opaque_id
FROM usage_event e
WHERE (e.revision = 0 OR e.revision % 2 = 1)
    AND ($1::uuid IS NULL OR (e.request_id, e.customer) < ($1, $2))
    AND e.request_id BETWEEN $3 AND $4
    AND ($5::integer IS NULL OR e.customer = $5)
    AND ($6::timestamptz IS NULL OR e.occurred_at >= $6)
    AND ($7::timestamptz IS NULL OR e.occurred_at < $7)
    AND ($8::text IS NULL OR e.dimension = ANY (ARRAY(SELECT d.dimension FROM dimension d WHERE d.model = $8)))
    AND CASE $9::text
        WHEN 'pending' THEN e.kind = 'pending'
        WHEN 'error' THEN e.kind = 'error'
        WHEN 'unmetered' THEN e.revision = 0
        WHEN 'unrated' THEN e.unrated = 1
        WHEN 'completed' THEN e.revision > 0
        WHEN 'voided' THEN e.revision > 0
        ELSE true END
    -- Nothing is stated after it; its negation alone makes it void.
    AND NOT EXISTS (
        SELECT FROM usage_event later
        WHERE later.request_id = e.request_id AND later.customer = e.customer
            AND later.revision > e.revision
            AND CASE WHEN later.revision > e.revision + 1 THEN true
                ELSE e.revision = 0 OR coalesce($9 IN ('completed', 'unrated'), false) END
        OFFSET 0)
    AND ($9::text IS DISTINCT FROM 'voided' OR EXISTS (
        SELECT FROM usage_event negation
        WHERE negation.request_id = e.request_id AND negation.customer = e.customer
            AND negation.revision = e.revision + 1
        OFFSET 0))
    AND ($10::jsonb IS NULL OR EXISTS (
        SELECT FROM event_text t
        WHERE t.request_id = e.request_id AND t.customer = e.customer AND t.revision = least(e.revision, 1)
            AND t.metadata @> $10
        OFFSET 0))
ORDER BY e.request_id DESC, e.customer DESC
LIMIT $11;

-- name: revisions
-- Every revision under some keys, with all that is known about it.
SELECT e.request_id, e.customer, e.revision, e.opaque_id, c.customer_id, e.kind::text, e.occurred_at,
    b.recorded_at, e.requests, e.unrated, e.uncached_input_tokens, e.cached_input_tokens,
    e.output_tokens, e.other_units, e.input_pico, e.cached_input_pico, e.output_pico, e.other_pico,
    e.fee_pico, e.reported_cost, d.provider, d.model, d.key_type::text, d.service_tier, d.is_batch, d.region, d.accelerator, d.billed_as,
    r.version AS rate_version, m.slug AS meter_slug, t.response_id, t.metadata, t.fields, t.redacted,
    a.actor, a.reason
FROM usage_event e
JOIN customer c USING (customer)
JOIN batch b USING (lane, batch)
JOIN dimension d USING (dimension)
LEFT JOIN rate_table r USING (rate_version)
LEFT JOIN meter_version m USING (meter_version)
LEFT JOIN LATERAL (
    SELECT response_id, metadata, fields, redacted FROM event_text x
    WHERE x.request_id = e.request_id AND x.customer = e.customer AND x.revision = least(e.revision, 1)
) AS t ON true
-- Who decided it and why; what intake records nobody decides.
LEFT JOIN ledger_event a ON a.customer = e.customer AND a.lane = e.lane AND a.batch = e.batch
    AND (a.kind = 'request_adjusted' AND a.subject = request_id_text(e.request_id, e.opaque_id)
        OR a.kind = 'usage_rerated')
WHERE e.request_id = ANY($1::uuid[]) AND ($2::integer[] IS NULL OR e.customer = ANY($2))
ORDER BY e.request_id, e.customer, e.revision;

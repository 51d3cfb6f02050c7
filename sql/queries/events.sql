-- name: recorded
-- What stands under some keys: first sightings and completed statements, with all that is compared.
SELECT e.request_id, e.customer, e.revision, e.opaque_id, e.occurred_at, e.stated,
    e.uncached_input_tokens, e.cached_input_tokens, e.output_tokens, e.other_units,
    d.provider, d.model, d.key_type::text, d.service_tier, d.is_batch, m.slug AS meter_slug
FROM usage_event e
JOIN dimension d USING (dimension)
LEFT JOIN meter_version m USING (meter_version)
WHERE e.request_id = ANY($1::uuid[]) AND e.revision <= 1;

-- name: recorded_metadata
SELECT request_id, customer, metadata FROM event_text
WHERE request_id = ANY($1::uuid[]) AND revision = 1 AND metadata IS NOT NULL;

-- name: sighted
-- Keys that were seen before they completed.
SELECT request_id, customer FROM usage_event WHERE request_id = ANY($1::uuid[]) AND revision = 0;

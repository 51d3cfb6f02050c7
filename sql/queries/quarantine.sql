-- name: keep
-- Once for each sender, content and reason; a repeat is counted.
INSERT INTO quarantine AS q (sender, digest, code, outcome, field, detail, customer_id, request_id, record,
    sightings, first_seen_at, last_seen_at)
SELECT $1, digest, code, outcome, field, detail, customer_id, request_id, record, 1, $2, $2
FROM unnest($3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::bytea[]) AS refused (digest, code, outcome, field, detail, customer_id, request_id, record)
ORDER BY digest, code
ON CONFLICT (sender, digest, code) DO UPDATE SET
    sightings = q.sightings + 1, last_seen_at = excluded.last_seen_at;

-- name: words
-- The words of a request, held until the transaction ends: two erasures come one after the other.
SELECT revision, response_id, metadata, fields, redacted FROM event_text
WHERE request_id = $1 AND customer = $2
ORDER BY revision
FOR UPDATE;

-- name: erase
-- Words are no facts: what was said of them stands in the event as a digest, and that stays.
UPDATE event_text t
SET response_id = left_over.response_id, metadata = left_over.metadata, fields = left_over.fields,
    salt = left_over.salt, redacted = $3
FROM unnest($4::smallint[], $5::text[], $6::jsonb[], $7::text[], $8::bytea[])
    AS left_over (revision, response_id, metadata, fields, salt)
WHERE t.request_id = $1 AND t.customer = $2 AND t.revision = left_over.revision;

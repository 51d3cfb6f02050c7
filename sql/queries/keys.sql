-- name: find
-- What is known of keys by their ids. The caller compares digests.
SELECT k.key_id, k.digest, k.name, k.scopes, k.customer, nullif(c.customer_id, '') AS customer_id,
    k.created_at, k.created_by, k.expires_at, k.revoked_at
FROM api_key k JOIN customer c USING (customer)
WHERE k.key_id = ANY($1::text[]);

-- name: list
-- Oldest first, from the one after a key; of some customers or of all.
SELECT k.key_id, k.name, k.scopes, nullif(c.customer_id, '') AS customer_id, k.created_at, k.created_by,
    k.expires_at, k.revoked_at
FROM api_key k LEFT JOIN customer c USING (customer)
WHERE ($1::integer IS NULL OR k.customer = $1)
    AND ($2::text IS NULL OR (k.created_at, k.key_id) > (
        SELECT l.created_at, l.key_id FROM api_key l WHERE l.key_id = $2))
ORDER BY k.created_at, k.key_id
LIMIT $3;

-- name: add
INSERT INTO api_key (customer, key_id, digest, name, scopes, created_at, created_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: revoke
-- Once: the first revocation counts.
UPDATE api_key SET revoked_at = $3 WHERE customer = $1 AND key_id = $2 AND revoked_at IS NULL;

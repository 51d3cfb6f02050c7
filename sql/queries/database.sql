-- name: encoding
SHOW server_encoding;

-- name: durability
SHOW synchronous_commit;

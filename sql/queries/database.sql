-- name: encoding
SHOW server_encoding;

-- name: time
SELECT clock_timestamp();

-- name: durability
SHOW synchronous_commit;

-- name: be_bound
-- Until the transaction ends, this is a session of the role that sees one customer's rows.
SELECT set_config('ledger.customer', $1, true), set_config('search_path', 'ledger_bound, ledger', true),
    set_config('role', 'ledger_bound', true);

-- name: lacks_bound_role
-- Whether the login may not read as keys of one customer do. Before the role is made nobody lacks it.
SELECT EXISTS (
    SELECT FROM pg_roles WHERE rolname = 'ledger_bound' AND NOT pg_has_role(session_user, oid, 'MEMBER'));

-- name: session
SELECT pg_backend_pid();

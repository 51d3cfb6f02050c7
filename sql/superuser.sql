-- For a PostgreSQL that belongs to one ledger, as in compose.yaml: its superuser is reached from within its own
-- container, over its socket, and by no password. The image wants one to begin with.
ALTER ROLE postgres PASSWORD NULL;

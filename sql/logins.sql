-- Two logins of least privilege, for psql: one that migrates, one that serves. Safe to run again.
--
--     LEDGER_MIGRATOR_PASSWORD=... LEDGER_SERVER_PASSWORD=... psql -d ledger -f sql/logins.sql
--
-- Run by whoever may make roles, once for each database of a ledger. compose.yaml does it at the first start.
-- What the roles may do is said by the migrations; `ledger migrate` grants it.
\set ON_ERROR_STOP on
\getenv migrator_password LEDGER_MIGRATOR_PASSWORD
\getenv server_password LEDGER_SERVER_PASSWORD

SELECT format('CREATE ROLE %I %s', name, kind)
FROM (VALUES
    ('ledger_owner', 'NOLOGIN'), ('ledger_service', 'NOLOGIN'), ('ledger_bound', 'NOLOGIN'),
    ('ledger_migrator', 'LOGIN'), ('ledger_server', 'LOGIN')
) AS wanted (name, kind)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

SET password_encryption = 'scram-sha-256';
ALTER ROLE ledger_migrator PASSWORD :'migrator_password';
ALTER ROLE ledger_server PASSWORD :'server_password';

-- It makes the schemas and whatever is in them, as the owner; roles and other databases are beyond it.
GRANT ledger_owner, ledger_service, ledger_bound TO ledger_migrator WITH ADMIN OPTION;
GRANT CREATE ON DATABASE :"DBNAME" TO ledger_migrator;

-- It reads and appends; neither the rights nor the shape of anything can be changed with it.
GRANT ledger_service, ledger_bound TO ledger_server;

-- Keys, a quarantine with bounds, and a second wall around what a key of one customer may read.

-- Who may ask for what. Of a key there is only its digest; `key_id` is its beginning, to recognise it by.
-- Customer 0: bound to none.
CREATE TABLE api_key (
    customer   integer NOT NULL,
    key_id     text COLLATE "C" NOT NULL,
    digest     bytea NOT NULL, -- SHA-256 of the whole key
    name       text NOT NULL,
    scopes     text[] NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text COLLATE "C" NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (customer, key_id)
);
CREATE INDEX api_key_by_id ON api_key (key_id); -- a request says the key, not whose it is
GRANT SELECT, INSERT, UPDATE, DELETE ON api_key TO ledger_service;

-- A refused record belongs to the customer that its sender's key is bound to, and has a name to ask for.
ALTER TABLE quarantine ADD COLUMN customer integer NOT NULL DEFAULT 0;
ALTER TABLE quarantine ALTER COLUMN customer DROP DEFAULT;
ALTER TABLE quarantine ADD COLUMN quarantine_id text COLLATE "C";
UPDATE quarantine SET quarantine_id = 'q_' || left(encode(sha256(
    convert_to(sender, 'UTF8') || '\x00' || convert_to(code, 'UTF8') || '\x00' || digest), 'hex'), 20);
ALTER TABLE quarantine ADD COLUMN record_bytes integer; -- how long the record was; more than 64 KiB are not kept
ALTER TABLE quarantine ADD COLUMN is_whole boolean; -- what is kept says all that counts: it can be replayed
ALTER TABLE quarantine ADD COLUMN faults jsonb; -- [{"field", "code", "detail"}]; null where only `detail` is known
-- A hint of before may stand in what counts; it is written escaped or as it is.
UPDATE quarantine SET record_bytes = length(record), is_whole = length(record) < 65536
    AND encode(record, 'escape') !~ '(\\\\u2026|\\342\\200\\246) \(\d+ characters\)';
ALTER TABLE quarantine ALTER COLUMN record_bytes SET NOT NULL, ALTER COLUMN is_whole SET NOT NULL;
ALTER TABLE quarantine DROP CONSTRAINT quarantine_pkey;
ALTER TABLE quarantine ADD PRIMARY KEY (customer, quarantine_id);
CREATE INDEX quarantine_by_time ON quarantine (last_seen_at, quarantine_id);
CREATE INDEX quarantine_by_customer ON quarantine (customer, last_seen_at, quarantine_id);

-- How much is kept for each sender, and how much was not for want of room.
CREATE TABLE quarantine_sender (
    customer   integer NOT NULL,
    sender     text COLLATE "C" NOT NULL,
    kept       bigint NOT NULL,
    kept_bytes bigint NOT NULL,
    not_kept   bigint NOT NULL,
    PRIMARY KEY (customer, sender)
);
INSERT INTO quarantine_sender
SELECT customer, sender, count(*), sum(length(record)), 0 FROM quarantine GROUP BY customer, sender;
GRANT SELECT, INSERT, UPDATE, DELETE ON quarantine_sender TO ledger_service;

-- The second wall: what is read for a key of one customer is read as `ledger_bound`, which sees the rows of the
-- customer that the transaction names and no others, whatever the query forgets to ask.
GRANT USAGE ON SCHEMA ledger TO ledger_bound;
GRANT SELECT ON configuration, rate_table, meter_version, dimension, batch TO ledger_bound;
GRANT EXECUTE ON FUNCTION
    request_id_text(uuid, text), csv_text(text), pico_text(numeric), instant_text(timestamptz),
    counts_as_input(text), counts_as_output(text), input_parts(jsonb), output_parts(jsonb),
    dimension_words(text, text, text, text, text, text), is_metered(text, text),
    metered_quantity(text, numeric, numeric, jsonb)
TO ledger_bound;

-- Null where no transaction says so: then no row is seen.
CREATE FUNCTION bound_customer() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('ledger.customer', true), '')::integer
$$;
REVOKE EXECUTE ON FUNCTION bound_customer() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION bound_customer() TO ledger_bound;

DO $$
DECLARE
    owned regclass;
BEGIN
    FOREACH owned IN ARRAY ARRAY[
        'customer', 'customer_setting', 'spend_limit', 'limit_window', 'alert', 'rollup_hour',
        'rollup_hour_unit', 'meter_usage', 'invoice', 'ledger_event', 'api_key', 'quarantine', 'quarantine_sender',
        'outbox'
    ]::regclass[] LOOP
        EXECUTE format('GRANT SELECT ON %s TO ledger_bound', owned);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('CREATE POLICY everything ON %s TO ledger_service USING (true)', owned);
        EXECUTE format('CREATE POLICY own_rows ON %s FOR SELECT TO ledger_bound '
                       'USING (customer = (SELECT bound_customer()))', owned);
    END LOOP;
END $$;
-- What was decided about prices and fees is no secret of anybody's, and explains amounts.
CREATE POLICY common_rows ON ledger_event FOR SELECT TO ledger_bound
    USING (customer = 0 AND kind IN ('rate_table_published', 'meter_published'));

-- COPY into a table with policies is refused, and these are written by COPY. Hence views in their place, which
-- come first in the search path of `ledger_bound`: it has no right on the tables themselves. A view keeps the
-- columns of its day: who adds one to the table makes the view anew.
DO $$
DECLARE
    owned text;
BEGIN
    FOREACH owned IN ARRAY ARRAY['usage_event', 'event_text', 'invoice_line'] LOOP
        EXECUTE format('CREATE VIEW ledger_bound.%I WITH (security_barrier) AS '
                       'SELECT * FROM ledger.%I WHERE customer = (SELECT ledger.bound_customer())', owned, owned);
        EXECUTE format('GRANT SELECT ON ledger_bound.%I TO ledger_bound', owned);
    END LOOP;
END $$;
GRANT USAGE ON SCHEMA ledger_bound TO ledger_bound;

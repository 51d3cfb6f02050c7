-- Reference facts: the few rows that every event points to. They are interned once and never changed.

CREATE TYPE key_type AS ENUM ('managed', 'byok');

-- Who pays. `customer` is the number that every other table carries in its key; 0 is the ledger itself,
-- the subject of decisions that concern no single customer.
CREATE TABLE customer (
    customer    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text COLLATE "C" NOT NULL UNIQUE
);
INSERT INTO customer OVERRIDING SYSTEM VALUE VALUES (0, '');

-- A published version of one provider's prices. `rate_version` rises in the order of publication, which
-- decides between two tables with the same `effective_from`. `content` is the YAML as it was published.
CREATE TABLE rate_table (
    rate_version   integer PRIMARY KEY,
    provider       text COLLATE "C" NOT NULL,
    version        text COLLATE "C" NOT NULL,
    effective_from timestamptz NOT NULL,
    currency       text NOT NULL,
    source         text NOT NULL,
    fingerprint    text NOT NULL,
    file           text NOT NULL,
    content        text NOT NULL,
    UNIQUE (provider, version)
);

-- A version of a fee schedule. The highest version of a slug is the one that new events use.
CREATE TABLE meter_version (
    meter_version integer PRIMARY KEY,
    slug          text COLLATE "C" NOT NULL,
    version       integer NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('none', 'percentage')),
    percentage    text CHECK ((kind = 'percentage') = (percentage IS NOT NULL)),
    UNIQUE (slug, version)
);

-- One row for each distinct combination that money is grouped by. Unknown is null, and null equals null.
CREATE TABLE dimension (
    dimension     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider      text COLLATE "C",
    model         text COLLATE "C",
    key_type      key_type NOT NULL,
    service_tier  text COLLATE "C",
    is_batch      boolean NOT NULL,
    rate_version  integer REFERENCES rate_table,
    meter_version integer REFERENCES meter_version,
    promoted      jsonb,
    UNIQUE NULLS NOT DISTINCT
        (provider, model, key_type, service_tier, is_batch, rate_version, meter_version, promoted)
);

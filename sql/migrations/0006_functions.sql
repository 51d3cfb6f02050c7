-- The text of a request id, as ledger.core.request_ids gives it back: the opaque text, or `req_` and the
-- 128 bits as 26 digits of Crockford's base 32. The first digit holds 3 bits, the fourteenth lies across
-- the two halves.
CREATE FUNCTION request_id_text(id uuid, opaque_id text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    digits constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    hex text;
    high bigint;
    low bigint;
    answer text := 'req_';
BEGIN
    IF opaque_id IS NOT NULL THEN
        RETURN opaque_id;
    END IF;
    hex := replace(id::text, '-', '');
    high := ('x' || left(hex, 16))::bit(64)::bigint;
    low := ('x' || right(hex, 16))::bit(64)::bigint;
    FOR shift IN REVERSE 61..1 BY 5 LOOP
        answer := answer || substr(digits, ((high >> shift) & 31)::integer + 1, 1);
    END LOOP;
    answer := answer || substr(digits, (((high & 1) << 4) | ((low >> 60) & 15))::integer + 1, 1);
    FOR shift IN REVERSE 55..0 BY 5 LOOP
        answer := answer || substr(digits, ((low >> shift) & 31)::integer + 1, 1);
    END LOOP;
    RETURN answer;
END $$;

-- A text cell of a CSV file: one that a spreadsheet would take for a formula is defused by a quote.
CREATE FUNCTION csv_text(cell text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN cell ~ '^[=+\-@\t\r]' THEN '''' || cell ELSE cell END
$$;

-- An amount in pico units as a plain decimal with 12 places.
CREATE FUNCTION pico_text(pico numeric) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (pico * 0.000000000001)::numeric(1000, 12)::text
$$;

CREATE FUNCTION instant_text(instant timestamptz) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN extract(microseconds FROM instant)::bigint % 1000000 = 0 THEN ''
                ELSE to_char(instant AT TIME ZONE 'UTC', '.US') END || 'Z'
$$;

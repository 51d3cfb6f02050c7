-- name: all
SELECT meter_version, slug AS meter_slug, version AS meter_number, kind AS meter_kind, percentage, terms
FROM meter_version ORDER BY meter_version;

-- name: publish
INSERT INTO meter_version (meter_version, slug, version, kind, percentage, terms)
SELECT coalesce(max(meter_version), 0) + 1, $1,
    coalesce(max(version) FILTER (WHERE slug = $1), 0) + 1, $2, $3, $4::jsonb
FROM meter_version
RETURNING meter_version, version;

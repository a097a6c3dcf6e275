-- What is said about media, by whom, and which objects are gone.
ALTER TABLE media ADD COLUMN rights_holder VARCHAR;
ALTER TABLE media ADD COLUMN territories VARCHAR;
ALTER TABLE media ADD COLUMN licensed_until TIMESTAMPTZ;
ALTER TABLE media ADD COLUMN uploader VARCHAR;
ALTER TABLE media ADD COLUMN views BIGINT;
ALTER TABLE media ADD COLUMN gone_at TIMESTAMPTZ;

-- A failure that is worth another attempt says when; NULL: never by itself.
ALTER TABLE media_error ADD COLUMN attempts INTEGER;
ALTER TABLE media_error ADD COLUMN next_attempt_at TIMESTAMPTZ;

-- Manifests and sidecars as last read. `media_uri` is what a sidecar describes; `problem` is why
-- the file as a whole could not be read, and then the rows of its last good version stay.
CREATE TABLE metadata_file (
    uri VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    etag VARCHAR NOT NULL,
    media_uri VARCHAR,
    problem VARCHAR,
    read_at TIMESTAMPTZ NOT NULL,
    gone_at TIMESTAMPTZ
);

-- What each source says about the object at `media_uri`, also before the object is there. The
-- descriptive columns of `media` follow from these rows: manifest before sidecar before object.
CREATE TABLE media_metadata (
    media_uri VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    file_uri VARCHAR NOT NULL,
    title VARCHAR,
    rights_holder VARCHAR,
    territories VARCHAR,
    licensed_from TIMESTAMPTZ,
    licensed_until TIMESTAMPTZ,
    uploader VARCHAR,
    uploaded_at TIMESTAMPTZ,
    views BIGINT,
    problem VARCHAR,
    read_at TIMESTAMPTZ NOT NULL
);

INSERT INTO media_metadata BY NAME
SELECT
    uri AS media_uri,
    'object' AS source,
    uri AS file_uri,
    title,
    licensed_from,
    uploaded_at,
    discovered_at AS read_at
FROM media
QUALIFY row_number() OVER (PARTITION BY uri ORDER BY discovered_at DESC) = 1;

-- What has been applied and what has been committed.
CREATE TABLE migration (
    name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE commit_ledger (
    unit_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    input_digest VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    committed_at TIMESTAMPTZ NOT NULL
);

-- One row that every writer updates first. Two transactions that only insert do not conflict
-- in DuckLake; two that update this row do, so the later one retries and sees the ledger.
CREATE TABLE commit_serial (serial BIGINT NOT NULL);
INSERT INTO commit_serial VALUES (0);

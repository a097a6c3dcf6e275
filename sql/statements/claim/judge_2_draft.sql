-- Rules that are not saved yet.
CREATE OR REPLACE TEMP TABLE judging_rule AS
SELECT 0::BIGINT AS policy_version, r.*
FROM draft_rule AS r

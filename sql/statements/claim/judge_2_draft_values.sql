CREATE OR REPLACE TEMP TABLE judging_value AS
SELECT priority, field, value
FROM draft_value

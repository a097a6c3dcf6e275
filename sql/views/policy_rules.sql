-- The rules of every version, the first that fits has its way. A condition that is NULL is not
-- asked; of lists one value must fit.
CREATE OR REPLACE VIEW policy_rules AS
SELECT
    p.policy_version,
    r.priority,
    r.name,
    r.action,
    r.reason,
    r.min_length,
    r.max_length,
    r.min_share_of_upload,
    r.max_share_of_upload,
    r.min_share_of_title,
    r.max_share_of_title,
    r.min_score,
    r.max_score,
    r.min_share_excluded,
    r.precedes_licence,
    r.licence_ended,
    list(v.value ORDER BY v.value) FILTER (v.field = 'modalities') AS modalities,
    list(v.value ORDER BY v.value) FILTER (v.field = 'territories') AS territories,
    list(v.value ORDER BY v.value) FILTER (v.field = 'uploaders') AS uploaders,
    list(v.value ORDER BY v.value) FILTER (v.field = 'rights_holders') AS rights_holders,
    list(v.value ORDER BY v.value) FILTER (v.field = 'titles') AS titles
FROM policy AS p
JOIN policy_rule AS r ON r.policy_id = p.policy_id
LEFT JOIN policy_value AS v ON v.policy_id = r.policy_id AND v.priority = r.priority
GROUP BY ALL

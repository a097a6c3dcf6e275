-- Words that the code compares with; DuckLake has no CHECK constraints.
SELECT 'media.role' AS field, role AS value FROM media WHERE role NOT IN ('licensed', 'ugc')
UNION ALL
SELECT 'media_fingerprint.status', status FROM media_fingerprint
WHERE status NOT IN ('ok', 'absent', 'empty', 'error', 'removed')
UNION ALL
SELECT 'media_fingerprint.modality', modality FROM media_fingerprint
WHERE modality NOT IN ('audio', 'video')
UNION ALL
SELECT 'match_scan.direction', direction FROM match_scan
WHERE direction NOT IN ('forward', 'reverse', 'self')
UNION ALL
SELECT 'match.modality', modality FROM match WHERE modality NOT IN ('audio', 'video', 'both')
UNION ALL
SELECT 'exclusion.modality', modality FROM exclusion
WHERE modality NOT IN ('audio', 'video', 'both')
UNION ALL
SELECT 'metadata_file.kind', kind FROM metadata_file WHERE kind NOT IN ('manifest', 'sidecar')
UNION ALL
SELECT 'media_metadata.source', source FROM media_metadata
WHERE source NOT IN ('manifest', 'sidecar', 'object')
UNION ALL
SELECT 'match_past.ended_by', ended_by FROM match_past
WHERE ended_by NOT IN ('rematch', 'matcher', 'model', 'exclusion', 'removed')
UNION ALL
SELECT 'decision.verdict', verdict FROM decision
WHERE verdict NOT IN ('confirm', 'reject', 'exclude')
UNION ALL
SELECT 'decision.source', source FROM decision WHERE source NOT IN ('page', 'review', 'cli')
UNION ALL
SELECT 'policy_rule.action', action FROM policy_rule
WHERE action NOT IN ('block', 'review', 'track', 'ignore')
UNION ALL
SELECT 'policy_value.field', field FROM policy_value
WHERE field NOT IN ('modalities', 'territories', 'uploaders', 'rights_holders', 'titles')
UNION ALL
SELECT 'claim.action', action FROM claim
WHERE action NOT IN ('block', 'review', 'track', 'ignore')

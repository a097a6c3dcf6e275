-- Whether sound and picture say the same of a match. What one of the two media lacks cannot agree:
--   both            found by sound and picture
--   audio, video    found by one, though both media have the other
--   audio only, video only  found by one, and there is nothing else to compare
CREATE OR REPLACE VIEW modality_agreement AS
WITH usable AS (
    SELECT media_id, modality, fingerprinter
    FROM media_fingerprint
    WHERE status = 'ok'
)
SELECT
    m.match_id,
    m.ugc_id,
    m.licensed_id,
    m.modality,
    m.audio_score,
    m.video_score,
    ua.media_id IS NOT NULL AND la.media_id IS NOT NULL AS audio_comparable,
    uv.media_id IS NOT NULL AND lv.media_id IS NOT NULL AS video_comparable,
    CASE
        WHEN m.modality = 'both' THEN 'both'
        WHEN m.modality = 'audio' AND uv.media_id IS NOT NULL AND lv.media_id IS NOT NULL
            THEN 'audio'
        WHEN m.modality = 'video' AND ua.media_id IS NOT NULL AND la.media_id IS NOT NULL
            THEN 'video'
        ELSE m.modality || ' only'
    END AS agreement
FROM match AS m
LEFT JOIN usable AS ua
  ON ua.media_id = m.ugc_id AND ua.modality = 'audio' AND ua.fingerprinter = m.audio_fingerprinter
LEFT JOIN usable AS la
  ON la.media_id = m.licensed_id AND la.modality = 'audio'
 AND la.fingerprinter = m.audio_fingerprinter
LEFT JOIN usable AS uv
  ON uv.media_id = m.ugc_id AND uv.modality = 'video' AND uv.fingerprinter = m.video_fingerprinter
LEFT JOIN usable AS lv
  ON lv.media_id = m.licensed_id AND lv.modality = 'video'
 AND lv.fingerprinter = m.video_fingerprinter

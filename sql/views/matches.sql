-- Every current match, ready to read: who, where, how sure, and which came first.
CREATE OR REPLACE VIEW matches AS
SELECT
    m.match_id,
    m.ugc_id,
    u.title AS ugc_title,
    u.uri AS ugc_uri,
    u.uploaded_at,
    u.uploader,
    u.views,
    m.licensed_id,
    l.title AS licensed_title,
    l.uri AS licensed_uri,
    l.licensed_from,
    l.licensed_until,
    l.rights_holder,
    l.territories,
    u.uploaded_at < l.licensed_from AS precedes_licence,
    u.uploaded_at >= l.licensed_until AS licence_ended,
    m.ugc_start,
    m.ugc_end,
    m.licensed_start,
    m.licensed_end,
    m.ugc_end - m.ugc_start AS length,
    CASE
        WHEN c.duration > 0 THEN least(1.0, (m.ugc_end - m.ugc_start) / c.duration)
    END AS coverage,
    c.duration AS ugc_duration,
    t.duration AS licensed_duration,
    m.speed,
    m.score,
    m.modality,
    m.audio_score,
    m.video_score,
    m.direction,
    m.audio_snapshot,
    m.video_snapshot,
    m.audio_fingerprinter,
    m.video_fingerprinter,
    m.matcher_version,
    m.found_at
FROM match AS m
LEFT JOIN media AS u ON u.media_id = m.ugc_id
LEFT JOIN media AS l ON l.media_id = m.licensed_id
LEFT JOIN media_content AS c ON c.media_id = m.ugc_id
LEFT JOIN media_content AS t ON t.media_id = m.licensed_id

-- How often sound and picture agree.
SELECT agreement, count(*) AS matches, avg(audio_score) AS audio_score,
    avg(video_score) AS video_score
FROM modality_agreement
GROUP BY agreement
ORDER BY matches DESC, agreement

SELECT match_id, score, audio_score, video_score
FROM match
WHERE score NOT BETWEEN 0 AND 1
   OR audio_score NOT BETWEEN 0 AND 1
   OR video_score NOT BETWEEN 0 AND 1

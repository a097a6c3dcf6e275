-- A scan replaces the matches between its probe and everything that the searched snapshot held,
-- also when it found none. Pairs that it could not see (media indexed later) belong to the scan
-- in the other direction and stay.
DELETE FROM match
WHERE match_id IN (
    SELECT m.match_id
    FROM staged_match_scan AS s
    JOIN match AS m ON m.ugc_id = s.probe_id
    JOIN index_entry AS e
      ON e.index_name = s.searched_index
     AND e.fingerprinter = s.fingerprinter
     AND e.media_id = m.licensed_id
     AND e.first_version <= s.searched_version
    WHERE s.direction = 'forward'
    UNION ALL
    SELECT m.match_id
    FROM staged_match_scan AS s
    JOIN match AS m ON m.licensed_id = s.probe_id
    JOIN index_entry AS e
      ON e.index_name = s.searched_index
     AND e.fingerprinter = s.fingerprinter
     AND e.media_id = m.ugc_id
     AND e.first_version <= s.searched_version
    WHERE s.direction = 'reverse'
)

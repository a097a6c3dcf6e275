SELECT count(*) AS known FROM exclusion

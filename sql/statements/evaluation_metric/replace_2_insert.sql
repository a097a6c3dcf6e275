INSERT INTO evaluation_metric BY NAME
SELECT DISTINCT *
FROM staged_evaluation_metric

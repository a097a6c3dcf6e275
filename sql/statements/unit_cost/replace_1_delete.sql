DELETE FROM unit_cost WHERE unit_id IN (SELECT unit_id FROM staged_unit_cost)

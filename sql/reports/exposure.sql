-- Titles by how much of them was uploaded.
FROM exposure
ORDER BY minutes DESC, licensed_id

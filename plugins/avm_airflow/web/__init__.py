"""The page inside Airflow: matches to see, hear and decide, served by the API server."""

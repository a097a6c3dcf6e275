"""What runs AVM on one machine without containers: the object store and Airflow."""

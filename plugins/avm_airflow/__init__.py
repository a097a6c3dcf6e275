"""How Airflow calls AVM: assets, hook, operators and the defaults of every DAG."""

"""Airflow imports a module of this name, wherever it starts, for the policies of a deployment."""

from avm_airflow.placement import task_policy

__all__ = ["task_policy"]

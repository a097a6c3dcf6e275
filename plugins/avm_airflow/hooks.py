"""The only bridge from Airflow's connections to AVM's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from avm_core.config import Settings
    from avm_core.pipeline.platform import Platform

DEFAULT_CONN_ID = "avm_s3"


class AvmHook(BaseHook):
    """Settings from the `AVM_*` environment, credentials from an Airflow connection.

    The connection is of type `aws`: login and password are the keys, the extras `endpoint_url`
    and `region_name` are optional. Without such a connection `AVM_S3__*` stays in force.
    """

    conn_name_attr = "avm_conn_id"
    default_conn_name = DEFAULT_CONN_ID

    def __init__(self, avm_conn_id: str = DEFAULT_CONN_ID) -> None:
        super().__init__()
        self.avm_conn_id = avm_conn_id

    def get_settings(self) -> Settings:
        """Raises `BadSettings` for a wrong `AVM_*` variable."""
        from avm_core.config import S3Config, load_settings

        settings = load_settings()
        try:
            connection = self.get_connection(self.avm_conn_id)
        except AirflowNotFoundException:
            return settings
        extra = connection.extra_dejson
        s3 = S3Config(
            endpoint_url=extra.get("endpoint_url") or settings.s3.endpoint_url,
            access_key=connection.login or None,
            secret_key=connection.password or None,
            region=extra.get("region_name") or settings.s3.region,
            connection_name=f"Airflow connection '{self.avm_conn_id}'",
        )
        return settings.model_copy(update={"s3": s3})

    def get_platform(self) -> Platform:
        """The platform that every stage of the pipeline takes."""
        from avm_core.pipeline.platform import Platform

        return Platform(self.get_settings())

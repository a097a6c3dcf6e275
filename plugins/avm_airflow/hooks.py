"""The only bridge from Airflow's connections to AVM's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowNotFoundException

if TYPE_CHECKING:
    from avm_core.config import S3Config, Settings
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
        from avm_core.config import load_settings

        settings = load_settings()
        # Airflow fails a task whose result is a longer list than it may map over.
        longest = conf.getint("core", "max_map_length", fallback=1024)
        pipeline = settings.pipeline
        if pipeline.max_batches > longest:
            pipeline = pipeline.model_copy(update={"max_batches": longest})
        s3 = self._s3(settings.s3)
        return settings.model_copy(update={"s3": s3, "pipeline": pipeline})

    def _s3(self, given: S3Config) -> S3Config:
        """The connection, or what the environment gives where there is no connection."""
        from avm_core.config import S3Config

        try:
            connection = self.get_connection(self.avm_conn_id)
        except AirflowNotFoundException:
            missing = (
                f"Airflow connection '{self.avm_conn_id}', which does not exist (create it: "
                f"airflow connections add {self.avm_conn_id} --conn-type aws --conn-login KEY "
                """--conn-password SECRET --conn-extra '{"endpoint_url": "https://…"}'), """
                "or the variables AVM_S3__*"
            )
            return given.model_copy(update={"connection_name": missing})
        extra = connection.extra_dejson
        return S3Config(
            endpoint_url=extra.get("endpoint_url") or given.endpoint_url,
            access_key=connection.login or None,
            secret_key=connection.password or None,
            region=extra.get("region_name") or given.region,
            connection_name=f"Airflow connection '{self.avm_conn_id}'",
        )

    def get_platform(self) -> Platform:
        """The platform that every stage of the pipeline takes."""
        from avm_core.pipeline.platform import Platform

        return Platform(self.get_settings())

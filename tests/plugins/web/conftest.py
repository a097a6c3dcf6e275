"""The page inside a real Airflow application: its login, its roles, its middlewares."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from avm_core.catalog import Catalog, migrate
from avm_core.config import CatalogConfig, Settings
from avm_core.media.write import AudioFormat, VideoFormat, write_media
from avm_core.pipeline.platform import Platform
from tests.avm_core.catalog.builders import DAY, commit, content, match, media
from tests.avm_core.media.makers import RATE, clicks, numbered

REPO = Path(__file__).resolve().parents[3]
ROLES = ("viewer", "user", "op", "admin")
# What people call their uploads, and what a page must survive.
NASTY = {
    "html": "<script>alert('title')</script><img src=x onerror=alert(1)> & \"quoted\"",
    "rtl": "مقطع فيديو \u202ekcatta\u202c كامل",
    "four": "𝔉𝔦𝔩𝔪 🎬🇺🇦 𠜎",
    "formula": '=HYPERLINK("http://evil.example","win")',
    "long": "слово" * 200,
}

Client = Callable[..., TestClient]


@dataclass(frozen=True)
class Site:
    """`client(role)` is a browser that is logged in; `platform` holds what it sees."""

    platform: Platform
    client: Client
    matches: dict[str, str]
    film: bytes

    def sql(self, text: str) -> list[dict[str, Any]]:
        with self.platform.catalog() as catalog:
            return catalog.select(text).to_pylist()


@pytest.fixture(scope="session")
def airflow_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the application reads when it is made and at each request."""
    return {
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path_factory.mktemp("dags")),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{r}:{r}" for r in ROLES),
        "AIRFLOW__API__SECRET_KEY": "a secret of the tests, long enough to sign with",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of the tests, " * 4,
        "AIRFLOW__API__BASE_URL": "http://testserver",
    }


@pytest.fixture(scope="session")
def airflow_app(airflow_env: dict[str, str]) -> Any:
    """Airflow's API server with the plugin, on a database of its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in airflow_env.items():
            patch.setenv(name, value)
        from airflow import settings
        from airflow.utils.db import initdb

        # `import airflow` has done the rest, and its policies may be registered only once.
        settings.configure_vars()
        settings.configure_orm()
        initdb()
        from airflow.api_fastapi.app import create_app

        return create_app(apps="core")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of numbered pictures and clicks."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_media(
        path,
        video=(numbered(ordinal) for ordinal in range(600)),
        audio=clicks(60, (12.0, 30.0, 45.0)),
        video_format=VideoFormat(frame_rate=Fraction(10), gop=40, bitrate=300_000),
        audio_format=AudioFormat(sample_rate=RATE),
    )
    return path


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, film: Path) -> Platform:
    """Two titles and uploads with awkward names; one object is gone, one was replaced."""
    home = tmp_path_factory.mktemp("site")
    settings = Settings(
        licensed_uri=str(home / "licensed"),
        ugc_uri=str(home / "ugc"),
        lake_uri=str(home / "lake"),
        catalog=CatalogConfig(dsn=f"sqlite:{home / 'catalog.sqlite'}", data_path=f"{home}/rows/"),
    )
    made = Platform(settings)
    migrate(settings.catalog)
    data = film.read_bytes()
    rows = []
    for role, names in (("licensed", ("t1", "t2")), ("ugc", ("u1", *NASTY, "gone", "new"))):
        store = made.media_store(role)
        for number, name in enumerate(names):
            etag = store.put(f"{name}.mp4", data)
            rows.append(
                media(
                    name,
                    role,
                    uri=f"{store.uri}/{name}.mp4",
                    etag=etag,
                    size_bytes=len(data),
                    title=NASTY.get(name, f"Film {name}"),
                    uploader=None if role == "licensed" else f"channel {number % 2}",
                    views=None if role == "licensed" else 1000 * number,
                    rights_holder="Mosfilm" if name == "t1" else None,
                    gone_at=DAY if name == "gone" else None,
                )
            )
    made.media_store("ugc").delete("gone.mp4")
    made.media_store("ugc").put("new.mp4", b"somebody wrote another film here")
    planted = [
        match(row["media_id"], title, found_at=DAY + timedelta(hours=number), score=0.5 + 0.04 * n)
        for number, row in enumerate(rows)
        if row["role"] == "ugc"
        for n, title in enumerate(("t1", "t2"))
    ]
    with Catalog.open(settings.catalog) as catalog:
        commit(
            catalog,
            home / "staged",
            {
                "media": rows,
                "media_content": [content(row["media_id"], duration=600.0) for row in rows],
                "match": planted,
            },
        )
    return made


@pytest.fixture(scope="module")
def site(
    platform: Platform, airflow_app: Any, airflow_env: dict[str, str], film: Path
) -> Iterator[Site]:
    """For one module at a time: what it sets must not reach the tests of other parts."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    def client(role: str | None = None, *, token: str | None = None) -> TestClient:
        opened = TestClient(airflow_app, raise_server_exceptions=False, follow_redirects=False)
        if role is not None:
            user = SimpleAuthManagerUser(username=role, role=role)
            token = get_auth_manager().generate_jwt(user)
        if token is not None:
            opened.cookies.set("_token", token)
        return opened

    with pytest.MonkeyPatch.context() as patch:
        from avm_airflow.web import catalogs

        values = platform.settings
        for name, value in {
            **airflow_env,
            "AVM_LICENSED_URI": values.licensed_uri,
            "AVM_UGC_URI": values.ugc_uri,
            "AVM_LAKE_URI": values.lake_uri,
            "AVM_CATALOG__DSN": values.catalog.dsn,
            "AVM_CATALOG__DATA_PATH": values.catalog.data_path,
        }.items():
            patch.setenv(name, value)
        catalogs.platform.cache_clear()
        rows = {}
        with platform.catalog() as catalog:
            for row in catalog.select("FROM match").to_pylist():
                rows[f"{row['ugc_id']}-{row['licensed_id']}"] = row["match_id"]
        yield Site(platform, client, rows, film.read_bytes())
        catalogs.platform.cache_clear()


def modules_of(code: str) -> set[str]:
    """What a fresh interpreter has imported after `code`."""
    import subprocess

    text = f"{code}\nimport sys; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "plugins")])},
    )
    return set(done.stdout.split())

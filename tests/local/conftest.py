"""The demo's uploads, made once for all tests of `local`."""

import pytest

from local.corpus import build_uploads


@pytest.fixture(scope="session")
def demo_uploads(tmp_path_factory):
    """`(folder, uploads)` of the whole demo corpus."""
    folder = tmp_path_factory.mktemp("demo_uploads")
    return folder, build_uploads(folder)

"""Makes the buckets and the tables that the `AVM_*` environment names."""

from __future__ import annotations

import sys

from avm_core.catalog import migrate
from avm_core.config import load_settings
from avm_core.storage import ensure_bucket, open_store


def main() -> None:
    """Idempotent; raises `AvmError` when the store or the catalog refuses. With the argument
    `--empty`, what is in the buckets is deleted."""
    settings = load_settings()
    for uri in (settings.licensed_uri, settings.ugc_uri, settings.lake_uri):
        ensure_bucket(uri, settings.s3)
        if "--empty" in sys.argv[1:]:
            store = open_store(uri, settings.s3)
            for key in [info.key for info in store.list()]:
                store.delete(key)
    migrate(settings.catalog, s3=settings.s3)


if __name__ == "__main__":
    main()

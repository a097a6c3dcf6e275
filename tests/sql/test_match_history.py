"""What changed between two nights and why."""

from datetime import timedelta
from pathlib import Path

from avm_core.catalog import Catalog
from avm_core.config import CatalogConfig
from tests.avm_core.catalog.builders import DAY, commit, entry, match, media, scan
from tests.avm_core.catalog.claims import read


def test_history_tells_what_began_and_ended_and_why(config: CatalogConfig, tmp_path: Path) -> None:
    night = [DAY + timedelta(days=n) for n in range(4)]
    with Catalog.open(config) as catalog:
        commit(
            catalog,
            tmp_path,
            {
                "media": [media("u1"), media("l1", "licensed"), media("l2", "licensed")],
                "index_entry": [entry("licensed_audio", "l1", 1), entry("ugc_audio", "u1", 1)],
                "match_scan": [scan("u1", "forward", 1)],
                "match": [match("u1", "l1", found_at=night[0])],
            },
        )
        # A title that comes later is found backwards; the first match goes on.
        late = match("u1", "l2", start=60.0, direction="reverse", found_at=night[1])
        rows = {"match": [late], "match_scan": [scan("l2", "reverse", 1)]}
        commit(catalog, tmp_path, rows, kind="reverse")
        again = match("u1", "l1", found_at=night[2])
        rows = {"match": [again], "match_scan": [scan("u1", "forward", 1, scanned_at=night[2])]}
        commit(catalog, tmp_path, rows, kind="forward")
        gone = [scan("u1", "forward", 1, scanned_at=night[3])]
        commit(catalog, tmp_path, {"match_scan": gone}, kind="forward")
    events = [
        (r["event"], r["reason"], r["licensed_id"], r["ugc_start"])
        for r in read(config, "FROM match_history ORDER BY happened_at")
    ]
    assert events == [
        ("found", "new upload", "l1", 10.0),
        ("found", "new licence", "l2", 60.0),
        ("ended", "rematch", "l1", 10.0),
    ]

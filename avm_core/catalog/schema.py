"""The tables as data: one Arrow schema per table, equal to what the migrations create."""

from __future__ import annotations

import pyarrow as pa

_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "time": pa.timestamp("us", tz="UTC"),
}


def _schema(text: str) -> pa.Schema:
    """`name:type` words; a trailing "?" allows NULL."""
    fields = []
    for word in text.split():
        name, kind = word.split(":")
        fields.append(pa.field(name, _TYPES[kind.rstrip("?")], nullable=kind.endswith("?")))
    return pa.schema(fields)


TABLES: dict[str, pa.Schema] = {
    "media": _schema(
        "media_id:text role:text uri:text version_id:text etag:text size_bytes:bigint title:text "
        "licensed_from:time? uploaded_at:time? discovered_at:time"
    ),
    "media_content": _schema(
        "media_id:text content_id:text duration:double audio_codec:text? video_codec:text? "
        "width:int? height:int? probed_at:time"
    ),
    "media_fingerprint": _schema(
        "media_id:text modality:text fingerprinter:text status:text content_id:text? "
        "artefact_uri:text? windows:bigint valid_windows:bigint dims:int bytes:bigint "
        "fingerprinted_at:time"
    ),
    "media_error": _schema(
        "media_id:text stage:text error_class:text message:text terminal:bool occurred_at:time"
    ),
    "index_snapshot": _schema(
        "snapshot_id:text index_name:text version:bigint fingerprinter:text manifest_uri:text "
        "windows:bigint media_count:bigint bytes:bigint parent_id:text? published_at:time"
    ),
    "index_entry": _schema(
        "index_name:text fingerprinter:text media_id:text first_version:bigint "
        "removed_version:bigint?"
    ),
    "match_scan": _schema(
        "probe_id:text direction:text modality:text searched_index:text searched_version:bigint "
        "fingerprinter:text matcher_version:text unit_id:text scanned_at:time"
    ),
    "match": _schema(
        "match_id:text ugc_id:text licensed_id:text ugc_start:double ugc_end:double "
        "licensed_start:double licensed_end:double speed:double score:double modality:text "
        "audio_score:double video_score:double direction:text audio_snapshot:text? "
        "video_snapshot:text? audio_fingerprinter:text? video_fingerprinter:text? "
        "matcher_version:text unit_id:text found_at:time exclusions:bigint?"
    ),
    "exclusion": _schema(
        "exclusion_id:text media_id:text other_id:text start_s:double end_s:double score:double "
        "modality:text audio_fingerprinter:text? video_fingerprinter:text? matcher_version:text "
        "unit_id:text found_at:time"
    ),
    "evaluation": _schema(
        "evaluation_id:text configuration_id:text run_id:text experiment:bool set_name:text "
        "set_digest:text split:text modality:text edits:text audio_fingerprinter:text? "
        "video_fingerprinter:text? matcher_version:text index_version:text code_version:text "
        "settings_changed:text point:text titles:bigint uploads:bigint media_seconds:double "
        "seconds:double started_at:time ended_at:time"
    ),
    "evaluation_metric": _schema(
        "evaluation_id:text edit:text strength:text metric:text value:double? low:double? "
        "high:double? gain:double? gain_low:double? gain_high:double?"
    ),
    "commit_ledger": _schema(
        "unit_id:text kind:text input_digest:text rows:bigint committed_at:time"
    ),
    "commit_serial": _schema("serial:bigint"),
    "migration": _schema("name:text sha256:text applied_at:time"),
}

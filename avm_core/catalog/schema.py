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


_MATCH = (
    "match_id:text ugc_id:text licensed_id:text ugc_start:double ugc_end:double "
    "licensed_start:double licensed_end:double speed:double score:double modality:text "
    "audio_score:double video_score:double direction:text audio_snapshot:text? "
    "video_snapshot:text? audio_fingerprinter:text? video_fingerprinter:text? "
    "matcher_version:text unit_id:text found_at:time exclusions:bigint? "
)
_EXCLUSION = (
    "exclusion_id:text media_id:text other_id:text start_s:double end_s:double score:double "
    "modality:text audio_fingerprinter:text? video_fingerprinter:text? matcher_version:text "
    "unit_id:text found_at:time "
)

TABLES: dict[str, pa.Schema] = {
    "media": _schema(
        "media_id:text role:text uri:text version_id:text etag:text size_bytes:bigint title:text "
        "licensed_from:time? uploaded_at:time? discovered_at:time rights_holder:text? "
        "territories:text? licensed_until:time? uploader:text? views:bigint? gone_at:time?"
    ),
    "metadata_file": _schema(
        "uri:text role:text kind:text etag:text media_uri:text? problem:text? read_at:time "
        "gone_at:time?"
    ),
    "media_metadata": _schema(
        "media_uri:text source:text file_uri:text title:text? rights_holder:text? "
        "territories:text? licensed_from:time? licensed_until:time? uploader:text? "
        "uploaded_at:time? views:bigint? problem:text? read_at:time"
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
        "media_id:text stage:text error_class:text message:text terminal:bool occurred_at:time "
        "attempts:int? next_attempt_at:time?"
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
        "fingerprinter:text matcher_version:text unit_id:text scanned_at:time "
        "first_day:text? last_day:text?"
    ),
    "match": _schema(_MATCH),
    "match_past": _schema(f"{_MATCH} ended_at:time ended_by:text"),
    "exclusion": _schema(_EXCLUSION),
    "exclusion_past": _schema(f"{_EXCLUSION} ended_at:time"),
    "removal": _schema("removal_id:text media_id:text reason:text removed_by:text removed_at:time"),
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
    "decision": _schema(
        "decision_id:text ugc_id:text licensed_id:text verdict:text licensed_start:double "
        "licensed_end:double ugc_start:double ugc_end:double note:text decided_by:text "
        "decided_at:time source:text undone_by:text? undone_at:time?"
    ),
    "policy": _schema("policy_id:text policy_version:bigint saved_by:text saved_at:time note:text"),
    "policy_rule": _schema(
        "policy_id:text priority:int name:text action:text reason:text min_length:double? "
        "max_length:double? min_share_of_upload:double? max_share_of_upload:double? "
        "min_share_of_title:double? max_share_of_title:double? min_score:double? "
        "max_score:double? min_share_excluded:double? precedes_licence:bool? "
        "licence_ended:bool?"
    ),
    "policy_value": _schema("policy_id:text priority:int field:text value:text"),
    "claim": _schema(
        "match_id:text ugc_id:text ugc_title:text? ugc_uri:text? uploaded_at:time? "
        "uploader:text? views:bigint? licensed_id:text licensed_title:text? licensed_uri:text? "
        "licensed_from:time? licensed_until:time? rights_holder:text? territories:text? "
        "precedes_licence:bool? licence_ended:bool? ugc_start:double ugc_end:double "
        "licensed_start:double licensed_end:double length:double coverage:double? "
        "ugc_duration:double? licensed_duration:double? speed:double score:double modality:text "
        "audio_score:double video_score:double direction:text audio_snapshot:text? "
        "video_snapshot:text? audio_fingerprinter:text? video_fingerprinter:text? "
        "matcher_version:text found_at:time pair_segments:bigint pair_ugc_seconds:double "
        "pair_licensed_seconds:double share_of_upload:double? share_of_title:double? "
        "share_excluded:double action:text rule:text reason:text policy_version:bigint "
        "decision:text? decision_id:text? decision_note:text? decided_by:text? decided_at:time?"
    ),
    "unit_cost": _schema(
        "unit_id:text stage:text media:bigint media_seconds:double work_seconds:double "
        "finished_at:time"
    ),
    "commit_ledger": _schema(
        "unit_id:text kind:text input_digest:text rows:bigint committed_at:time"
    ),
    "commit_serial": _schema("serial:bigint"),
    "migration": _schema("name:text sha256:text applied_at:time"),
}

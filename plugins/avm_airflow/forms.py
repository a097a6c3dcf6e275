"""The forms of the trigger dialog: what a run may be told, as JSON schemas, so that a wrong value
never becomes a run."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

DISCOVER = {
    "role": Param(
        "both",
        type="string",
        enum=["both", "licensed", "ugc"],
        title="Which media",
        description="List the bucket of licensed media, that of uploads, or both.",
    ),
    "accept_gone": Param(
        False,
        type="boolean",
        title="Most of it was deleted on purpose",
        description="Discovery refuses a listing that lacks more than half of more than a hundred "
        "known media. Say yes to record them as deleted.",
    ),
}

FINGERPRINT = {
    "retry_media": Param(
        [],
        type="array",
        items={"type": "string", "pattern": "^[0-9a-f]{32}$"},
        uniqueItems=True,
        title="Media to try again",
        description="Ids of media whose failure was recorded, one a line; see the view errors.",
    ),
    "retry_errors": Param(
        [],
        type="array",
        items={"type": "string", "pattern": "^[A-Za-z]+$"},
        uniqueItems=True,
        title="Failures to try again",
        description="Error classes, such as BadMedia: all media that failed so are tried again.",
    ),
}

INDEXES = ("licensed_audio", "licensed_video", "ugc_audio", "ugc_video")

SOME_MEDIA: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 2000},
    "minItems": 1,
    "maxItems": 10_000,
    "title": "Media",
    "description": "Media ids, URIs (s3://…) or titles of licensed media, one a line.",
}
REASON: dict[str, Any] = {
    "type": "string",
    "minLength": 3,
    "maxLength": 500,
    "title": "Reason",
    "description": "Kept with the removal, as: licence ended on 1 May.",
}
INDEX: dict[str, Any] = {
    "type": "string",
    "enum": ["all", *INDEXES],
    "title": "Index",
    "description": "Which index.",
}
HOW: dict[str, Any] = {
    "type": "string",
    "enum": ["compact", "full"],
    "title": "How",
    "description": "compact: small segments and removed windows; full: every segment anew.",
}
GRAPH: dict[str, dict[str, Any]] = {
    "connectivity": {
        "type": ["null", "integer"],
        "minimum": 4,
        "maximum": 128,
        "title": "Connectivity",
        "description": "Edges of a graph's nodes; empty: as in the settings.",
    },
    "expansion_add": {
        "type": ["null", "integer"],
        "minimum": 16,
        "maximum": 1024,
        "title": "Expansion when adding",
        "description": "Candidates looked at for each new node; empty: as in the settings.",
    },
}

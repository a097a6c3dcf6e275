"""The forms of the trigger dialog: what a run may be told, checked before it starts."""

from __future__ import annotations

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

"""What a list may be filtered and sorted by: typed in the address, bound in the statement."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

PAGE_ROWS = 50
LAST_PAGE = 200

Action = Literal["block", "review", "track", "ignore"]
ACTIONS: tuple[Action, ...] = ("block", "review", "track", "ignore")
# What somebody has to know of; the rest is one click away.
OPEN: tuple[Action, ...] = ("block", "review", "track")
MODALITIES = ("audio", "video", "both")
Decision = Literal["none", "confirm", "reject", "exclude"]
Sort = Literal["found", "score", "length", "views", "share_of_title", "share_of_upload", "uploaded"]
SORTS: dict[str, str] = {
    "found": "newest found",
    "score": "score",
    "length": "length",
    "views": "views",
    "share_of_title": "share of title",
    "share_of_upload": "share of upload",
    "uploaded": "upload date",
}


def _blank_is_none(value: Any) -> Any:
    """A form sends its empty fields too."""
    return None if value == "" else value


def _aware(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


Blank = BeforeValidator(_blank_is_none)
Text = Annotated[str | None, Field(max_length=200), Blank]
Share = Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False), Blank]
Seconds = Annotated[float | None, Field(ge=0, le=1e7, allow_inf_nan=False), Blank]
Count = Annotated[int | None, Field(ge=0, le=2**62), Blank]
Flag = Annotated[bool | None, Blank]
When = Annotated[datetime | None, Blank]
Id = Annotated[str | None, Field(max_length=64, pattern=r"^[0-9A-Za-z_.:-]+$"), Blank]


_NOT_BOUND = {"sort", "order", "page", "action", "modality", "territory"}


class Filters(BaseModel):
    """One list of claims. Shares and scores are in [0, 1], lengths in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: Text = None
    action: list[Action] | None = None
    modality: list[Literal["audio", "video", "both"]] | None = None
    decision: Annotated[Decision | None, Blank] = None
    direction: Annotated[Literal["forward", "reverse"] | None, Blank] = None
    ugc_id: Id = None
    licensed_id: Id = None
    rights_holder: Text = None
    uploader: Text = None
    territory: Annotated[str | None, Field(pattern=r"^[A-Za-z]{2}$"), Blank] = None
    rule: Text = None
    min_score: Share = None
    max_score: Share = None
    min_length: Seconds = None
    max_length: Seconds = None
    min_share: Share = None
    min_views: Count = None
    precedes: Flag = None
    speed_changed: Flag = None
    found_from: When = None
    found_to: When = None
    sort: Sort = "found"
    order: Literal["desc", "asc"] = "desc"
    page: Annotated[int, Field(ge=1, le=LAST_PAGE)] = 1

    @field_validator("found_from", "found_to")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        return _aware(value)

    @property
    def actions(self) -> tuple[Action, ...]:
        """Of what is listed; without a choice, all that is not ignored."""
        return tuple(self.action) if self.action else OPEN

    def conditions(self) -> dict[str, Any]:
        """Parameters of every statement that filters claims."""
        values = self.model_dump(exclude=_NOT_BOUND)
        return values | {
            "actions": list(self.actions),
            "modalities": self.modality,
            "territory": self.territory.upper() if self.territory else None,
        }

    def place(self) -> dict[str, Any]:
        """Parameters that sort and cut: one row more than is shown tells of a next page."""
        return {
            "sort": self.sort,
            "sign": -1.0 if self.order == "desc" else 1.0,
            "first": (self.page - 1) * PAGE_ROWS,
            "rows": PAGE_ROWS + 1,
        }

    def address(self, **changes: Any) -> str:
        """The query of this list with `changes`; what is at its default is left out."""
        values = self.model_dump(mode="json", exclude_defaults=True) | changes
        pairs = [(name, value) for name, value in values.items() if value not in (None, "", [])]
        return urlencode(pairs, doseq=True)

    def chosen(self) -> dict[str, Any]:
        """The filters that are set, by name, without sort and page."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        return {k: v for k, v in values.items() if k not in ("sort", "order", "page")}


Chosen = Annotated[Filters, Query()]

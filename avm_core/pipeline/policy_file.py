"""A policy as a file: rules in TOML, read strictly and written back."""

from __future__ import annotations

import json
import tomllib
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from avm_core.errors import BadSettings
from avm_core.pipeline.staging import Rows

Seconds = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="two capital letters (ISO 3166)")]
Values = Annotated[tuple[Line, ...], Field(min_length=1, max_length=100_000)]

LISTS = ("modalities", "territories", "uploaders", "rights_holders", "titles")
# What claims say of matches that a person decided or that no rule fits.
_RESERVED = ("decision", "none")


class Rule(BaseModel):
    """One rule; a condition that is left out is not asked. `min` is included, `max` is not."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    priority: Annotated[int, Field(ge=0, le=1_000_000)]
    name: Line
    action: Literal["block", "review", "track", "ignore"]
    reason: Line
    min_length: Seconds | None = None
    max_length: Seconds | None = None
    min_share_of_upload: Share | None = None
    max_share_of_upload: Share | None = None
    min_share_of_title: Share | None = None
    max_share_of_title: Share | None = None
    min_score: Share | None = None
    max_score: Share | None = None
    min_share_excluded: Share | None = None
    precedes_licence: bool | None = None
    licence_ended: bool | None = None
    modalities: tuple[Literal["audio", "video", "both"], ...] | None = Field(None, min_length=1)
    territories: tuple[Country, ...] | None = Field(None, min_length=1)
    uploaders: Values | None = None
    rights_holders: Values | None = None
    titles: Values | None = None

    @property
    def conditions(self) -> dict[str, Any]:
        """What the rule asks for, by field."""
        fixed = ("priority", "name", "action", "reason")
        return {k: v for k, v in self if k not in fixed and v is not None}

    @model_validator(mode="after")
    def _can_fit(self) -> Self:
        if self.name in _RESERVED:
            raise ValueError(f"name {self.name!r} is what claims say without a rule")
        for field in ("length", "share_of_upload", "share_of_title", "score"):
            low, high = getattr(self, f"min_{field}"), getattr(self, f"max_{field}")
            if low is not None and high is not None and low >= high:
                raise ValueError(f"min_{field} {low} must be less than max_{field} {high}")
        return self


class Policy(BaseModel):
    """Rules in order of priority; the last one has no conditions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    note: Annotated[str, Field(max_length=2_000)] = ""
    rule: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for field in ("priority", "name"):
            given = [getattr(rule, field) for rule in self.rule]
            twice = sorted({str(value) for value in given if given.count(value) > 1})
            if twice:
                raise ValueError(f"{field} {', '.join(twice)} belongs to several rules")
        last = max(self.rule, key=lambda rule: rule.priority)
        if last.conditions:
            raise ValueError(
                f"the last rule, {last.name!r}, has conditions ({', '.join(last.conditions)}); add "
                "one without any, so that every match has an action"
            )
        return self

    @property
    def ordered(self) -> list[Rule]:
        """The rules as they are tried."""
        return sorted(self.rule, key=lambda rule: rule.priority)

    def rows(self, policy_id: str) -> tuple[Rows, Rows]:
        """Rows of `policy_rule` and of `policy_value`."""
        rules = [
            {"policy_id": policy_id} | rule.model_dump(exclude=set(LISTS)) for rule in self.ordered
        ]
        values = [
            {"policy_id": policy_id, "priority": rule.priority, "field": field, "value": value}
            for rule in self.ordered
            for field in LISTS
            for value in sorted(set(getattr(rule, field) or ()))
        ]
        return rules, values


def parse_policy(text: str, *, where: str) -> Policy:
    """The policy in a TOML text; raises `BadSettings` that names the rule, the field and what is
    allowed there."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{where} is not TOML: {error}") from error
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        raise BadSettings(f"{where}: {_explain(error, content)}") from error


def _explain(error: ValidationError, content: dict[str, Any]) -> str:
    first = error.errors()[0]
    path = list(first["loc"])
    place, model = "", Policy if len(path) < 3 and path[:1] != ["rule"] else Rule
    if path[:1] == ["rule"] and len(path) > 1 and isinstance(path[1], int):
        name = content["rule"][path[1]].get("name") if _is_rule(content, path[1]) else None
        place = f"rule {path[1] + 1}" + (f" ({name})" if name else "") + ": "
        path = path[2:]
    field = ".".join(str(part) for part in path)
    if first["type"] == "extra_forbidden":
        fields: type[BaseModel] = Rule if model is Rule else Policy
        return f"{place}there is no field {field!r}; allowed: {', '.join(fields.model_fields)}"
    message = first["msg"].removeprefix("Value error, ")
    given = f", not {first['input']!r}" if field and not isinstance(first["input"], dict) else ""
    return place + (f"{field}: " if field else "") + message + given


def _is_rule(content: dict[str, Any], number: int) -> bool:
    return isinstance(content["rule"], list) and isinstance(content["rule"][number], dict)


def policy_text(policy: Policy) -> str:
    """The policy as TOML that `parse_policy` reads back."""
    lines = [f"note = {_toml(policy.note)}"]
    for rule in policy.ordered:
        lines += ["", "[[rule]]"]
        lines += [f"{name} = {_toml(value)}" for name, value in rule if value is not None]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    # A JSON string is a TOML string but for the one control character that JSON leaves alone.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

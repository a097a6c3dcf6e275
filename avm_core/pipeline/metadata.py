"""What manifests, sidecars and object metadata say about media, checked field by field.

A field that cannot be understood is left out and named in a problem: a typing error must not keep
a file out of the inventory. Only a file that cannot be read at all is a `BadMetadata`.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from avm_core.errors import BadMetadata

Kind = Literal["manifest", "sidecar"]

SIDECAR_SUFFIX = ".json"
_MAX_TEXT = 2_000
_MAX_VIEWS = 2**63 - 1
_TIME = "an ISO 8601 time such as 2026-01-31 or 2026-01-31T18:00:00Z"
_TERRITORIES = "ISO 3166 codes of two letters such as DE, AT"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Said:
    """What one source says about one media: columns of `media_metadata`, and what is wrong."""

    values: dict[str, Any]
    problem: str | None = None


def kind_of(key: str) -> Kind | None:
    """Whether an object describes media: `<key>.json`, `_manifest.csv`, `<name>.manifest.csv`."""
    name = PurePosixPath(key).name.lower()
    if name.endswith(SIDECAR_SUFFIX):
        return "sidecar"
    manifest = name == "_manifest.csv" or name.endswith(".manifest.csv")
    return "manifest" if manifest else None


# --- fields -------------------------------------------------------------------------------------


def _text(value: Any) -> str | None:
    if isinstance(value, bool | list | dict):
        raise ValueError(f"{value!r:.80} is not a text")
    text = str(value).strip()
    if len(text) > _MAX_TEXT:
        raise ValueError(f"{len(text)} characters; write at most {_MAX_TEXT}")
    if _CONTROL.search(text) or (not text.isascii() and _unencodable(text)):
        raise ValueError("holds control characters or halves of characters; write plain text")
    return text or None


def _unencodable(text: str) -> bool:
    # JSON may spell half of a surrogate pair, which no UTF-8 file can hold.
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _parsed(value: Any) -> tuple[datetime, bool]:
    """The aware time and whether it was a day alone."""
    text = value.strip() if isinstance(value, str) else ""
    try:
        time = datetime.fromisoformat(text)
        aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{value!r:.80} is not a time; write {_TIME}") from error
    return aware, not re.search(r"[T ]", text)


def _time(value: Any) -> datetime:
    return _parsed(value)[0]


def _until(value: Any) -> datetime:
    """The first moment after a licence: a day alone is the last day that it covers."""
    time, is_day = _parsed(value)
    return time + timedelta(days=1) if is_day else time


def _territories(value: Any) -> str | None:
    parts = value if isinstance(value, list) else re.split(r"[\s,;|]+", str(value).strip())
    codes = [str(part).strip().upper() for part in parts if str(part).strip()]
    wrong = [code for code in codes if not re.fullmatch(r"[A-Z]{2}", code)]
    if wrong or isinstance(value, bool | dict):
        raise ValueError(f"{(wrong or [value])[0]!r:.80} is no territory; write {_TERRITORIES}")
    return ",".join(dict.fromkeys(codes)) or None


def _views(value: Any) -> int:
    text = "" if isinstance(value, bool) else str(value).strip()
    if not re.fullmatch(r"\d{1,19}", text) or int(text) > _MAX_VIEWS:
        raise ValueError(f"{value!r:.80} is not a count; write a whole number, 0 or more")
    return int(text)


_Text = Annotated[str | None, BeforeValidator(_text)]
_Time = Annotated[datetime | None, BeforeValidator(_time)]


class _Fields(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    title: _Text = None
    rights_holder: _Text = None
    territories: Annotated[str | None, BeforeValidator(_territories)] = None
    licensed_from: _Time = None
    licensed_until: Annotated[datetime | None, BeforeValidator(_until)] = None
    uploader: _Text = None
    uploaded_at: _Time = None
    views: Annotated[int | None, BeforeValidator(_views)] = None


FIELDS = tuple(_Fields.model_fields)


def parse_fields(pairs: Mapping[str, Any], *, where: str, line: int = 0) -> Said:
    """The fields that are understood; `where` names the file in problems, `line` its line.

    Names may be written with dashes or blanks; empty values say nothing; other fields are
    ignored unless they look like a misspelt one of ours.
    """
    named = {_name(name): value for name, value in pairs.items()}
    given = {k: v for k, v in named.items() if v is not None and v != ""}
    place = f"{where}, line {line}" if line else where
    problems = _misspelt(given, place)
    try:
        fields = _Fields.model_validate({k: v for k, v in given.items() if k in FIELDS})
    except ValidationError as error:
        for found in error.errors(include_url=False):
            field = str(found["loc"][0])
            told = found["msg"].removeprefix("Value error, ")
            problems.append(f"{place}: field {field!r}: {told}")
            given.pop(field, None)
        fields = _Fields.model_validate({k: v for k, v in given.items() if k in FIELDS})
    values = fields.model_dump()
    first, last = values["licensed_from"], values["licensed_until"]
    if first and last and last <= first:
        problems.append(
            f"{place}: field 'licensed_until': the licence ends before it begins; correct "
            "licensed_from or licensed_until"
        )
        values["licensed_until"] = None
    return Said(values, "; ".join(problems) or None)


def _name(name: Any) -> str:
    return re.sub(r"[\s-]+", "_", str(name).strip().lower())


def _misspelt(given: Mapping[str, Any], place: str) -> list[str]:
    problems = []
    for name in given:
        near = difflib.get_close_matches(name, FIELDS, n=1, cutoff=0.85)
        if near and name not in FIELDS:
            problems.append(f"{place}: field {name!r:.80} is not known; did you mean {near[0]!r}?")
    return problems


# --- files --------------------------------------------------------------------------------------


def parse_sidecar(data: bytes, *, where: str) -> Said:
    """A JSON object with our fields. Raises `BadMetadata` if it is none."""
    try:
        value = json.loads(_decoded(data, where))
    except (ValueError, RecursionError) as error:
        raise BadMetadata(f"{where} is not JSON ({error}): write one object of fields") from error
    if not isinstance(value, dict):
        raise BadMetadata(
            f'{where} must hold one JSON object such as {{"title": "…"}}, not '
            f"{type(value).__name__}"
        )
    return parse_fields(value, where=where)


def parse_manifest(data: bytes, *, where: str) -> Iterator[tuple[str, Said]]:
    """(key, what is said) of every row; the key "" carries problems of the file itself.

    The first line names the columns, `key` among them; cells are separated by commas, semicolons
    or tabs. Raises `BadMetadata` if the file is no such table.
    """
    text = _decoded(data, where)
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [_name(name) for name in next(reader, [])]
        if "key" not in columns:
            raise BadMetadata(
                f"{where} has no column 'key': its first line must name the columns, "
                f"key,{','.join(FIELDS)}"
            )
        yield "", Said({}, "; ".join(_misspelt(dict.fromkeys(columns), where)) or None)
        for cells in reader:
            if any(cells):
                yield _row(columns, cells, where, reader.line_num)
    except csv.Error as error:
        raise BadMetadata(
            f"{where}, line {reader.line_num} is not CSV ({error}): quote cells that hold the "
            "separator, quotes or line breaks"
        ) from error


def _row(columns: list[str], cells: list[str], where: str, line: int) -> tuple[str, Said]:
    pairs = dict(zip(columns, cells, strict=False))
    key = pairs.pop("key", "").strip()
    if not key or len(cells) > len(columns):
        wrong = "no key" if not key else f"{len(cells)} cells for {len(columns)} columns"
        return "", Said({}, f"{where}, line {line}: {wrong}; the row is left out")
    # Misspelt columns are a problem of the file, not of each of its rows.
    return key, parse_fields(
        {name: cell for name, cell in pairs.items() if name in FIELDS}, where=where, line=line
    )


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadMetadata(
            f"{where} is not UTF-8 text (byte {error.start}): save it as UTF-8"
        ) from error

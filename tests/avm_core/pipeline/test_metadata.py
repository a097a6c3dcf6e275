"""What is said about media: every good field is taken over, every bad one named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from avm_core.errors import BadMetadata
from avm_core.pipeline.metadata import FIELDS, Said, kind_of, parse_manifest, parse_sidecar

GOOD = {
    "title": "Война и мир",
    "rights_holder": "Mosfilm",
    "territories": "de, at;CH ru",
    "licensed_from": "2026-01-31",
    "licensed_until": "2026-12-31",
    "uploader": "anna",
    "uploaded_at": "2026-02-03T04:05:06+03:00",
    "views": "12",
}


def said(text: str) -> Said:
    return parse_sidecar(text.encode(), where="'f.json'")


def rows(data: str | bytes) -> dict[str, Said]:
    raw = data.encode() if isinstance(data, str) else data
    return dict(parse_manifest(raw, where="'m.csv'"))


def test_all_fields_are_understood_from_csv() -> None:
    cells = ",".join(f'"{value}"' for value in GOOD.values())
    found = rows(f"key,{','.join(GOOD)}\na b.mp4,{cells}\n")
    assert found["a b.mp4"].problem is None
    assert found["a b.mp4"].values == {
        "title": "Война и мир",
        "rights_holder": "Mosfilm",
        "territories": "DE,AT,CH,RU",
        "licensed_from": datetime(2026, 1, 31, tzinfo=UTC),
        # A day alone is the last one that the licence covers.
        "licensed_until": datetime(2027, 1, 1, tzinfo=UTC),
        "uploader": "anna",
        "uploaded_at": datetime(2026, 2, 3, 1, 5, 6, tzinfo=UTC),
        "views": 12,
    }
    assert set(GOOD) == set(FIELDS)


def test_a_sidecar_may_use_json_types() -> None:
    found = said('{"territories": ["de", "FR"], "views": 7, "title": 1984, "uploader": null}')
    assert found.problem is None
    assert found.values["territories"] == "DE,FR"
    assert (found.values["views"], found.values["title"]) == (7, "1984")
    assert found.values["uploader"] is None


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("licensed_from", '"soon"', "ISO 8601"),
        ("licensed_from", "20260131", "ISO 8601"),
        ("uploaded_at", '"0001-01-01T00:00:00+09:00"', "ISO 8601"),
        ("territories", '"Germany"', "ISO 3166"),
        ("territories", '["DE", 3]', "ISO 3166"),
        ("views", "-1", "whole number"),
        ("views", "1.5", "whole number"),
        ("views", "true", "whole number"),
        ("views", "99999999999999999999", "whole number"),
        ("title", '{"en": "x"}', "not a text"),
        ("title", r'"\ud800"', "plain text"),
        ("title", r'"a\u0000b"', "plain text"),
        ("title", '"' + "x" * 2001 + '"', "at most 2000"),
    ],
)
def test_a_bad_field_is_named_and_the_others_are_kept(
    field: str, value: str, expected: str
) -> None:
    found = said(f'{{"rights_holder": "kept", "{field}": {value}}}')
    assert found.values["rights_holder"] == "kept"
    assert found.values[field] is None
    assert found.problem
    for part in ("'f.json'", f"'{field}'", expected):
        assert part in found.problem


def test_a_licence_that_ends_before_it_begins_is_a_problem() -> None:
    found = said('{"licensed_from": "2026-02-01", "licensed_until": "2026-01-01"}')
    assert found.values["licensed_until"] is None
    assert found.values["licensed_from"] == datetime(2026, 2, 1, tzinfo=UTC)
    assert "ends before it begins" in (found.problem or "")


def test_a_misspelt_field_is_noticed_and_foreign_ones_are_not() -> None:
    found = said('{"licenced_from": "2026-01-01", "codec": "h264", "Rights Holder": "me"}')
    assert "did you mean 'licensed_from'" in (found.problem or "")
    assert "codec" not in (found.problem or "")
    assert found.values["rights_holder"] == "me"


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"{", "not JSON"), (b"[1]", "one JSON object"), (b"\xff{}", "UTF-8"), (b"", "not JSON"),
     (b"[" * 100_000, "not JSON")],
)  # fmt: skip
def test_a_sidecar_that_is_no_object_says_what_it_should_be(data: bytes, expected: str) -> None:
    with pytest.raises(BadMetadata, match=expected) as caught:
        parse_sidecar(data, where="'f.json'")
    assert "'f.json'" in str(caught.value)


def test_a_manifest_of_a_spreadsheet() -> None:
    data = '\ufeffKey;Title;Licensed from\r\n"a;1.mp4";"Two\r\nlines";2026-01-01\r\n;;\r\n'
    found = rows(data)
    assert found["a;1.mp4"].values["title"] == "Two\r\nlines"
    assert found["a;1.mp4"].values["licensed_from"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert set(found) == {"", "a;1.mp4"}


def test_bad_rows_of_a_manifest_name_their_line() -> None:
    found = rows("key,views\na.mp4,many\nb.mp4,3\n,4\nc.mp4,1,2\n")
    assert "line 2: field 'views'" in (found["a.mp4"].problem or "")
    assert found["b.mp4"] == Said({**dict.fromkeys(FIELDS), "views": 3})
    told = [s.problem for k, s in parse_manifest(b"key,views\n,4\nc,1,2\n", where="m") if not k]
    assert told == [
        None,
        "m, line 2: no key; the row is left out",
        "m, line 3: 3 cells for 2 columns; the row is left out",
    ]


def test_misspelt_columns_are_told_once() -> None:
    found = rows("key,licenced_from\na.mp4,2026-01-01\nb.mp4,2026-01-01\n")
    assert "did you mean 'licensed_from'" in (found[""].problem or "")
    assert found["a.mp4"].problem is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"name,title\na,b\n", "no column 'key'"),
        (b"", "no column 'key'"),
        (b'key,title\na,"open', "line 2 is not CSV"),
        ("key,title\na,жук".encode("cp1251"), "UTF-8"),
        (b"key,title\na," + b"x" * 200_000, "is not CSV"),
    ],
)
def test_a_manifest_that_is_no_table_says_what_it_should_be(data: bytes, expected: str) -> None:
    with pytest.raises(BadMetadata, match=expected):
        rows(data)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("a.mp4.json", "sidecar"), ("x/A.JSON", "sidecar"), ("_manifest.csv", "manifest"),
        ("x/_manifest.csv", "manifest"), ("x/may.manifest.csv", "manifest"),
        ("manifest.csv", None), ("a.csv", None), ("a.mp4", None), ("a.json/b.mp4", None),
    ],
)  # fmt: skip
def test_descriptions_are_known_by_their_names(key: str, kind: str | None) -> None:
    assert kind_of(key) == kind

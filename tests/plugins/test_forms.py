"""What a person may type into the trigger dialog, and what is refused before a run starts."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError
from avm_airflow.forms import DISCOVER, FINGERPRINT

ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("form", "name", "value"),
    [
        (DISCOVER, "role", "ugc"),
        (DISCOVER, "accept_gone", True),
        (FINGERPRINT, "retry_media", [ID]),
        (FINGERPRINT, "retry_errors", ["BadMedia", "MediaVanished"]),
    ],
)
def test_what_makes_sense_is_taken(form: dict[str, Any], name: str, value: Any) -> None:
    assert form[name].resolve() in ("both", False, [])
    assert form[name].resolve(value) == value


@pytest.mark.parametrize(
    ("form", "name", "value"),
    [
        (DISCOVER, "role", "films"),
        (DISCOVER, "role", None),
        (DISCOVER, "accept_gone", "yes"),
        (FINGERPRINT, "retry_media", ["film.mp4"]),
        (FINGERPRINT, "retry_media", ID),
        (FINGERPRINT, "retry_media", [ID, ID]),
        (FINGERPRINT, "retry_errors", ["Bad Media"]),
        (FINGERPRINT, "retry_errors", [1]),
    ],
)
def test_what_makes_none_is_refused(form: dict[str, Any], name: str, value: Any) -> None:
    with pytest.raises(ParamValidationError):
        form[name].resolve(value)


def test_every_field_says_what_it_is_for() -> None:
    for param in [*DISCOVER.values(), *FINGERPRINT.values()]:
        assert param.schema["title"]
        assert len(param.description) > 30

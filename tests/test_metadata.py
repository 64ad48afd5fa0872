"""Job metadata: read what is well-formed, and never lose a call to the rest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.metadata import CallMetadata, read_metadata


def test_known_fields_are_read() -> None:
    """The documented schema."""
    raw = json.dumps({"identity": "ann", "user": "crm-1", "language": "en-GB"})
    assert read_metadata(raw) == CallMetadata(identity="ann", user="crm-1", language="en-GB")


@pytest.mark.parametrize(
    ("raw", "event"),
    [
        ("not json", "metadata.ignored"),
        ("[1, 2]", "metadata.ignored"),
        ("[" * 100_000, "metadata.ignored"),
        ('"' + "x" * 500_000 + '"', "metadata.ignored"),
        ('{"identity": 7}', "metadata.field_ignored"),
        ('{"user": ""}', "metadata.field_ignored"),
        (json.dumps({"language": "x" * 300}), "metadata.field_ignored"),
        ('{"colour": "secret-value"}', "metadata.unknown_fields_ignored"),
    ],
)
def test_what_cannot_be_read_is_logged_and_costs_nothing(raw: str, event: str) -> None:
    """The log names the fault, never the value: it may be somebody's."""
    with capture_logs() as logs:
        assert read_metadata(raw) == CallMetadata()
    assert [entry["event"] for entry in logs] == [event]
    assert "secret-value" not in str(logs)


def test_no_metadata_is_no_fault() -> None:
    """Most dispatches have none."""
    with capture_logs() as logs:
        assert read_metadata("") == CallMetadata()
    assert logs == []


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_no_text_at_all_raises(raw: str) -> None:
    """A dispatch comes from outside."""
    assert isinstance(read_metadata(raw), CallMetadata)

"""The redactor: secrets go, what is useful stays."""

import json
import time
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import APIError, APIStatusError

from agent.redact import HIDDEN, Redactor, is_private_name, is_secret_name, printable

SECRETS = [
    "sk-proj-abcdefgh12345678",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
    "Zm9vYmFyYmF6cXV1eA==",
]


@pytest.mark.parametrize(
    "text",
    [
        "the key sk-proj-abcdefgh12345678 was refused",
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
        "Authorization: Bearer Zm9vYmFyYmF6cXV1eA==",
        "authorization: basic Zm9vYmFyYmF6cXV1eA==",
        "url='wss://h/rtc?access_token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl&x=1'",
        '{"api_key": "Zm9vYmFyYmF6cXV1eA=="}',
        "LIVEKIT_API_SECRET=Zm9vYmFyYmF6cXV1eA==",
        "redis://june:Zm9vYmFyYmF6cXV1eA==@10.0.0.1:6379/0",
        "redis://:Zm9v/YmFyYmF6@cXV1eA==@10.0.0.1:6379/0",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    """Keys, tokens and passwords go by their shape, wherever they stand in a text."""
    shown = Redactor().text(text)

    assert HIDDEN in shown
    assert not any(secret in shown for secret in [*SECRETS, "YmFyYmF6", "cXV1eA"])


@pytest.mark.parametrize(
    "text",
    [
        "wss://livekit.example.org:7880/agent",
        "input_tokens=120 output_tokens: 40, tokens: 3",
        "the task-runner asked for a risk-assessment",
        "the token bucket is empty",
        "write to june@example.org",
        "a secret is kept between friends",
    ],
)
def test_what_is_no_secret_is_left(text: str) -> None:
    """A redactor that hides too much would make logs useless."""
    assert Redactor().text(text) == text


def test_a_secret_that_was_told_is_hidden_whatever_it_looks_like() -> None:
    """LiveKit's own secrets have no shape of their own."""
    redactor = Redactor(["plain words", "plain words and more", "no"])

    assert redactor.text("it is plain words and more, no?") == f"it is {HIDDEN}, no?"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("api_key", True),
        ("apiKey", True),
        ("openai.api-key", True),
        ("LIVEKIT_API_SECRET", True),
        ("secret_key", True),
        ("token", True),
        ("access_token", True),
        ("authorization", True),
        ("password", True),
        ("input_tokens", False),
        ("token_count", False),
        ("key", False),
        ("keyboard", False),
        ("secretary", False),
        ("max_calls", False),
    ],
)
def test_a_name_tells_whether_it_holds_a_secret(name: str, secret: bool) -> None:
    """By its last word, so that a count of tokens is not hidden."""
    assert is_secret_name(name) is secret


def test_what_people_say_is_recognised_by_the_name_of_its_field() -> None:
    """Both June's own `pii.text` and LiveKit's `lk.pii.user_input`."""
    assert is_private_name("pii.text")
    assert is_private_name("lk.pii.user_input")
    assert not is_private_name("copii.text")


def test_fields_become_plain_values_without_secrets() -> None:
    """What leaves the redactor can be pickled, and written as JSON."""

    class Reason(StrEnum):
        IDLE = "idle"

    fields = Redactor().fields(
        {
            "reason": Reason.IDLE,
            "usage": [{"input_tokens": 3, "api_key": "abc", "pii.text": "hello"}],
            "error": ConnectionError("sk-proj-abcdefgh12345678"),
            "bare": TimeoutError(),
            "path": Path("/a"),
            "sound": b"\0\0",
            "share": float("nan"),
            "first_token": 0.31,
            "pii.words": "hello",
        }
    )

    assert fields == {
        "reason": "idle",
        "usage": [{"input_tokens": 3, "api_key": HIDDEN}],
        "error": f"ConnectionError: {HIDDEN}",
        "bare": "TimeoutError",
        "path": "/a",
        "sound": "[2 bytes]",
        "share": "nan",
        "first_token": 0.31,
    }


def test_a_field_that_holds_itself_ends() -> None:
    """Below a few levels the text of a value stands for it."""
    loop: dict[str, object] = {}
    loop["loop"] = loop

    assert "..." in json.dumps(Redactor().fields(loop))


@pytest.mark.parametrize(
    "error",
    [
        APIStatusError("it said 'four two'", status_code=500, body={"input": "four two"}),
        APIStatusError("four two", status_code=429, request_id="r", body={"a": {"b": "four two"}}),
        APIError("no audio frames were pushed for text: four two"),
    ],
)
def test_what_a_provider_quotes_is_hidden_as_livekit_logs_it(error: APIError) -> None:
    """Providers quote what a caller said; the status is kept."""
    for text in (
        f"failed to generate LLM completion: {error}, retrying in 0.5s",
        f"Traceback (most recent call last):\n  File x\n{type(error).__name__}: {error}\n",
    ):
        cleaned = Redactor().text(text)
        assert "four two" not in cleaned
        assert str(getattr(error, "status_code", "frames")) in cleaned


def test_control_characters_are_spelled_out() -> None:
    """A room's name must not drive the operator's terminal."""
    assert printable("a\x1b[31m\u202eb\r\ud800") == r"a\x1b[31m\u202eb\r\ud800"
    assert printable("zwei\n\tZeilen ü 😀") == "zwei\n\tZeilen ü 😀"


@pytest.mark.parametrize("piece", ["://a:", "a_", "eyJ", "sk-", "bearer ", "token=", "secret_"])
def test_a_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    """Names of rooms and people come from outside; a quadratic pattern would stop all calls."""
    text = piece * (100_000 // len(piece))
    started = time.perf_counter()
    Redactor().text(text)

    assert time.perf_counter() - started < 3.0


@given(st.text(), st.sampled_from(SECRETS), st.text())
def test_nothing_around_a_known_secret_brings_it_back(before: str, secret: str, after: str) -> None:
    """Whatever a log line says before and after it."""
    assert secret not in Redactor(SECRETS).text(before + secret + after)


@given(st.text())
def test_what_was_redacted_stays_as_it_is(text: str) -> None:
    """A job redacts, then its parent does."""
    redactor = Redactor()
    once = redactor.text(text)

    assert redactor.text(once) == once

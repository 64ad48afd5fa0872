"""What an error says about its provider, and when one that is busy wants to be asked again."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit import rtc
from livekit.agents import (
    APIConnectionError,
    APIConnectOptions,
    APIError,
    APIStatusError,
    APITimeoutError,
    llm,
)
from livekit.plugins import openai as plugin

from agent.models.busy import BusyNote, note_of
from agent.models.guard import TooSlow, Useless
from agent.models.verdicts import verdict_of
from session.circuits import FAILURE, FORBIDDING, NOTHING, Verdict, busy

ONCE = APIConnectOptions(max_retry=0)

Model = plugin.LLM | plugin.TTS | plugin.STT


def status(code: int) -> APIStatusError:
    return APIStatusError("no", status_code=code)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (400, NOTHING),
        (401, FORBIDDING),
        (403, FORBIDDING),
        (404, NOTHING),
        (408, FAILURE),
        (413, NOTHING),
        (422, NOTHING),
        (429, busy()),
        (499, NOTHING),
        (500, FAILURE),
        (502, FAILURE),
        (503, FAILURE),
        (504, FAILURE),
        (529, FAILURE),
        (-1, FAILURE),
        (1006, FAILURE),
        (302, FAILURE),
        (200, FAILURE),
    ],
)
def test_a_status_says_whose_fault_it_was(code: int, verdict: Verdict) -> None:
    """-1 is LiveKit's for a socket that was closed, 1006 the socket's own."""
    assert verdict_of(status(code)) == verdict


@pytest.mark.parametrize(
    "error",
    [
        APIConnectionError(),
        APITimeoutError(),
        APIError("an event of it says so"),
        TooSlow(),
        Useless("silence"),
        TimeoutError(),
        ValueError("nobody foresaw it"),
    ],
)
def test_whatever_else_goes_wrong_is_a_failure(error: Exception) -> None:
    """It may be June's own fault; the call goes on with another provider."""
    assert verdict_of(error) == FAILURE


def test_only_one_that_is_busy_is_left_alone_for_as_long_as_it_said() -> None:
    assert verdict_of(status(429), 7.0) == busy(7.0)
    assert verdict_of(status(500), 7.0) == FAILURE
    assert verdict_of(status(403), 7.0) == FORBIDDING


def noted(retry_after: str) -> float | None:
    note = BusyNote()
    note.read(429, {"Retry-After": retry_after})
    return note.retry_after_seconds


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7.0), ("0", 0.0), (" 12 ", 12.0), ("1.5", 1.5), ("-3", 0.0)]
)
def test_seconds_are_read(said: str, seconds: float) -> None:
    """What is over already is now; the breaker knows what is too little or too much."""
    assert noted(said) == seconds


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))])
def test_a_date_is_read(zone: timezone) -> None:
    """One that is over is now."""
    now = datetime.now(zone)
    seconds = noted(format_datetime(now + timedelta(seconds=90)))
    assert seconds is not None
    assert 85 < seconds <= 90  # by this machine's own clock
    assert noted(format_datetime(now - timedelta(seconds=90))) == 0.0


@pytest.mark.parametrize(
    "said",
    [
        "",
        "soon",
        "7 seconds",
        "1,5",
        "0x10",
        "Wed, 21 Oct 2026",
        "Wed, 99 Oct 2026 07:28:00 GMT",
        "Wed, 21 Oct 2026 07:28:00 -0000",
        "7, 8",
        "nan",
        "inf",
        "-inf",
        "9" * 400,
        "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
        "Wed, 21 Oct 2026 07:28:00 +99999999999999",
    ],
)
def test_nonsense_says_nothing(said: str) -> None:
    assert noted(said) is None


@given(st.text(max_size=40))
def test_no_header_is_an_error(said: str) -> None:
    """The request has failed in its own way already."""
    seconds = noted(said)
    assert seconds is None or 0.0 <= seconds < float("inf")


def test_only_a_429_is_noted_and_the_newest_counts() -> None:
    """A 503 with `Retry-After` is a failure like others."""
    note, said = BusyNote(), []
    for status_code, headers in (
        (503, {"Retry-After": "7"}),
        (429, {"Retry-After": "7"}),
        (200, {"Retry-After": "9"}),
        (429, {}),
    ):
        note.read(status_code, headers)
        said.append(note.retry_after_seconds)
    assert said == [None, 7.0, 7.0, None]


class Server:
    """Answers each request with this, and counts them."""

    def __init__(self) -> None:
        self.status = 429
        self.headers = {"retry-after": "7"}
        self.requests = 0

    def answer(self, _: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        return httpx2.Response(self.status, headers=self.headers, json={"error": "no"})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[openai.AsyncClient]:
    """As the plugin builds it, but for the network."""
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(server.answer))
    async with openai.AsyncClient(
        api_key="none", base_url="http://provider/v1", max_retries=0, http_client=http
    ) as client:
        yield client


async def ask(model: Model) -> None:
    match model:
        case plugin.LLM():
            async with model.chat(chat_ctx=llm.ChatContext.empty(), conn_options=ONCE) as reply:
                async for _ in reply:
                    pass
        case plugin.TTS():
            async with model.synthesize("Hello.", conn_options=ONCE) as speech:
                async for _ in speech:
                    pass
        case plugin.STT():
            await model.recognize(
                [rtc.AudioFrame(bytes(3_200), 16_000, 1, 1_600)], conn_options=ONCE
            )


@pytest.mark.parametrize("stage", [plugin.LLM, plugin.TTS, plugin.STT])
async def test_the_plugin_s_answers_are_read(
    stage: Callable[..., Model], server: Server, client: openai.AsyncClient
) -> None:
    """Which LiveKit's error does not say; for each of the models that ask by HTTP."""
    model = stage(client=client)
    note = note_of(model)
    with pytest.raises(APIStatusError) as caught:
        await ask(model)
    assert (server.requests, note.retry_after_seconds) == (1, 7.0)
    assert verdict_of(caught.value, note.retry_after_seconds) == busy(7.0)
    server.headers = {}
    with pytest.raises(APIStatusError):
        await ask(model)
    assert (server.requests, note.retry_after_seconds) == (2, None)


async def test_who_reads_answers_already_goes_on(
    server: Server, client: openai.AsyncClient
) -> None:
    """A hook of somebody else's on the same client."""
    seen: list[int] = []

    async def see(response: httpx2.Response) -> None:
        seen.append(response.status_code)

    client._client.event_hooks = {"response": [see]}
    model = plugin.TTS(client=client)
    note = note_of(model)
    with pytest.raises(APIStatusError):
        await ask(model)
    assert (seen, note.retry_after_seconds) == ([429], 7.0)


async def test_each_model_has_a_note_of_its_own() -> None:
    """One provider that is busy says nothing about another."""
    models = [plugin.TTS(api_key="none", base_url=f"http://{name}/v1") for name in "ab"]
    first, second = map(note_of, models)
    assert first is not second
    first.read(429, {"Retry-After": "7"})
    assert second.retry_after_seconds is None
    for model in models:
        await model.aclose()

"""The scripted provider: who may ask, what is noted, and how it ends. No model is loaded here."""

import asyncio
import base64
from collections.abc import AsyncIterator
from socket import SHUT_RDWR

import aiohttp
import pytest
from speech_fakes import ScriptedSpeech, ScriptedVAD

from bench.provider import (
    HTML_PAGE,
    Answer,
    AnswerFault,
    BreakOff,
    Ending,
    ErrorEvent,
    Hang,
    Hearing,
    Refusal,
    Script,
    ScriptedProvider,
    WrongAnswer,
)

KEY = "sk-test-0123456789abcdef"
HELLO = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(ScriptedSpeech(), key=KEY, detector=ScriptedVAD()) as provider:
        yield provider


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield session


async def test_a_wrong_key_is_told_so_in_openais_words(
    provider: ScriptedProvider, client: aiohttp.ClientSession
) -> None:
    """With the key masked, as OpenAI does; and the journal knows which one was presented."""
    headers = {"Authorization": "Bearer sk-wrong-9876543210"}
    async with client.get(f"{provider.base_url}/models", headers=headers) as response:
        error = (await response.json())["error"]

    assert response.status == 401
    assert error["code"] == "invalid_api_key"
    assert "sk-wrong-9876543210" not in error["message"]
    (asked,) = provider.asked("models")
    assert asked.key == "sk-wrong-9876543210"
    assert asked.ending is Ending.REFUSED


async def test_a_missing_key_is_refused_everywhere(provider: ScriptedProvider) -> None:
    """Also where a WebSocket was wanted."""
    paths = ["chat/completions", "audio/speech", "audio/transcriptions"]
    async with aiohttp.ClientSession() as client:
        for path in paths:
            async with client.post(f"{provider.base_url}/{path}", json=HELLO) as response:
                assert response.status == 401
        address = f"{provider.base_url}/realtime?intent=transcription"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(address)
    assert refused.value.status == 401
    assert [asked.key for asked in provider.journal] == [None] * 4


async def test_models_are_those_of_the_script(
    provider: ScriptedProvider, client: aiohttp.ClientSession
) -> None:
    """One that is not there is a 404, in the list's place and when it is asked to answer."""
    provider.script.models = ("one", "two")
    async with client.get(f"{provider.base_url}/models") as response:
        assert [model["id"] for model in (await response.json())["data"]] == ["one", "two"]
    async with client.get(f"{provider.base_url}/models/two") as response:
        assert (await response.json())["id"] == "two"
    async with client.get(f"{provider.base_url}/models/three") as response:
        assert response.status == 404
    async with client.post(f"{provider.base_url}/chat/completions", json=HELLO) as response:
        assert response.status == 404
        assert (await response.json())["error"]["code"] == "model_not_found"


async def test_other_paths_are_unknown_and_the_site_is_a_web_page(
    provider: ScriptedProvider, client: aiohttp.ClientSession
) -> None:
    """Whoever forgets `/v1` talks to a web page."""
    async with client.get(f"{provider.base_url}/embeddings") as response:
        assert response.status == 404
        assert "error" in await response.json()
    async with client.get(f"{provider.site_url}/models") as response:
        assert await response.text() == HTML_PAGE
    async with client.post(f"{provider.site_url}/chat/completions", json=HELLO) as response:
        assert response.status == 405
    assert [asked.stage for asked in provider.journal] == ["other"] * 3


@pytest.mark.parametrize(
    "body", [b"no json", b"[]", b'{"messages": []}', b'{"model": "gpt-4.1-mini", "messages": []}']
)
async def test_what_is_no_request_is_refused(
    provider: ScriptedProvider, client: aiohttp.ClientSession, body: bytes
) -> None:
    """As OpenAI does, with 400; no take is used up."""
    provider.script.llm = [Answer("Still here.")]
    async with client.post(f"{provider.base_url}/chat/completions", data=body) as response:
        assert response.status == 400
    assert provider.journal[0].ending is Ending.REFUSED
    assert provider.script.llm == [Answer("Still here.")]


async def test_the_script_may_change_while_the_provider_runs(
    provider: ScriptedProvider, client: aiohttp.ClientSession
) -> None:
    """Takes are used in order, then comes the default; a new script counts from then on."""

    async def said() -> str:
        async with client.post(f"{provider.base_url}/chat/completions", json=HELLO) as response:
            answer = await response.json()
        text: str = answer["choices"][0]["message"]["content"]
        return text

    provider.script.llm = [Answer("One."), Answer("Two.")]
    assert [await said(), await said(), await said()] == ["One.", "Two.", "I hear you."]
    provider.script = Script(llm=lambda request: Answer(f"{request.last_user_text} yourself."))
    assert await said() == "Hello yourself."


UNANSWERED: list[tuple[AnswerFault, int]] = [
    (Refusal.forbidden(), 403),
    (Refusal.rate_limited(7), 429),
    (Refusal.server_error(503), 503),
    (WrongAnswer(), 200),
    (WrongAnswer('{"choices": ', "application/json"), 200),
    (ErrorEvent(), 500),
]


@pytest.mark.parametrize(("fault", "status"), UNANSWERED)
async def test_a_fault_answers_with_its_status(
    provider: ScriptedProvider, client: aiohttp.ClientSession, fault: AnswerFault, status: int
) -> None:
    """An answer in one piece can only be replaced as a whole."""
    provider.script.llm = lambda _: Answer(fault=fault)
    async with client.post(f"{provider.base_url}/chat/completions", json=HELLO) as response:
        assert response.status == status
        assert response.headers.get("Retry-After") == ("7" if status == 429 else None)
    (asked,) = provider.journal
    assert asked.ending is Ending.FAULT
    assert asked.fault == fault


async def test_a_connection_is_closed_before_any_answer(
    provider: ScriptedProvider, client: aiohttp.ClientSession
) -> None:
    """Not a byte comes back."""
    provider.script.llm = [Answer(fault=BreakOff())]
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.post(f"{provider.base_url}/chat/completions", json=HELLO)
    assert await provider.journal[0].over() is Ending.FAULT


async def test_a_hanging_answer_lasts_until_the_client_leaves(
    provider: ScriptedProvider, client: aiohttp.ClientSession
) -> None:
    """The journal tells how long the client waited."""
    provider.script.llm = [Answer(fault=Hang())]
    timeout = aiohttp.ClientTimeout(total=0.2)
    with pytest.raises(TimeoutError):
        await client.post(f"{provider.base_url}/chat/completions", json=HELLO, timeout=timeout)
    (asked,) = provider.journal
    assert await asked.over() is Ending.FAULT
    assert asked.ended_at is not None
    assert 0.15 < asked.ended_at - asked.at < 1.0


async def test_a_script_that_raises_is_seen(
    provider: ScriptedProvider, client: aiohttp.ClientSession
) -> None:
    """It must not look like a fault that somebody wanted."""
    provider.script.llm = lambda request: Answer(request.messages[7]["content"])
    async with client.post(f"{provider.base_url}/chat/completions", json=HELLO) as response:
        assert response.status == 500
    assert provider.journal[0].ending is Ending.BROKEN


@pytest.mark.parametrize("politely", [True, False])
async def test_listeners_that_leave_at_any_moment_leave_nothing_behind(
    client: aiohttp.ClientSession, politely: bool
) -> None:
    """Not even those that leave while their sound is on its way to the ears."""
    before = asyncio.all_tasks()
    sound = base64.b64encode(bytes(4800)).decode()
    async with ScriptedProvider(ScriptedSpeech(), detector=ScriptedVAD()) as provider:
        for _ in range(10):
            socket = await client.ws_connect(f"{provider.base_url}/realtime?intent=transcription")
            await socket.send_json({"type": "input_audio_buffer.append", "audio": sound})
            await socket.send_json({"type": "input_audio_buffer.commit"})
            await socket.send_json({"type": "input_audio_buffer.append", "audio": sound})
            if politely:
                await socket.close()
            else:
                socket.get_extra_info("socket").shutdown(SHUT_RDWR)
        endings = {await asked.over() for asked in provider.journal}
    assert endings == {Ending.COMPLETED if politely else Ending.CANCELLED}
    assert asyncio.all_tasks() == before


async def test_closing_ends_what_is_being_answered(client: aiohttp.ClientSession) -> None:
    """At once, and no task is left."""
    before = asyncio.all_tasks()
    script = Script(llm=[Answer(fault=Hang())], stt=[Hearing()])
    async with ScriptedProvider(ScriptedSpeech(), script, detector=ScriptedVAD()) as provider:
        posting = asyncio.create_task(
            client.post(f"{provider.base_url}/chat/completions", json=HELLO)
        )
        socket = await client.ws_connect(f"{provider.base_url}/realtime?intent=transcription")
        await provider.wait_for("llm")
        closing = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - closing < 1.0
    with pytest.raises(aiohttp.ClientError):
        await posting
    await socket.close()
    assert all(asked.ending is not None for asked in provider.journal)
    assert asyncio.all_tasks() == before

"""Every request to a voice is reserved before it, and settled once, however it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit import rtc
from livekit.agents import (
    Agent,
    AgentSession,
    APIConnectionError,
    APIConnectOptions,
    APIError,
    APIStatusError,
    APITimeoutError,
    ErrorEvent,
    io,
    tts,
)
from livekit.agents.metrics import TTSMetrics
from livekit.agents.tokenize import blingfire
from livekit.agents.voice.agent_session import SessionConnectOptions
from purse_fakes import RecordingPurse, cancelled_after
from pydantic import SecretStr
from speech_fakes import ScriptedSpeech

from agent.models.local.tts import LocalTTS
from agent.models.metered_tts import MeteredTTS, spoken_seconds
from agent.models.openai import openai_tts
from agent.models.refused import Refused
from agent.settings import TtsSettings
from bench.provider import BreakOff, Hang, Refusal, Script, ScriptedProvider, Speaking
from session.usage import ModelUsed, Usage

ONCE = APIConnectOptions(max_retry=0, timeout=0.5)
TWICE = APIConnectOptions(max_retry=1, retry_interval=0.01, timeout=0.5)
RATE = 24_000
MODEL = "gpt-4o-mini-tts"
TEXT = "Hello there, it is a lovely day."
AT_MOST = Usage(characters=len(TEXT), audio_seconds=spoken_seconds(TEXT))

Step = float | tuple[int, int] | Exception | None


class Voice(tts.TTS[str]):
    """Goes through the steps of one attempt after the other: seconds of sound, tokens, an error,
    or silence.
    """

    def __init__(self, *attempts: Sequence[Step]) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE, num_channels=1
        )
        self.attempts = list(attempts)
        self.asked: list[APIConnectOptions] = []
        self.open = 0
        self.is_closed = False
        self.is_warm = False
        self.options: dict[str, Any] = {}

    @property
    def model(self) -> str:
        return MODEL

    @property
    def provider(self) -> str:
        return "api.example.org"

    def prewarm(self) -> None:
        self.is_warm = True

    def update_options(self, *, voice: str) -> None:
        self.options["voice"] = voice

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = ONCE) -> "Sentence":
        self.asked.append(conn_options)
        steps = self.attempts.pop(0) if self.attempts else ()
        return Sentence(self, steps, text, conn_options)

    async def aclose(self) -> None:
        self.is_closed = True


class Sentence(tts.ChunkedStream):
    def __init__(
        self, owner: Voice, steps: Sequence[Step], text: str, conn_options: APIConnectOptions
    ) -> None:
        super().__init__(tts=owner, input_text=text, conn_options=conn_options)
        self._owner = owner
        self._steps = steps

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        self._owner.open += 1
        try:
            output_emitter.initialize(
                request_id="request 1", sample_rate=RATE, num_channels=1, mime_type="audio/pcm"
            )
            for step in self._steps:
                await asyncio.sleep(0)
                match step:
                    case float():
                        output_emitter.push(sound(step))
                    case (read, written):
                        self._set_token_usage(input_tokens=read, output_tokens=written)
                    case Exception():
                        output_emitter.flush()
                        await asyncio.sleep(0.01)  # so that what was said is heard
                        raise step
                    case None:
                        output_emitter.flush()
                        await asyncio.Event().wait()
            output_emitter.flush()
        finally:
            try:
                await asyncio.sleep(0)  # closing a connection takes its time
            finally:
                self._owner.open -= 1


def sound(seconds: float) -> bytes:
    """No two samples of it that are near each other are the same."""
    size_bytes = 2 * int(seconds * RATE)
    return (bytes(range(256)) * (size_bytes // 256 + 1))[:size_bytes]


async def said(
    voice: tts.TTS[str], text: str = TEXT, conn_options: APIConnectOptions = ONCE
) -> float:
    """Seconds of sound, without LiveKit's mark of silence at their end."""
    async with voice.synthesize(text, conn_options=conn_options) as stream:
        sound = await stream.collect()
    return round(sound.duration - 0.01, 3)


async def test_what_the_voice_counted_is_settled() -> None:
    """Tokens, characters and the sound itself, with what was reserved before."""
    purse = RecordingPurse()
    assert await said(MeteredTTS(Voice([0.5, 0.25, (9, 180)]), purse)) == 0.75
    assert purse.asked == [(ModelUsed("tts", "api.example.org", MODEL), AT_MOST)]
    assert purse.only() == (Usage(9, 0, 180, audio_seconds=0.76, characters=len(TEXT)), False)


async def test_a_voice_that_counts_no_tokens_is_settled_by_its_sound() -> None:
    """And by the characters: a provider charges for one of them."""
    purse = RecordingPurse()
    await said(MeteredTTS(Voice([0.5]), purse))
    assert purse.only() == (Usage(audio_seconds=0.51, characters=len(TEXT)), False)


@pytest.mark.parametrize(
    ("steps", "used"),
    [
        pytest.param([APIConnectionError()], Usage(), id="nobody there"),
        pytest.param([APIStatusError("no", status_code=429)], Usage(), id="429"),
        pytest.param([APITimeoutError()], AT_MOST, id="too late"),
        pytest.param([], AT_MOST, id="not a sound"),
        pytest.param([0.5, APIConnectionError()], AT_MOST, id="in the middle"),
    ],
)
async def test_a_request_that_failed_costs_what_it_may_have_cost(
    steps: list[Step], used: Usage
) -> None:
    """Nothing where nobody has begun to speak; else all of it, as far as anybody knows."""
    purse = RecordingPurse()
    with pytest.raises(APIError):
        await said(MeteredTTS(Voice(steps), purse))
    assert purse.only() == (used, True)


async def test_a_voice_that_says_more_than_was_thought_is_charged_for_it() -> None:
    """Also when it is cut off."""
    purse = RecordingPurse()
    voice = Voice([30.0, None])
    heard = 0.0
    async with MeteredTTS(voice, purse).synthesize("Oh!") as stream:
        async for sound in stream:
            heard += sound.frame.duration
            if heard > 20:
                break
    used, is_estimate = purse.only()
    assert used.audio_seconds >= heard
    assert (used.characters, is_estimate, voice.open) == (3, True, 0)


async def test_a_sentence_that_is_cut_off_is_charged_whole() -> None:
    """A barge-in: the provider has been told all of it."""
    purse = RecordingPurse()
    voice = Voice([0.5, None])
    async with MeteredTTS(voice, purse).synthesize(TEXT) as stream:
        await anext(stream)
    assert purse.only() == (AT_MOST, True)
    assert voice.open == 0


async def test_each_attempt_is_paid_for_by_itself() -> None:
    """LiveKit makes them from outside; the voice itself does not try again."""
    purse = RecordingPurse()
    voice = Voice([APITimeoutError()], [0.5])
    errors: list[tts.TTSError] = []
    paying = MeteredTTS(voice, purse)
    paying.on("error", errors.append)
    assert await said(paying, conn_options=TWICE) == 0.5
    assert [asked.max_retry for asked in voice.asked] == [0, 0]
    assert [one.is_estimate for one in purse.settled] == [True, False]
    assert [(error.recoverable, error.label) for error in errors] == [(True, voice.label)]


async def test_without_money_nothing_is_asked() -> None:
    """The error says why, and is not tried again."""
    purse = RecordingPurse(pays_for=0)
    voice = Voice([0.5])
    errors: list[tts.TTSError] = []
    paying = MeteredTTS(voice, purse)
    paying.on("error", errors.append)
    with pytest.raises(Refused) as raised:
        await said(paying, conn_options=TWICE)
    assert raised.value.decision.reason == "out_of_budget"
    assert (voice.asked, purse.refused, purse.settled) == ([], 1, [])
    assert [error.recoverable for error in errors] == [False]


async def test_what_has_nothing_to_say_is_no_error() -> None:
    """A blank text, as without the wrapper."""
    purse = RecordingPurse()
    async with MeteredTTS(Voice([]), purse).synthesize(" ") as stream:
        assert [sound async for sound in stream] == []
    assert purse.only() == (Usage(characters=1), False)


@settings(max_examples=150, deadline=None)
@given(
    turns=st.integers(0, 80),
    reserving=st.integers(0, 4),
    attempts=st.lists(
        st.lists(
            st.sampled_from([0.3, (5, 6), APITimeoutError(), APIConnectionError(), None]),
            max_size=4,
        ),
        min_size=1,
        max_size=3,
    ),
    pays_for=st.integers(0, 3),
)
def test_whenever_it_ends_what_was_reserved_is_settled_once(
    turns: int, reserving: int, attempts: list[list[Step]], pays_for: int
) -> None:
    """At every turn of the event loop, also in the middle of a reservation or of closing."""

    async def call() -> None:
        purse = RecordingPurse(pays_for=pays_for, turns=reserving)
        voice = Voice(*attempts)
        options = APIConnectOptions(max_retry=2, retry_interval=0.0, timeout=1)

        async def sentence() -> None:
            async with MeteredTTS(voice, purse).synthesize(TEXT, conn_options=options) as stream:
                async for _ in stream:
                    pass

        await cancelled_after(turns, sentence)
        assert purse.left_open == 0
        assert len(purse.settled) == pays_for - purse.pays_for
        assert len(voice.asked) == len(purse.settled)
        assert voice.open == 0

    asyncio.run(call())


async def test_it_looks_as_the_voice_does() -> None:
    """Name, host, label, rate and options; it is warmed and closed with it."""
    voice = Voice()
    paying = MeteredTTS(voice, RecordingPurse())
    assert (paying.model, paying.provider, paying.label) == (MODEL, "api.example.org", voice.label)
    assert (paying.sample_rate, paying.num_channels) == (RATE, 1)
    assert paying.capabilities == voice.capabilities
    assert paying.metrics_metadata == voice.metrics_metadata
    assert paying.markup is voice.markup
    paying._set_expressive(True)
    assert voice._expressive
    paying.update_options(voice="ash")
    assert voice.options == {"voice": "ash"}
    paying.prewarm()
    assert voice.is_warm
    async with paying:
        pass
    assert voice.is_closed


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("The capital of France is Paris, a city of about two million people.", 4.5),
        ("0123 456 789", 5.0),
        ("今日はとてもいい天気ですね。", 2.5),
        ("请问有什么可以帮您", 2.2),
        ("Ja.", 0.5),
    ],
)
def test_how_long_it_takes_to_say_something_is_estimated_high(text: str, spoken: float) -> None:
    """In languages of one byte to a letter, and of three."""
    assert spoken < spoken_seconds(text) < 4 * spoken + 2


def test_half_a_surrogate_pair_can_be_estimated() -> None:
    """A model wrote it, and nobody will hear it."""
    assert spoken_seconds("\ud800") > 0


async def test_the_first_sound_comes_before_the_last_is_made() -> None:
    """Under the name that the provider gave the request."""
    voice = Voice([0.5, None])
    async with MeteredTTS(voice, RecordingPurse()).synthesize(TEXT) as stream:
        first = await asyncio.wait_for(anext(stream), 1)
        assert voice.open == 1
    assert first.request_id == "request 1"


async def test_not_a_sample_is_changed() -> None:
    """Nor one added."""
    steps: list[Step] = [0.123, 0.5, 0.017]
    sounds = []
    for voice in (Voice(steps), MeteredTTS(Voice(steps), RecordingPurse())):
        async with voice.synthesize(TEXT) as stream:
            sounds.append(bytes((await stream.collect()).data))
    assert sounds[0] == sounds[1]


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(ScriptedSpeech(), Script(models=(MODEL, "tts-1"))) as serving:
        yield serving


def real(provider: ScriptedProvider, model: str = MODEL) -> tts.TTS[str]:
    return openai_tts(TtsSettings(base_url=provider.base_url, model=model), SecretStr("sk-any"))


async def test_over_the_real_plugin_its_tokens_are_settled(provider: ScriptedProvider) -> None:
    """Which it tells of one model, and not of the other."""
    purse = RecordingPurse()
    for model in (MODEL, "tts-1"):
        async with MeteredTTS(real(provider, model), purse) as paying:
            assert await said(paying) > 1
    told, untold = (one.used for one in purse.settled)
    assert told.input_tokens > 0
    assert told.output_tokens > 0
    assert (untold.input_tokens, untold.output_tokens) == (0, 0)
    assert told.audio_seconds == untold.audio_seconds > 1
    assert told.characters == untold.characters == len(TEXT)
    assert [one.is_estimate for one in purse.settled] == [False, False]
    assert purse.asked[0][0].provider == provider.site_url.removeprefix("http://")


@pytest.mark.parametrize(
    ("fault", "used"),
    [
        pytest.param(Refusal.wrong_key(), Usage(), id="wrong key"),
        pytest.param(Refusal.server_error(), Usage(), id="500"),
        pytest.param(BreakOff(), Usage(), id="broken off"),
        pytest.param(BreakOff(after_chunks=2), AT_MOST, id="broken off in the middle"),
    ],
)
async def test_over_the_real_plugin_a_failure_costs_what_it_may_have_cost(
    provider: ScriptedProvider, fault: Any, used: Usage
) -> None:
    """The plugin's errors are told apart."""
    provider.script.tts = lambda _: Speaking(fault=fault)
    purse = RecordingPurse()
    async with MeteredTTS(real(provider), purse) as paying:
        with pytest.raises(APIError):
            await said(paying, conn_options=ONCE)
    assert [one.used for one in purse.settled] == [used]
    assert len(provider.asked("tts")) == 1


async def test_a_voice_that_hangs_can_be_cut_off(provider: ScriptedProvider) -> None:
    """The request is closed with it, and charged."""
    provider.script.tts = lambda _: Speaking(fault=Hang())
    purse = RecordingPurse()
    async with MeteredTTS(real(provider), purse) as paying:
        stream = paying.synthesize(TEXT, conn_options=ONCE)
        await provider.wait_for("tts")
        await stream.aclose()
    assert purse.only() == (AT_MOST, True)


class Loudspeaker(io.AudioOutput):
    """Plays everything at once, and adds up how long it was."""

    def __init__(self) -> None:
        super().__init__(label="loudspeaker", capabilities=io.AudioOutputCapabilities(pause=False))
        self.pcm = b""
        self.seconds = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        if self.seconds == 0:
            self.on_playback_started(created_at=0.0)
        await super().capture_frame(frame)
        self.seconds += frame.duration
        self.pcm += bytes(frame.data.cast("b"))

    def flush(self) -> None:
        super().flush()
        if self.seconds:
            self.on_playback_finished(playback_position=self.seconds, interrupted=False)
            self.seconds = 0.0

    def clear_buffer(self) -> None:
        """Nothing waits."""


Wrap = Callable[[tts.TTS[str]], tts.TTS[str]]


def bare(voice: tts.TTS[str]) -> tts.TTS[str]:
    return voice


def paid(voice: tts.TTS[str]) -> tts.TTS[str]:
    return MeteredTTS(voice, RecordingPurse())


async def heard_in_a_session(
    voice: tts.TTS[str], lines: Sequence[str]
) -> tuple[AgentSession[None], bytes, list[TTSMetrics], list[ErrorEvent]]:
    """As in a call: the session hands sentence by sentence to its voice."""
    session: AgentSession[None] = AgentSession(
        tts=voice,
        vad=None,
        turn_handling={"turn_detection": None},
        conn_options=SessionConnectOptions(tts_conn_options=TWICE),
    )
    measured: list[TTSMetrics] = []
    errors: list[ErrorEvent] = []
    voice.on("metrics_collected", measured.append)
    session.on("error", errors.append)
    loudspeaker = Loudspeaker()
    session.output.audio = loudspeaker
    await session.start(Agent(instructions="You are June."))
    for line in lines:
        async with asyncio.timeout(10):
            await session.say(line).wait_for_playout()
    await session.aclose()
    return session, loudspeaker.pcm, measured, errors


LINES = ["It is a lovely day. It is a day like that all over the world. Good.", "And so on."]


async def test_a_session_hears_and_measures_the_same_with_it_and_without(
    provider: ScriptedProvider,
) -> None:
    """As many samples, counted once."""
    found = []
    for wrap in (bare, paid):
        async with real(provider) as plugin:
            session, pcm, measured, errors = await heard_in_a_session(wrap(plugin), LINES)
        usage = [used.model_dump() for used in session.usage.model_usage]
        requests = [
            one.model_dump(exclude={"timestamp", "request_id", "ttfb", "duration", "speech_id"})
            for one in measured
        ]
        assert all(0 <= one.ttfb <= one.duration < 5 for one in measured)
        assert all(one.request_id and one.speech_id for one in measured)
        assert errors == []
        found.append((usage, requests, len(pcm)))
    assert found[0] == found[1]
    assert len(found[0][0]) == 1
    assert len(found[0][1]) > 1


@pytest.mark.parametrize("wrap", [bare, paid])
async def test_a_session_sees_the_same_errors_with_it_and_without(
    provider: ScriptedProvider, wrap: Wrap
) -> None:
    """Each attempt's once: the last is not recoverable."""
    provider.script.tts = lambda _: Speaking(fault=Refusal.server_error())
    async with real(provider) as plugin:
        _, _, measured, errors = await heard_in_a_session(wrap(plugin), ["Hello."])
    assert [(one.error.label, one.error.recoverable) for one in errors] == [
        (plugin.label, True),
        (plugin.label, False),
    ]
    assert {type(one.error.error) for one in errors} == {APIStatusError}
    assert (len(provider.asked("tts")), measured) == (2, [])


async def test_the_local_voice_is_local() -> None:
    """So that its work costs nothing; its first sentence is still the first."""
    purse = RecordingPurse()
    speech = ScriptedSpeech()
    session, _, _, _ = await heard_in_a_session(MeteredTTS(LocalTTS(speech), purse), LINES)
    assert " ".join(speech.spoken) == " ".join(LINES)
    assert {asked[0] for asked in purse.asked} == {ModelUsed("tts", "local", LocalTTS.MODEL)}
    assert len(purse.settled) == len(speech.spoken)
    (used,) = session.usage.model_usage
    assert used.provider == "local"


async def test_it_works_under_livekits_own_adapter() -> None:
    """Which cuts a stream of words into sentences."""
    purse = RecordingPurse()
    adapter = tts.StreamAdapter(
        tts=MeteredTTS(Voice([0.5], [0.25]), purse),
        sentence_tokenizer=blingfire.SentenceTokenizer(min_sentence_len=1),
    )
    async with adapter.stream(conn_options=ONCE) as stream:
        stream.push_text("It is a lovely day today. ")
        stream.push_text("Good bye and so long.")
        stream.end_input()
        seconds = sum([sound.frame.duration async for sound in stream])
    assert seconds == pytest.approx(0.75, abs=0.05)
    assert sum(one.used.characters for one in purse.settled) > 40

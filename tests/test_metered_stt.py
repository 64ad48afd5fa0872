"""What is heard is paid for by the started minute, or by the utterance, and settled once."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit import rtc
from livekit.agents import (
    APIConnectionError,
    APIConnectOptions,
    APIError,
    APIStatusError,
    APITimeoutError,
    LanguageCode,
    stt,
    utils,
)
from livekit.agents.types import NOT_GIVEN
from purse_fakes import RecordingPurse, cancelled_after
from speech_fakes import sound

from agent.models.metered_stt import MeteredSTT
from agent.models.refused import Refused
from session.usage import ModelUsed, Usage

ONCE = APIConnectOptions(max_retry=0, timeout=1)
TWICE = APIConnectOptions(max_retry=1, retry_interval=0.01, timeout=1)
MODEL = "gpt-4o-mini-transcribe"
LIVE_MODEL = "gpt-live-transcribe"
MINUTE = Usage(audio_seconds=60.0)

Kind = stt.SpeechEventType
Step = float | stt.SpeechEvent | Exception | None


def words(text: str, kind: Kind = Kind.FINAL_TRANSCRIPT) -> stt.SpeechEvent:
    return stt.SpeechEvent(kind, alternatives=[stt.SpeechData(LanguageCode("en"), text)])


def told(seconds: float, read: Any = 0, written: Any = 0) -> stt.SpeechEvent:
    return stt.SpeechEvent(
        Kind.RECOGNITION_USAGE, recognition_usage=stt.RecognitionUsage(seconds, read, written)
    )


class Ears(stt.STT[str]):
    """Go through the steps of one attempt after the other: seconds that are listened to, something
    to tell, an error, or silence for ever.
    """

    def __init__(self, *attempts: Sequence[Step]) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True, interim_results=True, keyterms=True, chat_context=True
            )
        )
        self.attempts = list(attempts)
        self.streams: list[Listening] = []
        self.asked: list[tuple[float, APIConnectOptions]] = []
        """Seconds of each recording, and how often it may be tried again."""
        self.heard_seconds = 0.0
        self.flushes = 0
        self.open = 0
        self.is_closed = False
        self.told: list[object] = []

    @property
    def model(self) -> str:
        return MODEL

    @property
    def provider(self) -> str:
        return "api.example.org"

    def next(self) -> Sequence[Step]:
        return self.attempts.pop(0) if self.attempts else (None,)

    async def _recognize_impl(
        self, buffer: utils.AudioBuffer, *, language: Any = NOT_GIVEN, conn_options: Any
    ) -> stt.SpeechEvent:
        self.asked.append((rtc.combine_audio_frames(buffer).duration, conn_options))
        for step in self.next():
            await asyncio.sleep(0)
            match step:
                case stt.SpeechEvent():
                    return step
                case Exception():
                    raise step
                case None:
                    await asyncio.Event().wait()
        return words("")

    def stream(
        self, *, language: Any = NOT_GIVEN, conn_options: APIConnectOptions = ONCE
    ) -> "Listening":
        self.told.append(language)
        self.streams.append(Listening(self, conn_options))
        return self.streams[-1]

    def _update_session_keyterms(self, keyterms: list[str]) -> None:
        self.told.append(keyterms)

    def _push_conversation_item(self, ev: Any) -> None:
        self.told.append(ev)

    def update_options(self, *, language: str) -> None:
        self.told.append(language)

    def prewarm(self) -> None:
        self.told.append("prewarm")

    async def aclose(self) -> None:
        self.is_closed = True


class Listening(stt.RecognizeStream):
    def __init__(self, owner: Ears, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=owner, conn_options=conn_options)
        self._owner = owner

    async def _run(self) -> None:
        self._owner.open += 1
        try:
            for step in self._owner.next():
                await asyncio.sleep(0)
                match step:
                    case float():
                        await self._listen(step)
                    case stt.SpeechEvent():
                        self._event_ch.send_nowait(step)
                    case Exception():
                        raise step
                    case None:
                        await self._listen(1_000_000)
        finally:
            try:
                await asyncio.sleep(0)  # closing a connection takes its time
            finally:
                self._owner.open -= 1

    async def _listen(self, seconds: float) -> None:
        """For so long, or until there is nothing more to hear."""
        async for item in self._input_ch:
            if not isinstance(item, rtc.AudioFrame):
                self._owner.flushes += 1
                continue
            self._owner.heard_seconds += item.duration
            seconds -= item.duration
            if seconds < 0.001:
                return


def push(stream: stt.RecognizeStream, seconds: int) -> None:
    """In pieces of a second."""
    for _ in range(seconds):
        stream.push_frame(sound(1.0))


async def heard(stream: stt.RecognizeStream) -> list[str]:
    """Everything until its end."""
    async with stream, asyncio.timeout(10):
        return [said.alternatives[0].text async for said in stream if said.alternatives]


async def settled(work: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not work():
            await asyncio.sleep(0)


async def test_each_started_minute_is_paid_for() -> None:
    """Before it is heard; what was really heard is settled."""
    purse = RecordingPurse()
    ears = Ears()
    stream = MeteredSTT(ears, purse).stream(conn_options=ONCE)
    push(stream, 125)
    stream.end_input()
    await heard(stream)
    assert ears.heard_seconds == 125
    assert purse.asked == [(ModelUsed("stt", "api.example.org", MODEL), MINUTE)] * 3
    assert [(one.used, one.is_estimate) for one in purse.settled] == [
        (MINUTE, True),
        (MINUTE, True),
        (Usage(audio_seconds=5.0), True),
    ]
    assert purse.left_open == 0


async def test_tokens_belong_to_the_minute_in_which_they_were_told_of() -> None:
    """A provider that counts is believed; one that tells nonsense is not."""
    purse = RecordingPurse()
    ears = Ears([30.0, told(2, 20, 5), 30.0, told(3, 30, 6), told(1, None, "many"), None])
    stream = MeteredSTT(ears, purse).stream(conn_options=ONCE)
    push(stream, 60)
    await settled(lambda: ears.heard_seconds == 60)
    for _ in range(10):
        await asyncio.sleep(0)
    push(stream, 1)
    stream.end_input()
    await heard(stream)
    assert [(one.used, one.is_estimate) for one in purse.settled] == [
        (Usage(50, 0, 11, audio_seconds=60.0), False),
        (Usage(audio_seconds=1.0), True),
    ]


@pytest.mark.parametrize(
    ("steps", "used"),
    [
        pytest.param([None], Usage(audio_seconds=10.0), id="told nothing"),
        pytest.param(
            [4.0, told(2, 20, 5), None],
            Usage(20 + 60, 0, 5 + 30, audio_seconds=10.0),
            id="told of the beginning",
        ),
        pytest.param(
            [10.0, told(2, 20, 5), None], Usage(20, 0, 5, audio_seconds=10.0), id="told of all"
        ),
    ],
)
async def test_a_call_that_ends_is_settled_with_what_it_may_still_cost(
    steps: list[Step], used: Usage
) -> None:
    """Also what the provider has heard, and has not counted yet."""
    purse = RecordingPurse()
    ears = Ears(steps)
    stream = MeteredSTT(ears, purse).stream(conn_options=ONCE)
    reading = asyncio.create_task(heard(stream))
    push(stream, 4)
    for _ in range(20):
        await asyncio.sleep(0)
    push(stream, 6)
    await settled(lambda: ears.heard_seconds == 10)
    for _ in range(20):
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    assert purse.only() == (used, True)
    assert ears.open == 0


async def test_nothing_is_paid_before_there_is_something_to_hear() -> None:
    """A caller who never makes a sound costs nothing, and asks nobody."""
    purse = RecordingPurse()
    ears = Ears()
    stream = MeteredSTT(ears, purse).stream(conn_options=ONCE)
    stream.flush()
    stream.end_input()
    assert await heard(stream) == []
    assert (purse.asked, ears.streams) == ([], [])


async def test_without_money_nobody_listens() -> None:
    """The error says why, once."""
    purse = RecordingPurse(pays_for=0)
    ears = Ears()
    errors: list[stt.STTError] = []
    paying = MeteredSTT(ears, purse)
    paying.on("error", errors.append)
    stream = paying.stream(conn_options=TWICE)
    push(stream, 1)
    with pytest.raises(Refused) as raised:
        await heard(stream)
    assert raised.value.decision.reason == "out_of_budget"
    assert (ears.streams, purse.refused, purse.settled) == ([], 1, [])
    assert [(error.error, error.recoverable) for error in errors] == [(raised.value, False)]


async def test_money_that_ends_ends_the_hearing() -> None:
    """After the minute that was paid for, which is settled; its words are not lost."""
    purse = RecordingPurse(pays_for=1)
    ears = Ears([59.0, words("so long"), None])
    stream = MeteredSTT(ears, purse).stream(conn_options=ONCE)
    push(stream, 60)
    assert (await anext(stream)).alternatives[0].text == "so long"
    push(stream, 1)
    with pytest.raises(Refused):
        await heard(stream)
    assert purse.only() == (MINUTE, True)
    assert (ears.heard_seconds, ears.open) == (60, 0)


async def test_words_do_not_wait_for_money() -> None:
    """The purse takes its time over the next minute; the interim is there at once."""
    paying_up = asyncio.Event()

    class SlowPurse(RecordingPurse):
        async def reserve(self, model: ModelUsed, at_most: Usage) -> Any:
            if self.settled or self.left_open:
                await paying_up.wait()
            return await super().reserve(model, at_most)

    purse = SlowPurse()
    ears = Ears([60.0, words("never", Kind.INTERIM_TRANSCRIPT), 1.0, told(1, 10, 1), None])
    stream = MeteredSTT(ears, purse).stream(conn_options=ONCE)
    push(stream, 61)
    first = await asyncio.wait_for(anext(stream), 5)
    assert first.type is Kind.INTERIM_TRANSCRIPT
    assert (ears.heard_seconds, purse.left_open) == (60, 1)
    paying_up.set()
    await settled(lambda: ears.heard_seconds == 61)
    await stream.aclose()
    assert purse.left_open == 0


async def test_ears_that_try_again_lose_nothing_and_cost_no_more() -> None:
    """What was said while they could not hear waits for them."""
    purse = RecordingPurse()
    ears = Ears([APIConnectionError()], [3.0, words("all of it"), None])
    errors: list[stt.STTError] = []
    paying = MeteredSTT(ears, purse)
    paying.on("error", errors.append)
    stream = paying.stream(conn_options=TWICE)
    push(stream, 3)
    stream.end_input()
    assert await heard(stream) == ["all of it"]
    assert ears.heard_seconds == 3
    assert purse.only() == (Usage(audio_seconds=3.0), True)
    assert [(error.recoverable, error.label) for error in errors] == [(True, ears.label)]


@pytest.mark.parametrize("error", [APIError("no", retryable=False), ValueError("no")])
async def test_ears_that_fail_are_told_of_once(error: Exception) -> None:
    """With the error itself; the sound that went in is charged."""
    purse = RecordingPurse()
    ears = Ears([2.0, error])
    errors: list[stt.STTError] = []
    paying = MeteredSTT(ears, purse)
    paying.on("error", errors.append)
    stream = paying.stream(conn_options=TWICE)
    push(stream, 5)
    with pytest.raises(type(error)) as raised:
        await heard(stream)
    assert raised.value is error
    assert [(one.error, one.recoverable) for one in errors] == [(error, False)]
    assert purse.only() == (Usage(audio_seconds=5.0), True)


async def test_sound_for_ears_that_have_failed_hides_no_error() -> None:
    """It keeps coming while LiveKit hears of it."""
    ears = Ears([1.0, APIError("no", retryable=False)])
    stream = MeteredSTT(ears, RecordingPurse()).stream(conn_options=ONCE)

    async def speak() -> None:
        while True:
            stream.push_frame(sound(0.5))
            await asyncio.sleep(0)

    speaking = asyncio.create_task(speak())
    with pytest.raises(APIError, match="no"):
        await heard(stream)
    await asyncio.wait([speaking])
    assert isinstance(speaking.exception(), RuntimeError)  # as any closed stream says


async def test_ears_may_stop_by_themselves() -> None:
    """Then it is over, without an error, whatever else is said."""
    purse = RecordingPurse()
    ears = Ears([1.0, words("bye")])
    stream = MeteredSTT(ears, purse).stream(conn_options=ONCE)
    push(stream, 5)
    assert await heard(stream) == ["bye"]
    assert purse.left_open == 0


async def test_a_stream_is_as_the_inner_one() -> None:
    """Language, options, its place in the call, flushes, and what is changed on the way."""
    ears = Ears()
    paying = MeteredSTT(ears, RecordingPurse())
    stream = paying.stream(language="fr", conn_options=TWICE)
    stream.start_time_offset = 7.0
    push(stream, 1)
    stream.flush()
    await settled(lambda: ears.flushes == 1)
    paying.update_options(language="de")
    paying._update_session_keyterms(["June"])
    item: Any = "item"
    paying._push_conversation_item(item)
    paying.prewarm()
    assert ears.told == ["fr", "de", ["June"], "item", "prewarm"]
    assert ears.streams[0].start_time_offset == pytest.approx(7.0, abs=0.5)
    assert ears.streams[0]._conn_options == TWICE
    await stream.aclose()
    assert ears.open == 0
    with pytest.raises(RuntimeError, match=r"closed|ended"):
        stream.push_frame(sound(1.0))


async def test_it_looks_as_the_ears_do() -> None:
    """Name, host, label and abilities; it is closed with them, and then listens no more."""
    ears = Ears()
    paying = MeteredSTT(ears, RecordingPurse())
    assert (paying.model, paying.provider, paying.label) == (MODEL, "api.example.org", ears.label)
    assert paying.capabilities is ears.capabilities
    assert paying.metrics_metadata == ears.metrics_metadata
    async with paying:
        pass
    assert ears.is_closed
    assert not any(ears._events.values())


async def recognised(ears: stt.STT[str], options: APIConnectOptions = ONCE) -> str:
    event = await ears.recognize([sound(1.5), sound(0.5)], conn_options=options)
    return event.alternatives[0].text


async def test_an_utterance_is_paid_for_by_its_length() -> None:
    """Where the ears do not stream."""
    purse = RecordingPurse()
    assert await recognised(MeteredSTT(Ears([words("hello")]), purse)) == "hello"
    assert purse.asked == [(ModelUsed("stt", "api.example.org", MODEL), Usage(audio_seconds=2.0))]
    assert purse.only() == (Usage(audio_seconds=2.0), False)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (APIConnectionError(), 0.0),
        (APIStatusError("", status_code=500), 0.0),
        (APITimeoutError(), 2.0),
    ],
    ids=["nobody there", "500", "too late"],
)
async def test_an_utterance_that_failed_costs_what_it_may_have_cost(
    error: APIError, seconds: float
) -> None:
    """Nothing, unless it may have been heard all the same; each attempt by itself."""
    purse = RecordingPurse()
    ears = Ears([error], [words("hello")])
    errors: list[stt.STTError] = []
    paying = MeteredSTT(ears, purse)
    paying.on("error", errors.append)
    assert await recognised(paying, TWICE) == "hello"
    assert [options.max_retry for _, options in ears.asked] == [0, 0]
    assert [(one.used.audio_seconds, one.is_estimate) for one in purse.settled] == [
        (seconds, True),
        (2.0, False),
    ]
    assert [one.recoverable for one in errors] == [True]


async def test_an_utterance_without_money_is_not_heard() -> None:
    """And not tried again."""
    ears = Ears([words("hello")])
    with pytest.raises(Refused):
        await recognised(MeteredSTT(ears, RecordingPurse(pays_for=0)), TWICE)
    assert ears.asked == []


steps = st.lists(
    st.sampled_from(
        [
            1.0,
            35.0,
            words("word"),
            told(1, 10, 2),
            told(1),
            APITimeoutError(),
            APIError("no", retryable=False),
            None,
        ]
    ),
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(
    turns=st.integers(0, 120),
    attempts=st.lists(steps, min_size=1, max_size=3),
    pays_for=st.integers(0, 4),
    seconds=st.integers(0, 200),
    is_stream=st.booleans(),
)
def test_whenever_it_ends_what_was_reserved_is_settled_once(
    turns: int, attempts: list[list[Step]], pays_for: int, seconds: int, is_stream: bool
) -> None:
    """At every turn of the event loop, also in the middle of a reservation or of closing."""

    async def call() -> None:
        purse = RecordingPurse(pays_for=pays_for, turns=turns % 4)
        ears = Ears(*attempts)
        options = APIConnectOptions(max_retry=2, retry_interval=0.0, timeout=1)
        paying = MeteredSTT(ears, purse)

        async def listen() -> None:
            if not is_stream:
                await recognised(paying, options)
                return
            stream = paying.stream(conn_options=options)
            push(stream, seconds // 2)
            async with stream:
                for number in range(seconds // 2, seconds):
                    stream.push_frame(sound(1.0))
                    if number % 10 == 0:
                        await asyncio.sleep(0)
                stream.end_input()
                async for _ in stream:
                    pass

        await cancelled_after(turns, listen)
        assert purse.left_open == 0
        assert len(purse.settled) == pays_for - purse.pays_for
        assert ears.open == 0
        charged = sum(one.used.audio_seconds for one in purse.settled)
        if is_stream:
            assert ears.heard_seconds <= charged <= seconds
            assert all(one.used.audio_seconds <= 60 for one in purse.settled)

    asyncio.run(call())

"""OpenAI, or any server that speaks its protocol: one function for each stage of a call.

Address and key are always given, because the client would look into the environment by itself.
"""

import aiohttp
from livekit.agents import APIConnectionError, APIStatusError, llm, stt, tts, vad
from livekit.agents.types import NOT_GIVEN
from livekit.plugins import openai
from pydantic import SecretStr

from agent.lines import primary
from agent.models.busy import BusyNote
from agent.settings import OPENAI_URL, LlmSettings, SttSettings, TtsSettings

NO_KEY = "none"
"""For servers that ask for no key; the client insists on one."""

QUICK_WITHOUT_REASONING = ("gpt-6",)
"""Models that by default think before they answer, and take tools in chat completions only when
they do not. The plugin knows this of the models before them."""


class RealtimeSTT(openai.STT):
    """The plugin's ears, whose socket may fail to open without ending them for good.

    LiveKit asks again after an `APIError` only, and the plugin lets aiohttp's errors through.
    """

    busy_note: BusyNote | None = None

    async def _connect_ws(
        self,
        timeout: float,  # noqa: ASYNC109 (the plugin's own signature)
    ) -> aiohttp.ClientWebSocketResponse:
        try:
            # LiveKit takes an attempt that lasted for `timeout` for one that had connected, and
            # would try for ever without once saying that it does not work.
            return await super()._connect_ws(timeout / 2)
        except aiohttp.WSServerHandshakeError as error:
            if self.busy_note is not None:
                self.busy_note.read(error.status, error.headers or {})
            raise APIStatusError(
                "the realtime connection was refused", status_code=error.status, body=None
            ) from None  # the cause holds the request's headers, and they the key
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise APIConnectionError("the realtime connection failed") from error


def openai_stt(
    settings: SttSettings, key: SecretStr | None, language: str, detector: vad.VAD
) -> stt.STT[str]:
    """Interim results come with `realtime` only; without it a VAD cuts the speech into requests."""
    return RealtimeSTT(
        model=settings.model_in_use,
        language=primary(settings.language or language),
        use_realtime=settings.realtime,
        # Some models end no utterance by themselves; the call's own VAD tells them where one ends.
        vad=detector if settings.realtime else NOT_GIVEN,
        base_url=settings.url,
        api_key=_text(key),
    )


def openai_llm(settings: LlmSettings, key: SecretStr | None) -> llm.LLM[str]:
    # OpenAI's newer models refuse `max_tokens`; other servers know only that.
    longest, is_openai = settings.max_output_tokens, settings.url == OPENAI_URL
    return openai.LLM(
        model=settings.model,
        reasoning_effort="none"
        if settings.model.startswith(QUICK_WITHOUT_REASONING)
        else NOT_GIVEN,
        temperature=NOT_GIVEN if settings.temperature == "" else settings.temperature,
        max_completion_tokens=longest if is_openai else NOT_GIVEN,
        extra_body=NOT_GIVEN if is_openai else {"max_tokens": longest},
        base_url=settings.url,
        api_key=_text(key),
    )


def openai_tts(settings: TtsSettings, key: SecretStr | None) -> tts.TTS[str]:
    """As `pcm`, which every such server can send and nobody needs to decode."""
    return openai.TTS(
        model=settings.model,
        voice=settings.voice,
        response_format="pcm",
        base_url=settings.url,
        api_key=_text(key),
    )


def _text(key: SecretStr | None) -> str:
    return NO_KEY if key is None else key.get_secret_value()

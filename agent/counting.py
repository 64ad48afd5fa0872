"""From what happens in a call to what is counted of it; never with its words."""

from livekit.agents import llm, stt, tts

from agent.config import metrics_folder
from agent.metrics import (
    CALLS_ACTIVE,
    HEARD,
    INTERRUPTIONS,
    MODEL_REQUESTS,
    MODEL_SPEND,
    REFUSALS,
    REPLY,
    STAGE,
)
from session import Decision
from session.money import MICROS
from session.usage import ModelUsed


def begin_counting() -> None:
    """Open the files of this process now: one that cannot be opened later would cost a call.

    A system may remove them while June runs, such as when the user logs out whom she runs as.
    """
    if (folder := metrics_folder()) is not None:
        folder.mkdir(parents=True, exist_ok=True)
    CALLS_ACTIVE.inc(0)


def count_times(message: llm.ChatMessage) -> None:
    """How long the stages of its turn took, as far as LiveKit has measured them."""
    measured = message.metrics
    stages = {
        "end_of_turn": measured.get("end_of_turn_delay"),
        "transcription": measured.get("transcription_delay"),
        "first_token": measured.get("llm_node_ttft"),
        "first_clause": measured.get("llm_node_ttfs"),
        "first_audio": measured.get("tts_node_ttfb"),
    }
    for stage, seconds in stages.items():
        if seconds is not None:
            STAGE.labels(stage=stage).observe(seconds)
    if is_answer(message) and (seconds := measured.get("e2e_latency")) is not None:
        REPLY.observe(seconds)


def is_answer(reply: llm.ChatMessage) -> bool:
    """And no line that June says on her own account, of which no model is asked."""
    return "llm_node_ttft" in reply.metrics


def count_interruption(reply: llm.ChatMessage) -> None:
    """The caller spoke, or left, and June stopped: how much of it they had heard."""
    INTERRUPTIONS.inc()
    began_at = reply.metrics.get("started_speaking_at")
    ended_at = reply.metrics.get("stopped_speaking_at")
    if began_at is not None and ended_at is not None:
        HEARD.observe(max(0.0, ended_at - began_at))


def count_refusal(decision: Decision) -> None:
    REFUSALS.labels(reason=decision.reason or "unknown").inc()


def count_request(model: object, outcome: str) -> None:
    """A request to `model`, which is LiveKit's, and what came of it: one of a few words."""
    match model:
        case stt.STT():
            stage = "stt"
        case llm.LLM():
            stage = "llm"
        case tts.TTS():
            stage = "tts"
        case _:
            return
    MODEL_REQUESTS.labels(
        stage=stage, provider=model.provider, model=model.model, outcome=outcome
    ).inc()


def count_spending(model: ModelUsed, micros: int) -> None:
    MODEL_SPEND.labels(provider=model.provider, model=model.model).inc(micros / MICROS)

"""June with hosted models: OpenAI's protocols, and behind them what she has offline."""

from agent.models.brain import Question, Said, answer
from bench.provider import Answer, ChatRequest, Script, ScriptedProvider

KEY = "sk-test-of-the-rooms"

MODELS = ("gpt-6-luna", "gpt-live-transcribe", "gpt-transcribe", "gpt-4o-mini-tts")


def as_offline(request: ChatRequest) -> Answer:
    """What the offline brain would say, so that both Junes are asked the same."""
    said = [
        Said(by_user=message["role"] == "user", text=str(message["content"]))
        for message in request.messages
        if message["role"] in ("user", "assistant") and message.get("content")
    ]
    newest = max((i for i, one in enumerate(said) if one.by_user), default=-1)
    return Answer(answer(Question(request.last_user_text, said[: max(newest, 0)])))


def script() -> Script:
    return Script(llm=as_offline, models=MODELS)


def asking(provider: ScriptedProvider, *stages: str) -> dict[str, str]:
    """The variables that put these stages at this provider; every one, if none is named."""
    variables = {"PROVIDER_KEY": KEY}
    for stage in stages or ("STT", "LLM", "TTS"):
        variables[f"JUNE_{stage}__BASE_URL"] = provider.base_url
        variables[f"JUNE_{stage}__KEY_VARIABLE"] = "PROVIDER_KEY"
    return variables

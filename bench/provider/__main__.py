"""`python -m bench.provider`: the provider alone, for a developer who points June at it."""

import asyncio
from typing import Annotated

import typer

from agent.models.local.engine import LocalSpeech
from bench.provider import Answer, ChatRequest, Script, ScriptedProvider


def serve(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    key: Annotated[str, typer.Option(help="The only API key to accept; without it, any.")] = "",
    reply: Annotated[
        str, typer.Option(help="The LLM's every answer; `{heard}` is what the caller said.")
    ] = "You said: {heard}",
    first_token_seconds: Annotated[float, typer.Option(help="Time to the first token.")] = 0.3,
    tokens_per_second: Annotated[float, typer.Option(help="How fast the rest follows.")] = 50.0,
) -> None:
    """Speak OpenAI's protocols on loopback until Ctrl-C: Moonshine hears, Piper speaks."""

    def answer(request: ChatRequest) -> Answer:
        return Answer(
            reply.replace("{heard}", request.last_user_text or "nothing yet"),
            first_token_seconds=first_token_seconds,
            tokens_per_second=tokens_per_second,
        )

    async def until_interrupted() -> None:
        async with (
            LocalSpeech() as speech,
            ScriptedProvider(speech, Script(llm=answer), key=key or None, port=port) as provider,
        ):
            typer.echo(provider.base_url)
            await asyncio.Event().wait()

    try:
        asyncio.run(until_interrupted())
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)


if __name__ == "__main__":
    typer.run(serve)

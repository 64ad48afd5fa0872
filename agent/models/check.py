"""Before anybody calls: can each configured provider be reached, and does it know key and model?

Those that a stage's `fallback` names are asked too: when they are needed it is too late to look.

It asks `GET {base_url}/models`, which costs nothing and which every server that speaks OpenAI's
protocol answers. Where `[limits] unpriced` is `deny` it also looks for the price of each model. A
problem is a sentence with a hint, and never a secret.
"""

import asyncio
import json
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog

from agent.config import STAGES, Choice, Config, Stage
from agent.errors import CannotStart
from agent.lines import primary
from agent.settings import OPENAI_URL
from session.prices import PriceList
from session.usage import ModelUsed, Usage

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 5.0
"""For all providers together, each asked at the same time."""

SHOWN_MODELS = 5

TYPICAL: dict[Stage, Usage] = {
    "stt": Usage(audio_seconds=60.0),
    "llm": Usage(input_tokens=1_000, output_tokens=100),
    "tts": Usage(characters=100, audio_seconds=10.0),
}
"""What is counted when a request is reserved: a model may have a price for something else only."""


@dataclass(frozen=True)
class ProviderProblem:
    """Why a stage, or who is asked where it fails, will not work as it is configured."""

    stage: Stage
    what: str
    hint: str
    is_of_fallback: bool = False

    def __str__(self) -> str:
        return f"`[{self.stage}]`: {self.what}\nhint: {self.hint}"


@dataclass(frozen=True)
class _Asked:
    """A provider of a stage: the stage's own, or one of its fallback."""

    stage: Stage
    choice: Choice
    is_of_fallback: bool

    @property
    def place(self) -> str:
        """Where its settings are, in words."""
        section = f"[{self.stage}]"
        return f"its table in `{section} fallback`" if self.is_of_fallback else f"`{section}`"

    def problem(self, what: str, hint: str) -> ProviderProblem:
        if self.is_of_fallback:
            what = f"its fallback `{self.choice.settings.model_in_use}`: {what}"
        return ProviderProblem(self.stage, what, hint, self.is_of_fallback)


@dataclass(frozen=True)
class Answered:
    """What a server said to `GET /models`."""

    status: int
    is_json: bool
    models: tuple[str, ...]


async def say_problems(
    config: Config, *, strict: bool, stages: Sequence[Stage] = STAGES
) -> set[Stage]:
    """Log what is wrong with the providers of each stage; the stages that work by themselves.

    Raises:
        CannotStart: with `strict`, if anything is wrong.
    """
    problems = await find_problems(config, stages)
    if problems and strict:
        raise CannotStart(
            "\n".join(str(problem) for problem in problems)
            + "\nhint: run it without `--strict`, and June starts all the same"
        )
    for problem in problems:
        log.warning(
            "provider.unusable", stage=problem.stage, problem=problem.what, hint=problem.hint
        )
    return set(stages) - {one.stage for one in problems if not one.is_of_fallback}


async def find_problems(
    config: Config, stages: Sequence[Stage] = STAGES
) -> tuple[ProviderProblem, ...]:
    """Of each provider one with itself and one with its price; a local one is asked nothing."""
    asked = [
        _Asked(stage, choice, is_of_fallback=number > 0)
        for stage in stages
        for number, choice in enumerate(config.providers_of(stage))
    ]
    found = [*await asyncio.gather(*(_problem_of(config, one) for one in asked))]
    if config.limits.unpriced == "deny":
        # The first look loads a table, for up to half a second.
        found += await asyncio.to_thread(lambda: [_price_problem(config, one) for one in asked])
    return tuple(problem for problem in found if problem is not None)


def _price_problem(config: Config, asked: _Asked) -> ProviderProblem | None:
    if asked.choice.is_local:
        return None
    settings = asked.choice.settings
    model = settings.model_in_use
    used = ModelUsed(asked.stage, _host(settings.url), model)
    if not PriceList(config.prices).cost(used, TYPICAL[asked.stage]).is_unpriced:
        return None
    return asked.problem(
        f'nobody knows what the model `{model}` costs, and `[limits] unpriced = "deny"` refuses it',
        f'say what it costs in `[prices."{model}"]`, or `free = true` there',
    )


def _host(url: str) -> str:
    """As the plugin names it as its provider."""
    parts = urlsplit(url)
    return parts.netloc.lower().removesuffix(":443" if parts.scheme == "https" else ":80")


async def _problem_of(config: Config, asked: _Asked) -> ProviderProblem | None:
    if asked.choice.is_local:
        return _local_problem(config, asked)
    settings, key = asked.choice.settings, asked.choice.key
    url, variable = settings.url, settings.variable_of_key
    set_key = f"run `export {variable}=…`"
    if key is None and url == OPENAI_URL:
        return asked.problem(f"`{variable}` is not set", set_key)
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), aiohttp.ClientSession() as http:
            answered = await _ask(http, url, headers)
            if answered.is_json and answered.status < 400:
                return _unknown_model(asked, answered.models)
            if answered.status in (401, 403):
                what = f"`{url}` does not accept the key in `{variable}`"
                if variable is None:
                    what = f"`{url}` asks for a key"
                    set_key = (
                        f'set `key_variable = "MY_KEY"` in {asked.place}, and `export MY_KEY=…`'
                    )
                elif key is None:
                    what = f"`{url}` asks for a key, and `{variable}` is not set"
                return asked.problem(what, set_key)
            if answered.status == 429 or answered.status >= 500:
                what = f"`{url}` answers with status {answered.status}"
                return asked.problem(what, f"run `curl {url}/models`, and try again later")
            return await _wrong_address(http, asked, headers, answered)
    except TimeoutError:
        why = f"does not answer within {PATIENCE_SECONDS:.0f} s"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        why = f"cannot be reached: {_reason(error)}"
    return asked.problem(f"`{url}` {why}", f"run `curl {url}/models`, or correct the URL")


def _local_problem(config: Config, asked: _Asked) -> ProviderProblem | None:
    language, stage = config.agent.language, asked.stage
    # As a fallback it is not asked in another language, and nobody has chosen it for that.
    if stage == "llm" or asked.is_of_fallback or primary(language) == "en":
        return None
    does = "hears" if stage == "stt" else "speaks"
    return asked.problem(
        f"June {does} only English on this machine, and `agent.language` is `{language}`",
        f'set a provider that {does} it in `[{stage}]`, or `language = "en"`',
    )


async def _ask(http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> Answered:
    async with http.get(f"{url}/models", headers=headers) as response:
        try:
            body: Any = json.loads(await response.text(errors="replace"))
        except ValueError:
            return Answered(response.status, is_json=False, models=())
        listed = body.get("data") if isinstance(body, dict) else None
        entries = listed if isinstance(listed, list) else []
        models = [one.get("id") for one in entries if isinstance(one, dict)]
        return Answered(
            response.status,
            is_json=isinstance(listed, list) or response.status >= 400,
            models=tuple(name for name in models if isinstance(name, str)),
        )


def _unknown_model(asked: _Asked, models: tuple[str, ...]) -> ProviderProblem | None:
    settings = asked.choice.settings
    url, model = settings.url, settings.model_in_use
    # Ollama lists `llama3.2:latest` and takes `llama3.2`; a server that lists nothing says nothing.
    if not models or model in models or f"{model}:latest" in models:
        return None
    some = ", ".join(f"`{name}`" for name in models[:SHOWN_MODELS])
    more = f" and {len(models) - SHOWN_MODELS} more" if len(models) > SHOWN_MODELS else ""
    return asked.problem(
        f"`{url}` does not know the model `{model}`; it has {some}{more}",
        f"set `model` in {asked.place} to one of them",
    )


async def _wrong_address(
    http: aiohttp.ClientSession, asked: _Asked, headers: dict[str, str], answered: Answered
) -> ProviderProblem:
    """Something answers there and does not speak the protocol: often only `/v1` is missing."""
    url = asked.choice.settings.url
    with_v1 = f"{url}/v1"
    if not urlsplit(url).path.rstrip("/").endswith("/v1"):
        there = await _ask(http, with_v1, headers)
        if there.is_json and there.status in (200, 401, 403):
            what = f"`{url}` is not where the API begins"
            return asked.problem(what, f'set `base_url = "{with_v1}"` in {asked.place}')
    what = f"`{url}/models` answers with status {answered.status}"
    if answered.status < 400:
        what = f"`{url}` answers, but not as OpenAI's API does; is it a web page?"
    return asked.problem(what, f"run `curl {url}/models`, which should list models")


def _reason(error: Exception) -> str:
    if not isinstance(error, aiohttp.ClientConnectorError):
        return str(error) or type(error).__name__
    cause = error.os_error
    if cause.errno is None or isinstance(cause, socket.gaierror):
        return cause.strerror or str(cause)
    return os.strerror(cause.errno)

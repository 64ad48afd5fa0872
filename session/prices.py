"""What a model request costs: by the operator's price, else a public one, else June's own.

A price in dollars for a million of something is the price in micro-dollars for one of it.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from session.money import MICROS
from session.usage import ModelUsed, Stage, Usage

LOCAL = "local"
"""The provider whose work costs nothing."""

OPENAI_HOST = "api.openai.com"

SPOKEN_CHARACTERS_PER_SECOND = 10
"""English is spoken with about 15; who takes longer costs more."""

HEARD_TOKENS_PER_SECOND = 10
WRITTEN_TOKENS_PER_SECOND = 5
SPOKEN_TOKENS_PER_SECOND = 25
"""What OpenAI counts at most of sound that it hears, of the words in it, and of its own voice."""

Dollars = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Price(BaseModel):
    """Of one model, in dollars. What is given is added up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_per_mtok: Dollars | None = Field(None, description="A million tokens that it reads")
    cached_input_per_mtok: Dollars | None = Field(
        None, description="A million of them that it has read before"
    )
    output_per_mtok: Dollars | None = Field(None, description="A million tokens that it writes")
    audio_input_per_mtok: Dollars | None = Field(
        None, description="A million tokens of sound that it hears"
    )
    per_minute: Dollars | None = Field(None, description="A minute of sound, heard or spoken")
    per_mchars: Dollars | None = Field(None, description="A million characters that it speaks")
    free: bool = Field(default=False, description="It costs nothing")

    @model_validator(mode="after")
    def _costs_something_or_is_free(self) -> Self:
        prices = self.model_dump(exclude={"free"}, exclude_none=True)
        if self.free and prices:
            raise ValueError(f"`free = true` and `{min(prices)}` contradict each other")
        if not self.free and not any(prices.values()):
            raise ValueError("a model that costs nothing needs `free = true`")
        return self

    @model_validator(mode="after")
    def _has_all_that_tokens_cost(self) -> Self:
        reads = self.input_per_mtok is not None or self.audio_input_per_mtok is not None
        if reads and self.output_per_mtok is None:
            raise ValueError("tokens that it reads have a price, so `output_per_mtok` is needed")
        if self.output_per_mtok is not None and not reads:
            raise ValueError("`output_per_mtok` needs `input_per_mtok` beside it")
        if self.cached_input_per_mtok is not None and self.input_per_mtok is None:
            raise ValueError("`cached_input_per_mtok` needs `input_per_mtok` beside it")
        return self

    def micros(self, stage: Stage, usage: Usage) -> Decimal | None:
        """None where nothing that was used has a price."""
        parts = list(self._parts(stage, usage))
        if not parts and self.output_per_mtok is not None:
            parts = list(self._parts(stage, _in_tokens(stage, usage)))
        return sum(parts, Decimal()) if parts else None

    def _parts(self, stage: Stage, usage: Usage) -> Iterator[Decimal]:
        text, sound = self.input_per_mtok, self.audio_input_per_mtok
        first, second = (sound, text) if stage == "stt" else (text, sound)
        fresh = second if first is None else first
        again = fresh if self.cached_input_per_mtok is None else self.cached_input_per_mtok
        cached = min(usage.cached_input_tokens, usage.input_tokens)
        seconds = usage.audio_seconds or usage.characters / SPOKEN_CHARACTERS_PER_SECOND
        for dollars, amount in (
            (fresh, usage.input_tokens - cached),
            (again, cached),
            (self.output_per_mtok, usage.output_tokens),
            (self.per_minute, Decimal(str(seconds)) * MICROS / 60),
            (self.per_mchars, usage.characters),
        ):
            if dollars is not None and amount:
                yield Decimal(str(dollars)) * amount


def _in_tokens(stage: Stage, usage: Usage) -> Usage:
    """Sound and characters as the tokens that a provider would hardly exceed."""
    seconds = usage.audio_seconds or usage.characters / SPOKEN_CHARACTERS_PER_SECOND
    if stage == "stt":
        read, written = seconds * HEARD_TOKENS_PER_SECOND, seconds * WRITTEN_TOKENS_PER_SECOND
    else:
        read, written = usage.characters, seconds * SPOKEN_TOKENS_PER_SECOND
    return replace(usage, input_tokens=math.ceil(read), output_tokens=math.ceil(written))


@dataclass(frozen=True)
class Cost:
    """Of one request."""

    micros: int
    """Rounded up."""
    is_unpriced: bool = False
    """Nobody knows the price; `micros` is 0."""


SHIPPED = {
    "gpt-4o-transcribe": Price(per_minute=0.006),
    "gpt-4o-mini-transcribe": Price(per_minute=0.003),
    "gpt-4o-mini-tts": Price(per_minute=0.015),
}
"""Of OpenAI's models that are charged by tokens, for requests whose tokens it does not count."""

DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")
"""At the end of a model's name: one version of it."""


class PriceList:
    """The operator's prices, by the model's name, before all others."""

    def __init__(self, operator: Mapping[str, Price]) -> None:
        self._operator = operator

    def cost(self, model: ModelUsed, usage: Usage) -> Cost:
        """Of one request; what nobody knows the price of is never 0 in silence."""
        own = self._operator.get(model.model)
        if model.provider == LOCAL or (own is not None and own.free) or usage == Usage():
            return Cost(0)
        micros = None if own is None else own.micros(model.stage, usage)
        if micros is None:
            micros = _public_micros(model, usage)
        if micros is None and model.provider == OPENAI_HOST:
            shipped = SHIPPED.get(DATE.sub("", model.model))
            micros = None if shipped is None else shipped.micros(model.stage, usage)
        return Cost(0, is_unpriced=True) if micros is None else Cost(math.ceil(micros))


def load_public_prices() -> None:
    """In advance: it takes up to half a second, in which nobody else gets on."""
    _public_micros(ModelUsed("llm", OPENAI_HOST, "gpt-4.1-mini"), Usage(1))


def _public_micros(model: ModelUsed, usage: Usage) -> Decimal | None:
    """By the table in `genai-prices`; the network is not asked."""
    import genai_prices  # noqa: PLC0415 (see `load_public_prices`; local models need none)

    is_heard = model.stage == "stt"
    counted = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=min(usage.cached_input_tokens, usage.input_tokens),
        # OpenAI counts what it heard, and does not say that it was sound.
        input_audio_tokens=usage.input_tokens if is_heard else None,
        output_tokens=usage.output_tokens,
        input_characters=usage.characters,
        audio_seconds=usage.audio_seconds if is_heard else None,
    )
    try:
        price = genai_prices.calc_price(
            counted, model.model, provider_api_url=f"https://{model.provider}"
        )
    except LookupError:
        return None
    if price.provider.id.startswith("openai") and model.provider != OPENAI_HOST:
        return None  # a host whose name only begins like OpenAI's
    # It says 0 of what it has no price for.
    return price.total_price * MICROS or None

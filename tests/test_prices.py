"""What a request costs, and by whose price."""

import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from session.prices import SHIPPED, Cost, Price, PriceList
from session.usage import ModelUsed, Stage, Usage

OPENAI = "api.openai.com"
MINUTE = Usage(audio_seconds=60.0)

NO_PRICES = PriceList({})


def hosted(stage: Stage, model: str, provider: str = OPENAI) -> ModelUsed:
    return ModelUsed(stage, provider, model)


@pytest.mark.parametrize(
    ("model", "usage", "micros"),
    [
        pytest.param(
            hosted("llm", "gpt-4.1-mini"),
            Usage(input_tokens=1_000_000, cached_input_tokens=500_000, output_tokens=100_000),
            200_000 + 50_000 + 160_000,
            id="tokens, some of them cached",
        ),
        pytest.param(
            hosted("llm", "gpt-4.1-mini-2025-04-14"),
            Usage(input_tokens=1_000),
            400,
            id="one version of a model",
        ),
        pytest.param(hosted("stt", "whisper-1"), MINUTE, 6_000, id="minutes"),
        pytest.param(hosted("stt", "gpt-transcribe"), MINUTE, 4_500, id="minutes, June's own"),
        pytest.param(hosted("stt", "gpt-live-transcribe"), MINUTE, 17_000, id="minutes, live"),
        pytest.param(
            hosted("stt", "gpt-live-transcribe"),
            replace(MINUTE, input_tokens=600, output_tokens=100),
            17_000,
            id="minutes, though tokens were counted",
        ),
        pytest.param(
            hosted("stt", "gpt-4o-mini-transcribe"),
            replace(MINUTE, input_tokens=600, output_tokens=100),
            600 * 3 + 100 * 5,
            id="tokens of sound, not of text",
        ),
        pytest.param(hosted("tts", "tts-1"), Usage(characters=1_000), 15_000, id="characters"),
        pytest.param(
            hosted("tts", "gpt-4o-mini-tts"),
            Usage(input_tokens=10, output_tokens=1_000, characters=40, audio_seconds=50.0),
            12_006,
            id="tokens that a voice counts",
        ),
        pytest.param(
            hosted("llm", "llama-3.3-70b-versatile", "api.groq.com"),
            Usage(input_tokens=1_000_000),
            590_000,
            id="another host",
        ),
    ],
)
def test_a_public_price_is_found_by_host_and_model(
    model: ModelUsed, usage: Usage, micros: int
) -> None:
    """In the table that comes with June."""
    assert NO_PRICES.cost(model, usage) == Cost(micros)


@pytest.mark.parametrize(
    ("model", "usage", "micros"),
    [
        pytest.param(hosted("stt", "gpt-4o-transcribe"), MINUTE, 6_000, id="heard"),
        pytest.param(hosted("stt", "gpt-4o-mini-transcribe"), MINUTE, 3_000, id="heard, mini"),
        pytest.param(
            hosted("stt", "gpt-4o-mini-transcribe-2025-12-15"), MINUTE, 3_000, id="one version"
        ),
        pytest.param(
            hosted("tts", "gpt-4o-mini-tts"),
            Usage(characters=900, audio_seconds=60.0),
            15_000,
            id="spoken",
        ),
        pytest.param(
            hosted("tts", "gpt-4o-mini-tts"), Usage(characters=900), 22_500, id="characters only"
        ),
    ],
)
def test_what_is_charged_by_tokens_costs_something_when_nobody_counted_them(
    model: ModelUsed, usage: Usage, micros: int
) -> None:
    """By the minute, and of characters alone rather more minutes than fewer."""
    assert NO_PRICES.cost(model, usage) == Cost(micros)


@pytest.mark.parametrize(
    "model",
    [
        hosted("llm", "gpt-4.1-mini", "127.0.0.1:11434"),
        hosted("llm", "gpt-4.1-mini", "localhost:8000"),
        hosted("llm", "gpt-4.1-mini", "api.openai.com.example.org"),
        hosted("llm", "gpt-4.1-mini", "notapi.openai.com"),
        hosted("stt", "gpt-4o-mini-transcribe", "127.0.0.1:9000"),
        hosted("tts", "gpt-4o-mini-tts", "speech.example.org"),
        hosted("llm", "a-model-of-tomorrow"),
        hosted("llm", "unknown", "unknown"),
    ],
    ids=lambda model: f"{model.provider} {model.model}",
)
def test_a_model_that_nobody_knows_is_unpriced(model: ModelUsed) -> None:
    """A familiar name on a host of one's own tells nothing."""
    used = Usage(input_tokens=10, output_tokens=10, audio_seconds=1.0, characters=10)
    assert NO_PRICES.cost(model, used) == Cost(0, is_unpriced=True)


def test_what_a_price_does_not_cover_is_unpriced() -> None:
    """It would otherwise be 0 in silence."""
    assert NO_PRICES.cost(hosted("tts", "tts-1"), Usage(audio_seconds=5.0)).is_unpriced
    by_minute = PriceList({"mine": Price(per_minute=1.0)})
    assert by_minute.cost(hosted("llm", "mine", "here"), Usage(output_tokens=5)).is_unpriced


def test_nothing_costs_nothing() -> None:
    """Also of a model that nobody knows the price of."""
    assert NO_PRICES.cost(hosted("llm", "a-model-of-tomorrow"), Usage()) == Cost(0)


def test_local_models_and_free_ones_cost_nothing() -> None:
    """Whatever the operator has said of the same name."""
    used = Usage(input_tokens=10_000, audio_seconds=3_600)
    prices = PriceList({"dear": Price(per_minute=9), "mine": Price(free=True)})
    assert prices.cost(hosted("stt", "dear", "local"), used) == Cost(0)
    assert prices.cost(hosted("llm", "mine", "127.0.0.1:11434"), used) == Cost(0)


@pytest.mark.parametrize(
    ("price", "stage", "usage", "micros"),
    [
        pytest.param(
            Price(input_per_mtok=2, cached_input_per_mtok=0.5, output_per_mtok=8),
            "llm",
            Usage(input_tokens=100, cached_input_tokens=40, output_tokens=10),
            120 + 20 + 80,
            id="tokens",
        ),
        pytest.param(
            Price(input_per_mtok=2, output_per_mtok=8),
            "llm",
            Usage(input_tokens=100, cached_input_tokens=40),
            200,
            id="cached ones that cost as much",
        ),
        pytest.param(
            Price(input_per_mtok=2, cached_input_per_mtok=0, output_per_mtok=8),
            "llm",
            Usage(input_tokens=100, cached_input_tokens=900),
            0,
            id="more cached than there are",
        ),
        pytest.param(
            Price(input_per_mtok=2, audio_input_per_mtok=5, output_per_mtok=8),
            "stt",
            Usage(input_tokens=100, output_tokens=10, audio_seconds=10),
            580,
            id="tokens of sound",
        ),
        pytest.param(
            Price(input_per_mtok=2, audio_input_per_mtok=5, output_per_mtok=8),
            "tts",
            Usage(input_tokens=100, output_tokens=10, audio_seconds=10),
            280,
            id="tokens of text",
        ),
        pytest.param(Price(per_minute=0.6), "stt", MINUTE, 600_000, id="minutes"),
        pytest.param(
            Price(per_mchars=15), "tts", Usage(characters=7, audio_seconds=1), 105, id="characters"
        ),
        pytest.param(
            Price(per_minute=0.6, per_mchars=15),
            "tts",
            Usage(characters=10, audio_seconds=1),
            10_150,
            id="both",
        ),
        pytest.param(
            Price(input_per_mtok=3, output_per_mtok=5), "stt", MINUTE, 3_300, id="uncounted, heard"
        ),
        pytest.param(
            Price(input_per_mtok=0.6, output_per_mtok=12),
            "tts",
            Usage(characters=900, audio_seconds=60),
            18_540,
            id="uncounted, spoken",
        ),
        pytest.param(
            Price(input_per_mtok=0.1, output_per_mtok=0.1), "llm", Usage(1), 1, id="rounded up"
        ),
        pytest.param(
            Price(input_per_mtok=0.07, output_per_mtok=0.1), "llm", Usage(100), 7, id="exactly"
        ),
    ],
)
def test_the_operators_price_comes_first(
    price: Price, stage: Stage, usage: Usage, micros: int
) -> None:
    """On every host, also of a model that has a public price."""
    prices = PriceList({"gpt-4.1-mini": price})
    for provider in (OPENAI, "127.0.0.1:11434"):
        assert prices.cost(hosted(stage, "gpt-4.1-mini", provider), usage) == Cost(micros)


def test_a_model_that_the_operator_has_no_price_for_has_its_public_one() -> None:
    """A price says nothing of other models, nor of what it has no rate for."""
    prices = PriceList({"gpt-4.1-mini": Price(per_minute=1.0), "other": Price(per_minute=1.0)})
    assert prices.cost(hosted("llm", "gpt-4.1-mini"), Usage(input_tokens=1_000)) == Cost(400)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "needs `free = true`"),
        ({"per_minute": 0}, "needs `free = true`"),
        ({"free": True, "per_minute": 0}, "`free = true` and `per_minute` contradict"),
        ({"per_minute": -1}, "greater than or equal to 0"),
        ({"per_minute": math.inf}, "finite"),
        ({"per_minute": math.nan}, "greater than or equal|finite"),
        ({"per_hour": 1}, "Extra inputs"),
        ({"input_per_mtok": 1}, "`output_per_mtok` is needed"),
        ({"audio_input_per_mtok": 1}, "`output_per_mtok` is needed"),
        ({"output_per_mtok": 1}, "needs `input_per_mtok` beside it"),
        (
            {"audio_input_per_mtok": 1, "output_per_mtok": 1, "cached_input_per_mtok": 1},
            "`cached_input_per_mtok` needs",
        ),
    ],
)
def test_a_price_that_would_charge_too_little_is_no_price(
    given: dict[str, Any], words: str
) -> None:
    """The operator is told what is missing."""
    with pytest.raises(ValidationError, match=words):
        Price.model_validate(given)


def test_the_table_of_prices_is_read_only_when_it_is_needed() -> None:
    """A call with local models starts without it; others can have it read before they start."""
    code = (
        "import sys; from session.prices import *; from session.usage import *\n"
        "cost = PriceList({}).cost(ModelUsed('llm', 'local', 'offline-brain'), Usage(5))\n"
        "print(cost.micros, 'genai_prices' in sys.modules)\n"
        "load_public_prices()\n"
        "print('genai_prices' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.split() == ["0", "False", "True"]


tokens = st.integers(0, 10_000_000)
usages = st.builds(
    Usage,
    input_tokens=tokens,
    cached_input_tokens=tokens,
    output_tokens=tokens,
    audio_seconds=st.floats(0, 100_000).map(lambda seconds: round(seconds, 3)),
    characters=st.integers(0, 1_000_000),
)
rates = st.floats(0.001, 1_000)
stages: st.SearchStrategy[Stage] = st.sampled_from(("stt", "llm", "tts"))
prices = st.one_of(
    st.builds(Price, input_per_mtok=rates, output_per_mtok=rates),
    st.builds(Price, input_per_mtok=rates, audio_input_per_mtok=rates, output_per_mtok=rates),
    st.builds(Price, per_minute=rates),
    st.builds(Price, per_mchars=rates),
    st.builds(
        Price, input_per_mtok=rates, output_per_mtok=rates, per_minute=rates, per_mchars=rates
    ),
)
public_models = st.sampled_from(
    [
        hosted("llm", "gpt-4.1-mini"),
        hosted("llm", "gpt-6-luna"),
        hosted("stt", "gpt-4o-mini-transcribe"),
        hosted("stt", "gpt-live-transcribe"),
        hosted("tts", "gpt-4o-mini-tts"),
        hosted("tts", "tts-1"),
    ]
)


def times(usage: Usage, factor: int) -> Usage:
    return Usage(
        input_tokens=usage.input_tokens * factor,
        cached_input_tokens=usage.cached_input_tokens * factor,
        output_tokens=usage.output_tokens * factor,
        audio_seconds=usage.audio_seconds * factor,
        characters=usage.characters * factor,
    )


@given(prices, stages, usages)
def test_what_has_a_price_never_costs_nothing(price: Price, stage: Stage, usage: Usage) -> None:
    """It costs at least a micro-dollar, or it is unpriced."""
    cost = PriceList({"mine": price}).cost(hosted(stage, "mine", "here"), usage)
    if usage != Usage():
        assert (cost.micros > 0) != cost.is_unpriced
    else:
        assert cost == Cost(0)


@given(prices, stages, usages, st.integers(1, 50))
def test_more_of_the_same_never_costs_less(
    price: Price, stage: Stage, usage: Usage, factor: int
) -> None:
    """And never more than as often the price of one, but for the last digit of a float."""
    price_list = PriceList({"mine": price})
    once = price_list.cost(hosted(stage, "mine", "here"), usage)
    often = price_list.cost(hosted(stage, "mine", "here"), times(usage, factor))
    assert once.is_unpriced == often.is_unpriced
    assert once.micros <= often.micros <= once.micros * factor + 1


@given(public_models, usages, st.integers(1, 50))
def test_more_of_the_same_never_costs_less_at_a_public_price(
    model: ModelUsed, usage: Usage, factor: int
) -> None:
    """Nor is a price found for the one and not for the other."""
    once, often = NO_PRICES.cost(model, usage), NO_PRICES.cost(model, times(usage, factor))
    assert once.is_unpriced == often.is_unpriced
    assert once.micros <= often.micros


@given(st.sampled_from(sorted(SHIPPED)), st.integers(1, 3_600))
def test_sound_whose_tokens_were_counted_costs_about_as_much_as_its_minutes(
    model: str, seconds: int
) -> None:
    """What OpenAI counts of ordinary speech does not exceed the price of the minute."""
    stage: Stage = "tts" if model.endswith("-tts") else "stt"
    uncounted = NO_PRICES.cost(hosted(stage, model), Usage(audio_seconds=seconds))
    read, written = (seconds * 4, seconds * 20) if stage == "tts" else (seconds * 10, seconds * 3)
    counted = NO_PRICES.cost(
        hosted(stage, model),
        Usage(input_tokens=read, output_tokens=written, audio_seconds=seconds),
    )
    assert counted.micros <= uncounted.micros + 1

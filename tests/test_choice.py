"""Who hears, thinks and speaks: from `agent.toml` and the keys that are set."""

import pytest
from speech_fakes import ScriptedSpeech

from agent.config import STAGES, Config, ConfigError, load
from agent.models.build import build_models, voice_name
from agent.turns import load_vad

HOME = {"HOME": "/home/alice"}
KEY = {"OPENAI_API_KEY": "sk-test-not-a-key"}


def config(**environ: str) -> Config:
    return load(environ={**HOME, **environ})


def providers(config: Config) -> list[str]:
    return [config.provider_of(stage) for stage in STAGES]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, ["local", "local", "local"], id="auto without a key"),
        pytest.param(KEY, ["openai", "openai", "openai"], id="auto with a key"),
        pytest.param({"OPENAI_API_KEY": " \n"}, ["local"] * 3, id="an empty key is none"),
        pytest.param({**KEY, "JUNE_MODELS__PROFILE": "local"}, ["local"] * 3, id="local"),
        pytest.param({"JUNE_MODELS__PROFILE": "openai"}, ["openai"] * 3, id="openai"),
        pytest.param(
            {"JUNE_LLM__BASE_URL": "http://127.0.0.1:11434/v1"},
            ["local", "openai", "local"],
            id="an address is enough",
        ),
        pytest.param(
            {**KEY, "JUNE_TTS__PROVIDER": "local"}, ["openai", "openai", "local"], id="mixed"
        ),
        pytest.param(
            {"JUNE_LLM__BASE_URL": "http://127.0.0.1:1/v1", "JUNE_LLM__PROVIDER": "local"},
            ["local", "local", "local"],
            id="what a stage says itself wins",
        ),
    ],
)
def test_each_stage_finds_its_provider(environ: dict[str, str], expected: list[str]) -> None:
    """Its own word first, then its address, then the profile."""
    assert providers(config(**environ)) == expected


def test_a_key_is_read_from_the_variable_that_is_named() -> None:
    """Each stage may have its own, and none is shown."""
    read = config(JUNE_LLM__KEY_VARIABLE="OTHER_KEY", OTHER_KEY="sk-other-1234567\n", **KEY)
    llm, stt = read.key_of("llm"), read.key_of("stt")
    assert llm is not None
    assert stt is not None
    assert llm.get_secret_value() == "sk-other-1234567"
    assert stt.get_secret_value() == KEY["OPENAI_API_KEY"]
    assert {"sk-other-1234567", KEY["OPENAI_API_KEY"]} <= set(read.secrets)
    assert "sk-other" not in repr(read)


async def test_local_stages_are_the_models_of_this_machine() -> None:
    """And a call that is typed has neither ears nor a voice."""
    detector = load_vad()
    models = build_models(config(), language="en", speech=ScriptedSpeech(), detector=detector)
    chosen = (models.stt, models.llm, models.tts)
    labels = [one.label for one in chosen if one is not None]
    assert [label.rpartition(".")[2] for label in labels] == ["LocalSTT", "OfflineLLM", "LocalTTS"]
    typed = build_models(config(), language="en", speech=None, detector=detector, typed_only=True)
    assert (typed.stt, typed.tts) == (None, None)
    await models.aclose()


async def test_hosted_stages_are_asked_as_they_are_configured() -> None:
    """Address, model, and realtime for words while the caller speaks."""
    chosen = config(
        JUNE_STT__BASE_URL="http://127.0.0.1:9/v1",
        JUNE_STT__REALTIME="false",
        JUNE_LLM__MODEL="gpt-test",
        **KEY,
    )
    models = build_models(chosen, language="de-CH", speech=None, detector=load_vad())
    assert models.stt is not None
    assert models.tts is not None
    assert (models.stt.provider, models.stt.capabilities.interim_results) == ("127.0.0.1:9", False)
    assert (models.llm.provider, models.llm.model) == ("api.openai.com", "gpt-test")
    assert models.tts.provider == "api.openai.com"
    await models.aclose()


def test_openais_key_is_for_openai() -> None:
    """Said aloud, its address is still its own; another server gets a key by name only."""
    own = config(JUNE_LLM__BASE_URL="https://api.openai.com/v1/", **KEY)
    other = config(JUNE_LLM__BASE_URL="http://example.org/v1", **KEY)
    named = config(
        JUNE_LLM__BASE_URL="http://example.org/v1", JUNE_LLM__KEY_VARIABLE="OPENAI_API_KEY", **KEY
    )
    keys = [one.key_of("llm") for one in (own, other, named)]
    assert [key is not None for key in keys] == [True, False, True]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:80a/v1",
        "http://[::1/v1",
        "http://h:99999/v1",
        "http://h:0/v1",
        "http://:1/",
    ],
)
def test_an_address_with_a_typo_is_refused(url: str) -> None:
    """Before a call stumbles over it."""
    with pytest.raises(ConfigError, match="must be an address"):
        config(JUNE_LLM__BASE_URL=url)


def test_another_voice_has_other_lines() -> None:
    """What one voice spoke is not played as another's."""
    names = {
        voice_name(config()),
        voice_name(config(**KEY)),
        voice_name(config(JUNE_TTS__VOICE="ash", **KEY)),
        voice_name(config(JUNE_TTS__BASE_URL="http://127.0.0.1:9/v1")),
    }
    assert len(names) == 4


def test_local_speech_is_needed_for_ears_or_voice_only() -> None:
    """The offline brain needs no model at all."""
    alone = {**KEY, "JUNE_STT__FALLBACK": "[]", "JUNE_TTS__FALLBACK": "[]"}
    assert config().needs_local_speech
    assert not config(JUNE_LLM__PROVIDER="local", **alone).needs_local_speech
    assert config(JUNE_STT__PROVIDER="local", **alone).needs_local_speech

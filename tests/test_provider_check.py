"""What is wrong with a provider is said in a sentence before anybody calls."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from speech_fakes import ScriptedSpeech
from structlog.testing import capture_logs

from agent.config import Config, load
from agent.errors import CannotStart
from agent.models import check
from agent.models.build import build_llm
from agent.models.check import ProviderProblem, find_problems, say_problems
from bench.provider import Script, ScriptedProvider

KEY = "sk-test-of-the-check"
MODELS = ("gpt-6-luna", "gpt-live-transcribe", "gpt-4o-mini-tts")


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(ScriptedSpeech(), Script(models=MODELS), KEY) as serving:
        yield serving


def config(url: str, **environ: str) -> Config:
    """The LLM at this address, the rest on this machine."""
    given = {"JUNE_LLM__BASE_URL": url, "JUNE_LLM__KEY_VARIABLE": "PROVIDER_KEY"}
    return load(environ={"HOME": "/home/alice", "PROVIDER_KEY": KEY, **given, **environ})


@asynccontextmanager
async def serving(kind: str, body: str) -> AsyncIterator[str]:
    """A server that answers everything with this."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
        writer.write(f"{head}{body}".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def problem(url: str, **environ: str) -> ProviderProblem:
    (found,) = await find_problems(config(url, **environ))
    assert found.stage == "llm"
    assert KEY not in str(found)
    return found


async def test_nothing_is_wrong_with_what_works(provider: ScriptedProvider) -> None:
    """All three stages there; each asked once."""
    stages = {}
    for stage in ("STT", "TTS"):
        stages[f"JUNE_{stage}__BASE_URL"] = provider.base_url
        stages[f"JUNE_{stage}__KEY_VARIABLE"] = "PROVIDER_KEY"
    assert await find_problems(config(provider.base_url, **stages)) == ()
    assert [asked.key for asked in provider.asked("models")] == [KEY] * 3


async def test_nobody_is_asked_where_all_is_local() -> None:
    """A machine without a network has no problem."""
    assert await find_problems(load(environ={"HOME": "/home/alice"})) == ()


@pytest.mark.parametrize("trailing", ["", "/"])
async def test_a_wrong_key_is_named_by_its_variable(
    provider: ScriptedProvider, trailing: str
) -> None:
    """Never by its value; the server's own words may quote it."""
    found = await problem(f"{provider.base_url}{trailing}", PROVIDER_KEY="sk-wrong-1234567890")
    assert "does not accept the key in `PROVIDER_KEY`" in found.what
    assert "export PROVIDER_KEY=" in found.hint
    assert "sk-wrong" not in str(found)


async def test_a_missing_key_is_told_from_a_wrong_one(provider: ScriptedProvider) -> None:
    """Its variable may be misspelt."""
    found = await problem(provider.base_url, JUNE_LLM__KEY_VARIABLE="OTHER_KEY")
    assert "asks for a key, and `OTHER_KEY` is not set" in found.what


async def test_another_server_is_not_sent_openais_key(provider: ScriptedProvider) -> None:
    """Unless its stage names the variable; what to write is said."""
    found = await problem(
        provider.base_url,
        JUNE_LLM__KEY_VARIABLE="",
        OPENAI_API_KEY=KEY,
        JUNE_MODELS__PROFILE="local",
    )
    assert provider.asked("models")[0].key is None
    assert found.what == f"`{provider.base_url}` asks for a key"
    assert "key_variable" in found.hint


@pytest.mark.parametrize("listed", ['{"data": 5}', '{"data": [1, null]}', "[]", "null", '"x"'])
async def test_a_list_of_models_that_is_none_stops_nothing(listed: str) -> None:
    """Whatever a server sends, June starts."""
    async with serving("application/json", listed) as url:
        await find_problems(config(url))


async def test_openai_itself_is_not_asked_without_a_key() -> None:
    """There is nothing to find out."""
    chosen = load(environ={"HOME": "/home/alice", "JUNE_LLM__PROVIDER": "openai"})
    (found,) = await find_problems(chosen)
    assert found.what == "`OPENAI_API_KEY` is not set"


async def test_an_unknown_model_is_said_with_the_known_ones(provider: ScriptedProvider) -> None:
    """So that the next try is right."""
    found = await problem(provider.base_url, JUNE_LLM__MODEL="gpt-7")
    assert "does not know the model `gpt-7`" in found.what
    assert "`gpt-6-luna`" in found.what


async def test_a_model_may_be_named_without_its_tag(provider: ScriptedProvider) -> None:
    """As people name Ollama's."""
    provider.script = Script(models=("llama3.2:latest",))
    chosen = config(provider.base_url, JUNE_LLM__MODEL="llama3.2")
    assert await find_problems(chosen) == ()


async def test_an_address_without_v1_is_corrected(provider: ScriptedProvider) -> None:
    """The most common mistake: the server's start page answers."""
    found = await problem(provider.site_url)
    assert found.hint == f'set `base_url = "{provider.base_url}"` in `[llm]`'


async def test_an_address_with_a_typo_is_said(provider: ScriptedProvider) -> None:
    """Something answers there, and it is no API."""
    found = await problem(f"{provider.site_url}/vl")
    assert f"{provider.site_url}/vl/models" in str(found)


async def test_a_web_page_is_taken_for_one() -> None:
    """Status 200 alone says nothing."""
    async with serving("text/html", "<html>Welcome</html>") as url:
        found = await problem(url)
    assert "is it a web page?" in found.what


async def test_nobody_at_an_address_is_said() -> None:
    """With the system's own words."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = await problem(f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
    assert "cannot be reached: Connection refused" in found.what


async def test_a_server_that_does_not_answer_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """June starts after five seconds at the latest."""
    monkeypatch.setattr(check, "PATIENCE_SECONDS", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await problem(f"http://127.0.0.1:{port}/v1")
    assert "does not answer within" in found.what


async def test_june_starts_all_the_same_unless_she_is_told_not_to(
    provider: ScriptedProvider,
) -> None:
    """A warning for each problem; with `--strict` an error that says all of them."""
    wrong = config(provider.base_url, JUNE_LLM__MODEL="gpt-7", JUNE_AGENT__LANGUAGE="de")
    with capture_logs() as logs:
        assert await say_problems(wrong, strict=False) == set()
    assert [entry["stage"] for entry in logs] == ["stt", "llm", "tts"]
    with pytest.raises(CannotStart, match=r"only English(.|\n)*gpt-7(.|\n)*--strict"):
        await say_problems(wrong, strict=True)


def fallback(**item: str) -> str:
    """As `JUNE_…__FALLBACK` holds it: one table."""
    return json.dumps([item])


async def test_a_fallback_is_asked_before_it_is_needed(provider: ScriptedProvider) -> None:
    """By the key that it names, also where the stage itself is local."""
    ears = fallback(
        base_url=provider.base_url, model="gpt-live-transcribe", key_variable="OTHER_KEY"
    )
    given = {"JUNE_MODELS__PROFILE": "local", "JUNE_STT__FALLBACK": ears, "OTHER_KEY": KEY}
    assert await find_problems(config("", **given, PROVIDER_KEY="")) == ()
    assert [asked.key for asked in provider.asked("models")] == [KEY]


async def test_a_problem_with_a_fallback_names_it(provider: ScriptedProvider) -> None:
    """What to do is said for its table, and not for the stage's own settings."""
    unknown = fallback(base_url=provider.base_url, model="gpt-7", key_variable="PROVIDER_KEY")
    found = await problem(provider.base_url, JUNE_LLM__FALLBACK=unknown)
    assert str(found).startswith(
        f"`[llm]`: its fallback `gpt-7`: `{provider.base_url}` does not know the model `gpt-7`"
    )
    assert found.hint == "set `model` in its table in `[llm] fallback` to one of them"
    asks = fallback(base_url=provider.base_url, model="gpt-7")
    found = await problem(provider.base_url, JUNE_LLM__FALLBACK=asks)
    assert found.what == f"its fallback `gpt-7`: `{provider.base_url}` asks for a key"
    assert '`key_variable = "MY_KEY"` in its table in `[llm] fallback`' in found.hint
    keyless = await problem(provider.base_url, JUNE_LLM__FALLBACK=fallback())
    assert keyless.what == "its fallback `gpt-6-luna`: `OPENAI_API_KEY` is not set"


async def test_a_stage_works_by_itself_where_its_fallback_does_not(
    provider: ScriptedProvider,
) -> None:
    """June speaks her lines all the same; only `--strict` does not start like this."""
    wrong = fallback(base_url=provider.site_url)
    chosen = config(provider.base_url, JUNE_LLM__FALLBACK=wrong)
    with capture_logs() as logs:
        assert await say_problems(chosen, strict=False) == {"stt", "llm", "tts"}
    assert [entry["stage"] for entry in logs] == ["llm"]
    with pytest.raises(CannotStart, match=r"its fallback `gpt-6-luna`"):
        await say_problems(chosen, strict=True)


async def test_ears_of_this_machine_are_no_problem_as_a_fallback(
    provider: ScriptedProvider,
) -> None:
    """They know no German and are not asked then; nobody has chosen them."""
    stages = {}
    for stage in ("STT", "TTS"):
        stages[f"JUNE_{stage}__BASE_URL"] = provider.base_url
        stages[f"JUNE_{stage}__KEY_VARIABLE"] = "PROVIDER_KEY"
    assert await find_problems(config(provider.base_url, JUNE_AGENT__LANGUAGE="de", **stages)) == ()


def denying(folder: Path, url: str, prices: str) -> Config:
    """All three stages there, with names that nobody else has a price for."""
    file = folder / "agent.toml"
    stages = {"stt": "my-ears", "llm": "my-mind", "tts": "my-voice"}
    file.write_text(
        "".join(
            f'[{stage}]\nbase_url = {json.dumps(url)}\nmodel = "{model}"\n'
            'key_variable = "PROVIDER_KEY"\n'
            for stage, model in stages.items()
        )
        + f'[limits]\nunpriced = "deny"\n{prices}'
    )
    return load(file, {"HOME": str(folder), "PROVIDER_KEY": KEY})


async def test_a_model_without_a_price_is_said_where_it_would_be_refused(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    """For each stage, with what to write; otherwise its first caller would find out."""
    provider.script = Script(models=("my-ears", "my-mind", "my-voice"))
    config = denying(tmp_path, provider.base_url, "")
    with capture_logs() as logs:
        assert await say_problems(config, strict=False) == set()
    assert [entry["stage"] for entry in logs] == ["stt", "llm", "tts"]
    assert all("nobody knows what the model" in entry["problem"] for entry in logs)
    with pytest.raises(
        CannotStart, match=r'(?s)`my-mind` costs.*\[prices\."my-mind"\].*free = true'
    ):
        await say_problems(config, strict=True)


async def test_a_price_of_your_own_is_a_price(provider: ScriptedProvider, tmp_path: Path) -> None:
    """In whatever it is told: by the minute, by tokens, or as free."""
    provider.script = Script(models=("my-ears", "my-mind", "my-voice"))
    prices = (
        '[prices."my-ears"]\nper_minute = 0.006\n'
        '[prices."my-mind"]\ninput_per_mtok = 1\noutput_per_mtok = 2\n'
        '[prices."my-voice"]\nfree = true\n'
    )
    assert await find_problems(denying(tmp_path, provider.base_url, prices)) == ()


async def test_a_price_for_something_else_is_none(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    """A language model that is paid by the minute would be refused all the same."""
    provider.script = Script(models=("my-ears", "my-mind", "my-voice"))
    prices = "".join(
        f'[prices."{model}"]\nper_minute = 0.006\n' for model in ("my-ears", "my-mind", "my-voice")
    )
    (found,) = await find_problems(denying(tmp_path, provider.base_url, prices))
    assert found.stage == "llm"


async def test_what_is_wrong_with_a_server_and_with_a_price_is_both_said(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    """Who corrects one of them is not told of the other at the next start."""
    prices = "".join(f'[prices."{model}"]\nfree = true\n' for model in ("my-ears", "my-voice"))
    found = await find_problems(denying(tmp_path, provider.base_url, prices))
    assert [problem.stage for problem in found] == ["stt", "llm", "tts", "llm"]


async def test_prices_are_looked_for_only_where_they_decide(
    monkeypatch: pytest.MonkeyPatch, provider: ScriptedProvider
) -> None:
    """Elsewhere an unpriced model is counted, and local ones have no price."""
    local = load(environ={"HOME": "/home/alice", "JUNE_LIMITS__UNPRICED": "deny"})
    assert await find_problems(local) == ()
    monkeypatch.delattr("session.prices.PriceList.cost")
    assert await find_problems(config(provider.base_url)) == ()


async def test_openais_own_models_have_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that June chooses by herself, and OpenAI by its name."""

    async def is_fine(*_: object) -> None:
        return None

    monkeypatch.setattr(check, "_problem_of", is_fine)
    given = {"OPENAI_API_KEY": KEY, "JUNE_LIMITS__UNPRICED": "deny"}
    assert await find_problems(load(environ={"HOME": "/home/alice", **given})) == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://API.example.org:443/v1",
        "https://api.example.org:8443/v1",
        "http://localhost:80/v1/",
        "http://[::1]:11434/v1",
    ],
)
async def test_a_price_is_looked_for_under_the_name_that_is_charged(url: str) -> None:
    """The plugin's own, or a price would be found here and not in the call."""
    plugin = build_llm(config(url).providers_of("llm")[0])
    assert check._host(url) == plugin.provider
    await plugin.aclose()


async def test_the_price_of_a_fallback_must_be_known_too(
    provider: ScriptedProvider, tmp_path: Path
) -> None:
    """Otherwise it is refused just when it is needed."""
    provider.script = Script(models=("my-ears", "my-mind", "my-voice", "my-other"))
    free = "".join(
        f"[prices.{model}]\nfree = true\n" for model in ("my-ears", "my-mind", "my-voice")
    )
    priced = denying(tmp_path, provider.base_url, free)
    assert await find_problems(priced) == ()
    other = fallback(base_url=provider.base_url, model="my-other", key_variable="PROVIDER_KEY")
    environ = {"HOME": str(tmp_path), "PROVIDER_KEY": KEY, "JUNE_TTS__FALLBACK": other}
    (found,) = await find_problems(load(tmp_path / "agent.toml", environ))
    assert (found.stage, found.is_of_fallback) == ("tts", True)
    assert "nobody knows what the model `my-other` costs" in found.what

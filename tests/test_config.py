"""The configuration: what wins, and what the operator reads when something is wrong."""

import dataclasses
import pickle
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.config import Config, ConfigError, load
from agent.config_errors import settings
from agent.settings import Settings
from agent.settings_limits import LimitSettings, PerRequest
from agent.settings_store import without_password
from session import LimitConfig, MoneyConfig
from session.prices import Price

ROOT = Path(__file__).parent.parent
HOME = {"HOME": "/home/alice"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def complaint(
    text: str | bytes = "", environ: Mapping[str, str] | None = None, *, path: str = "my.toml"
) -> str:
    Path(path).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(Path(path), {**HOME, **(environ or {})})
    return str(caught.value)


def test_nothing_at_all_is_a_valid_configuration() -> None:
    """No file and no variable give the defaults."""
    config = load(environ=HOME)

    assert config.worker.max_calls == 4
    assert config.agent.name == "june"
    assert config.livekit.missing == ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    assert config.secret_key is None


def test_an_empty_file_is_valid(here: Path) -> None:
    """So that a file can be made before there is anything to say in it."""
    assert load(written(here / "my.toml", ""), HOME) == load(environ=HOME)


def test_the_file_wins_over_the_defaults_and_the_environment_over_the_file(here: Path) -> None:
    """Key by key: what one source does not say is left to the one below it."""
    path = written(here / "my.toml", "[worker]\nmax_calls = 8\nidle_processes = 2\n")
    config = load(path, {**HOME, "JUNE_WORKER__MAX_CALLS": "9"})

    assert config.worker.max_calls == 9
    assert config.worker.idle_processes == 2
    assert config.worker.drain_seconds == 600


def test_the_named_file_wins_over_the_variable_and_that_over_the_folder(here: Path) -> None:
    """`--config`, then `JUNE_CONFIG`, then `agent.toml` where the user is."""
    written(here / "agent.toml", "[worker]\nmax_calls = 1\n")
    second = written(here / "second.toml", "[worker]\nmax_calls = 2\n")
    third = written(here / "third.toml", "[worker]\nmax_calls = 3\n")

    assert load(None, HOME).worker.max_calls == 1
    assert load(None, {**HOME, "JUNE_CONFIG": str(second)}).worker.max_calls == 2
    assert load(third, {**HOME, "JUNE_CONFIG": str(second)}).worker.max_calls == 3


def test_without_an_environment_given_the_process_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The command line calls `load(path)` alone."""
    monkeypatch.setenv("JUNE_AGENT__LANGUAGE", "de")

    assert load().agent.language == "de"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """Source, key, rule and value of each, the nearest name for a misspelt one, and a command."""
    message = complaint(
        '[worker]\nmax_calls = 500\nidle_proceses = 2\n[call]\ngrace_seconds = "30"\n'
        '[limts]\nmax_input_characters = 5\n[logs]\nformat = "xml"\n',
        {"JUNE_LOGS__LEVL": "debug", "JUNE_CALL__MAX_MINUTES": "long"},
    )

    assert message.splitlines() == [
        "the configuration has 7 problems:",
        "  `my.toml`: `worker.max_calls` must be a whole number from 1 to 200 (got `500`)",
        "  `my.toml`: `worker.idle_proceses` is not a setting; "
        "did you mean `worker.idle_processes`? (got `2`)",
        "  `my.toml`: `call.grace_seconds` must be a whole number from 0 to 600 (got `30`)",
        "  `my.toml`: `logs.format` must be one of `auto`, `pretty`, `json` (got `xml`)",
        "  `my.toml`: `limts` is not a section; did you mean `[limits]`?",
        "  `JUNE_LOGS__LEVL` is not a variable that June knows; "
        "did you mean `JUNE_LOGS__LEVEL`? (got `debug`)",
        "  `JUNE_CALL__MAX_MINUTES` must be a whole number from 1 to 1440 (got `long`)",
        f"hint: run `cat {ROOT / 'agent.toml'}` to see every setting with its default",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[worker]\nmax_calls = true\n", "from 1 to 200 (got `true`)"),
        ("[worker]\nmax_calls = 1.5\n", "from 1 to 200 (got `1.5`)"),
        ('[agent]\nname = ""\n', "`agent.name` must be 1 to 64 letters, digits, `_`, `.` or `-`"),
        ('[agent]\nname = "a\\u001bb"\n', "(got `a\\x1bb`)"),
        ('[agent]\nlanguage = "English"\n', "a language tag such as `en` or `pt-BR`"),
        ('[store]\nurl = "postgres://h"\n', "`%40`) (got `postgres://h`)"),
        ('[store]\nurl = "redis://"\n', "must be `sqlite:PATH`, `redis://HOST:PORT`, "),
        ('[store]\nurl = "redis://h:0"\n', "must be `sqlite:PATH`, `redis://HOST:PORT`, "),
        ('[store]\nurl = "redis://h/one"\n', "must be `sqlite:PATH`, `redis://HOST:PORT`, "),
        ('[store]\nurl = "redis://h?password=x"\n', "must be `sqlite:PATH`, `redis://HOST:PORT`"),
        ("[limits]\nturns_per_minute = -1\n", "from 0 to 1000000000 (got `-1`)"),
        ("[limits]\ntokens_per_day = 1.5\n", "from 0 to 1000000000000 (got `1.5`)"),
        ("[limits]\ndollars_per_day = inf\n", "must be dollars from 0.000001 to 1000000000, or 0"),
        ("[limits]\ndollars_per_day = nan\n", "(got `nan`)"),
        ("[limits]\ndollars_per_day = -0.5\n", "(got `-0.5`)"),
        ("[limits]\ndollars_per_day = 1e-9\n", "(got `1e-09`)"),
        ('[limits]\ndollars_per_session = "5"\n', "must be dollars from 0.000001"),
        ("[limits]\nalert_dollars = 5\n", "must be a list of at most 20 amounts in dollars, such"),
        ('[limits]\nalert_dollars = [5, "x", true]\n', "(got `[5, x, true]`)"),
        ("[limits]\nalert_dollars = [0]\n", "(got `[0]`)"),
        ('[limits]\nalert_webhook = "example.org"\n', "must be an address such as `https://exam"),
        ('[limits]\nunpriced = "ask"\n', "must be `allow`, `deny` or a price such as `{per_requ"),
        ("[limits]\nunpriced = {per_request = -1}\n", "(got `{per_request = -1}`)"),
        ("[limits]\nunpriced = {per_minute = 1}\n", "(got `{per_minute = 1}`)"),
        ('[limits]\nwhen_store_is_down = "ajar"\n', "must be one of `closed`, `open` (got `ajar`)"),
        ('"worker.max_calls" = 5\n', "`worker.max_calls` is not a setting; did you mean"),
        ('"a\\u001b" = 5\n', "`a\\x1b` is not a setting"),
        ("[data]\ndir = 5\n", "`data.dir` must be the path of a folder, or empty (got `5`)"),
        ('[data]\ndir = "a\\u0000b"\n', "(got `a\\x00b`)"),
        ("worker = 5\n", "`worker` must be a section, `[worker]` (got `5`)"),
        ("max_calls = 5\n", "`max_calls` is not a setting; did you mean `worker.max_calls`?"),
        ("[agent]\nmax_calls = 5\n", "did you mean `worker.max_calls`?"),
        ("[weather]\ncity = 'Bonn'\n", "`weather` is not a setting\n"),
        ("[worker]\n[worker.max_calls]\na = 1\n", "from 1 to 200 (got"),
        (f'[agent]\nname = "{"x" * 500}"\n', "x" * 59 + "…`"),
    ],
)
def test_each_wrong_value_is_explained(text: str, words: str) -> None:
    """In words of the file, not of the library that reads it."""
    assert words in complaint(text)


def test_a_file_that_is_no_toml_says_where() -> None:
    """File, line and column."""
    message = complaint("[worker]\nmax_calls 5\n")

    assert "`my.toml`, line 2, column 11: not TOML: " in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "`my.toml` is not UTF-8 text"),
        (b"a = " + b"[" * 100_000, "`my.toml` is nested too deeply"),
        (b"a = 1\na = 2\n", "`my.toml`, line 2, column 6: not TOML"),
        (b"a = 'x", "`my.toml`: not TOML"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_one_problem(content: bytes, words: str) -> None:
    """Whatever is in it."""
    assert words in complaint(content)


def test_what_notepad_writes_is_read(here: Path) -> None:
    """A byte order mark and carriage returns."""
    (here / "my.toml").write_bytes(b"\xef\xbb\xbf[worker]\r\nmax_calls = 7\r\n")

    assert load(Path("my.toml"), HOME).worker.max_calls == 7


@pytest.mark.parametrize("environ", [{}, {"JUNE_CONFIG": "absent.toml"}])
def test_a_file_that_was_named_must_exist(environ: dict[str, str]) -> None:
    """Only `agent.toml` in this folder may be missing."""
    with pytest.raises(ConfigError, match=r"`absent.toml` cannot be read: No such file"):
        load(None if environ else Path("absent.toml"), {**HOME, **environ})


def test_a_folder_is_no_file(here: Path) -> None:
    """The reason of the operating system is passed on."""
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(here, HOME)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[livekit]\napi_secret = "hush-hush"\n', "environment: set `LIVEKIT_API_SECRET`"),
        ('[livekit]\nurl = "hush-hush"\n', "`livekit.url` is read only from the environment"),
        ('api_key = "hush-hush"\n', "environment: set `LIVEKIT_API_KEY`"),
        ('secret_key = "hush-hush"\n', "environment: set `JUNE_SECRET_KEY`"),
        ('[worker]\npassword = "hush-hush"\n', "`worker.password` is read only from the environ"),
        ('[agent]\ntoken = ["hush-hush"]\n', "`agent.token` is read only from the environment"),
        ('[livekit]\napi_secre = "hush-hush"\n', "`livekit.api_secre` is read only from the"),
        ('[store]\nurl = "redis://:hush-hush@h"\n', "environment: set `JUNE_STORE__URL`"),
        ('[store]\nurl = "rediss://a:hush/@hush@h/0"\n', "environment: set `JUNE_STORE__URL`"),
        ('[store]\nurl = "redis:/:hush-hush@h"\n', "environment: set `JUNE_STORE__URL`"),
        ('[store]\nurl = "redsi:/:hush-hush@h"\n', "must be `sqlite:PATH`, `redis://HOST"),
        ('[store]\nurll = "redis:/:hush-hush@h"\n', "did you mean `store.url`?\n"),
        ('[limits]\nalert_webhook = "http:/a:hush@h"\n', "must be an address such as"),
        ('[limits]\nwebhook_secret = "hush-hush"\n', "environment: set `JUNE_WEBHOOK_SECRET`"),
        ('sekret = "hush-hush"\n', "`sekret` is not a setting"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_shown(text: str, words: str) -> None:
    """Files are copied, committed and mailed."""
    message = complaint(text)

    assert words in message
    assert "hush" not in message
    assert "1 problem:" in message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("JUNE_WORKER_MAX_CALLS", "did you mean `JUNE_WORKER__MAX_CALLS`?"),
        ("JUNE_WROKER__MAX_CALLS", "did you mean `JUNE_WORKER__MAX_CALLS`?"),
        ("june_worker__max_calls", "did you mean `JUNE_WORKER__MAX_CALLS`?"),
        ("JUNE_SECRT_KEY", "did you mean `JUNE_SECRET_KEY`?"),
        ("JUNE_LIVEKIT__API_SECRET", "did you mean `LIVEKIT_API_SECRET`?"),
        ("JUNE_CONFG", "did you mean `JUNE_CONFIG`?"),
        ("JUNE_ZZZ", "`JUNE_ZZZ` is not a variable that June knows\n"),
    ],
)
def test_a_misspelt_variable_is_not_ignored(name: str, words: str) -> None:
    """Silence would leave the operator with a default and no idea why."""
    assert words in complaint(environ={name: "5"})


@pytest.mark.parametrize("name", ["JUNE_SECRT_KEY", "JUNE_LIVEKIT__API_SECRET", "JUNE_ZZZ"])
def test_the_value_of_a_variable_that_may_hold_a_secret_is_not_shown(name: str) -> None:
    """A misspelt name does not make a secret public."""
    assert "hush" not in complaint(environ={name: "hush-hush"})


def test_what_kubernetes_puts_into_the_environment_is_no_mistake() -> None:
    """A service called `june` gives each pod variables that begin like June's own."""
    load(
        environ={
            **HOME,
            "JUNE_SERVICE_HOST": "10.0.0.1",
            "JUNE_SERVICE_PORT": "80",
            "JUNE_SERVICE_PORT_HTTP": "80",
            "JUNE_PORT": "tcp://10.0.0.1:80",
            "JUNE_PORT_80_TCP": "tcp://10.0.0.1:80",
            "JUNE_PORT_80_TCP_ADDR": "10.0.0.1",
            "JUNE_REDIS_PORT_6379_TCP_PROTO": "tcp",
        }
    )


def test_the_launcher_s_own_variables_are_no_settings() -> None:
    """They are read before Python starts."""
    load(environ={**HOME, "JUNE_FLAVOUR": "run", "JUNE_PYTHON": "python3.12"})


@pytest.mark.parametrize("url", ["livekit.example.org", "ftp://h", "ws://", "ws://[", "wss:h"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """Before a worker tries it for ever."""
    assert "`LIVEKIT_URL` must be the address of a LiveKit server" in complaint(
        environ={"LIVEKIT_URL": url}
    )


@pytest.mark.parametrize("name", ["JUNE_SECRET_KEY", "JUNE_WEBHOOK_SECRET"])
def test_a_short_key_is_refused_without_being_shown(name: str) -> None:
    """A guessed key would turn the hashes of users back into names, or sign false alerts."""
    message = complaint(environ={name: "hush-hush"})

    assert f"`{name}` must have at least 16 characters; run `openssl rand -hex 32`" in message
    assert "hush" not in message


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[store]\nurl = "redis://h:6379/0"\n', "JUNE_SECRET_KEY"),
        ('[limits]\nalert_webhook = "https://h/alerts?of=june"\n', "JUNE_WEBHOOK_SECRET"),
    ],
)
def test_a_secret_that_is_needed_is_asked_for(here: Path, text: str, name: str) -> None:
    """With the command that makes one."""
    assert f"`{name}` is not set, and " in complaint(text, {name: ""})
    assert "run `openssl rand -hex 32`" in complaint(text)
    load(written(here / "my.toml", text), {**HOME, name: "0123456789abcdef"})


REDIS = {
    **HOME,
    "JUNE_STORE__URL": "rediss://june:hush%2Dhush@redis.example.org:6380/2",
    "JUNE_SECRET_KEY": "0123456789abcdef",
}


def test_the_password_of_a_store_is_used_and_shown_nowhere() -> None:
    """The memory gets the URL whole; the redactor knows the password as written and as meant."""
    config = load(environ=REDIS)

    assert config.session.store_url == REDIS["JUNE_STORE__URL"]
    assert config.store.url == "rediss://redis.example.org:6380/2"
    assert config.secrets == ("0123456789abcdef", "hush%2Dhush", "hush-hush")
    for text in (repr(config), str(config), config.model_dump_json()):
        assert "hush" not in text
    assert pickle.loads(pickle.dumps(config)).session == config.session


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6379", "redis://h:6379"),
        ("redis://june@h", "redis://h"),
        ("rediss://:hush@[::1]:6379/0", "rediss://[::1]:6379/0"),
        ("sqlite:/home/june@h/june.db", "sqlite:/home/june@h/june.db"),
        ("memory:", "memory:"),
    ],
)
def test_a_store_can_be_named_without_its_password(url: str, shown: str) -> None:
    """In a receipt, for instance."""
    assert without_password(url) == shown


@pytest.mark.parametrize(
    "url", ["redis://:hush/hush@h", "redis:/:hush@h", "redis://:hush hush@h", "redis://a:hush@"]
)
@pytest.mark.parametrize("name", ["JUNE_STORE__URL", "JUNE_STORE_URL", "JUNE_STORE__URLS"])
def test_a_url_that_may_hold_a_password_is_not_shown(name: str, url: str) -> None:
    """Not even where it cannot be taken apart, or the variable is misspelt."""
    assert "hush" not in complaint(environ={name: url})


SECRET = {
    **HOME,
    "LIVEKIT_URL": "wss://livekit.example.org",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": "a secret without a shape",
    "JUNE_SECRET_KEY": "0123456789abcdef",
    "JUNE_WEBHOOK_SECRET": "fedcba9876543210",
}


def test_secrets_come_from_the_environment_and_are_hidden_in_every_text() -> None:
    """A configuration that is printed or logged by mistake tells nothing."""
    config = load(environ=SECRET)

    assert config.livekit.missing == ()
    assert config.secrets == ("a secret without a shape", "0123456789abcdef", "fedcba9876543210")
    for text in (repr(config), str(config), config.model_dump_json()):
        assert not any(secret in text for secret in config.secrets)


def test_a_variable_that_is_set_to_nothing_is_not_set() -> None:
    """Compose files pass empty variables on."""
    environ = {**HOME, "LIVEKIT_URL": "", "LIVEKIT_API_SECRET": "", "JUNE_SECRET_KEY": ""}

    assert load(environ=environ) == load(environ=HOME)


def test_a_configuration_travels_to_a_job_process_whole() -> None:
    """LiveKit pickles what it gives to jobs."""
    config = load(environ=SECRET)
    copy: Config = pickle.loads(pickle.dumps(config))

    assert copy == config
    assert copy.secrets == config.secrets
    assert copy.session == config.session


def test_a_configuration_does_not_change() -> None:
    """A new call may get a new one; the old calls keep theirs."""
    worker: Any = load(environ=HOME).worker
    with pytest.raises(ValueError, match="frozen"):
        worker.max_calls = 5


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({}, "/home/alice/.local/share/june"),
        ({"XDG_DATA_HOME": "/data"}, "/data/june"),
        ({"XDG_DATA_HOME": "relative"}, "/home/alice/.local/share/june"),
        ({"JUNE_DATA__DIR": "/var/lib/june"}, "/var/lib/june"),
        ({"JUNE_DATA__DIR": "~/june"}, "/home/alice/june"),
        ({"JUNE_DATA__DIR": "~"}, "/home/alice"),
        ({"JUNE_DATA__DIR": "here/../there"}, "{here}/there"),
    ],
)
def test_june_s_folder(here: Path, environ: dict[str, str], folder: str) -> None:
    """As given, from where the user is; else by the XDG rules."""
    assert load(environ={**HOME, **environ}).data_dir == Path(folder.format(here=here))


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}])
def test_without_home_the_user_s_own_folder_counts(environ: dict[str, str]) -> None:
    """Services often run without `HOME`."""
    assert load(environ=environ).data_dir.is_absolute()


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("", ""),
        ("memory:", "memory:"),
        ("sqlite:/srv/june.db", "sqlite:/srv/june.db"),
        ("sqlite:june.db", "sqlite:{here}/june.db"),
        ("sqlite:~/june.db", "sqlite:/home/alice/june.db"),
    ],
)
def test_the_store_s_path_is_made_absolute(here: Path, url: str, absolute: str) -> None:
    """A job's process may stand in another folder."""
    config = load(environ={**HOME, "JUNE_STORE__URL": url})

    assert config.session.store_url == absolute.format(here=here)


def test_the_memory_gets_what_it_needs() -> None:
    """`session/` knows nothing of `agent.toml`."""
    session = load(environ={**SECRET, "JUNE_LIMITS__MAX_INPUT_CHARACTERS": "500"}).session

    assert session.data_dir == Path("/home/alice/.local/share/june")
    assert session.secret_key == b"0123456789abcdef"
    assert session.limits == LimitConfig(max_input_characters=500)
    assert session.money == MoneyConfig()


def test_every_limit_is_a_setting_and_has_the_memory_s_own_default() -> None:
    """Two lists of numbers would drift apart."""
    limits = LimitConfig()
    for field in dataclasses.fields(LimitConfig):
        assert getattr(LimitSettings(), field.name) == getattr(limits, field.name), field.name
    settings_of_money = set(LimitSettings.model_fields) - set(dataclasses.asdict(limits))
    assert settings_of_money == {
        "alert_dollars",
        "alert_webhook",
        "unpriced",
        "when_store_is_down",
    }


MONEY = """
[limits]
turns_per_hour = 0
dollars_per_day = 12
dollars_per_session = 0.25
alert_dollars = [5, 2.5]
unpriced = {per_request = 0.02}
when_store_is_down = "open"

[prices."gpt-4.1"]
input_per_mtok = 2
cached_input_per_mtok = 0.5
output_per_mtok = 8

[prices."our/whisper"]
free = true
"""


def test_money_is_told_to_the_memory(here: Path) -> None:
    """Limits, alerts, what is done with unknown prices, and the operator's own."""
    session = load(written(here / "my.toml", MONEY), HOME).session

    assert session.limits.turns_per_hour == 0
    assert session.limits.dollars_per_day == 12.0
    assert session.limits.dollars_per_session == 0.25
    assert session.money == MoneyConfig(
        prices={
            "gpt-4.1": Price(input_per_mtok=2, cached_input_per_mtok=0.5, output_per_mtok=8),
            "our/whisper": Price(free=True),
        },
        unpriced=0.02,
        alert_dollars=(5.0, 2.5),
        when_store_is_down="open",
    )


@pytest.mark.parametrize(
    ("name", "value", "key", "read"),
    [
        ("ALERT_DOLLARS", "[1, 2.5]", "alert_dollars", [1.0, 2.5]),
        ("ALERT_DOLLARS", "[]", "alert_dollars", []),
        ("UNPRICED", "deny", "unpriced", "deny"),
        ("UNPRICED", "{per_request = 0.01}", "unpriced", PerRequest(per_request=0.01)),
        ("DOLLARS_PER_DAY", "7.5", "dollars_per_day", 7.5),
    ],
)
def test_a_variable_is_written_as_in_the_file(
    name: str, value: str, key: str, read: object
) -> None:
    """Also where it is a list or a table."""
    config = load(environ={**HOME, f"JUNE_LIMITS__{name}": value})

    assert getattr(config.limits, key) == read


@pytest.mark.parametrize("value", ["10, 25", "[10", "[inf]", "[" * 100_000, "[1]\nb = 2]"])
def test_a_list_that_is_none_is_refused_in_words(value: str) -> None:
    """As it was written."""
    message = complaint(environ={"JUNE_LIMITS__ALERT_DOLLARS": value})

    assert "`JUNE_LIMITS__ALERT_DOLLARS` must be a list of at most 20 amounts" in message
    assert "1 problem:" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[prices.gpt-x]\ninput_per_mtoc = 1\n",
            "`prices.gpt-x.input_per_mtoc` is not a setting; did you mean `input_per_mtok`?",
        ),
        ("[prices.gpt-x]\nfree = true\nhue = 1\n", "is not a setting; there are `input_per_mtok`,"),
        (
            "[prices.gpt-x]\nper_minute = -1\n",
            "`prices.gpt-x.per_minute` must be dollars, 0 or more (got `-1`)",
        ),
        ("[prices.gpt-x]\nper_minute = nan\n", "must be dollars, 0 or more (got `nan`)"),
        ('[prices.gpt-x]\nper_minute = "1"\n', "must be dollars, 0 or more (got `1`)"),
        ("[prices.gpt-x]\nper_minute = {a = 1}\n", "0 or more (got `{a = 1}`)"),
        ("[prices.gpt-x]\nfree = 1\n", "`prices.gpt-x.free` must be `true` or `false` (got `1`)"),
        ("[prices]\ngpt-x = 5\n", "`prices.gpt-x` must be a table, `[prices.gpt-x]` (got `5`)"),
        ("prices = 5\n", "`prices` must be a section, `[prices]` (got `5`)"),
        ("[[prices]]\nfree = true\n", "`prices` must be a section, `[prices]`"),
        ("[price.gpt-x]\nfree = true\n", "`price` is not a section; did you mean `[prices]`?"),
        (
            "[prices.gpt-4.1]\nfree = true\n",
            '`prices.gpt-4.1` is not a price; did you mean `[prices."gpt-4.1"]`?',
        ),
        (
            "[prices.a.b.c]\nfree = true\n",
            '`prices.a.b` is not a price; did you mean `[prices."a.b.c"]`?',
        ),
        (
            '[prices."gpt-4.1"]\nper_minut = 1\n',
            '`prices."gpt-4.1".per_minut` is not a setting; did you mean `per_minute`?',
        ),
        ("[prices.gpt-x]\n", "`prices.gpt-x`: "),
        ("[prices.gpt-x]\nfree = true\nper_minute = 1\n", "`per_minute` contradict each other"),
    ],
)
def test_each_wrong_price_is_explained(text: str, words: str) -> None:
    """As every other setting is: TOML's dots in a model's name are the likeliest trap."""
    message = complaint(text)

    assert words in message
    assert "1 problem:" in message


def test_a_wrong_price_is_said_with_everything_else() -> None:
    """At once."""
    message = complaint("[prices.a]\nper_minute = -1\n[worker]\nmax_calls = 0\n")

    assert "2 problems:" in message


def test_prices_are_in_the_file_only() -> None:
    """Names of models are no names of variables."""
    message = complaint(environ={"JUNE_PRICES__GPT_X__FREE": "true"})

    assert "`JUNE_PRICES__GPT_X__FREE` is not a variable: prices come from `agent.toml`" in message


def test_the_shipped_file_lists_every_setting_with_its_default_and_its_reason() -> None:
    """It is documentation, so it must be complete and true."""
    text = (ROOT / "agent.toml").read_text()

    assert tomllib.loads(text) == Settings().model_dump()
    reasons = dict(re.findall(r"^# (.*)\n(\w+) =", text, re.MULTILINE))
    described = {rules["description"]: key.partition(".")[2] for key, rules in settings().items()}
    assert reasons == described


def test_the_shipped_file_says_how_a_price_is_written(here: Path) -> None:
    """Every key of it, and an example that can be used."""
    text = (ROOT / "agent.toml").read_text().partition("# Dollars for the use")[2]
    text = text.partition("[prices]")[0]
    table, *lines = re.findall(r"`([^`]+ = [^`]+|\[[^`]+\])`", text)
    written(here / "my.toml", "\n".join([table, *lines]))

    assert load(Path("my.toml"), HOME).prices["my-model"].output_per_mtok == 2.0
    assert set(Price.model_fields) <= set(re.findall(r"\w+", text))


def test_the_readme_names_every_section() -> None:
    """Who reads only the README knows what can be set."""
    readme = (ROOT / "README.md").read_text()

    missing = [f"`[{name}]`" for name in Settings.model_fields if f"[{name}]" not in readme]
    assert not missing, f"README.md says nothing of {', '.join(missing)}"


def test_the_shipped_file_can_be_used_as_it_is() -> None:
    """People copy it and change one line."""
    assert load(ROOT / "agent.toml", HOME) == load(environ=HOME)


@given(st.sampled_from(sorted(settings())), st.text(st.characters(exclude_characters="\0")))
@example("agent.name", "june\n")
@example("worker.max_calls", "²")
@example("limits.alert_dollars", "[1, 2]")
@example("limits.unpriced", '"deny"')
@example("limits.unpriced", "{per_request = 1}")
@example("mockingbird.cloner", "openai")
@example("mockingbird.cloner", "off.py")
@example("http.host", "0")
@example("http.show_text", "")
def test_no_value_of_a_variable_breaks_the_reader(key: str, value: str) -> None:
    """It is accepted, or refused in words that name the variable."""
    name = f"JUNE_{key.upper().replace('.', '__')}"
    refusal, kept = "", None
    try:
        section, _, inner = key.partition(".")
        # With what a value may need: a key for a model, a token for a host that others reach.
        needed = {"OPENAI_API_KEY": "sk-any", "JUNE_ADMIN_TOKEN": "a token that is long enough"}
        environ = {**HOME, **needed, name: value}
        kept = getattr(getattr(load(environ=environ), section), inner)
    except ConfigError as error:
        refusal = str(error)
    if refusal:
        assert f"`{name}` must be" in refusal
        assert len(refusal.splitlines()) == 3
    elif isinstance(kept, str):
        assert value in (kept, f'"{kept}"')
    else:
        assert isinstance(kept, int | float | list | PerRequest)

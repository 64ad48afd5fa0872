"""The configuration: what wins, and what the operator reads when something is wrong."""

import pickle
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.config import Config, ConfigError, load
from agent.config_errors import settings
from agent.settings import Settings

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
        ('[store]\nurl = "redis://h"\n', "must be `sqlite:PATH`, `memory:`, or empty"),
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
        ('[store]\nurl = "redis://:hush-hush@h"\n', "(got `redis://[secret]@h`)"),
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


def test_a_short_key_is_refused_without_being_shown() -> None:
    """A guessed key would turn the hashes of users back into names."""
    message = complaint(environ={"JUNE_SECRET_KEY": "hush-hush"})

    assert "`JUNE_SECRET_KEY` must have at least 16 characters; run `openssl" in message
    assert "hush" not in message


SECRET = {
    **HOME,
    "LIVEKIT_URL": "wss://livekit.example.org",
    "LIVEKIT_API_KEY": "APIkey",
    "LIVEKIT_API_SECRET": "a secret without a shape",
    "JUNE_SECRET_KEY": "0123456789abcdef",
}


def test_secrets_come_from_the_environment_and_are_hidden_in_every_text() -> None:
    """A configuration that is printed or logged by mistake tells nothing."""
    config = load(environ=SECRET)

    assert config.livekit.missing == ()
    assert config.secrets == ("a secret without a shape", "0123456789abcdef")
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
    with pytest.raises(ValueError, match="frozen"):
        load(environ=HOME).worker.max_calls = 5  # type: ignore[misc]  # what mypy says is the test


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
    assert session.max_input_characters == 500


def test_the_shipped_file_lists_every_setting_with_its_default_and_its_reason() -> None:
    """It is documentation, so it must be complete and true."""
    text = (ROOT / "agent.toml").read_text()

    assert tomllib.loads(text) == Settings().model_dump()
    reasons = dict(re.findall(r"^# (.*)\n(\w+) =", text, re.MULTILINE))
    described = {rules["description"]: key.partition(".")[2] for key, rules in settings().items()}
    assert reasons == described


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
def test_no_value_of_a_variable_breaks_the_reader(key: str, value: str) -> None:
    """It is accepted, or refused in words that name the variable."""
    name = f"JUNE_{key.upper().replace('.', '__')}"
    refusal, kept = "", None
    try:
        section, _, inner = key.partition(".")
        kept = getattr(getattr(load(environ={**HOME, name: value}), section), inner)
    except ConfigError as error:
        refusal = str(error)
    if refusal:
        assert f"`{name}` must be" in refusal
        assert len(refusal.splitlines()) == 3
    else:
        assert kept == value if isinstance(kept, str) else isinstance(kept, int | float)

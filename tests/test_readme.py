"""The README's examples are settings that June reads, and its numbers are hers."""

import json
import re
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import typer.main

from agent.__main__ import app
from agent.alerts import PAUSES_SECONDS
from agent.config import Config, load
from agent.lines import ENGLISH
from agent.models.metered_minutes import BLOCK_SECONDS
from session import Alert, LimitConfig, MoneyConfig, cleaning
from session.limits import NEAR, BlockRule
from session.money import MICROS
from session.prices import SHIPPED
from session.purse import ALLOWANCE_MICROS
from session.rules import allowance_budget
from session.service import SESSION_SECONDS
from session.treasury import PAUSE_SECONDS

ROOT = Path(__file__).parent.parent

README = (ROOT / "README.md").read_text()

MODELS = README.partition("\n## Models\n")[2].partition("\n## ")[0]

LIMITS = README.partition("\n## Limits and money\n")[2].partition("\n## ")[0]

KEPT = README.partition("\n## What June keeps\n")[2].partition("\n## ")[0]


def examples() -> list[tuple[str, str]]:
    """Each block of settings under Models, with the title that it stands under."""
    title, found = "", []
    for part in re.finditer(r"^### ([^\n]+)$|```toml\n(.*?)```", MODELS, re.MULTILINE | re.DOTALL):
        title = part[1] or title
        if part[2]:
            found.append((title, part[2]))
    return found


def loaded(folder: Path, text: str) -> Config:
    path = folder / "agent.toml"
    path.write_text(text)
    return load(path, {"HOME": str(folder)})


def test_every_common_server_has_its_lines() -> None:
    """Those that the issue of its day named."""
    titles = {title for title, _ in examples()}
    assert titles == {"OpenAI", "Ollama", "llama.cpp", "vLLM", "Speaches and Kokoro"}
    assert len(examples()) == 6


@pytest.mark.parametrize(("title", "text"), examples())
def test_the_lines_of_each_server_can_be_used(tmp_path: Path, title: str, text: str) -> None:
    """They are valid, and each stage that they name is asked at that server."""
    config = loaded(tmp_path, text)
    for stage in ("stt", "llm", "tts"):
        named = f"[{stage}]" in text
        assert config.provider_of(stage) == ("openai" if named else "local"), title
        address = config.settings_of(stage).base_url
        assert address.endswith("/v1") if named and title != "OpenAI" else address == ""


def test_every_reason_of_the_table_is_one_that_june_gives() -> None:
    """And June gives no other, but for those that only she sees."""
    from session import CloseReason

    table = README.partition("\n## How a call ends\n")[2].partition("\n## ")[0]
    named = {name for name in re.findall(r"`(\w+)`", table) if name in set(CloseReason)}
    assert set(CloseReason) - named == {CloseReason.REPLACED}


def test_every_file_that_the_readme_names_exists() -> None:
    """A newcomer follows them."""
    for path in re.findall(r"`((?:agent|session|bench|tests)/[\w./]+)`", README):
        assert (ROOT / path).exists(), path


def rows(text: str) -> list[list[str]]:
    """The cells of each line of a section's tables, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [one for one in cells if one[0] not in {"what", "command", "---"}]


def plain(text: str) -> str:
    """One line, as words run over several."""
    return " ".join(text.split())


def test_the_limits_of_the_table_are_those_without_any_setting() -> None:
    """Each number and each name of a setting."""
    told = [(what, limit, re.findall(r"`(\w+)`", names)) for what, limit, names, _ in rows(LIMITS)]
    ours, rule = LimitConfig(), BlockRule("")
    assert told == [
        (
            "turns of one user",
            f"{ours.turns_per_minute} a minute, {ours.turns_per_hour} an hour",
            ["turns_per_minute", "turns_per_hour"],
        ),
        ("calls of one user", f"{ours.calls_per_hour} an hour", ["calls_per_hour"]),
        (
            "refusals of one user",
            f"{rule.refusals} within a minute block for {rule.shortest_seconds / 60:.0f} minutes, "
            f"each next time twice as long, at most {rule.longest_seconds / 3600:.0f} hours",
            [],
        ),
        (
            "all calls, until midnight UTC",
            f"${ours.dollars_per_day:.0f}, {ours.requests_per_day:,} requests, "
            f"{ours.tokens_per_day:,} tokens",
            ["dollars_per_day", "requests_per_day", "tokens_per_day"],
        ),
        ("one user, until midnight UTC", "none", ["dollars_per_user_and_day"]),
        ("one session", "none", ["dollars_per_session"]),
    ]
    assert rule.within_seconds == 60
    assert ours.dollars_per_user_and_day == ours.dollars_per_session == 0
    assert ours.session_turns_per_hour == ours.fleet_turns_per_minute == 0


def test_what_the_caller_hears_of_a_limit_is_what_june_says() -> None:
    """Word by word."""
    assert [heard.strip('"') for *_, heard in rows(LIMITS)] == [
        ENGLISH.too_many_turns,
        ENGLISH.too_many_calls,
        ENGLISH.blocked,
        ENGLISH.out_of_budget,
        ENGLISH.user_budget,
        ENGLISH.session_budget,
    ]


def test_the_lines_about_money_can_be_used(tmp_path: Path) -> None:
    """They are valid, and mean what the text says."""
    (example,) = re.findall(r"```toml\n(.*?)```", LIMITS, re.DOTALL)
    money = loaded(tmp_path, example).session.money
    assert money.unpriced == "deny"
    assert money.prices["llama3.2"].free
    assert money.prices["gpt-4.1"].output_per_mtok == 8.0


def test_the_numbers_about_money_are_june_s() -> None:
    """Thresholds, tries, the allowance, a minute, the longest input, her own prices."""
    text = plain(LIMITS)
    *first, last = (f"${dollars:g}" for dollars in MoneyConfig().alert_dollars)
    assert f"When {', '.join(first)} and {last} of a day are spent or reserved" in text
    assert f"at {NEAR * 100:.0f} % of each daily limit" in text
    assert f"with {NEAR * 100:.0f} % of a budget gone" in text
    assert f"an allowance of ${ALLOWANCE_MICROS / MICROS:.2f}" in text
    tenth = allowance_budget(LimitConfig(), now=0.0).micros
    assert "a tenth of `dollars_per_day` at most" in text
    assert tenth == LimitConfig().dollars_per_day * MICROS / 10
    assert "Realtime hearing is reserved a minute at a time" in text
    assert BLOCK_SECONDS == 60
    longest = LimitConfig().max_input_characters
    assert f"more than {longest:,} characters (`max_input_characters`)" in text
    assert "tries three times" in text
    assert 1 + len(PAUSES_SECONDS) == 3
    own = text.partition("3. June's own")[2].partition("4. ")[0]
    assert set(re.findall(r"`([\w-]+)`", own)) == set(SHIPPED)


def test_the_example_of_an_alert_is_one() -> None:
    """As `agent.alerts` sends it."""
    (example,) = re.findall(r"```json\n(.*?)```", LIMITS, re.DOTALL)
    alert = Alert("2026-11-25", "$10", 10.02)
    assert json.loads(example) == {"type": "budget.alert", **asdict(alert)}


def test_how_long_june_keeps_a_session_is_said() -> None:
    """Who asks on behalf of a caller needs the number."""
    text = plain(KEPT)
    assert f"no life for {SESSION_SECONDS / 3600:.0f} hours is deleted" in text
    assert f"at her start and every {cleaning.EVERY_SECONDS / 60:.0f} minutes" in text


def test_the_lines_about_redis_can_be_used(tmp_path: Path) -> None:
    """With a real secret in place of the dots."""
    found = dict(re.findall(r"^export (\w+)=(\S+)", KEPT, re.MULTILINE))
    assert set(found) == {"JUNE_STORE__URL", "JUNE_SECRET_KEY"}
    found["JUNE_SECRET_KEY"] = "0123456789abcdef"
    config = load(environ={"HOME": str(tmp_path), **found})
    assert config.store.url == "rediss://redis.example.org:6379/0"


def group(name: str | None = None) -> dict[str, Any]:
    """The commands of June, or those below one of them."""
    found: Any = typer.main.get_command(app)
    commands: dict[str, Any] = found.commands if name is None else found.commands[name].commands
    return commands


def test_each_command_of_the_tables_exists() -> None:
    """And no other does."""
    named = re.findall(r"^\| `\./june ?([\w ]*)", README, re.MULTILINE)
    assert {name.strip() for name in named if not name.startswith("sessions ")} == {"", *group()}
    assert {name.split()[1] for name in named if name.startswith("sessions ")} == {
        *group("sessions")
    }


def test_the_lines_about_stopping_june_can_be_used() -> None:
    """Each command with the options that it has, and a pause as long as is said."""
    (block,) = re.findall(r"```sh\n(\./june money.*?)```", LIMITS, re.DOTALL)
    commands = group("money")
    used = [shlex.split(line, comments=True)[2:] for line in block.splitlines()]
    assert {words[0] if words else "show" for words in used} == {*commands}
    for name, *arguments in filter(None, used):
        commands[name].make_context(name, arguments)
    assert commands["pause"].make_context("pause", []).params["minutes"] == PAUSE_SECONDS / 60
    assert f"without a number for {PAUSE_SECONDS / 60:.0f} minutes" in block


def test_every_line_of_the_log_that_the_readme_names_is_written() -> None:
    """An operator looks for it."""
    code = "".join(
        path.read_text()
        for folder in ("agent", "session")
        for path in (ROOT / folder).rglob("*.py")
    )
    events = set(re.findall(r"`([a-z]+\.[a-z_]+)`", README)) - {"agent.toml", "lk.chat"}
    assert {"call.ended", "charges.not_written", "model.unpriced"} <= events
    for event in events:
        assert f'"{event}"' in code, event
    assert '"messages_lost"' in code


def test_each_link_within_the_readme_leads_somewhere() -> None:
    """By GitHub's rule for headings."""
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= anchors

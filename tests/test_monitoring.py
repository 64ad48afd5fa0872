"""Dashboard and alerts ask for what June really tells, by names and labels that there are."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from promql import used_in

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"

TELLS = """
import asyncio, sys
from pathlib import Path
from agent.config import counting_together


async def tell():
    from prometheus_client.metrics import MetricWrapperBase

    from agent import metrics
    from agent.exposition import Exposition
    from session import SessionConfig, open_sessions

    for metric in list(vars(metrics).values()):
        if isinstance(metric, MetricWrapperBase) and metric._labelnames:
            metric.labels(**dict.fromkeys(metric._labelnames, "one"))
    async with open_sessions(SessionConfig(Path("unused"), store_url="memory:")) as sessions:
        await sessions.breakers.open_by_hand("llm https://models.example/v1 mind", 60)
        async with Exposition(sessions) as exposition:
            sys.stdout.buffer.write(await exposition.text())


with counting_together():
    asyncio.run(tell())
"""


@cache
def told_text() -> str:
    """All that June may tell Prometheus, as a worker of hers writes it."""
    done = subprocess.run([sys.executable, "-c", TELLS], cwd=ROOT, capture_output=True, check=True)
    return done.stdout.decode()


@cache
def told() -> dict[str, frozenset[str]]:
    """Every series by name, with its labels, and those that Prometheus adds."""
    found: dict[str, frozenset[str]] = {"up": frozenset({"job", "instance"})}
    for family in text_string_to_metric_families(told_text()):
        for sample in family.samples:
            known = found.get(sample.name, frozenset({"job", "instance"}))
            found[sample.name] = known | set(sample.labels)
    return found


def rules() -> list[dict[str, Any]]:
    return [
        rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    ]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "june.json").read_text())
    return found


def expressions() -> Iterator[tuple[str, str, str]]:
    """What each is for, the expression, and the text beside it that may name its labels."""
    for rule in rules():
        yield rule["alert"], rule["expr"], " ".join(rule["annotations"].values())
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target["legendFormat"]


EVERY = [
    (f"{number} {name}", expr, text) for number, (name, expr, text) in enumerate(expressions())
]


@pytest.mark.parametrize(
    ("expression", "beside"), [one[1:] for one in EVERY], ids=[one[0] for one in EVERY]
)
def test_an_expression_asks_for_what_june_tells(expression: str, beside: str) -> None:
    """Anything else is answered with nothing, which looks as if all were well."""
    used = used_in(expression)
    assert used.metrics
    for metric, labels in used.metrics.items():
        assert metric in told(), f"`{metric}` is told by nobody"
        assert labels <= told()[metric], f"`{metric}` has no such labels: {labels - told()[metric]}"
    all_labels = frozenset().union(*(told()[metric] for metric in used.metrics))
    assert used.groups <= all_labels
    named = set(re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", beside))
    kept = used.groups - {"le"} or (all_labels if "(" not in expression else set())
    assert named <= kept, f"{named - kept} are not in what it gives"


def test_every_metric_is_shown_or_watched() -> None:
    """A number that nobody looks at is not worth its cost."""
    used = {name for _, expression, _ in expressions() for name in used_in(expression).metrics}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    every = {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in told() if name.startswith("june_")
    }
    # Its alerts come by webhook; what is left of the budget says more.
    assert every - shown == {"june_budget_alerts_total"}


def test_every_alert_says_what_to_do() -> None:
    """In words: what has happened, and where to look first."""
    found = rules()
    assert len({rule["alert"] for rule in found}) == len(found)
    for rule in found:
        assert rule["labels"]["severity"] in ("page", "warn")
        assert set(rule["annotations"]) == {"summary", "description"}
        assert len(rule["annotations"]["description"]) > 80


def test_commands_and_settings_that_alerts_name_exist() -> None:
    """Who is woken at night should not find that they do not."""
    text = " ".join(" ".join(rule["annotations"]["description"].split()) for rule in rules())
    settings = (ROOT / "agent.toml").read_text()
    for section, setting in set(re.findall(r"`\[(\w+)\] (\w+)`", text)):
        assert re.search(rf"^\[{section}\]\n(?:.*\n)*?#? ?{setting} =", settings, re.MULTILINE)
    for command in set(re.findall(r"`\./june ([^`]+)`", text)):
        done = subprocess.run(
            [sys.executable, "-m", "agent", *command.split(), "--help"],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, command
    code = "".join(path.read_text() for path in (ROOT / "agent").rglob("*.py"))
    code += "".join(path.read_text() for path in (ROOT / "session").rglob("*.py"))
    for event in set(re.findall(r"`([a-z_]+\.(?!yml)[a-z_]+)`", text)):
        assert f'"{event}"' in code, f"nobody logs `{event}`"


def test_the_dashboard_can_be_imported() -> None:
    """Into a Grafana that knows nothing of it: whoever imports it chooses the source of data."""
    found = dashboard()
    panels = found["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels)
    assert found["templating"]["list"][0]["name"] == "datasource"
    assert all(panel["description"] for panel in panels)
    places = {
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    }
    area = sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels)
    assert len(places) == area, "two panels stand in one place"
    assert max(x for x, _ in places) < 24


def test_prometheus_is_told_where_june_is() -> None:
    """By the name that alerts and dashboard know, with a token that is not in the file."""
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "june"
    assert job["authorization"]["type"] == "Bearer"
    assert set(job["authorization"]) == {"type", "credentials_file"}
    assert config["rule_files"] == [ALERTS.name]


@pytest.mark.parametrize(
    ("expression", "metrics", "groups"),
    [
        ("up", {"up": set()}, set()),
        ('sum by (a, le) (rate(x_bucket{b="(c"}[5m])) / 2.5', {"x_bucket": {"b"}}, {"a", "le"}),
        (
            "max(a) > 0.8 and on (c) b{d=~'e', f!=\"g\"} or vector(0)",
            {"a": set(), "b": {"d", "f"}},
            {"c"},
        ),
    ],
)
def test_expressions_are_understood(
    expression: str, metrics: dict[str, set[str]], groups: set[str]
) -> None:
    """As Prometheus does."""
    used = used_in(expression)
    assert (used.metrics, used.groups) == (metrics, groups)


@pytest.mark.parametrize("expression", ["sum(up", "total(up)", "up ? 1", "sum(up))"])
def test_what_is_no_expression_is_said(expression: str) -> None:
    """Rather than taken for one about nothing."""
    with pytest.raises(ValueError, match=re.escape(expression)):
        used_in(expression)


if (promtool := shutil.which("promtool")) is not None:

    @pytest.mark.parametrize(
        ("command", "given"),
        [
            (["check", "rules", "alerts.yml"], None),
            (["test", "rules", "alerts_test.yml"], None),
            (["check", "config", "--syntax-only", "prometheus.yml"], None),
            (["check", "metrics"], "told"),
        ],
        ids=lambda one: " ".join(one) if isinstance(one, list) else "",
    )
    def test_prometheus_own_tool_agrees(command: list[str], given: str | None) -> None:
        """Where it is installed, as by `apt-get install prometheus`."""
        done = subprocess.run(
            [promtool or "", *command],
            cwd=ALERTS.parent,
            input=_without_livekits(told_text()) if given else None,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _without_livekits(text: str) -> str:
    lines = [line for line in text.splitlines() if "june_" in line]
    return "\n".join([*lines, ""])

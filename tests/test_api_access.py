"""Who may ask June over HTTP: this machine, the operator, a web site; nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_fakes import ADMIN, KEY, Api, api_in

from agent.api.access import OPEN, TOKEN_ROUTE
from agent.config_errors import ConfigError

OPERATORS = ("/metrics", "/api/sessions", "/api/skills", "/api/security/stats", "/openapi.json")

FROM_EVERYWHERE = {"JUNE_HTTP__HOST": "0.0.0.0", "JUNE_ADMIN_TOKEN": ADMIN, "JUNE_TOKEN_KEY": KEY}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Api]:
    """On loopback, without a token."""
    async with api_in(tmp_path) as api:
        yield api


@pytest.fixture
async def anywhere(tmp_path: Path) -> AsyncIterator[Api]:
    """Where others can reach it."""
    async with api_in(tmp_path, **FROM_EVERYWHERE) as api:
        yield api


@pytest.mark.parametrize("path", OPERATORS)
async def test_on_this_machine_no_token_is_asked_for(here: Api, path: str) -> None:
    """Whoever is here may run `./june sessions` as well."""
    assert (await here.ask("GET", path)).status == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "127.8.8.8", "[::1]:8080", "::1"])
async def test_this_machine_has_several_names(here: Api, host: str) -> None:
    """With and without a port."""
    answer = await here.ask("GET", "/api/sessions", headers={"Host": host})
    assert answer.status == (403 if host == "::1" else 200)  # without brackets it is no host


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8080", "0.0.0.0:8080", "", "[", "10.0.0.1"]
)
@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/api/sessions", "/x"])
async def test_a_rebound_name_is_not_this_machine(here: Api, host: str, path: str) -> None:
    """A page that was loaded under it would otherwise read all that is said."""
    answer = await here.ask("GET", path, headers={"Host": host})
    assert answer.status == 403
    assert "JUNE_ADMIN_TOKEN" in answer.detail


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "file://"])
async def test_a_foreign_page_may_change_nothing(here: Api, origin: str) -> None:
    """It could not read the answer, but what it asks for would be done."""
    answer = await here.ask(
        "POST", "/api/security/circuit-breaker/open", headers={"Origin": origin}
    )
    assert answer.status == 403
    assert (await here.sessions.money.today()).breaker_reason is None


async def test_a_page_of_this_machine_may(here: Api) -> None:
    """And the answer does not let it be read by others."""
    answer = await here.ask("GET", "/api/sessions", headers={"Origin": "http://localhost:3000"})
    assert answer.status == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "X-Real-IP"])
async def test_a_proxy_is_not_this_machine(here: Api, name: str) -> None:
    """It runs here, and hands on what anybody asks."""
    answer = await here.ask("GET", "/api/sessions", headers={name: "for=203.0.113.9"})
    assert answer.status == 403


def test_every_path_but_four_is_closed() -> None:
    """One that is added is as well: the list is of those that are open."""
    assert {"/", "/ops", "/healthz", "/readyz", "/api/webhooks/livekit"} == OPEN


async def test_elsewhere_every_route_wants_a_token(anywhere: Api) -> None:
    """All that there are, by any method, and those that there are not."""
    routes = [route for route in anywhere.app.openapi()["paths"] if route not in OPEN]
    assert len(routes) > 10
    for path in (*routes, "/openapi.json", "/nothing", "/healthz/", "/docs"):
        for method in ("GET", "POST", "DELETE", "PUT", "OPTIONS"):
            answer = await anywhere.ask(method, path.replace("{", "").replace("}", ""))
            assert answer.status == 401, (method, path)
            assert answer.headers["www-authenticate"] == 'Bearer realm="june"'


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {ADMIN[:-1]}",
        f"Bearer {ADMIN}x",
        f"Basic {ADMIN}",
        ADMIN,
        f"Bearer {ADMIN.upper()}",
        "Bearer \xe9\xff",
    ],
)
async def test_a_wrong_token_is_told_no_more_than_none(anywhere: Api, given: str) -> None:
    """Not which part of it was wrong."""
    without = await anywhere.ask("GET", "/api/sessions")
    wrong = await anywhere.ask(
        "GET", "/api/sessions", headers={"Authorization": given.encode("latin-1")}
    )
    assert (wrong.status, wrong.json) == (401, without.json)


async def test_two_tokens_are_none(anywhere: Api) -> None:
    """Whoever stands between might read one, and June the other."""
    two = [("Authorization", f"Bearer {ADMIN}"), ("Authorization", f"Bearer {KEY}")]
    response = await anywhere.http.get("/api/sessions", headers=two)
    assert response.status_code == 401


@pytest.mark.parametrize("path", OPERATORS)
async def test_the_operator_may_ask_for_everything(anywhere: Api, path: str) -> None:
    """From any host, and through any proxy."""
    headers = {"Host": "june.example.org", "X-Forwarded-For": "203.0.113.9"}
    assert (await anywhere.ask("GET", path, ADMIN, headers=headers)).status == 200


@pytest.mark.parametrize("path", [*OPERATORS, "/nothing", f"{TOKEN_ROUTE}/"])
async def test_the_key_of_a_web_site_is_for_tokens_only(anywhere: Api, path: str) -> None:
    """And it is told so."""
    answer = await anywhere.ask("GET", path, KEY)
    assert answer.status == 403
    assert TOKEN_ROUTE in answer.detail


async def test_both_keys_open_the_token_route(anywhere: Api) -> None:
    """The web site's, and the operator's."""
    for token in (KEY, ADMIN):
        answer = await anywhere.ask("POST", TOKEN_ROUTE, token, json={"identity": "ann"})
        assert answer.status == 200


async def test_the_key_is_of_no_use_without_the_operators_token(tmp_path: Path) -> None:
    """Strangers are to ask, perhaps through a proxy that looks like this machine."""
    with pytest.raises(ConfigError, match="`JUNE_ADMIN_TOKEN` is not set, and `JUNE_TOKEN_KEY` is"):
        async with api_in(tmp_path, JUNE_TOKEN_KEY=KEY):
            pass


async def test_a_web_site_must_not_have_the_operators_token(tmp_path: Path) -> None:
    """Under the name of its own key."""
    with pytest.raises(ConfigError, match="`JUNE_TOKEN_KEY` is the value of `JUNE_ADMIN_TOKEN`"):
        async with api_in(tmp_path, JUNE_ADMIN_TOKEN=ADMIN, JUNE_TOKEN_KEY=f"{ADMIN}\n"):
            pass


async def test_tokens_may_be_pasted_with_their_line_ends(tmp_path: Path) -> None:
    """As from a file; HTTP itself would send none."""
    async with api_in(tmp_path, JUNE_ADMIN_TOKEN=f"{ADMIN}\n", JUNE_TOKEN_KEY=f" {KEY}\n") as api:
        assert (await api.ask("GET", "/api/sessions", ADMIN)).status == 200
        assert (await api.ask("POST", TOKEN_ROUTE, KEY, json={"identity": "ann"})).status == 200


async def test_strangers_hear_nothing_of_money(anywhere: Api) -> None:
    """Nor does the web site; the operator does."""
    for token in (None, KEY, "wrong"):
        answer = await anywhere.ask("GET", "/healthz", token)
        assert set(answer.json) == {"status", "version"}
    assert "money" in (await anywhere.ask("GET", "/healthz", ADMIN)).json


async def test_a_token_beyond_ascii_is_one(tmp_path: Path) -> None:
    """As its bytes in UTF-8."""
    token = "größer als sechzehn Zeichen"
    async with api_in(tmp_path, JUNE_ADMIN_TOKEN=token) as api:
        given = f"Bearer {token}".encode()
        answer = await api.ask("GET", "/api/sessions", headers={"Authorization": given})
        assert answer.status == 200
        assert (await api.ask("GET", "/api/sessions")).status == 401


SITE = "https://shop.example"


@pytest.fixture
async def with_site(tmp_path: Path) -> AsyncIterator[Api]:
    """Pages of one web site may ask from a browser."""
    origins = {"JUNE_HTTP__ORIGINS": f'["{SITE}"]'}
    async with api_in(tmp_path, **FROM_EVERYWHERE, **origins) as api:
        yield api


def preflight(origin: str, method: str = "POST") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }


async def test_a_page_of_a_known_site_may_ask_from_a_browser(with_site: Api) -> None:
    """Before it asks with a token, the browser asks without; errors can be read as well."""
    asked = await with_site.ask("OPTIONS", TOKEN_ROUTE, headers=preflight(SITE))
    assert asked.status == 200
    assert asked.headers["access-control-allow-origin"] == SITE
    assert "access-control-allow-credentials" not in asked.headers
    refused = await with_site.ask("POST", TOKEN_ROUTE, headers={"Origin": SITE})
    assert refused.status == 401
    assert refused.headers["access-control-allow-origin"] == SITE


@pytest.mark.parametrize(("origin", "method"), [("https://evil.example", "POST"), (SITE, "PUT")])
async def test_others_are_refused_before_they_ask(with_site: Api, origin: str, method: str) -> None:
    """As a problem, like all errors."""
    asked = await with_site.ask("OPTIONS", TOKEN_ROUTE, headers=preflight(origin, method))
    assert asked.status == 403
    assert "access-control-allow-origin" not in asked.headers


async def test_without_sites_no_page_may_read_an_answer(anywhere: Api) -> None:
    """CORS is off."""
    asked = await anywhere.ask("OPTIONS", TOKEN_ROUTE, headers=preflight(SITE))
    assert asked.status == 401
    answer = await anywhere.ask("GET", "/api/skills", ADMIN, headers={"Origin": SITE})
    assert "access-control-allow-origin" not in answer.headers


async def test_openapi_names_the_token_of_each_route(anywhere: Api) -> None:
    """So that a client that is made of it sends one."""
    document = (await anywhere.ask("GET", "/openapi.json", ADMIN)).json
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == (path not in OPEN)
    (operation,) = document["paths"][TOKEN_ROUTE].values()
    assert operation["security"] == [{"JUNE_ADMIN_TOKEN": []}, {"JUNE_TOKEN_KEY": []}]

"""A Redis server that cannot be used, or not any more: a sentence with a hint, and nothing half."""

import asyncio
import subprocess
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.exceptions import BusyLoadingError, MovedError, ResponseError
from test_store import NOW, begin, said

from bench.redis_server import RedisServer, free_port
from session.errors import StoreError, StoreUnusable
from session.limits import Ask, Budget, Window
from session.money import Charge, Reservation
from session.records import CloseReason, TurnMetrics
from session.store.redis.address import RedisAddress, address_of
from session.store.redis.errors import NEEDED_RIGHTS, explained, unusable
from session.store.redis.store import RedisStore
from session.store.redis.version import KNOWN

SECRET = "hunter2/%"
WRITTEN_SECRET = "hunter2%2F%25"

ASK = Ask("1", (Window("w", 9, 60.0, "minute"),))
BUDGETS = (Budget("day", ""),)


@pytest.fixture
async def opened(redis: RedisServer) -> AsyncIterator[RedisStore]:
    """A store in an empty server."""
    redis.ask(b"FLUSHALL")
    store = await RedisStore.open(redis.url)
    yield store
    await store.aclose()


async def refused(url: str) -> str:
    """What the operator reads; it never has the password, nor has anything behind it."""
    with pytest.raises(StoreUnusable, match=r"\nhint: ") as raised:
        await RedisStore.open(url)
    told = "".join(traceback.format_exception(raised.value))
    assert "hunter2" not in told
    assert not raised.value.retryable
    return str(raised.value)


def everything(store: RedisStore) -> list[Callable[[], Awaitable[object]]]:
    """One of each kind of operation."""
    return [
        lambda: begin(store, "other"),
        lambda: store.sessions.get("1"),
        lambda: store.sessions.page(9),
        lambda: store.sessions.messages("1"),
        lambda: store.sessions.close("1", CloseReason.CRASH, now=NOW),
        lambda: store.sessions.measure("1", TurnMetrics(turn=1, at=NOW)),
        lambda: store.sessions.purge(seen_before=NOW, now=NOW),
        store.sessions.stats,
        lambda: store.limits.admit(ASK, now=NOW),
        lambda: store.ledger.reserve(Reservation("1", BUDGETS, 1, 1), now=NOW),
        lambda: store.ledger.settle("1", Charge(1, 1), now=NOW),
        lambda: store.ledger.breaker(now=NOW),
        lambda: store.claims.claim("1", ttl_seconds=3, now=NOW),
        lambda: store.leases.claim("1", "w/j", ttl_seconds=3, now=NOW),
        lambda: store.leases.free("w/j"),
    ]


async def test_nobody_there_is_told_at_once() -> None:
    """With the command that starts or finds one."""
    begun = time.monotonic()
    message = await refused(f"redis://:{WRITTEN_SECRET}@127.0.0.1:{free_port()}")
    assert "cannot be reached: Connection refused" in message
    assert time.monotonic() - begun < 0.5


async def test_a_name_that_nobody_has_is_told() -> None:
    """A typing error."""
    assert "cannot be reached: " in await refused("redis://nobody.invalid:6379")


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[str]:
    """A server that accepts and says this; None: it never says anything."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is None:
            await reader.read()
        else:
            await reader.read(1)
            writer.write(answer)
        writer.close()

    served = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with served:
        yield f"redis://:{WRITTEN_SECRET}@127.0.0.1:{served.sockets[0].getsockname()[1]}"


async def test_a_server_that_never_answers_is_not_waited_for() -> None:
    """A little more than a second."""
    async with answering(None) as url:
        begun = time.monotonic()
        assert "did not answer in time" in await refused(url)
        assert time.monotonic() - begun < 1.4


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is not Redis"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "is not Redis"),
        (b"\x15\x03\x01\x00\x02\x02\x16", "is not Redis"),
        (b"", "cannot be reached"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "is still loading its data"),
        (b"-MOVED 1234 10.0.0.7:6380\r\n", "name that one in `[store] url`: `10.0.0.7:6380`"),
        (b"-ERR max number of clients reached\r\n", "cannot be reached"),
    ],
)
async def test_what_is_no_usable_redis_is_told(answer: bytes, why: str) -> None:
    """By what it says first."""
    async with answering(answer) as url:
        assert why in await refused(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter2/@host:6379",
        "redis://:hunter2#x@host:6379",
        "redis://:hunter2@host:port",
        "redis://:hunter2@host:99999",
        "redis://:hunter2@host/zero",
        "redis://:hunter2@host?db=1",
        "redis://:hunter2@[::1",
        "redis://",
        "redis:",
    ],
)
async def test_a_wrong_url_is_not_shown(url: str) -> None:
    """Its password may be in any part of it."""
    message = await refused(url)
    assert "URL cannot be read" in message
    assert "host" not in message.replace("HOST", "")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host", "redis://host:6379/0"),
        ("rediss://me:hunter2@host:1/2", "rediss://host:1/2"),
        ("redis://:hunter2@[::1]:1/", "redis://[::1]:1/0"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    """However it is printed."""
    assert str(address_of(url)) == shown
    assert "hunter2" not in repr(address_of(url))


async def test_a_password_is_needed_and_never_shown(tmp_path: Path) -> None:
    """None, a wrong one, and the right one with what must be escaped."""
    with RedisServer(tmp_path, "--requirepass", SECRET) as server:
        for wrong in ("", ":hunter2@", "nobody:hunter2@"):
            message = await refused(server.url.replace("//", f"//{wrong}"))
            assert "does not let June in" in message
        store = await RedisStore.open(server.url.replace("//", f"//:{WRITTEN_SECRET}@"))
        await begin(store)
        server.stop()
        with pytest.raises(StoreError) as raised:
            await begin(store)
        assert "hunter2" not in "".join(traceback.format_exception(raised.value))
        await store.aclose()


async def test_a_user_needs_the_rights_that_the_hint_names(tmp_path: Path) -> None:
    """And no more."""
    with RedisServer(tmp_path) as server:
        server.ask(b"ACL", b"SETUSER", b"june", b"on", b">hunter2", b"~other:*", b"+@all")
        url = server.url.replace("//", "//june:hunter2@")
        message = await refused(url)
        assert "does not allow June's user" in message
        assert NEEDED_RIGHTS in message
        rights = [word.encode() for word in NEEDED_RIGHTS.strip("`").split()]
        server.ask(b"ACL", b"SETUSER", b"june", b"resetkeys", b"nocommands", *rights)
        store = await RedisStore.open(url)
        for operation in everything(store):
            await operation()
        await store.aclose()


async def test_a_replica_is_refused(tmp_path: Path) -> None:
    """At the start, and with another error in a call."""
    eager = ("--repl-diskless-sync-delay", "0")
    with RedisServer(tmp_path, *eager) as master, RedisServer(tmp_path) as replica:
        store = await RedisStore.open(replica.url)
        replica.ask(b"REPLICAOF", b"127.0.0.1", b"%d" % master.port)
        while b"master_link_status:up" not in replica.ask(b"INFO", b"replication"):
            await asyncio.sleep(0.02)
        assert "is a replica that may not be written" in await refused(replica.url)
        with pytest.raises(StoreError, match="is a replica") as raised:
            await begin(store)
        assert raised.value.retryable
        await store.aclose()


@pytest.mark.parametrize(
    ("version", "why"),
    [(str(KNOWN + 1), "written by a newer June"), ("mine", "that is not June's")],
)
async def test_what_another_june_wrote_is_refused_and_kept(
    opened: RedisStore, redis: RedisServer, version: str, why: str
) -> None:
    """An older June must not write into what she does not know."""
    await opened.db.ask("SET", "{june}:version", version)
    assert why in await refused(redis.url)
    assert await opened.db.ask("GET", "{june}:version") == version


async def test_a_frozen_server_is_not_waited_for_and_nothing_is_sent_twice(
    opened: RedisStore, redis: RedisServer
) -> None:
    """Each operation fails after a second; what was sent meanwhile is done later, once."""
    # Once before, so that all have connections on which their commands can be sent.
    await asyncio.gather(*(operation() for operation in everything(opened)))
    fence = int(await opened.db.ask("GET", "{june}:fence"))
    with redis.frozen():
        waiting = asyncio.gather(
            *(operation() for operation in everything(opened)), return_exceptions=True
        )
        await asyncio.wait([waiting], timeout=1.05)
    # If a driver tried again now, it would succeed.
    await asyncio.sleep(0.1)
    for result in await waiting:
        assert isinstance(result, StoreError)
        assert result.retryable
        assert "did not answer in time" in str(result)
    assert int(await opened.db.ask("GET", "{june}:fence")) == fence + 1


async def test_a_dead_server_is_told_at_once(tmp_path: Path) -> None:
    """In each operation, in words; and the same store goes on once there is a server again."""
    with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        store = await RedisStore.open(server.url)
        session = await begin(store)
        server.stop()
        for operation in everything(store):
            begun = time.monotonic()
            with pytest.raises(StoreError, match="cannot be reached") as raised:
                await operation()
            assert raised.value.retryable
            assert time.monotonic() - begun < 0.5
        assert server.start()
        assert await store.sessions.append(said(session, "1"), now=NOW)
        await store.aclose()


async def test_a_server_that_dies_amid_an_operation_leaves_it_done_or_not(tmp_path: Path) -> None:
    """It is one script: the message is there and counted, or it is not."""
    with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        store = await RedisStore.open(server.url)
        session = await begin(store)
        for turn in range(5):
            waiting = [
                asyncio.create_task(store.sessions.append(said(session, f"{turn} {n}"), now=NOW))
                for n in range(50)
            ]
            await asyncio.sleep(0.003 * turn)
            server.stop()
            results = await asyncio.gather(*waiting, return_exceptions=True)
            assert server.start()
            messages = await store.sessions.messages(session.session_id)
            kept = await store.sessions.get(session.session_id)
            assert kept is not None
            assert kept.message_count == len(messages)
            ids = {message.id for message in messages}
            assert {f"{turn} {n}" for n in range(50) if results[n] is True} <= ids
        await store.aclose()


async def test_a_full_server_is_an_error_and_keeps_what_there_is(
    opened: RedisStore, redis: RedisServer
) -> None:
    """And once there is room again, the same message is kept."""
    session = await begin(opened)
    redis.ask(b"CONFIG", b"SET", b"maxmemory", b"1")
    try:
        with pytest.raises(StoreError, match="is full") as raised:
            await opened.sessions.append(said(session, "1"), now=NOW)
        assert raised.value.retryable
        assert "is full" in await refused(redis.url)
        assert await opened.sessions.messages(session.session_id) == ()
    finally:
        redis.ask(b"CONFIG", b"SET", b"maxmemory", b"0")
    assert await opened.sessions.append(said(session, "1"), now=NOW)


async def test_an_error_never_tells_what_somebody_said(
    opened: RedisStore, redis: RedisServer
) -> None:
    """Somebody else wrote into June's keys; Redis would quote names and words."""
    session = await begin(opened, "secret room")
    message = said(session, "1", "secret words")
    kept = f"{{june}}:messages:{session.session_id}"
    for value in (b"no message", b"\xff\xfe", b'{"text": "secret words"}'):
        await opened.db.ask("DEL", kept)
        redis.ask(b"RPUSH", kept.encode(), value)
        with pytest.raises(StoreError) as raised:
            await opened.sessions.messages(session.session_id)
        assert "secret" not in "".join(traceback.format_exception(raised.value))
    await opened.db.ask("SET", kept, "secret words")
    with pytest.raises(StoreError) as raised:
        await opened.sessions.append(message, now=NOW)
    assert not raised.value.retryable
    assert "secret" not in "".join(traceback.format_exception(raised.value))
    await opened.db.ask("HDEL", f"{{june}}:session:{session.session_id}", "room_name")
    with pytest.raises(StoreError, match="holds a Session that cannot be read"):
        await opened.sessions.get(session.session_id)


@pytest.mark.parametrize(
    ("error", "why", "retryable"),
    [
        (MovedError("1234 10.0.0.7:6380"), "is a node of a cluster", True),
        (BusyLoadingError("loading"), "is still loading", True),
        (ResponseError("MISCONF Redis is configured to save"), r"error \(MISCONF\)", True),
        (ResponseError("WRONGTYPE Operation against a key"), r"error \(WRONGTYPE\)", False),
        (ResponseError("unknown command 'secret'"), r"error \(ERR\)", False),
    ],
)
def test_errors_of_redis_are_worded(error: ResponseError, why: str, retryable: bool) -> None:
    """With its own capital word at most."""
    address = RedisAddress("host")
    told = explained(error, address)
    assert told.retryable is retryable
    with pytest.raises(StoreError, match=why):
        raise told
    assert "secret" not in str(unusable(error, address))


async def test_a_node_that_has_all_slots_serves_june(tmp_path: Path) -> None:
    """Her scripts touch one slot only, which a cluster insists on."""
    with RedisServer(tmp_path, "--cluster-enabled", "yes") as node:
        assert "answers with an error (CLUSTERDOWN)" in await refused(node.url)
        node.ask(b"CLUSTER", b"ADDSLOTSRANGE", b"0", b"16383")
        while b"cluster_state:ok" not in node.ask(b"CLUSTER", b"INFO"):
            await asyncio.sleep(0.02)
        store = await RedisStore.open(node.url)
        for operation in everything(store):
            await operation()
        await store.aclose()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate and its key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", str(certificate), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


async def test_an_encrypted_server_is_trusted_by_its_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the machine knows, and no other; and never without encryption."""
    certificate, key = self_signed(tmp_path)
    tls = ("--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no")
    port = free_port()
    with RedisServer(tmp_path, "--tls-port", f"{port}", *map(str, tls)):
        url = f"rediss://127.0.0.1:{port}"
        assert "does not trust: self-signed certificate" in await refused(url)
        assert "cannot be reached" in await refused(url.replace("rediss", "redis"))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        store = await RedisStore.open(url)
        await begin(store)
        await store.aclose()


async def test_a_server_that_speaks_no_tls_is_told() -> None:
    """The web server of the same machine, perhaps."""
    async with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        assert "WRONG_VERSION_NUMBER" in await refused(url.replace("redis", "rediss"))


async def test_a_server_without_encryption_is_not_asked_for_it(redis: RedisServer) -> None:
    """`rediss` is meant as it is written; such a server waits for more, and says nothing."""
    await refused(redis.url.replace("redis", "rediss"))


async def test_a_closed_store_says_so(redis: RedisServer) -> None:
    """And closing twice is fine."""
    store = await RedisStore.open(redis.url)
    await store.aclose()
    await store.aclose()
    with pytest.raises(StoreError, match="is closed"):
        await begin(store)

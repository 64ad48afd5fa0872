"""Where a Redis server is, read from its URL; what is shown of it never has a password."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from session.errors import StoreUnusable

DEFAULT_PORT = 6379


@dataclass(frozen=True)
class RedisAddress:
    host: str
    port: int = DEFAULT_PORT
    database: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    is_encrypted: bool = False

    def __str__(self) -> str:
        """As a URL, without user and password."""
        scheme = "rediss" if self.is_encrypted else "redis"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/{self.database}"


def address_of(url: str) -> RedisAddress:
    """Of `redis://[[user]:password@]host[:port][/database]`, or `rediss://…` for TLS.

    Raises:
        StoreUnusable: if it is none; without showing it, because it may hold a password.
    """
    try:
        return _read(urlsplit(url))
    except ValueError:
        # Python's own error quotes the part that it could not read.
        raise StoreUnusable(
            "the session store's URL cannot be read\n"
            "hint: use `redis://:PASSWORD@HOST:6379/0`, with `/`, `?`, `#`, `@` and `:` of the "
            "password written as `%2F`, `%3F`, `%23`, `%40` and `%3A`"
        ) from None


def _read(url: SplitResult) -> RedisAddress:
    if url.scheme not in ("redis", "rediss") or not url.hostname or url.query or url.fragment:
        raise ValueError
    return RedisAddress(
        host=url.hostname,
        port=DEFAULT_PORT if url.port is None else url.port,
        database=int(url.path.strip("/") or 0),
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        is_encrypted=url.scheme == "rediss",
    )

"""The store's URL, which may hold a password where it comes from the environment."""

from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field

from agent.settings_types import Section, has_host_and_port

REDIS = ("redis:", "rediss:")


def _redis_has_a_host(url: str) -> str:
    return has_host_and_port(url) if url.startswith(REDIS) else url


StoreUrl = Annotated[
    str,
    Field(
        pattern=(
            r"^(|memory:|sqlite:[^\x00-\x1f]+"
            r"|rediss?://([^\s\x00-\x1f/?#@]*@)?[^\s\x00-\x1f/?#@]+(/[0-9]{0,5})?)$"
        ),
        json_schema_extra={
            "rule": "`sqlite:PATH`, `redis://HOST:PORT`, `rediss://HOST:PORT`, `memory:`, or empty"
            " (in a password `/` is `%2F`, `?` is `%3F`, `#` is `%23` and `@` is `%40`)"
        },
    ),
    AfterValidator(_redis_has_a_host),
]


class StoreSettings(Section):
    url: StoreUrl = Field(
        "", description="Where sessions are kept; empty for a SQLite file in June's folder"
    )


def is_redis(url: str) -> bool:
    """Whether it is a store that several machines share."""
    return url.startswith(REDIS)


def without_password(url: str) -> str:
    """As it may be shown: of a Redis URL without what stands before its host."""
    scheme, colon, rest = url.partition("://")
    return f"{scheme}{colon}{rest.rpartition('@')[2]}" if is_redis(url) else url


def passwords_of(url: str) -> tuple[str, ...]:
    """As it is written in the URL and as it is meant; empty without one."""
    password = urlsplit(url).password if is_redis(url) else None
    return tuple(dict.fromkeys((password, unquote(password)))) if password else ()

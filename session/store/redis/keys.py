"""The names of June's keys in Redis, as `lua/parts/base.lua` builds them as well.

All have one hash tag, so that in a cluster they are in one place and a script may use any.
"""

PREFIX = "{june}:"

VERSION = f"{PREFIX}version"
CREATED = f"{PREFIX}created"
SESSIONS = f"{PREFIX}sessions"
REPLIES = f"{PREFIX}replies"
LATELY = f"{PREFIX}lately"
BREAKER = f"{PREFIX}breaker"
LEASES = f"{PREFIX}leases"
CIRCUITS = f"{PREFIX}circuits"


def key_of(kind: str, of: str) -> str:
    return f"{PREFIX}{kind}:{of}"

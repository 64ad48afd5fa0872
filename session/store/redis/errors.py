"""What goes wrong with Redis, in words: never with what was asked of it, which is a caller's."""

import os
import socket
import ssl
from dataclasses import dataclass

from redis import exceptions as driver

from session.errors import StoreError, StoreUnusable
from session.store.redis.address import RedisAddress

ELSEWHERE = "name another store in `[store] url`"

NEEDED_RIGHTS = "`~{june}:* +@all -@admin -@dangerous`"

PASSING = ("BUSY", "CLUSTERDOWN", "MASTERDOWN", "MISCONF", "NOREPLICAS", "TRYAGAIN")
"""Redis's words for what may be over in a while."""


@dataclass(frozen=True)
class _Fault:
    why: str
    hint: str
    is_retryable: bool = True


def explained(error: Exception, address: RedisAddress) -> StoreError:
    """For the log and for whoever may try again."""
    fault = _fault(error, address)
    return StoreError(f"the store `{address}` {fault.why}", retryable=fault.is_retryable)


def unusable(error: BaseException | None, address: RedisAddress) -> StoreUnusable:
    """For the operator, who starts June."""
    fault = _fault(error, address)
    return StoreUnusable(f"the store `{address}` {fault.why}\nhint: {fault.hint}")


def without_data(error: Exception) -> Exception:
    """Redis may quote the command that it refuses, with all that was said in it."""
    if isinstance(error, driver.ResponseError):
        error.args = (_code(error),)
    return error


def _fault(error: BaseException | None, address: RedisAddress) -> _Fault:
    ping = f"`redis-cli -h {address.host} -p {address.port} ping`"
    match error:
        case driver.AuthenticationError():
            return _Fault(
                "does not let June in: wrong user or password",
                "put the right one into `JUNE_STORE__URL`, as `redis://:PASSWORD@HOST:6379`",
                is_retryable=False,
            )
        case driver.NoPermissionError():
            return _Fault(
                "does not allow June's user what June needs",
                f"give the user these rights with `ACL SETUSER`: {NEEDED_RIGHTS}",
                is_retryable=False,
            )
        case driver.BusyLoadingError():
            return _Fault("is still loading its data", f"wait until {ping} says `PONG`")
        case driver.ReadOnlyError():
            return _Fault(
                "is a replica that may not be written",
                "name its master in `[store] url` (`redis-cli info replication` tells it)",
            )
        case driver.OutOfMemoryError():
            return _Fault("is full", "raise its `maxmemory` in `redis.conf`")
        case driver.MovedError() | driver.AskError():
            return _Fault(
                "is a node of a cluster, and not the one that has June's keys",
                f"name that one in `[store] url`: `{error.host}:{error.port}`",
            )
        case driver.InvalidResponse():
            return _Fault("is not Redis", ELSEWHERE, is_retryable=False)
        case driver.TimeoutError() | TimeoutError():
            return _Fault("did not answer in time", f"see whether {ping} says `PONG`")
        case driver.ResponseError():
            code = _code(error)
            return _Fault(
                f"answers with an error ({code})",
                f"see the log of Redis, or {ELSEWHERE}",
                is_retryable=code in PASSING,
            )
    return _unreachable(_system_error(error))


def _unreachable(error: OSError | None) -> _Fault:
    hint = f"start Redis there, or {ELSEWHERE}"
    match error:
        case ssl.SSLCertVerificationError():
            return _Fault(
                f"has a certificate that this machine does not trust: {error.verify_message}",
                "put the file of its authority into the environment variable `SSL_CERT_FILE`",
                is_retryable=False,
            )
        case ssl.SSLError() | socket.gaierror():
            # Their numbers are none of the system's.
            return _Fault(f"cannot be reached: {error.strerror}", hint)
        case OSError(errno=int(number)):
            return _Fault(f"cannot be reached: {os.strerror(number)}", hint)
    return _Fault("cannot be reached", hint)


def _code(error: driver.ResponseError) -> str:
    """The capital word that Redis begins an error with."""
    word = error.status_code or str(error).partition(" ")[0]
    return word if word.isalpha() and word.isupper() else "ERR"


def _system_error(error: BaseException | None) -> OSError | None:
    """What the system says below the driver's exception."""
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None:
            return error
        error = error.__cause__ or error.__context__
    return None

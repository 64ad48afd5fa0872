"""What OpenAI says instead of an answer, as it words it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

JSON = dict[str, object]


@dataclass(frozen=True)
class Refusal:
    """An HTTP status with OpenAI's error as JSON. On the realtime path it refuses the upgrade."""

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> JSON:
        return error_body(self.message, kind=self.type, code=self.code, param=self.param)

    @classmethod
    def bad_request(cls, message: str, *, param: str | None = None) -> Self:
        return cls(400, message, param=param)

    @classmethod
    def no_key(cls) -> Self:
        return cls(
            401,
            "You didn't provide an API key. You need to provide your API key in an Authorization "
            "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        )

    @classmethod
    def wrong_key(cls, key: str = "sk-wrong") -> Self:
        return cls(
            401,
            f"Incorrect API key provided: {masked(key)}. You can find your API key at "
            "https://platform.openai.com/account/api-keys.",
            code="invalid_api_key",
        )

    @classmethod
    def forbidden(cls) -> Self:
        return cls(
            403,
            "Country, region, or territory not supported",
            type="request_forbidden",
            code="unsupported_country_region_territory",
        )

    @classmethod
    def unknown_model(cls, model: str) -> Self:
        return cls(
            404,
            f"The model `{model}` does not exist or you do not have access to it.",
            code="model_not_found",
        )

    @classmethod
    def unknown_path(cls, method: str, path: str) -> Self:
        return cls(404, f"Invalid URL ({method} {path})")

    @classmethod
    def rate_limited(cls, retry_after_seconds: int | None = 20) -> Self:
        when = "later" if retry_after_seconds is None else f"in {retry_after_seconds}s"
        return cls(
            429,
            "Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1. "
            f"Please try again {when}.",
            type="requests",
            code="rate_limit_exceeded",
            headers={}
            if retry_after_seconds is None
            else {"Retry-After": str(retry_after_seconds)},
        )

    @classmethod
    def quota_exceeded(cls) -> Self:
        return cls(
            429,
            "You exceeded your current quota, please check your plan and billing details.",
            type="insufficient_quota",
            code="insufficient_quota",
        )

    @classmethod
    def server_error(cls, status: int = 500) -> Self:
        return cls(
            status,
            "The server had an error while processing your request. Sorry about that!",
            type="server_error",
        )


class Refused(Exception):
    """The request cannot be answered, whatever the script says."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def error_body(
    message: str, *, kind: str, code: str | None = None, param: str | None = None
) -> JSON:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def masked(key: str) -> str:
    """As OpenAI quotes a key that it does not know."""
    shown = 4 if len(key) >= 16 else 0
    return f"{key[:shown]}{'*' * (len(key) - 2 * shown)}{key[len(key) - shown :]}"

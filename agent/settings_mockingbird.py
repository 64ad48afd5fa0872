"""Who makes a voice of a caller's sample, and for how long it lives."""

from typing import Annotated

from pydantic import Field

from agent.settings_types import Section

CLONER_FILE = ".py"
"""How the name of a cloner of the operator's own ends."""

Cloner = Annotated[
    str,
    Field(
        pattern=r"^(auto|mimic|openai|off|[^\x00-\x1f]*[^/\x00-\x1f]\.py)$",
        json_schema_extra={
            "rule": "`auto`, `mimic`, `openai`, `off`, or the path of a Python file such as "
            "`my-cloner.py`"
        },
    ),
]


class MockingbirdSettings(Section):
    cloner: Cloner = Field(
        "auto",
        description="`mimic` on this machine, which `auto` is, `openai`, a file of yours, or `off`",
    )
    hours: int = Field(
        24, ge=1, le=168, description="How long a consent and the voice that was made by it live"
    )

    keep_recordings: bool = Field(
        default=False,
        description="`true` keeps the sound of each consent as a file here, for as long",
        json_schema_extra={"rule": "`true` or `false`"},
    )

    @property
    def cloner_in_use(self) -> str:
        return "mimic" if self.cloner == "auto" else self.cloner

    @property
    def file(self) -> str:
        """The path of the operator's cloner as given; empty for June's own."""
        return self.cloner if self.cloner.endswith(CLONER_FILE) else ""

"""Time zones: which names there are, and which one this machine is in."""

from datetime import datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HERE = Path("/etc/localtime")


def is_zone(name: str) -> bool:
    """Whether it names a time zone, such as `Europe/Berlin`."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def zone(name: str) -> tzinfo:
    """The one of this name, which must be one; without a name this machine's."""
    return ZoneInfo(name) if name else machine_zone()


def machine_zone() -> tzinfo:
    """With its summer time where the machine's file says what the C library does."""
    now = datetime.now().astimezone()
    fixed = now.tzinfo
    assert fixed is not None
    try:
        with HERE.open("rb") as file:
            found = ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return fixed
    return found if now.astimezone(found).utcoffset() == now.utcoffset() else fixed

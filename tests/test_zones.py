"""Time zones by name, and this machine's."""

from datetime import datetime

import pytest

from agent.zones import is_zone, machine_zone, zone


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"])
def test_a_zone_has_a_name(name: str) -> None:
    """Of the usual database."""
    assert is_zone(name)
    assert str(zone(name)) == name


@pytest.mark.parametrize(
    "name", ["", "Berlin", "../../etc/passwd", "/etc/localtime", "\0", "a" * 999]
)
def test_what_is_no_zone_is_none(name: str) -> None:
    """And no file is read for it."""
    assert not is_zone(name)


def test_without_a_name_it_is_this_machines() -> None:
    """Which the C library knows."""
    now = datetime.now().astimezone()
    assert now.astimezone(zone("")).utcoffset() == now.utcoffset()
    assert now.astimezone(machine_zone()).utcoffset() == now.utcoffset()

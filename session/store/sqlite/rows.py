"""How this store asks SQLite: all rows at once, so that no cursor is held over anything."""

from typing import Any

import apsw


def rows(
    db: apsw.Connection, statement: str, values: tuple[Any, ...] = ()
) -> list[tuple[Any, ...]]:
    """Every row of the answer."""
    return db.execute(statement, values).fetchall()

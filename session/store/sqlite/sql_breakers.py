"""Circuits in SQLite. Each function runs inside one transaction."""

from typing import TypeVar

import apsw

from session.circuit_rules import Circuit, Rule
from session.store.sqlite.rows import rows

T = TypeVar("T")


def find(db: apsw.Connection, name: str) -> Circuit:
    found = rows(db, "SELECT record FROM circuits WHERE name = ?", (name,))
    return Circuit.model_validate_json(found[0][0]) if found else Circuit(name=name)


def change(db: apsw.Connection, name: str, rule: Rule[T]) -> T:
    found = find(db, name)
    changed, answer = rule(found)
    if changed != found:
        db.execute(
            "REPLACE INTO circuits VALUES (?, ?, ?)",
            (name, changed.model_dump_json(), changed.over_at),
        )
    return answer


def all_of_them(db: apsw.Connection) -> list[Circuit]:
    """By name."""
    found = rows(db, "SELECT record FROM circuits ORDER BY name")
    return [Circuit.model_validate_json(record) for (record,) in found]

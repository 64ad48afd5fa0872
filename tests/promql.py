"""As much of PromQL as it takes to know which series and labels an expression is about."""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<text>"[^"]*"|'[^']*')
    |(?P<range>\[[^\]]*\])
    |(?P<number>\d[\d.]*[a-z]*)
    |(?P<word>[A-Za-z_:][\w:]*)
    |(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^<>=(){},])
    |(?P<blank>\s+)""",
    re.VERBOSE,
)

FUNCTIONS = {
    *("sum", "min", "max", "avg", "count", "topk"),
    *("rate", "increase", "histogram_quantile", "absent", "vector", "clamp_min"),
}
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
OPERATORS = {"and", "or", "unless", "bool", "offset"}


@dataclass
class Used:
    """What an expression names."""

    metrics: dict[str, set[str]] = field(default_factory=dict)
    """Each with the labels that it is chosen by."""
    groups: set[str] = field(default_factory=set)
    """Labels that it groups or matches by."""


def used_in(expression: str) -> Used:
    """Raises `ValueError` for what is no expression, or uses what is not known here."""
    tokens = _tokens(expression)
    if sum(one in "({" for one in tokens) != sum(one in ")}" for one in tokens):
        raise ValueError(f"brackets do not match: {expression}")
    used, place = Used(), 0
    while place < len(tokens):
        token, place = tokens[place], place + 1
        following = tokens[place] if place < len(tokens) else ""
        if not re.match(r"[A-Za-z_:]", token) or token in OPERATORS:
            continue
        if token in GROUPING:
            end = tokens.index(")", place)
            used.groups |= {one for one in tokens[place + 1 : end] if one != ","}
            place = end + 1
        elif token in FUNCTIONS and (following == "(" or following in GROUPING):
            continue
        elif following == "(":
            raise ValueError(f"`{token}` is not known: {expression}")
        else:
            labels = used.metrics.setdefault(token, set())
            if following == "{":
                end = tokens.index("}", place)
                labels |= {one for one in tokens[place + 1 : end] if re.match(r"[A-Za-z_]", one)}
                place = end + 1
    return used


def _tokens(expression: str) -> list[str]:
    """Without texts, ranges and blanks."""
    tokens, place = [], 0
    while place < len(expression):
        found = TOKEN.match(expression, place)
        if found is None:
            raise ValueError(f"what is `{expression[place : place + 10]}`? {expression}")
        if found.lastgroup not in ("text", "range", "blank"):
            tokens.append(found.group())
        place = found.end()
    return tokens

"""Tokens: estimated high at first, and as the provider counts once it has counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session.tokens import LEAST_FACTOR, RECENT, TokenCount, estimate_tokens


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 8), ("a", 9), ("ab", 9), ("abc", 10), ("日本", 11), ("😀", 10)]
)
def test_two_bytes_are_a_token(text: str, tokens: int) -> None:
    """Rounded up, and a message costs something by itself."""
    assert estimate_tokens(text) == tokens


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_has_an_estimate(text: str) -> None:
    """Also half a surrogate pair, which has no bytes; more text is never fewer tokens."""
    assert estimate_tokens(text) >= 8
    assert estimate_tokens(f"{text}\ud800") > estimate_tokens(text) - 1


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        (
            "The quick brown fox jumps over the lazy dog, and then I'd like to book a table for "
            "two tomorrow evening.",
            24,
        ),
        (
            "Die Geschwindigkeitsbegrenzung gilt werktags, und ich möchte morgen Abend einen "
            "Tisch für zwei Personen reservieren.",
            30,
        ),
        ("我想预订明天晚上七点的两个人的座位，谢谢你。", 29),  # noqa: RUF001 (Chinese has its own comma)
        ("明日の夜七時に二人で予約したいのですが、空いていますか。", 28),
        ("내일 저녁 일곱 시에 두 사람 자리를 예약하고 싶습니다.", 28),
        ("أود أن أحجز طاولة لشخصين مساء الغد من فضلك.", 31),
        ("मैं कल शाम सात बजे दो लोगों के लिए एक मेज बुक करना चाहता हूँ।", 61),
        ("8364920175 3920184756 1029384756", 14),
    ],
)
def test_an_estimate_is_not_below_the_count(text: str, counted: int) -> None:
    """Of the vocabulary with the most tokens, cl100k: a limit must hold in any language."""
    assert estimate_tokens(text) - estimate_tokens("") >= counted


def test_a_count_starts_with_the_estimate() -> None:
    """No provider has counted anything yet."""
    assert TokenCount().of("hello") == estimate_tokens("hello")


def test_the_provider_teaches_how_it_counts() -> None:
    """Half of the estimate was counted, so the next estimate is halved."""
    tokens = TokenCount()
    tokens.learn(estimated=200, counted=100)
    assert tokens.of("x" * 1000) == 254


def test_the_highest_of_the_last_requests_counts() -> None:
    """A caller who changes to a language with longer tokens is not counted too low."""
    tokens = TokenCount()
    tokens.learn(estimated=100, counted=90)
    for _ in range(RECENT - 1):
        tokens.learn(estimated=100, counted=50)
    assert tokens.factor == 0.9
    tokens.learn(estimated=100, counted=50)
    assert tokens.factor == 0.5


@given(st.lists(st.tuples(st.integers(-5, 10_000), st.integers(-5, 1_000_000)), max_size=9))
def test_no_count_raises_the_estimate_or_makes_it_nothing(counts: list[tuple[int, int]]) -> None:
    """A server that counts nothing, or tools that were not estimated, break no limit."""
    tokens = TokenCount()
    for estimated, counted in counts:
        tokens.learn(estimated=estimated, counted=counted)
    assert LEAST_FACTOR <= tokens.factor <= 1.0
    assert 0 < tokens.of("hello") <= estimate_tokens("hello")

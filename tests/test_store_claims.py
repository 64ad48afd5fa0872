"""Claims: what every store promises of them."""

from session.claims import Claim
from session.store import Store

NOW = 1_000_000.0


async def test_one_is_the_first(store: Store) -> None:
    """Until its time is over."""
    assert await store.claims.claim("k", ttl_seconds=600, now=NOW) == Claim(is_first=True)
    assert await store.claims.claim("k", ttl_seconds=600, now=NOW + 599) == Claim(is_first=False)
    assert await store.claims.claim("other", ttl_seconds=600, now=NOW) == Claim(is_first=True)
    assert await store.claims.claim("k", ttl_seconds=600, now=NOW + 600) == Claim(is_first=True)


async def test_who_comes_later_gets_the_result(store: Store) -> None:
    """For as long as it is kept from when it was there."""
    await store.claims.claim("k", ttl_seconds=600, now=NOW)
    await store.claims.fulfil("k", 'with "quotes" and \N{SNOWMAN}', ttl_seconds=600, now=NOW + 10)
    late = await store.claims.claim("k", ttl_seconds=600, now=NOW + 609)
    assert late == Claim(is_first=False, result='with "quotes" and \N{SNOWMAN}')
    assert await store.claims.claim("k", ttl_seconds=600, now=NOW + 610) == Claim(is_first=True)
    assert await store.claims.claim("k", ttl_seconds=600, now=NOW + 611) == Claim(is_first=False)


async def test_what_failed_may_be_tried_again(store: Store) -> None:
    """By whoever comes next."""
    await store.claims.claim("k", ttl_seconds=600, now=NOW)
    await store.claims.release("k")
    await store.claims.release("k")
    assert (await store.claims.claim("k", ttl_seconds=600, now=NOW)).is_first


async def test_a_result_needs_a_claim(store: Store) -> None:
    """The session was deleted meanwhile: nothing is kept of it."""
    await store.claims.fulfil("k", "words", ttl_seconds=600, now=NOW)
    assert (await store.claims.claim("k", ttl_seconds=600, now=NOW)).is_first


async def test_a_clock_that_was_set_back_makes_no_claim_last(store: Store) -> None:
    """At most its own time."""
    await store.claims.claim("k", ttl_seconds=3, now=NOW)
    assert not (await store.claims.claim("k", ttl_seconds=3, now=NOW - 3600)).is_first
    assert (await store.claims.claim("k", ttl_seconds=3, now=NOW - 3597)).is_first

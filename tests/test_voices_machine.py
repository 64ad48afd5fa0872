"""Voices in every store beside a plain model of them: whatever is done, in whichever order."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import apsw
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)
from store_machine import NOW, OpenedStore
from voices_kept import DAY, KEY, Clock, consent_of, said_with

from session import Consent, NoConsent, Voice, Voices
from session.records import new_session
from session.store import SqliteStore
from session.voice_places import GRACE_SECONDS, KEEP_WITHIN_SECONDS
from session.voice_sweep import UNUSED_SECONDS

EXAMPLES = 40
STEPS = 30

USERS = ("ann", "bob")


@dataclass
class Making:
    """A clone that somebody makes."""

    name: str
    consent: Consent
    begun_at: float


@dataclass
class Plain:
    """What one user has."""

    voice: Voice
    said: int = 0


class VoicesMachine(RuleBasedStateMachine):
    """One maker, which deletes what it is asked to."""

    opened: ClassVar[OpenedStore]

    making = Bundle("making")

    def __init__(self) -> None:
        super().__init__()
        self.opened.empty()
        store = self.opened.store
        if isinstance(store, SqliteStore):
            self.opened.run(store.db.write(delete_memories))
        self.clock = Clock()
        self.voices = Voices(store, KEY, self.clock)
        self.sessions = {
            user: new_session("room", user, channel="room", language="en", now=NOW)
            for user in USERS
        }
        self.plain: dict[str, Plain] = {}
        self.at_maker: set[str] = set()
        self.receipts = 0

    def valid(self, user: str) -> Plain | None:
        one = self.plain.get(user)
        return one if one and self.clock.now < one.voice.consent.expires_at else None

    def is_unused(self, user: str) -> bool:
        """A consent of which no voice was made, and will not be."""
        one = self.plain[user].voice
        return one.clone is None and self.clock.now >= one.consent.given_at + UNUSED_SECONDS

    @rule(user=st.sampled_from(USERS), hours=st.sampled_from([1, 24]))
    def give(self, user: str, hours: int) -> None:
        self.forget(user)
        work = consent_of(self.voices, self.sessions[user], hours)
        consent = self.opened.run(work)
        self.plain[user] = Plain(Voice(consent=consent, clone=None))

    def forget(self, user: str) -> None:
        """A receipt at once where no maker has anything."""
        one = self.plain.pop(user, None)
        if one is not None and one.voice.clone is None:
            self.receipts += 1

    @rule(target=making, user=st.sampled_from(USERS))
    def begin(self, user: str) -> Making | None:
        one = self.plain.get(user)
        if one is None:
            return None
        work = self.voices.begin_clone(one.voice.consent, "openai")
        if self.valid(user) is None:
            with pytest.raises(NoConsent):
                self.opened.run(work)
            return None
        name = self.opened.run(work)
        self.at_maker.add(name)
        return Making(name, one.voice.consent, self.clock.now)

    @rule(one=consumes(making))
    def keep(self, one: Making | None) -> None:
        if one is None:
            return
        theirs = self.valid(one.consent.user)
        work = self.voices.keep_clone(one.consent, one.name, "data")
        is_in_time = self.clock.now < one.begun_at + KEEP_WITHIN_SECONDS
        if theirs is None or theirs.voice.consent != one.consent or not is_in_time:
            with pytest.raises(NoConsent):
                self.opened.run(work)
            return
        clone = self.opened.run(work)
        theirs.voice = Voice(consent=one.consent, clone=clone)

    @rule(one=consumes(making))
    def abandon(self, one: Making | None) -> None:
        if one is not None:
            self.opened.run(self.voices.abandon(one.name))

    @rule(user=st.sampled_from(USERS))
    def speak(self, user: str) -> None:
        theirs = self.valid(user)
        consent = None if theirs is None else theirs.voice.consent
        said = said_with(consent, 1) if consent else []
        work = self.voices.list_utterances(self.sessions[user], f"{self.count}", 0, said)
        if theirs is None:
            with pytest.raises(NoConsent):
                self.opened.run(work)
            return
        self.opened.run(work)
        theirs.said += 1

    @property
    def count(self) -> int:
        return sum(one.said for one in self.plain.values())

    @rule(user=st.sampled_from(USERS))
    def delete(self, user: str) -> None:
        theirs = self.plain.get(user)
        self.forget(user)
        deleted = self.opened.run(self.voices.delete(user, "asked"))
        assert (deleted is None) == (theirs is None)
        if deleted is not None and theirs is not None:
            assert ("clone" in deleted.removed) == (theirs.voice.clone is not None)
            assert ("manifest" in deleted.removed) == (theirs.said > 0)
            assert (deleted.receipt is None) == (theirs.voice.clone is not None)

    @rule(seconds=st.sampled_from([1.0, 60.0, GRACE_SECONDS, 3_600.0, DAY]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(verified=st.booleans())
    def sweep(self, verified: bool) -> None:
        for user in USERS:
            if self.valid(user) is None or self.is_unused(user):
                self.forget(user)
        for one in self.opened.run(self.voices.overdue()):
            assert one.name in self.at_maker
            receipt = self.opened.run(self.voices.gone(one.name, verified=verified))
            assert (receipt is not None) == verified
            if verified:
                self.at_maker.remove(one.name)
                self.receipts += 1

    @invariant()
    def speaks_with_what_is_valid_only(self) -> None:
        for user in USERS:
            theirs = self.valid(user)
            voice = self.opened.run(self.voices.of(self.sessions[user]))
            assert voice == (None if theirs is None else theirs.voice)
            for other in self.plain.values():
                consent_id = other.voice.consent.consent_id
                may = self.opened.run(self.voices.may_speak(consent_id, self.sessions[user]))
                assert may == (theirs is other and other.voice.clone is not None)

    def teardown(self) -> None:
        """In the end nothing is left but receipts."""
        self.clock.now += 2 * DAY
        self.sweep(verified=True)
        assert self.at_maker == set()
        assert self.opened.run(self.voices.fleet()) == {}
        assert self.opened.run(self.kept_of_users()) == {}
        assert self.opened.run(self.count_receipts()) == self.receipts

    async def kept_of_users(self) -> dict[str, str]:
        memories = self.opened.store.memories
        found: dict[str, str] = {}
        for user in USERS:
            for skill in ("june/voice", "june/manifest"):
                found.update(await memories.all(user, skill))
        return found

    async def count_receipts(self) -> int:
        count = 0
        for day in range(int((self.clock.now - NOW) // DAY) + 2):
            at = datetime.fromtimestamp(NOW + day * DAY, UTC)
            count += len(await self.voices.receipts(at.strftime("%Y-%m-%d")))
        return count


def delete_memories(db: apsw.Connection) -> None:
    db.execute("DELETE FROM memories")


@pytest.mark.parametrize(
    "examples", [EXAMPLES, pytest.param(10 * EXAMPLES, marks=pytest.mark.slow)]
)
def test_voices_do_as_their_plain_model(
    store_of_machines: OpenedStore, examples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answer by answer."""
    monkeypatch.setattr(VoicesMachine, "opened", store_of_machines, raising=False)
    run_state_machine_as_test(
        VoicesMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

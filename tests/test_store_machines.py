"""The stores beside plain models of them: whatever is done, in whichever order."""

import math

import pytest
from breakers_machine import BreakersMachine
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from leases_machine import LeasesMachine
from ledger_machine import LedgerMachine
from limits_machine import LimitsMachine
from store_machine import OpenedStore, StoreMachine

MACHINES = [LimitsMachine, LedgerMachine, LeasesMachine, BreakersMachine]

EXAMPLES = 100
STEPS = 30


@pytest.mark.parametrize(
    "examples", [EXAMPLES, pytest.param(10 * EXAMPLES, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("machine", MACHINES)
def test_a_store_does_as_its_plain_model(
    store_of_machines: OpenedStore,
    machine: type[StoreMachine],
    examples: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Answer by answer."""
    monkeypatch.setattr(StoreMachine, "opened", store_of_machines, raising=False)
    # What a slow disk is waited for is no time of the machine's clock.
    monkeypatch.setattr("session.store.sqlite.parts.LEAST_WAIT_SECONDS", math.inf)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )

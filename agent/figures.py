"""What the log says of a call that has ended: in numbers, and never in its words."""

from livekit.agents import AgentSession

from agent.gate import TurnGate
from agent.notebook import Notebook
from session.money import MICROS
from session.patience import Patience
from session.purse import CallPurse


def figures(
    gate: TurnGate | None,
    notebook: Notebook | None,
    purse: CallPurse,
    patience: Patience,
    voice: AgentSession[None],
) -> dict[str, object]:
    return {
        "turns": gate.turns if gate else 0,
        "refused": gate.refused if gate else 0,
        "cost_dollars": purse.spent_micros / MICROS,
        "store_faults": patience.faults,
        "messages_lost": notebook.lost if notebook else 0,
        "usage": [used.model_dump(exclude_defaults=True) for used in voice.usage.model_usage],
    }

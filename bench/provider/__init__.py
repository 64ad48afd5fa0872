"""A provider that speaks OpenAI's protocols and does what a script says.

Real HTTP and WebSockets on loopback; Moonshine and Piper hear and speak behind it. The script sets
delays, rates, faults and the LLM's words; the journal keeps what was asked, and how it ended.
"""

from bench.provider.faults import (
    HTML_PAGE,
    AnswerFault,
    BreakOff,
    Empty,
    ErrorEvent,
    Fault,
    FinalTwice,
    Garbage,
    Hang,
    HearingFault,
    KeepingFault,
    Lie,
    NoFinal,
    OddBytes,
    Silence,
    SpeakingFault,
    WrongAnswer,
    WrongRate,
)
from bench.provider.journal import Asked, Ending
from bench.provider.kept import Kept
from bench.provider.refusals import Refusal
from bench.provider.requests import ChatRequest, HearingRequest, SpeakingRequest, VoicesRequest
from bench.provider.script import Answer, Hearing, Keeping, Script, Speaking, ToolUse, Usage
from bench.provider.server import ScriptedProvider

__all__ = [
    "HTML_PAGE",
    "Answer",
    "AnswerFault",
    "Asked",
    "BreakOff",
    "ChatRequest",
    "Empty",
    "Ending",
    "ErrorEvent",
    "Fault",
    "FinalTwice",
    "Garbage",
    "Hang",
    "Hearing",
    "HearingFault",
    "HearingRequest",
    "Keeping",
    "KeepingFault",
    "Kept",
    "Lie",
    "NoFinal",
    "OddBytes",
    "Refusal",
    "Script",
    "ScriptedProvider",
    "Silence",
    "Speaking",
    "SpeakingFault",
    "SpeakingRequest",
    "ToolUse",
    "Usage",
    "VoicesRequest",
    "WrongAnswer",
    "WrongRate",
]

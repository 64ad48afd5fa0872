"""What `-v` adds to a console: tools, and how long each answer took."""

from typing import Any

from livekit.agents import ConversationItemAddedEvent, FunctionToolsExecutedEvent, llm

from agent.call import Call
from agent.console.printed import Printed

TIMINGS = {
    "transcription_delay": "words",
    "end_of_turn_delay": "end of turn",
    "llm_node_ttft": "first token",
    "tts_node_ttfb": "first sound",
    "e2e_latency": "reply",
}
"""LiveKit's names for what was measured, and what is shown."""


def show_details(call: Call, printed: Printed, *, with_timings: bool = True) -> None:
    """Print them as they happen, for as long as the call lives."""

    def on_item(event: ConversationItemAddedEvent) -> None:
        if not isinstance(event.item, llm.ChatMessage):
            return
        if event.item.interrupted:
            printed.note("interrupted")
        if with_timings and (took := _timings(event.item.metrics)):
            printed.note(took)

    def on_tools(event: FunctionToolsExecutedEvent) -> None:
        for used, result in event.zipped():
            outcome = "failed" if result is not None and result.is_error else "done"
            printed.note(f"tool {used.name}({used.arguments}): {outcome}")

    call.voice.on("conversation_item_added", on_item)
    call.voice.on("function_tools_executed", on_tools)


def _timings(metrics: Any) -> str:
    return ", ".join(
        f"{shown} {metrics[name] * 1000:.0f} ms"
        for name, shown in TIMINGS.items()
        if name in metrics
    )

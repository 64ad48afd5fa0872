"""Spans of calls, sent to the operator's collector; imported only where one is configured.

LiveKit makes them. What people say, and who they are, is in attributes that are dropped here: in
those of LiveKit's that have `pii` in their names, as any of June's own must, and in some more.
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from multiprocessing.util import Finalize

import structlog
from livekit.agents import telemetry
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from opentelemetry.util.types import Attributes

from agent.redact import Redactor

log = structlog.get_logger(__name__)

SEND_SECONDS = 2.0
"""For one batch, with all tries; a thread waits for it, and no call."""

END_SECONDS = 3.0
"""How long a process that has served its call stays to send what is left."""

PRIVATE = ("lk.sip.", "lk.rpc.caller_identity", "lk.rpc.destination_identity")
"""Names, or beginnings of names, of LiveKit's that tell who calls, and do not say so."""


def send_traces(endpoint: str, secrets: Iterable[str] = ()) -> None:
    """Send what this process does from now on to `endpoint`, by OTLP over HTTP.

    What is left at its end is sent then: a call's outermost span ends only after all else.
    """
    # It would say of each batch what is said once of all.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: "june"}), shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=SEND_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(Cleaned(exporter, Redactor(secrets))))
    telemetry.set_tracer_provider(provider, allow_pii=False)
    # Python's `atexit` does not come to the processes of calls.
    Finalize(None, end, args=(provider,), exitpriority=10)


def end(provider: TracerProvider) -> None:
    """Send what is left, for a while: the provider itself may wait for half a minute."""
    sending = threading.Thread(target=provider.shutdown, name="june.traces", daemon=True)
    sending.start()
    sending.join(END_SECONDS)


class Cleaned(SpanExporter):
    """What a span tells has passed June's redactor. Lives as long as its process."""

    def __init__(self, inner: SpanExporter, redactor: Redactor) -> None:
        self._inner = inner
        self._redactor = redactor
        self._has_failed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        sent = self._inner.export([self._cleaned(span) for span in spans])
        if sent is not SpanExportResult.SUCCESS and not self._has_failed:
            self._has_failed = True
            log.warning(
                "traces.not_sent", hint="is `OTEL_EXPORTER_OTLP_ENDPOINT` an OTLP/HTTP one?"
            )
        return sent

    def _cleaned(self, span: ReadableSpan) -> ReadableSpan:
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=self._clean(span.attributes),
            events=[
                Event(event.name, self._clean(event.attributes), event.timestamp)
                for event in span.events
            ],
            links=span.links,
            kind=span.kind,
            # Its words are those of an exception, which LiveKit drops only from some spans.
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _clean(self, attributes: Attributes) -> Attributes:
        told = {
            name: value
            for name, value in (attributes or {}).items()
            if not name.startswith(PRIVATE)
        }
        return self._redactor.fields(told)

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)

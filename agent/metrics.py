"""What June counts about herself. No label ever names a room, a user or a session.

Calls are processes of their own: what they count is seen by others only where
`PROMETHEUS_MULTIPROC_DIR` is set before Python imports this, as `agent.metrics_folder` sees to.

A counter that appears with its first event looks to Prometheus as if it had never changed, so
those that an alert waits for begin at 0.
"""

from prometheus_client import Counter, Gauge, Histogram

from agent.owed import Why
from session import CloseReason

REPLY_BUCKETS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)
STAGE_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
HEARD_BUCKETS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
FIRST_WORD_BUCKETS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0)

# Calls

CALLS = Counter("june_calls", "Calls that a process of June's began to answer.")
CALLS_ENDED = Counter("june_calls_ended", "Calls that ended, by reason.", ["reason"])
CALLS_ACTIVE = Gauge(
    "june_calls_active", "Calls that are answered just now.", multiprocess_mode="livesum"
)
CALLS_DIED = Counter(
    "june_calls_died", "Calls whose process died, so that the worker had to free their room."
)
REDISPATCHES = Counter(
    "june_redispatches", "How often June was sent into a room again, by reason.", ["why"]
)
ROOMS_GIVEN_UP = Counter("june_rooms_given_up", "Rooms in which June died three times in a minute.")
FIRST_WORD = Histogram(
    "june_first_word_seconds",
    "From the moment a worker was asked to take a call to June's first sound, without the time in "
    "which nobody was in the room yet.",
    buckets=FIRST_WORD_BUCKETS,
)

# Turns

TURNS = Counter("june_turns", "Turns of callers that were committed.")
REPLY = Histogram(
    "june_reply_seconds",
    "From the end of a caller's speech to the beginning of June's.",
    buckets=REPLY_BUCKETS,
)
STAGE = Histogram(
    "june_stage_seconds",
    "What each stage of a turn took: end_of_turn and transcription from the end of speech, "
    "first_token, first_clause and first_audio from when the model and the voice were asked.",
    ["stage"],
    buckets=STAGE_BUCKETS,
)
INTERRUPTIONS = Counter(
    "june_interruptions", "Replies that callers did not hear to their end: they spoke, or left."
)
HEARD = Histogram(
    "june_interrupted_after_seconds",
    "How long June had been heard when a caller interrupted her, or left.",
    buckets=HEARD_BUCKETS,
)
REFUSALS = Counter(
    "june_refusals",
    "Turns and calls that were refused by a limit or a budget, by reason.",
    ["reason"],
)

# Models and their money

MODEL_REQUESTS = Counter(
    "june_model_requests",
    "Requests to models that have ended: answered, cancelled, or how they failed.",
    ["stage", "provider", "model", "outcome"],
)
MODEL_SPEND = Counter(
    "june_model_spend_dollars",
    "What models were paid for, estimates included, by the host that was asked.",
    ["provider", "model"],
)
BUDGET_ALERTS = Counter(
    "june_budget_alerts", "Budget thresholds that were crossed, once per day.", ["threshold"]
)

# What fails

STAGE_FAILURES = Counter(
    "june_stage_failures",
    "Turns in which ears, voice or voice detection failed, and the caller was told so.",
    ["stage"],
)
REBUILDS = Counter(
    "june_rebuilds",
    "Ears (stt) and voice detectors (vad) that a watchdog replaced within a call.",
    ["stage"],
)
STORE_ERRORS = Counter("june_store_errors", "How often the store failed a process of June's.")
NOTEBOOK_WAITING = Gauge(
    "june_notebook_waiting",
    "Messages of running calls that the store has not taken yet.",
    multiprocess_mode="livesum",
)

for reason in CloseReason:
    CALLS_ENDED.labels(reason=reason.value)
for stage in ("stt", "tts", "vad"):
    STAGE_FAILURES.labels(stage=stage)
for stage in ("stt", "vad"):
    REBUILDS.labels(stage=stage)
for why in Why:
    if why is not Why.JOINED:
        REDISPATCHES.labels(why=why.value)

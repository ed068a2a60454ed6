"""Contract of the stage `gate`: what it reads. It writes nothing: its result is its exit code."""

from stages.common.run.contracts import Contract
from stages.common.tables import kinds

GATES = "artifacts/area/gates.json"
TRACKED = "artifacts/track/state.json"
SCORES = "metrics/evaluate.json"

CONTRACT = Contract(
    stage="gate",
    summary="Fails when a number cannot be true",
    params=("gates",),
    inputs={
        GATES: kinds.GATES,
        TRACKED: kinds.TRACKED,  # the run is tracked before it may fail
        SCORES: kinds.EVALUATE_METRICS,
    },
    outputs={},
)

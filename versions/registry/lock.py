"""One at a time: a lock in the MLflow store itself, so that it holds between machines and on every store."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from stages.track.store import TIMEOUT_S

PATIENCE_S, POLL_S = 2.0 * TIMEOUT_S, 0.2
"""The lock is held for a handful of requests: one that outlasts a slow request was left by a killed process."""

NOTE = "Held for a moment by make promote or make rollback."


@contextlib.contextmanager
def alone(client: Any, name: str) -> Iterator[None]:
    """Keep others from changing the champion of a registered model meanwhile; waits for its turn.

    MLflow changes an alias without a condition, but it grants the name of a registered model to one caller only:
    whoever makes ``<name>.changing-champion`` holds the lock.
    """
    lock = f"{name}.changing-champion"
    seen, since = None, time.monotonic()
    while not _taken(client, lock):
        holder = _holder(client, lock)
        if holder != seen:
            seen, since = holder, time.monotonic()
        elif holder is not None and time.monotonic() - since > PATIENCE_S:
            client.delete_registered_model(lock)
        time.sleep(POLL_S)
    mine = _holder(client, lock)
    try:
        yield
    finally:
        if _holder(client, lock) == mine:  # else it was thought dead, and another holds it now
            client.delete_registered_model(lock)


def _taken(client: Any, lock: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(lock, description=NOTE)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return False
    return True


def _holder(client: Any, lock: str) -> int | None:
    """When the lock was taken, by the store's clock; None: it is free again."""
    found = client.search_registered_models(f"name = '{lock}'")
    return int(found[0].creation_timestamp) if found else None

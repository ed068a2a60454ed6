"""A lock in the MLflow store itself, so that it holds between machines and on every kind of store.

MLflow changes an alias without a condition, but it grants the name of a registered model to one caller only. So the
lock is a registered model ``<name>.changing-champion.<ticket>``, and tickets only count upwards: of all that wait at a
lock whose owner died, one alone gets the next ticket. Whoever has it removes the older locks.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from stages.track.store import TIMEOUT_S

PATIENCE_S, POLL_S = 2.0 * TIMEOUT_S, 0.2
"""The lock is needed for a handful of requests: one that outlasts a slow request was left by a killed process."""

TICKET_TAG = "champion_ticket"
"""Tag of the registered model: the last ticket that was in use, so that a late waiter cannot use it again."""

NOTE = "Exists for a moment while make promote or make rollback change the champion."


@contextlib.contextmanager
def champion_lock(client: Any, name: str) -> Iterator[None]:
    """Keep others from changing the champion of the registered model `name` meanwhile; wait until they are done."""
    ticket = _wait_for_ticket(client, name)
    try:
        yield
    finally:
        _remove(client, name, ticket)


def _wait_for_ticket(client: Any, name: str) -> int:
    watched, since = 0, time.monotonic()
    while True:
        current = max(_locks(client, name), default=0)
        if current != watched:
            watched, since = current, time.monotonic()
        if not current or time.monotonic() - since > PATIENCE_S:
            ticket = max(current, _last_ticket(client, name)) + 1
            if _take(client, name, ticket):
                return ticket
        time.sleep(POLL_S)


def _take(client: Any, name: str, ticket: int) -> bool:
    """Take a ticket; return False where someone else has it, or has had it, or a later one."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(_lock_name(name, ticket), description=NOTE)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return False
    locks = _locks(client, name)  # asked for before the last ticket: a later owner removes its lock after it notes it
    if max(locks, default=ticket) > ticket or _last_ticket(client, name) >= ticket:
        _remove(client, name, ticket)
        return False
    client.set_registered_model_tag(name, TICKET_TAG, str(ticket))
    for older in locks:
        if older < ticket:
            _remove(client, name, older)
    return True


def _locks(client: Any, name: str) -> list[int]:
    """Return the tickets of the locks that exist."""
    prefix = _lock_name(name, "")
    models = client.search_registered_models(f"name LIKE '{prefix}%'")
    return [int(model.name.removeprefix(prefix)) for model in models if model.name.startswith(prefix)]


def _last_ticket(client: Any, name: str) -> int:
    return int(client.get_registered_model(name).tags.get(TICKET_TAG, 0))


def _remove(client: Any, name: str, ticket: int) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.delete_registered_model(_lock_name(name, ticket))
    except MlflowException as error:  # a lock that was thought dead is removed by its successor
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _lock_name(name: str, ticket: int | str) -> str:
    return f"{name}.changing-champion.{ticket}"

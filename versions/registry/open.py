"""Opening a site's model registry, to change it or only to read it; errors of the store become one message."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from stages.common import settings
from stages.common.run.deadline import within
from stages.track import store
from versions.registry.registry import Registry

LOG = logging.getLogger("mlflow")


@contextlib.contextmanager
def open_registry(site_name: str) -> Iterator[Registry]:
    """Open a site's registry; a store that does not exist yet is made.

    Raises
    ------
    InputError
        The store does not answer, is broken, or refuses what it is asked.
    """
    settings.quiet_mlflow()
    location = store.locate_store()
    with store.quiet(LOG), store.readable_errors(location, what="the model registry cannot be used"):
        client, _ = store.connect(location, site_name)
        with store.time_limits(timeout_s=store.TIMEOUT_S, retries=store.RETRIES):
            yield Registry(client, store.model_name(site_name), location.public_uri)


@contextlib.contextmanager
def read_registry(site_name: str) -> Iterator[Registry | None]:
    """Open a site's registry without writing to it; None where the project's own store does not exist yet.

    Raises
    ------
    InputError
        The store does not answer, or is broken.
    """
    settings.quiet_mlflow()
    location = store.locate_store()
    if location.database is not None and not location.database.is_file():
        yield None
        return
    with store.quiet(LOG), store.readable_errors(location, what="the model registry cannot be read"):
        import mlflow

        mlflow.set_tracking_uri(location.uri)
        mlflow.set_registry_uri(location.uri)
        with store.time_limits(timeout_s=store.FIRST_CONTACT_S, retries=store.FIRST_CONTACT_RETRIES):
            client = within(store.FIRST_CONTACT_MAX_S, mlflow.MlflowClient)
            yield Registry(client, store.model_name(site_name), location.public_uri)

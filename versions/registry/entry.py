"""How the tools of this package run: the store opened once, errors as one message and an exit code."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator

from stages.common import logs, settings
from stages.common.errors import GlacierError
from stages.common.params.schema import Params
from stages.track import store
from versions.registry.registry import Registry


def run(name: str, work: Callable[[], str | int]) -> int:
    """Do `work`; print the text that it returns, or return the exit code that it does."""
    log = logs.configure(name)
    try:
        ended = work()
    except GlacierError as error:
        log.error("%s", error)
        return error.exit_code
    if isinstance(ended, int):
        return ended
    print(ended)
    return 0


@contextlib.contextmanager
def opened(params: Params, what: str) -> Iterator[Registry]:
    """The site's registry; errors of the store become one message that begins with `what`."""
    settings.quiet_mlflow()
    location = store.locate()
    name = params.site.name
    with store.quiet(logging.getLogger("mlflow")), store.readable_errors(location, what=what):
        client, _ = store.connect(location, name)
        with settings.mlflow_time_limits(timeout_s=store.TIMEOUT_S, retries=store.RETRIES):
            yield Registry(client, store.model_name(name), location.shown)

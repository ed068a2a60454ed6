"""Which version is the challenger. Results come with DVC, runs of MLflow do not: they may have to be logged first."""

from __future__ import annotations

import logging
from pathlib import Path

from versions.registry.registry import Registry
from versions.tools.commands import require, run_dvc

LOG = logging.getLogger("registry")

STATE = Path("artifacts/track/state.json")


def challenger_number(site: Path, registry: Registry) -> str:
    """Return the number of the challenger; log the results of this checkout first where the store has no challenger.

    In a fresh clone after ``dvc pull``, or with a new server, `track` is up to date and its run is elsewhere.

    Raises
    ------
    InputError
        Nothing was registered yet and there are no results, or `track` fails.
    """
    if not registry.has_challenger and (site / STATE).exists():
        LOG.info("%s holds no run of these results: logging them", registry.address)
        require(
            run_dvc(site, "repro", "--single-item", "--force", "track"),
            what="the results of this checkout cannot be logged", fix="`make repro` shows the cause",
        )  # fmt: skip
    return registry.challenger()

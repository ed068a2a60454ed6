"""The challenger, logged to this store first where it never was: results come with DVC, runs of MLflow do not."""

from __future__ import annotations

import logging
from pathlib import Path

from stages.track.store import CHALLENGER
from versions.registry.registry import Registry
from versions.tools.commands import dvc, must

LOG = logging.getLogger("registry")

STATE = Path("artifacts/track/state.json")


def challenger(site: Path, registry: Registry) -> str:
    """Number of the challenger; a store without any is given the results that are here.

    In a fresh clone after ``dvc pull``, or with a new server, `track` is up to date and its run is elsewhere.

    Raises
    ------
    InputError
        Nothing was registered yet and there are no results, or `track` fails.
    """
    if registry.alias(CHALLENGER) is None and (site / STATE).exists():
        LOG.info("%s holds no run of these results: logging them", registry.shown)
        must(
            dvc(site, "repro", "--single-item", "--force", "track"),
            what="the results that are here cannot be logged", fix="`make repro` says more",
        )  # fmt: skip
    return registry.challenger()

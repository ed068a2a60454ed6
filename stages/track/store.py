"""The store that keeps the runs: which it is, whether it answers, and what it holds of a state."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import sqlite3
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from stages.common import settings
from stages.common.errors import InputError
from stages.common.run.deadline import within
from stages.track.address import require_address, require_database, sqlite_file

CHALLENGER, CHAMPION = "challenger", "champion"
"""Aliases: the last version that `track` registered, and the one that `make promote` chose."""
KIND = ("mlflow.experimentKind", "custom_model_development")
"""Tag of an experiment with which MLflow shows the pages of its runs and models at once."""
STATE_TAG, MODEL_TAG = "state_md5", "model_md5"
PARENT_TAG = "experiments_on"
"""Tag of a run that holds others: the commit that these experiments of DVC start from."""

FIRST_CONTACT_MAX_S = 60.0
"""Seconds that the first answer may take in all: a server that sends a byte now and then keeps each wait short."""

FIRST_CONTACT_S, FIRST_CONTACT_RETRIES = 5, 1
"""Bounds of the first request: a server that is down is reported in seconds, not after MLflow's many minutes."""

TIMEOUT_S, RETRIES = 60, 3
"""Bounds of later requests: a server that stores a large artifact may take a while."""


@dataclass(frozen=True)
class Location:
    """A tracking store."""

    uri: str
    artifacts: Path | None
    """Folder for the artifacts of new experiments; None: a server keeps them."""
    database: Path | None = None
    """The project's own SQLite file; None: a store that the user named."""

    def artifact_uri(self, site: str) -> str | None:
        """Return the folder of a site's artifacts as a URI; None: the server decides."""
        return (self.artifacts / site).as_uri() if self.artifacts else None

    @property
    def public_uri(self) -> str:
        """The address without credentials."""
        return re.sub(r"//[^/@]*@", "//***@", self.uri)

    @property
    def viewer(self) -> str:
        """How to look at the runs, to end a sentence with."""
        return "with `make ui`" if self.database else f"at {self.public_uri}"


def model_name(site: str) -> str:
    """Return the name that a site's models are registered under."""
    return f"glacier-{site}"


def locate_store() -> Location:
    """Return the store that ``MLFLOW_TRACKING_URI`` names, else SQLite and a folder in the repository's ``mlruns/``.

    Raises
    ------
    InputError
        The address or path is none that MLflow could use, or in the place of the SQLite file stands something else.
    """
    folder = settings.repository_root() / "mlruns"
    uri = settings.get(settings.TRACKING_URI, "")
    if uri:
        location = Location(uri, None if uri.startswith(("http://", "https://")) else folder / "artifacts")
        require_address(uri)
    else:
        if {"'", '"'} <= {*str(folder)}:  # MLflow writes it into SQL, as Python would
            raise InputError(
                "MLflow cannot keep its runs in a folder whose path holds both kinds of quotes", where=folder,
                expected="a path with one kind of quotes, or none", found=str(folder),
                fix="move the checkout to a folder of another name",
            )  # fmt: skip
        location = Location(sqlite_uri(folder / "mlflow.db"), folder / "artifacts", folder / "mlflow.db")
    if (path := location.database or sqlite_file(uri)) is not None:
        require_database(path, _fix(location))
    return location


def sqlite_uri(path: Path) -> str:
    """Return the address of an SQLite file, also where the path holds signs that have a meaning in addresses.

    Then the driver is named: MLflow makes a folder of the quoted name for an address that begins with ``sqlite:///``.
    """
    text = str(path)
    return f"sqlite:///{text}" if unquote(text) == text and "?" not in text else f"sqlite+pysqlite:///{quote(text)}"


@contextlib.contextmanager
def readable_errors(location: Location, *, what: str = "the tracking store does not take the run") -> Iterator[None]:
    """Turn whatever MLflow raises about its store into one message that begins with `what`.

    Raises
    ------
    InputError
        The store does not answer, is broken or locked, or refuses what it is given.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError, ImportError) as error:
        raise InputError(
            what,
            where=location.public_uri,
            found=_cause(error).replace(location.uri, location.public_uri),
            fix=_schema_fix(location, str(error)) or _fix(location),
        ) from error


@contextlib.contextmanager
def time_limits(*, timeout_s: int, retries: int) -> Iterator[None]:
    """Bound how long MLflow waits for a server, except where the environment already says so."""
    limits = {settings.MLFLOW_HTTP_TIMEOUT: str(timeout_s), settings.MLFLOW_HTTP_RETRIES: str(retries)}
    added = {name: value for name, value in limits.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextlib.contextmanager
def quiet(log: logging.Logger) -> Iterator[None]:
    """Keep what MLflow and its libraries print for the debug log, and their warnings to themselves."""
    printed = io.StringIO()
    for noisy in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for line in printed.getvalue().splitlines():
            log.debug("mlflow: %s", line)


def connect(location: Location, site: str) -> tuple[Any, str]:
    """Open the store and return its client and the id of the site's experiment, which is created where it is new."""
    import mlflow

    for folder in (location.artifacts, location.database and location.database.parent):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(location.uri)
    mlflow.set_registry_uri(location.uri)
    with time_limits(timeout_s=FIRST_CONTACT_S, retries=FIRST_CONTACT_RETRIES):
        client = within(FIRST_CONTACT_MAX_S, mlflow.MlflowClient)  # a database that is away is tried for minutes
        experiment = within(FIRST_CONTACT_MAX_S, partial(client.get_experiment_by_name, site))
        if experiment is None:
            return client, _make_experiment(client, location, site)
    _check_experiment(location, experiment)
    if KIND[0] not in experiment.tags:
        client.set_experiment_tag(experiment.experiment_id, *KIND)
    return client, experiment.experiment_id


def _make_experiment(client: Any, location: Location, site: str) -> str:
    """Create the site's experiment and return its id; another process may create it at the same moment."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.create_experiment(site, location.artifact_uri(site), tags=dict([KIND])))
    except MlflowException:
        if (experiment := client.get_experiment_by_name(site)) is None:
            raise
        return str(experiment.experiment_id)


def finished_run(client: Any, experiment_id: str, state: str) -> Any | None:
    """Return the finished run of this state, or None."""
    return next((run for run in _runs(client, experiment_id, state) if run.info.status == "FINISHED"), None)


def parent_of_experiments(client: Any, experiment_id: str, site: str, revision: str) -> str:
    """Return the id of the run that DVC's experiments on a commit stand under; it is created where it is new."""
    parents = client.search_runs([experiment_id], f"tags.{PARENT_TAG} = '{revision}'", max_results=1)
    if parents:
        return str(parents[0].info.run_id)
    name = f"{site}: experiments on {revision[:7]}"
    run = client.create_run(experiment_id, run_name=name, tags={PARENT_TAG: revision, "site": site})
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def close_unfinished(client: Any, experiment_id: str, state: str) -> None:
    """Mark interrupted runs of this state as failed. What they have registered stays: no run deletes a version."""
    for run in _runs(client, experiment_id, state):
        if run.info.status not in ("FINISHED", "FAILED"):
            client.set_terminated(run.info.run_id, "FAILED")


def versions(client: Any, run_id: str, model_name: str) -> list[Any]:
    """Return the registered versions of the model that a run logged."""
    registered = client.search_model_versions(f"run_id = '{run_id}'")
    return [version for version in registered if version.name == model_name]


def challenge(client: Any, model_name: str, version: str) -> None:
    """Make a version the challenger: that of the state tracked last, be it new or gone back to."""
    client.set_registered_model_alias(model_name, CHALLENGER, version)


def _runs(client: Any, experiment_id: str, state: str) -> list[Any]:
    return list(client.search_runs([experiment_id], f"tags.{STATE_TAG} = '{state}'"))


def _check_experiment(location: Location, experiment: Any) -> None:
    if experiment.lifecycle_stage != "active":
        raise InputError(
            "the site's MLflow experiment was deleted",
            where=f"{experiment.name} in {location.public_uri}",
            fix=f"bring it back: `mlflow experiments restore --experiment-id {experiment.experiment_id}`",
        )
    # MLflow freezes artifact folders as absolute paths: a moved store would write into the old place.
    if location.database and experiment.artifact_location != location.artifact_uri(experiment.name):
        raise InputError(
            "the tracking store was moved, and MLflow keeps absolute paths of artifacts",
            where=location.database,
            expected=location.artifact_uri(experiment.name),
            found=experiment.artifact_location,
            fix="`make move-runs` writes the new paths into the store and keeps its history",
        )


def _cause(error: BaseException) -> str:
    """Return the first line of the system's error where one lies below MLflow's, else of the error itself."""
    chain = [error]
    while (below := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(below)
    system = [error for error in chain if isinstance(error, OSError | sqlite3.Error)]
    root = system[-1] if system else error
    lines = [line for line in str(root).splitlines() if line.strip()]
    return f"{type(root).__name__}: {lines[0][:300] if lines else ''}"


def _schema_fix(location: Location, message: str) -> str:
    """Return what to do where another version of MLflow has made the store; empty where that is not the error."""
    import mlflow

    schema = re.search(r"out-of-date database schema \(found version (\w+)", message)
    if not schema:
        return ""
    migrations = Path(mlflow.__file__).parent / "store/db_migrations/versions"
    if list(migrations.glob(f"{schema[1]}_*.py")):
        return (
            f"it is of an older MLflow: copy it to another place, then `mlflow db upgrade '{location.public_uri}'`; "
            "it keeps its runs, and older checkouts cannot use it any more"
        )
    return "it is of a newer MLflow: keep it, and use the checkout that has written it (`git pull`, then `make repro`)"


def _fix(location: Location) -> str:
    if location.database:
        return (
            f"close what else writes to it; if it is broken, bring back a copy of {location.database.name}. "
            "Only without any copy rename it: a new one is begun, and the history of runs and champions is lost"
        )
    return f"start the server, or correct {settings.TRACKING_URI}; unset it to log into mlruns/"

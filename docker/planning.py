"""Mounts, network and environment of a stage's container, decided before the engine is called."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from declared import INSIDE, Declared, place_inside
from stages.common import settings
from stages.common.errors import InputError
from stages.common.revision import git_commit, git_remote
from stages.common.run.environment import FILES, NEEDED
from stages.common.run.replace import SCRATCH

PASSED = (settings.LOG_LEVEL, settings.INFERENCE_THREADS)
PASSED_TO_INGEST = (
    settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY, settings.S3_ENDPOINT, settings.HTTP_RETRIES,
    settings.HTTP_RETRY_WAIT, *NEEDED["ingest"],
)  # fmt: skip
PASSED_TO_TRACK = (
    settings.EXPERIMENT_NAME, settings.EXPERIMENT_PARENT, *NEEDED["track"],
)  # fmt: skip


@dataclass(frozen=True)
class Mount:
    """A path of the host, and where the stage sees it."""

    source: Path
    target: PurePosixPath
    writable: bool = False

    def flag(self) -> str:
        """Return the engine's flag; a comma in a path is quoted, as in CSV."""
        fields = ["type=bind", f"source={self.source}", f"target={self.target}"]
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(fields + ([] if self.writable else ["readonly"]))
        return f"--mount={line.getvalue()}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that is decided before the engine is called."""

    declared: Declared
    site: Path
    draft: Path
    """Fresh folder on the host: it is mounted where the stage may write in the site's folder."""
    mounts: tuple[Mount, ...]
    network: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def container(self) -> str:
        """Name of the container: the same in every run of a site's stage, so that a killed run's container is found."""
        place = hashlib.sha256(str(self.site).encode()).hexdigest()[:8]
        return f"glacier-{place}-{self.declared.name.replace('@', '-')}"


def plan_container(stage: Declared, site: Path) -> Plan:
    """Decide mounts, network and environment of a stage.

    Raises
    ------
    InputError
        A declared input is absent.
    """
    root = settings.repository_root()
    draft = site / SCRATCH / f"run-{stage.name}"
    inputs = [Mount(_require(site / path), place_inside(path)) for path in stage.reads]
    inputs += [Mount(site / path, place_inside(path)) for path in stage.optional if (site / path).exists()]
    folders = [Mount(draft / top, INSIDE / top, writable=True) for top in stage.writable]
    environment = {name: value for name in (*PASSED, *stage.variables) if (value := settings.lookup(name))}
    network = "none"
    if stage.stage == "ingest":
        environment |= {name: value for name in PASSED_TO_INGEST if (value := settings.lookup(name))}
        network = settings.get(settings.NETWORK, "host")
    if stage.stage == "track":
        folders.append(Mount(root / "mlruns", PurePosixPath(root / "mlruns"), writable=True))
        environment |= _tracking(root)
        if settings.TRACKING_URI in environment:
            network = settings.get(settings.NETWORK, "host")
    if cpus := settings.cpus():  # a container sees all of the host's cores, however few it may use
        environment.setdefault(settings.INFERENCE_THREADS, str(math.ceil(cpus)))
    return Plan(
        declared=stage,
        site=site,
        draft=draft,
        mounts=(*folders, *inputs, *_certificates(environment, inputs)),
        network=network,
        environment=environment,
    )


def _certificates(environment: Mapping[str, str], inputs: Sequence[Mount]) -> list[Mount]:
    """Return the certificates that variables name, each at its path on the host.

    What does not exist is left out, and what lies within another mount.
    """
    paths = {Path(environment[name]).absolute() for name in FILES if name in environment}
    present = sorted(path for path in paths if path.exists())
    mounted = {*present, *(Path(mount.target) for mount in inputs)}
    outer = [path for path in present if not mounted.intersection(path.parents)]
    return [Mount(path, PurePosixPath(path)) for path in outer if PurePosixPath(path) not in {m.target for m in inputs}]


def _tracking(root: Path) -> dict[str, str]:
    """Return the environment of `track`, which has neither git nor the repository in its container."""
    passed = {name: value for name in PASSED_TO_TRACK if (value := settings.lookup(name))}
    provenance = {
        settings.DVC_ROOT: str(root),
        settings.GIT_COMMIT: git_commit(root),
        settings.RUNNER: settings.get(settings.RUNNER, "docker"),
    }
    if remote := git_remote(root):
        provenance[settings.GIT_REMOTE] = remote
    return passed | provenance


def _require(path: Path) -> Path:
    if not path.exists():
        raise InputError(
            "a declared dependency does not exist",
            where=path,
            expected="what dvc.yaml names under deps",
            found="nothing",
            fix="`make repro` runs the stages that make it",
        )
    return path

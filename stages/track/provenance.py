"""Tags that say where a run comes from. They never enter the state's hash."""

from __future__ import annotations

from pathlib import Path

import yaml

from stages.common import settings
from stages.common.revision import DIRTY, UNKNOWN, git_commit, git_remote
from stages.common.run.records import file_md5

SPLIT_DATA_TAG = "split_data_md5"


def tags(data_dvc: Path = Path("data.dvc")) -> dict[str, str]:
    """Git commit and where to look at it, runner, experiment and its parent, the data's hash, where known.

    Those that begin with ``mlflow.`` are what MLflow's own page shows as the source.
    """
    commit, remote = _revision()
    known = {
        "git_commit": commit,
        "git_commit_url": commit_url(remote, commit),
        "mlflow.source.git.commit": "" if commit == UNKNOWN else commit.removesuffix(DIRTY),
        "mlflow.source.git.repoURL": remote,
        "runner": settings.get(settings.RUNNER, "native"),
        "experiment_name": settings.get(settings.EXPERIMENT_NAME, ""),
        "experiment_parent": settings.get(settings.EXPERIMENT_PARENT, ""),
        "data_dvc_md5": file_md5(data_dvc) if data_dvc.is_file() else "",
        SPLIT_DATA_TAG: split_data(data_dvc) or "",
    }
    return {key: value for key, value in known.items() if value}


def split_data(data_dvc: Path) -> str | None:
    """Hashes of the outlines and the AOI that data.dvc pins: beside parameters, what test blocks and labels hang on."""
    pinned = yaml.safe_load(data_dvc.read_text(encoding="utf-8")) if data_dvc.is_file() else None
    known = {out["path"]: out.get("md5") for out in (pinned or {}).get("outs", [])}
    found = [known.get(name) for name in ("data/outlines.gpkg", "data/aoi.gpkg")]
    return " ".join(map(str, found)) if all(found) else None


def revision_link() -> str:
    """The commit as Markdown, a link where there is a page; empty without git."""
    commit, remote = _revision()
    if commit == UNKNOWN:
        return ""
    short = f"commit {commit[:8]}" + (" with changes" if commit.endswith(DIRTY) else "")
    return f"[{short}]({url})" if (url := commit_url(remote, commit)) else short


def commit_url(remote: str, commit: str) -> str:
    """Page of a commit at the repository's host, as GitHub, GitLab and Gitea have it; empty where unknown."""
    return f"{remote}/commit/{commit.removesuffix(DIRTY)}" if remote and commit != UNKNOWN else ""


def _revision() -> tuple[str, str]:
    root = settings.repository_root()
    return git_commit(root), git_remote(root)

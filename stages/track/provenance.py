"""Tags that say where a run comes from. They never enter the state's hash."""

from __future__ import annotations

from pathlib import Path

from stages.common import settings
from stages.common.revision import DIRTY, UNKNOWN, git_commit, git_remote
from stages.common.run.documents import pinned_outputs
from stages.common.run.records import file_md5

SPLIT_DATA_TAG = "split_data_md5"


def tags(data_dvc: Path = Path("data.dvc")) -> dict[str, str]:
    """Return git commit and its page, runner, experiment and its parent, and the data's hash, but for unknown ones.

    Those that begin with ``mlflow.`` are what MLflow's own page shows as the source.
    """
    commit, remote = _revision()
    values = {
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
    return {key: value for key, value in values.items() if value}


def split_data(data_dvc: Path) -> str | None:
    """Return the hashes of outlines and AOI in data.dvc: with the parameters they decide test blocks and labels."""
    md5_by_path = {output["path"]: output.get("md5") for output in pinned_outputs(data_dvc)}
    hashes = [md5_by_path.get(name) for name in ("data/outlines.gpkg", "data/aoi.gpkg")]
    return " ".join(map(str, hashes)) if all(hashes) else None


def revision_link() -> str:
    """Return the commit as Markdown, a link where it has a page; empty without git."""
    commit, remote = _revision()
    if commit == UNKNOWN:
        return ""
    short = f"commit {commit[:8]}" + (" with changes" if commit.endswith(DIRTY) else "")
    return f"[{short}]({url})" if (url := commit_url(remote, commit)) else short


def commit_url(remote: str, commit: str) -> str:
    """Return the page of a commit at the repository's host (GitHub, GitLab, Gitea); empty where unknown."""
    return f"{remote}/commit/{commit.removesuffix(DIRTY)}" if remote and commit != UNKNOWN else ""


def _revision() -> tuple[str, str]:
    root = settings.repository_root()
    return git_commit(root), git_remote(root)

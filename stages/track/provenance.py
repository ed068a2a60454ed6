"""Tags that say where a run comes from. They never enter the state's hash."""

from __future__ import annotations

from pathlib import Path

from stages.common import settings
from stages.common.records import file_md5
from stages.common.revision import git_commit


def tags(data_dvc: Path = Path("data.dvc")) -> dict[str, str]:
    """Git commit, runner, experiment and its parent, and the hash of the data's definition, as far as known."""
    known = {
        "git_commit": git_commit(settings.repository_root()),
        "runner": settings.get(settings.RUNNER, "native"),
        "experiment_name": settings.get(settings.EXPERIMENT_NAME, ""),
        "experiment_parent": settings.get(settings.EXPERIMENT_PARENT, ""),
        "data_dvc_md5": file_md5(data_dvc) if data_dvc.is_file() else "",
    }
    return {key: value for key, value in known.items() if value}

"""The champion as files: ``models/champion/model.onnx``, its ``.dvc`` file, a commit and a git tag that name its bytes.

The registry decides who is champion; these follow it, and each step may be repeated: what an interruption left undone
is finished by ``make promote VERSION=<champion>``, and the champion does not change again before.
"""

from __future__ import annotations

import re
from pathlib import Path

from stages.common.errors import InputError
from stages.common.revision import run_git
from stages.common.run.records import file_md5
from stages.common.run.replace import replace_file
from versions.tools.commands import default_remote, in_git, require, run_dvc

MODEL = Path("models/champion/model.onnx")
POINTER = MODEL.with_name("model.onnx.dvc")
IGNORE = MODEL.with_name(".gitignore")
TO_DISK = ("-c", "core.fsync=all")
"""Let git wait for the disk: after a loss of power its newest objects would be empty, and every command would fail."""
ARTIFACT = "champion"
"""Name under ``artifacts:`` in dvc.yaml."""


def tag_name(site: Path, number: str) -> str:
    """Return the git tag of a champion as GTO and DVC read it: ``champion@v3.0.0``, ``sites/everest=champion@v3.0.0``.

    The major version is the registry's number.
    """
    prefix = run_git(site, "rev-parse", "--show-prefix").stdout.strip().rstrip("/")
    return f"{prefix}{'=' if prefix else ''}{ARTIFACT}@v{number}.0.0"


def pointed_md5(text: str) -> str | None:
    """Return the MD5 in the text of a ``.dvc`` file; None where it names none."""
    match = re.search(r"^- md5: ([0-9a-f]{32})$", text, re.MULTILINE)
    return match[1] if match else None


def tagged_md5(site: Path, tag: str) -> str | None:
    """Return the MD5 of the champion at a git tag; None where the tag does not exist."""
    if run_git(site, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}").returncode:
        return None
    return pointed_md5(run_git(site, "show", f"{tag}:./{POINTER}").stdout) or "nothing"


def check_tag(site: Path, number: str, md5: str) -> None:
    """Refuse, before anything is changed, a number whose tag names other bytes.

    Raises
    ------
    InputError
        The tag exists already, and belongs to another store's version of that number.
    """
    tag = tag_name(site, number)
    if (tagged := tagged_md5(site, tag)) not in (None, md5):
        raise InputError(
            "the git tag of this version exists already and names another model", where=tag,
            expected=f"MD5 {md5}", found=f"MD5 {tagged}",
            fix="the tag belongs to another MLflow store: log into that one (MLFLOW_TRACKING_URI), or delete the tag",
        )  # fmt: skip


def check_settled(site: Path, number: str, md5: str) -> None:
    """Refuse to go on from a champion that the files of this checkout do not name.

    Its change of hands was interrupted on this machine, or it was made elsewhere and is not pulled yet. To go on would
    lose it.

    Raises
    ------
    InputError
        ``.dvc`` file, commit or tag name other bytes than the registry.
    """
    pointer = site / POINTER
    md5_by_place = {str(POINTER): pointed_md5(pointer.read_text(encoding="utf-8")) if pointer.exists() else None}
    if in_git(site):
        committed = run_git(site, "show", f"HEAD:./{POINTER}").stdout
        md5_by_place[f"{POINTER} in the last commit"] = pointed_md5(committed)
        md5_by_place[f"the tag {tag_name(site, number)}"] = tagged_md5(site, tag_name(site, number))
    if wrong := {place: named for place, named in md5_by_place.items() if named != md5}:
        raise InputError(
            f"version {number} is champion in the registry, and the files of this checkout do not name it",
            where=", ".join(wrong), expected=f"MD5 {md5}",
            found=", ".join(str(named or "nothing") for named in wrong.values()),
            fix=f"`git pull --tags` if the champion was changed elsewhere; if the change was interrupted on this "
            f"machine, `make promote VERSION={number}` finishes it. Then run this again",
        )  # fmt: skip


def publish(site: Path, number: str, model: Path, message: str) -> list[str]:
    """Write a champion's files, push them to DVC's remote, commit and tag them; return what was done, line by line.

    The remote comes first: no commit names bytes that nobody else can get.

    Raises
    ------
    InputError
        DVC or git failed, or the remote does not answer; what was done so far stays.
    """
    steps = [_write(site, model)]
    if remote := default_remote(site):
        require(
            run_dvc(site, "push", str(POINTER)),
            what=f"version {number} is champion in the registry, but the remote {remote} does not have its file",
            fix=f"nothing is lost: when the remote answers, `make promote VERSION={number}` does what is missing",
        )
        steps.append(f"pushed to {remote}")
    if in_git(site):
        steps += _commit(site, number, message)
        steps.append(f"champion is {tag_name(site, number)}")
    return steps


def _write(site: Path, model: Path) -> str:
    target = site / MODEL
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or file_md5(target) != file_md5(model):
        draft = target.with_name(".model.onnx.part")
        draft.write_bytes(model.read_bytes())
        replace_file(draft, target)
    added = run_dvc(site, "add", str(MODEL))
    require(added, what="DVC cannot add the champion", fix="correct what it names, then run this again")
    return f"{MODEL}, {POINTER.name}"


def _commit(site: Path, number: str, message: str) -> list[str]:
    """Commit the pointer, and nothing else of the working tree, if it changed; tag it if it is not tagged yet."""
    fix = "correct what git names, then run this again: it does only what is missing"
    files, steps = (str(POINTER), str(IGNORE)), []
    require(run_git(site, *TO_DISK, "add", "--", *files), what="git cannot add the champion", fix=fix)
    if run_git(site, "diff", "--cached", "--quiet", "--", *files).returncode:
        commit = run_git(site, *TO_DISK, "commit", "--quiet", "--only", "--message", message, "--", *files)
        require(commit, what="git cannot commit the champion", fix=fix)
        steps.append(f"committed as {run_git(site, 'rev-parse', '--short', 'HEAD').stdout.strip()}")
    tag = tag_name(site, number)
    if tagged_md5(site, tag) is None:
        tagged = run_git(site, *TO_DISK, "tag", "--annotate", "--message", message, tag)
        require(tagged, what="git cannot tag the champion", fix=fix)
        steps.append(f"tagged {tag}")
    return steps

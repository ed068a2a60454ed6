"""The champion as files: ``models/champion/model.onnx``, its ``.dvc`` file, a commit and a git tag that name its bytes.

The registry decides who is champion; these follow it, and each step may be repeated: an interrupted
``make promote`` is mended by running it again.
"""

from __future__ import annotations

import re
from pathlib import Path

from stages.common.errors import InputError
from stages.common.records import file_md5
from versions.commands import default_remote, dvc, git, in_git, must

MODEL = Path("models/champion/model.onnx")
POINTER = MODEL.with_name("model.onnx.dvc")
IGNORE = MODEL.with_name(".gitignore")
ARTIFACT = "champion"
"""Name under ``artifacts:`` in dvc.yaml."""


def tag_name(site: Path, number: str) -> str:
    """Git tag of a champion as GTO and DVC read it: ``champion@v3.0.0``, ``sites/everest=champion@v3.0.0``.

    The major version is the registry's number.
    """
    prefix = git(site, "rev-parse", "--show-prefix").stdout.strip().rstrip("/")
    return f"{prefix}{'=' if prefix else ''}{ARTIFACT}@v{number}.0.0"


def pointed_md5(text: str) -> str | None:
    """MD5 in the text of a ``.dvc`` file."""
    found = re.search(r"^- md5: ([0-9a-f]{32})$", text, re.MULTILINE)
    return found[1] if found else None


def tagged_md5(site: Path, tag: str) -> str | None:
    """MD5 of the champion at a git tag; None: there is no such tag."""
    if git(site, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}").returncode:
        return None
    return pointed_md5(git(site, "show", f"{tag}:./{POINTER}").stdout) or "nothing"


def check_tag(site: Path, number: str, md5: str) -> None:
    """Refuse, before anything is changed, a number whose tag names other bytes.

    Raises
    ------
    InputError
        The tag is there already, of another store's version of that number.
    """
    tag = tag_name(site, number)
    if (found := tagged_md5(site, tag)) not in (None, md5):
        raise InputError(
            "the git tag of this version is there already and names another model", where=tag,
            expected=f"MD5 {md5}", found=f"MD5 {found}",
            fix="it is of another MLflow store: log into that one (MLFLOW_TRACKING_URI), or delete the tag",
        )  # fmt: skip


def publish(site: Path, number: str, model: Path, message: str) -> list[str]:
    """Write a champion's files, commit and tag them, push them to DVC's remote; what was done, a line each.

    Raises
    ------
    InputError
        DVC or git failed, or the remote does not answer; what was done so far stays.
    """
    done = [_write(site, model)]
    if in_git(site):
        done += _commit(site, number, message)
    if remote := default_remote(site):
        pushed = dvc(site, "push", str(POINTER))
        must(
            pushed,
            what=f"version {number} is champion here and in the registry, but the remote {remote} has not got its file",
            fix=f"nothing is lost: when the remote answers, run it again, or `dvc push {POINTER}`",
        )
        done.append(f"pushed to {remote}")
    return done


def _write(site: Path, model: Path) -> str:
    target = site / MODEL
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists() or file_md5(target) != file_md5(model):
        draft = target.with_name(".model.onnx.part")
        draft.write_bytes(model.read_bytes())
        draft.replace(target)
    added = dvc(site, "add", str(MODEL))
    must(added, what="DVC does not take the champion", fix="mend what it says, then run it again")
    return f"{MODEL}, {POINTER.name}"


def _commit(site: Path, number: str, message: str) -> list[str]:
    """Commit the pointer, and nothing else of the working tree, if it changed; tag it if it is not tagged yet."""
    mend = "mend what git says, then run it again: only what is missing is done"
    files, done = (str(POINTER), str(IGNORE)), []
    must(git(site, "add", "--", *files), what="git does not take the champion", fix=mend)
    if git(site, "diff", "--cached", "--quiet", "--", *files).returncode:
        commit = git(site, "commit", "--quiet", "--only", "--message", message, "--", *files)
        must(commit, what="git does not commit the champion", fix=mend)
        done.append(f"committed as {git(site, 'rev-parse', '--short', 'HEAD').stdout.strip()}")
    tag = tag_name(site, number)
    if tagged_md5(site, tag) is None:
        must(git(site, "tag", "--annotate", "--message", message, tag), what="git does not tag the champion", fix=mend)
        done.append(f"tagged {tag}")
    return done

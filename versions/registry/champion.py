"""The champion as files: ``models/champion/model.onnx``, its ``.dvc`` file, a commit and a git tag that name its bytes.

The registry decides who is champion; these follow it, and each step may be repeated: what an interruption left undone
is finished by ``make promote VERSION=<champion>``, and nothing else changes hands before.
"""

from __future__ import annotations

import re
from pathlib import Path

from stages.common.errors import InputError
from stages.common.run.records import file_md5
from versions.tools.commands import default_remote, dvc, git, in_git, must

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


def check_settled(site: Path, number: str, md5: str) -> None:
    """Refuse to go on from a champion that the files here do not name.

    Its change of hands was cut short here, or it was made elsewhere and is not pulled yet. To go on would lose it.

    Raises
    ------
    InputError
        ``.dvc`` file, commit or tag name other bytes than the registry.
    """
    pointer = site / POINTER
    named = {str(POINTER): pointed_md5(pointer.read_text(encoding="utf-8")) if pointer.exists() else None}
    if in_git(site):
        named[f"{POINTER} in the last commit"] = pointed_md5(git(site, "show", f"HEAD:./{POINTER}").stdout)
        named[f"the tag {tag_name(site, number)}"] = tagged_md5(site, tag_name(site, number))
    if wrong := {name: found for name, found in named.items() if found != md5}:
        raise InputError(
            f"version {number} is champion in the registry, and the files here do not say so", where=", ".join(wrong),
            expected=f"MD5 {md5}", found=", ".join(str(found or "nothing") for found in wrong.values()),
            fix=f"`git pull --tags` if it was changed elsewhere; else it was interrupted here: "
            f"`make promote VERSION={number}` finishes it. Then run this again",
        )  # fmt: skip


def publish(site: Path, number: str, model: Path, message: str) -> list[str]:
    """Write a champion's files, push them to DVC's remote, commit and tag them; what was done, a line each.

    The remote comes first: no commit names bytes that nobody else can get.

    Raises
    ------
    InputError
        DVC or git failed, or the remote does not answer; what was done so far stays.
    """
    done = [_write(site, model)]
    if remote := default_remote(site):
        must(
            dvc(site, "push", str(POINTER)),
            what=f"version {number} is champion in the registry, but the remote {remote} has not got its file",
            fix=f"nothing is lost: when the remote answers, `make promote VERSION={number}` does what is missing",
        )
        done.append(f"pushed to {remote}")
    if in_git(site):
        done += _commit(site, number, message)
        done.append(f"champion is {tag_name(site, number)}")
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

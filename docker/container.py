"""Run a stage in its container: it sees its declared inputs read-only and a fresh folder to write to, nothing else.

Called by ``docker/run`` in a site's folder. The outputs are put in place by the host, and only after exit code 0.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import images
from declared import INSIDE, declared, stage_name
from engine import Engine, EngineError, find_engine
from planning import Plan, plan
from stages.common import settings
from stages.common.errors import ContractError, UnexpectedError
from stages.common.run import replace
from stages.common.run.exit_code import exit_code_of, traceback_file

GRACE_S = 10
"""How long a stage may take to end when it is told to."""

KILLED = 137


def command_line(engine: Engine, made: Plan, image: str, command: Sequence[str]) -> list[str]:
    """The engine's command: no privilege, no network, nothing writable but the draft and a /tmp in memory."""
    cpus = settings.cpus()
    limits = {"--memory": settings.memory(), "--cpus": cpus and f"{cpus:g}"}
    return [
        engine.program, "run", "--rm", "--init", "--pull=never", f"--name={made.container}",
        "--read-only", "--tmpfs=/tmp:rw,nosuid,nodev,mode=1777", "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        *(["--security-opt=label=disable"] if engine.kind == "podman" else []),
        "--log-driver=none", f"--network={made.network}", *engine.user(),
        *(f"{flag}={value}" for flag, value in limits.items() if value),
        *(f"--env={name}" for name in sorted(made.environment)),
        *(mount.flag() for mount in made.mounts),
        f"--workdir={INSIDE}", image, *command,
    ]  # fmt: skip


def run(command: Sequence[str], site: Path) -> int:
    """Run a stage's command in its container and put its outputs in place; returns the command's exit code.

    Raises
    ------
    GlacierError
        No engine, no image, an input is absent, a folder cannot be written, or the stage wrote what it may not.
    """
    engine = find_engine()
    made = plan(declared(stage_name(command), site), site)
    image = images.ensure(engine, images.image_of(made.declared.stage))
    if made.draft.exists():  # a run was killed outright: its container may still be at work
        engine.remove(made.container)
    try:
        prepare_draft(made)
        code = _call(engine, made, command_line(engine, made, image, command))
        if code == 0:
            put_in_place(made)
        elif code == UnexpectedError.exit_code:
            keep_traceback(made)
    finally:
        shutil.rmtree(made.draft, ignore_errors=True)
    if code == KILLED:
        limit = settings.get(settings.MEMORY, "no limit of its own")
        print(f"docker/run: {made.declared.name} was killed; memory? ({settings.MEMORY}: {limit})", file=sys.stderr)
    return code


def prepare_draft(made: Plan) -> None:
    """Make the draft, with the points that inputs are mounted on: the engine would make them as root.

    Raises
    ------
    EngineError
        The site's folder cannot be written.
    """
    try:
        for path in made.declared.writes:
            replace.recover(made.site / path)
        shutil.rmtree(made.draft, ignore_errors=True)
        made.draft.mkdir(parents=True)
        for mount in made.mounts:
            if mount.writable:
                mount.source.mkdir(parents=True, exist_ok=True)
        for source, point in _points(made):
            (point if source.is_dir() else point.parent).mkdir(parents=True, exist_ok=True)
            if not source.is_dir():
                point.touch()
        for path in made.declared.writes:
            if made.declared.name == "ingest" and (made.site / path).is_file():
                shutil.copyfile(made.site / path, made.draft / path)  # the old pin: its hashes are kept
    except OSError as error:
        raise EngineError(
            "the output folder cannot be written",
            where=error.filename or made.draft,
            expected=f"a folder that user {os.getuid()} may write to",
            found=error.strerror or error,
            fix="give it to this user (`chown`), or free some space",
        ) from error


def _points(made: Plan) -> Iterator[tuple[Path, Path]]:
    """Inputs that are mounted into the draft: source, and its place there."""
    for mount in made.mounts:
        for top in made.declared.writable:
            if not mount.writable and mount.target.is_relative_to(INSIDE / top):
                yield mount.source, made.draft / mount.target.relative_to(INSIDE)


def put_in_place(made: Plan) -> None:
    """Move the declared outputs from the draft to the site: metrics first, folders last.

    Raises
    ------
    ContractError
        The stage wrote something else.
    """
    points = {point for _, point in _points(made)}
    allowed = [made.draft / path for path in made.declared.writes]
    for found in sorted(made.draft.rglob("*")):
        if (found.is_dir() and not found.is_symlink()) or found in points:
            continue
        if not any(found.is_relative_to(one) for one in allowed):
            raise ContractError(
                f"{made.declared.name} wrote a file that dvc.yaml does not declare",
                where=found.relative_to(made.draft),
                expected=", ".join(made.declared.writes) or "no output",
                fix="write below the declared output, or to /tmp",
            )
    for path in made.declared.writes:
        if (made.draft / path).exists():
            replace.put_in_place(made.draft / path, made.site / path)


def keep_traceback(made: Plan) -> None:
    """Move the traceback that a stage has written from the draft to where its message says."""
    path = traceback_file(made.declared.name)
    if (made.draft / path).is_file():
        shutil.move(made.draft / path, made.site / path)


def _call(engine: Engine, made: Plan, line: Sequence[str]) -> int:
    """Run the engine's command; signals pass to the container, which is gone when this returns.

    The command gets a process group of its own: Ctrl-C reaches it once, through here.
    """
    interrupted: list[threading.Timer] = []
    environment = os.environ | made.environment
    with subprocess.Popen(line, start_new_session=True, env=environment) as process:

        def forward(number: int, _: object) -> None:
            process.send_signal(number)
            timer = threading.Timer(GRACE_S, engine.remove, [made.container])
            timer.daemon = True
            timer.start()
            interrupted.append(timer)

        before = {one: signal.signal(one, forward) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            code = process.wait()
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
            for timer in interrupted:
                timer.cancel()
    if interrupted:  # told before the container had started, the command ends at once and the container may not
        engine.remove(made.container)
        return code if code > 0 else 128 + (abs(code) or signal.SIGINT)
    return code if code >= 0 else 128 - code


def main(command: Sequence[str]) -> int:
    """Run a stage's command and return its exit code; 2 where it could not be run or wrote what it may not."""
    try:
        return exit_code_of("docker/run", lambda: run(command, Path.cwd()))
    except KeyboardInterrupt:  # while an image was built: nothing has begun
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

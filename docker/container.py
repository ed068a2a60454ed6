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

from stages.common.run.start import starting

with starting("docker/run", __name__, command=True):
    import images
    from declared import INSIDE, declared_stage, stage_name
    from engine import Engine, EngineError, find_engine
    from planning import Plan, plan_container
    from stages.common import settings
    from stages.common.errors import ContractError, UnexpectedError
    from stages.common.run import replace
    from stages.common.run.exit_code import exit_code_of, traceback_file

GRACE_S = 10
"""Seconds that a stage may take to end after a signal."""

KILLED = 137
"""Exit code of a process that was killed outright, often for want of memory."""


def command_line(engine: Engine, plan: Plan, image: str, command: Sequence[str]) -> list[str]:
    """Return the engine's command: no privilege, no network, nothing writable but the draft and a /tmp in memory."""
    cpus = settings.cpus()
    limits = {"--memory": settings.memory(), "--cpus": cpus and f"{cpus:g}"}
    return [
        engine.program, "run", "--rm", "--init", "--pull=never", f"--name={plan.container}",
        "--read-only", "--tmpfs=/tmp:rw,nosuid,nodev,mode=1777", "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        *(["--security-opt=label=disable"] if engine.kind == "podman" else []),
        "--log-driver=none", f"--network={plan.network}", *engine.user(),
        *(f"{flag}={value}" for flag, value in limits.items() if value),
        *(f"--env={name}" for name in sorted(plan.environment)),
        *(mount.flag() for mount in plan.mounts),
        f"--workdir={INSIDE}", image, *command,
    ]  # fmt: skip


def run(command: Sequence[str], site: Path) -> int:
    """Run a stage's command in its container, put its outputs in place and return the command's exit code.

    Raises
    ------
    GlacierError
        There is no engine or image, an input is absent, a folder cannot be written, or the stage wrote what it may not.
    """
    engine = find_engine()
    plan = plan_container(declared_stage(stage_name(command), site), site)
    image = images.ensure(engine, images.image_of(plan.declared.stage, plan.declared.engine))
    if plan.draft.exists():  # a run was killed outright: its container may still be at work
        engine.remove(plan.container)
    try:
        prepare_draft(plan)
        code = _call(engine, plan, command_line(engine, plan, image, command))
        if code == 0:
            place_outputs(plan)
        elif code == UnexpectedError.exit_code:
            keep_traceback(plan)
    finally:
        shutil.rmtree(plan.draft, ignore_errors=True)
    if code == KILLED:
        limit = settings.get(settings.MEMORY, "no limit of its own")
        print(
            f"docker/run: {plan.declared.name} was killed, perhaps for want of memory ({settings.MEMORY}: {limit})",
            file=sys.stderr,
        )
    return code


def prepare_draft(plan: Plan) -> None:
    """Make the draft, with the points that inputs are mounted on: the engine would make them as root.

    Raises
    ------
    EngineError
        The site's folder cannot be written.
    """
    try:
        for path in plan.declared.writes:
            replace.recover(plan.site / path)
        shutil.rmtree(plan.draft, ignore_errors=True)
        plan.draft.mkdir(parents=True)
        for mount in plan.mounts:
            if mount.writable:
                mount.source.mkdir(parents=True, exist_ok=True)
        for source, point in _points(plan):
            (point if source.is_dir() else point.parent).mkdir(parents=True, exist_ok=True)
            if not source.is_dir():
                point.touch()
        for path in plan.declared.writes:
            if plan.declared.name == "ingest" and (plan.site / path).is_file():
                shutil.copyfile(plan.site / path, plan.draft / path)  # the earlier pin, whose hashes are kept
    except OSError as error:
        raise EngineError(
            "the output folder cannot be written",
            where=error.filename or plan.draft,
            expected=f"a folder that user {os.getuid()} may write to",
            found=error.strerror or error,
            fix="give it to this user (`chown`), or free some space",
        ) from error


def _points(plan: Plan) -> Iterator[tuple[Path, Path]]:
    """Yield the inputs that are mounted into the draft: source, and mount point."""
    for mount in plan.mounts:
        for top in plan.declared.writable:
            if not mount.writable and mount.target.is_relative_to(INSIDE / top):
                yield mount.source, plan.draft / mount.target.relative_to(INSIDE)


def place_outputs(plan: Plan) -> None:
    """Move the declared outputs from the draft to the site: metrics first, folders last.

    Raises
    ------
    ContractError
        The stage wrote a file that is not declared.
    """
    points = {point for _, point in _points(plan)}
    allowed = [plan.draft / path for path in plan.declared.writes]
    for path in sorted(plan.draft.rglob("*")):
        if (path.is_dir() and not path.is_symlink()) or path in points:
            continue
        if not any(path.is_relative_to(output) for output in allowed):
            raise ContractError(
                f"{plan.declared.name} wrote a file that dvc.yaml does not declare",
                where=path.relative_to(plan.draft),
                expected=", ".join(plan.declared.writes) or "no output",
                fix="write below the declared output, or to /tmp",
            )
    for output in plan.declared.writes:
        if (plan.draft / output).exists():
            replace.put_in_place(plan.draft / output, plan.site / output)


def keep_traceback(plan: Plan) -> None:
    """Move the traceback that a stage has written from the draft to where its message says."""
    path = traceback_file(plan.declared.name)
    if (plan.draft / path).is_file():
        shutil.move(plan.draft / path, plan.site / path)


def _call(engine: Engine, plan: Plan, line: Sequence[str]) -> int:
    """Run the engine's command; signals pass to the container, which is gone when this returns.

    The command gets a process group of its own, so that Ctrl-C reaches it once, through this process.
    """
    interrupted: list[threading.Timer] = []
    environment = os.environ | plan.environment
    with subprocess.Popen(line, start_new_session=True, env=environment) as process:

        def forward(number: int, _: object) -> None:
            process.send_signal(number)
            timer = threading.Timer(GRACE_S, engine.remove, [plan.container])
            timer.daemon = True
            timer.start()
            interrupted.append(timer)

        handlers = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            code = process.wait()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            for timer in interrupted:
                timer.cancel()
    if interrupted:  # a signal before the container has started ends the command, and perhaps not the container
        engine.remove(plan.container)
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

"""The container engine: where it is, whether it answers, and what only it can say."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Literal, cast

from stages.common import settings
from stages.common.errors import GlacierError

Kind = Literal["docker", "podman"]


class EngineError(GlacierError):
    """The container engine does not answer, or cannot do what it is asked."""


@dataclass(frozen=True)
class Engine:
    """A container engine on this machine."""

    kind: Kind
    program: str

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an engine's command and keep what it says; the exit code is the caller's to judge."""
        # BuildKit is in Debian's docker 20.10 but not its default; other engines do not read the variable.
        environment = os.environ | {"DOCKER_BUILDKIT": "1"}
        return subprocess.run([self.program, *arguments], capture_output=True, text=True, check=False, env=environment)

    def check(self) -> None:
        """Raise `EngineError` unless the engine answers."""
        answer = self.ask("version")
        if answer.returncode:
            raise EngineError(
                f"{self.kind} does not answer",
                where=self.program,
                expected="a running engine that this user may use",
                found=last_line(answer.stderr),
                fix="start it (`systemctl start docker`, as root `dockerd &`), or unset RUNNER to run natively",
            )

    def user(self) -> list[str]:
        """Flags that make a container's user the caller, so that outputs belong to him.

        Without root a daemon of the user's own (and podman) maps his id to another one: docker's to root, podman's
        as told.
        """
        uid, gid = os.getuid(), os.getgid()
        if self.kind == "podman" and uid:
            return ["--userns=keep-id", f"--user={uid}:{gid}"]
        if uid and "rootless" in self.ask("info", "--format", "{{.SecurityOptions}}").stdout:
            return ["--user=0:0"]
        return [f"--user={uid}:{gid}"]

    def remove(self, container: str) -> None:
        """Stop and remove a container, if it is there."""
        self.ask("rm", "--force", container)


def find_engine() -> Engine:
    """The engine that RUNNER and GLACIER_ENGINE name; docker, where RUNNER is native.

    Raises
    ------
    EngineError
        There is none.
    """
    runner = settings.get(settings.RUNNER, "docker")
    kind = cast(Kind, runner if runner in ("docker", "podman") else "docker")
    wanted = settings.get(settings.ENGINE, kind)
    program = shutil.which(wanted)
    if program is None:
        raise EngineError(
            f"{kind} is not installed",
            where=settings.ENGINE if wanted != kind else "PATH",
            expected=f"the program {wanted}",
            fix=f"install {kind}, name it in {settings.ENGINE}, or unset RUNNER to run natively",
        )
    return Engine(kind, program)


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""

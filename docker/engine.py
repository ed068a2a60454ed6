"""The container engine: its program, whether it answers, and questions that only it can answer."""

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
        """Run an engine's command and return its output; the caller judges the exit code."""
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
        """Return the flags that make the caller a container's user, so that outputs belong to the caller.

        An engine that runs without root maps the caller's id to another one: docker to root, podman to the one that
        a flag names.
        """
        uid, gid = os.getuid(), os.getgid()
        if self.kind == "podman" and uid:
            return ["--userns=keep-id", f"--user={uid}:{gid}"]
        if uid and "rootless" in self.ask("info", "--format", "{{.SecurityOptions}}").stdout:
            return ["--user=0:0"]
        return [f"--user={uid}:{gid}"]

    def remove(self, container: str) -> None:
        """Stop and remove a container, if it exists."""
        self.ask("rm", "--force", container)


def find_engine() -> Engine:
    """Return the engine that RUNNER and GLACIER_ENGINE name; docker, where RUNNER is native.

    Raises
    ------
    EngineError
        Its program is not on the path.
    """
    runner = settings.get(settings.RUNNER, "docker")
    kind = cast(Kind, runner if runner in ("docker", "podman") else "docker")
    name = settings.get(settings.ENGINE, kind)
    program = shutil.which(name)
    if program is None:
        raise EngineError(
            f"{kind} is not installed",
            where=settings.ENGINE if name != kind else "PATH",
            expected=f"the program {name}",
            fix=f"install {kind}, name it in {settings.ENGINE}, or unset RUNNER to run natively",
        )
    return Engine(kind, program)


def last_line(text: str) -> str:
    """Return the last line that is not blank."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""

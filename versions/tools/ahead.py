"""Years side by side: DVC runs one stage after the other, so what need not wait is run before `dvc repro`.

DVC says which stages it would run (`dvc repro --dry`). Their commands run side by side: the stages that `train` waits
for first, the other years beside the training. `dvc commit` then records what they have written, as `dvc repro` would
have; the rest, and what DVC takes from its run cache, is left to it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stages.common import settings
from stages.common.errors import InputError
from stages.common.machine import usable_cores
from stages.common.params.schema import Params
from versions.tools.commands import Done, require, run_dvc
from versions.tools.side_by_side import SideBySide, jobs

SAYS = re.compile(r"^(?:Running stage|Stage) '(?:[^']*:)?([\w@]+)'(.*)(?:\n> (.*))?", re.MULTILINE)
"""What `dvc repro --dry` says of a stage."""

GROUPS = (("labels", "prepare"), ("patches",), ("train",), ("evaluate", "predict"))
"""Stages that wait for nothing but the groups before them."""

FIX = "`dvc repro` shows what DVC does by itself"


@dataclass
class Answer:
    """What DVC would do: stages with their commands that it would run, names of those that it has in its cache."""

    commands: dict[str, str] = field(default_factory=dict)
    cached: list[str] = field(default_factory=list)
    is_complete: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether all stages are up to date."""
        return self.is_complete and not self.commands and not self.cached

    @property
    def is_worth_it(self) -> bool:
        """Whether several years wait, or will when the model has changed."""
        years = [len(self.of([stage])) for stage in ("prepare", "predict")]
        return max(years) > 1 or bool(self.of(["labels", "patches", "train"]))

    def of(self, group: Iterable[str]) -> dict[str, str]:
        """Return the commands of a group's stages."""
        return {name: command for name, command in self.commands.items() if name.partition("@")[0] in set(group)}


def ask(*targets: str) -> Answer:
    """Ask DVC what it would run, of the stages named alone; without names, of all."""
    return read_answer(run_dvc(Path(), *question(targets)))


def question(targets: Sequence[str]) -> list[str]:
    """Return DVC's command that says what it would run."""
    return ["repro", "--dry", *(["--single-item", *targets] if targets else ["dvc.yaml"])]


def read_answer(done: Done) -> Answer:
    """Read what DVC says that it would run."""
    answer = Answer(is_complete=done.returncode == 0)
    for name, rest, command in SAYS.findall(done.stdout):
        if "is cached" in rest:
            answer.cached.append(name)
        elif command and name not in answer.cached:  # it says of what is cached that it runs as well
            answer.commands[name] = command
    return answer


def run_ahead(params: Params, lock: int | None = None) -> bool:
    """Run side by side what need not wait, and record it; return whether `dvc repro` has anything left to do.

    Parameters
    ----------
    lock
        Open file of the site's lock, which the commands keep.

    Raises
    ------
    InputError
        A stage failed; what was done before is recorded.
    """
    answer = ask()
    if answer.is_nothing:
        return False
    if not answer.is_complete:  # DVC has stopped at the first stage whose inputs are absent
        answer = ask(*GROUPS[0])
        answer.is_complete = False
    if jobs() > 1 and answer.is_worth_it:
        with SideBySide(jobs(), lock) as crew:
            Ahead(params, crew, answer).run()
    return True


class Ahead:
    """One run ahead of `dvc repro`: group after group, each as far as the groups before it are recorded."""

    def __init__(self, params: Params, crew: SideBySide, answer: Answer) -> None:
        self.params, self.crew, self.answer = params, crew, answer
        self.recorded: set[str] = set()
        self.code = state_of_code()

    def run(self) -> None:
        """Run all groups.

        Raises
        ------
        InputError
            A stage failed; what was done before is recorded.
        """
        try:
            for group in GROUPS:
                self._run_group(group)
        except InputError:
            self._record()
            raise
        self._record()

    def _run_group(self, group: Sequence[str]) -> None:
        """Run a group's stages; wait for those that the next group needs."""
        answer = self._answer(group)
        if cached := [name for name in answer.cached if name.partition("@")[0] in group]:
            restored = run_dvc(Path(), "repro", "--single-item", *cached)
            require(restored, what="DVC cannot take a stage's outputs from its cache", fix=FIX)
            self.recorded.update(cached)
        commands = answer.of(group)
        for name, command in commands.items():
            urgency = int(self._is_urgent(name))
            self.crew.add(name, shlex.split(command), urgency=urgency, **self._variables(name, len(commands)))
        goes_on = group in (GROUPS[0], GROUPS[1])
        self.crew.wait({name for name in commands if self._is_urgent(name)} if goes_on else None)

    def _is_urgent(self, name: str) -> bool:
        """Whether `train` waits for this stage."""
        stage, _, year = name.partition("@")
        return stage != "prepare" or int(year) in self.params.training_years

    def _variables(self, name: str, beside: int) -> dict[str, str]:
        """Return what DVC sets for a stage, and a share of the cores where many run."""
        variables = {settings.DVC_ROOT: str(settings.repository_root()), settings.DVC_STAGE: name}
        if beside > 1 and not settings.lookup(settings.INFERENCE_THREADS):
            variables[settings.INFERENCE_THREADS] = str(max(1, usable_cores() // min(beside, jobs())))
        return variables

    def _answer(self, group: Sequence[str]) -> Answer:
        """Return what DVC would run of a group, after what has been done so far is recorded."""
        if recorded := self._record(then=question(group)):
            return read_answer(recorded)
        is_known = not self.recorded and (self.answer.is_complete or group == GROUPS[0])
        return self.answer if is_known else ask(*group)

    def _record(self, then: Sequence[str] = ()) -> Done | None:
        """Let DVC record what has been done since the last time: outputs into its cache, hashes into dvc.lock.

        Where code or parameters were changed meanwhile, nobody can tell what a stage has read: it is run again.
        """
        names = sorted(self.crew.done - self.recorded)
        if not names:
            return None
        if state_of_code() != self.code:
            raise InputError(
                "code or parameters were changed while stages ran: what they have written is not recorded",
                where=", ".join(names), expected="files that stay as they are during a run",
                found="a change in params.yaml, dvc.yaml, stages/ or docker/", fix="run this again",
            )  # fmt: skip
        done = run_dvc(Path(), "commit", "--quiet", "--force", *names, then=then)
        require(done, what="DVC cannot record what stages have written", fix=FIX)
        self.recorded.update(names)
        return done


def state_of_code() -> list[tuple[str, int, int]]:
    """Return name, size and time of change of the files that decide what a stage does, its data apart."""
    files = [Path("params.yaml"), Path("dvc.yaml"), *Path("stages").rglob("*"), *Path("docker").rglob("*")]
    states = [(str(path), path.stat()) for path in files if path.is_file() and "__pycache__" not in path.parts]
    return sorted((path, state.st_size, state.st_mtime_ns) for path, state in states)

"""Images: what each is made of, its tag, and how it is built. As a program: build what is missing (`make images`)."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from closure import code_of
from engine import Engine, EngineError, find_engine
from stages.common import settings
from stages.common.errors import GlacierError
from stages.common.revision import git_commit
from stages.common.run.environment import PROXIES

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = "docker/Dockerfile"
FAMILIES = {
    "ingest": ("ingest",),
    "geo": ("prepare", "labels", "patches", "area", "gate"),
    "onnx": ("predict", "evaluate"),
    "train": ("train",),
    "report": ("report",),
    "track": ("track",),
}
"""Stages that share an environment."""

ENGINES = {"openvino": "openvino"}
"""Family of `predict` by its engine, where it is not the one above. Built when a stage asks for it."""

OCI = "org.opencontainers.image"
TAIL_LINES = 15


@dataclass(frozen=True)
class Image:
    """An environment of a family, or the image of a stage upon it."""

    family: str
    stage: str | None = None

    @property
    def repository(self) -> str:
        """Name without the tag."""
        return f"glacier-area/{self.stage or f'environment-{self.family}'}"

    @property
    def reference(self) -> str:
        """Name with the tag, which is the hash of everything the image is made of."""
        return f"{self.repository}:{content_hash(self.ingredients())}"

    @property
    def environment(self) -> Image:
        """What a stage's image stands on."""
        return Image(self.family)

    @property
    def arguments(self) -> Mapping[str, str]:
        """Build arguments that choose what is copied."""
        return {"FAMILY": self.family, **({"STAGE": self.stage} if self.stage else {})}

    def ingredients(self) -> list[str]:
        """Return what of the repository the image is made of; its build context holds nothing else."""
        code = code_of(self.stage, ROOT) if self.stage else []
        return [DOCKERFILE, f"docker/locks/{self.family}.txt", *code]


def image_of(stage: str, engine: str = "") -> Image:
    """Return the image of a stage, by the stage's name and the engine that it maps with."""
    if engine in ENGINES:
        return Image(ENGINES[engine], stage)
    for family, stages in FAMILIES.items():
        if stage in stages:
            return Image(family, stage)
    raise EngineError(
        "no image is defined for this stage",
        where="docker/images.py: FAMILIES",
        expected=", ".join(stage for stages in FAMILIES.values() for stage in stages),
        found=stage,
        fix="name the family whose environment the stage needs",
    )


def files(paths: list[str]) -> Iterator[Path]:
    """Yield all files below paths of the repository, relative to it, in a fixed order; none that Python compiled."""
    for path in paths:
        below = [ROOT / path] if (ROOT / path).is_file() else sorted((ROOT / path).rglob("*"))
        yield from (
            file.relative_to(ROOT) for file in below
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc"
        )  # fmt: skip


def content_hash(paths: list[str]) -> str:
    """Return a hash of names and contents of all files below paths of the repository."""
    digest = hashlib.sha256()
    for path in files(paths):
        digest.update(f"{path}\0{hashlib.sha256((ROOT / path).read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def base_image() -> str:
    """Return the image that all stand on: BASE_IMAGE, else the one that the Dockerfile names."""
    text = (ROOT / DOCKERFILE).read_text(encoding="utf-8")
    declared = re.search(r"^ARG BASE_IMAGE=(\S+)$", text, flags=re.MULTILINE)
    return settings.get(settings.BASE_IMAGE, declared[1] if declared else "")


def ensure(engine: Engine, image: Image) -> str:
    """Return the image's reference; build it, with what it stands on, where it is absent or stands on another base.

    Raises
    ------
    EngineError
        The engine does not answer, or the build fails.
    """
    reference = image.reference
    if _is_there(engine, reference):
        return reference
    engine.check()
    with one_builder(reference):
        if not _is_there(engine, reference):
            upon = ["--build-arg", f"ENVIRONMENT={ensure(engine, image.environment)}"] if image.stage else []
            print(f"building {reference}", file=sys.stderr, flush=True)
            _build(engine, image, reference, upon)
    return reference


def _is_there(engine: Engine, reference: str) -> bool:
    label = f'{{{{index .Config.Labels "{OCI}.base.name"}}}}'
    answer = engine.ask("image", "inspect", "--format", label, reference)
    return answer.returncode == 0 and answer.stdout.strip() == base_image()


@contextlib.contextmanager
def one_builder(reference: str) -> Iterator[None]:
    """Let one process at a time build an image: stages that run side by side need the same one."""
    name = f"{reference.replace('/', '-').replace(':', '-')}-{os.getuid()}.lock"
    with Path(tempfile.gettempdir(), name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(engine: Engine, image: Image, reference: str, upon: list[str]) -> None:
    with tempfile.TemporaryDirectory() as context:
        _copy(image.ingredients(), Path(context))
        answer = engine.ask("build", *build_flags(image, reference), *upon, context)
    if answer.returncode:
        raise EngineError(
            "the image is not there and cannot be built",
            where=f"{reference}, on {base_image()}",
            found="\n".join(["", *(answer.stdout + answer.stderr).strip().splitlines()[-TAIL_LINES:]]),
            fix="no registry answers: `docker/offline-base` and export BASE_IMAGE; docker lacks BuildKit: "
            f"name another in {settings.ENGINE} (docs/operations.md)",
        )


def build_flags(image: Image, reference: str) -> list[str]:
    """Return the flags of the build, all but its context."""
    arguments = {"BASE_IMAGE": base_image(), **image.arguments}
    flags = ["--target", "stage" if image.stage else "environment", "--tag", reference]
    flags += [flag for name, value in arguments.items() for flag in ("--build-arg", f"{name}={value}")]
    flags += [flag for name in PROXIES if settings.lookup(name) for flag in ("--build-arg", name)]  # leaves no trace
    flags += [flag for name, value in labels(image).items() for flag in ("--label", f"{name}={value}")]
    secret = settings.get(settings.PIP_CONFIG, "")
    return [*flags, *(["--secret", f"id=pip,src={secret}"] if secret else []), "--file", str(ROOT / DOCKERFILE)]


def labels(image: Image) -> dict[str, str]:
    """Return the labels of the image, named as the Open Container Initiative does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        f"{OCI}.title": image.repository,
        f"{OCI}.description": project["description"],
        f"{OCI}.version": project["version"],
        f"{OCI}.revision": git_commit(ROOT),
        f"{OCI}.licenses": "MIT",
        f"{OCI}.base.name": base_image(),
    }


def _copy(paths: list[str], context: Path) -> None:
    """Make a build context of these files and nothing else, readable for whichever user a container runs as."""
    for path in files(paths):
        target = context / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target)
        target.chmod(0o644)
    for folder in (context, *context.rglob("*")):
        if folder.is_dir():
            folder.chmod(0o755)


def _size_mb(engine: Engine, reference: str) -> float:
    answer = engine.ask("image", "inspect", "--format", "{{.Size}}", reference)
    return int(answer.stdout or 0) / 1e6


def build_all(engine: Engine) -> None:
    """Build what is missing and print the size of each image over the one it stands on."""
    print(f"{'image':48} {'MB over it':>10}  stands on")
    base_mb: float | None = None
    for family, stages in FAMILIES.items():
        environment = Image(family)
        reference = ensure(engine, environment)
        if base_mb is None:
            base_mb = _size_mb(engine, base_image())
        environment_mb = _size_mb(engine, reference)
        print(f"{reference:48} {environment_mb - base_mb:10.1f}  {base_image()} ({base_mb:.0f} MB)")
        for stage in stages:
            name = ensure(engine, Image(family, stage))
            print(f"  {name:46} {_size_mb(engine, name) - environment_mb:10.1f}  environment-{family}", flush=True)


def main() -> int:
    """Exit code: 0 done, 2 no engine, or an image cannot be built."""
    try:
        engine = find_engine()
        engine.check()
        build_all(engine)
    except GlacierError as error:
        print(f"docker/images.py: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

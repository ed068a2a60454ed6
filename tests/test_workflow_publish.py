"""The workflow that promotes: what it publishes, and when it publishes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflow_scripts import REMOTE, SITES, Hub, Machine, Ran, read

TAG = "champion@v2.0.0"
POINTER = "models/champion/model.onnx.dvc"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub.start(tmp_path, SITES)


def promoting(pointer: str, tag: str = TAG) -> str:
    """Return a `make promote` that, as the real one, commits a new pointer and sets a tag that does not exist yet."""
    return f"""
        case "$*" in *promote*) ;; *) exit 0 ;; esac
        mkdir -p models/champion && echo '{pointer}' > {POINTER} && git add {POINTER}
        git diff --cached --quiet || git commit --quiet --message "Champion"
        git rev-parse --quiet --verify 'refs/tags/{tag}' >/dev/null || git tag --annotate --message "Champion" '{tag}'
        echo 'models/champion/model.onnx'
        echo '  champion is {tag}'
    """


def promoted(machine: Machine, pointer: str, tag: str = TAG) -> dict[str, str]:
    """Return the outputs of the job `promote`, as the variables of the job `publish`."""
    machine.stub("make", promoting(pointer, tag))
    before = machine.git("rev-parse", "HEAD")
    ran = machine.run("promote", "promote", "Promote", **REMOTE)
    assert ran.code == 0, ran.log
    outputs = machine.run("promote", "promote", "What is new", BEFORE=before).outputs
    return {key.upper(): value for key, value in outputs.items()} | {"BASE": "main"}


def publish(machine: Machine, outputs: dict[str, str]) -> Ran:
    return machine.run("promote", "publish", "Push", **outputs)


def test_a_champion_is_committed_and_tagged_though_the_branch_moved_meanwhile(hub: Hub) -> None:
    outputs = promoted(hub.machine("promote"), "md5 2")
    moved = hub.machine("anna").commit({"README.md": "more\n"})
    ran = publish(hub.machine("publish"), outputs)
    assert ran.code == 0, ran.log
    assert hub.git("rev-parse", "main^") == moved
    assert hub.git("show", f"main:{POINTER}") == "md5 2"
    assert hub.git("rev-parse", f"{TAG}^{{commit}}") == hub.git("rev-parse", "main")
    assert hub.git("cat-file", "-t", TAG) == "tag"
    assert hub.git("log", "-1", "--format=%s %an", "main") == f"Champion: {TAG} github-actions[bot]"


def test_a_champion_of_the_same_bytes_gets_its_tag(hub: Hub) -> None:
    head = hub.machine("anna").commit({POINTER: "md5 1\n"})
    outputs = promoted(hub.machine("promote"), "md5 1")
    assert outputs["CHANGED"] == "false"
    ran = publish(hub.machine("publish"), outputs)
    assert ran.code == 0, ran.log
    assert hub.git("rev-parse", "main") == hub.git("rev-parse", f"{TAG}^{{commit}}") == head


def test_a_champion_promoted_again_after_a_rollback_keeps_its_tag(hub: Hub) -> None:
    publish(hub.machine("publish"), promoted(hub.machine("promote"), "md5 2"))
    tagged = hub.git("rev-parse", TAG)
    rolled_back = hub.machine("anna").commit({POINTER: "md5 1\n"})
    outputs = promoted(hub.machine("promote again"), "md5 2")
    assert outputs["TAG"] == TAG
    ran = publish(hub.machine("publish again"), outputs)
    assert ran.code == 0, ran.log
    assert hub.git("show", f"main:{POINTER}") == "md5 2"
    assert hub.git("rev-parse", "main^") == rolled_back
    assert hub.git("rev-parse", TAG) == tagged


def test_a_champion_that_is_published_already_pushes_nothing(hub: Hub) -> None:
    outputs = promoted(hub.machine("promote"), "md5 2")
    publish(hub.machine("publish"), outputs)
    refs = hub.git("show-ref")
    unchanged = promoted(hub.machine("promote again"), "md5 2")
    for name, again in {"the run repeated": outputs, "another run": unchanged}.items():
        ran = publish(hub.machine(name), again)
        assert ran.code == 0, ran.log
        assert "nothing to push" in ran.log
        assert hub.git("show-ref") == refs


def test_where_the_branch_cannot_be_pushed_the_tag_is_not(hub: Hub) -> None:
    outputs = promoted(hub.machine("promote"), "md5 2")
    machine = hub.machine("publish")
    hub.machine("anna").commit({"README.md": "more\n"})
    refs = hub.git("show-ref")
    assert publish(machine, outputs).code
    assert hub.git("show-ref") == refs


def test_a_sites_champion_has_the_sites_tag(hub: Hub) -> None:
    tag = f"sites/everest={TAG}"
    ran = publish(hub.machine("publish"), promoted(hub.machine("promote"), "md5 2", tag))
    assert ran.code == 0, ran.log
    assert hub.git("rev-parse", f"refs/tags/{tag}^{{commit}}") == hub.git("rev-parse", "main")


@pytest.mark.parametrize("wrong", [{"TAG": ""}, {"TAG": "--delete"}, {"TAG": "v1\n"}, {"PATCH": ""}], ids=str)
def test_what_is_not_a_champion_or_lost_its_patch_is_not_published(hub: Hub, wrong: dict[str, str]) -> None:
    refs = hub.git("show-ref")
    ran = publish(hub.machine("publish"), promoted(hub.machine("promote"), "md5 2") | wrong)
    assert ran.code, ran.log
    assert hub.git("show-ref") == refs


def test_publish_takes_the_branch_as_it_is_now_with_its_tags() -> None:
    checkout = read("promote")["jobs"]["publish"]["steps"][0]["with"]
    assert checkout["ref"] == "${{ github.ref }}"
    assert checkout["fetch-depth"] == 0


def test_a_refused_promotion_fails_its_step(hub: Hub) -> None:
    machine = hub.machine("promote")
    machine.stub("make", 'case "$*" in *promote*) echo refused; exit 2 ;; esac')
    ran = machine.run("promote", "promote", "Promote", **REMOTE)
    assert ran.code == 2
    assert "refused" in ran.log

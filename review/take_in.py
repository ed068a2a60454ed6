"""Write the review into the site's data: both files whole, and recorded in data.dvc."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from review import corrections, decisions
from review.record import DRAWN, REVIEW, read_review
from stages.common.errors import InputError
from stages.common.geo.vectors import read_features, write_polygons
from stages.common.params.schema import load_params
from stages.common.run.records import read_rows
from stages.common.run.replace import SCRATCH, put_in_place
from stages.common.tables.labels import UNASSIGNED, GlacierRow
from stages.common.tables.review import Review
from versions.tools.commands import require, run_dvc

GLACIERS = Path("artifacts/labels/glaciers.csv")
PIN = Path("data.dvc")


def take_in(handover: Path | None, drawn: Path | None) -> str:
    """Check and merge decisions and drawn outlines in the site's folder; return what to tell the user.

    Raises
    ------
    InputError, ContractError
        A file is not what it must be; nothing is written. Or DVC cannot record the data.
    """
    if handover is None:
        raise InputError(
            "nobody says who drew the outlines", where="FROM", expected="FROM=review.json beside OUTLINES",
            found="OUTLINES alone", fix="save review.json with your name on review.html, decisions or none",
        )  # fmt: skip
    years, rgi_ids = load_params().years, [row.rgi_id for row in read_rows(GLACIERS, GlacierRow)]
    new = decisions.read_handover(handover, Path(), years=years, rgi_ids=[*rgi_ids, UNASSIGNED])
    review = decisions.merged(read_review(Path()) or Review(), new)
    outlines = None
    if drawn is not None:
        frame = corrections.read_corrections(drawn, years=years, rgi_ids=rgi_ids, by=new.by, at=new.at)
        outlines = corrections.merged(read_features(DRAWN) if DRAWN.exists() else None, frame)
    _require_pinned()
    _write(review, outlines)
    if PIN.exists():
        recorded = run_dvc(Path(), "commit", "--quiet", "--force", str(PIN))
        require(recorded, what="DVC cannot record data/", fix="correct what it names, then run this again")
    n_drawn = 0 if outlines is None else len(outlines)
    return (
        f"{REVIEW}: {len(review.years)} of {len(years)} years decided on, {len(review.notes)} notes"
        f"{f'; {DRAWN}: {n_drawn} drawn outlines' if n_drawn else ''}\n"
        "next:  make repro, which takes them into the series; data.dvc belongs into the next commit"
    )


def _require_pinned() -> None:
    """Refuse to record the review together with other data than data.dvc pins, which nobody has decided to take.

    Raises
    ------
    InputError
        A path in data/ is changed or absent, or DVC cannot tell.
    """
    if not PIN.exists():
        return
    status = run_dvc(Path(), "status", "--json", str(PIN))
    require(status, what="DVC cannot compare data/ with data.dvc", fix="correct what it names, then run this again")
    reports = [report for reports in json.loads(status.stdout or "{}").values() for report in reports]
    outs = [report.get("changed outs", {}) for report in reports if isinstance(report, dict)]
    if changed := [f"{path}: {state}" for out in outs for path, state in out.items() if state != "not in cache"]:
        raise InputError(
            "data/ is not what data.dvc pins", where=PIN.absolute(), expected="the hashes in data.dvc",
            found="; ".join(changed), fix="`dvc checkout --force data.dvc`, or `make ingest` to record new data",
        )  # fmt: skip


def _write(review: Review, outlines: object) -> None:
    """Write both files beside their places first, so that a full disk leaves the earlier ones."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    drafts = {REVIEW: SCRATCH / REVIEW.name, DRAWN: SCRATCH / DRAWN.name}
    for draft in drafts.values():
        draft.unlink(missing_ok=True)
    content = review.model_dump(mode="json")
    drafts[REVIEW].write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    if outlines is not None:
        write_polygons(drafts[DRAWN], outlines, layer=corrections.LAYER)
        put_in_place(drafts[DRAWN], DRAWN)
    put_in_place(drafts[REVIEW], REVIEW)

"""Where the results come from, as W3C PROV (PROV-JSON): images, outlines and model, and the stages between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exports.finished import Finished
from stages.common.run.documents import locked_stages
from stages.common.run.outputs import write_json

NAMESPACE = "urn:glacier-area:"
PREFIX = "glacier"


def write_prov(site: Finished, caveats: Sequence[str], path: Path) -> None:
    """Write prov.json: an entity a file or folder of dvc.lock with its MD5, an activity a stage, an agent the contact.

    Without a dvc.lock the document holds no stages.
    """
    write_json(path, document(site, locked_stages(site.root / "dvc.lock"), caveats))


def document(site: Finished, stages: Mapping[str, Mapping[str, Any]], caveats: Sequence[str]) -> dict[str, Any]:
    """Return the document.

    Parameters
    ----------
    stages
        Stages of dvc.lock, by name: each with `deps` and `outs`.
    """
    entities: dict[str, Any] = {}
    used: dict[str, Any] = {}
    generated: dict[str, Any] = {}
    for stage, content in stages.items():
        for place, relations, relation in (("deps", used, "used"), ("outs", generated, "wasGeneratedBy")):
            for file in content.get(place, []):
                entity = identifier("file", str(file["path"]))
                entities[entity] = {"prov:label": str(file["path"]), f"{PREFIX}:md5": str(file.get("md5", ""))}
                relations[f"_:{relation}{len(relations)}"] = {
                    "prov:entity": entity, "prov:activity": identifier("stage", stage),
                }  # fmt: skip
    for year, provenance in site.provenance.items():
        for source in provenance.sources:
            entities[identifier("image", source.id)] = {
                "prov:label": source.product, f"{PREFIX}:date": source.date or "", f"{PREFIX}:year": year,
            }  # fmt: skip
    results = identifier("results", site.params.site.name)
    entities[results] = {"prov:label": site.params.site.title, f"{PREFIX}:caveats": " ".join(caveats)}
    derived = {
        f"_:derived{number}": {"prov:generatedEntity": results, "prov:usedEntity": identifier("image", source.id)}
        for number, source in enumerate(source for year in site.provenance.values() for source in year.sources)
    }
    whole = {
        "prefix": {PREFIX: NAMESPACE},
        "entity": entities,
        "activity": {identifier("stage", stage): {"prov:label": str(stages[stage].get("cmd", ""))} for stage in stages},
        "used": used,
        "wasGeneratedBy": generated,
        "wasDerivedFrom": derived,
        **_agent(site, results),
    }
    return {key: value for key, value in whole.items() if value}


def _agent(site: Finished, results: str) -> dict[str, Any]:
    contact = site.params.site.contact
    if contact is None:
        return {}
    agent = identifier("agent", contact.name)
    return {
        "agent": {agent: {"prov:label": contact.name, f"{PREFIX}:institution": contact.institution}},
        "wasAttributedTo": {"_:attributed0": {"prov:entity": results, "prov:agent": agent}},
    }


def identifier(kind: str, name: str) -> str:
    """Return a qualified name: letters, digits and ``_.-/`` stay, any other sign becomes its code point."""
    plain = "".join(sign if sign.isalnum() or sign in "_.-/" else f"_{ord(sign):x}_" for sign in name)
    return f"{PREFIX}:{kind}/{plain}"

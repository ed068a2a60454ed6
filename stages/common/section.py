"""The base of all parts of ``params.yaml``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of ``params.yaml``: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

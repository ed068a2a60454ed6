"""What the comparison of engines says where there is nothing to compare with."""

from __future__ import annotations

import sys

import pytest

from bench.speed.engines import main


def test_an_engine_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert main([]) == 2
    said = capsys.readouterr().err
    assert "OpenVINO cannot be loaded" in said and "`make openvino`" in said and sys.prefix in said

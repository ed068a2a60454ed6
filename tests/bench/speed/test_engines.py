"""What the comparison of engines says where there is nothing to compare with."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from bench.speed.engines import PACKAGE, main, require_package
from stages.common.errors import InputError


def test_an_engine_that_is_not_installed_is_named_with_what_to_do() -> None:
    with pytest.raises(InputError) as caught:
        require_package("no_such_engine")
    assert str(caught.value).splitlines() == [
        "a package to compare with is not installed",
        f"  where:    {sys.prefix}",
        "  expected: no_such_engine",
        "  found:    no such package",
        "  fix:      `pip install no_such_engine` in a copy of the environment, as the pipeline does without it",
    ]
    require_package("onnxruntime")


def test_the_benchmark_ends_with_that_message(capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec(PACKAGE):
        pytest.skip(f"{PACKAGE} is installed here")
    assert main([]) == 2
    assert f"expected: {PACKAGE}" in capsys.readouterr().err

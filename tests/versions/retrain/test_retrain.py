"""A retraining whose challenger cannot be judged still has a summary of all else."""

from __future__ import annotations

from stages.common.errors import ContractError
from tests.versions.conftest import Site
from tests.versions.models import GOOD
from versions.retrain.retrain import judge_results


def test_a_store_that_hands_out_other_bytes_is_an_error_of_judging_alone(site: Site) -> None:
    number = site.register(GOOD)
    site.registry.client.set_model_version_tag("glacier-tiny", number, "model_md5", "0" * 32)
    verdict, error = judge_results(site.folder)
    assert verdict is None
    assert isinstance(error, ContractError)
    assert error.what == "the model in the store is not the one that was registered"

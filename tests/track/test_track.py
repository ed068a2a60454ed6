"""The whole stage on a real SQLite store."""

import pytest

from stages.common.run.records import file_md5
from stages.track import contract, record
from tests.power import Disk
from tests.track import pipeline


def artifacts(site, run, folder=None):
    paths = []
    for entry in site.client.list_artifacts(run.info.run_id, folder):
        paths += artifacts(site, run, entry.path) if entry.is_dir else [entry.path]
    return sorted(paths)


def test_one_run_holds_the_state_of_the_pipeline(site):
    site.monkeypatch.setenv("GIT_COMMIT", "abc")
    (site.folder / "data.dvc").write_text(
        f"outs:\n- {{path: data/scenes/2020, md5: {'a' * 32}.dir}}\n- {{path: data/scenes/2021, md5: {'b' * 32}.dir}}\n"
    )
    state = site.track()
    (run,) = site.runs()
    assert (run.info.status, run.info.run_name) == ("FINISHED", f"tiny-{state[:8]}")
    params = run.data.params
    assert (params["train.depth"], params["years"], params["area.assign_distance_m"]) == (
        "2",
        "[2020, 2021, 2022]",
        "500.0",
    )
    assert not any(key.startswith(("ingest", "report")) for key in params)
    assert run.data.metrics["evaluate/model/iou"] == 0.7
    assert run.data.metrics["area/slope_km2_per_year"] == -0.05
    assert site.points(run, "val_loss") == [(e, 1.1 / (e + 1)) for e in range(pipeline.EPOCHS)]
    assert site.points(run, "glacier_area_km2") == [(2020, 5.0), (2021, 4.9), (2022, 4.8)]
    assert site.points(run, "common_area_km2") == [(2020, 5.0), (2022, 4.8)]
    tags = run.data.tags
    assert (tags["state_md5"], tags["data_md5"], tags["git_commit"], tags["runner"]) == (
        state,
        "d" * 32,
        "abc",
        "native",
    )
    assert tags["data_dvc_md5"] == file_md5(site.folder / "data.dvc")
    assert tags["maps_by_this_model"] == "true"
    assert "Not detectable." in tags["mlflow.note.content"]
    assert "iou_over_baseline: held-out IoU" in tags["mlflow.note.content"]
    assert tags["simulated"] == "false"
    assert (tags["bands"], tags["pixel_size_m"], tags["iou"]) == ("red, green, blue", "30", "0.700")
    headline = {key: value for key, value in run.data.metrics.items() if key.startswith("headline/")}
    assert headline == {
        "headline/iou": 0.7, "headline/area_bias_pct": -3.5, "headline/area_km2": 4.8, "headline/sigma_km2": 0.1,
        "headline/km2_per_year": -0.05, "headline/gates_failed": 0.0,
    }  # fmt: skip
    datasets = [(each.dataset.name, each.dataset.digest, each.tags[0].value) for each in run.inputs.dataset_inputs]
    assert sorted(datasets) == [
        ("data/scenes/2020", f"{'a' * 32}.dir", "training"), ("data/scenes/2021", f"{'b' * 32}.dir", "mapping"),
    ]  # fmt: skip
    experiment = site.client.get_experiment_by_name("tiny")
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    assert not any("tru" in key or "error" in key.split("/")[0] for key in run.data.metrics)


def test_a_simulated_site_logs_how_far_it_is_from_the_truth(site):
    pipeline.write_truth(site.folder)
    site.track()
    (run,) = site.runs()
    assert run.data.tags["simulated"] == "true"
    assert "simulated" in run.data.tags["mlflow.note.content"].lower()
    assert site.points(run, "true_area_km2") == [(2020, 5.0), (2021, 5.0), (2022, 5.0)]
    assert site.points(run, "area_error_km2") == [(2020, -0.1), (2021, -0.1), (2022, -0.1)]
    assert site.points(run, "area_error_pct") == [(2020, -2.0), (2021, -2.0), (2022, -2.0)]
    assert site.points(run, "truth_iou") == [(2020, 0.90), (2021, 0.91), (2022, 0.92)]
    assert run.data.metrics["area/truth/iou"] == 0.91
    assert run.data.metrics["area/truth/mean_absolute_error_pct"] == 2.0
    assert "area/truth_by_year.csv" in artifacts(site, run, "area")


def test_the_change_product_is_logged_under_its_own_name(site):
    pipeline.write_change_product(site.folder)
    site.track()
    (run,) = site.runs()
    assert run.data.metrics["change/slope_km2_per_year"] == -0.02
    assert run.data.metrics["trend/slope_km2_per_year"] == -0.05
    note = run.data.tags["mlflow.note.content"]
    assert note.index("Change, from the images alone: No change in area detected.") < note.index(
        "Common area, from the images alone:"
    )
    assert "area/change_area_by_year.csv" in artifacts(site, run, "area")


def test_every_input_is_an_artifact_and_the_model_a_version(site):
    state = site.track()
    (run,) = site.runs()
    required = {template for template, artefact in contract.CONTRACT.inputs.items() if not artefact.optional}
    stems = {template.removeprefix("artifacts/") for template in required - {contract.MODEL}}
    assert artifacts(site, run) == sorted(stems)
    (number,) = site.versions()
    assert site.challenger() == number == "1"
    version = site.version(number)
    assert version.tags["state_md5"] == state
    assert version.tags["model_md5"] == file_md5(site.folder / contract.MODEL)
    assert "- bands: red, green, blue" in version.description.splitlines()
    assert list((site.root / "mlruns/artifacts/tiny/models").rglob("input_example.json"))
    stored = list((site.root / "mlruns/artifacts/tiny/models").rglob("model.onnx"))
    assert [path.read_bytes() for path in stored] == [(site.folder / contract.MODEL).read_bytes()]


def test_what_was_logged_survives_a_loss_of_power(site):
    with site.monkeypatch.context() as patch:
        disk = Disk(site.root, patch)
        site.track()
    logged = [path for path in (site.root / "mlruns/artifacts").rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in [*logged, site.folder / "artifacts/track/state.json"]}
    disk.lose_power()
    assert logged
    assert {path: path.read_bytes() for path in before} == before


def test_twice_logs_once(site, caplog):
    caplog.set_level("INFO")
    assert site.track() == site.track()
    assert (len(site.runs()), len(site.versions())) == (1, 1)
    assert "logged already" in caplog.messages[-1]
    assert "make ui" in caplog.messages[-1]


@pytest.mark.parametrize("change", ["score", "model", "params"])
def test_another_state_is_another_run_and_version(site, change):
    first = site.track()
    if change == "params":
        pipeline.change_params(site.folder, "gates", valid_fraction_min=0.7)
    else:
        pipeline.write_inputs(site.folder, **({"iou": 0.72} if change == "score" else {"weight": 0.6}))
    second = site.track()
    assert first != second
    assert [run.data.tags["state_md5"] for run in site.runs()] == [second, first]
    assert (len(site.versions()), site.challenger()) == (2, "2")


def test_going_back_logs_again_only_in_a_new_store(site):
    first = site.track()
    pipeline.write_inputs(site.folder, iou=0.72)
    site.track()
    pipeline.write_inputs(site.folder)
    assert site.track() == first
    assert (len(site.runs()), len(site.versions())) == (2, 2)
    site.uri = f"sqlite:///{site.root}/new.db"
    assert site.track() == first
    assert (len(site.runs()), len(site.versions())) == (1, 1)


def test_where_a_run_was_made_is_no_part_of_its_state(site):
    first = site.track()
    site.monkeypatch.setenv("GIT_COMMIT", "other")
    site.monkeypatch.setenv("DVC_EXP_NAME", "wide-unet")
    assert site.track() == first
    assert len(site.runs()) == 1


def test_an_experiment_gives_the_run_its_name(site):
    site.monkeypatch.setenv("DVC_EXP_NAME", "wide-unet")
    site.track()
    (run,) = site.runs()
    assert (run.info.run_name, run.data.tags["experiment_name"]) == ("tiny-wide-unet", "wide-unet")


def test_experiments_on_a_commit_stand_under_one_run(site):
    site.monkeypatch.setenv("DVC_EXP_BASELINE_REV", "c" * 40)
    site.track()
    pipeline.write_inputs(site.folder, iou=0.72)
    site.track()
    *experiments, parent = site.runs()
    assert parent.info.run_name == "tiny: experiments on ccccccc" and parent.info.status == "FINISHED"
    assert {run.data.tags["mlflow.parentRunId"] for run in experiments} == {parent.info.run_id}


def test_a_model_no_longer_registered_is_registered_again(site):
    site.track()
    site.client.delete_registered_model("glacier-tiny")
    site.track()
    assert (len(site.runs()), len(site.versions()), site.challenger()) == (1, 1, "1")


def test_maps_drawn_by_the_champion_are_named(site):
    pipeline.change_params(site.folder, "predict", model="models/champion/model.onnx")
    pipeline.write_model(site.folder / contract.MODEL, weight=0.9)
    site.track()
    (run,) = site.runs()
    assert run.data.tags["maps_by_this_model"] == "false"
    assert run.data.tags["maps_model"] == "models/champion/model.onnx"
    assert run.data.tags["maps_model_md5"] != run.data.tags["model_md5"]


@pytest.mark.parametrize("dvc_root", ["absolute", "relative", "unset"])
def test_the_store_is_the_repositorys(site, dvc_root):
    elsewhere = site.root / "elsewhere/of/an/experiment"
    root = {"absolute": str(site.root), "relative": "../../../../..", "unset": ""}[dvc_root]
    site.monkeypatch.setenv("DVC_ROOT", root)
    elsewhere.mkdir(parents=True)
    site.folder = site.folder.rename(elsewhere / "tiny")
    site.monkeypatch.chdir(site.folder)
    site.track()
    assert (site.root / "mlruns/mlflow.db").is_file()
    assert not (site.folder / "mlruns").exists()


@pytest.mark.parametrize("same_parameters", [True, False])
def test_a_run_named_in_the_shell_stays_as_it_is(site, same_parameters):
    """A notebook leaves MLFLOW_RUN_ID behind: the run of that name was renamed, and its version deleted later."""
    site.track()
    (old,) = site.runs()
    site.monkeypatch.setenv("MLFLOW_RUN_ID", old.info.run_id)
    site.monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")
    pipeline.write_inputs(site.folder, weight=0.6)
    if not same_parameters:
        pipeline.change_params(site.folder, "gates", valid_fraction_min=0.7)
    site.track()
    assert site.versions() == ["2", "1"]
    new, still = site.runs()
    assert new.info.run_id != old.info.run_id
    assert (still.info.status, still.info.run_name) == ("FINISHED", old.info.run_name)
    assert still.data.to_dictionary() == old.data.to_dictionary()
    site.monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    site.track()
    assert (site.versions(), len(site.runs())) == (["2", "1"], 2)


def test_limits_of_a_batch_are_kept():
    parts = list(record._parts(list(range(250)), record.PARAMS_PER_CALL))
    assert [len(part) for part in parts] == [100, 100, 50]

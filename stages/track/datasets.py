"""The data of a run as MLflow's datasets: each path that data.dvc pins is one, and its digest is DVC's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.common.run.documents import pinned_outputs

CONTEXT_TAG = "mlflow.data.context"
"""Tag by which MLflow's page says what a dataset was used for."""

TRAINING, MAPPING = "training", "mapping"


def dataset_inputs(training_years: Sequence[int], data_dvc: Path = Path("data.dvc")) -> list[Any]:
    """Return an input for each path: scenes of other years than the training years are mapped alone.

    The source is the path in the site's folder, as `mlflow.data` stores a local one.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag

    trained = {str(year) for year in training_years}
    inputs = []
    for output in pinned_outputs(data_dvc):
        path = Path(output["path"])
        if md5 := output.get("md5"):
            source = json.dumps({"uri": path.as_posix()})
            dataset = Dataset(name=path.as_posix(), digest=md5, source_type="local", source=source)
            mapped_alone = path.parent.name == "scenes" and path.name not in trained
            inputs.append(DatasetInput(dataset, [InputTag(CONTEXT_TAG, MAPPING if mapped_alone else TRAINING)]))
    return inputs

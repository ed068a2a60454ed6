"""Print the JSON Schema of ``params.yaml``: ``python -m stages.common.params``."""

import json

from stages.common.params.schema import Params

if __name__ == "__main__":
    print(json.dumps(Params.model_json_schema(), indent=2))

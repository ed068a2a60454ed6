"""The schema of ``params.yaml``, a file a section; `schema` puts them together and loads the file.

Every knob that changes a result. Knobs that change only speed are in `stages.common.settings`.
"""

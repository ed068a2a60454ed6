"""The schema of ``params.yaml``, one file per section; `schema` puts them together and loads the file.

Every setting that changes a result is here. Settings that change only speed are in `stages.common.settings`.
"""

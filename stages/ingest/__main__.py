"""Run ``python -m stages.ingest`` in a site's folder."""

from stages.common.run.start import starting

with starting("ingest", __name__):
    from stages.ingest.ingest import main

if __name__ == "__main__":
    raise SystemExit(main())

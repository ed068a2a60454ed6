"""Run ``python -m stages.ingest`` in a site's folder."""

from stages.ingest.ingest import main

if __name__ == "__main__":
    raise SystemExit(main())

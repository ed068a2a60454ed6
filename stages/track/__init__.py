"""Log one MLflow run for this state of the pipeline. The only stage with an effect beyond its own files."""

"""Log one MLflow run for this state of the pipeline. The only stage with a side effect."""

"""Fail the run when a sanity or quality gate failed. The last stage, so that there is always a report first."""

"""Benchmarks: figures for README and docs. No test runs them."""

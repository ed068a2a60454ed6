"""Benchmarks: figures for README and docs. Never part of the tests."""

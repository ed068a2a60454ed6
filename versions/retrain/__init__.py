"""Retrain and compare with main, as CI does (`make retrain`)."""

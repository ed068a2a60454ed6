"""Versions of model and data side by side: comparing, promoting, rolling back, retraining. Never a stage."""

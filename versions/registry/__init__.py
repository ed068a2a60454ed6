"""The MLflow model registry and the champion: its lock, its file in git and the way back.

No judgement is made here.
"""

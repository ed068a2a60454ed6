"""The product killed, and on a full disk: nothing lost, nothing in the way of the next run, the same bytes at the end.

Belongs here: the harness of both, and `kills.csv`, the committed result of the kills.
"""

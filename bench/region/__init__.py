"""A region measured: a large simulated terrain, kills, empty tasks, and the plan of whole RGI regions.

Belongs here: what runs ``python -m region`` as a user does and states what it took, and the committed records.
"""

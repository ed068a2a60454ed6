"""The outlines product: the best map of each year, from the image and from the inventory's outline together.

What is known of change belongs to `change_domain`, which knows images alone. The two are never mixed.
"""

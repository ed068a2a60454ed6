"""From one glacier to a mountain range: a region is cut into cells, each of which can be mapped as a site.

No stage stands here.
"""

"""From one glacier to a mountain range: a region is cut into cells, and each cell is a site that Dask maps.

No stage stands here, and no scheduler, queue or retry of our own: stages are called as they are, Dask does the rest.
"""

"""Put a year's scenes on the site's grid: harmonised, co-registered, clipped, with a validity mask."""

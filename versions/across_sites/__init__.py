"""Leave-one-site-out: for each of several finished sites, train on the others and score on the one left out."""

"""How fast the pipeline is for the machine that it runs on, and what has become slower."""

"""What a training takes from beyond its site: patches of other sites, and a model to start from. Each is pinned."""

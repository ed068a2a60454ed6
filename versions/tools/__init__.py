"""What the commands of `versions` share: running DVC and git, and scratch copies of a site."""

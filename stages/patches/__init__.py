"""Cut training patches and split them by spatial blocks, so that no window reads a held-out pixel."""

"""What numbers and pictures look like to a reader: digits, signs, lengths, colours and standing phrases.

Plain values only: nothing here draws, reads a file or depends on a stage.
"""

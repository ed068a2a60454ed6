"""How a stage runs: command line, contract checks at both ends, atomic output folders, documents and tables.

What the files contain is defined in `stages.common.tables`.
"""

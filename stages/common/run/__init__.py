"""How a stage runs: command line, contract checks at both ends, atomic output folders, documents and tables.

What the files hold is said in `stages.common.tables`.
"""

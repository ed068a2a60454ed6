"""The transfer function of the change product: `python -m bench.transfer`."""

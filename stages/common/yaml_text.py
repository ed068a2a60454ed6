"""Read YAML that may come from elsewhere: plain values only, and no more of them than a person writes."""

from __future__ import annotations

from typing import Any

import yaml

VALUES_MAX = 1_000_000
"""Most values of a document, with those counted again that an alias repeats. The largest dvc.lock here has 10,000."""


NESTING_MAX = 100
"""Most brackets within each other; the scanner takes time with their square."""


class _Loader(yaml.SafeLoader):
    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        if self.flow_level > NESTING_MAX:
            raise yaml.YAMLError("it is nested too deeply")
        super().fetch_flow_collection_start(token)


def load_yaml(text: str | bytes) -> Any:
    """Return what YAML holds; None where it is empty.

    Raises
    ------
    yaml.YAMLError
        It is not valid YAML, is nested too deeply, or its aliases stand for more than `VALUES_MAX` values: whatever
        walks through them would never end.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > VALUES_MAX:
            raise yaml.YAMLError(f"its aliases stand for more than {VALUES_MAX} values")
        return loader.construct_document(node)
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply") from None
    except (ValueError, OverflowError) as error:  # a date or number that is none
        raise yaml.YAMLError(str(error)) from error
    finally:
        loader.dispose()


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Return the number of values below a node; that of a node in `sizes` is known, or 0 while it is counted."""
    if id(node) in sizes:
        if sizes[id(node)] == 0:
            raise yaml.YAMLError("an alias stands for itself")
        return sizes[id(node)]
    sizes[id(node)], parts = 0, []
    if isinstance(node, yaml.SequenceNode):
        parts = list(node.value)
    elif isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    sizes[id(node)] = 1 + sum(_size(part, sizes) for part in parts)
    return sizes[id(node)]

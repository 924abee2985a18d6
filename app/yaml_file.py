"""Reads YAML without running any of it, and without the second of two equal keys winning in silence."""

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """As the safe loader, but a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is given twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_strictly(content: bytes) -> Any:
    """The document. Raises yaml.YAMLError, whose text may quote the content."""
    return yaml.load(content, _Loader)

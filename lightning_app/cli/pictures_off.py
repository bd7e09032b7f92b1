"""Pictures off: what `--pictures false` and `pictures: false` in a configuration stand for."""

import yaml

OFF = "--pictures.budget=0"  # draws nothing
BOOLEANS = {True: "{}", False: "{budget: 0}"}  # what `pictures: true` and `false` stand for


def is_off(value: str | None) -> bool:
    """Whether the value of `--pictures` switches all of them off: `false`, `no` or `off`."""
    return value is not None and yaml.safe_load(value.lower()) is False


def with_pictures_off(config: str) -> str:
    """The text of a configuration with `pictures: false` replaced; lines keep their numbers."""
    if "pictures" not in config:
        return config
    try:
        root = yaml.compose(config, yaml.SafeLoader)
    except yaml.YAMLError:  # the parser reports it
        return config
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "pictures" and value.tag == "tag:yaml.org,2002:bool":
            start, end = value.start_mark.index, value.end_mark.index
            meant = BOOLEANS[yaml.safe_load(value.value)]
            return f"{config[:start]}{meant}{config[end:]}"
    return config

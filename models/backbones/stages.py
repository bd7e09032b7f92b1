"""Stages of the networks of timm and torchvision: groups of parameters, and their names."""

from torch import nn

# Names of modules that contain the stages of a network as their children.
CONTAINERS = {"blocks", "encoder", "features", "layers", "trunk_output"}  # torchvision
CONTAINERS |= {"dense_stages", "stages", "transformers"}  # timm, without a `group_matcher`


def groups_of_children(network: nn.Module) -> list[list[str]]:
    """Names of the parameters of each child, and of each child of a container of stages.

    Parameters of the network itself, such as class tokens and position embeddings, are used right
    after the first child and are grouped with it.
    """
    groups = _groups(network, "")
    grouped = {name for names in groups for name in names}
    own = [name for name, _ in network.named_parameters() if name not in grouped]
    return [[*groups[0], *own], *groups[1:]]


def named_stages(
    network: nn.Module, groups: list[list[str]], prefix: str = ""
) -> dict[str, list[str]]:
    """Make named stages from groups of parameters; a norm alone is merged into the stage before it.

    A stage has the name of the outermost module that contains its first parameter and no parameter
    of another stage, so that freezing before the stage and before this module is the same.

    Args:
        network: The network of the parameters.
        groups: Names of parameters, from the input to the output; no group is empty.
        prefix: Added before the name of each parameter.
    """
    sizes = {name: parameter.ndim for name, parameter in network.named_parameters()}
    stages: list[list[str]] = []
    for names in groups:
        if stages and all(sizes[name] < 2 for name in names):  # scales and shifts of a norm
            stages[-1] += names
        else:  # modules first: tokens are added to the output of the patch embedding
            stages.append(sorted(names, key=lambda name: "." not in name))
    named: dict[str, list[str]] = {}
    for names in stages:
        others = [name for other in stages if other is not names for name in other]
        named[_name(names[0], others)] = [f"{prefix}{name}" for name in names]
    return named


def _groups(module: nn.Module, path: str) -> list[list[str]]:
    groups: list[list[str]] = []
    for name, child in module.named_children():
        if name in CONTAINERS:
            groups += _groups(child, f"{path}{name}.")
        else:
            groups.append([f"{path}{name}.{inner}" for inner, _ in child.named_parameters()])
    return [names for names in groups if names]


def _name(first: str, others: list[str]) -> str:
    parts = first.split(".")
    for length in range(1, len(parts)):
        path = ".".join(parts[:length])
        if not any(other.startswith(f"{path}.") for other in others):
            return path
    return first

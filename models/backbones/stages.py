"""Stages of the networks of other libraries: what belongs together, and what it is called."""

from torch import nn

# Modules that hold the stages of a network, by the names that the libraries give them.
CONTAINERS = {"blocks", "encoder", "features", "layers", "trunk_output"}  # torchvision
CONTAINERS |= {"dense_stages", "stages", "transformers"}  # timm, where it does not group itself


def groups_of_children(network: nn.Module) -> list[list[str]]:
    """Names of the parameters of each child, and of each child of a container of stages.

    Parameters of the network's own, such as class tokens and position embeddings, are used right
    after the first child and belong to it.
    """
    groups = _groups(network, "")
    grouped = {name for names in groups for name in names}
    own = [name for name, _ in network.named_parameters() if name not in grouped]
    return [[*groups[0], *own], *groups[1:]]


def named_stages(
    network: nn.Module, groups: list[list[str]], prefix: str = ""
) -> dict[str, list[str]]:
    """Make stages of groups of parameters: none of a norm alone, each with a name.

    A stage is called by the shortest path of modules that leads to its first parameter and to no
    other stage, so that what trains from the stage on and from the module on is the same.

    Args:
        network: Whose parameters they are.
        groups: Names of parameters, from the input to the output; no group is empty.
        prefix: What is put before the name of each parameter.
    """
    sizes = {name: parameter.ndim for name, parameter in network.named_parameters()}
    stages: list[list[str]] = []
    for names in groups:
        if stages and all(sizes[name] < 2 for name in names):  # scales and shifts of a norm
            stages[-1] += names
        else:  # modules first: tokens are added to what the patch embedding puts out
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

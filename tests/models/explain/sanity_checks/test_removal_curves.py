import torch
from torch import nn

from models.explain.sanity_checks import (
    RemovalCurves,
    deletion_curve,
    insertion_curve,
    random_maps,
)


def test_curves_are_those_of_each_map_but_their_ends_are_computed_once():
    torch.manual_seed(0)
    sizes = []
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 3))
    model.register_forward_hook(lambda module, args, output: sizes.append(len(output)))
    images, classes = torch.rand(2, 3, 8, 8), torch.tensor([0, 2])
    curves, passes = RemovalCurves(model, images, classes, 4), []
    for seed in (0, 1):
        maps, before = random_maps(images, seed), len(sizes)
        deletion, insertion = curves.deletion(maps), curves.insertion(maps)
        passes.append(len(sizes) - before)
        expected = deletion_curve(model, images, maps, classes, num_steps=4)
        torch.testing.assert_close(deletion, expected)
        expected = insertion_curve(model, images, maps, classes, num_steps=4)
        torch.testing.assert_close(insertion, expected)
    assert passes == [6, 6]

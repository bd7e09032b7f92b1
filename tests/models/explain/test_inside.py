"""Evidence inside a box: values that can be computed by hand."""

import numpy as np
import pytest
import torch
from scipy.stats import wilcoxon

from models.evaluation.subject_scores import subject_scores
from models.explain.sanity_checks import area_of, box_masks, maximum_inside, share_inside

BOX = box_masks(torch.tensor([[0, 0, 2, 3]]), 4, 4)  # 6 of 16 pixels


def test_share_inside_is_that_of_the_positive_mass():
    map_ = torch.zeros(1, 4, 4)
    map_[0, 0, 0], map_[0, 1, 2], map_[0, 3, 3], map_[0, 2, 2] = 1.0, 0.5, 0.5, -9.0
    assert share_inside(map_, BOX).item() == 0.75
    assert maximum_inside(map_, BOX).item()
    assert area_of(BOX).item() == 6 / 16


def test_map_without_knowledge_has_the_share_of_the_area():
    assert share_inside(torch.ones(1, 4, 4), BOX).item() == 6 / 16
    assert not maximum_inside(torch.ones(1, 4, 4), BOX).item()


def test_map_without_evidence_has_no_share():
    assert share_inside(torch.zeros(1, 4, 4), BOX).isnan().all()


def test_maps_and_masks_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r"a mask for each map \(1, 5, 5\), got \(1, 4, 4\)"):
        share_inside(torch.ones(1, 5, 5), BOX)


def test_class_whose_evidence_is_outside_is_named():
    generator = torch.Generator().manual_seed(0)
    labels, area = torch.arange(60) % 3, torch.full((60,), 0.4)
    inside = 0.4 + 0.3 * torch.rand(60, generator=generator)
    inside[labels == 1] -= 0.5
    inside[0] = torch.nan
    hits = inside > 0.4
    whole, *classes = subject_scores(inside.clamp(min=0), hits, area, labels, ("a", "b", "c"))
    assert [score.name for score in classes if score.is_elsewhere] == ["b"]
    assert (whole.name, whole.images, classes[0].images) == ("", 59, 19)
    assert classes[0].pointing == 1
    assert classes[1].inside == pytest.approx(inside.clamp(min=0)[labels == 1].mean().item())
    expected = wilcoxon(inside.clamp(min=0)[labels == 1] - 0.4, alternative="less").pvalue
    assert classes[1].p_value == pytest.approx(3 * expected, rel=1e-3)
    assert not classes[0].is_by_chance
    assert classes[1].is_by_chance


def test_few_images_are_not_tested():
    few = torch.full((7,), 0.1)
    whole, _ = subject_scores(few, few > 0.5, few + 0.5, torch.zeros(7).long(), ("a",))
    assert np.isnan(whole.p_value)
    assert not whole.is_elsewhere

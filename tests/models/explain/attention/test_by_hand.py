"""Both methods against the formulas of their papers, on a ViT of two blocks in plain tensors."""

import pytest
import torch
from torch.nn.functional import gelu

from models.explain.attention import attn_lrp, gradient_rollout
from models.explain.attention.attn_lrp import patch_relevance
from models.explain.class_activation.capture import to_heat

IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
CLASSES = torch.tensor([2, 0])
HEADS, SIDE = 2, 4  # heads, and side of a patch
EPS = 1e-6  # of timm's layer norms


class PlainVit:
    """The forward pass of a ViT in plain tensors, keeping what the formulas need."""

    def __init__(self, model, image, change=None):
        self.w, self.kept, self.attention = model.state_dict(), [], []
        patches = image.unfold(1, SIDE, SIDE).unfold(2, SIDE, SIDE).permute(1, 2, 0, 3, 4)
        kernel = self.w["patch_embed.proj.weight"].flatten(1)
        self.patches = patches.flatten(0, 1).flatten(1) @ kernel.T + self.w["patch_embed.proj.bias"]
        x = torch.cat([self.w["cls_token"][0], self.patches]) + self.w["pos_embed"][0]
        for number in range(2):
            x = self.block(x, f"blocks.{number}.", change)
        self.last = x
        self.normed = self.norm(x, "norm")
        self.logits = self.linear(self.normed[0], "head")

    def linear(self, x, name):
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def norm(self, x, name):
        deviation = (x.var(dim=-1, correction=0, keepdim=True) + EPS).sqrt()
        normed = (x - x.mean(dim=-1, keepdim=True)) / deviation
        return normed * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def block(self, x, name, change):
        kept = {"name": name, "x": x, "n1": self.norm(x, f"{name}norm1")}
        kept["qkv"] = self.linear(kept["n1"], f"{name}attn.qkv")
        q, k, v = kept["qkv"].view(len(x), 3, HEADS, -1).permute(1, 2, 0, 3)
        kept |= {"q": q, "k": k, "v": v, "s": q @ k.mT / q.shape[-1] ** 0.5}
        kept["a"] = kept["s"].softmax(dim=-1)
        if change is not None:  # a leaf to differentiate by
            kept["a"] = kept["a"] + change[len(self.attention)]
        self.attention.append(kept["a"])
        kept["o"] = kept["a"] @ v
        kept["flat"] = kept["o"].transpose(0, 1).flatten(1)
        kept["added"] = self.linear(kept["flat"], f"{name}attn.proj")
        kept["middle"] = x + kept["added"]
        kept["n2"] = self.norm(kept["middle"], f"{name}norm2")
        kept["h"] = self.linear(kept["n2"], f"{name}mlp.fc1")
        kept["g"] = gelu(kept["h"])
        kept["mlp"] = self.linear(kept["g"], f"{name}mlp.fc2")
        self.kept.append(kept)
        return kept["middle"] + kept["mlp"]


def rollout_by_hand(model, image, label):
    """Chefer et al., equations 5 and 6, with whole matrices."""
    changes = [torch.zeros(HEADS, 5, 5, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    vit = PlainVit(model, image, changes)
    gradients = torch.autograd.grad(vit.logits[label], changes)
    relevance = torch.eye(5, dtype=torch.float64)
    for attention, gradient in zip(vit.attention, gradients, strict=True):
        mean = (gradient * attention).clamp_min(0).mean(dim=0)
        relevance = relevance + mean @ relevance
    return relevance[0, 1:].detach().view(2, 2)


def shares(contributions, relevance, gamma=0.0, bias=0.0):
    """R_i of z (..., j, i): the gamma rule of the sign of the output, with the bias in the sum."""
    output = (contributions.sum(dim=-1) + bias)[..., None]
    same = torch.where(contributions * output.sign() > 0, contributions, 0)
    kept = torch.where(bias * output[..., 0].sign() > 0, bias, 0) if torch.is_tensor(bias) else 0
    modified = contributions + gamma * same
    total = output[..., 0] + gamma * (same.sum(dim=-1) + kept)
    return (modified * (relevance / total)[..., None]).sum(dim=-2)


class RelevanceByHand:
    """AttnLRP (Achtibat et al., 2024) backwards through `PlainVit`, without any gradient."""

    def __init__(self, vit, gamma):
        self.vit, self.w, self.gamma = vit, vit.w, gamma

    def linear(self, x, name, relevance):
        weight, bias = self.w[f"{name}.weight"], self.w[f"{name}.bias"]
        return shares(x[..., None, :] * weight, relevance, self.gamma, bias)

    def norm(self, x, name, relevance):
        size = x.shape[-1]
        centre = torch.eye(size, dtype=x.dtype) - 1 / size
        scale = self.w[f"{name}.weight"] / (x.var(-1, correction=0, keepdim=True) + EPS).sqrt()
        contributions = scale[..., None] * centre * x[..., None, :]
        return shares(contributions, relevance, 0.0, self.w[f"{name}.bias"].expand_as(x))

    def block(self, b, relevance):
        name, out = b["name"], b["middle"] + b["mlp"]
        to_mlp, to_middle = (relevance * b[part] / out for part in ("mlp", "middle"))
        to_mlp = self.linear(b["g"], f"{name}mlp.fc2", to_mlp)  # GELU passes it on
        to_mlp = self.linear(b["n2"], f"{name}mlp.fc1", to_mlp)
        to_middle = to_middle + self.norm(b["middle"], f"{name}norm2", to_mlp)
        to_x, added = (to_middle * b[part] / b["middle"] for part in ("x", "added"))
        heads = self.linear(b["flat"], f"{name}attn.proj", added).view(5, HEADS, -1).transpose(0, 1)
        return to_x + self.norm(b["x"], f"{name}norm1", self.attention(b, heads, name))

    def attention(self, b, relevance, name):
        ratio = relevance / b["o"]  # (h, i, d)
        to_v = 0.5 * b["v"] * torch.einsum("hij,hid->hjd", b["a"], ratio)
        to_a = 0.5 * b["a"] * torch.einsum("hjd,hid->hij", b["v"], ratio)
        to_s = b["s"] * (to_a - b["a"] * to_a.sum(dim=-1, keepdim=True))  # softmax, equation 13
        ratio = to_s / b["s"] / b["q"].shape[-1] ** 0.5
        to_q = 0.5 * b["q"] * torch.einsum("hij,hjd->hid", ratio, b["k"])
        to_k = 0.5 * b["k"] * torch.einsum("hij,hid->hjd", ratio, b["q"])
        together = torch.stack([to_q, to_k, to_v]).permute(2, 0, 1, 3).flatten(1)
        return self.linear(b["n1"], f"{name}attn.qkv", together)

    def patches(self, label):
        vit = self.vit
        relevance = torch.zeros_like(vit.last)
        start = torch.zeros_like(vit.logits)
        start[label] = vit.logits[label]
        relevance[0] = self.linear(vit.normed[0], "head", start)
        relevance = self.norm(vit.last, "norm", relevance)
        for kept in reversed(vit.kept):
            relevance = self.block(kept, relevance)
        share = vit.patches / (vit.patches + self.w["pos_embed"][0, 1:])
        return (share * relevance[1:]).sum(dim=-1).view(2, 2)


def test_plain_computation_is_that_of_timm(tiny_vit):
    model = tiny_vit()
    by_hand = torch.stack([PlainVit(model, image).logits for image in IMAGES])
    torch.testing.assert_close(by_hand, model(IMAGES))


def test_rollout_is_that_of_the_formulas(tiny_vit):
    model = tiny_vit()
    expected = [
        rollout_by_hand(model, image, int(label))
        for image, label in zip(IMAGES, CLASSES, strict=True)
    ]
    maps = gradient_rollout(model, IMAGES, CLASSES)
    torch.testing.assert_close(maps, to_heat(torch.stack(expected).float(), IMAGES))
    assert maps.amax(dim=(1, 2)).eq(1).all()


@pytest.mark.parametrize("gamma", [0.0, 0.05, 0.5])
def test_relevance_is_that_of_the_formulas(tiny_vit, gamma):
    model = tiny_vit()
    expected = [
        RelevanceByHand(PlainVit(model, image), gamma).patches(int(label))
        for image, label in zip(IMAGES, CLASSES, strict=True)
    ]
    found = patch_relevance(model, IMAGES, CLASSES, gamma)
    torch.testing.assert_close(found, torch.stack(expected).float(), rtol=1e-4, atol=1e-5)


def test_the_map_is_the_positive_relevance(tiny_vit):
    model = tiny_vit()
    for label in range(3):
        classes = torch.full((2,), label)
        relevance = patch_relevance(model, IMAGES, classes)
        torch.testing.assert_close(attn_lrp(model, IMAGES, classes), to_heat(relevance, IMAGES))

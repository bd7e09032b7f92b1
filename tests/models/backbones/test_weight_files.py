import argparse
from collections import OrderedDict

import pytest
import torch
from safetensors.torch import save_file

from models import SmallCNN
from models.backbones.weight_files import read_weights

NAMES = list(SmallCNN(2).state_dict())


@pytest.fixture
def state():
    torch.manual_seed(1)
    return SmallCNN(2).state_dict()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "w.pth"


def same(first, second):
    return list(first) == list(second) and all(first[n].equal(second[n]) for n in first)


@pytest.mark.parametrize("prefix", ["", "module.", "backbone.network.", "model._orig_mod.net."])
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model", "model_state", "state_dict_ema"])
def test_wrappers_and_prefixes_are_removed(state, file, wrapper, prefix):
    wrapped = OrderedDict((f"{prefix}{name}", tensor) for name, tensor in state.items())
    torch.save({wrapper: wrapped, "epoch": 3} if wrapper else wrapped, file)
    assert same(read_weights(file, NAMES), state)


def test_nested_wrappers_are_removed(state, file):
    torch.save({"state_dict": {"model": state}}, file)
    assert same(read_weights(file, NAMES), state)


def test_averaged_weights_are_preferred(state, file):
    other = {name: tensor + 1 for name, tensor in state.items()}
    torch.save({"state_dict": other, "state_dict_ema": state}, file)
    assert same(read_weights(file, NAMES), state)


def test_versions_of_the_names_are_kept(state, file):
    torch.save(state, file)
    assert read_weights(file, NAMES)._metadata == state._metadata


def test_tensors_outside_the_network_are_left_out_with_a_message(state, file, messages):
    wrapped = {f"backbone.{name}": tensor for name, tensor in state.items()}
    torch.save({**wrapped, "head.weight": torch.zeros(1), "epoch": 3}, file)
    assert same(read_weights(file, NAMES), state)
    assert "left out head.weight, which are not under backbone." in messages.text


def test_single_name_that_matches_by_chance_does_not_make_a_prefix(file):
    state = {f"teacher.{NAMES[0]}": torch.zeros(1), "other": torch.zeros(1)}
    torch.save(state, file)
    assert same(read_weights(file, NAMES), state)


def test_safetensors_are_read(state, tmp_path):
    save_file(state, tmp_path / "w.safetensors")
    read = read_weights(tmp_path / "w.safetensors", NAMES)
    assert all(read[name].equal(state[name]) for name in NAMES)


def test_namespaces_of_options_beside_the_weights_are_allowed(state, file):
    torch.save({"model": state, "args": argparse.Namespace(lr=0.1)}, file)
    assert same(read_weights(file, NAMES), state)


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"The file of weights .*gone\.pth does not exist"):
        read_weights(tmp_path / "gone.pth", NAMES)


@pytest.mark.parametrize("zipped", [True, False])
def test_file_that_needs_code_is_refused(file, zipped):
    torch.save(SmallCNN(2), file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        ValueError, match=r"w\.pth contains more than tensors.*code of models\.backbones\.small"
    ):
        read_weights(file, NAMES)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><html>not found</html>"])
def test_file_of_another_kind_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name} is damaged, or is not a file of weights"):
        read_weights(tmp_path / name, NAMES)


@pytest.mark.parametrize("zipped", [True, False])
def test_truncated_file_is_refused(state, file, zipped):
    torch.save(state, file, _use_new_zipfile_serialization=zipped)
    content = file.read_bytes()
    for length in (100, len(content) // 4, len(content) // 2, len(content) - 3000):
        file.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"w\.pth is damaged, or is not a file of weights"):
            read_weights(file, NAMES)


@pytest.mark.parametrize(
    ("content", "holds"),
    [({"epoch": 3, "lr": 0.1}, "epoch, lr"), ([1, 2], "a list"), ({}, "a dict")],
)
def test_file_without_tensors_is_refused(file, content, holds):
    torch.save(content, file)
    with pytest.raises(
        ValueError, match=rf"expected a state dict, that is, tensors by name; got {holds}\."
    ):
        read_weights(file, NAMES)

"""State dicts in safetensors files."""

import io
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.autograd.untyped import torch as autograd


def test_a_state_dict_goes_round(tmp_path: Path) -> None:
    state = OrderedDict(
        weight=autograd.randn(2, 3).requires_grad_(),
        transposed=autograd.arange(6).view(2, 3).t(),
        strided=autograd.arange(10.0)[::3],
        number=autograd.tensor(2.5, dtype=autograd.float64),
        flags=autograd.tensor([True, False]),
        half=autograd.ones(2, dtype=autograd.float16),
        empty=autograd.zeros(0, 3),
        array=np.arange(3, dtype=np.int32),
    )
    autograd.save(state, tmp_path / "state.safetensors")
    loaded = autograd.load(tmp_path / "state.safetensors")
    assert loaded.keys() == state.keys()
    for name, value in loaded.items():
        original = state[name]
        assert value.tolist() == original.tolist()
        assert value.shape == original.shape
        assert str(value._array.dtype) == str(getattr(original, "_array", original).dtype)
        assert not value.requires_grad
    # Any reader of safetensors understands the file.
    assert load_file(tmp_path / "state.safetensors")["transposed"].tolist() == [
        [0, 3],
        [1, 4],
        [2, 5],
    ]


def test_loaded_tensors_can_be_changed(tmp_path: Path) -> None:
    autograd.save({"a": autograd.ones(2)}, str(tmp_path / "a"))
    loaded = autograd.load(str(tmp_path / "a"), map_location="cpu")["a"]
    loaded.add_(1)
    assert loaded.tolist() == [2, 2]


def test_open_files(tmp_path: Path) -> None:
    state = {"a": autograd.arange(3.0), "b": autograd.ones(2, 2).t()}
    buffer = io.BytesIO()
    autograd.save(state, buffer)
    buffer.seek(0)
    loaded = autograd.load(buffer, weights_only=True)
    assert {name: value.tolist() for name, value in loaded.items()} == {
        "a": [0, 1, 2], "b": [[1, 1], [1, 1]],
    }  # fmt: skip
    with open(tmp_path / "a", "wb") as file:
        autograd.save(state, file)
    assert load_file(tmp_path / "a")["a"].tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match=r"BytesIO object at .* is damaged or no safetensors"):
        autograd.load(io.BytesIO(b"PK\x03\x04"))
    with pytest.raises(NotImplementedError, match="weights_only=False"):
        autograd.load(tmp_path / "a", weights_only=False)


def test_only_state_dicts_are_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"pass module.state_dict\(\)"):
        autograd.save(autograd.ones(2), tmp_path / "a")
    with pytest.raises(TypeError, match="'a' must be a tensor or array, not dict"):
        autograd.save({"a": {}}, tmp_path / "a")
    with pytest.raises(TypeError, match="names must be strings, not int"):
        autograd.save({1: autograd.ones(2)}, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    path.write_bytes(b"PK\x03\x04 no safetensors file")
    with pytest.raises(RuntimeError, match=r"state.pt is damaged or no safetensors file"):
        autograd.load(path)
    with pytest.raises(FileNotFoundError):
        autograd.load(tmp_path / "missing")

"""Rectifiers and their gradients end products, where nobody else sees what is between."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor, nn, optim
from autograd.backend import NUMPY
from autograd.compiled import writer
from autograd.functional.fused import affine, row_norm
from autograd.nn import functional
from tests.autograd.compiled.drivers import assert_close, captured, compiled

APART = {"MAXIMUM", "NOT_EQUAL", "WHERE"}  # what a rectifier and its gradient are, unfused


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes of the instructions of the latest program."""
    found: list[str] = []
    encode = writer.encode

    def noted(instructions: Sequence[Any], stages: int) -> Any:
        found[:] = [instruction.code or instruction.op for instruction in instructions]
        return encode(instructions, stages)

    monkeypatch.setattr(writer, "encode", noted)
    return found


def tensor(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


class Layers:
    """Two layers of two networks with a rectifier between, and what comes before or after it."""

    def __init__(self, kind: str = "") -> None:
        shapes = (2, 20, 9), (2, 1, 20), (2, 7, 20), (2, 1, 7), (2, 1, 20), (2, 1, 20)
        self.parts = [nn.Parameter(tensor(*shape, seed=i)) for i, shape in enumerate(shapes)]
        self.optimizer, self.kind = optim.Adam(self.parts, lr=0.01), kind

    def hidden(self, x: Tensor) -> Tensor:
        y = affine(x, *self.parts[:2])
        is_normalized = "norm" in self.kind and self.kind != "norm after"
        return self.normalized(y) if is_normalized else y

    def normalized(self, y: Tensor) -> Tensor:
        is_centred = "not centred" not in self.kind
        return row_norm(y, self.parts[4], self.parts[5], 1e-5, is_centred=is_centred)

    def __call__(self, x: Tensor) -> Tensor:
        y = self.hidden(x)
        z = functional.relu(y)
        if self.kind == "norm after":
            z = self.normalized(z)
        out = affine(z, *self.parts[2:4]).square().sum()
        if self.kind in ("seen before", "norm seen before"):
            out = out + y.exp().sum()
        if self.kind == "seen after":
            out = out + (z * 0.5).tanh().sum()
        self.optimizer.zero_grad()
        out.backward()
        self.optimizer.step()
        return out.detach()


KINDS = {
    "": ({"BIAS_RELU", "RELU_MASK"}, APART),
    "norm before": ({"CENTRED_RELU", "RELU_MASK"}, {"BIAS_RELU", *APART}),
    "norm before, not centred": ({"AS_IT_IS_RELU", "RELU_MASK"}, {"BIAS_RELU", *APART}),
    "norm seen before": ({"CENTRED", "MAXIMUM"}, {"CENTRED_RELU"}),
    "norm after": ({"BIAS_RELU", "MASK"}, {"RELU_MASK", *APART}),
    "seen before": ({"MAXIMUM", "BIAS"}, {"BIAS_RELU"}),
    "seen after": ({"BIAS_RELU", "MASK"}, {"RELU_MASK"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rectifier_between_layers(kind: str, codes: list[str]) -> None:
    fused, plain = Layers(kind), Layers(kind)
    program = captured(fused, [*fused.parts])
    for seed in range(3):
        x = tensor(40, 9, seed=seed)
        assert_close(program(x).numpy(), plain(x).numpy())
        for one, two in zip(fused.parts, plain.parts, strict=True):
            assert_close(one.detach().numpy(), two.detach().numpy())
    there, gone = KINDS[kind]
    assert there <= set(codes) and not gone & set(codes), codes
    assert program.compiler.left == []


def test_what_is_returned_is_not_fused_away(codes: list[str]) -> None:
    layers = Layers()

    def function(x: Tensor) -> tuple[Tensor, Tensor]:
        y = layers.hidden(x)
        return y.detach(), functional.relu(y).detach()

    y, z = captured(function, layers.parts)(tensor(40, 9))
    assert "MAXIMUM" in codes
    assert (y.numpy() < 0).any()
    np.testing.assert_array_equal(z.numpy(), np.maximum(y.numpy(), 0))


def masked(xp: Any, y: Any, g: Any, *later: Any) -> Any:
    """What the gradient of a rectifier is; `later` is added to `y` before the choice."""
    condition = y != 0
    for number in later:
        y += number
    return np.where(condition, g, 0)


@pytest.mark.parametrize("later", [(), (np.ones((40, 9), np.float32),)])
def test_mask_leaves_what_does_not_lie_under_zeros(later: tuple[np.ndarray, ...]) -> None:
    """Also what lies under negative numbers, which no rectifier gives; and by what was then."""
    rng = np.random.default_rng(0)
    y, g = rng.standard_normal((2, 40, 9)).astype(np.float32)
    y = y.round()
    assert (y < 0).any() and (y == 0).any()
    codes = ["NOT_EQUAL", "ADD", "WHERE"] if later else ["MASK"]
    ours = compiled(masked, y, g, *later, fused=codes)
    np.testing.assert_array_equal(ours, masked(NUMPY, y.copy(), g, *later))

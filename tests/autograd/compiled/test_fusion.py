"""Joined instructions, where nobody else sees what is between: rectifiers, and copies."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor, nn, optim
from autograd.backend import NUMPY
from autograd.compiled import writer
from autograd.compiled.instructions import Instruction, Place
from autograd.functional.fused import affine, row_norm
from autograd.nn import functional
from tests.autograd.compiled.drivers import assert_close, captured, compiled

APART = {"MAXIMUM", "NOT_EQUAL", "WHERE"}  # what a rectifier and its gradient are, unfused


@pytest.fixture
def instructions(monkeypatch: pytest.MonkeyPatch) -> list[Instruction]:
    """The instructions of the latest program."""
    found: list[Instruction] = []
    encode = writer.encode

    def noted(instructions: Sequence[Instruction], stages: int) -> Any:
        found[:] = instructions
        return encode(instructions, stages)

    monkeypatch.setattr(writer, "encode", noted)
    return found


def codes(instructions: Sequence[Instruction]) -> set[str]:
    """What instructions do."""
    return {instruction.code or instruction.op for instruction in instructions}


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
def test_rectifier_between_layers(kind: str, instructions: list[Instruction]) -> None:
    fused, plain = Layers(kind), Layers(kind)
    program = captured(fused, [*fused.parts])
    for seed in range(3):
        x = tensor(40, 9, seed=seed)
        assert_close(program(x).numpy(), plain(x).numpy())
        for one, two in zip(fused.parts, plain.parts, strict=True):
            assert_close(one.detach().numpy(), two.detach().numpy())
    there, gone = KINDS[kind]
    found = codes(instructions)
    assert there <= found and not gone & found
    assert program.compiler.left == []


def test_what_is_returned_is_not_fused_away(instructions: list[Instruction]) -> None:
    layers = Layers()

    def function(x: Tensor) -> tuple[Tensor, Tensor]:
        y = layers.hidden(x)
        return y.detach(), functional.relu(y).detach()

    y, z = captured(function, layers.parts)(tensor(40, 9))
    assert "MAXIMUM" in codes(instructions)
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
    fused = ["NOT_EQUAL", "ADD", "WHERE"] if later else ["MASK"]
    ours = compiled(masked, y, g, *later, fused=fused)
    np.testing.assert_array_equal(ours, masked(NUMPY, y.copy(), g, *later))


COPIED: dict[str, tuple[tuple[int, ...], Any, bool]] = {
    # The shape of what a sum makes, where it is copied to in an array of 2 x 100, and whether the
    # sum may be made there.
    "a block of each row": ((2, 15), np.s_[:, 7:22], True),
    "a block of each row, from one row of 30": ((2, 3, 5), np.s_[:, 7:22], False),
    "a row": ((4, 25), np.s_[1], True),
    "every second place": ((2, 50), np.s_[:, ::2], True),
    "backwards": ((2, 100), np.s_[:, ::-1], True),
}


@pytest.mark.parametrize("case", COPIED)
def test_what_is_copied_is_made_there(case: str) -> None:
    shape, where, is_made_there = COPIED[case]
    rng = np.random.default_rng(0)
    x = rng.standard_normal((*shape, 6)).astype(np.float32)
    target = rng.standard_normal((2, 100)).astype(np.float32)

    def function(xp: Any, x: Any, target: Any) -> Any:
        total = xp.sum(x, axis=-1)
        xp.copy(total.reshape(target[where].shape), target[where])
        return target

    ours = compiled(function, x, target, fused=["SUM"] if is_made_there else ["SUM", "COPY"])
    expected = target.copy()
    expected[where] = x.sum(-1).reshape(expected[where].shape)
    assert_close(ours, expected)


@pytest.mark.parametrize(
    "moment", ["read between", "written between", "checked between", "read afterwards", "shown"]
)
def test_copy_stays_where_it_must(moment: str) -> None:
    rng = np.random.default_rng(0)
    x, target = (rng.standard_normal(s).astype(np.float32) for s in ((4, 25, 6), (2, 100)))

    def function(xp: Any, x: Any, target: Any) -> Any:
        total, seen = xp.sum(x, axis=-1), None
        if moment == "read between":
            seen = target * 2
        if moment == "written between":
            xp.copy(3.0, target[0, :4])
        if moment == "checked between":  # a program that stops leaves tensors as they were
            arrays = xp.sum(x).reshape(1), xp.empty((1,))
            places = [Place(xp.memory.place(a)[0], "FLOAT", 0, (0, 0, 0, 0)) for a in arrays]
            xp.write(Instruction("CHECK", "", (1, 1, 1, 1), places, 1))
        xp.copy(total.reshape(100), target[0])
        if moment == "read afterwards":
            seen = total * 2
        return (target, total if moment == "shown" else target if seen is None else seen)

    fused = {
        "read between": ["SUM", "MULTIPLY", "COPY"],
        "written between": ["SUM", "COPY", "COPY"],
        "checked between": ["SUM", "SUM", "", "COPY"],
        "read afterwards": ["SUM", "COPY", "MULTIPLY"],
        "shown": ["SUM", "COPY"],
    }
    target_after, seen = compiled(function, x, target, fused=fused[moment])
    total = x.sum(-1)
    assert_close(target_after, np.stack([total.reshape(100), target[1]]))
    if moment not in ("written between", "checked between"):
        wanted = {"read between": 2 * target, "read afterwards": 2 * total, "shown": total}
        assert_close(seen, wanted[moment])


def test_copy_of_a_copy() -> None:
    x = np.random.default_rng(0).standard_normal((4, 25, 6)).astype(np.float32)

    def function(xp: Any, x: Any, target: Any) -> Any:
        between = xp.empty((2, 50), np.float32)
        xp.copy(xp.sum(x, axis=-1).reshape(2, 50), between)
        xp.copy(between, target[:, ::2])
        return target

    ours = compiled(function, x, np.zeros((2, 100), np.float32), fused=["SUM"])
    assert_close(ours[:, ::2], x.sum(-1).reshape(2, 50))


def test_gradients_are_made_in_their_places(instructions: list[Instruction]) -> None:
    """Among all of the networks', which are one leaf."""
    shape = [nn.steps.Affine(20), nn.steps.Activation("relu"), nn.steps.Affine(3)]
    nets = [nn.BlockStack(9, shape, 2, generator=torch.Generator().manual_seed(0)) for _ in "ab"]
    steps = []
    for net in nets:
        optimizer = optim.Adam(net.parameters(), lr=0.01)

        def step(x: Tensor, net: nn.BlockStack = net, optimizer: optim.Adam = optimizer) -> Tensor:
            loss = net(x).square().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.detach()

        steps.append(step)
    program = captured(steps[0], [nets[0].flat])
    for seed in range(3):
        x = tensor(40, 9, seed=seed)
        assert_close(program(x).numpy(), steps[1](x).numpy())
        assert_close(*(net.flat.detach().numpy() for net in nets))
    (adam,) = (each for each in instructions if each.op == "ADAM")
    gradients = adam.places[1].root
    makers = [each for each in instructions if gradients in {p.root for p in each.written()}]
    assert [each.op for each in makers].count("STRIPS") == 2  # the weights
    assert {each.op for each in makers} == {"STRIPS", "REDUCE"}

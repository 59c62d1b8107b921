"""Random tensors and their generators."""

import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Generator, Tensor
from autograd.generator import from_numpy_generator
from tests.autograd.untyped import torch as autograd


def seeded(seed: int = 3) -> Generator:
    return Generator().manual_seed(seed)


@pytest.mark.parametrize("draw", [
    lambda g: autograd.rand(3, generator=g),
    lambda g: autograd.randn(3, generator=g),
    lambda g: autograd.randint(10, (3,), generator=g),
    lambda g: autograd.randperm(5, generator=g),
    lambda g: autograd.normal(0.0, 2.0, (3,), generator=g),
    lambda g: autograd.normal(autograd.zeros(3), 2.0, generator=g),
    lambda g: autograd.randn_like(autograd.zeros(3), generator=g),
])  # fmt: skip
def test_a_seed_decides(draw: Callable[[Generator], Tensor]) -> None:
    generator = seeded()
    first, second = draw(generator), draw(generator)
    assert draw(seeded()).tolist() == first.tolist()
    assert first.tolist() != second.tolist()


def test_the_default_generator_is_seeded_apart() -> None:
    autograd.manual_seed(7)
    first = autograd.randn(3)
    assert autograd.initial_seed() == 7
    own = seeded()
    autograd.manual_seed(7)
    autograd.randn(5, generator=own)
    assert autograd.randn(3).tolist() == first.tolist()
    state = autograd.get_rng_state()
    after = autograd.rand(2).tolist()
    autograd.set_rng_state(state)
    assert autograd.rand(2).tolist() == after


def test_state_goes_round_exactly() -> None:
    generator = seeded()
    autograd.randint(5, (3,), generator=generator, dtype=autograd.int32)
    state, plain = generator.get_state(), json.loads(json.dumps(generator.state_dict()))
    expected = autograd.randn(4, generator=generator).tolist()
    generator.set_state(state)
    assert autograd.randn(4, generator=generator).tolist() == expected
    other = Generator()
    other.load_state_dict(plain)
    assert other.initial_seed() == 3
    assert autograd.randn(4, generator=other).tolist() == expected
    again = pickle.loads(pickle.dumps(generator))
    follow = autograd.rand(2, generator=generator).tolist()
    assert autograd.rand(2, generator=again).tolist() == follow


@pytest.mark.parametrize(
    "kind",
    [
        np.random.PCG64,
        np.random.PCG64DXSM,
        np.random.MT19937,
        np.random.Philox,
        np.random.SFC64,
    ],
)
def test_any_generator_of_numpy_can_be_wrapped(kind: type) -> None:
    ours = from_numpy_generator(np.random.Generator(kind(5)))
    theirs = np.random.Generator(kind(5))
    drawn = autograd.randn(3, generator=ours).numpy()
    assert drawn.tolist() == theirs.standard_normal(3, np.float32).tolist()
    other = Generator()
    other.load_state_dict(json.loads(json.dumps(ours.state_dict())))
    assert autograd.rand(3, generator=other).tolist() == theirs.random(3, np.float32).tolist()


def test_a_seed_sequence_seeds() -> None:
    sequence = np.random.SeedSequence(3).spawn(2)[1]
    drawn = autograd.rand(2, generator=from_numpy_generator(sequence))
    again = autograd.rand(2, generator=from_numpy_generator(np.random.SeedSequence(3).spawn(2)[1]))
    assert drawn.tolist() == again.tolist()


def test_no_gradient_goes_through_a_draw() -> None:
    mean = autograd.tensor([[1.0, 2.0]], requires_grad=True)
    std = autograd.tensor([[1.0], [2.0]], requires_grad=True)
    drawn = autograd.normal(mean, std)
    assert drawn.requires_grad and drawn.grad_fn.name() == "NormalBackward0"
    gradients = autograd.grad(drawn.sum(), (mean, std))
    assert [g.tolist() for g in gradients] == [[[0, 0]], [[0], [0]]]


def test_states_that_are_refused() -> None:
    with pytest.raises(TypeError, match=r"RNG state must be a torch.ByteTensor"):
        Generator().set_state(autograd.zeros(3))
    with pytest.raises(RuntimeError, match="no state of a Generator"):
        Generator().set_state(autograd.zeros(3, dtype=autograd.uint8))
    for name in ("Generator", "BitGenerator", "nowhere", 3, ["PCG64"]):
        state = {"seed": 1, "bit_generator": {"bit_generator": name}}
        with pytest.raises(RuntimeError, match="no state of a Generator"):
            Generator().load_state_dict(state)


def test_seeds() -> None:
    assert Generator().initial_seed() == 67280421310721
    assert seeded(-1).initial_seed() == 2**64 - 1
    generator = Generator()
    assert generator.seed() == generator.initial_seed()
    for wrong, error in ((1.5, RuntimeError), (2**64, ValueError), ("a", TypeError)):
        with pytest.raises(error):
            Generator().manual_seed(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"must be torch.Generator, not int"):
        autograd.randn(2, generator=3)
    if not autograd.cuda.is_available():
        with pytest.raises((AssertionError, RuntimeError), match="CUDA"):
            Generator("cuda")


def test_dtypes_and_ranges() -> None:
    uniform = autograd.rand(1000, generator=seeded())
    assert uniform.dtype is autograd.float32
    assert 0 <= uniform.min().item() <= uniform.max().item() < 1
    assert autograd.rand(2, dtype=autograd.float64).dtype is autograd.float64
    assert autograd.randn(2, dtype=autograd.float16).dtype is autograd.float16
    whole = autograd.randint(-2, 3, (1000,), generator=seeded())
    assert (whole.min().item(), whole.max().item()) == (-2, 2)
    assert autograd.randint(0, 2, (2,), dtype=autograd.bool).dtype is autograd.bool
    assert sorted(autograd.randperm(6).tolist()) == [0, 1, 2, 3, 4, 5]
    assert autograd.randint_like(autograd.zeros(2), 5).dtype is autograd.float32
    normal = autograd.normal(10.0, 0.1, (1000,), generator=seeded())
    assert abs(normal.mean().item() - 10) < 0.02
    spread = autograd.normal(autograd.zeros(2, 1), autograd.ones(3), generator=seeded())
    assert spread.shape == (2, 3)
    assert autograd.rand(2, requires_grad=True).is_leaf


@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda: autograd.randn(2, dtype=autograd.int64), NotImplementedError, "for 'Long'"),
    (lambda: autograd.rand(-1), RuntimeError, "negative dimension -1"),
    (lambda: autograd.randint(3, 1, (2,)), RuntimeError, "expects 'from' to be less than 'to'"),
    (lambda: autograd.randint(3, 2), TypeError, "must be tuple of ints, not int"),
    (lambda: autograd.randint(300, (2,), dtype=autograd.uint8), RuntimeError, "out of bounds"),
    (lambda: autograd.randperm(-1), RuntimeError, "negative dimension"),
    (lambda: autograd.normal(0.0, -1.0, (2,)), RuntimeError, "normal expects std >= 0.0"),
    (lambda: autograd.normal(0.0, 1.0), TypeError, "needs a size"),
    (lambda: autograd.normal(autograd.zeros(2), autograd.ones(3)), RuntimeError,
     "must match the size of tensor b"),
])  # fmt: skip
def test_arguments_that_are_refused(
    call: Callable[[], Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as raised:
        call()
    assert text in str(raised.value)

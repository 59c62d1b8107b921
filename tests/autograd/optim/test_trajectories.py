"""The paths that optimizers take, beside the papers' formulas in float64."""

import math

import numpy as np
import pytest

import autograd as torch

optim = torch.optim
STEPS = 12


def slope(x):
    """The gradient of sum(cosh(x)), which differs along each direction."""
    return np.sinh(x)


def sgd(x, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False):
    velocity = None
    for _ in range(STEPS):
        g = (-slope(x) if maximize else slope(x)) + weight_decay * x
        if momentum:
            velocity = g if velocity is None else momentum * velocity + (1 - dampening) * g
            g = g + momentum * velocity if nesterov else velocity
        x = x - lr * g
    return x


def adam(
    x, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, maximize=False,
    decoupled=False,
):  # fmt: skip
    m = v = largest = np.zeros_like(x)
    for t in range(1, STEPS + 1):
        g = -slope(x) if maximize else slope(x)
        if decoupled:
            x = x * (1 - lr * weight_decay)
        else:
            g = g + weight_decay * x
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        largest = np.maximum(largest, v)
        second = (largest if amsgrad else v) / (1 - betas[1] ** t)
        x = x - lr * m / (1 - betas[0] ** t) / (np.sqrt(second) + eps)
    return x


def adamw(x, weight_decay=1e-2, **settings):
    return adam(x, weight_decay=weight_decay, decoupled=True, **settings)


def rmsprop(
    x, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, maximize=False
):
    mean_square = mean = velocity = np.zeros_like(x)
    for _ in range(STEPS):
        g = (-slope(x) if maximize else slope(x)) + weight_decay * x
        mean_square = alpha * mean_square + (1 - alpha) * g * g
        mean = alpha * mean + (1 - alpha) * g
        variance = mean_square - mean * mean if centered else mean_square
        velocity = momentum * velocity + g / (np.sqrt(variance) + eps)
        x = x - lr * velocity
    return x


CASES = [
    (optim.SGD, sgd, {}),
    (optim.SGD, sgd, {"lr": 0.1, "weight_decay": 0.3}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.9}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.9, "dampening": 0.4}),
    (optim.SGD, sgd, {"lr": 0.1, "momentum": 0.7, "nesterov": True, "weight_decay": 0.1}),
    (optim.SGD, sgd, {"lr": 0.01, "momentum": 0.5, "maximize": True}),
    (optim.Adam, adam, {}),
    (optim.Adam, adam, {"lr": 0.1, "betas": (0.5, 0.8), "eps": 0.1}),
    (optim.Adam, adam, {"lr": 0.1, "betas": (0.2, 0.8), "eps": 0.1}),
    (optim.Adam, adam, {"lr": 0.1, "weight_decay": 0.3}),
    (optim.Adam, adam, {"lr": 0.1, "amsgrad": True}),
    (optim.Adam, adam, {"lr": 0.1, "maximize": True, "weight_decay": 0.1}),
    (optim.AdamW, adamw, {"lr": 0.1}),
    (optim.AdamW, adamw, {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True}),
    (optim.RMSprop, rmsprop, {}),
    (optim.RMSprop, rmsprop, {"lr": 0.1, "alpha": 0.8, "eps": 0.1, "weight_decay": 0.3}),
    (optim.RMSprop, rmsprop, {"momentum": 0.9, "centered": True, "maximize": True}),
]


def start(dtype):
    generator = np.random.default_rng(0)
    return [generator.normal(size=shape).astype(dtype) for shape in ((3, 4), (5,), ())]


def run(optimizer_class, settings, arrays, groups=False, device="cpu"):
    """Where the parameters are after some steps, all in one group or each in its own."""
    parameters = [torch.tensor(a, requires_grad=True, device=device) for a in arrays]
    listed = [{"params": [p]} for p in parameters] if groups else parameters
    optimizer = optimizer_class(listed, **settings)
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.stack([(p.exp() + (-p).exp()).sum() / 2 for p in parameters]).sum().backward()
        optimizer.step()
    return [p.detach().cpu().numpy() for p in parameters]


def test_adam_without_memory_of_gradients_keeps_the_bits_of_a_small_one(device):
    """Which the difference from a large first moment would lose."""
    x = torch.zeros(3, requires_grad=True, device=device)
    optimizer = optim.Adam([x], lr=0.01, betas=(0.0, 0.999))
    for gradient in (10.0, 1e-6):
        x.grad = torch.full((3,), gradient, device=device)
        optimizer.step()
    np.testing.assert_allclose(optimizer.state[x]["exp_avg"].cpu().numpy(), 1e-6, rtol=1e-6)


@pytest.mark.parametrize("groups", [False, True], ids=["together", "apart"])
@pytest.mark.parametrize(("optimizer_class", "formula", "settings"), CASES)
def test_path_is_the_formulas(optimizer_class, formula, settings, groups, device):
    arrays = start(np.float64)
    paths = run(optimizer_class, settings, arrays, groups, device)
    for found, array in zip(paths, arrays, strict=True):
        np.testing.assert_allclose(found, formula(array, **settings), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("optimizer_class", "formula", "settings"), CASES)
def test_float32_stays_and_follows(optimizer_class, formula, settings, device):
    arrays = start(np.float32)
    paths = run(optimizer_class, settings, arrays, device=device)
    for found, array in zip(paths, arrays, strict=True):
        assert found.dtype == np.float32
        expected = formula(array.astype(np.float64), **settings)
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


def test_the_first_step_of_adam_is_the_learning_rate():
    x = torch.tensor([3.0, -0.01, 1e4], requires_grad=True)
    optimizer = optim.Adam([x], lr=0.5)
    x.grad = torch.tensor([2.0, -1e-3, 1e6])
    optimizer.step()
    np.testing.assert_allclose(x.detach().numpy(), [2.5, 0.49, 9999.5], rtol=1e-4)


def test_a_rate_that_is_a_tensor():
    numbers, tensors = (
        run(optim.Adam, {"lr": lr}, start(np.float64)) for lr in (0.25, torch.tensor(0.25))
    )
    for one, other in zip(numbers, tensors, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("optimizer_class", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop])
def test_infinite_gradients_are_silent(optimizer_class, device):
    x = torch.ones(3, requires_grad=True, device=device)
    optimizer = optimizer_class([x], lr=0.1)
    for _ in range(2):
        x.grad = torch.tensor([math.inf, -math.inf, math.nan], device=device)
        optimizer.step()
    assert not x.isfinite().any().item()

"""Modules, losses and initial values on a GPU: those of the CPU, from the same code."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import nn
from tests.autograd.untyped import torch
from tests.on_devices import no_waiting

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((6, 4)).astype("f4")
IMAGES = RNG.standard_normal((2, 4, 5, 5)).astype("f4")
CLASSES = np.array([0, 3, 1, 2, 2, 0])

MODULES: dict[str, tuple[Callable[[], nn.Module], np.ndarray]] = {
    **{
        kind.__name__: (kind, ROWS)
        for kind in (nn.ELU, nn.GELU, nn.Identity, nn.LeakyReLU, nn.LogSigmoid, nn.ReLU, nn.SiLU,
                     nn.Sigmoid, nn.Softplus, nn.Tanh)
    },
    "GELU tanh": (lambda: nn.GELU("tanh"), ROWS),
    "Softmax": (lambda: nn.Softmax(dim=1), ROWS),
    "LogSoftmax": (lambda: nn.LogSoftmax(dim=1), ROWS),
    "Linear": (lambda: nn.Linear(4, 3), ROWS),
    "Linear, no bias": (lambda: nn.Linear(4, 3, bias=False), ROWS),
    "MLPStack": (lambda: nn.MLPStack([4, 5, 2], "relu", 2), ROWS),
    "MLPStack, not fused": (lambda: nn.MLPStack([4, 5, 2], "silu", 2), ROWS),
    "BlockStack": (
        lambda: nn.BlockStack(4, [nn.steps.BatchNorm(), nn.steps.Affine(3)], 2), ROWS
    ),
    "LayerNorm": (lambda: nn.LayerNorm(4), ROWS),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(4), ROWS),
    "Flatten": (nn.Flatten, IMAGES),
    "Conv2d": (lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), IMAGES),
    "Sequential": (
        lambda: nn.Sequential(nn.Conv2d(4, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 2)),
        IMAGES,
    ),
}  # fmt: skip
LOSSES: dict[str, tuple[nn.Module, np.ndarray]] = {
    kind.__name__: (kind(), target)
    for kind, target in [
        (nn.MSELoss, ROWS[::-1]), (nn.L1Loss, ROWS[::-1]), (nn.SmoothL1Loss, ROWS[::-1]),
        (nn.HuberLoss, ROWS[::-1]), (nn.BCEWithLogitsLoss, ROWS[::-1]),
        (nn.CrossEntropyLoss, CLASSES), (nn.NLLLoss, CLASSES),
    ]
}  # fmt: skip
# Others: they hold modules, or draw (below).
ELSEWHERE = {"Layer", "Module", "ModuleDict", "ModuleList", "Parameter", "Dropout", "Embedding"}


def test_every_module_is_tested() -> None:
    kinds = {name for name in dir(nn) if inspect.isclass(getattr(nn, name))}
    assert kinds - ELSEWHERE <= MODULES.keys() | LOSSES.keys()


def outcome(module: nn.Module, x: np.ndarray, device: str) -> list[np.ndarray]:
    """The output, and the gradients of the input and of all parameters."""
    given = torch.tensor(x, device=device, requires_grad=True)
    result = module(given)
    assert result.device.type == device
    (result * result).sum().backward()
    tensors = [result.detach(), given.grad, *(p.grad for p in module.parameters())]
    assert {t.device.type for t in tensors if t is not None} == {device}
    return [t.cpu().numpy() for t in tensors if t is not None]


def assert_close(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for mine, wanted in zip(found, expected, strict=True):
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(mine, wanted, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_does_what_it_does_on_the_cpu(name: str, cuda: str) -> None:
    make, x = MODULES[name]
    here, there = make(), make().to(cuda)
    there.load_state_dict(here.state_dict())  # which lies on the CPU
    assert {t.device.type for t in there.state_dict().values()} <= {cuda}
    assert_close(outcome(there, x, cuda), outcome(here, x, "cpu"))
    for tensor, other in zip(here.buffers(), there.buffers(), strict=True):  # statistics
        np.testing.assert_allclose(other.cpu().numpy(), tensor.numpy(), rtol=1e-5)
    assert {p.device.type for p in there.cpu().parameters()} <= {"cpu"}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_that_of_the_cpu(name: str, cuda: str) -> None:
    loss, target = LOSSES[name]
    found = []
    for device in ("cpu", cuda):
        x = torch.tensor(ROWS, device=device, requires_grad=True)
        value = loss(x, torch.tensor(np.ascontiguousarray(target), device=device))
        value.backward()
        assert x.grad is not None
        found.append([value.detach().cpu().numpy(), x.grad.cpu().numpy()])
    assert_close(found[1], found[0])


def test_dropout_draws_on_the_device(cuda: str) -> None:
    x = torch.ones(200, 50, device=cuda)
    dropped = nn.Dropout(0.25)(x).cpu().numpy()
    assert set(np.unique(dropped)) == {0, np.float32(1 / 0.75)}
    assert 0.2 < (dropped == 0).mean() < 0.3


def test_an_embedding_is_that_of_the_cpu(cuda: str) -> None:
    here, there = nn.Embedding(4, 3, padding_idx=1), nn.Embedding(4, 3, padding_idx=1).to(cuda)
    there.load_state_dict(here.state_dict())
    outs = [m(torch.tensor(CLASSES, device=d)) for m, d in ((here, "cpu"), (there, cuda))]
    for out in outs:
        (out * out).sum().backward()
    np.testing.assert_array_equal(outs[1].detach().cpu().numpy(), outs[0].detach().numpy())
    gradients = [m.weight.grad for m in (here, there)]
    assert gradients[0] is not None and gradients[1] is not None
    np.testing.assert_allclose(gradients[1].cpu().numpy(), gradients[0].numpy())


INITS: list[Callable[[Any], Any]] = [
    nn.init.uniform_, nn.init.normal_, nn.init.xavier_uniform_, nn.init.xavier_normal_,
    nn.init.kaiming_uniform_, nn.init.kaiming_normal_, nn.init.orthogonal_,
]  # fmt: skip


@pytest.mark.parametrize("init", INITS, ids=lambda init: init.__name__)
def test_initial_values_come_from_the_generator_of_the_device(init: Any, cuda: str) -> None:
    drawn = [
        init(torch.empty(8, 8, device=cuda), generator=torch.Generator(cuda).manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert {t.device.type for t in drawn} == {cuda}
    first, same, other = (t.cpu().numpy() for t in drawn)
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_gradients_are_clipped_without_waiting_for_the_device(device: str) -> None:
    parameters = [torch.ones(3, device=device, requires_grad=True) for _ in range(2)]
    for parameter in parameters:
        parameter.grad = torch.full((3,), 2.0, device=device)
    with no_waiting(device):
        norm = nn.utils.clip_grad_norm_(parameters, 1.0)
    assert norm.device.type == device
    assert float(norm) == pytest.approx(24**0.5)
    for parameter in parameters:
        np.testing.assert_allclose(parameter.grad.cpu().numpy(), 2 / 24**0.5, rtol=1e-5)


def test_devices_do_not_mix(cuda: str) -> None:
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        nn.Linear(4, 3).to(cuda)(torch.tensor(ROWS))
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device"):
        torch.ones(2, device=cuda) + torch.ones(2)
    assert (torch.ones(2, device=cuda) + torch.tensor(1.0)).tolist() == [2, 2]  # 0-d ones may

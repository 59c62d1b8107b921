"""Tensors on GPUs: moving, several of them, indices out of bounds, memory, random numbers."""

import copy

import numpy as np
import pytest

import autograd as torch
from tests.on_devices import no_waiting


@pytest.fixture
def second(cuda: str) -> str:
    """The name of a second GPU."""
    if torch.cuda.device_count() < 2:
        pytest.skip("there is one GPU only")
    return "cuda:1"


def test_results_stay_on_the_gpu_of_their_inputs(second: str) -> None:
    x = torch.ones(2, 3, device=second, requires_grad=True)
    y = (x @ torch.full((3, 2), 2.0, device=second)).exp().sum()
    y.backward()
    assert x.grad is not None
    for tensor in (x, y, x.grad, torch.zeros_like(x), x.detach().clone(), x[0].float()):
        assert tensor.device == torch.device(second)
    assert torch.cuda.current_device() == 0
    assert torch.zeros(2, device="cuda").device == torch.device("cuda:0")


def test_gpus_do_not_mix_but_copy(second: str) -> None:
    here, there = torch.ones(2, device="cuda"), torch.ones(2, device=second)
    with pytest.raises(RuntimeError, match=r"at least two devices, cuda:0 and cuda:1"):
        here + there
    assert (here + there.to("cuda")).tolist() == [2, 2]
    here.copy_(3 * there)
    assert here.tolist() == [3, 3]
    assert there.to("cuda:0").device == here.device


def test_gradients_cross_between_devices(cuda: str) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x.to(cuda) * torch.tensor([3.0, 4.0], device=cuda)).cpu().sum().backward()
    assert x.grad is not None
    assert x.grad.device.type == "cpu"
    assert x.grad.tolist() == [3, 4]


@pytest.mark.parametrize("wrong", [5, -6])
def test_an_index_out_of_bounds_raises_when_the_host_next_waits(wrong: int, cuda: str) -> None:
    """CuPy wraps it around in silence."""
    x, index = torch.arange(5.0, device=cuda), torch.tensor([0, wrong], device=cuda)
    taken = x[index]
    with pytest.raises(IndexError, match="out of bounds"):
        taken.tolist()
    assert x[torch.tensor([-1, 4], device=cuda)].tolist() == [4, 4]  # and only once


def test_numbers_of_a_step_do_not_wait(cuda: str) -> None:
    x = torch.ones(8, 4, device=cuda, requires_grad=True)
    optimizer = torch.optim.Adam([x], lr=0.1)
    for step in range(3):
        optimizer.zero_grad()
        loss = (x.tanh() ** 2).mean()
        if step == 0:
            loss.backward()
            optimizer.step()
            continue
        with no_waiting(cuda):
            loss.backward()
            optimizer.step()
    assert loss.item() > 0


def test_a_generator_of_the_gpu_goes_on_from_its_state(cuda: str) -> None:
    generator = torch.Generator(cuda).manual_seed(4)
    torch.rand(7, generator=generator, device=cuda)
    state, twin = generator.get_state(), copy.deepcopy(generator)
    expected = torch.randn(5, generator=generator, device=cuda).tolist()
    assert torch.randn(5, generator=twin, device=cuda).tolist() == expected
    other = torch.Generator(cuda)
    other.set_state(state)
    assert torch.randn(5, generator=other, device=cuda).tolist() == expected
    assert sorted(torch.randperm(50, generator=other, device=cuda).tolist()) == list(range(50))


def test_the_seed_of_the_gpus(cuda: str) -> None:
    torch.cuda.manual_seed(3)
    first = torch.rand(4, device=cuda).tolist()
    torch.cuda.manual_seed(3)
    assert torch.rand(4, device=cuda).tolist() == first


def test_memory_is_counted(cuda: str) -> None:
    before = torch.cuda.memory_allocated()
    x = torch.zeros(1024, 256, device=cuda)
    assert torch.cuda.memory_allocated() - before == x.numel() * 4
    del x
    assert torch.cuda.memory_allocated() == before


def test_what_numpy_can_take_is_copied_first(cuda: str) -> None:
    x = torch.arange(3.0, device=cuda)
    with pytest.raises(TypeError, match=r"Use Tensor.cpu\(\) to copy the tensor to host memory"):
        x.numpy()
    np.testing.assert_array_equal(x.cpu().numpy(), [0, 1, 2])
    np.testing.assert_array_equal(x.numpy(force=True), [0, 1, 2])

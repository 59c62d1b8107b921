"""Captured functions, compiled: what NumPy does in between, what falls back, who owns memory."""

import gc
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor, nn, optim
from autograd.compiled import Compiler
from autograd.compiled.build import shared_library
from autograd.compiled.library import Library
from autograd.engine.capture import Captured, effect
from autograd.functional.fused import random_shift
from tests.autograd.compiled.drivers import assert_close, captured, library


def tensor(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def reasons(program: Captured) -> list[str]:
    return [line.rpartition(": ")[2] for line in program.compiler.left]


def is_compiled(program: Captured) -> bool:
    (function,) = program.programs.values()
    return function is not None and "run(" in (function.__doc__ or "")


FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], list[str]]] = {
    "all compiled": (lambda x: (x @ x.T).tanh().sum(1), []),
    "a statement first": (lambda x: x.cumsum(0).exp() * x, ["numpy.cumsum"]),
    "a statement last": (lambda x: (x * 2).exp().cumsum(0), ["numpy.cumsum"]),
    "statements between": (
        lambda x: ((x * 2).cumsum(0) + x.exp().cumsum(1)).sum(0) * x[0],
        ["numpy.cumsum", "numpy.cumsum"],
    ),
    "of a view": (lambda x: (x * 2)[1:, ::2].cumsum(0) * x[1:, ::2], ["numpy.cumsum"]),
    "several results": (lambda x: torch.cat((x * 2).sort(0)[:1]) + x, ["numpy.argsort"]),
}  # fmt: skip


@pytest.mark.parametrize(("function", "left"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_numpy_does_what_has_no_kernel(
    function: Callable[[Tensor], Tensor], left: list[str]
) -> None:
    program = captured(function)
    for seed in range(3):
        x = tensor(20, 6, seed=seed)
        assert_close(program(x).numpy(), function(x).numpy())
    assert program.reason == "" and is_compiled(program)
    assert len(reasons(program)) == len(left), reasons(program)
    assert all(map(str.startswith, reasons(program), left)), reasons(program)


class Learner:
    """An update with what the test puts between the loss and the step."""

    def __init__(self, between: Callable[["Learner", Tensor], Any] | None = None) -> None:
        self.weight = nn.Parameter(tensor(3, 4))
        self.optimizer = optim.Adam([self.weight], lr=0.01)
        self.generator = torch.Generator()
        self.generator.manual_seed(0)
        self.between = between
        self.calls = 0
        self.program = captured(self.learn, [self.weight])

    def learn(self, x: Tensor) -> Any:
        noise = torch.randn(7, 4, generator=self.generator)
        loss = ((x @ self.weight).tanh() - noise).square().mean()
        found = self.between(self, loss) if self.between else None
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.detach(), "found": found, "two": (loss.detach() * 2, [noise])}

    @effect
    def count(self, loss: Tensor) -> None:
        self.calls += 1


def test_unknown_effect_keeps_the_program_in_numpy_and_happens_once_a_call() -> None:
    learner, plain = (Learner(lambda a, loss: a.count(loss)) for _ in range(2))
    for calls in range(1, 4):
        ours, theirs = learner.program(tensor(7, 3)), plain.learn(tensor(7, 3))
        assert learner.calls == calls
        np.testing.assert_array_equal(ours["loss"].numpy(), theirs["loss"].numpy())
    assert learner.program.reason == "" and not is_compiled(learner.program)


def test_first_call_changes_what_one_call_changes() -> None:
    learner, plain = Learner(), Learner()
    for seed in range(3):
        ours, theirs = (
            learner.program(tensor(7, 3, seed=seed)),
            plain.learn(tensor(7, 3, seed=seed)),
        )
        assert_close(ours["loss"].numpy(), theirs["loss"].numpy())
        assert_close(ours["two"][1][0].numpy(), theirs["two"][1][0].numpy(), is_exact=True)
        assert_close(learner.weight.detach().numpy(), plain.weight.detach().numpy())
        assert learner.weight.grad is not None and plain.weight.grad is not None
        assert_close(learner.weight.grad.numpy(), plain.weight.grad.numpy())
        steps = [each.optimizer.state[each.weight]["step"].item() for each in (learner, plain)]
        assert steps == [seed + 1, seed + 1]
    assert is_compiled(learner.program) and reasons(learner.program) == []


def test_failure_of_the_compiler_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = Learner()
    before = learner.weight.detach().numpy().copy()
    with monkeypatch.context() as patched:
        patched.setattr(Compiler, "compiled", Mock(side_effect=AssertionError("of the compiler")))
        with pytest.raises(AssertionError, match="of the compiler"):
            learner.program(tensor(7, 3))
    np.testing.assert_array_equal(learner.weight.detach().numpy(), before)
    assert not learner.program.programs
    assert not any(value.any() for value in learner.optimizer.state[learner.weight].values())
    learner.program(tensor(7, 3))
    assert is_compiled(learner.program)


@pytest.mark.parametrize("size", [3, 200])
def test_results_and_gradients_stay_what_they_are(size: int) -> None:
    """Also large gradients, which are not copied."""
    weight = nn.Parameter(tensor(size, 300))
    optimizer = optim.Adam([weight], lr=0.01)

    def learn(x: Tensor) -> list[Tensor]:
        y = (x @ weight).tanh()
        optimizer.zero_grad()
        y.square().mean().backward()
        optimizer.step()
        return [y.detach(), y.detach().sum(0), y.detach()[0, 0]]

    program = captured(learn, [weight])
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    for seed in range(6):
        results = program(tensor(40, size, seed=seed))
        assert weight.grad is not None
        arrays = [t.numpy() for t in (*results, weight.grad)]
        kept += [(array, array.copy()) for array in arrays]
    assert is_compiled(program)
    for array, as_it_was in kept:
        np.testing.assert_array_equal(array, as_it_was)


def test_inputs_are_read_wherever_they_lie() -> None:
    program = captured(lambda x: x.exp().sum(0))
    for x in (tensor(8, 5), tensor(5, 8).T, tensor(16, 5)[::2], tensor(8, 10)[:, 5:]):
        before = x.numpy().copy()
        assert_close(program(x).numpy(), np.exp(before).sum(0))
        np.testing.assert_array_equal(x.numpy(), before)
    assert len(program.programs) == 1


def test_constants_stay_where_the_kernels_look_for_them() -> None:
    table = [float(i) for i in range(20)]
    program = captured(lambda x: sum(((x * a).exp() * 1e-3 for a in table), x * 0.25))
    x = tensor(3, 2)
    program(x)
    gc.collect()
    junk = [np.full(shape, np.nan, np.float32) for shape in ((), (1,)) for _ in range(5000)]
    assert_close(program(x).numpy(), program.function(x).numpy())
    assert len(junk) == 10_000 and reasons(program) == []


def test_program_runs_beside_itself_with_other_inputs_in_between() -> None:
    program = captured(lambda x: (x @ x.T).exp())
    first, second = tensor(9, 4), tensor(12, 4)
    for _ in range(3):
        for x in (first, second):
            assert_close(program(x).numpy(), np.exp(x.numpy() @ x.numpy().T))
    assert len(program.programs) == 2


def test_gradient_that_numpy_makes_keeps_the_update_in_numpy() -> None:
    weight = nn.Parameter(tensor(4, 5))
    optimizer = optim.Adam([weight], lr=0.01)

    def learn(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        (weight.cumsum(0) * x).sum().backward()
        optimizer.step()
        return x * 2.0

    program = captured(learn, [weight])
    for seed in range(3):
        x = tensor(4, 5, seed=seed)
        program(x)
        assert weight.grad is not None
        assert_close(weight.grad.numpy(), x.numpy()[::-1].cumsum(0)[::-1])


def test_update_of_images_is_compiled_but_for_convolutions() -> None:
    layers = [nn.Conv2d(2, 3, 4, 2), nn.ReLU(), nn.Conv2d(3, 4, 2), nn.Flatten(), nn.Linear(64, 1)]
    net = nn.Sequential(*layers)
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    compiler = Compiler(library(), 2)

    def learn(images: Tensor, offsets: Tensor) -> Tensor:
        optimizer.zero_grad()
        x = random_shift(images.permute(0, 3, 1, 2), offsets, 1).float() * (1 / 255)
        loss = net(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    start = {name: value.clone() for name, value in net.state_dict().items()}
    rng = np.random.default_rng(0)
    batches = [
        (rng.integers(0, 256, (6, 12, 12, 2)).astype(np.uint8), rng.integers(0, 3, (6, 2)))
        for _ in range(3)
    ]
    ends = []
    program = Captured(learn, list(net.parameters()), [net], compiler)
    for function in (learn, program):
        net.load_state_dict(start)
        optimizer.state.clear()
        losses = [
            function(torch.from_numpy(images), torch.from_numpy(offsets)).item()
            for images, offsets in batches
        ]
        ends.append([np.array(losses), *(p.detach().numpy().copy() for p in net.parameters())])
    for plain, own in zip(*ends, strict=True):
        assert_close(own, plain)
    assert is_compiled(program)
    # The shift, each convolution, and the gradient of each.
    assert [line.partition("(numpy")[2] != "" for line in compiler.left] == [True] * 5


@pytest.mark.parametrize("size", (2, 20))  # small arrays are copied to the kernels
def test_arrays_of_numpy_keep_the_order_of_their_dimensions(size: int) -> None:
    program = captured(lambda x: ((x * 2.0).cumsum(1) - 1.0).relu())
    for seed in range(3):
        x = tensor(3, size, size, 5, seed=seed).permute(0, 3, 1, 2)
        assert_close(program(x).numpy(), np.maximum((x.numpy() * 2).cumsum(1) - 1, 0))
    assert reasons(program) and is_compiled(program)


def test_float64_is_numpys() -> None:
    program = captured(lambda x: (x @ x.T).exp())
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((6, 4)))
    for _ in range(2):
        assert program(x).dtype == torch.float64
        np.testing.assert_allclose(program(x).numpy(), np.exp(x.numpy() @ x.numpy().T))


def test_kernels_of_another_version_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    library()
    monkeypatch.setattr("autograd.compiled.library.STAGE", np.dtype([("other", "i8", 5)]))
    with pytest.raises(OSError, match="structures of"):
        Library(str(shared_library()))


def test_compiler_tells_what_it_left() -> None:
    compiler = Compiler(library())
    program = Captured(lambda x: x.cumsum(0) * 2.0, [], compiler=compiler)
    program(tensor(3, 2))
    (line,) = compiler.left
    assert line.endswith(": numpy.cumsum") and "cumsum" in line

"""Optimizers that step together do what each does alone, and stay what they are."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import nn, optim
from autograd.backend import NUMPY
from autograd.backend.layout import FlatParameters

Change = Callable[[list[optim.Adam]], Any]


def optimizers(adam: type[optim.Adam] = optim.Adam, **settings: Any) -> list[optim.Adam]:
    """Two of a network each, whose parameters lie end to end."""
    networks = [
        [nn.Parameter(torch.full((2, 3), i + 1.0)), nn.Parameter(torch.full((2,), i + 3.0))]
        for i in range(2)
    ]
    FlatParameters(networks)
    return [adam(network, **{"lr": 0.1, **settings}) for network in networks]


def params(each: list[optim.Adam]) -> list[nn.Parameter]:
    return [p for optimizer in each for p in optimizer.param_groups[0]["params"]]


def set_gradients(each: list[optim.Adam], seed: int, missing: tuple[int, ...] = ()) -> None:
    rng = np.random.default_rng(seed)
    for i, p in enumerate(params(each)):
        gradient = torch.from_numpy(rng.standard_normal(p.shape).astype("f4"))
        p.grad = None if i in missing else gradient


def assert_alike(ours: list[optim.Adam], theirs: list[optim.Adam]) -> None:
    for one, other in zip(params(ours), params(theirs), strict=True):
        np.testing.assert_array_equal(one.detach().numpy(), other.detach().numpy())
    for optimizers in zip(ours, theirs, strict=True):
        states = [optimizer.state_dict()["state"] for optimizer in optimizers]
        assert states[0].keys() == states[1].keys()
        for key, values in states[1].items():
            for name, value in values.items():
                np.testing.assert_array_equal(states[0][key][name].numpy(), value.numpy())


def assert_steps_alike(
    change: Change = lambda each: None, missing: tuple[int, ...] = (), **settings: Any
) -> None:
    """Step together and alone, before and after a change."""
    ours, theirs = optimizers(**settings), optimizers(**settings)
    joint = optim.JointStep(ours)
    for seed in range(6):
        if seed == 3:
            change(ours), change(theirs)
        for each in (ours, theirs):
            set_gradients(each, seed, missing)
        joint.step()
        for optimizer in theirs:
            optimizer.step()
        assert_alike(ours, theirs)


def set_learning_rate(each: list[optim.Adam]) -> None:
    each[0].param_groups[0]["lr"] = 0.5


def load(each: list[optim.Adam]) -> None:
    for optimizer in each:
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))


def step_one_alone(each: list[optim.Adam]) -> None:
    set_gradients(each, 99)
    each[1].step()


def give_new_memory(each: list[optim.Adam]) -> None:
    params(each)[2].data = torch.ones(2, 3)


def forget(each: list[optim.Adam]) -> None:
    each[1].state.clear()


@pytest.mark.parametrize(
    "change", [set_learning_rate, load, step_one_alone, give_new_memory, forget]
)
def test_changes_between_steps(change: Change) -> None:
    assert_steps_alike(change)


@pytest.mark.parametrize(
    "settings",
    [{}, {"amsgrad": True}, {"maximize": True}, {"weight_decay": 0.1},
     {"adam": optim.AdamW}, {"lr": torch.tensor(0.2)}],
    ids=str,
)  # fmt: skip
def test_settings(settings: dict[str, Any]) -> None:
    assert_steps_alike(**settings)


def test_a_parameter_without_gradient_stays() -> None:
    assert_steps_alike(missing=(1,))


def test_one_optimizer_steps() -> None:
    ours, theirs = optimizers(), optimizers()
    for each in (ours, theirs):
        set_gradients(each, 0)
    optim.JointStep(ours[:1]).step()
    theirs[0].step()
    assert_alike(ours, theirs)


def test_nothing_changes_where_numbers_are_not_finite() -> None:
    each = optimizers()
    joint, flag = optim.JointStep(each), torch.tensor(0.0)
    for optimizer in each:
        optimizer.found_inf = flag
    for seed in range(2):
        set_gradients(each, seed)
        joint.step()
    before = [p.detach().clone() for p in params(each)]
    flag.fill_(1)
    joint.step()
    for p, known in zip(params(each), before, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), known.numpy())
    assert each[0].state[params(each)[0]]["step"].item() == 2


def test_it_is_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    each = optimizers()
    joint = optim.JointStep(each)
    set_gradients(each, 0)
    joint.step()
    calls = []
    adam = NUMPY.adam_

    def counting(*args: Any, **keys: Any) -> None:
        calls.append(args)
        adam(*args, **keys)

    monkeypatch.setattr(NUMPY, "adam_", counting)
    joint.step()
    assert [args[0].size for args in calls] == [16]
    assert calls[0][0].base is None  # the parameters' own memory


def test_copy_steps_by_itself() -> None:
    each = optimizers()
    joint = optim.JointStep(each)
    for seed in range(2):
        set_gradients(each, seed)
        joint.step()
    before = [p.detach().clone() for p in params(each)]
    copied = copy.deepcopy(joint)
    set_gradients(copied.optimizers, 5)
    copied.step()
    for p, known in zip(params(each), before, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), known.numpy())
    assert not np.array_equal(params(copied.optimizers)[0].detach().numpy(), before[0].numpy())

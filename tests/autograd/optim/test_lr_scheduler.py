"""Schedules of learning rates beside their closed forms."""

import math

import pytest

from tests.autograd.untyped import torch

optim = torch.optim
schedulers = optim.lr_scheduler


def optimizer(*rates):
    groups = [
        {"params": [torch.ones(1, requires_grad=True)], "lr": rate} for rate in rates or [1.0]
    ]
    return optim.SGD(groups, lr=0.1)


def rates_of(make, steps=12):
    sgd = optimizer(1.0, 0.2)
    scheduler, rates = make(sgd), []
    for _ in range(steps):
        assert scheduler.get_last_lr() == [group["lr"] for group in sgd.param_groups]
        rates.append(scheduler.get_last_lr())
        sgd.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("make", "factor"),
    [
        (lambda o: schedulers.LambdaLR(o, lambda e: 0.9**e), lambda e: 0.9**e),
        (lambda o: schedulers.LinearLR(o), lambda e: 1 / 3 + (2 / 3) * min(e, 5) / 5),
        (lambda o: schedulers.LinearLR(o, 1.0, 0.1, 4), lambda e: 1 - 0.9 * min(e, 4) / 4),
        (
            lambda o: schedulers.CosineAnnealingLR(o, 5),
            lambda e: (1 + math.cos(math.pi * e / 5)) / 2,
        ),
        (lambda o: schedulers.StepLR(o, 3, 0.5), lambda e: 0.5 ** (e // 3)),
        (lambda o: schedulers.ExponentialLR(o, 0.8), lambda e: 0.8**e),
    ],
)
def test_closed_forms(make, factor):
    for epoch, (first, second) in enumerate(rates_of(make)):
        assert first == pytest.approx(factor(epoch), abs=1e-9)
        assert second == pytest.approx(0.2 * factor(epoch), abs=1e-9)


def test_cosine_ends_at_its_minimum():
    rates = rates_of(lambda o: schedulers.CosineAnnealingLR(o, 4, eta_min=0.1))
    assert rates[4] == pytest.approx([0.1, 0.1])
    assert rates[8] == pytest.approx([1.0, 0.2])


def test_a_lambda_for_each_group():
    rates = rates_of(lambda o: schedulers.LambdaLR(o, [lambda e: e, lambda e: 2.0]))
    assert rates[3] == [3.0, 0.4]


@pytest.mark.parametrize(
    "make",
    [
        lambda o: schedulers.LambdaLR(o, lambda e: 0.5**e),
        lambda o: schedulers.LinearLR(o, total_iters=6),
        lambda o: schedulers.CosineAnnealingLR(o, 4),
        lambda o: schedulers.StepLR(o, 2),
        lambda o: schedulers.OneCycleLR(o, [1.0, 0.5], 20, cycle_momentum=False),
    ],
)
def test_going_on_from_a_loaded_state(make):
    straight = rates_of(make, 6)
    sgd = optimizer(1.0, 0.2)
    scheduler = make(sgd)
    for _ in range(3):
        sgd.step()
        scheduler.step()
    again = optimizer(9.0, 9.0)
    resumed = make(again)
    again.load_state_dict(sgd.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    again.step()
    resumed.step()
    assert resumed.get_last_lr() == straight[4]
    assert resumed.last_epoch == 4


def test_a_factor_that_is_an_object_keeps_its_state():
    class Factor:
        def __init__(self, base):
            self.base = base

        def __call__(self, epoch):
            return self.base**epoch

    scheduler = schedulers.LambdaLR(optimizer(), Factor(0.5))
    state = scheduler.state_dict()
    assert state["lr_lambdas"] == [{"base": 0.5}]
    other = schedulers.LambdaLR(optimizer(), Factor(0.9))
    other.load_state_dict(state)
    assert other.lr_lambdas[0].base == 0.5


def test_a_rate_that_is_a_tensor_stays_the_same_tensor():
    rate = torch.tensor(1.0)
    sgd = optim.SGD([torch.ones(1, requires_grad=True)], lr=rate)
    scheduler = schedulers.LambdaLR(sgd, lambda e: 0.5**e)
    sgd.step()
    scheduler.step()
    assert sgd.param_groups[0]["lr"] is rate
    assert rate.item() == 0.5


def test_one_cycle_ends_where_it_says():
    sgd = optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1, momentum=0.9)
    scheduler = schedulers.OneCycleLR(sgd, 1.0, 10, pct_start=0.5, div_factor=10.0)
    seen = []
    for _ in range(10):
        seen.append((scheduler.get_last_lr()[0], sgd.param_groups[0]["momentum"]))
        sgd.step()
        scheduler.step()
    assert seen[0] == pytest.approx((0.1, 0.95))
    assert seen[4] == pytest.approx((1.0, 0.85))
    assert seen[9] == pytest.approx((1e-5, 0.95))
    sgd.step()
    with pytest.raises(ValueError, match="Tried to step 11 times"):
        scheduler.step()
    assert schedulers.OneCycleLR(sgd, 1.0, 10, pct_start=0.1).get_last_lr() == [1.0]


def test_plateau_waits_and_falls():
    sgd = optimizer(1.0)
    scheduler = schedulers.ReduceLROnPlateau(sgd, factor=0.5, patience=1, cooldown=1)
    rates = []
    for loss in [1.0, 1.0, torch.tensor(1.0), math.nan, 1.0, 1.0, 0.5]:
        scheduler.step(loss)
        rates += scheduler.get_last_lr()
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25]
    state = scheduler.state_dict()
    assert (state["best"], "optimizer" in state) == (0.5, False)
    again = schedulers.ReduceLROnPlateau(optimizer(1.0))
    again.load_state_dict(state)
    assert (again.best, again.patience, again.in_cooldown) == (0.5, 1, False)
    sgd.add_param_group({"params": [torch.ones(1, requires_grad=True)]})
    scheduler.patience = 0
    with pytest.raises(RuntimeError, match="number of param groups"):
        scheduler.step(1.0)


def test_starting_later_needs_the_initial_rates():
    sgd = optimizer()
    with pytest.raises(KeyError, match="'initial_lr' is not specified"):
        schedulers.LinearLR(sgd, last_epoch=3)
    sgd.param_groups[0]["initial_lr"] = 1.0
    scheduler = schedulers.LambdaLR(sgd, lambda e: 0.5**e, last_epoch=2)
    assert scheduler.get_last_lr() == [0.125]


def test_warnings():
    sgd = optimizer()
    scheduler = schedulers.LinearLR(sgd)
    with pytest.warns(UserWarning, match="Detected call of `lr_scheduler"):
        scheduler.step()
    sgd.step()
    with pytest.warns(UserWarning, match="epoch parameter"):
        scheduler.step(5)
    assert scheduler.get_last_lr() == [1.0]
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        scheduler.get_lr()


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda o: schedulers.LambdaLR(o, [max, min]), ValueError, "Expected 1 lr_lambdas, but"),
        (lambda o: schedulers.LinearLR(o, 0), ValueError, "Starting multiplicative factor"),
        (lambda o: schedulers.LinearLR(o, 1, 2), ValueError, "Ending multiplicative factor"),
        (lambda o: schedulers.LinearLR(3), TypeError, "int is not an Optimizer"),
    ],
)
def test_refusals(make, error, text):
    with pytest.raises(error, match=text):
        make(optimizer())

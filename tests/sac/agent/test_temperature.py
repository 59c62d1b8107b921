"""The temperature: which way it moves, what it moves, and that a fixed one stays."""

import numpy as np
import pytest

import autograd as torch
from sac.agent.temperature import FixedTemperature, LearnedTemperature
from tests.sac.agents_for_tests import gradient

CPU = torch.device("cpu")


def learned(initial_alpha: float = 0.5, target_entropy: float = -2.0) -> LearnedTemperature:
    return LearnedTemperature(initial_alpha, target_entropy, 0.01, CPU)


def entropies(*values: float) -> torch.Tensor:
    return torch.tensor([[value] for value in values])


@pytest.mark.parametrize(("entropy", "direction"), [(-3.0, 1), (-1.0, -1)])
@pytest.mark.parametrize("initial_alpha", [0.01, 1.0, 30.0])
def test_too_little_entropy_raises_alpha_and_too_much_lowers_it(
    entropy: float, direction: int, initial_alpha: float
) -> None:
    temperature = learned(initial_alpha)
    temperature.update(entropies(entropy, entropy))
    assert np.sign(float(temperature.alpha) - initial_alpha) == direction


def test_entropy_on_target_leaves_alpha() -> None:
    temperature = learned()
    temperature.update(entropies(-1.5, -2.5))
    assert gradient(temperature.log_alpha) == 0
    assert float(temperature.alpha) == 0.5


def test_gradient_is_the_mean_distance_from_the_target_whatever_alpha_is() -> None:
    for initial_alpha in (0.1, 10.0):
        temperature = learned(initial_alpha)
        metrics = temperature.update(entropies(1.0, -2.0, -0.5))
        assert gradient(temperature.log_alpha).item() == pytest.approx(1.5)
        assert float(metrics["alpha_loss"]) == pytest.approx(1.5 * np.log(initial_alpha))
        assert metrics["target_entropy"] == -2.0


def test_gradient_reaches_log_alpha_only() -> None:
    temperature = learned()
    entropy = entropies(1.0).requires_grad_()
    temperature.update(entropy * 2)
    assert entropy.grad is None
    assert temperature.log_alpha.grad is not None
    assert not temperature.alpha.requires_grad


def test_alpha_is_the_exponential_as_a_float32_of_one_by_one() -> None:
    temperature = learned(0.37)
    assert (temperature.alpha.shape, temperature.alpha.dtype) == ((1, 1), torch.float32)
    assert float(temperature.alpha) == pytest.approx(0.37)


def test_an_alpha_that_was_taken_stays_when_the_temperature_moves() -> None:
    temperature = learned()
    before = temperature.alpha
    temperature.update(entropies(5.0))
    assert float(before) == 0.5 != float(temperature.alpha)


def test_fixed_alpha_stays() -> None:
    temperature = FixedTemperature(0.2, CPU)
    assert temperature.update(entropies(5.0)) == {}
    assert (temperature.alpha.shape, temperature.alpha.dtype) == ((1, 1), torch.float32)
    assert float(temperature.alpha) == pytest.approx(0.2)
    assert list(temperature.parameters()) == [] and temperature.optimizer is None

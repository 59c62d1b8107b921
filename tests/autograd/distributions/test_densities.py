"""Densities, entropies and divergences beside numerical integrals; samples beside densities."""

import math

import numpy as np
import pytest

import autograd as torch

D = torch.distributions

LOC, SCALE = 0.3, 0.8
GRID = torch.linspace(-9.0, 9.0, 20_001, dtype=torch.float64)
INSIDE = torch.linspace(-1.0, 1.0, 20_003, dtype=torch.float64)[1:-1]


def normal(loc=LOC, scale=SCALE):
    loc, scale = (torch.tensor(v, dtype=torch.float64) for v in (loc, scale))
    return D.Normal(loc, scale)


def squashed(**settings):
    return D.TransformedDistribution(normal(), [D.TanhTransform(**settings)])


def integral(values, grid):
    return float(np.trapezoid(values.numpy(), grid.numpy()))


def test_normal_density():
    p = normal()
    density = p.log_prob(GRID).exp()
    assert integral(density, GRID) == pytest.approx(1, abs=1e-9)
    assert integral(density * GRID, GRID) == pytest.approx(LOC, abs=1e-9)
    assert integral(density * (GRID - LOC) ** 2, GRID) == pytest.approx(SCALE**2, abs=1e-9)
    assert integral(-density * p.log_prob(GRID), GRID) == pytest.approx(p.entropy().item())
    assert p.perplexity().item() == pytest.approx(math.exp(p.entropy().item()))


def test_normal_distribution_function():
    p, part = normal(), GRID[:11_001]
    below = integral(p.log_prob(part).exp(), part)
    assert p.cdf(part[-1]).item() == pytest.approx(below, abs=1e-7)


def test_squashed_density():
    density = squashed().log_prob(INSIDE).exp()
    assert integral(density, INSIDE) == pytest.approx(1, abs=1e-4)
    assert squashed().cdf(torch.tensor(0.0).double()).item() == pytest.approx(
        normal().cdf(torch.tensor(0.0).double()).item()
    )


def test_affine_density():
    p = D.TransformedDistribution(normal(), [D.AffineTransform(1.0, -2.0)])
    expected = normal(1 - 2 * LOC, 2 * SCALE)
    np.testing.assert_allclose(p.log_prob(GRID).numpy(), expected.log_prob(GRID).numpy())
    np.testing.assert_allclose(p.cdf(GRID).numpy(), expected.cdf(GRID).numpy(), atol=1e-12)


def test_divergence_of_normals():
    p, q = normal(), normal(-0.5, 1.7)
    gap = p.log_prob(GRID).exp() * (p.log_prob(GRID) - q.log_prob(GRID))
    assert D.kl_divergence(p, q).item() == pytest.approx(integral(gap, GRID), abs=1e-9)
    assert D.kl_divergence(p, p).item() == 0


def test_divergence_of_categoricals():
    p, q = (D.Categorical(torch.tensor(v).double()) for v in ([0.2, 0.3, 0.5], [0.6, 0.3, 0.1]))
    expected = sum(a * math.log(a / b) for a, b in ((0.2, 0.6), (0.3, 0.3), (0.5, 0.1)))
    assert D.kl_divergence(p, q).item() == pytest.approx(expected)
    sure = D.Categorical(logits=torch.tensor([-math.inf, 0.0]))
    fair = D.Categorical(torch.tensor([0.5, 0.5]))
    assert D.kl_divergence(sure, fair).item() == pytest.approx(math.log(2))
    assert D.kl_divergence(fair, sure).item() == math.inf


def test_divergence_of_compositions():
    loc = torch.tensor([0.0, 1.0]).double()
    p, q = (D.Independent(D.Normal(loc * k, 1.0), 1) for k in (1, 2))
    each = D.kl_divergence(p.base_dist, q.base_dist)
    assert D.kl_divergence(p, q).item() == each.sum().item()
    tanh = [D.TanhTransform()]
    squashed_ones = (D.TransformedDistribution(d, tanh) for d in (p, q))
    assert D.kl_divergence(*squashed_ones).item() == each.sum().item()


@pytest.mark.parametrize(
    "pair",
    [
        (normal(), D.Categorical(torch.ones(2))),
        (D.Independent(D.Normal(torch.zeros(2), 1.0), 1),
         D.Independent(D.Normal(torch.zeros(2), 1.0), 0)),
        (squashed(), D.TransformedDistribution(normal(), [])),
    ],
)  # fmt: skip
def test_divergences_that_there_are_not(pair):
    with pytest.raises(NotImplementedError):
        D.kl_divergence(*pair)


def test_categorical_from_probabilities_and_from_logits():
    probs = torch.tensor([[1.0, 3.0], [2.0, 2.0]])
    p, q = D.Categorical(probs), D.Categorical(logits=probs.log() + 7)
    np.testing.assert_allclose(p.probs.numpy(), [[0.25, 0.75], [0.5, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(p.logits.numpy(), q.logits.numpy(), rtol=1e-5)
    np.testing.assert_allclose(p.probs.numpy(), q.probs.numpy(), rtol=1e-6)
    classes = torch.tensor([1, 0])
    expected = np.log([0.75, 0.5])
    np.testing.assert_allclose(q.log_prob(classes).numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(
        p.entropy().numpy(), [-(0.25 * math.log(0.25) + 0.75 * math.log(0.75)), math.log(2)],
        rtol=1e-6,
    )  # fmt: skip
    assert p.mode.tolist() == [1, 0]
    assert p.mean.isnan().all().item() and p.variance.isnan().all().item()


def test_categorical_with_impossible_classes():
    p = D.Categorical(logits=torch.tensor([0.0, -math.inf, 0.0]))
    assert p.entropy().item() == pytest.approx(math.log(2))
    assert p.log_prob(torch.tensor(1)).item() == -math.inf
    assert set(p.sample((200,)).tolist()) == {0, 2}


def test_categorical_samples_have_the_right_shares():
    generator = torch.Generator().manual_seed(0)
    p = D.Categorical(torch.tensor([[0.1, 0.0, 0.9], [0.5, 0.25, 0.25]]))
    classes = p.sample((20_000,), generator=generator)
    assert classes.shape == (20_000, 2) and classes.dtype is torch.int64
    for column, probs in zip(classes.numpy().T, p.probs.numpy(), strict=True):
        shares = np.bincount(column, minlength=3) / 20_000
        np.testing.assert_allclose(shares, probs, atol=0.015)
        assert (shares[probs == 0] == 0).all()


def test_normal_samples_have_the_right_moments():
    generator = torch.Generator().manual_seed(0)
    values = normal().sample((40_000,), generator=generator).numpy()
    np.testing.assert_allclose([values.mean(), values.std()], [LOC, SCALE], atol=0.01)
    assert values.dtype == np.float64


def test_enumeration():
    p = D.Categorical(torch.ones(2, 3))
    assert p.enumerate_support().tolist() == [[0, 0], [1, 1], [2, 2]]
    assert p.enumerate_support(expand=False).tolist() == [[0], [1], [2]]
    total = p.log_prob(p.enumerate_support()).exp().sum(0)
    np.testing.assert_allclose(total.numpy(), 1, rtol=1e-6)


class TestSquashing:
    """What SAC needs of tanh: exact where actions saturate."""

    def test_the_jacobian_holds_far_out(self):
        x = torch.tensor([0.0, 1.0, 10.0, -40.0, 400.0], dtype=torch.float64)
        found = D.TanhTransform().log_abs_det_jacobian(x, x.tanh()).numpy()
        near = np.log(1 - np.tanh([0.0, 1.0]) ** 2)
        np.testing.assert_allclose(found, [*near, *(2 * math.log(2) - 2 * x.abs()[2:].numpy())])

    def test_with_a_cache_fresh_samples_are_exact(self):
        loc = torch.tensor([30.0, -30.0], dtype=torch.float64)
        base = D.Normal(loc, torch.ones(2, dtype=torch.float64))
        p = D.TransformedDistribution(base, [D.TanhTransform(cache_size=1)])
        action = p.rsample()
        assert action.abs().min().item() == 1
        x = p.transforms[0].inv(action)
        # This far out 2 (log 2 - x - softplus(-2x)) is 2 (log 2 - |x|).
        expected = base.log_prob(x) - 2 * (math.log(2) - x.abs())
        np.testing.assert_allclose(p.log_prob(action).numpy(), expected.numpy(), rtol=1e-9)

    def test_without_a_cache_saturated_actions_have_no_density(self):
        assert squashed().log_prob(torch.ones(()).double()).isnan().item()

    def test_the_cache_returns_the_very_tensor(self):
        transform, x = D.TanhTransform(cache_size=1), torch.ones(3)
        y = transform(x)
        assert transform.inv(y) is x
        assert transform(x) is y
        assert D.TanhTransform().inv(y) is not x

    def test_gradients_flow_through_samples_and_their_density(self):
        parameters = [torch.tensor(v, requires_grad=True) for v in (LOC, SCALE)]

        def value(loc, scale):
            base = D.Normal(loc, scale)
            p = D.TransformedDistribution(base, [D.TanhTransform(cache_size=1)])
            action = p.rsample(generator=torch.Generator().manual_seed(5))
            return p.log_prob(action) + 3 * action

        doubles = [p.detach().double().requires_grad_() for p in parameters]
        assert torch.autograd.gradcheck(value, doubles)


@pytest.mark.parametrize(
    "value",
    [
        lambda a, b: D.Normal(a, b.exp()).log_prob(torch.tensor([0.1, 0.7]).double()),
        lambda a, b: D.Normal(a, b.exp()).entropy(),
        lambda a, b: D.Normal(a, b.exp()).cdf(torch.tensor([0.1, 0.7]).double()),
        lambda a, b: D.kl_divergence(D.Normal(a, b.exp()), D.Normal(b, a.exp())),
        lambda a, b: D.Categorical(logits=a).log_prob(torch.tensor(1)),
        lambda a, b: D.Categorical(logits=a).entropy(),
        lambda a, b: D.Categorical(probs=b.exp()).entropy(),
        lambda a, b: D.kl_divergence(D.Categorical(logits=a), D.Categorical(probs=b.exp())),
        lambda a, b: D.Independent(D.Normal(a, b.exp()), 1).log_prob(a * 0.5 + b),
    ],
)
def test_gradients(value):
    inputs = [torch.tensor(v, dtype=torch.float64, requires_grad=True)
              for v in ([0.2, -0.4], [0.3, 0.1])]  # fmt: skip
    assert torch.autograd.gradcheck(lambda a, b: value(a, b) + 0 * (a + b).sum(), inputs)


def test_what_is_computed_first_under_no_grad_still_has_a_gradient():
    logits = torch.zeros(3, requires_grad=True)
    p = D.Categorical(logits=logits)
    with torch.no_grad():
        p.sample()
    assert p.probs.requires_grad

"""Shapes of batches and values, expansion, representation, checks of arguments."""

import math

import pytest

from tests.autograd.untyped import torch

D = torch.distributions

ZEROS, ONES = torch.zeros(2, 3), torch.ones(2, 3)
NORMAL = D.Normal(ZEROS, ONES)


def tanh_of(base):
    return D.TransformedDistribution(base, [D.TanhTransform()])


DISTRIBUTIONS = [
    (NORMAL, (2, 3), ()),
    (D.Normal(0.0, 1.0), (), ()),
    (D.Normal(torch.zeros(3), ONES), (2, 3), ()),
    (D.Categorical(ONES), (2,), ()),
    (D.Independent(NORMAL, 1), (2,), (3,)),
    (D.Independent(NORMAL, 2), (), (2, 3)),
    (tanh_of(NORMAL), (2, 3), ()),
    (tanh_of(D.Independent(NORMAL, 1)), (2,), (3,)),
    (D.Independent(tanh_of(NORMAL), 1), (2,), (3,)),
    (D.TransformedDistribution(NORMAL, D.AffineTransform(0.0, 2.0, event_dim=1)), (2,), (3,)),
    (D.TransformedDistribution(NORMAL, D.AffineTransform(torch.ones(4, 2, 3), 2.0)), (4, 2, 3), ()),
    (D.TransformedDistribution(NORMAL, []), (2, 3), ()),
]


@pytest.mark.parametrize(("distribution", "batch", "event"), DISTRIBUTIONS)
def test_shapes(distribution, batch, event):
    assert distribution.batch_shape == batch
    assert distribution.event_shape == event
    value = distribution.sample((5, 1))
    assert value.shape == (5, 1, *batch, *event)
    assert not value.requires_grad
    assert distribution.log_prob(value).shape == (5, 1, *batch)
    wider = distribution.expand((7, *batch))
    assert type(wider) is type(distribution)
    assert wider.sample().shape == (7, *batch, *event)
    assert wider.log_prob(wider.sample()).shape == (7, *batch)


def test_expansion_keeps_the_parameters():
    p = D.Categorical(logits=torch.tensor([0.0, 1.0]))
    assert torch.equal(p.expand((3,)).logits[2], p.logits)
    q = D.Normal(torch.tensor([1.0, 2.0]), 1.0).expand((3, 2))
    assert q.loc[2].tolist() == [1, 2]


def test_moments():
    p = D.Normal(torch.tensor([1.0]), torch.tensor([3.0]))
    for distribution in (p, D.Independent(p, 1)):
        assert distribution.mean.tolist() == distribution.mode.tolist() == [1]
        assert distribution.variance.tolist() == [9]
        assert distribution.stddev.tolist() == [3]
    assert D.Independent(NORMAL, 1).entropy().tolist() == NORMAL.entropy().sum(1).tolist()


def test_numbers_take_the_dtype_of_tensors():
    assert D.Normal(0, 1).loc.dtype is torch.float32
    assert D.Normal(0, torch.ones(()).double()).loc.dtype is torch.float64


def test_samples_need_a_gradient_where_they_are_reparameterised():
    loc = torch.zeros(3, requires_grad=True)
    p = tanh_of(D.Independent(D.Normal(loc, 1.0), 1))
    assert p.has_rsample
    assert p.rsample().requires_grad
    assert not D.Categorical(torch.ones(2)).has_rsample
    with pytest.raises(NotImplementedError):
        D.Categorical(torch.ones(2)).rsample()


def test_generators_decide():
    draws = [NORMAL.sample(generator=torch.Generator().manual_seed(2)) for _ in range(2)]
    assert torch.equal(*draws)
    draws = [D.Categorical(torch.ones(50)).sample((9,), generator=torch.Generator().manual_seed(2))
             for _ in range(2)]  # fmt: skip
    assert torch.equal(*draws)


def test_repr():
    assert repr(NORMAL) == "Normal(loc: torch.Size([2, 3]), scale: torch.Size([2, 3]))"
    assert repr(D.Normal(0.0, 1.0)) == "Normal(loc: 0.0, scale: 1.0)"
    assert repr(D.Categorical(logits=ZEROS)) == "Categorical(logits: torch.Size([2, 3]))"
    assert repr(D.Independent(D.Normal(ZEROS[0], 1.0), 1)).endswith(", 1)")
    assert repr(D.TanhTransform().inv) == "_InverseTransform(TanhTransform())"
    assert repr(D.Independent(tanh_of(NORMAL), 1).support) == (
        "IndependentConstraint(Interval(lower_bound=-1.0, upper_bound=1.0), 1)"
    )


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: D.Normal(ZEROS, -ONES), r"Expected parameter scale .* GreaterThan"),
        (lambda: D.Normal(math.nan, 1.0), r"Expected parameter loc .* Real\(\)"),
        (lambda: D.Normal("a", 1.0), "must all be instances of Number"),
        (lambda: D.Categorical(), "Either `probs` or `logits` must be specified, but not both"),
        (lambda: D.Categorical(ONES, ONES), "but not both"),
        (lambda: D.Categorical(torch.tensor(0.5)), "must be at least one-dimensional"),
        (lambda: D.Categorical(torch.tensor([-1.0, 2.0])), r"probs .* Simplex\(\)"),
        (lambda: D.Categorical(logits=torch.tensor([math.nan])), "Expected parameter logits"),
        (lambda: D.Independent(NORMAL, 3), "Expected reinterpreted_batch_ndims <="),
        (lambda: D.TransformedDistribution(NORMAL, 3), "must be a Transform or list"),
        (lambda: D.TransformedDistribution(NORMAL, [3]), "must be a Transform or a list"),
        (lambda: D.TanhTransform(cache_size=2), "cache_size must be 0 or 1"),
        (lambda: NORMAL.log_prob(0.5), "The value argument to log_prob must be a Tensor"),
        (lambda: NORMAL.log_prob(torch.tensor(math.nan)), "to be within the support"),
        (lambda: NORMAL.log_prob(torch.zeros(4)), "not broadcastable with batch_shape"),
        (lambda: D.Independent(tanh_of(NORMAL), 1).log_prob(torch.zeros(2, 4)), "broadcastable"),
        (lambda: tanh_of(D.Independent(NORMAL, 1)).log_prob(torch.zeros(2)), "right-most size"),
        (lambda: D.Categorical(ONES).log_prob(torch.tensor([0, 3])), "IntegerInterval"),
        (lambda: D.Categorical(ONES).log_prob(torch.tensor([0.5, 1])), "IntegerInterval"),
        (lambda: tanh_of(NORMAL).log_prob(2 * ONES), r"Interval\(lower_bound=-1.0"),
    ],
)
def test_arguments_are_checked(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_checks_can_be_left_out():
    p = D.Normal(ZEROS, -ONES, validate_args=False)
    assert p.log_prob(torch.zeros(2, 3)).isnan().all().item()
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="expected True or False"):
        D.Distribution.set_default_validate_args(3)


@pytest.mark.parametrize("name", ["mean", "variance", "stddev", "mode"])
def test_transformed_distributions_have_no_moments(name):
    with pytest.raises(NotImplementedError):
        getattr(tanh_of(NORMAL), name)


@pytest.mark.parametrize(
    "transform",
    [D.TanhTransform(), D.AffineTransform(1.0, -2.0), D.AffineTransform(ONES, 2 * ONES, 1)],
)
def test_transforms_undo_themselves(transform):
    x = torch.linspace(-1, 1, 6).reshape(2, 3)
    y = transform(x)
    assert torch.allclose(transform.inv(y), x, atol=1e-6)
    assert torch.allclose(transform.inv.inv(x), y)
    forward, back = (
        t.log_abs_det_jacobian(*pair) for t, pair in ((transform, (x, y)), (transform.inv, (y, x)))
    )
    assert forward.shape == x.shape[: 2 - transform.event_dim]
    assert torch.equal(forward, -back)
    cached = transform.with_cache()
    assert cached == transform
    assert cached.with_cache() is cached
    assert cached.inv.with_cache().inv is cached


def test_transforms_differ():
    assert D.TanhTransform() != D.AffineTransform(0.0, 1.0)
    assert D.AffineTransform(ZEROS, 1.0) != D.AffineTransform(ONES, 1.0)
    assert D.AffineTransform(ONES, 1.0) == D.AffineTransform(ONES, 1.0)
    assert D.TanhTransform().inv == D.TanhTransform().inv

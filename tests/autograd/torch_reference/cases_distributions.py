"""Distributions: log-probabilities, entropies, divergences, with gradients."""

from tests.autograd.torch_reference.registry import case, each, outcome, positive, wave


def _gradients(value, *inputs):
    for x in inputs:
        x.grad = None
    value.sum().backward(retain_graph=True)
    return [value, *(x.grad for x in inputs)]


@case
def normal(torch):
    mean, std = wave(torch, 2, 3), positive(torch, 2, 3)
    x = wave(torch, 2, 3, shift=2, requires_grad=False)
    d = torch.distributions.Normal(mean, std)
    facts = [d.batch_shape, d.event_shape, d.loc is mean, d.scale is std, d.has_rsample]
    values = [d.mean, d.stddev, d.variance, d.mode]
    gradients = [_gradients(f, mean, std) for f in (d.log_prob(x), d.entropy(), d.cdf(x))]
    return [facts, values, gradients]


@case
def normal_broadcasts(torch):
    d = torch.distributions.Normal(wave(torch, 2, 1), 2.0)
    e = torch.distributions.Normal(0.0, 1.0)
    f = torch.distributions.Normal(torch.zeros(3), torch.ones(2, 1))
    shapes = [d.batch_shape, e.batch_shape, f.batch_shape, f.sample((4,)).shape, e.sample().shape]
    return [
        shapes,
        d.log_prob(torch.tensor(0.5)),
        e.log_prob(torch.tensor([0.0, 1.0])),
        e.entropy(),
    ]


@case
def normal_samples(torch):
    mean, std = wave(torch, 2), positive(torch, 2)
    d = torch.distributions.Normal(mean, std)
    flags = [d.sample().requires_grad, d.rsample().requires_grad, d.rsample((3,)).shape]
    flags += [d.sample(torch.Size([5])).shape]
    noise = (d.rsample() - mean) / std
    return [flags, noise.shape]


@case
def rsample_gradient_is_the_noise(torch):
    mean, std = wave(torch, 4), positive(torch, 4)
    x = torch.distributions.Normal(mean, std).rsample()
    x.sum().backward()
    noise = (x - mean) / std
    return [mean.grad, torch.allclose(std.grad, noise, atol=1e-4)]


@case
def samples_repeat_with_the_seed(torch):
    def draw(seed):
        torch.manual_seed(seed)
        normal = torch.distributions.Normal(torch.zeros(3), torch.ones(3)).sample()
        categorical = torch.distributions.Categorical(torch.ones(2, 5)).sample()
        return [normal.tolist(), categorical.tolist()]

    return [draw(1) == draw(1), draw(1) == draw(2)]


@case
def sample_moments(torch):
    torch.manual_seed(0)
    x = torch.distributions.Normal(2.0, 3.0).sample((4000,))
    k = torch.distributions.Categorical(torch.tensor([0.2, 0.0, 0.8])).sample((4000,))
    shares = [abs((k == i).float().mean().item() - p) < 0.05 for i, p in enumerate((0.2, 0.0, 0.8))]
    return [abs(x.mean().item() - 2) < 0.3, abs(x.std().item() - 3) < 0.3, shares, k.dtype]


@case
def categorical_of_logits(torch):
    logits = wave(torch, 2, 3)
    d = torch.distributions.Categorical(logits=logits)
    facts = [
        d.batch_shape,
        d.event_shape,
        d.logits,
        d.probs,
        d.sample().shape,
        d.sample((4,)).shape,
    ]
    k = torch.tensor([2, 0])
    gradients = [_gradients(f, logits) for f in (d.log_prob(k), d.entropy(), d.probs)]
    return [facts, gradients, d.log_prob(torch.tensor([[0], [1]])), d.mode]


@case
def categorical_of_probabilities(torch):
    weights = positive(torch, 2, 3)
    d = torch.distributions.Categorical(weights)
    e = torch.distributions.Categorical(probs=torch.tensor([0.0, 1.0, 3.0]))
    gradients = [_gradients(f, weights) for f in (d.log_prob(torch.tensor(1)), d.entropy())]
    return [d.probs, d.logits, gradients, e.probs, e.entropy(), e.sample((20,)).min().item() > 0]


@case
def independent(torch):
    mean, std = wave(torch, 2, 3), positive(torch, 2, 3)
    d = torch.distributions.Independent(torch.distributions.Normal(mean, std), 1)
    x = wave(torch, 2, 3, shift=2, requires_grad=False)
    facts = [d.batch_shape, d.event_shape, d.rsample().shape, d.sample((4,)).shape, d.mean]
    return [facts, _gradients(d.log_prob(x), mean, std), _gradients(d.entropy(), mean, std)]


def _squashed(torch, mean, std, **settings):
    D = torch.distributions
    return D.TransformedDistribution(D.Normal(mean, std), [D.transforms.TanhTransform(**settings)])


@case
def squashed_normal(torch):
    mean, std = wave(torch, 2, 3), positive(torch, 2, 3)
    d = _squashed(torch, mean, std)
    y = wave(torch, 2, 3, shift=2, scale=0.9, requires_grad=False)
    sample = d.rsample()
    facts = [d.batch_shape, d.event_shape, sample.shape, sample.requires_grad, d.has_rsample]
    facts += [abs(sample).max().item() <= 1, d.sample((4,)).shape, d.sample().requires_grad]
    return [facts, _gradients(d.log_prob(y), mean, std)]


@case
def squashed_normal_remembers_the_sample(torch):
    d = _squashed(torch, torch.tensor([12.0]), torch.tensor([1e-3]), cache_size=1)
    return [torch.isfinite(d.log_prob(d.sample())), d.log_prob(d.rsample()) < 40]


@case
def squashed_independent(torch):
    D = torch.distributions
    mean, std = wave(torch, 2, 3), positive(torch, 2, 3)
    base = D.Independent(D.Normal(mean, std), 1)
    d = D.TransformedDistribution(base, D.TanhTransform(cache_size=1))
    y = wave(torch, 2, 3, shift=2, scale=0.9, requires_grad=False)
    return [d.batch_shape, d.event_shape, _gradients(d.log_prob(y), mean, std)]


@case
def tanh_transform(torch):
    t = torch.distributions.transforms.TanhTransform()
    x = wave(torch, 4, scale=3.0)
    y = t(x)
    jacobian = t.log_abs_det_jacobian(x, y)
    extreme = torch.tensor([-100.0, -20.0, 0.0, 20.0, 100.0])
    far = t.log_abs_det_jacobian(extreme, extreme.tanh())
    return [y, t.inv(y), _gradients(jacobian, x), far, t == type(t)()]


@case
def divergences(torch):
    D = torch.distributions
    mean, std = wave(torch, 2, 3), positive(torch, 2, 3)
    p = D.Normal(mean, std)
    q = D.Normal(torch.zeros(3), torch.full((3,), 2.0))
    logits = wave(torch, 2, 3, shift=1)
    c, uniform = D.Categorical(logits=logits), D.Categorical(logits=torch.zeros(2, 3))
    return {
        "normal": _gradients(D.kl_divergence(p, q), mean, std),
        "reversed": _gradients(D.kl_divergence(q, p), mean, std),
        "itself": D.kl_divergence(p, p),
        "categorical": _gradients(D.kl_divergence(c, uniform), logits),
        "independent": _gradients(
            D.kl_divergence(D.Independent(p, 1), D.Independent(q.expand((2, 3)), 1)), mean, std
        ),
        "none": outcome(lambda: D.kl_divergence(p, c)),
    }


@case
def categorical_divergence_with_zeros(torch):
    D = torch.distributions
    p = D.Categorical(probs=torch.tensor([0.0, 0.5, 0.5]))
    q = D.Categorical(probs=torch.tensor([0.5, 0.5, 0.0]))
    return [D.kl_divergence(p, q), D.kl_divergence(p, p), D.kl_divergence(q, p)]


@case
def arguments(torch):
    return each(
        torch,
        """
        D.Normal(torch.zeros(2), -torch.ones(2))
        D.Normal(torch.zeros(2), torch.zeros(2))
        D.Normal(torch.tensor([float("nan")]), torch.ones(1))
        D.Normal(torch.zeros(2), torch.ones(3))
        D.Normal(0.0, 1.0).log_prob(torch.tensor(float("nan")))
        D.Normal(0.0, 1.0).log_prob(1.0)
        D.Categorical()
        D.Categorical(probs=torch.ones(2), logits=torch.ones(2))
        D.Categorical(torch.tensor(1.0))
        D.Categorical(logits=torch.tensor([float("nan"), 1.0]))
        D.Categorical(torch.ones(2)).log_prob(torch.tensor(2))
        D.Categorical(torch.ones(2)).log_prob(torch.tensor(0.5))
        D.Independent(D.Normal(0.0, 1.0), 1)
        D.Normal(torch.zeros(2), -torch.ones(2), validate_args=False).scale
        D.Categorical(torch.ones(2)).rsample()
        D.TransformedDistribution(D.Normal(0.0, 1.0), D.TanhTransform()).entropy()
        """,
        D=torch.distributions,
    )

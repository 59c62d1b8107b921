"""Small programs as users write them: training loops, losses and updates of actor-critic agents."""

import copy
import itertools

from tests.autograd.torch_reference.registry import case, wave


def _mlp(torch, *sizes, activation="ReLU"):
    nn = torch.nn
    layers = []
    for i, (n, m) in enumerate(itertools.pairwise(sizes)):
        layers += [nn.Linear(n, m), getattr(nn, activation)()]
        with torch.no_grad():
            layers[-2].weight.copy_(wave(torch, m, n, shift=i, scale=0.7, requires_grad=False))
            layers[-2].bias.fill_(0.1)
    return nn.Sequential(*layers[:-1])


def _parameters(net):
    return [p.detach().clone() for p in net.parameters()]


@case
def linear_regression_by_hand(torch):
    x, y = wave(torch, 8, 2, requires_grad=False), wave(torch, 8, 1, shift=1, requires_grad=False)
    w, b = torch.zeros(2, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
    for _ in range(5):
        loss = ((x @ w + b - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p -= 0.1 * p.grad
                p.grad.zero_()
    return [w, b, loss]


@case
def classification(torch):
    net = _mlp(torch, 4, 8, 3, activation="Tanh")
    x, classes = wave(torch, 6, 4, requires_grad=False), torch.tensor([0, 1, 2, 2, 1, 0])
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    losses = []
    for _ in range(4):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), classes)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimizer.step()
        scheduler.step()
        losses.append([loss.item(), norm])
    with torch.no_grad():
        hits = (net(x).argmax(dim=1) == classes).float().mean()
    return [losses, hits, _parameters(net)]


@case
def discrete_critic_update(torch):
    net, target = _mlp(torch, 3, 6, 2), _mlp(torch, 3, 5, 2)
    policy = _mlp(torch, 3, 4, 2)
    s, s2 = wave(torch, 5, 3, requires_grad=False), wave(torch, 5, 3, shift=1, requires_grad=False)
    actions = torch.tensor([[0], [1], [1], [0], [1]])
    reward, done = torch.arange(5.0).unsqueeze(1), torch.tensor([[0.0], [0], [1], [0], [1]])
    with torch.no_grad():
        log_pi = torch.log_softmax(policy(s2), dim=-1)
        value = (log_pi.exp() * (target(s2) - 0.2 * log_pi)).sum(dim=1, keepdim=True)
        goal = reward + 0.99 * (1 - done) * value
    loss = torch.nn.functional.mse_loss(net(s).gather(1, actions), goal)
    loss.backward()
    unused = [p.grad for p in (*target.parameters(), *policy.parameters())]
    return [goal, loss, [p.grad for p in net.parameters()], unused]


@case
def discrete_policy_and_temperature(torch):
    policy, q1, q2 = _mlp(torch, 3, 4, 2), _mlp(torch, 3, 6, 2), _mlp(torch, 3, 5, 2)
    log_alpha = torch.zeros(1, requires_grad=True)
    s = wave(torch, 5, 3, requires_grad=False)
    with torch.no_grad():
        q = torch.min(q1(s), q2(s))
    log_pi = torch.nn.functional.log_softmax(policy(s), dim=1)
    pi = log_pi.exp()
    alpha = log_alpha.exp().detach()
    policy_loss = (pi * (alpha * log_pi - q)).sum(dim=1).mean()
    entropy = -(pi * log_pi).sum(dim=1)
    alpha_loss = (log_alpha.exp() * (entropy.detach() - 0.5)).mean()
    policy_loss.backward()
    alpha_loss.backward()
    return [policy_loss, alpha_loss, log_alpha.grad, [p.grad for p in policy.parameters()]]


@case
def squashed_gaussian_policy(torch):
    net, critic = _mlp(torch, 3, 6, 4), _mlp(torch, 5, 4, 1)
    s, noise = (
        wave(torch, 5, 3, requires_grad=False),
        wave(torch, 5, 2, shift=2, requires_grad=False),
    )
    mean, log_std = net(s).chunk(2, dim=-1)
    std = log_std.clamp(-20, 2).exp()
    u = mean + std * noise
    action = torch.tanh(u)
    log_pi = torch.distributions.Normal(mean, std).log_prob(u)
    log_pi = log_pi - 2 * (0.6931471805599453 - u - torch.nn.functional.softplus(-2 * u))
    log_pi = log_pi.sum(dim=-1, keepdim=True)
    for p in critic.parameters():
        p.requires_grad_(False)
    loss = (0.2 * log_pi - critic(torch.cat([s, action], dim=-1))).mean()
    loss.backward()
    return [log_pi, loss, [p.grad for p in net.parameters()], [p.grad for p in critic.parameters()]]


@case
def polyak_updates(torch):
    net = _mlp(torch, 2, 3, 1)
    target = copy.deepcopy(net).requires_grad_(False)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad(set_to_none=True)
        net(torch.ones(4, 2)).pow(2).mean().backward()
        optimizer.step()
        with torch.no_grad():
            for p, q in zip(net.parameters(), target.parameters(), strict=True):
                q.mul_(0.9).add_(p, alpha=0.1)
            for p, q in zip(net.parameters(), target.parameters(), strict=True):
                q.data.copy_(0.05 * p.data + 0.95 * q.data)
                q.lerp_(p, 0.01)
    return [_parameters(net), _parameters(target)]


@case
def module_of_a_user(torch):
    nn = torch.nn

    class Critic(nn.Module):  # type: ignore[name-defined]
        def __init__(self, size):
            super().__init__()
            self.heads = nn.ModuleList([_mlp(torch, size, 4, 1) for _ in range(2)])
            self.scale = nn.Parameter(torch.tensor(2.0))
            self.register_buffer("mean", torch.full((size,), 0.5))

        def forward(self, x):
            x = (x - self.mean) * self.scale
            return torch.stack([head(x) for head in self.heads]).min(dim=0).values

    critic = Critic(3)
    critic(wave(torch, 4, 3, requires_grad=False)).mean().backward()
    other = Critic(3)
    other.load_state_dict(critic.state_dict())
    gradients = {name: p.grad for name, p in critic.named_parameters()}
    return [gradients, list(other.state_dict()), sum(p.numel() for p in critic.parameters())]


@case
def accumulation_over_batches(torch):
    net = _mlp(torch, 2, 3, 1)
    x = wave(torch, 6, 2, requires_grad=False)
    for part in x.split(2):
        (net(part).mean() / 3).backward()
    summed = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    net(x).mean().backward()
    return [summed, [p.grad for p in net.parameters()]]


@case
def convolution_network(torch):
    nn = torch.nn
    net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 1))
    with torch.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_(wave(torch, *p.shape, shift=i, requires_grad=False))
    images = (torch.arange(18).reshape(2, 1, 3, 3) * 14).to(torch.uint8)
    loss = net(images.float() / 255).square().sum()
    loss.backward()
    return [loss, [p.grad for p in net.parameters()]]


@case
def normalised_observations(torch):
    x = wave(torch, 10, 3, requires_grad=False)
    mean, variance, count = torch.zeros(3), torch.ones(3), 0.0
    for batch in x.split(5):
        n = len(batch)
        delta = batch.mean(0) - mean
        total = count + n
        m2 = variance * count + batch.var(0, unbiased=False) * n + delta**2 * (count * n / total)
        mean, variance, count = mean + delta * n / total, m2 / total, total
    return [mean, variance, ((x - mean) / (variance + 1e-8).sqrt()).clamp(-5, 5)[0]]

"""The policy for actions of several parts: independent Gaussians and categorical distributions."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import Tensor, nn
from autograd.functional.fused import squashed_gaussian
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.errors import ConfigError
from sac.networks.architecture import Described, batch_mode
from sac.networks.single_row import Row, RowNetwork
from sac.policies.categorical import TARGET_ENTROPY_FRACTION, exponentials, no_std
from sac.policies.network import policy_network
from sac.policies.squashed_gaussian import check_entropy_of_bounded, gaussian_entropy
from sac.spaces.actions import ActionCodec, Part


class FactoredPolicy(nn.Module):
    """pi(a|s), the product of one distribution for each column of an action.

    One network gives the parameters of all: of each part of continuous columns the means and the
    log standard deviations, then the logits of the categories. The expectation over categories is
    exact: critics give the value of each joint choice. Source: Delalleau et al. 2019,
    arXiv:1912.11077.
    """

    is_repeatable = True

    def __init__(
        self,
        features: int,
        parts: Sequence[Part],
        config: AgentConfig,
        weights: np.random.Generator,
        noise: torch.Generator,
    ) -> None:
        """Draw the weights from `weights`, and what `soft_value` samples from `noise`.

        Parts of continuous columns come first.
        """
        super().__init__()
        self.continuous = sum(part.continuous for part in parts)
        self.sizes = tuple(n for part in parts for n in part.categories)
        self.noise_size = self.continuous + 2 * sum(self.sizes)
        self.log_std_min, self.log_std_max = config.log_std_min, config.log_std_max
        self.noise = noise
        self._gaussians = _slices([part.continuous for part in parts if part.continuous])
        self._choices = _slices(self.sizes, start=2 * self.continuous)
        counts = [len(part.categories) for part in parts if part.categories]
        self._choice_parts = _slices(counts)
        self._choice_maxima = [float(sum(np.log(self.sizes[each]))) for each in self._choice_parts]
        # Means of a part are followed by its log standard deviations.
        none, ends = np.zeros(0, np.int64), [(g.start, g.stop) for g in self._gaussians]
        means = [np.arange(2 * start, start + stop) for start, stop in ends]
        log_stds = [np.arange(start + stop, 2 * stop) for start, stop in ends]
        self._mean_rows = np.concatenate([none, *means])
        self._log_std_rows = np.concatenate([none, *log_stds])
        self.net = policy_network(config).build(
            features,
            2 * self.continuous + sum(self.sizes),
            generator=from_numpy_generator(weights),
        )
        self._batch_mode = batch_mode(self.net)
        self._row_net = RowNetwork(self.net)

    # -- entropy --------------------------------------------------------------------------

    def target_entropies(self, std: float | None = None) -> list[float]:
        """Return what each part's own policy would have as its target, with Gaussians of `std`."""
        sizes = [each.stop - each.start for each in self._gaussians]
        if std is not None and not sizes:
            raise no_std(std)
        gaussians = [-float(n) if std is None else gaussian_entropy(n, std) for n in sizes]
        return [*gaussians, *(TARGET_ENTROPY_FRACTION * most for most in self._choice_maxima)]

    @property
    def default_target_entropy(self) -> float:
        """Return the sum of the parts' targets."""
        return sum(self.target_entropies())

    def check_target_entropy(self, target_entropy: float) -> None:
        """Raise ConfigError for an entropy that the parts together can't have."""
        most = sum(self._choice_maxima)
        if self.continuous:
            check_entropy_of_bounded(target_entropy, self.continuous * math.log(2) + most)
        elif not 0 < target_entropy < most:
            raise ConfigError(
                f"agent.target_entropy: expected auto, or nats above 0 and below {most:.4g}, the "
                f"entropy of random choice among the actions, got {target_entropy:g}"
            )

    def entropy_of(self, std: float) -> float:
        """Return the targets' sum with Gaussians of this standard deviation in every dimension."""
        return sum(self.target_entropies(std))

    @property
    def entropy_tolerance(self) -> float:
        """Return how many nats from its target an entropy still counts as at it."""
        return 0.5 * self.continuous + 0.25 * sum(self._choice_maxima)

    def generators(self) -> dict[str, torch.Generator]:
        """Return the generator of the actions inside updates."""
        return {"policy": self.noise}

    # -- learning -------------------------------------------------------------------------

    def soft_value(
        self,
        observation: Tensor,
        q_value: Callable[..., Tensor],
        alpha: Tensor,
        *,
        is_learning: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Return V(s) = E_a[Q(s, a)] + sum over parts of alpha times entropy, and the entropies.

        These are of each part, (batch, parts), where each has an alpha, and else their sum.
        `is_learning`: the policy is learned from the result.
        """
        outputs = self.net(observation, **(self._batch_mode if is_learning else {}))
        columns, entropies = self._continuous(outputs)
        log_probs = [torch.log_softmax(outputs[:, each], dim=1) for each in self._choices]
        own = [-(each.exp() * each).sum(dim=1, keepdim=True) for each in log_probs]
        entropies += [torch.cat(own[each], dim=1).sum(1, True) for each in self._choice_parts]
        entropy = torch.cat(entropies, dim=1)
        if alpha.shape[1] == 1:
            entropy = entropy.sum(dim=1, keepdim=True)
        value = self._expected(observation, q_value, columns, log_probs)
        return value + (alpha * entropy).sum(dim=1, keepdim=True), entropy.detach()

    def _continuous(self, outputs: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return each part's actions in [-1, 1], and -log pi of them."""
        actions, entropies = [], []
        for each in self._gaussians:
            size = each.stop - each.start
            noise = torch.randn(len(outputs), size, generator=self.noise, device=outputs.device)
            action, log_prob = squashed_gaussian(
                outputs[:, 2 * each.start : 2 * each.stop],
                noise,
                log_std_min=self.log_std_min,
                log_std_max=self.log_std_max,
            )
            actions.append(action)
            entropies.append(-log_prob)
        return actions, entropies

    def _expected(
        self,
        observation: Tensor,
        q_values: Callable[..., Tensor],
        columns: list[Tensor],
        log_probs: list[Tensor],
    ) -> Tensor:
        """Return the sum over joint choices of pi(d|s) Q(s, a)[d], (batch, 1)."""
        joint = log_probs[0]
        for each in log_probs[1:]:
            joint = (joint.unsqueeze(2) + each.unsqueeze(1)).reshape(len(joint), -1)
        inputs = [torch.cat(columns, dim=1)] if columns else []
        return (joint.exp() * q_values(observation, *inputs)).sum(dim=1, keepdim=True)

    # -- acting ---------------------------------------------------------------------------

    def sample(self, observation: Tensor, generator: torch.Generator) -> Tensor:
        """Return actions (batch, columns): numbers in [-1, 1], then categories."""
        shape, device = (len(observation), self.noise_size), observation.device
        return self.perturbed(observation, torch.randn(*shape, generator=generator, device=device))

    def perturbed(self, observation: Tensor, noise: Tensor) -> Tensor:
        """Return what `sample` does, by standard normal numbers (batch, noise_size)."""
        outputs = self.net(observation).numpy(force=True)
        return torch.as_tensor(self._chosen(outputs, noise.numpy(force=True)))

    def mode(self, observation: Tensor) -> Tensor:
        """Return the deterministic policy's actions, (batch, columns)."""
        return torch.as_tensor(self._chosen(self.net(observation).numpy(force=True), None))

    def sample_row(self, x: Row, generator: np.random.Generator) -> Row:
        """Return what `sample` does for one observation (features,), as an array (columns,)."""
        return self.perturbed_row(x, generator.standard_normal(self.noise_size, np.float32))

    def perturbed_row(self, x: Row, noise: Row) -> Row:
        """Return the action of `perturbed` for one observation (features,)."""
        return self._chosen(self._row_net(x)[None], noise[None])[0]

    def mode_row(self, x: Row) -> Row:
        """Return what `mode` does for one observation (features,), as an array (columns,)."""
        return self._chosen(self._row_net(x)[None], None)[0]

    def _chosen(self, outputs: NDArray, noise: NDArray | None) -> NDArray[np.float32]:
        """Return actions for the network's outputs; those of the mode without noise."""
        means, logits = outputs[:, self._mean_rows], [outputs[:, each] for each in self._choices]
        if noise is not None:
            means = means + np.exp(self._log_stds(outputs)) * noise[:, : self.continuous]
            waits = np.log(exponentials(noise[:, self.continuous :]))
            places = _slices(self.sizes)
            logits = [own - waits[:, at] for own, at in zip(logits, places, strict=True)]
        choices = [np.argmax(own, axis=1)[:, None] for own in logits]
        return np.concatenate([np.tanh(means), *choices], axis=1).astype(np.float32)

    def _log_stds(self, outputs: NDArray) -> NDArray:
        return np.clip(outputs[:, self._log_std_rows], self.log_std_min, self.log_std_max)

    # -- what it is -----------------------------------------------------------------------

    def describe(self, actions: NDArray, outputs: NDArray) -> Iterator[tuple[str, NDArray]]:
        """Yield what actions (batch, ...) and outputs show, by name."""
        yield "action", actions.reshape(len(actions), -1)
        if self.continuous:
            yield "log_std", self._log_stds(outputs)
        if self.sizes:
            yield "logit", outputs[:, 2 * self.continuous :].ravel()

    def mode_steps(self) -> Described:
        """Return the steps that `mode` takes, each as its kind and its arrays."""
        *hidden, (kind, last) = self.net.described()
        logits = np.arange(2 * self.continuous, 2 * self.continuous + sum(self.sizes))
        rows = torch.as_tensor(np.concatenate([self._mean_rows, logits]))
        kept = {name: torch.index_select(array.cpu(), 0, rows) for name, array in last.items()}
        return [
            *hidden,
            (kind, kept),
            ("choose", {"sizes": torch.tensor(self.sizes, dtype=torch.int64)}),
        ]

    def shortfall(self, observation: Tensor, actions: Any, codec: ActionCodec) -> NDArray:
        """Return by how much the environment's actions differ from the mode, (batch, columns).

        Of a category: by how much its logit is below the best.
        """
        outputs = self.net(observation).numpy(force=True)
        units = codec.to_policy(actions).reshape(len(outputs), -1)
        mode = self._chosen(outputs, None).reshape(len(outputs), *codec.shape)
        gaps = codec.distance(mode, actions).reshape(len(outputs), -1)[:, : self.continuous]
        below = [
            outputs[:, each].max(axis=1) - outputs[np.arange(len(outputs)), each.start + chosen]
            for each, chosen in zip(
                self._choices, units[:, self.continuous :].astype(np.int64).T, strict=True
            )
        ]
        return np.concatenate([gaps, np.stack(below, axis=1)], axis=1)


class SampledFactoredPolicy(FactoredPolicy):
    """The same, where a sample stands for the expectation over categories.

    Critics take categories as one-hots. The gradient is that of the softmax after Gumbel noise:
    Jang et al. 2017, arXiv:1611.01144, the straight-through estimator.
    """

    is_repeatable = True

    def _expected(
        self,
        observation: Tensor,
        q_values: Callable[..., Tensor],
        columns: list[Tensor],
        log_probs: list[Tensor],
    ) -> Tensor:
        """Return Q(s, a) of the sample, (batch, n)."""
        one_hots = []
        for each in log_probs:
            batch, n = each.shape
            normals = torch.randn(batch, 2 * n, generator=self.noise, device=each.device)
            noisy = each - torch.log(exponentials(normals))
            soft, best = torch.softmax(noisy, dim=1), torch.argmax(noisy, dim=1, keepdim=True)
            hard = (best == torch.arange(n, device=best.device)).to(torch.float32)
            one_hots.append((soft - soft.detach()) + hard)
        return q_values(observation, torch.cat([*columns, *one_hots], dim=1))


def _slices(sizes: Sequence[int], start: int = 0) -> list[slice]:
    """Return where columns lie, one after the other."""
    return [slice(*ends) for ends in pairwise(accumulate(sizes, initial=start))]

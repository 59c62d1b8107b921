"""Checks of what was learned: entropy and its temperature, actions, values."""

import math

import numpy as np

from autograd import no_grad
from sac.diagnosis.evidence import Evidence, Result, early, fine, ill, unknown
from sac.diagnosis.networks import min_q, steps_taken

# Adam moves log alpha by up to its learning rate in an update. It had enough time if it could have
# moved this far, which multiplies or divides alpha by about a hundred.
LOG_ALPHA_WAY = 5.0
LOGGED_ROWS = 8  # of metrics.csv: fewer show no trend
APPROACHING = 0.9  # of the earlier distance to the target: with less, it is on its way
RUNAWAY = 10.0  # times alpha in the middle of the run, or a tenth of it
# Bang-bang control is right for some tasks. But a policy whose samples nearly all lie at the bounds
# explores no more and hardly learns: tanh passes on next to no gradient there.
SATURATED, SATURATED_SHARE = 0.99, 0.8
# The minimum of two networks is biased; SAC learns well with a bias of tens of percent.
BIASED = 0.7  # times the size of the returns, or of random sums of such rewards
BLOWN_UP = 3.0  # times that size: too much however early it is
# Targets move by tau in an update, and a reward must travel 1 / (1 - gamma) steps back. Until then,
# Q is on its way from 0.
SETTLED = 1.0
RANDOM_EPISODES = 3  # fewer say nothing of what random actions bring
CLEARLY = 2.0  # standard errors
MEASURABLE = 0.5  # least part of a value that rewards show; the rest is an estimate


def entropy(evidence: Evidence) -> Result:
    """Check that the policy's entropy reaches the target of a learned alpha."""
    target = getattr(evidence.agent.temperature, "target_entropy", None)
    values = evidence.logged("train/entropy")
    if target is None:
        return unknown("alpha is fixed: there is no target")
    if _is_early(evidence, len(values)):
        return early(f"after {evidence.agent.updates:,} updates")
    latest, before = _quarters(values)
    gap, earlier_gap = latest - target, before - target
    text = f"{latest:.3g} nats of entropy for a target of {target:.3g}"
    if _was_reached(evidence, values - target) or abs(gap) < APPROACHING * abs(earlier_gap):
        return fine(text)
    if gap < 0:
        remedy = "lower agent.target_entropy (auto suits most tasks), or lower agent.policy_lr"
    else:
        remedy = "train longer, raise agent.alpha_lr, or raise agent.reward_scale"
    return ill(f"{text}, and no nearer than before: it is never reached", remedy)


def alpha(evidence: Evidence) -> Result:
    """Check that alpha settles: it runs away if no alpha brings the entropy to its target."""
    target = getattr(evidence.agent.temperature, "target_entropy", None)
    values, entropies = evidence.logged("train/alpha"), evidence.logged("train/entropy")
    if target is None:
        return unknown(f"fixed at {evidence.config.agent.alpha}")
    if _is_early(evidence, min(len(values), len(entropies))):
        return early(f"after {evidence.agent.updates:,} updates")
    growth = values[-1] / values[len(values) // 2]
    text = f"{values[-1]:.3g}, {growth:.2g} times that of the middle of the run"
    gap = _quarters(entropies)[0] - target
    rises = growth > RUNAWAY and gap < 0
    falls = growth < 1 / RUNAWAY and gap > 0
    if not (rises or falls) or _was_reached(evidence, entropies - target):
        return fine(text)
    word, more = ("grows", "lower") if rises else ("shrinks", "higher")
    return ill(
        f"{text}: it {word} without end",
        f"an agent.target_entropy that the policy can reach ({more} than {target:.3g}), a lower "
        "agent.alpha_lr, or a fixed agent.alpha",
    )


def _is_early(evidence: Evidence, rows: int) -> bool:
    optimizer = evidence.agent.temperature.optimizer
    steps = 0 if optimizer is None else steps_taken(optimizer)
    way = steps * evidence.config.agent.alpha_lr
    return way < LOG_ALPHA_WAY or rows < LOGGED_ROWS


def _quarters(values: np.ndarray) -> tuple[float, float]:
    """Return the means of the last quarter and of the one before it."""
    quarter = len(values) // 4
    return float(values[-quarter:].mean()), float(values[-2 * quarter : -quarter].mean())


def _was_reached(evidence: Evidence, gaps: np.ndarray) -> bool:
    """Return whether the entropy met or crossed its target in the second half of the run."""
    gaps, far = gaps[len(gaps) // 2 :], evidence.agent.policy_net.entropy_tolerance
    return bool(np.any(np.abs(gaps) <= far) or (np.any(gaps > 0) and np.any(gaps < 0)))


def saturated_actions(evidence: Evidence) -> Result:
    """Check that not nearly all sampled actions lie at their bounds."""
    batch = evidence.network_rows()
    if evidence.agent.action_codec.bounds is None:
        return unknown("discrete actions have no bounds")
    if batch is None or evidence.agent.updates == 0:
        return unknown("nothing is learned yet")
    actions = evidence.agent.sample(batch.observation, evidence.generator())
    columns = actions.reshape(len(actions), -1)[:, : evidence.agent.action_codec.continuous]
    share = float(np.mean(np.abs(columns) > SATURATED))
    text = f"{share:.0%} of the policy's actions are within 1 % of their bounds"
    if share <= SATURATED_SHARE:
        return fine(text)
    remedy = (
        "lower agent.policy_lr or agent.reward_scale, set agent.normalize_observations: true, or "
        "raise agent.target_entropy; if the best actions do lie at the bounds, leave it"
    )
    return ill(text, remedy)


def learning(evidence: Evidence) -> Result:
    """Check that the policy is better than the random actions that the run began with."""
    returns, updates = evidence.logged("eval/mean_return"), evidence.agent.updates
    train = evidence.config.train
    if train.never_learns:
        return ill(
            f"no update is made: train.learning_starts ({train.learning_starts:,}) is not below "
            f"train.total_steps ({train.total_steps:,})",
            "a lower train.learning_starts, or a higher train.total_steps",
        )
    if not len(returns) or updates == 0:
        return unknown("what is learned has not been evaluated yet")
    if not evidence.has_choice:
        return unknown("there is one action alone: no policy is better than another")
    steps, by_chance = evidence.history["rollout/episode_return"]
    by_chance = by_chance[steps <= train.learning_starts]
    if len(by_chance) < RANDOM_EPISODES:
        return unknown("too few episodes ended before train.learning_starts to compare with")
    latest, chance = returns[3 * len(returns) // 4 :].mean(), by_chance.mean()
    error = by_chance.std() / math.sqrt(len(by_chance))
    text = f"a mean return of {latest:.4g}, where the first random actions got {chance:.4g}"
    if latest > chance + CLEARLY * error:
        return fine(text)
    if not _has_settled(evidence):
        return early(f"{text}, after {updates:,} updates")
    if latest >= chance:
        return fine(text)
    return ill(
        f"{text}: after {updates:,} updates the policy is no better",
        "what helps against the other findings; without any, lower agent.policy_lr and "
        "agent.soft_q_lr, agent.normalize_observations: true, or another agent.reward_scale",
    )


def q_bias(evidence: Evidence) -> Result:
    """Check that Q of an episode's first step is near the discounted return of the episode."""
    config = evidence.config.agent
    if not evidence.episodes or evidence.agent.updates == 0:
        return unknown("no evaluation episode was played by what is learned")
    q_value, g, shown = _values_and_returns(evidence)
    measurable = shown >= MEASURABLE
    if not measurable.any():
        return unknown(
            f"truncated episodes are too short for a gamma of {config.gamma:g} to tell of Q"
        )
    included = _included(evidence, shown[measurable])
    q_value, g = q_value[measurable], g[measurable]
    bias = float(np.mean(q_value - g))
    text = (
        f"Q is {q_value.mean():.4g} where discounted returns are {g.mean():.4g}{included}, by "
        f"{len(g)} evaluation episodes: a bias of {bias:+.3g}"
    )
    size = max(float(np.mean(np.abs(g))), _chance_size(evidence))
    blown_up = np.abs(q_value).mean() > BLOWN_UP * size
    if abs(bias) <= BIASED * size:
        return fine(text)
    if not (_has_settled(evidence) or blown_up):
        return early(text)
    if bias > 0:
        remedy = "lower agent.soft_q_lr or agent.tau, or raise agent.num_soft_q_nets"
    else:
        remedy = "train longer, or raise agent.soft_q_lr or agent.tau"
    return ill(text, f"{remedy}; agent.reward_scale where returns are in the thousands")


def _has_settled(evidence: Evidence) -> bool:
    config, steps = evidence.config.agent, steps_taken(evidence.agent.critic.optimizer)
    return steps * config.tau * (1 - config.gamma) >= SETTLED


def _values_and_returns(evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Q and G of each episode's first step, and the share of G that is no estimate.

    Beside rewards, a soft Q holds alpha times the entropy of every later step that a target begins
    its next value with, if targets have it: with n_step 5, of every fifth.
    For what would have followed a truncated end, G takes Q itself.
    """
    agent, config, played = evidence.agent, evidence.config.agent, evidence.episodes
    bonus = _entropy_bonus(evidence)
    first = np.stack([episode.observation for episode in played])
    last = np.stack([episode.last_observation for episode in played])
    actions = np.stack([episode.action for episode in played])
    lengths = np.array([episode.length for episode in played])
    goes_on = np.array([episode.truncated for episode in played], np.float64)
    left = goes_on * config.gamma**lengths
    with no_grad():
        q_value = min_q(agent, first, actions)
        q_after = min_q(agent, last, agent.greedy(last))
    rewards = np.array([episode.discounted_return for episode in played]) * agent.reward_factor
    n = evidence.config.train.n_step
    later = np.array([np.sum(config.gamma ** np.arange(n, length, n)) for length in lengths])
    return q_value, rewards + bonus * later + left * (q_after + bonus), 1 - left


def _entropy_bonus(evidence: Evidence) -> float:
    """Return what a later step adds to a soft Q for its entropy, by the last that was logged."""
    temperature = evidence.agent.temperature
    tags = [f"train/entropy/{name}" for name in getattr(temperature, "names", ())]
    entropies = [evidence.logged(tag) for tag in tags or ["train/entropy"]]
    if not (evidence.config.agent.entropy_in_target and all(map(len, entropies))):
        return 0.0
    return float(sum(temperature.alpha.numpy(force=True)[0] * [own[-1] for own in entropies]))


def _included(evidence: Evidence, shown: np.ndarray) -> str:
    """Return in words what is in the discounted returns beside the environment's own rewards."""
    bonus, scale = _entropy_bonus(evidence), evidence.agent.reward_factor
    parts = [
        *([f"rewards times {scale:g}"] if scale != 1 else []),
        *([f"{bonus:+.2g} for entropy in later steps"] if bonus else []),
        *(["Q itself after truncated ends"] if np.any(shown < 1) else []),
    ]
    return f" (with {', '.join(parts)})" if parts else ""


def _chance_size(evidence: Evidence) -> float:
    """Return the size of a discounted sum of rewards if they were independent and of mean 0.

    Returns near 0 are no measure of size, as large rewards may cancel in them.
    """
    if evidence.batch is None:
        return 0.0
    config = evidence.config.agent
    size = float(np.sqrt(np.mean(evidence.batch.reward.astype(np.float64) ** 2)))
    return size * evidence.agent.reward_factor / math.sqrt(max(1 - config.gamma**2, 1e-6))

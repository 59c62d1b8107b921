"""Checks of the environment: its observations, rewards, actions, ends of episodes, and pace."""

import numpy as np
from numpy.typing import NDArray

from sac.diagnosis.evidence import Evidence, Result, early, fine, ill, unknown
from sac.environments.probe import RANDOM_STEPS, REPEATED
from sac.networks.architecture import standardises_inputs
from sac.replay.batch import Batch

FAR_GOAL = (
    "train.random_action_repeat: 4 (up to 32 where a goal is far), which holds each random action "
    "and so gets further, with train.n_step: 5, which carries a rare reward back; or rewards on "
    "the way to the goal, shorter episodes, or a beginning nearer the goal"
)
SCALES = 1000.0  # largest size of a feature, divided by the smallest spread of another
CONSTANT = 1e-5  # of a feature's own size: a smaller spread is rounding of float32
# A Q value is about reward / (1 - gamma): 10,000 for a reward of 100 and a gamma of 0.99.
LARGE_REWARD = 100.0
RARE_STEPS, RARE_EPISODES = 0.001, 0.05  # shares that differ from the common case
EXPLAINED = 1e-4  # of the largest reward: what is nearer to a function is rounding of float32
LASTING = 0.9  # share of the episodes
ENOUGH_STEPS, ENOUGH_EPISODES = 1000, 5
WIDE_BOUNDS = 1e4  # in the environment's units; neither motors nor normalised actions reach it
SMALL_REACH = 0.05  # of the bounds
TRUNCATED_LENGTHS = 3  # a time limit truncates all episodes at one length
# Most publications use a transition 256 times: a batch of 256 in each step. REDQ and DroQ use it
# 5120 times, in 20 updates a step, and need ensembles or dropout for that.
LEAST_USES, MOST_USES = 4.0, 5120.0
SLOW_STEP, SLOW_SHARE = 1e-3, 0.8  # seconds; share of the training time


def observation_scale(evidence: Evidence) -> Result:
    """Check that features are of similar size: a network hardly sees those that are far smaller."""
    batch, agent = evidence.batch, evidence.agent
    if batch is None:
        return unknown("the replay is empty")
    numbers = agent.encoder.numbers  # pixels are of like size, whatever they show
    if not len(numbers):
        return unknown("observations are images alone")
    features = agent.observation_input.array(batch.observation)[:, numbers].astype(np.float64)
    sizes, spreads = np.sqrt(np.mean(features**2, axis=0)), features.std(axis=0)
    varying = spreads > CONSTANT * sizes
    if not varying.any():
        return unknown("no feature varies")
    spreads = np.where(varying, spreads, np.inf)
    largest, smallest = int(np.argmax(sizes)), int(np.argmin(spreads))
    text = (
        f"feature {numbers[largest]} is about {sizes[largest]:.2g} in size, and feature "
        f"{numbers[smallest]} varies by {spreads[smallest]:.2g}"
    )
    if sizes[largest] <= SCALES * spreads[smallest]:
        return fine(text)
    if all(map(standardises_inputs, (agent.policy_net.net, agent.critic.soft_q_nets))):
        return fine(f"{text}; all networks begin with BatchNorm, which brings both to one size")
    remedy = "agent.normalize_observations: true, or features of like size from the environment"
    return ill(text, remedy)


def rewards(evidence: Evidence) -> Result:
    """Check that rewards are small enough to be learned and frequent enough to be found."""
    batch, config = evidence.batch, evidence.config.agent
    if batch is None:
        return unknown("the replay is empty")
    scaled = batch.reward.astype(np.float64) * evidence.agent.reward_factor
    size = float(np.sqrt(np.mean(scaled**2)))
    text = f"about {size:.3g} in size"
    if size > LARGE_REWARD:
        return ill(
            f"{text}: Q values will be near {size / max(1 - config.gamma, 1e-3):.2g}",
            f"agent.reward_scale: {config.reward_scale * 0.1 ** np.ceil(np.log10(size)):.2g}",
        )
    returns = evidence.logged("rollout/episode_return")
    if len(returns) < ENOUGH_EPISODES:
        return early(f"{text}, and {len(returns)} logged returns tell not how rare they are")
    if evidence.step < ENOUGH_STEPS:
        return fine(text)
    values, counts = np.unique(batch.reward, return_counts=True)
    common = float(values[np.argmax(counts)])
    told = float(np.mean(returns != np.median(returns)))
    news = float(np.mean((batch.reward != common) | _ended(evidence, batch)))
    if news <= RARE_STEPS and told <= RARE_EPISODES:
        return ill(
            f"{news:.2%} of the steps have another reward than {common:g} or end the episode, and "
            f"{told:.0%} of the episodes another return than {np.median(returns):g}",
            FAR_GOAL,
        )
    news = float(np.mean(_is_unexplained(batch) | _ended(evidence, batch)))
    if news <= RARE_STEPS and counts.max() < 0.5 * batch.reward.size:  # else: nothing to explain
        return ill(
            f"{1 - news:.2%} of the steps have a reward that their action alone explains, as a "
            "cost, and do not end the episode: no goal has been met",
            FAR_GOAL,
        )
    return fine(text)


def _ended(evidence: Evidence, batch: Batch) -> NDArray[np.bool_]:
    """Return which transitions end their episode for good, (n, 1)."""
    # With a gamma of 0, every discount is 0.
    return (batch.discount == 0) & (evidence.config.agent.gamma > 0)


def _is_unexplained(batch: Batch) -> NDArray[np.bool_]:
    """Return which rewards are no quadratic function of the action, such as its cost, (n, 1)."""
    actions, reward = batch.action.astype(np.float64), batch.reward.astype(np.float64)
    features = np.hstack([np.ones_like(reward), actions, actions**2])
    weights = np.linalg.lstsq(features, reward, rcond=None)[0]
    return np.abs(features @ weights - reward) > EXPLAINED * np.abs(reward).max()


def time_limit(evidence: Evidence) -> Result:
    """Check that episodes do not last until the time limit for nothing, as of one who waits."""
    episodes, batch = evidence.episodes, evidence.batch
    if not episodes or batch is None:
        return unknown("no evaluation episode was played")
    if evidence.agent.updates == 0:
        return unknown("nothing is learned yet")
    late = [episode.late_reward for episode in episodes if episode.truncated]
    text = f"{len(late)} of {len(episodes)} evaluation episodes last until a limit"
    if (
        len(late) < LASTING * len(episodes)
        or np.mean(late) > 0
        or any(episode.success for episode in episodes)
        or not _ended(evidence, batch).any()
    ):
        return fine(text)
    text += f" although episodes can end, and bring {np.mean(late):.3g} a step in their later half"
    if evidence.step < evidence.config.train.total_steps / 2:
        return early(text)
    for_choices = (
        "agent.target_entropy: 0.2 and agent.entropy_in_target: false, or staying on with an "
        "entropy bonus is worth more; "
    )
    return ill(
        f"{text}: the agent waits",
        "train.n_step: 5, which carries what an end brings back sooner; preset: crossq; "
        "agent.num_soft_q_nets: 1, where the least of two values fears an end too much; "
        f"{for_choices if evidence.agent.action_codec.categories else ''}"
        "if a long episode is the goal, leave it",
    )


def action_bounds(evidence: Evidence) -> Result:
    """Check that actions make a difference in most of the range between their bounds."""
    bounds = evidence.agent.action_codec.bounds
    if bounds is None:
        return unknown("discrete actions have no bounds")
    widest = float(np.max(np.abs(bounds)))
    remedy = (
        "narrower bounds of the environment's action space, or a gymnasium.wrappers.TransformAction"
    )
    if widest > WIDE_BOUNDS:
        return ill(f"actions are as large as {widest:.2g}", remedy)
    text = f"up to {widest:.3g}"
    reach = None if evidence.probe is None else evidence.probe.reach
    if reach is None or np.isnan(reach).all():
        return fine(text)
    worst = int(np.nanargmin(reach))
    if reach[worst] >= SMALL_REACH:
        return fine(f"{text}, and outcomes depend on the action in {reach[worst]:.0%} of them")
    return ill(
        f"{text}, but in dimension {worst} the outcome depends on the action in only "
        f"{reach[worst]:.2%} of its range",
        remedy,
    )


def truncation(evidence: Evidence) -> Result:
    """Check that only limits of time truncate: an end that the state causes must terminate."""
    episodes = evidence.episodes
    if not episodes:
        return unknown("no evaluation episode was played")
    lengths = {episode.length for episode in episodes if episode.truncated}
    truncated = sum(episode.truncated for episode in episodes)
    text = f"{truncated} of {len(episodes)} evaluation episodes were truncated"
    if len(lengths) < TRUNCATED_LENGTHS:
        return fine(text)
    return ill(
        f"{text}, after {len(lengths)} different numbers of steps ({min(lengths)} to "
        f"{max(lengths)}): these are no time limits",
        "let the environment return terminated=True, not truncated=True, where the episode ends "
        "for good: what comes after a truncated end counts as if it went on",
    )


def environment_checker(evidence: Evidence) -> Result:
    """Check the environment by Gymnasium's own checker."""
    if evidence.probe is None:
        return unknown("no environment could be made")
    if evidence.probe.fault is None:
        return fine(f"Gymnasium's checker finds nothing wrong in {RANDOM_STEPS} random steps")
    return ill(
        f"Gymnasium's checker finds: {evidence.probe.fault}",
        "put it right in the environment: gymnasium.utils.env_checker.check_env(env)",
    )


def repetition(evidence: Evidence) -> Result:
    """Check that two environments of one seed give the same to the same actions."""
    repeated = None if evidence.probe is None else evidence.probe.repeated
    if repeated is None:
        return unknown("no two environments were played in")
    if repeated >= REPEATED:
        return fine(f"two environments of one seed gave the same {repeated} times")
    where = "in their first observation" if repeated == 0 else f"in step {repeated}"
    return ill(
        f"two environments of one seed differ {where}: neither a run nor a resume repeats exactly",
        "let the environment draw all its random numbers from self.np_random, which reset(seed=...)"
        " seeds, and take no time of day into its state",
    )


def pace(evidence: Evidence) -> Result:
    """Check that updates and environment steps do not wait for one another."""
    train, updates = evidence.config.train, evidence.agent.updates
    learned_from = evidence.step - train.learning_starts
    if learned_from <= 0 or updates == 0:
        return unknown("learning has not started yet")
    uses = updates * (train.batch_size - train.demonstration_share) / learned_from
    text = f"a transition is used {uses:.3g} times"
    if uses < LEAST_USES:
        return ill(
            f"{text}: updates are few for what is collected",
            "a higher train.updates_per_step or train.batch_size",
        )
    if uses > MOST_USES:
        return ill(
            f"{text}: environment steps are few for the updates",
            "a lower train.updates_per_step; or more environments where steps are what takes time",
        )
    seconds, rates = evidence.environment_seconds, evidence.logged("time/env_steps_per_second")
    if seconds is None or not len(rates):
        return fine(text)
    share = min(1.0, seconds * float(rates[-1]))
    text += f", and {share:.0%} of the time goes into environment steps"
    if seconds < SLOW_STEP or share < SLOW_SHARE:
        return fine(text)
    return ill(
        f"{text} of {1000 * seconds:.3g} ms each: updates wait for them",
        "env.num_envs: 4 and env.vectorization: async, or a higher train.updates_per_step, which "
        "costs little here",
    )

"""Returns that others have published, to compare evaluations with."""

from typing import NamedTuple


class Published(NamedTuple):
    """A mean return of the deterministic policy, and who measured it after how many steps."""

    mean_return: float
    source: str


# One run each. A version in brackets is the environment's, where it is older than ours.
ZOO = "RL Baselines3 Zoo, benchmark.md"
# Best within the first million steps, mean over ten seeds, with version 3 of the environments.
TIANSHOU = "SAC, 1M steps, Tianshou, examples/mujoco/README.md"

PUBLISHED = {
    "Pendulum-v1": Published(-157.0, f"SAC, 20k steps, {ZOO}"),
    "MountainCarContinuous-v0": Published(94.7, f"SAC, 50k steps, {ZOO}"),
    "LunarLanderContinuous-v3": Published(260.4, f"SAC, 500k steps, {ZOO} (v2)"),
    "BipedalWalker-v3": Published(297.7, f"SAC, 500k steps, {ZOO}"),
    "CartPole-v1": Published(500.0, f"DQN, 50k steps, {ZOO}"),
    "Acrobot-v1": Published(-76.6, f"DQN, 100k steps, {ZOO}"),
    "MountainCar-v0": Published(-100.8, f"DQN, 120k steps, {ZOO}"),
    "LunarLander-v3": Published(154.4, f"DQN, 100k steps, {ZOO} (v2)"),
    "HalfCheetah-v5": Published(12138.8, f"{TIANSHOU} (v3)"),
    "Hopper-v5": Published(3542.2, f"{TIANSHOU} (v3)"),
    "Walker2d-v5": Published(5007.0, f"{TIANSHOU} (v3)"),
    "Ant-v5": Published(5850.2, f"{TIANSHOU} (v3)"),
    "Humanoid-v5": Published(5488.5, f"{TIANSHOU} (v3)"),
}

"""Train RLtools' SAC from the start of the process to a saved policy.

RLtools is C++ that is compiled for each task, with the sizes of its networks known to the compiler.
"""

import argparse
from pathlib import Path

import gymnasium
import numpy as np
from gymnasium.wrappers import RescaleAction
from rltools import SAC


def main() -> None:
    """Train as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--env", required=True)
    parser.add_argument("--total-steps", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--width", type=int, required=True)
    arguments = parser.parse_args()

    def make() -> gymnasium.Env:
        return RescaleAction(gymnasium.make(arguments.env), np.float32(-1), np.float32(1))

    sac = SAC(
        make,
        interface_name=f"width_{arguments.width}_batch_{arguments.batch_size}",
        enable_evaluation=False,
        STEP_LIMIT=arguments.total_steps,
        ACTOR_BATCH_SIZE=arguments.batch_size,
        CRITIC_BATCH_SIZE=arguments.batch_size,
        ACTOR_NUM_LAYERS=arguments.layers + 1,  # with the output's
        CRITIC_NUM_LAYERS=arguments.layers + 1,
        ACTOR_HIDDEN_DIM=arguments.width,
        CRITIC_HIDDEN_DIM=arguments.width,
    )
    state = sac.State(0)
    for _ in range(arguments.steps):
        state.step()
    Path("policy.h").write_text(state.export_policy())


if __name__ == "__main__":
    main()

"""Train a peer's SAC from the start of the process to a saved policy, or with a full buffer."""

import argparse

from .peer_models import fill, sac_class


def main() -> None:
    """Train as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=("sb3", "sbx"))
    parser.add_argument("--env", required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--hidden-sizes", type=int, nargs="+", required=True)
    parser.add_argument("--learning-starts", type=int, required=True)
    parser.add_argument("--buffer-size", type=int, required=True)
    parser.add_argument("--full-buffer", action="store_true")
    parser.add_argument("--device", required=True)
    arguments = parser.parse_args()
    model = sac_class(arguments.peer)(
        "MlpPolicy",
        arguments.env,
        learning_starts=arguments.learning_starts,
        batch_size=arguments.batch_size,
        buffer_size=arguments.buffer_size,
        train_freq=1,
        gradient_steps=1,
        policy_kwargs={"net_arch": arguments.hidden_sizes},
        device=arguments.device,
        seed=0,
    )
    if arguments.full_buffer:
        fill(model.replay_buffer)
    model.learn(arguments.steps)
    model.save("model")


if __name__ == "__main__":
    main()

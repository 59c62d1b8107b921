"""The pitfalls of SAC implementations, each with the tests that fail where it is stepped into.

Each was seen in a published implementation; the tests were each seen to fail on it.
"""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent
NUMBERS = range(1, 37)


class Pitfall(NamedTuple):
    """What goes wrong, and the tests that show it."""

    number: int
    what: str
    tests: tuple[str, ...]  # node ids below this folder


GAUSSIAN = "policies/test_squashed_gaussian.py::"
CATEGORICAL = "policies/test_categorical.py::"
UPDATE = "agent/test_update.py::"
VARIANTS = "agent/test_variants.py::"
INVARIANCES = "agent/test_invariances.py::"
STATE = "agent/test_state.py::"
NETWORKS = "networks/test_freezing.py::"
NORMALIZER = "networks/test_observation_input.py::"
TEMPERATURE = "agent/test_temperature.py::"
TRAINING = "training/test_pitfalls_in_training.py::"
REPLAY = "replay/test_buffer.py::"
ENVIRONMENTS = "environments/test_environments.py::"
COLLECTOR = "training/test_collector.py::"
SPACES = "spaces/test_spaces.py::"
SEEDING = "test_seeding.py::"
ACTING = "agent/test_acting.py::"

PITFALLS = [
    Pitfall(
        1,
        "tanh's log-probability with an epsilon: biased, and flat where the action saturates",
        (GAUSSIAN + "test_log_probability_is_exact_where_the_action_saturates",),
    ),
    Pitfall(
        2,
        "log-probability by atanh of the clipped action",
        (GAUSSIAN + "test_gradient_is_exact_where_the_action_saturates",),
    ),
    Pitfall(
        3,
        "log(1 - a^2) of an action in the environment's units: the logarithm of a negative number",
        (INVARIANCES + "test_bounds_of_the_actions_change_no_log_probability_alpha_or_loss",),
    ),
    Pitfall(
        4,
        "action bounds within the density: entropy, alpha and losses depend on units",
        (INVARIANCES + "test_bounds_of_the_actions_change_no_log_probability_alpha_or_loss",),
    ),
    Pitfall(
        5,
        "target entropy of an action of several dimensions",
        (VARIANTS + "test_default_target_entropy_of_any_shape",),
    ),
    Pitfall(
        6,
        "discrete target entropy that no policy reaches",
        (
            VARIANTS + "test_default_target_entropy_of_discrete_actions_can_be_reached",
            VARIANTS + "test_discrete_target_entropy_out_of_reach_is_refused",
            "agent/test_bandits.py::test_discrete_entropy_meets_its_target",
        ),
    ),
    Pitfall(
        7,
        "alpha's loss: sign, scale, and a gradient into anything but log alpha",
        (
            TEMPERATURE + "test_too_little_entropy_raises_alpha_and_too_much_lowers_it",
            TEMPERATURE + "test_gradient_is_the_mean_distance_from_the_target_whatever_alpha_is",
            TEMPERATURE + "test_gradient_reaches_log_alpha_only",
        ),
    ),
    Pitfall(
        8,
        "alpha of before its step in one loss, of after it in another",
        (
            UPDATE + "test_the_temperature_steps_on_the_entropy_of_before",
            UPDATE + "test_losses_and_gradients_of_the_soft_q_networks",
            UPDATE
            + "test_loss_and_gradients_of_the_policy_use_the_soft_q_networks_after_their_step",
        ),
    ),
    Pitfall(
        9,
        "gradient into the target or, by the next action, into the policy",
        (
            NETWORKS + "test_the_step_of_the_soft_q_networks_leaves_the_policy_and_the_targets",
            UPDATE + "test_gradients_reach_nothing_but_what_is_learned",
        ),
    ),
    Pitfall(
        10,
        "the policy's loss computes gradients of the soft Q networks",
        (
            NETWORKS + "test_the_policys_graph_holds_no_weight_of_the_soft_q_networks",
            NETWORKS + "test_the_policys_step_allocates_no_gradient_of_the_soft_q_networks",
        ),
    ),
    Pitfall(
        11,
        "freezing by an exhausted iterator",
        (
            NETWORKS + "test_frozen_parameters_get_no_gradient_but_what_is_below_them_does",
            NETWORKS + "test_the_policys_step_allocates_no_gradient_of_the_soft_q_networks",
        ),
    ),
    Pitfall(
        12,
        "gradient through the minimum: to the wrong network, or twice at a tie",
        (
            UPDATE
            + "test_loss_and_gradients_of_the_policy_use_the_soft_q_networks_after_their_step",
            VARIANTS + "test_equal_networks_give_the_gradient_of_one",
            VARIANTS + "test_target_and_policy_take_the_minimum_of_all_networks",
        ),
    ),
    Pitfall(
        13,
        "factor of the squared error: 1/2, and a mean over the batch, for each network",
        (UPDATE + "test_losses_and_gradients_of_the_soft_q_networks",),
    ),
    Pitfall(
        14,
        "(B,) against (B, 1) broadcasts to (B, B)",
        (INVARIANCES + "test_values_without_their_column_are_refused",),
    ),
    Pitfall(
        15,
        "terminated or truncated, merged into done",
        (
            TRAINING + "test_the_update_gets_true_transitions",
            INVARIANCES + "test_a_terminated_transition_does_not_look_at_its_successor",
        ),
    ),
    Pitfall(
        16,
        "the first observation of the next episode as successor of the last step",
        (
            ENVIRONMENTS + "test_each_mode_gives_true_transitions",
            TRAINING + "test_the_update_gets_true_transitions",
        ),
    ),
    Pitfall(
        17,
        "the dummy transition of a reset is stored",
        (
            COLLECTOR + "test_stored_transitions_equal_real_steps",
            TRAINING + "test_the_update_gets_true_transitions",
        ),
    ),
    Pitfall(
        18,
        "episode statistics lost when a key of infos moves",
        (ENVIRONMENTS + "test_each_mode_gives_true_transitions",),
    ),
    Pitfall(
        19,
        "n-step returns across an episode's end",
        ("replay/test_n_step.py::test_targets_are_those_of_the_definition",),
    ),
    Pitfall(
        20,
        "ring: the overwritten row, the wrap, the next row across episodes",
        (REPLAY + "test_holds_what_a_plain_list_would",),
    ),
    Pitfall(
        21,
        "views of arrays that the environment uses again",
        (
            REPLAY + "test_nothing_is_shared_with_the_caller",
            SPACES + "test_encoding_copies",
            TRAINING + "test_the_update_gets_true_transitions",
        ),
    ),
    Pitfall(
        22,
        "float64 from environments, numbers and alpha",
        (
            INVARIANCES + "test_all_tensors_of_an_update_are_float32",
            TRAINING + "test_float64_of_the_environment_goes_no_further",
            UPDATE + "test_many_updates_stay_in_float32_and_finite",
        ),
    ),
    Pitfall(
        23,
        "bounds that are infinite, asymmetric, or differ between dimensions",
        (
            ACTING + "test_a_saturated_policy_gives_the_bounds_themselves",
            ACTING + "test_a_mean_of_zero_acts_in_the_middle_of_each_dimensions_own_bounds",
            SPACES + "test_infinite_bounds_say_how_to_wrap",
        ),
    ),
    Pitfall(
        24,
        "the environment's units in one reading of a soft Q network, the policy's in the other",
        (
            TRAINING + "test_the_updates_actions_are_those_of_the_policy_not_of_the_environment",
            INVARIANCES + "test_both_readings_of_a_soft_q_network_take_policy_units",
        ),
    ),
    Pitfall(
        25,
        "evaluation that is stochastic, or changes the statistics of observations",
        (
            TRAINING + "test_evaluations_disturb_nothing",
            TRAINING + "test_evaluation_takes_the_deterministic_actions",
            VARIANTS + "test_acting_and_learning_leave_the_statistics",
        ),
    ),
    Pitfall(
        26,
        "statistics that the target network lacks",
        (VARIANTS + "test_normalised_observations_reach_every_network",),
    ),
    Pitfall(
        27,
        "one dropout mask for target and online network",
        (
            "critics/test_soft_q.py::test_target_and_online_networks_have_dropout_masks_of_their_own",
        ),
    ),
    Pitfall(
        28,
        "Polyak averaging the wrong way round, before the step, or not at every update",
        (UPDATE + "test_targets_move_by_tau_to_the_networks_after_their_step",),
    ),
    Pitfall(
        29,
        "updates and steps counted by vector steps",
        (TRAINING + "test_updates_and_steps_are_counted_per_transition",),
    ),
    Pitfall(
        30,
        "one batch for several updates",
        (TRAINING + "test_every_update_draws_its_own_batch",),
    ),
    Pitfall(
        31,
        "a resume without alpha, optimizers, statistics, counters or generators",
        (
            STATE + "test_a_resumed_agent_goes_on_to_the_last_bit",
            STATE + "test_the_state_holds_the_moments_and_steps_of_every_optimizer",
            TRAINING + "test_a_resumed_run_goes_on_and_starts_nothing_anew",
            NORMALIZER + "test_a_resumed_normaliser_goes_on_to_the_last_bit",
        ),
    ),
    Pitfall(
        32,
        "environments with the same seed, and random actions without one",
        (
            TRAINING + "test_no_two_episodes_of_a_training_have_the_same_seed",
            COLLECTOR + "test_random_actions_are_seeded",
            SEEDING + "test_streams_differ_from_one_another_and_from_another_seeds",
        ),
    ),
    Pitfall(
        33,
        "discrete: mean over actions for their sum, argmax over the batch, log of 0",
        (
            CATEGORICAL + "test_soft_value_sums_over_actions_for_each_row",
            CATEGORICAL + "test_mode_is_the_best_action_of_each_row",
            CATEGORICAL + "test_extreme_logits_stay_finite",
        ),
    ),
    Pitfall(
        34,
        "images divided by 255 twice, or not at all",
        (
            NORMALIZER + "test_images_are_scaled_once_to_between_0_and_1",
            NORMALIZER + "test_statistics_of_images_are_of_the_scaled_ones",
        ),
    ),
    Pitfall(
        35,
        "prioritised replay: weights ignored, priorities of one network",
        (
            "critics/test_soft_q.py::test_weight_is_what_a_transitions_loss_counts",
            "replay/test_prioritized.py::test_draws_and_weights_are_those_of_the_definition",
            "training/test_loop.py::test_priorities_follow_the_errors_of_updates",
        ),
    ),
    Pitfall(
        36,
        "the host waits for the GPU in every update",
        (INVARIANCES + "test_an_update_never_waits_for_a_number",),
    ),
]


@cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_pitfall_is_there_once() -> None:
    assert [pitfall.number for pitfall in PITFALLS] == list(NUMBERS)


@pytest.mark.parametrize("pitfall", PITFALLS, ids=lambda pitfall: str(pitfall.number))
def test_pitfall_has_tests_that_exist(pitfall: Pitfall) -> None:
    assert pitfall.what and pitfall.tests
    for test in pitfall.tests:
        file, _, function = test.partition("::")
        assert function.startswith("test_") and function in functions(HERE / file), test

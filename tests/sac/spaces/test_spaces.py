"""Observations to arrays, actions between units, spaces to JSON; what is refused and how."""

import json
from typing import Any

import numpy as np
import pytest
from gymnasium import Space, spaces
from gymnasium.vector.utils import concatenate, create_empty_array
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from sac.errors import SpaceError
from sac.spaces import ObservationEncoder, action_codec, space_from_json, space_to_json
from sac.spaces.actions import DiscreteActions

IMAGE = spaces.Box(0, 255, (4, 5, 3), np.uint8)
NESTED = spaces.Dict(
    {
        "position": spaces.Box(-1.0, 1.0, (2, 2), np.float64),
        "inner": spaces.Tuple((spaces.Discrete(3, start=-1), spaces.MultiBinary((2, 2)))),
        "mode": spaces.MultiDiscrete([2, 3], start=[1, 0]),
    }
)
CODES = spaces.Box(0, 255, (2, 2, 3), np.uint8)
OBSERVATION_SPACES: list[tuple[Space, tuple[int, ...], type]] = [
    (spaces.Box(-np.inf, np.inf, (3,), np.float32), (3,), np.float32),
    (spaces.Box(-1.0, 1.0, (2, 3), np.float64), (2, 3), np.float32),
    (spaces.Box(-1.0, 1.0, (), np.float32), (), np.float32),
    (spaces.Box(-5, 5, (2,), np.int64), (2,), np.float32),
    (IMAGE, (4, 5, 3), np.uint8),
    (spaces.Discrete(4), (4,), np.float32),
    (spaces.Discrete(4, start=-2), (4,), np.float32),
    (spaces.MultiDiscrete([2, 3]), (5,), np.float32),
    (spaces.MultiDiscrete(np.array([[2, 3], [1, 4]])), (10,), np.float32),
    (spaces.MultiBinary(3), (3,), np.float32),
    (spaces.Tuple((spaces.Discrete(2), spaces.Box(0.0, 1.0, (2,)))), (4,), np.float32),
    (NESTED, (16,), np.float32),
    (spaces.Dict({"image": CODES, "direction": spaces.Discrete(4)}), (16,), np.uint8),
    (spaces.Tuple((spaces.MultiBinary(2), spaces.MultiDiscrete([2, 3]), CODES)), (19,), np.uint8),
    (spaces.Dict({"image": CODES, "speed": spaces.Box(-1.0, 1.0, (2,))}), (14,), np.float32),
]
EACH_OBSERVATION_SPACE = pytest.mark.parametrize(
    ("space", "shape", "dtype"), OBSERVATION_SPACES, ids=[str(row[0]) for row in OBSERVATION_SPACES]
)


def batched(space: Space, observations: list[Any]) -> Any:
    """Batch observations as Gymnasium's vector environments do."""
    out: Any = create_empty_array(space, n=len(observations))
    return concatenate(space, observations, out)


@EACH_OBSERVATION_SPACE
def test_encodes_single_and_batched_alike(space: Space, shape: tuple, dtype: type) -> None:
    space.seed(1)
    encoder = ObservationEncoder(space)
    assert (encoder.space, encoder.shape, encoder.dtype) == (space, shape, np.dtype(dtype))
    observations = [space.sample() for _ in range(3)]
    singles = [encoder.encode(observation) for observation in observations]
    batch = encoder.encode_batch(batched(space, observations), 3)
    assert batch.shape == (3, *shape)
    assert batch.dtype == dtype
    for single, row, observation in zip(singles, batch, observations, strict=True):
        assert single.shape == shape
        assert single.dtype == dtype
        np.testing.assert_array_equal(single, row)
        expected = spaces.flatten(space, observation)
        np.testing.assert_array_equal(single.ravel(), np.asarray(expected).astype(dtype))


@EACH_OBSERVATION_SPACE
def test_tells_a_batch_from_a_single_observation(space: Space, shape: tuple, dtype: type) -> None:
    encoder = ObservationEncoder(space)
    assert encoder.batch_size(space.sample()) is None
    assert encoder.batch_size(batched(space, [space.sample() for _ in range(5)])) == 5


@pytest.mark.parametrize("space", [row[0] for row in OBSERVATION_SPACES[:5]])
def test_encoding_copies(space: spaces.Box) -> None:
    encoder = ObservationEncoder(space)
    buffer = batched(space, [space.sample() for _ in range(2)])
    encoded, single = encoder.encode_batch(buffer, 2), encoder.encode(buffer[0])
    before, before_single = encoded.copy(), single.copy()
    buffer[...] = 1
    np.testing.assert_array_equal(encoded, before)
    np.testing.assert_array_equal(single, before_single)


@pytest.mark.parametrize(
    "space",
    [
        spaces.Text(5),
        spaces.Sequence(spaces.Discrete(2)),
        spaces.Graph(spaces.Discrete(2), None),
        spaces.Dict({"a": spaces.Discrete(2), "b": spaces.Text(3)}),
        spaces.OneOf([spaces.Discrete(2), spaces.Discrete(3)]),
    ],
    ids=str,
)
def test_unsupported_observation_space_lists_what_is_supported(space: Space) -> None:
    message = "not supported: expected Box, Discrete, MultiDiscrete, MultiBinary, and Dict or Tuple"
    with pytest.raises(SpaceError, match=message):
        ObservationEncoder(space)


def test_empty_observation_space_is_refused() -> None:
    with pytest.raises(SpaceError, match="no number"):
        ObservationEncoder(spaces.Dict({}))


@pytest.mark.parametrize(
    ("space", "observation"),
    [
        (spaces.Box(-1.0, 1.0, (3,)), np.zeros(4)),
        (spaces.Box(-1.0, 1.0, (3,)), np.zeros((2, 3))),
        (spaces.Discrete(3), 3),
        (NESTED, {"position": np.zeros((2, 2))}),
        (NESTED, 5),
    ],
)
def test_misfit_observation_is_refused(space: Space, observation: Any) -> None:
    with pytest.raises(SpaceError, match="expected an observation"):
        ObservationEncoder(space).encode(observation)


@pytest.mark.parametrize("observation", [np.zeros((2, 2, 3)), np.float32(0.0)])
def test_neither_batch_nor_single_is_refused(observation: Any) -> None:
    with pytest.raises(SpaceError, match="expected an observation"):
        ObservationEncoder(spaces.Box(-1.0, 1.0, (3,))).batch_size(observation)


def box(low: list[float], high: list[float], dtype: type = np.float32) -> spaces.Box:
    return spaces.Box(np.array(low, dtype), np.array(high, dtype), dtype=dtype)


WIDEST = float(np.finfo(np.float64).max)
ACTION_BOXES = [
    spaces.Box(-1.0, 1.0, (3,), np.float32),
    spaces.Box(-2.0, 2.0, (1,), np.float32),
    box([-1.0, 0.1, -7.3], [0.7, 0.3, 1e6]),
    box([-1.0, 0.1, -7.3], [0.7, 0.3, 1e6], np.float64),
    spaces.Box(-0.3, 0.7, (2, 3), np.float64),
    spaces.Box(-0.4, 0.4, (), np.float32),
    spaces.Box(-WIDEST, WIDEST, (2,), np.float64),
    spaces.Box(1.0, float(np.nextafter(1.0, 2.0)), (1,), np.float64),
]


@pytest.mark.parametrize("space", ACTION_BOXES, ids=str)
def test_ends_and_middle_of_continuous_actions(space: spaces.Box) -> None:
    codec = action_codec(space)
    assert codec.bounds is not None
    assert (codec.shape, codec.dtype) == (space.shape, np.float32)
    ones = np.ones((4, *space.shape), np.float32)
    for units, bound in ((ones, space.high), (-ones, space.low)):
        actions = codec.to_environment(units)
        assert actions.dtype == space.dtype
        np.testing.assert_array_equal(actions, np.broadcast_to(bound, ones.shape))
        np.testing.assert_array_equal(codec.to_policy(actions), units)
    middle = codec.to_environment(0 * ones)[0]
    expected = 0.5 * space.low.astype(float) + 0.5 * space.high.astype(float)
    np.testing.assert_allclose(middle, expected, atol=1e-6 * min(1e9, abs(space.high).max()))


@pytest.mark.parametrize("space", ACTION_BOXES[:6], ids=str)
def test_samples_round_trip_through_policy_units(space: spaces.Box) -> None:
    space.seed(0)
    codec = action_codec(space)
    actions = np.stack([space.sample() for _ in range(200)])
    units = codec.to_policy(actions)
    assert units.dtype == np.float32
    assert units.shape == actions.shape
    assert np.abs(units).max() <= 1.0
    assert np.ptp(units) > 1.5
    width = space.high.astype(float) - space.low
    error = np.abs(codec.to_environment(units) - actions) / width
    assert error.max() < 1e-6


UNITS = st_numpy.arrays(np.float32, (5, 2), elements=st.floats(-1.5, 1.5, width=32))
BOUND = st.floats(-1e300, 1e300, width=64)


@given(units=UNITS, bounds=st.lists(BOUND, min_size=4, max_size=4), is_double=st.booleans())
def test_actions_are_always_inside_the_bounds(
    units: np.ndarray, bounds: list[float], is_double: bool
) -> None:
    dtype = np.float64 if is_double else np.float32
    with np.errstate(over="ignore"):
        pairs = np.clip(np.array(bounds, dtype), -3e38, 3e38).reshape(2, 2)
    space = spaces.Box(pairs.min(axis=0), pairs.max(axis=0), dtype=dtype)
    for actions in action_codec(space).to_environment(units):
        assert space.contains(actions)


def test_a_fixed_dimension_stays_fixed() -> None:
    space = box([0.1, -1.0], [0.1, 1.0])
    codec = action_codec(space)
    actions = codec.to_environment(np.array([[-1.0, 0.5], [0.3, -0.5]], np.float32))
    np.testing.assert_array_equal(actions, np.array([[0.1, 0.5], [0.1, -0.5]], np.float32))
    np.testing.assert_array_equal(codec.to_policy(actions), [[0.0, 0.5], [0.0, -0.5]])


@pytest.mark.parametrize("space", [spaces.Discrete(3), spaces.Discrete(3, start=-4)])
def test_discrete_actions_count_from_zero(space: spaces.Discrete) -> None:
    codec = action_codec(space)
    assert isinstance(codec, DiscreteActions) and codec.bounds is None
    assert (codec.n, codec.shape, codec.dtype) == (3, (), np.dtype(np.int64))
    actions = codec.to_environment(np.arange(3))
    assert actions.dtype == np.int64
    assert all(space.contains(action) for action in actions)
    assert len(set(actions.tolist())) == 3
    np.testing.assert_array_equal(codec.to_policy(actions), np.arange(3))
    assert codec.contains(actions) and not codec.contains(actions + 1)
    drawn = codec.uniform(100, np.random.default_rng(0))
    assert set(drawn.tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("space", "part"),
    [
        (spaces.Text(3), ""),
        (spaces.Box(0, 1, (2,), np.float16), ""),
        (spaces.Sequence(spaces.Discrete(2)), ""),
        (spaces.Dict({"a": spaces.Tuple([spaces.Text(3)])}), ", the part 'a/0',"),
    ],
    ids=str,
)
def test_unsupported_action_space_lists_what_is_supported(space: Space, part: str) -> None:
    with pytest.raises(SpaceError, match="not supported: expected Discrete, Multi") as caught:
        action_codec(space)
    assert f"{part} is not supported" in str(caught.value)


@pytest.mark.parametrize(("low", "high"), [(-np.inf, 1.0), (0.0, np.inf), (-np.inf, np.inf)])
def test_infinite_bounds_say_how_to_wrap(low: float, high: float) -> None:
    space = box([-1.0, low], [1.0, high])
    with pytest.raises(SpaceError, match=r"infinite bounds at \(1,\).*TransformAction") as caught:
        action_codec(space)
    assert "ClipAction" in str(caught.value)


def test_an_action_without_dimensions_is_refused() -> None:
    with pytest.raises(SpaceError, match="no dimension"):
        action_codec(spaces.Box(-1.0, 1.0, (0,)))


JSON_SPACES = [
    *(row[0] for row in OBSERVATION_SPACES),
    *ACTION_BOXES,
    spaces.Discrete(7, start=3),
    spaces.Dict([("b", spaces.Discrete(2)), ("a", IMAGE)]),
    box([-np.inf, 0.1], [np.inf, 0.3], np.float64),
    spaces.Box(np.iinfo(np.int64).min, np.iinfo(np.int64).max, (2,), np.int64),
]


@pytest.mark.parametrize("space", JSON_SPACES, ids=str)
def test_spaces_survive_json(space: Space) -> None:
    text = json.dumps(space_to_json(space), allow_nan=False, sort_keys=True)
    copy = space_from_json(json.loads(text))
    assert copy == space
    assert space_to_json(copy) == space_to_json(space)
    if isinstance(space, spaces.Box) and isinstance(copy, spaces.Box):
        np.testing.assert_array_equal(copy.low, space.low)
        np.testing.assert_array_equal(copy.high, space.high)
    if isinstance(space, spaces.Dict) and isinstance(copy, spaces.Dict):
        assert list(copy.keys()) == list(space.keys())  # the order of the flattened observation


def test_a_space_of_another_type_cannot_be_written() -> None:
    with pytest.raises(SpaceError, match="cannot be written"):
        space_to_json(spaces.Text(3))


def deep(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {"type": "MultiBinary", "shape": [1], "is_flat": True}
    for _ in range(levels):
        document = {"type": "Tuple", "spaces": [document]}
    return document


BOX = {"type": "Box", "low": 0, "high": 1, "shape": [2], "dtype": "float32"}
DISCRETE = {"type": "Discrete", "n": 2, "start": 0, "dtype": "int64"}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"type": "Graph"},
        {"type": ["Box"]},
        {**BOX, "shape": [10**6, 10**6]},
        {**BOX, "shape": [-1]},
        {**BOX, "shape": [True]},
        {**BOX, "shape": [1] * 40},
        {**BOX, "shape": "2"},
        {**BOX, "dtype": "object"},
        {**BOX, "dtype": "O"},
        {**BOX, "low": "x"},
        {**BOX, "low": float("nan")},
        {**BOX, "low": [0, 0, 0]},
        {**BOX, "low": 2},
        {**BOX, "low": None},
        {**BOX, "dtype": "int8", "low": 10**30},
        {**DISCRETE, "n": 10**12},
        {**DISCRETE, "n": 0},
        {**DISCRETE, "n": 2.5},
        {**DISCRETE, "dtype": "float32"},
        {"type": "Discrete", "n": 2},
        {
            "type": "MultiDiscrete",
            "nvec": [10**9] * 3,
            "start": [0] * 3,
            "shape": [3],
            "dtype": "int64",
        },
        {"type": "MultiDiscrete", "nvec": [2], "start": [0], "shape": [3], "dtype": "int64"},
        {"type": "MultiBinary", "shape": [10**9], "is_flat": True},
        {"type": "MultiBinary", "shape": [], "is_flat": True},
        {"type": "Tuple", "spaces": [{**BOX, "shape": [2**23]}] * 3},
        {"type": "Tuple", "spaces": 5},
        {"type": "Dict", "spaces": [[None, BOX]]},
        {"type": "Dict", "spaces": [[True, BOX]]},
        {"type": "Dict", "spaces": [["a"]]},
        {"type": "Dict", "spaces": {"a": BOX}},
        deep(40),
    ],
    ids=lambda document: str(document)[:60],
)
def test_unsound_documents_are_refused(document: Any) -> None:
    with pytest.raises(SpaceError, match="not a description of a space"):
        space_from_json(document)


@pytest.mark.parametrize(
    ("shape", "high", "largest"),
    [
        ((36, 40, 3), 255, 255),  # an image
        ((1, 36, 36), 255, 255),
        ((4, 36, 40, 3), 255, 255),  # a stack of images
        ((2, 1, 36, 36), 255, 255),
        ((36, 36, 3), 10, 10),
        ((35, 40, 3), 255, 0),  # too small for one
        ((64, 64, 2), 255, 0),  # with other channels
        ((7, 7, 3), 255, 0),
        ((4, 7, 7, 3), 255, 0),  # a stack of codes
        ((16,), 1, 1),
        ((16,), 254, 254),
    ],
)
def test_uint8_is_an_image_or_holds_codes(shape: tuple[int, ...], high: int, largest: int) -> None:
    found = ObservationEncoder(spaces.Box(0, high, shape, np.uint8)).largest()
    assert found is not None
    np.testing.assert_array_equal(found, np.full(np.prod(shape), largest))


@pytest.mark.parametrize(
    "beside", [spaces.Discrete(3), spaces.Box(-9.0, 9.0, (3,), np.float32)], ids=str
)
def test_each_part_of_uint8_has_its_own_largest_values(beside: Space) -> None:
    image = spaces.Box(0, 255, (36, 36, 1), np.uint8)
    inner = spaces.Dict({"z": spaces.Box(0, 1, (2,), np.uint8), "c": CODES})
    found = ObservationEncoder(spaces.Tuple((beside, image, inner))).largest()
    assert found is not None
    flat = np.concatenate([np.ones(3), np.full(36 * 36, 255), np.zeros(12), np.ones(2)])
    np.testing.assert_array_equal(found, flat)


def test_floats_have_no_largest_value() -> None:
    assert ObservationEncoder(spaces.Box(0, 1, (3,), np.float32)).largest() is None
    assert ObservationEncoder(spaces.MultiBinary(3)).largest() is None
    assert ObservationEncoder(NESTED).largest() is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (spaces.MultiDiscrete([2, 4]), spaces.MultiDiscrete([3, 3]), False),
        (spaces.MultiDiscrete([2, 4]), spaces.MultiDiscrete([2, 4], start=[1, 1]), True),
        (spaces.Tuple([spaces.Discrete(2), spaces.Discrete(3)]),
         spaces.Tuple([spaces.Discrete(3), spaces.Discrete(2)]), False),
        (spaces.Box(0, 10, (3,), np.uint8), spaces.Box(0, 200, (3,), np.uint8), False),
        (spaces.Box(-1, 1, (3,)), spaces.Box(-2, 5, (3,)), True),
    ],
)  # fmt: skip
def test_spaces_whose_arrays_mean_the_same(one: Space, other: Space, expected: bool) -> None:
    """Choices that were as many in all, and bytes of another divisor, were taken for the same."""
    assert ObservationEncoder(one).takes(other) is expected

"""One seed gives independent streams, and a generator's state survives a JSON file."""

import json
from dataclasses import fields

import numpy as np
import pytest

from sac.errors import CheckpointError
from sac.seeding import Streams, generator, generator_to_json, integer_seed, restore_generator


def all_streams(seed: int) -> list[np.random.SeedSequence]:
    streams = Streams.from_seed(seed)
    named = [getattr(streams, field.name) for field in fields(streams) if field.name != "spare"]
    return [*named, *streams.spare]


def test_streams_differ_from_one_another_and_from_another_seeds() -> None:
    seeds = [integer_seed(stream) for seed in range(20) for stream in all_streams(seed)]
    assert len(set(seeds)) == len(seeds)
    draws = [generator(stream).random() for stream in all_streams(0)]
    assert len(set(draws)) == len(draws)


def test_same_seed_gives_the_same_streams_each_time() -> None:
    first, second = all_streams(7), all_streams(7)
    assert [integer_seed(s) for s in first] == [integer_seed(s) for s in second]
    assert (
        generator(first[0]).random()
        == generator(first[0]).random()
        == generator(second[0]).random()
    )


def test_streams_ignore_the_global_generator() -> None:
    np.random.seed(1)
    first = generator(Streams.from_seed(0).replay).random()
    np.random.seed(2)
    assert generator(Streams.from_seed(0).replay).random() == first


def test_integer_seed_fits_31_bits() -> None:
    seeds = [integer_seed(stream) for seed in range(50) for stream in all_streams(seed)]
    assert all(isinstance(seed, int) and 0 <= seed < 2**31 for seed in seeds)
    assert max(seeds) > 2**30  # the upper bits are used too


def test_generator_state_round_trips_through_json() -> None:
    source = generator(Streams.from_seed(3).replay)
    source.integers(10, size=3, dtype=np.int32)  # leaves half of a 64-bit draw behind
    document = json.loads(json.dumps(generator_to_json(source)))
    expected = source.integers(1000, size=9, dtype=np.int32)
    copy = np.random.default_rng(0)
    restore_generator(copy, document)
    np.testing.assert_array_equal(copy.integers(1000, size=9, dtype=np.int32), expected)


@pytest.mark.parametrize("document", [None, [], {}, {"bit_generator": "MT19937"}, {"state": 1}])
def test_wrong_generator_state_is_refused(document: object) -> None:
    with pytest.raises(CheckpointError, match="random generator"):
        restore_generator(np.random.default_rng(0), document)

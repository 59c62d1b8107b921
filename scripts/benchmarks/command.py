"""The command line of the benchmark."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from rich.console import Console

from sac.config.schema import check_device
from sac.device import resolve_device
from sac.errors import SACError
from scripts.benchmarks import (
    actors,
    agent_suites,
    busy,
    installation,
    running_costs,
    tensor_suites,
    training,
)
from scripts.benchmarks.bench import Bench, Options
from scripts.benchmarks.family_command import family
from scripts.benchmarks.learning_command import learn
from scripts.benchmarks.process import (
    BenchmarkError,
    keep_to_processors,
    processors,
    python_path,
)
from scripts.benchmarks.report import machine, print_json, print_table
from scripts.benchmarks.solving import solve

PEERS = ("sb3", "sbx", "rltools")
SUITES: dict[str, Callable[[Bench], None]] = {
    "update": agent_suites.update,
    "images": agent_suites.images,
    "variants": agent_suites.variants,
    "busy": busy.busy,
    "loop": running_costs.loop,
    "act": agent_suites.act,
    "fill": agent_suites.fill,
    "import": installation.imports,
    "size": installation.size,
    "autograd": tensor_suites.autograd,
    "no-grad": tensor_suites.no_grad,
    "memory": training.memory,
    "vector": agent_suites.vector,
    "ray": actors.ray,
    "checkpoint": running_costs.checkpoint,
    "logging": running_costs.logging,
    "train": training.train,
}
# Each has options of its own, and takes hours: it is no part of `all`.
OWN_OPTIONS: dict[str, Callable[[Sequence[str]], int]] = {
    "learn": learn,
    "family": family,
    "solve": solve,
}
DESCRIPTION = """Measure this checkout, alone or in turns with peers, and print medians.

suites:
  update      one gradient step of all networks with the sampling of its batch
  images      an update of an agent that sees images, with the sampling of its batch
  variants    the updates of one environment step of each preset, beside peers that have it
  busy        single updates of 256x256 beside four busy processes, against one thread there
  loop        a step of the training loop, part by part: replay, environment, progress
  act         a random action for one observation
  fill        an update with 10,000 and with 1,000,000 transitions stored
  import      a fresh process that imports the library
  size        bytes of the library and of all that it requires
  autograd    small operations and an MLP beside bare NumPy, and torch with --torch-python
  no-grad     what no_grad saves in time, memory and nodes
  memory      peak memory of a training with 1,000,000 transitions stored
  vector      environment steps a second of 1 and of 8 environments
  ray         actors on Ray: steps a second of 8 against 1, and how long the learner waits
  checkpoint  what checkpoints of a training with 1,000,000 transitions stored take
  logging     what logging takes of a training's time
  train       whole trainings, from the start of the process to the saved policy
  learn       what the shipped configs learn, in hours; its options: learn --help
  family      what each variant learns, in hours, too; its options: family --help
  solve       how soon they learn it, in hours, too; its options: solve --help
"""
EPILOG = """A peer lives in an environment of its own, where this library need not be:

  python -m venv peer
  peer/bin/pip install torch                 # its site tells where wheels without CUDA are
  peer/bin/pip install stable-baselines3 sb3-contrib sbx-rl "gymnasium[mujoco]"
  python scripts/benchmark.py update --peers sb3,sbx --peer-python peer/bin/python

RLtools takes part in the trainings of Pendulum, on one thread of its own. It compiles itself for
each, so it needs a C++ compiler:

  python -m venv rltools
  rltools/bin/pip install "rltools[mkl]" gymnasium
  python scripts/benchmark.py train --peers rltools --rltools-python rltools/bin/python

HalfCheetah, in train and memory, needs gymnasium[mujoco] in this environment, too.
"""


def main(argv: Sequence[str]) -> int:
    """Run the suites that `argv` names and return the exit status."""
    try:
        if argv and argv[0] in OWN_OPTIONS:
            return OWN_OPTIONS[argv[0]](argv[1:])
        return _run(_parser().parse_args(argv))
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run(arguments: argparse.Namespace) -> int:
    options = _options(arguments)
    keep_to_processors(options.threads)
    about = machine(options.threads, options.device)
    names = list(SUITES) if arguments.suite == "all" else [arguments.suite]
    if "ray" in names and arguments.suite == "all" and find_spec("ray") is None:
        names.remove("ray")
    console = Console(stderr=True)
    with (
        console.status("starting") as status,
        Bench(options, lambda text: status.update(f"measuring {text}")) as bench,
    ):
        for name in names:
            SUITES[name](bench)
    print_table(bench.report, about, sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        print_json(bench.report, about)
    return 0


def _options(arguments: argparse.Namespace) -> Options:
    peers = _peers(arguments)
    try:
        check_device(arguments.device)
        device = resolve_device(arguments.device)
    except SACError as error:
        raise BenchmarkError(str(error)) from error
    return Options(
        peers,
        peer_python=arguments.peer_python,
        torch_python=arguments.torch_python,
        rltools_python=arguments.rltools_python,
        device=str(device),
        threads=arguments.threads,
        repetitions=arguments.repetitions,
    )


def _peers(arguments: argparse.Namespace) -> tuple[str, ...]:
    peers = tuple(name for name in arguments.peers.split(",") if name)
    unknown = [name for name in peers if name not in PEERS]
    if unknown:
        raise BenchmarkError(f"--peers: expected names of {', '.join(PEERS)}, got {unknown[0]!r}")
    if {"sb3", "sbx"} & {*peers} and arguments.peer_python is None:
        raise BenchmarkError("--peers needs --peer-python: the Python of their environment")
    if "rltools" in peers and arguments.rltools_python is None:
        raise BenchmarkError("--peers rltools needs --rltools-python")
    if "rltools" in peers and arguments.suite not in ("train", "all"):
        raise BenchmarkError("--peers rltools: only train can measure it")
    return peers


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmark.py",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("suite", choices=(*SUITES, "all"), metavar="SUITE", help="Or: all.")
    parser.add_argument(
        "--peers", default="", metavar="NAMES", help="Of sb3,sbx,rltools. (default: ours alone)"
    )
    for option, what in (
        ("peer", "the peers' environment"),
        ("torch", "an environment with torch, for autograd"),
        ("rltools", "RLtools' environment"),
    ):
        parser.add_argument(
            f"--{option}-python", type=python_path, metavar="PATH", help=f"Python of {what}."
        )
    parser.add_argument(
        "--json",
        action="store_true",
        help="Print one JSON object on one line, and the table on standard error.",
    )
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N. (default: cpu)")
    parser.add_argument(
        "--threads",
        type=_positive,
        default=processors(),
        metavar="N",
        help="Threads of every side. (default: all processors, here %(default)s)",
    )
    parser.add_argument(
        "--repetitions",
        type=_positive,
        metavar="N",
        help="Blocks of each side that the median is taken over. (default: each suite's own)",
    )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, got {text}")
    return value

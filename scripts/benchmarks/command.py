"""The command line of the benchmark."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from rich.console import Console

from scripts.benchmarks import agent_suites, installation, tensor_suites, training
from scripts.benchmarks.bench import Bench, Options
from scripts.benchmarks.process import BenchmarkError, keep_to_processors, processors
from scripts.benchmarks.report import machine, print_json, print_table

PEERS = ("sb3", "sbx")
SUITES: dict[str, Callable[[Bench], None]] = {
    "update": agent_suites.update,
    "act": agent_suites.act,
    "fill": agent_suites.fill,
    "import": installation.imports,
    "size": installation.size,
    "autograd": tensor_suites.autograd,
    "no-grad": tensor_suites.no_grad,
    "memory": training.memory,
    "vector": agent_suites.vector,
    "train": training.train,
}
DESCRIPTION = """Measure this checkout, alone or in turns with peers, and print medians.

suites:
  update    one gradient step of all networks with the sampling of its batch
  act       a random action for one observation
  fill      an update with 10,000 and with 1,000,000 transitions stored
  import    a fresh process that imports the library
  size      bytes of the library and of all that it requires
  autograd  small operations and an MLP beside bare NumPy, and torch with --torch-python
  no-grad   what no_grad saves in time, memory and nodes
  memory    peak memory of a training with 1,000,000 transitions stored
  vector    environment steps a second of 1 and of 8 environments
  train     whole trainings, from the start of the process to the saved policy (an hour with peers)
"""
EPILOG = """A peer lives in an environment of its own, where this library need not be:

  python -m venv peer
  peer/bin/pip install torch                 # its site tells where wheels without CUDA are
  peer/bin/pip install stable-baselines3 sbx-rl "gymnasium[mujoco]"
  python scripts/benchmark.py update --peers sb3,sbx --peer-python peer/bin/python

HalfCheetah, in train and memory, needs gymnasium[mujoco] in this environment, too.
"""


def main(argv: Sequence[str]) -> int:
    """Run the suites that `argv` names and return the exit status."""
    try:
        return _run(_parser().parse_args(argv))
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _run(arguments: argparse.Namespace) -> int:
    options = _options(arguments)
    keep_to_processors(options.threads)
    about = machine(options.threads)
    names = list(SUITES) if arguments.suite == "all" else [arguments.suite]
    console = Console(stderr=True)
    with (
        console.status("starting") as status,
        Bench(options, lambda text: status.update(f"measuring {text}")) as bench,
    ):
        for name in names:
            SUITES[name](bench)
    show = print_json if arguments.json else print_table
    show(bench.report, about)
    return 0


def _options(arguments: argparse.Namespace) -> Options:
    peers = tuple(name for name in arguments.peers.split(",") if name)
    unknown = [name for name in peers if name not in PEERS]
    if unknown:
        raise BenchmarkError(f"--peers: expected names of {', '.join(PEERS)}, got {unknown[0]!r}")
    if peers and arguments.peer_python is None:
        raise BenchmarkError("--peers needs --peer-python: the Python of their environment")
    return Options(
        peers,
        _absolute(arguments.peer_python),
        _absolute(arguments.torch_python),
        sys.executable,
        arguments.device,
        arguments.threads,
        arguments.repetitions,
    )


def _absolute(python: str | None) -> str | None:
    """Return the path as it is from any folder; a bare name is left to be searched for."""
    if python is None or os.path.dirname(python) == "":
        return python
    return os.path.abspath(python)  # not resolved: an environment's Python is a link to another


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
        "--peers", default="", metavar="NAMES", help="sb3, sbx or sb3,sbx. (default: ours alone)"
    )
    parser.add_argument("--peer-python", metavar="PATH", help="Python of the peers' environment.")
    parser.add_argument(
        "--torch-python", metavar="PATH", help="Python of an environment with torch, for autograd."
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON object on one line.")
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

"""The configs command: lists the configurations and presets that come with the package."""

from collections.abc import Sequence

from sac.cli.parser import CommandParser
from sac.config.shipped import FOLDER, PRESETS, SPACES, described

DESCRIPTION = """List the shipped configurations, for train's --config NAME, the presets, for its
--preset NAME, and the spaces, for sweep's --space NAME. With --print_config, train shows all keys
of the outcome."""
PARTS = (("Configurations", FOLDER), ("Presets", PRESETS), ("Spaces", SPACES))


def configs_command(argv: Sequence[str], prog: str) -> int:
    """Print names and what they are for, and return the exit status."""
    CommandParser(prog, DESCRIPTION).parse_args(argv)
    for title, folder in PARTS:
        print(f"{title} ({folder}):")
        lines = list(described(folder))
        width = max((len(name) for name, _ in lines), default=0)
        for name, text in lines:
            print(f"  {name:<{width}}  {text}")
    return 0

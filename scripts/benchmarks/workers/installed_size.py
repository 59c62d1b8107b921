"""Print the bytes on disk of a distribution and of all that it requires, as installed here.

An environment may hold more than one peer, so its folder as a whole would say too much of each.
"""

import sys
from importlib.metadata import PackageNotFoundError, distribution

from pip._vendor.packaging.requirements import Requirement  # every environment made by venv has it


def installed_size(name: str) -> int:
    """Return the bytes of the files of `name` and of its requirements, extras as they ask."""
    waiting = [Requirement(name)]
    done: set[tuple[str, str]] = set()
    total = 0
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        asked = [(requirement.name.lower().replace("_", "-"), e) for e in ("", *requirement.extras)]
        if done.issuperset(asked):
            continue
        done.update(asked)
        try:
            found = distribution(requirement.name)
        except PackageNotFoundError:  # needed elsewhere only, or by a name not told in metadata
            continue
        if found.metadata["Name"] not in seen:
            seen.add(found.metadata["Name"])
            total += _bytes(found)
        for line in found.requires or ():
            inner = Requirement(line)
            extras = ("", *requirement.extras)
            if inner.marker is None or any(inner.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(inner)
    return total


def _bytes(found: object) -> int:
    paths = (file.locate() for file in getattr(found, "files", None) or ())
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    print(installed_size(sys.argv[1]))

"""Print the lowest versions that pyproject.toml declares, as constraints for pip."""

import re
import tomllib
from itertools import chain
from pathlib import Path

text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
project = tomllib.loads(text)["project"]
for requirement in chain(project["dependencies"], *project["optional-dependencies"].values()):
    if found := re.fullmatch(r"([\w-]+)>=([\w.]+)", requirement):
        print(f"{found[1]}=={found[2]}")

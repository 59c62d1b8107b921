"""Values and facts recorded from torch, and the cases that produce them.

A case is a function of one argument, `torch`, written against torch's API alone, so that the same
function runs with `import autograd as torch`. `generate.py` records what torch answers.
"""

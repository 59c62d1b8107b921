"""Critics: how a value is read, how its error is measured, and how its target follows.

A critic is one class in a file of its own and one line in the table of `sac.agent.variants`.
"""

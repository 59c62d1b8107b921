"""The folder of a run: layout, manifest, checkpoints, rules of resuming."""

"""Where the rows of a replay lie: in memory, or in files of the run."""

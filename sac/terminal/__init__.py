"""Progress, output and Ctrl-C in a terminal, and reports to a parent process."""

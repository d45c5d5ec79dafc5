"""Runs that survive: each in a folder of its own, many of them side by side, none lost by a kill.

job         what is to be run, and what came out
folder      what a run's folder holds, and how it is read; rows: its metrics.csv
run         one run, begun or gone on with: its checkpoint, its clock
protocol    what it learns from and what is read of it; early_stopping: when that is enough
learning    the agent in its environment, as a run needs it
origin      versions, commit, command and machine, for config.json
sweep       many runs; attempt: one of them; executors: where; progress, board: how far
"""

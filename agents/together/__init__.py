"""Several agents as one computation: each learns what it would have learned alone.

Their nets are stacked: S nets of a shape have weights (S, ...), and a batch of S B trials, net by
net, goes through all of them at once. No net has anything in common with another: seeds and
learning rates may differ, and one that diverges disturbs nobody.
"""

from agents.together.learner import Together

__all__ = ["Together"]

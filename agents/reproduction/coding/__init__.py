"""Figures of autoencoders, whose images are their own answers: no agent, no action, no accuracy.

What counts is the variance left: |x - output|^2 of the images over that of their mean image, which
is all that a net can give back that has learned nothing of one image. Validation chooses the point
of a run, and test counts there.

run         one autoencoder taught and read, kept as one row
making      the runs of a figure
picture     how the error falls
"""

from agents.reproduction.coding.making import record, runs
from agents.reproduction.coding.picture import draw, sentences

__all__ = ["draw", "record", "runs", "sentences"]

"""From a figure's values to its runs, and from those to published beside ours.

Two protocols, each with runs of its own:
- "published": all training images, test accuracy after each epoch, its maximum counts, and a run
  ends early as the paper's do. That chooses the epoch by the test images.
- "own": nine tenths of the training images; the epoch is chosen by the rest, and there test counts.

plan        the runs of a figure
needs       what a full run needs of the machine
results     one row a run, kept under benchmarks/reproduce
measures    what else is read of a finished agent
summary     what the rows say: line by line, goals, ratios
scaling     trials against size: slopes and a picture
coding      autoencoders, which are no agents: runs, rows and picture of their own
table       the same for the terminal and for README
"""

"""What came of many runs, on one page that is looked at and sent on.

page        from a folder with runs to the page: what stands on it, in which order
gather      the runs below a folder as comparisons: what ran under equal conditions
words       what was compared, the answer, and what went wrong, each in a sentence
curves      figures of what changes over trials; chart: where each line and label goes
heat        the grid of signals and credit rules
gallery     images, what a saved agent chose, and its reward
tables      the figures behind every picture
templates   the page itself: HTML, SVG and style
"""

from agents.report.page import write_report

__all__ = ["write_report"]

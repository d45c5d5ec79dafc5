"""Made-up accuracies laid under the search, in the place of runs."""

import math

from agents.comparison import search
from agents.runs.job import Result

RATES = tuple(0.8 / 2**k for k in range(8))  # what a search tries for most rules


def peaked(best, init="he"):
    """Accuracy that falls with the distance of a learning rate's log from the best one's."""

    def accuracy(job):
        apart = abs(math.log2(job.settings.lr / best))
        return 0.9 - 0.05 * apart - 0.01 * (job.settings.init != init) + 0.001 * job.seed

    return accuracy


def lay(monkeypatch, accuracy, diverges=lambda job: False):
    """Returns the list of the looks that the search takes from then on: (jobs, trials) each."""
    looks = []

    def run_all(jobs, root, how):
        looks.append((list(jobs), jobs[0].points[-1]))
        return [
            Result(
                job.agent, job.seed, job.points, (accuracy(job),), None,
                1 if diverges(job) else None, 0.0, 1, 1,
            )
            for job in jobs
        ]  # fmt: skip

    monkeypatch.setattr(search, "run_all", run_all)
    return looks

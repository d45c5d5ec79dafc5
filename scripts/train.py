"""One run of one agent, in a folder of its own, from which it goes on after a kill.

The settings are those that scripts/search.py chose for the task, or else the agent's own.

    python scripts/train.py --agent q_agrel --sizes 64,32 --batch 32 --epochs 20
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import credit_envs

credit_envs.require_agents()

from agents.comparison.options import Options, make_folder, script
from agents.comparison.plan import Plan
from agents.runs.attempt import Attempt, Failed, Outcome, earlier
from agents.runs.board import writer_class
from agents.runs.folder import Record, Unreadable, read
from agents.runs.job import Job
from agents.runs.origin import origin
from agents.runs.progress import Bar
from agents.runs.run import glance


@dataclass(frozen=True)
class Args:
    """Train one agent on one environment, and measure it."""

    env: str = "DigitsReward-v0"
    """Id of a reward environment; "module:id" of one that a module of yours registers."""
    agent: str = "q_agrel"
    """A name, a cell "signal+credit", or a class "module:Class"."""
    network: str = "dense"
    """dense, conv, loccon, deep, resnet18, tanh, sigmoid, lenet, lenet_cifar or lansdell."""
    sizes: str = ""
    """Hidden sizes of dense (its own: 500,300), tanh or sigmoid, or the width of resnet18 (64)."""
    optimizer: str = "sgd"
    """sgd, adam or adamw."""
    precision: str = "float32"
    """Of products: float32, tf32 (on a GPU) or bf16."""
    lr: float | None = None
    """Learning rate, if not the one that was searched for or the agent's own."""
    epochs: int = 10
    """Budget of the run, in passes over the training images."""
    batch: int = 128
    """Trials per learning step."""
    seed: int = 100
    """Fixes stream, initial weights and exploration."""
    watched: bool = False
    """Read how well the rule is aligned with backprop, too."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:<i>."""
    threads: int = 1
    """PyTorch's threads: small networks only wait for a second one."""
    deterministic: bool = False
    """Only kernels that give the same bits at every call: slower, and of use on a GPU alone."""
    out: Path = Path("results/train")
    """Root of the runs' folders."""
    resume: bool = False
    """Go on with a run that was not finished."""
    tensorboard: bool = False
    """Write the run's curves for TensorBoard into its folder, too."""
    quiet: bool = False
    """Show no progress, only what came out."""

    def job(self) -> Job:
        """What is to be run. Raises ValueError, TypeError, Failed."""
        options = Options(
            env=self.env, agents=self.agent, network=self.network, sizes=self.sizes,
            optimizer=self.optimizer, precision=self.precision, epochs=self.epochs,
            batch=self.batch, device=self.device, threads=self.threads,
        )  # fmt: skip
        grid = {} if self.lr is None else {"lr": (self.lr,)}
        jobs = Plan(options, (self.seed,), grid, self.watched).jobs()
        if len(jobs) > 1:
            raise ValueError(
                f"{self.agent!r} are {len(jobs)} agents: give one, or take scripts/sweep.py"
            )
        return jobs[0]


def main(args: Args) -> None:
    """Run, or go on, and say what came out and where it is."""
    job = args.job()
    if args.tensorboard:
        writer_class()
    make_folder(args.out)
    folder = job.folder(args.out)
    if not args.resume and (record := _unfinished(folder)):
        done = record.rows[-1].trials if record.rows else 0
        raise ValueError(
            f"{folder} has a run that {_ended(record)} ({done:,} of {job.points[-1]:,} trials "
            f"evaluated): --resume {_resumes(job)}"
        )
    try:
        outcome = earlier(job, args.out, retry=True) or _run(job, args)
    except KeyboardInterrupt:
        sys.exit(f"stopped: the same command with --resume {_resumes(job)}")
    for sentence in outcome.said:
        print(sentence, file=sys.stderr)
    if outcome == Outcome():
        raise ValueError(f"another process is at work in {folder}: wait for it, or stop it")
    if outcome.result is None:
        raise Failed(f"{job}: {outcome.failed} ({folder / 'failed'} has the traceback)")
    result = outcome.result
    accuracy = f"test accuracy {result.test_accuracy:.1%}"
    ended = accuracy if result.diverged is None else f"diverged at trial {result.diverged:,}"
    print(f"{job}: {ended} after {result.seconds:,.0f} s\n{folder}")


def _ended(record: Record) -> str:
    return f"failed ({record.failed})" if record.failed else "was not finished"


def _resumes(job: Job) -> str:
    """What becomes of a run that was not finished."""
    if job.settings is None:
        return "begins it anew, as a class of your own is not known from inside"
    return "goes on with it"


def _unfinished(folder: Path) -> Record | None:
    try:
        record = read(folder)
    except Unreadable:
        return None
    return record if record.end is None else None


def _run(job: Job, args: Args) -> Outcome:
    done = glance(job, job.folder(args.out))[0]
    with Bar(job.points[-1], args.quiet) as bar:

        def progress(trials: int, reward: float) -> None:
            nonlocal done
            done += trials
            bar.show(done, f"{job}: mean reward {reward:.3f}")

        attempt = Attempt(job, args.out, origin(), args.threads, args.deterministic, retry=True)
        return replace(attempt, board=args.tensorboard, progress=progress)()


if __name__ == "__main__":
    script(main, Args)

"""The plausibility card of a credit rule: what it needs, measured on small nets.

    card("learned_feedback"), or card(MyRule()) for a rule of your own

An agent with the rule is taught a few lessons, then two more: once as they are, and once with
something changed that a plausible rule does not need. What comes out bit for bit alike, every
weight's change and all that the rule keeps beside the weights, did not depend on it.

needs_label: does anything follow the labels where the rewards stay the same? A rule is run under
    `reward_prediction`, or under the first of its `signals`.
reads_weights: forward weights are right only while they are in use, and wrong at other times.
    "no": using them in the net's own passes was enough. "in use": layers answer at other times too
    (a mirror phase, a controller), but nobody looks at the weights. "signs": wrong weights will do
    if their signs are right. "yes": nothing less.
local_in_space: a layer's change stays the same when only its own weights and those of the layer
    above can be read. An error that came down through other weights has read those.
local_to_a_trial: what one trial brings to the change of its batch does not depend on the others.
    "weights only": what it brings to the feedback does. (Batch norm, which is not in this net,
    mixes the trials whatever the rule.)
passes, answers, env_steps: per trial, how often the net is run, how often its output layer answers
    (more often where a rule runs layers by itself), and how often the world does.
multiply_adds: in matrix products and convolutions, per trial, in units of backprop's (64-64-32-10,
    batch 32). Systems that are solved are not in it.
serves: kinds of nets it ran on; the others it refused.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from agents.credit import CreditRule
from agents.laboratory import (
    CLASSES,
    KINDS,
    Subject,
    bench,
    join,
    make_lessons,
    network,
    new_agent,
    teach,
)
from agents.products import Products
from agents.scramble import scramble
from agents.settings import Settings
from agents.weighted import weighted

ROUNDING = 1e-6  # of what a trial brings; what trials do to one another is far above it


@dataclass(frozen=True)
class Card:
    """What a rule needs; the module's docstring says how each line is measured."""

    rule: str
    needs_label: str
    reads_weights: str
    local_in_space: str
    local_to_a_trial: str
    passes: int
    answers: int
    env_steps: int
    multiply_adds: float
    serves: str


def card(rule: str | CreditRule) -> Card:
    """Measure a rule: a name in RULES, or an object."""
    signals = Settings(credit=rule).rule.signals or ("reward_prediction",)
    signal = "reward_prediction" if "reward_prediction" in signals else signals[0]
    settings = Settings(signal, rule, sizes=(9, 8, 7))
    with bench():
        subject = Subject(settings)
        passes, answers, env_steps, products = _cost(settings)
        *_, backprop = _cost(replace(settings, credit="backprop"))
        return Card(
            settings.rule.name, _needs_label(subject), _reads_weights(subject),
            _local_in_space(subject), _local_to_a_trial(subject), passes, answers, env_steps,
            round(products / backprop, 2), " ".join(k for k in KINDS if _runs_on(k, settings)),
        )  # fmt: skip


def _needs_label(subject: Subject) -> str:
    relabelled = [
        lesson._replace(labels=(lesson.labels + 1) % CLASSES) for lesson in subject.lessons
    ]
    other = subject.outcome(lessons=relabelled)
    return _yes(not all(torch.equal(other[name], subject.plain[name]) for name in other))


def _reads_weights(subject: Subject) -> str:
    if subject.same(scramble(own_passes=True)):
        return "no"
    if subject.same(scramble()):
        return "in use"
    return "signs" if subject.same(scramble(signs=True)) else "yes"


def _local_in_space(subject: Subject) -> str:
    return _yes(
        all(
            subject.same(scramble(but=(place, place + 1)), layer)
            for place, layer in enumerate(subject.layers)
        )
    )


def _local_to_a_trial(subject: Subject) -> str:
    """Two halves of a batch, two versions of each: is there more in it than the two halves' own?"""
    a, b = subject.lessons
    (aa, ab), (ba, bb) = (
        [subject.outcome(lessons=[join(left, right)]) for right in (a, b)] for left in (a, b)
    )
    mixed = [
        name
        for name, change in bb.items()
        if (change - ab[name] - ba[name] + aa[name]).abs().max()
        > ROUNDING * (change - aa[name]).abs().max()
    ]
    if not mixed:
        return "yes"
    return "no" if any(".weight change" in name for name in mixed) else "weights only"


def _cost(settings: Settings) -> tuple[int, int, int, int]:
    """Passes, answers, environment steps and multiply-adds of one lesson on the reference net."""
    agent = new_agent(replace(settings, sizes=(64, 32)), (8, 8, 1), 10)
    first, second = make_lessons(2, (8, 8, 1), 10, 32)
    teach(agent, first)
    passes, answers = [], []
    output = weighted(agent.net)[-1]
    respond = output.respond

    def answer(activity: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        answers.append(output)
        return respond(activity, weight, bias)

    output.respond = answer
    agent.net.register_forward_hook(lambda net, *_: passes.append(net))
    with Products() as products:
        env_steps = teach(agent, second)
    return len(passes), len(answers), env_steps, products.total


def _runs_on(kind: str, settings: Settings) -> bool:
    try:
        agent = new_agent(replace(settings, network=network(kind)))
    except ValueError:  # so a rule refuses
        return False
    (lesson,) = make_lessons(1)
    try:
        teach(agent, lesson)
    except Exception as fault:
        raise ValueError(
            f"{agent.rule.name} fails on a {kind} net ({type(fault).__name__}: {fault}): let its "
            "`serves` or its `check` refuse such nets"
        ) from fault
    return True


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"

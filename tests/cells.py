"""Small nets of every kind, and one settled trial."""

import pytest
import torch
from torch import Tensor, nn

from agents.credit import RULES, Trial
from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.networks import Pixels
from agents.networks.resnet import Residual, block
from agents.second_look import BatchNorm2d, Dropout
from agents.signals import SIGNALS, Signal
from agents.weighted import weighted

torch.set_num_threads(1)  # nets this small only wait for a second thread

SHAPE, CLASSES = (7, 6, 2), 3  # neither square nor even: no axis can be mixed up, no stride divides
REWARD_SIGNALS = [name for name, signal in SIGNALS.items() if signal.learns_from == "reward"]
LAYERWISE = [name for name, rule in RULES.items() if rule.layerwise]
FEEDBACK_RULES = [name for name in LAYERWISE if name not in ("backprop", "readout_only")]
GRID = [(signal, name) for name, rule in RULES.items() for signal in rule.signals or SIGNALS]
PERTURBING = [name for name in RULES if "perturbation" in name]  # one number teaches all units
LOCAL_RULES = [name for name in FEEDBACK_RULES if not RULES[name].transports_weights]


def served(rule: str) -> str:
    """A reward signal that the rule goes with."""
    return (RULES[rule].signals or ("reward_prediction",))[0]


CELLS = [*((served(name), name) for name in RULES), *((signal, "backprop") for signal in SIGNALS)]
"""Every rule and every signal, each in a cell at least."""


def _dropout() -> Dropout:
    return Dropout(0.3, torch.Generator().manual_seed(5))


def _block() -> Residual:
    branch = nn.Sequential(Conv2d(3, 3, 3, padding=1), nn.ReLU(), Conv2d(3, 3, 1))
    return Residual(branch, nn.Identity())


KINDS = {  # what stands between the image (B, 2, 7, 6) and two dense layers
    "dense": lambda: [nn.Flatten(), Linear(84, 9, bias=True), nn.ReLU()],
    "conv": lambda: [Conv2d(2, 3, 3), nn.ReLU(), Conv2d(3, 4, 2, bias=True), nn.ReLU()],
    "strided": lambda: [Conv2d(2, 3, 1), nn.ReLU(), Conv2d(3, 4, 3, stride=2), nn.ReLU()],
    "padded": lambda: [
        Conv2d(2, 3, 3, padding=2), nn.ReLU(), nn.ZeroPad2d((0, 1, 0, 1)),
        Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(),
    ],
    "pooled": lambda: [
        Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), Conv2d(3, 4, 2), nn.ReLU(),
    ],
    "local": lambda: [
        LocallyConnected2d(2, 3, 3, (7, 6), padding=1, bias=True), nn.ReLU(),
        LocallyConnected2d(3, 4, 3, (7, 6), stride=2), nn.ReLU(),
    ],
    "batch_norm": lambda: [
        Conv2d(2, 3, 3), nn.ReLU(), BatchNorm2d(3, 1e-3, 0.01),
        Conv2d(3, 4, 3, stride=2), nn.ReLU(), BatchNorm2d(4),
    ],
    "dropout": lambda: [Conv2d(2, 3, 3), nn.ReLU(), _dropout(), Conv2d(3, 4, 2), _dropout()],
    "residual": lambda: [Conv2d(2, 3, 3, bias=True), nn.ReLU(), _block(), nn.ReLU(), _block()],
    "resnet": lambda: [
        Conv2d(2, 3, 3, padding=1), BatchNorm2d(3), nn.ReLU(), *block(3, 4, stride=2),
    ],
}  # fmt: skip


def make_net(kind: str, dtype: torch.dtype = torch.float64, seed: int = 0) -> nn.Sequential:
    """A net of a kind with random weights, biases and norms; images (B, 7, 6, 2) -> (B, 3)."""
    below = nn.Sequential(Pixels(flat=False), *KINDS[kind](), nn.Flatten())
    with torch.no_grad():
        inputs = below.eval()(torch.zeros(1, *SHAPE)).shape[1]
    net = nn.Sequential(*below, Linear(inputs, 5), nn.ReLU(), Linear(5, CLASSES))
    return draw(net.to(dtype).train(), seed)


def draw(net: nn.Sequential, seed: int) -> nn.Sequential:
    generator = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        parameter.data.normal_(0, 0.4, generator=generator)
    return net


def make_images(trials: int = 6, dtype=torch.float64, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand((trials, *SHAPE), generator=generator, dtype=dtype)


def settle(net: nn.Module, signal: str | Signal, images: Tensor, seed: int = 2) -> Trial:
    """A trial on these images, with the same random actions, labels and rewards for everybody."""
    signal = SIGNALS[signal]() if isinstance(signal, str) else signal
    generator = torch.Generator().manual_seed(seed)
    output = net(images)
    action, label = torch.randint(0, output.shape[1], (2, len(images)), generator=generator)
    reward = (action == label).to(output.dtype)
    given = None if signal.learns_from == "label" else reward
    cost = signal(output, action, label if given is None else reward)
    return Trial(images, output, cost, cost(output), generator, signal.meaning, given)


def copy_feedback(net: nn.Module) -> None:
    """Make every feedback weight the forward weight."""
    for layer in weighted(net):
        if layer.feedback is not None:
            layer.feedback.data.copy_(layer.weight)


def gradients(net: nn.Module) -> dict[str, Tensor]:
    """Every parameter's gradient but those of feedback weights."""
    return {
        name: parameter.grad.clone()
        for name, parameter in net.named_parameters()
        if parameter.grad is not None and not name.endswith("feedback")
    }


def distance(a: Tensor, b: Tensor) -> float:
    """|a - b| / |b|."""
    a, b = a.detach(), b.detach()
    return float((a - b).norm() / b.norm().clamp(min=1e-12))


def serves(rule: str, *kinds: type) -> None:
    """Skip the test where the rule refuses layers of these kinds."""
    if not all(issubclass(kind, RULES[rule].serves) for kind in kinds):
        pytest.skip(f"{rule} refuses such a network")


def prepared(kind: str, rule: str, dtype=torch.float64, seed: int = 0) -> nn.Sequential:
    """A net with the rule's feedback weights, drawn at random where the rule starts at zero."""
    net = make_net(kind, dtype, seed)
    serves(rule, *map(type, weighted(net)))
    generator = torch.Generator().manual_seed(seed + 9)
    RULES[rule]().prepare(net, generator)
    for layer in weighted(net):
        if layer.feedback is not None:
            layer.feedback.data.normal_(0, 0.4, generator=generator)
    return net

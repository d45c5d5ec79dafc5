"""Nets as other people write them, in plain PyTorch, to be swapped for the suite's layers."""

import torch
from torch import Tensor, nn

from agents.bridge import swap
from agents.weighted import weighted


class BasicBlock(nn.Module):
    """A residual block in torchvision's manner: one ReLU for both places, shortcut or None."""

    def __init__(self, below: int, above: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(below, above, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(above)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(above, above, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(above)
        self.downsample = None
        if (below, stride) != (above, 1):
            self.downsample = nn.Sequential(
                nn.Conv2d(below, above, 1, stride, bias=False), nn.BatchNorm2d(above)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Two stages of one block each, a classifier on top: images (B, 2, 8, 8) -> (B, 4)."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 4)  # made first, answers last
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=1, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(4, 4))
        self.layer2 = nn.Sequential(BasicBlock(4, 8, stride=2))
        self.avgpool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.fc(self.avgpool(self.layer2(self.layer1(x))).flatten(1))


NETS = {  # a net, and the shape of one input
    "dense": (
        lambda: nn.Sequential(
            nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 5, bias=False), nn.ReLU(), nn.Linear(5, 4)
        ),
        (6,),
    ),
    "tokens": (
        lambda: nn.Sequential(
            nn.Linear(6, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 5), nn.Flatten(), nn.ReLU(),
            nn.Linear(15, 4),
        ),
        (3, 6),
    ),
    "conv": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 6, (3, 2), stride=(1, 2), padding=(2, 1)), nn.ReLU(),
            nn.Conv2d(6, 8, 3, padding="same", dilation=2, groups=2), nn.Tanh(),
            nn.Conv2d(8, 4, (2, 3), padding="valid"), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4),
        ),
        (2, 8, 8),
    ),
    "resnet": (ResNet, (2, 8, 8)),
}  # fmt: skip


def make(kind: str, seed: int = 0) -> nn.Module:
    """A net in float64, its weights drawn from `seed`."""
    torch.manual_seed(seed)
    build, shape = NETS[kind]
    net = build()
    with torch.no_grad():
        net.eval()(torch.zeros(1, *shape))  # lazy layers find their size
    return net.double().train()


def inputs(kind: str, trials: int = 6, seed: int = 1) -> Tensor:
    """A batch for it."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(trials, *NETS[kind][1], generator=generator, dtype=torch.float64)


def gradients(net: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Of a cost whose error at the output does not depend on the weights."""
    net.zero_grad()
    answer = net(x)
    answer.backward(torch.linspace(-1, 1, answer.numel()).double().view_as(answer))
    return {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


def swapped(kind: str, rule: str, seed: int = 3) -> nn.Module:
    """A net with feedback, drawn at random where the rule starts at zero."""
    net = make(kind)
    swap(net, rule, torch.Generator().manual_seed(seed))
    if rule == "weight_mirror":
        for layer in weighted(net):
            layer.feedback.normal_(generator=torch.Generator().manual_seed(seed))
    return net


def plain(found: dict[str, Tensor]) -> dict[str, Tensor]:
    """All but the feedback."""
    return {name: value for name, value in found.items() if not name.endswith("feedback")}

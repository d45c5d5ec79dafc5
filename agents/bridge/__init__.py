"""The bridge: any `nn.Module` learns without weight transport.

`swap(net, rule)` puts the suite's layers in place of every nn.Linear and nn.Conv2d that `net` calls
as a module. Its answers stay bit for bit what they were; its errors come down through the rule's
feedback weights from then on. Losses, optimisers, Stable-Baselines3: nothing else need know.

Every layer gets feedback, the lowest ones too: which is lowest cannot be told from a list of
modules, a layer whose input needs no gradient sends nothing down anyway, and an actor that learns
through its critic (SAC, TD3) hears what the critic's lowest layer sends.

Weights and biases stay the same Parameters, so an optimiser that has them goes on with them.
Feedback that learns (Kolen-Pollack) must be moved by the same optimiser: make it after the swap,
over `net.parameters()`. One that a module keeps as `.optimizer`, as Stable-Baselines3's policies
do, takes the feedback in at the swap. Clipping by the norm of all gradients counts the feedback's
along, and so begins where the weights' alone have up to 1/sqrt(2) of the limit; it scales what W
and B learn by one factor, which leaves W - B on its way. Of a layer whose weight is frozen
(requires_grad False) the feedback stands still, too.

What was saved after a swap goes into a net swapped alike: for Stable-Baselines3, make the model,
swap, `model.set_parameters(path)`.

What cannot be seen: a forward pass that reads `layer.weight` or a Parameter of its own (F.linear,
F.conv2d, @) sends errors down by that weight, as ever. Modules that are not registered are not
found. `torch.compile` does not look whether hooks differ: before a second net of the same form is
swapped for another rule and compiled, call `torch._dynamo.reset()`.
"""

from agents.bridge.mirroring import mirror
from agents.bridge.optimizers import check_optimizer
from agents.bridge.swapping import swap

__all__ = ["check_optimizer", "mirror", "swap"]

"""All that an SB3 agent knows, as tensors and back: no pickle, unlike SB3's own `save`."""

import json
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from agents import checkpoint
from agents.sb3.features import Body
from agents.seeding import go_on

COUNTERS = ("num_timesteps", "_n_updates", "_n_calls", "exploration_rate")
PLACES = ("pos", "full")  # of a buffer


def tensors(agent: Any) -> dict[str, Tensor]:
    """Weights, optimiser, buffer, counters, and the global generators that SB3 draws from."""
    model, buffer = agent.model, _buffer(agent.model)
    return checkpoint.flat(
        {
            "policy": _weights(model.policy),
            "optimizer": model.policy.optimizer.state_dict()["state"],
            "buffer": {k: torch.from_numpy(v.copy()) for k, v in _arrays(buffer).items()},
            "generator": {"torch": _global(agent.device).get_state()} | _dropout(model.policy),
            "plain": _as_bytes(
                {
                    "model": {k: getattr(model, k) for k in COUNTERS if hasattr(model, k)},
                    "buffer": {name: getattr(buffer, name) for name in PLACES},
                    "agent": {"forward_passes": agent.forward_passes},
                    "numpy": _numpy_state(),
                    "actions": model.action_space.np_random.bit_generator.state,
                }
            ),
        }
    )


def restore(agent: Any, level: Mapping[str, Tensor]) -> None:
    """Take over what `tensors` gave. Raises KeyError, RuntimeError where it does not fit."""
    parts, model = checkpoint.nested(level), agent.model
    with torch.no_grad():
        for name, weight in _weights(model.policy).items():
            weight.copy_(level[f"policy/{name}"])
    for name, array in _arrays(_buffer(model)).items():
        array[...] = parts["buffer"][name].numpy()
    optimizer = model.policy.optimizer
    states = {int(index): state for index, state in parts.get("optimizer", {}).items()}
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": states, "param_groups": groups})
    go_on(_global(agent.device), parts["generator"]["torch"])
    for number, body in enumerate(_bodies(model.policy)):
        go_on(body.dropout, parts["generator"][str(number)])
    plain = json.loads(bytes(level["plain"].numpy()))
    for whose, values in ((model, "model"), (_buffer(model), "buffer"), (agent, "agent")):
        vars(whose).update(plain[values])
    np.random.set_state(("MT19937", *plain["numpy"]))  # noqa: NPY002 - SB3 draws from it
    model.action_space.np_random.bit_generator.state = plain["actions"]


def _weights(policy: torch.nn.Module) -> dict[str, Tensor]:
    """Each weight once: policy and value share their body."""
    return dict(policy.named_parameters()) | dict(policy.named_buffers())


def _bodies(policy: torch.nn.Module) -> list[Body]:
    return [module for module in policy.modules() if isinstance(module, Body)]


def _dropout(policy: torch.nn.Module) -> dict[str, Tensor]:
    return {str(k): body.dropout.get_state() for k, body in enumerate(_bodies(policy))}


def _buffer(model: Any) -> Any:
    return getattr(model, "rollout_buffer", None) or model.replay_buffer


def _arrays(buffer: Any) -> dict[str, np.ndarray]:
    return {name: value for name, value in vars(buffer).items() if isinstance(value, np.ndarray)}


def _global(device: torch.device) -> torch.Generator:
    """The generator of PyTorch's that is drawn from on a device, if no other is named."""
    if device.type != "cuda":
        return torch.default_generator
    index = torch.cuda.current_device() if device.index is None else device.index
    return torch.cuda.default_generators[index]


def _numpy_state() -> list[Any]:
    _, keys, place, *gauss = cast(Any, np.random.get_state())  # noqa: NPY002 - SB3 draws from it
    return [keys.tolist(), place, *gauss]


def _as_bytes(plain: Any) -> Tensor:
    return torch.frombuffer(bytearray(json.dumps(plain).encode()), dtype=torch.uint8)

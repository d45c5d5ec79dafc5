"""BrainProp (Pozzi, Bohte & Roelfsema, NeurIPS 2020) and its supervised twin on every network."""

from agents.presets.figure import Figure, Goal, Line, Published, Quick
from agents.settings import Settings

CODE = "repository isapome/BrainProp: get_architecture.py, main.py, brainprop.py"
README = "README of the repository isapome/BrainProp, 10 seeds"

PUBLISHED = {
    ("MNIST", "conv"): Published(99.31, README, 0.04, epochs=63, on_test=True),
    ("CIFAR10", "deep"): Published(88.88, README, 0.27, epochs=105, on_test=True),
    ("CIFAR100", "deep"): Published(59.58, README, 0.46, epochs=218, on_test=True),
    ("TinyImageNet", "deep"): Published(47.50, README, 1.30, epochs=328, on_test=True),
}
REACH = {("MNIST", "conv"): 99.25, ("CIFAR10", "deep"): 88.5, ("CIFAR100", "deep"): 59.0}

NETWORKS = {
    "dense": {"sizes": (1500, 1000, 500)},
    "conv": {},
    "loccon": {},
    "deep": {"weight_decay": 1e-3},  # Keras' l2(5e-4) has the gradient 2 x 5e-4 w
}
OWN_EPOCHS = {"MNIST": 100, "CIFAR10": 150, "CIFAR100": 300, "TinyImageNet": 400}
HOURS = {"dense": 5, "conv": 10, "loccon": 60, "deep": 30}

QUICK = {
    ("MNIST", "dense"): Quick(2, 150),
    ("MNIST", "conv"): Quick(0.5, 100, images=2000),
    ("MNIST", "loccon"): Quick(0.25, 120, images=2000),
    ("CIFAR10", "conv"): Quick(0.5, 120, images=2000),
    ("CIFAR10", "loccon"): Quick(0.2, 135, images=2000),
    ("CIFAR10", "deep"): Quick(0.1, 140, images=500),
    ("CIFAR100", "conv"): Quick(0.5, 130, images=2000),
    ("CIFAR100", "loccon"): Quick(0.2, 135, images=2000),
    ("CIFAR100", "deep"): Quick(0.1, 140, images=500),
    ("TinyImageNet", "deep"): Quick(0.01, 150, images=200),
}


def _figure(data: str, network: str, quick: Quick) -> Figure:
    shared = {"network": network, "init": "paper", "lr": 0.1, "drop": 0.5} | NETWORKS[network]
    published, reach = PUBLISHED.get((data, network)), REACH.get((data, network))
    return Figure(
        name=f"brainprop-{data.lower()}-{network}",
        about=f"BrainProp and its supervised twin on {data}, network {network}",
        env=f"{data}Reward-v0",
        source=f"Pozzi et al. 2020, the table of accuracies and epochs; {CODE}",
        lines=(
            Line("BrainProp", Settings("reward_prediction", "backprop", **shared), published),
            Line("backprop", Settings("label", "backprop", **shared)),
        ),
        epochs=500,
        own_epochs=OWN_EPOCHS[data],
        quick=quick,
        hours=HOURS[network],
        gpu=True,
        memory=16.0 if data == "TinyImageNet" else 6.0,
        batch=32 if network == "loccon" else 128,
        seeds=10,
        patience=45,
        drops=(100, 200, 300, 400),
        reference="backprop",
        goals=(Goal("BrainProp", "bound", reach),) if reach else (),
        differs=("the last batch of a pass is filled up from the next one",),
    )


FIGURES = tuple(_figure(*key, quick) for key, quick in QUICK.items())

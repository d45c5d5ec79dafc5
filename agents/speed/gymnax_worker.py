"""Steps gymnax's MNISTBandit in a Python of its own: so many steps a line, seconds back.

    python gymnax_worker.py BATCH CLOCK

Its images are made up, as gymnax would download MNIST. Run as a file: nothing here is imported.
"""

import sys
import time

# pyright: reportMissingImports=false
import gymnax
import jax
import jax.numpy as jnp
import numpy as np
from gymnax.environments.bsuite import mnist

BATCH = int(sys.argv[1])
clock = getattr(time, sys.argv[2])  # perf_counter or process_time

rng = np.random.default_rng(0)
images = rng.integers(-128, 128, (60_000, 28, 28), dtype=np.int8)  # as gymnax holds them
labels = rng.integers(10, size=60_000).astype(np.uint8)
mnist.load_mnist.load_mnist = lambda: ((images, labels), (images, labels))
env, parameters = gymnax.make("MNISTBandit-bsuite")

key, *keys = jax.random.split(jax.random.key(0), 1 + BATCH)
_, state = jax.jit(jax.vmap(env.reset, (0, None)))(jnp.stack(keys), parameters)
actions = jnp.arange(BATCH) % 10


@jax.jit
def step(key, state):
    """One step of all environments, each with a key of its own: the next key, and all else."""
    key, own = jax.random.split(key)
    many = jax.vmap(env.step, (0, 0, 0, None))
    return key, many(jax.random.split(own, BATCH), state, actions, parameters)


for line in sys.stdin:
    began = clock()
    for _ in range(int(line)):
        key, (image, state, *_) = step(key, state)
    jax.block_until_ready((key, state))
    print(clock() - began, flush=True)

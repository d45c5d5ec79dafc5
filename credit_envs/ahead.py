"""Images that stay in the host's memory: a thread brings them, some batches ahead of their time."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from credit_envs.stream import Stream

AHEAD = 3  # batches that are on their way while one is shown

Show = tuple[int, int, int]  # stream begun, trial, presentations before: what is shown when
Brought = tuple[Tensor, Tensor, Any]  # indices (B,), images (B, H, W, C), and when they are there


class Ahead:
    """Gathers a stream's batches in a thread and sends them to the device.

    On a GPU they go through page-locked memory and a CUDA stream of their own, so that neither the
    host nor the device's other work waits. Errors of the thread are raised by `take`.
    """

    def __init__(self, images: Tensor, device: torch.device) -> None:
        self._images, self._device = images, device
        self._copies = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._thread = ThreadPoolExecutor(1, "images")
        self._coming: deque[tuple[Show, Future[Brought]]] = deque()
        self._last: Show | None = None  # taken

    def take(self, stream: Stream) -> tuple[Tensor, Tensor]:
        """Return the open images' indices (B,) and the images (B, H, W, C), new at each call."""
        show = stream.begun, stream.position, stream.seen
        if show == self._last:  # nobody has guessed: it is shown again
            return self._there(self._send(stream, show))
        if not self._coming or self._coming[0][0] != show:  # the stream goes on elsewhere
            self._forget()
            self._coming.append((show, self._send(stream, show)))
        self._last, brought = self._coming.popleft()
        while len(self._coming) < AHEAD:
            last = self._coming[-1][0] if self._coming else show
            following = stream.begun, *stream.after(*last[1:])
            self._coming.append((following, self._send(stream, following)))
        return self._there(brought)

    def close(self) -> None:
        """Wait for the thread's end."""
        self._forget()
        self._thread.shutdown()

    def _forget(self) -> None:
        for _, brought in self._coming:
            brought.cancel()
        self._coming.clear()

    def _send(self, stream: Stream, show: Show) -> Future[Brought]:
        return self._thread.submit(self._bring, stream.at(show[1]))

    def _bring(self, rows: NDArray[Any]) -> Brought:
        """Gather the images at `rows`, and start to copy both to the device."""
        index = torch.from_numpy(rows)
        if self._copies is None:
            return index, self._images.index_select(0, index), None
        with torch.cuda.stream(self._copies):
            shape = len(index), *self._images.shape[1:]
            locked = torch.empty(shape, dtype=self._images.dtype, pin_memory=True)
            torch.index_select(self._images, 0, index, out=locked)
            # PyTorch keeps page-locked memory from being used again before its copy is done.
            images = locked.to(self._device, non_blocking=True)
            index = index.pin_memory().to(self._device, non_blocking=True)
            return index, images, self._copies.record_event()

    def _there(self, brought: Future[Brought]) -> tuple[Tensor, Tensor]:
        """Let the device's other work go on with what was brought, once it is there."""
        index, images, arrived = brought.result()
        if arrived is not None:
            work = torch.cuda.current_stream(self._device)
            work.wait_event(arrived)
            for tensor in (index, images):  # made by another stream: not to be freed too early
                tensor.record_stream(work)
        return index, images

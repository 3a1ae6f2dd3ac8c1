"""Snapshots of any training while it runs, on disk.

The store is written under a name that begins with ``.partial-`` and gets its own name, with a seal,
only when the recording ends well. After a crash the whole blocks lie there, and reading them, or
going on with them, has to be asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import zarr

from koopscope.artefacts import store as stores
from koopscope.artefacts.provenance import canonical, stamp
from koopscope.artefacts.seals import partial_of
from koopscope.errors import InputError, whole_number
from koopscope.recording.described import OWN, described
from koopscope.recording.rows import Rows
from koopscope.recording.snapshots import KIND
from koopscope.recording.values import Source, source_of
from koopscope.recording.writer import Writer, truncate, whole_steps

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "float16", "float64")


class Recorder:
    """Record the weights of a training, and numbers beside them, from inside any loop.

    A context manager, also by the name ``koopscope.record``. With ``optimizer`` nothing else is
    needed; without, call :meth:`snapshot` after each step. Copying is all that the training waits
    for; a thread writes. The weights before the first step are kept too, as ``initial``.

    Parameters
    ----------
    model
        Any PyTorch module, on any device; or a mapping of arrays by name, perhaps nested (of
        NumPy, JAX, anything that NumPy can read), whose present values are given to
        :meth:`snapshot`.
    path
        Folder to write; must not exist.
    optimizer
        Of PyTorch: a snapshot is taken after each of its steps.
    include
        Names of parameters, or patterns such as ``"encoder.*"``; by default all that are trained,
        or all of a mapping. Shared ones count once. Names are those without wrappers
        (``torch.compile``, data parallelism); a pruned weight has its plain name. A weight that a
        norm makes has to be named; else what it is made of is recorded.
    buffers
        Also record floating-point buffers, such as the running means of batch normalisation.
    every
        Keep one of so many steps: ``every``, ``2 · every``, ….
    projection
        Keep, in place of each layer's weights, k sums of them with random signs
        (:class:`koopscope.recording.Sketch`), as ``sketch`` (step, feature); layers with no more
        than k weights are kept as they are. The same for every run of one architecture.
    projection_seed
        Draws the sums.
    dtype
        ``"float32"``; ``"float16"`` at half the size: relative error at most 2⁻¹¹ = 4.9e-4, and
        the attribute ``largest_error`` states the largest absolute error made; ``"float64"``.
    seeds
        Of runs that are trained side by side: each array then has them as its first axis, and the
        store the dim ``seed``.
    name, seed, settings
        What the recording is of, kept as attributes; settings are JSON values.
    step
        Steps that were done before.
    resume
        If a recording of this path was cut short, go on with it from ``step`` on; what it has
        beyond is dropped.
    provenance
        Stamp of the store; by default one of the choices above.

    Raises
    ------
    InputError
        At once, if an argument is not possible; on entry, if the store exists, whole or cut short.
        Later, if a weight is not finite or has changed its shape; what was recorded before stays,
        unsealed.

    Examples
    --------
    >>> import tempfile
    >>> import torch
    >>> import koopscope as ks
    >>> model = torch.nn.Linear(3, 2)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ks.record(model, f"{folder}/sgd/0", optimizer, every=2, seed=0) as recorder:
    ...         for _ in range(6):
    ...             optimizer.zero_grad()
    ...             loss = model(torch.ones(5, 3)).square().mean()
    ...             loss.backward()
    ...             optimizer.step()
    ...             recorder.log(loss=loss)
    ...     snapshots = ks.open_snapshots(f"{folder}/sgd/0").load()
    >>> snapshots["step"].values.tolist(), snapshots["weights"].shape, snapshots["loss"].shape
    ([2, 4, 6], (3, 8), (3,))

    Arrays of any library:

    >>> import numpy as np
    >>> weights = {"layer": {"kernel": np.ones((3, 2)), "bias": np.zeros(2)}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ks.record(weights, f"{folder}/jax/0") as recorder:
    ...         for _ in range(4):
    ...             weights["layer"]["kernel"] = 0.9 * weights["layer"]["kernel"]
    ...             recorder.snapshot(weights)
    ...     snapshots = ks.open_snapshots(f"{folder}/jax/0").load()
    >>> snapshots["layer"].attrs["flag_meanings"], snapshots["weights"].shape
    (['layer.kernel', 'layer.bias'], (4, 8))
    """

    def __init__(
        self,
        model: "torch.nn.Module | Mapping[str, Any]",
        path: Path | str,
        optimizer: "torch.optim.Optimizer | None" = None,
        *,
        include: Iterable[str] | None = None,
        buffers: bool = False,
        every: int = 1,
        projection: int | None = None,
        projection_seed: int = 0,
        dtype: str = "float32",
        seeds: Sequence[int] | None = None,
        name: str = "",
        seed: int | None = None,
        settings: Mapping[str, Any] | None = None,
        step: int = 0,
        resume: bool = False,
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        if dtype not in DTYPES:
            raise InputError(f"dtype: unknown {dtype!r}; give one of {', '.join(DTYPES)}")
        self.path, self.every = Path(path), whole_number("every", every)
        self.steps = whole_number("step", step, least=0)
        self._source: Source = source_of(model, include, buffers)
        self._optimizer, self._dtype, self._resume = optimizer, dtype, resume
        self._seeds = None if seeds is None else [whole_number("seeds", s, 0) for s in seeds]
        self._rows = Rows(self._source.shapes, self._seeds, projection, projection_seed)
        self.shapes = self._rows.shapes
        self._known = described(name, seed, settings)
        self._choices = self._rows.choices(self.every, dtype, self._seeds)
        self._provenance = provenance or stamp(KIND, parameters=self._choices | self._known)
        self._writer: Writer | None = None
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        """Make the store and start to write."""
        unfinished = partial_of(self.path)
        if self.path.exists():
            raise InputError(f"store: {self.path} exists; give another name or delete it")
        if unfinished.exists() and not self._resume:
            raise InputError(
                f"store: {unfinished} is an unfinished recording; go on with it (resume=True), or "
                "read it with open_snapshots(…, unfinished=True), then delete it"
            )
        # Read before anything is made: what cannot be recorded leaves nothing behind.
        now = self._source.now(None)
        if self._resume and unfinished.exists():
            self._go_on(unfinished)
        resumed = unfinished.exists()
        try:
            self._open(now)
        except BaseException as error:
            self._writer = None
            self._closing.__exit__(type(error), error, error.__traceback__)
            if not resumed:
                stores.remove(unfinished)
            raise
        return self

    def _open(self, now: Mapping[str, Any]) -> None:
        folder = self._closing.enter_context(
            stores.staged(self.path, self._provenance, keep=True, resume=self._resume)
        )
        self._writer = Writer(
            folder,
            self._rows.name,
            self._rows.coordinates,
            self._seeds,
            self._dtype,
            self._choices,
            self._known,
            lambda row: self._rows.write(now, row),
        )
        if self._optimizer is not None:
            self.follow(self._optimizer)

    def follow(self, optimizer: "torch.optim.Optimizer") -> None:
        """Take a snapshot after each step of the optimiser, until the recording ends.

        Its ``step()`` then raises what :meth:`snapshot` does.
        """
        if not hasattr(optimizer, "register_step_post_hook"):
            raise InputError(
                f"optimizer: a {type(optimizer).__name__}; give one of PyTorch, or call snapshot() "
                "after each step"
            )
        hook = optimizer.register_step_post_hook(lambda *_: self.snapshot())
        self._closing.callback(hook.remove)

    def snapshot(self, values: Mapping[str, Any] | None = None) -> None:
        """Count a step, and keep the weights if it is the turn of one to be kept.

        Parameters
        ----------
        values
            Arrays by name, as given at the start; not for a PyTorch module.

        Raises
        ------
        InputError
            If a weight has changed its shape, or one of an earlier snapshot was not finite; outside
            of the ``with`` block.
        """
        writer = self._running()
        self.steps += 1
        if self.steps % self.every == 0:
            now = self._source.now(values, self.steps)
            writer.add(self.steps, lambda row: self._rows.write(now, row))

    def log(self, **values: Any) -> None:
        """Keep numbers beside the last snapshot, such as ``loss=…``; NaN where none were logged.

        Of several of one name between two snapshots the first one counts, which stands closest to
        the weights that were kept. What is logged before the first snapshot is not kept.

        Parameters
        ----------
        **values
            Numbers, or tensors or arrays of one; of one for each seed where there are several.

        Raises
        ------
        InputError
            If a value is no number, or the name is taken; outside of the ``with`` block.
        """
        count = () if self._seeds is None else (len(self._seeds),)
        numbers = {}
        for name, value in values.items():
            if name in OWN:
                raise InputError(f"log: {name!r} is a name of the store's own; give another")
            given = value.detach().cpu() if hasattr(value, "detach") else value
            try:
                numbers[name] = np.broadcast_to(np.asarray(given, dtype=float).squeeze(), count)
            except (TypeError, ValueError):
                raise InputError(f"log: {name} is {value!r}; give a number") from None
        self._running().log(numbers)

    def _running(self) -> Writer:
        if self._writer is None:
            raise InputError(
                f"recording: {self.path} is not open; call this inside of the with block"
            )
        return self._writer

    def _go_on(self, unfinished: Path) -> None:
        """Cut a recording that was cut short back to where the training goes on."""
        group = zarr.open_group(unfinished, mode="a")
        if "step" not in group:
            # Not one block was written: begin anew.
            stores.remove(unfinished)
            return
        if group.attrs.get("recording") != canonical(self._choices):
            raise InputError(
                f"store: {unfinished} was recorded of other weights, or in another way; give what "
                "was given then, or delete it"
            )
        steps = whole_steps(group)
        kept = steps[steps <= self.steps]
        last = int(kept[-1]) if len(kept) else 0
        if last < self.steps - self.steps % self.every:
            raise InputError(
                f"step: {self.steps}, but the recording {unfinished} ends at step {last}; go on "
                "from a checkpoint of that step or before, or delete it"
            )
        truncate(group, len(kept))

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> None:
        """Write what is left; seal the store if the training ended well."""
        # The folder's own exit gets an error of the last writes too, and then does not seal it.
        writer, self._writer = self._running(), None
        try:
            writer.close()
        except BaseException as late:
            self._closing.__exit__(type(late), late, late.__traceback__)
            if error is None:
                raise
        else:
            self._closing.__exit__(kind, error, trace)


# What is written in a training script.
record = Recorder

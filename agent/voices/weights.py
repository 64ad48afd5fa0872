"""The weights in Resemblyzer's wheel, read without torch and without running what they may say."""

import io
import math
import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
"""What opens a file of `torch.save` before torch 1.6; see `_legacy_save` in its `serialization.py`.

Five pickles follow each other: the magic number, the protocol, facts about the machine that wrote
it, the object with a name for each storage, and the names in the order of the storages. Then each
storage: how many numbers, as 64 bits, and the numbers."""


class WeightsUnreadable(Exception):
    """The installed `resemblyzer` is missing, damaged, or not the one that June knows."""


@dataclass(frozen=True)
class _Tensor:
    """Where a tensor lies; its numbers stand behind the pickles in the file."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Float32:
    """Stands for `torch.FloatStorage`, the only kind of number in the file."""


def _tensor(
    storage: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    """Stands for `torch._utils._rebuild_tensor_v2`."""
    return _Tensor(storage, offset, shape, strides)


class _Reader(pickle.Unpickler):
    """Makes plain containers and `_Tensor`s; any other name in the file is refused."""

    _KNOWN: ClassVar = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch", "FloatStorage"): _Float32,
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    }

    def find_class(self, module_name: str, global_name: str) -> object:
        try:
            return self._KNOWN[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"asks for `{module_name}.{global_name}`") from None

    def persistent_load(self, pid: object) -> str:
        """The name of a storage; a view of another one, the last of the six, is not in the file."""
        match pid:
            case ("storage", kind, str(name), str(), int(), None) if kind is _Float32:
                return name
        raise pickle.UnpicklingError("holds something else than numbers")


def speaker_encoder() -> Mapping[str, NDArray[np.float32]]:
    """The tensors of the speaker encoder by name, 1.4 million numbers; takes about 20 ms.

    Raises:
        WeightsUnreadable: if they are not there or not as expected.
    """
    spec = find_spec("resemblyzer")
    if spec is None or spec.origin is None:
        raise WeightsUnreadable("`resemblyzer` is not installed")
    return read(Path(spec.origin).with_name("pretrained.pt"))


def read(path: Path) -> Mapping[str, NDArray[np.float32]]:
    """The tensors under `model_state`.

    Raises:
        WeightsUnreadable: if it is not a file of torch before 1.6 with nothing else in it.
    """
    try:
        return _read(io.BytesIO(path.read_bytes()))
    except (OSError, EOFError, pickle.UnpicklingError, struct.error) as error:
        raise WeightsUnreadable(f"`{path.name}` cannot be used: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # What damaged pickles end in is not always pickle's own error.
        raise WeightsUnreadable(f"`{path.name}` is damaged") from error


def _read(file: BinaryIO) -> Mapping[str, NDArray[np.float32]]:
    if _Reader(file).load() != _MAGIC or _Reader(file).load() != _PROTOCOL:
        _refuse("is not of the kind that June reads")
    _Reader(file).load()
    tensors: dict[str, _Tensor] = _Reader(file).load()["model_state"]
    names: list[str] = _Reader(file).load()
    storages: dict[str, NDArray[np.float32]] = {}
    for name in names:
        (count,) = struct.unpack("<q", file.read(8))
        storages[name] = np.frombuffer(file.read(4 * count), "<f4")
        if len(storages[name]) != count:
            _refuse("ends too early")
    return {name: _laid_out(tensor, storages[tensor.storage]) for name, tensor in tensors.items()}


def _laid_out(tensor: _Tensor, storage: NDArray[np.float32]) -> NDArray[np.float32]:
    """A copy of its own, so that the rest of the file is not kept."""
    count = math.prod(tensor.shape)
    flat = storage[tensor.offset : tensor.offset + count]
    plain = np.empty(tensor.shape, np.float32)
    if tensor.strides != tuple(stride // plain.itemsize for stride in plain.strides):
        _refuse("holds a tensor that is not laid out row by row")
    plain[...] = flat.reshape(tensor.shape)
    return plain


def _refuse(why: str) -> NoReturn:
    raise pickle.UnpicklingError(why)

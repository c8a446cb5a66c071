"""A GPU that computes on the CPU, and refuses what one would refuse or wait for.

Tensors that were brought to it say that they are on torch's "meta" device, which needs
no hardware, and hold their values on the CPU. Unlike torch's `FakeTensorMode` it has
values, so that all of a training step can be run. It knows no autocast, and does not
see what `torch.tensor` and `new_tensor` make: `new_full` and `to` it does.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "meta"
ATEN = torch.ops.aten
# What may have tensors of two devices.
MOVES = (ATEN._to_copy.default, ATEN.copy_.default)
# What cannot go on before the values are there.
WAITS = (ATEN._local_scalar_dense.default, ATEN.nonzero.default)
# Metal has none of them.
TOO_WIDE = (torch.float64, torch.complex128)


class OnGPU(torch.Tensor):
    """A tensor of a `PretendedGPU`; its values are in `held`."""

    @staticmethod
    def __new__(cls, held):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=NAME,
        )

    def __init__(self, held):
        self.held = held

    def __deepcopy__(self, memo):
        copy = self.detach().clone()
        if isinstance(self, torch.nn.Parameter):
            copy = torch.nn.Parameter(copy, self.requires_grad)
        memo[id(self)] = copy
        return copy

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise NotImplementedError(f"{func} of a tensor whose GPU has gone")

    __torch_function__ = torch._C._disabled_torch_function_impl


class PretendedGPU(TorchDispatchMode):
    """Within this context there is a GPU called `NAME`.

    Attributes
    ----------
    waits : list of str
        Each operation that had to wait for a value from the GPU.
    """

    def __init__(self):
        super().__init__()
        self.waits = []

    def __enter__(self):
        self._overwrite = torch.__future__.get_overwrite_module_params_on_conversion()
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        return super().__enter__()

    def __exit__(self, *error):
        torch.__future__.set_overwrite_module_params_on_conversion(self._overwrite)
        super().__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        composite = torch._C.DispatchKey.CompositeImplicitAutograd
        if torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), composite):
            with self:
                return func.decompose(*args, **kwargs)
        tensors = [
            x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)
        ]
        there = [x for x in tensors if isinstance(x, OnGPU)]
        # A number of the CPU may be put in anywhere.
        here = [x for x in tensors if not isinstance(x, OnGPU) and x.ndim]
        if there and here and func not in MOVES:
            raise RuntimeError(f"{func} of tensors on two devices")
        goes_there = bool(there)
        if kwargs.get("device") is not None:
            goes_there = torch.device(kwargs["device"]).type == NAME
            kwargs["device"] = "cpu" if goes_there else kwargs["device"]
        elif func is ATEN.copy_.default:
            goes_there = isinstance(args[0], OnGPU)
        masks = func is ATEN.index.Tensor and any(
            x is not None and x.dtype == torch.bool for x in args[1]
        )
        if there and (func in WAITS or masks or not goes_there):
            self.waits.append(str(func))

        result = func(*tree_map(_held, args), **tree_map(_held, kwargs))
        known = {id(x.held): x for x in there}

        def there_now(x):
            if not goes_there or not isinstance(x, torch.Tensor):
                return x
            if x.dtype in TOO_WIDE:
                raise TypeError(f"{func} makes {x.dtype}")
            # What is changed in place stays the same tensor.
            return known[id(x)] if id(x) in known else OnGPU(x)

        return tree_map(there_now, result)


def _held(x):
    return x.held if isinstance(x, OnGPU) else x

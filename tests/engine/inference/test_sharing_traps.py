"""Networks made to deceive: whatever a forward pass does, a model's outputs are those that it has without sharing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from engine.inference.contract import Prediction
from engine.inference.packed import Kept, bit_equal, pack, unpack
from engine.inference.shared_forward import SharedForward
from engine.inference.sharing import PrefixSharing

WIDTH = 6
MODELS = ("base", "a", "b")


class Net(nn.Module):
    """Two frozen layers, a last one that every checkpoint changes, and a forward pass that a test gives."""

    def __init__(self, steps: Callable[[Net, Tensor], Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self.steps = steps
        self.first = nn.Linear(WIDTH, WIDTH)
        self.second = nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, WIDTH)
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.steps(self, x)


def build(steps: Callable[[Net, Tensor], Tensor], **parts: nn.Module) -> Net:
    torch.manual_seed(0)
    return Net(steps, **parts).eval()


@torch.no_grad()
def become(net: Net, name: str) -> None:
    """Switch the network to a model: its last layer is another one."""
    generator = torch.Generator().manual_seed(MODELS.index(name))
    net.last.weight.copy_(torch.randn(WIDTH, WIDTH, generator=generator))


@torch.no_grad()
def check(net: Net, x: Tensor, windows: int = 3) -> PrefixSharing:
    """Every model of every window is bit-equal to the same without sharing."""
    sharing = PrefixSharing(net, {name: {net.last} for name in MODELS[1:]}, limit_bytes=10**9)
    for window in range(windows):
        start = x + window
        expected = {}
        for name in MODELS:
            become(net, name)
            expected[name] = net(start.clone())
        with sharing.window():
            for name in MODELS:
                become(net, name)
                with sharing.model(name):
                    found = net(start.clone())
                assert bit_equal(found, expected[name]), (window, name)
    return sharing


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, WIDTH, generator=torch.Generator().manual_seed(1))


def plain(net: Net, x: Tensor) -> Tensor:
    return net.last(net.second(net.first(x)))


def test_the_plain_case_shares(x: Tensor) -> None:
    assert check(build(plain), x).report.reused == 3 * 2 * 2


def test_outputs_that_are_written_into(x: Tensor) -> None:
    def steps(net: Net, x: Tensor) -> Tensor:
        y = net.first(x)
        y.add_(1.0)
        y[:, 0] = 3.0
        z = net.second(y)
        z.relu_()
        return net.last(z)

    assert check(build(steps), x).report.reused >= 2 * 2  # by copies, once the writes were noticed


def test_inputs_that_are_written_into_afterwards(x: Tensor) -> None:
    def steps(net: Net, x: Tensor) -> Tensor:
        x.add_(net.first(x))
        x.add_(net.second(x))
        return net.last(x)

    assert check(build(steps), x).report.reused >= 2 * 2


class Writer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.inner(x)
        x.mul_(2.0)
        return found


def test_a_module_that_writes_into_its_input_is_computed_and_its_parts_are_shared(x: Tensor) -> None:
    def steps(net: Net, x: Tensor) -> Tensor:
        y = net.first(x)
        return net.last(net.writer(y) + y)

    assert check(build(steps, writer=Writer()), x).report.reused > 0


class Noise(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.inner(x)
        return found + torch.rand(found.shape)


def test_a_module_that_draws_random_numbers_is_not_shared(x: Tensor) -> None:
    net = build(lambda net, x: net.last(net.noise(net.first(x))), noise=Noise())
    sharing = PrefixSharing(net, {"a": {net.last}}, limit_bytes=10**9)
    seen = []
    with torch.no_grad(), sharing.window():
        for name in ("base", "a", "a"):
            become(net, name)
            with sharing.model(name):
                seen.append(net(x))
    assert not torch.equal(seen[1], seen[2])
    assert sharing.report.notices == ("noise draws random numbers and is computed for every checkpoint",)


class Caller(nn.Module):
    """Runs a module that is not a part of it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(WIDTH, WIDTH)
        self.others: list[nn.Module] = []

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.others[0](self.inner(x))
        return found


def test_a_module_that_runs_a_changed_one_is_not_shared(x: Tensor) -> None:
    caller = Caller()
    net = build(lambda net, x: net.caller(net.first(x)), caller=caller)
    caller.others.append(net.last)
    check(net, x)


def test_what_ran_inside_a_kept_output_counts_for_the_module_around_it(x: Tensor) -> None:
    class Outer(nn.Module):
        def __init__(self, inside: nn.Module) -> None:
            super().__init__()
            self.inside = inside
            self.weight = nn.Parameter(torch.ones(WIDTH))

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.inside(x) * self.weight
            return found

    caller = Caller()
    net = build(lambda net, x: net.outer(net.first(x)), outer=Outer(caller))
    caller.others.append(net.last)
    check(net, x)


class Container(nn.Module):
    """Its own forward is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        raise AssertionError

    def features(self, x: Tensor) -> Tensor:
        found: Tensor = self.inner(x)
        return found


def test_parts_of_a_module_that_is_called_by_another_method(x: Tensor) -> None:
    net = build(lambda net, x: net.last(net.part.features(net.first(x))), part=Container())
    assert check(net, x).report.reused > 3 * 2  # the first layer always, the part's layer from the second window on


def test_a_module_list_is_no_call(x: Tensor) -> None:
    layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(3))

    def steps(net: Net, x: Tensor) -> Tensor:
        for layer in net.layers:
            x = layer(x)
        return net.last(x)

    assert check(build(steps, layers=layers), x).report.reused == 3 * 2 * 3


def test_a_module_called_many_times(x: Tensor) -> None:
    def steps(net: Net, x: Tensor) -> Tensor:
        y = net.first(x)
        z = net.first(net.first(y)) + net.second(y)
        w = net.last(z)
        return net.last(net.first(w) + net.second(y))  # the last call of first differs, that of second does not

    assert check(build(steps), x).report.reused > 0


class Lists(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(WIDTH, WIDTH)

    def forward(self, parts: list[Tensor], *, options: dict[str, Any]) -> dict[str, Any]:
        return {"all": [self.inner(part) * options["scale"] for part in parts], "count": len(parts)}


def test_containers_in_and_out_are_new_every_time(x: Tensor) -> None:
    def steps(net: Net, x: Tensor) -> Tensor:
        found = net.lists([x, net.first(x)], options={"scale": 2.0})
        total = sum(found["all"]) * found["count"]
        found["all"].clear()
        found["count"] = 0
        return net.last(total)

    assert check(build(steps, lists=Lists()), x).report.reused > 0


class Odd(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(WIDTH, WIDTH)

    def forward(self, thing: Any) -> Tensor:
        found: Tensor = self.inner(thing.value)
        return found


def test_what_is_no_tensor_is_not_shared_but_its_parts_are(x: Tensor) -> None:
    class Thing:
        def __init__(self, value: Tensor) -> None:
            self.value = value

    net = build(lambda net, x: net.last(net.odd(Thing(net.first(x)))), odd=Odd())
    assert check(net, x).report.reused > 3 * 2


def test_a_plain_argument_that_differs(x: Tensor) -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(WIDTH, WIDTH)

        def forward(self, x: Tensor, scale: float) -> Tensor:
            found: Tensor = self.inner(x) * scale
            return found

    def steps(net: Net, x: Tensor) -> Tensor:
        return net.last(net.scaled(x, float(net.last.weight[0, 0])))

    assert check(build(steps, scaled=Scaled()), x).report.reused == 0


class Inverse(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight / x


def test_the_sign_of_zero_and_nan(x: Tensor) -> None:
    def steps(net: Net, x: Tensor) -> Tensor:
        zero = torch.zeros(WIDTH) * (net.last.weight[0, 1] - net.last.weight[0, 0])  # 0.0 or -0.0, as the model has it
        return net.last(x) + net.inverse(zero) + net.first(x * torch.nan).nan_to_num(5.0)

    net = build(steps, inverse=Inverse())
    signs = set()
    for name in MODELS:
        become(net, name)
        signs.add(bool(net.last.weight[0, 1] > net.last.weight[0, 0]))
    assert signs == {True, False}, "the trap is not set"
    sharing = check(net, x)
    assert sharing.report.reused > 0  # the NaN are the same NaN


def test_inference_mode_inside(x: Tensor) -> None:
    def steps(net: Net, x: Tensor) -> Tensor:
        with torch.inference_mode():
            y = net.first(x)
            y.add_(1.0)
            z = net.second(y)
            z.relu_()
            return net.last(z)

    assert check(build(steps), x).report.reused == 3 * 2 * 2


def test_an_error_inside_a_pass_costs_only_that_pass(x: Tensor) -> None:
    net = build(plain)
    fail = [False]

    def raising(*_: object) -> None:
        if fail[0]:
            raise RuntimeError("no")

    net.second.register_forward_pre_hook(raising)
    sharing = PrefixSharing(net, {name: {net.last} for name in MODELS[1:]}, limit_bytes=10**9)
    with torch.no_grad(), sharing.window():
        fail[0] = True
        with pytest.raises(RuntimeError), sharing.model("base"):
            net(x)
        fail[0] = False
        for name in MODELS:
            become(net, name)
            expected = plain(net, x)
            with sharing.model(name):
                assert bit_equal(net(x), expected)


def forward_of(net: Net) -> Callable[[Tensor], Prediction]:
    def forward(x: Tensor) -> Prediction:
        with torch.no_grad():
            found = net(x)
        return Prediction(found, found, found, found)

    return forward


def test_what_cannot_be_seen_is_proven_wrong_and_ends_sharing(x: Tensor) -> None:
    """A module whose output depends on something that is neither an input nor a weight."""
    hidden = [1.0]

    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(WIDTH, WIDTH)

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.inner(x) * hidden[0]
            return found

    net = build(lambda net, x: net.last(net.part(x)), part=Hidden())
    shared = SharedForward(net, {name: {net.last} for name in MODELS[1:]}, forward_of(net), limit_bytes=10**9)
    with shared.window():
        for number, name in enumerate(MODELS):
            become(net, name)
            hidden[0] = 1.0 + number
            found = shared.predict(name, x)
            assert bit_equal(found.depth, forward_of(net)(x).depth)
    assert shared.report.notices == ("sharing has ended: with it this model's output differs from that without it",)
    with shared.window():
        become(net, "a")
        assert bit_equal(shared.predict("a", x).depth, forward_of(net)(x).depth)


def test_a_model_that_is_never_the_same_twice_cannot_be_proven(x: Tensor) -> None:
    calls = [0.0]

    def steps(net: Net, x: Tensor) -> Tensor:
        calls[0] += 1.0
        return net.last(net.first(x)) + calls[0]

    net = build(steps)
    shared = SharedForward(net, {"a": {net.last}}, forward_of(net), limit_bytes=10**9)
    with shared.window():
        for name in ("base", "a"):
            become(net, name)
            shared.predict(name, x)
    assert "different outputs for equal inputs" in shared.report.notices[-1]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_network_any_changes(data: st.DataObject) -> None:
    """Layers in any order, on sums of any earlier values, with any of them changed by any checkpoint."""
    count = data.draw(st.integers(2, 5))
    wiring = [
        (data.draw(st.integers(0, count - 1)), data.draw(st.sets(st.integers(0, step), min_size=1)))
        for step in range(data.draw(st.integers(2, 7)))
    ]
    nested = data.draw(st.booleans())
    changes = {name: data.draw(st.sets(st.integers(0, count - 1))) for name in ("a", "b", "c")}

    class Wired(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layers = [nn.Linear(WIDTH, WIDTH) for _ in range(count)]
            self.layers = nn.ModuleList(nn.Sequential(layer) if nested else layer for layer in layers)

        def forward(self, x: Tensor) -> Tensor:
            values = [x]
            for layer, parts in wiring:
                values.append(self.layers[layer](sum(values[part] for part in sorted(parts)) / len(parts)))
            return values[-1]

    torch.manual_seed(0)
    net = Wired().eval()
    layers = [layer[0] if nested else layer for layer in net.layers]
    base = [layer.weight.detach().clone() for layer in layers]

    @torch.no_grad()
    def become(name: str) -> None:
        for number, layer in enumerate(layers):
            layer.weight.copy_(base[number])
            if number in changes.get(name, set()):
                layer.weight.mul_(1.5 + len(name) + ord(name[0]) / 100)

    sharing = PrefixSharing(
        net, {name: {layers[number] for number in numbers} for name, numbers in changes.items()}, limit_bytes=10**9
    )
    with torch.no_grad():
        for window in range(2):
            x = torch.randn(2, WIDTH, generator=torch.Generator().manual_seed(window))
            with sharing.window():
                for name in ("base", "a", "b", "c", "a"):
                    become(name)
                    with sharing.model(name):
                        found = net(x)
                    assert bit_equal(found, net(x))


def test_packing_gives_back_what_it_took() -> None:
    value = {"a": [torch.ones(2), (1, None, "x")], 3: torch.zeros(1), "size": torch.Size([2, 3])}
    packed = pack(value)
    assert packed is not None
    again = unpack(packed.template, packed.tensors)
    assert again["a"][0] is value["a"][0]
    assert again["a"][1] == (1, None, "x")
    assert again["a"] is not value["a"]
    assert again["size"] == torch.Size([2, 3])
    assert pack({"a": object()}) is None
    assert pack(torch.ones(2).to_sparse()) is None
    assert pack((1, 2)).template != pack((1.0, True)).template  # type: ignore[union-attr]


def test_kept_tensors_know_of_writes_through_any_view() -> None:
    tensor = torch.arange(6.0)
    kept = Kept.of(tensor)
    assert kept.equals(tensor)
    assert kept.equals(tensor.clone())
    assert not kept.equals(tensor.reshape(2, 3))
    assert not kept.equals(torch.arange(12.0)[::2])
    assert not kept.equals(tensor.double())
    tensor.view(2, 3)[1, 1] = -1.0
    assert not kept.intact
    assert not kept.equals(tensor)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.complex64])
def test_bits_not_values(dtype: torch.dtype) -> None:
    zero = torch.zeros(2, dtype=dtype)
    assert not bit_equal(zero, -zero)
    nan = torch.full((2,), torch.nan, dtype=dtype)
    assert bit_equal(nan, nan.clone())
    assert bit_equal(torch.tensor([True, False]), torch.tensor([True, False]))

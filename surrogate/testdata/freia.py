"""Writes freia.json: what FrEIA's modules make of flows of ours, in double precision.

    PYTHONPATH=/path/to/FrEIA python3 freia.py > freia.json

Needs PyTorch and a checkout of github.com/vislearn/FrEIA (commit 4212496); README.md beside this file says what is in
the result and where the two differ by design.
"""
import itertools
import json

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

from FrEIA import modules as fm

torch.set_default_dtype(torch.float64)
ROWS, HIDDEN, BINS = 6, 4, 10
MIN_SLOPE = 1e-3
SPEC = dict(blocks=1, hidden=HIDDEN, hidden_layers=1, permutation="none", spline_clamp=0)
ACTIVATIONS = dict(gelu=nn.GELU, relu=nn.ReLU, tanh=nn.Tanh)


class Case:
    """One flow: its random arrays, by the names that Flow.Named gives them, and FrEIA's modules with these."""

    def __init__(self, name, seed, dim, cond=0, deviation=0.7, **spec):
        self.name, self.dim, self.cond, self.deviation = name, dim, cond, deviation
        self.spec = dict(SPEC, dim=dim, cond_dim=cond, **spec)
        self.rng, self.arrays, self.modules = np.random.RandomState(seed), [], []

    def add(self, name, value):
        value = np.asarray(value, dtype=np.float64)
        self.arrays.append(dict(name=name, shape=list(value.shape), data=value.ravel().tolist()))

    def draw(self, *shape):
        """Multiples of 1/64, which JSON holds exactly."""
        return np.round(64 * self.deviation * self.rng.randn(*shape)) / 64

    def dense(self, name, width_in, width_out):
        """A dense layer, y = x weight + bias."""
        w, b = self.draw(width_in, width_out), self.draw(width_out)
        if w.size:
            self.add(name + ".weight", w)
        if b.size:
            self.add(name + ".bias", b)
        layer = nn.Linear(width_in, width_out)
        layer.weight.data, layer.bias.data = torch.tensor(w.T.copy()), torch.tensor(b)
        return layer

    def net(self, name, width_in, width_out, activation=None):
        activation = ACTIVATIONS[activation or self.spec.get("activation", "gelu")]
        return nn.Sequential(self.dense(name + ".0", width_in, HIDDEN), activation(), self.dense(name + ".1", HIDDEN, width_out))

    def dims(self):
        """FrEIA's arguments dims_in and dims_c."""
        return [(self.dim,)], [(self.cond,)] if self.cond else []

    def run(self, x, rev=False):
        """The whole flow on one tensor: output and log-determinant."""
        total = torch.zeros(len(x))
        for m in reversed(self.modules) if rev else self.modules:
            given = dict(c=[torch.tensor(self.condition)]) if getattr(m, "conditional", False) else {}
            (x,), j = m([x], rev=rev, **given)
            total = total + j
        return x, total

    def result(self):
        self.condition = np.round(64 * self.rng.randn(ROWS, self.cond)) / 64
        self.x = np.round(64 * 1.5 * self.rng.randn(ROWS, self.dim)) / 64
        out = dict(name=self.name, spec=self.spec, arrays=self.arrays, x=self.x.ravel().tolist(),
                   cond=self.condition.ravel().tolist() or None)
        for key, rev in (("forward", False), ("inverse", True)):
            y, j = self.run(torch.tensor(self.x), rev)
            out[key], out[key + "_log_det"] = y.detach().ravel().tolist(), [j.detach().tolist()]
        return out


def split(dim):
    first = round(dim / 2)
    return first, dim - first


def two_sided(case, block, per, names):
    """Gives both subnets of a block their weights: net2 sees the second half, net1 the first."""
    n1, n2 = split(case.dim)
    for net, (seen, moved) in (("net2", (n2, n1)), ("net1", (n1, n2))):
        for attribute, suffix in names[net]:
            setattr(block, attribute, case.net(case.prefix + net + suffix, seen + case.cond, per * moved))


COUPLINGS = {
    "glow": (fm.GLOWCouplingBlock, 2, dict(net2=[("subnet2", "")], net1=[("subnet1", "")])),
    "gin": (fm.GINCouplingBlock, 2, dict(net2=[("subnet2", "")], net1=[("subnet1", "")])),
    "nice": (fm.NICECouplingBlock, 1, dict(net2=[("F", "")], net1=[("G", "")])),
    "rnvp": (fm.RNVPCouplingBlock, 1, dict(net2=[("subnet_s2", ".scale"), ("subnet_t2", ".shift")],
                                           net1=[("subnet_s1", ".scale"), ("subnet_t1", ".shift")])),
}


def any_net(width_in, width_out):
    return nn.Linear(width_in, width_out)


def coupling(name, kind, seed, dim, cond=0, **spec):
    case = Case(name, seed, dim, cond, coupling=kind, **spec)
    module, per, names = COUPLINGS[kind]
    clamp = dict() if kind == "nice" else dict(clamp_activation=spec.get("clamp_function", "atan").upper())
    for k in range(case.spec["blocks"]):
        case.prefix = f"block.{k}."
        block = module(*case.dims(), subnet_constructor=any_net, **clamp)
        two_sided(case, block, per, names)
        case.modules.append(block)
    if spec.get("permutation") == "numpy":
        permuted = []
        for k, block in enumerate(case.modules):
            permuted += [block, fm.PermuteRandom([(dim,)], seed=k)]
            case.add(f"block.{k}.permutation", permuted[-1].perm.numpy())
        case.modules = permuted
    return case


def one_sided(seed, dim):
    case = Case("one-sided", seed, dim, coupling="glow", one_sided=True)
    n1, n2 = split(dim)
    block = fm.AffineCouplingOneSided([(dim,)], subnet_constructor=any_net)
    block.subnet = case.net("block.0.net1", n1, 2 * n2)
    case.modules = [block]
    return case


def elementwise_affine(seed, dim, cond):
    case = Case("elementwise affine", seed, dim, cond, coupling="elementwise_affine")
    block = fm.ConditionalAffineTransform(*case.dims(), subnet_constructor=any_net)
    block.subnet = case.net("block.0.net", cond, 2 * dim)
    case.modules = [block]
    return case


class Translated(nn.Module):
    """A subnet of ours for a spline of FrEIA's.

    Of each coordinate ours gives left, bottom, widths, heights, slopes, theirs widths, heights, bottom, left, slopes; and
    inner slopes of ours are m + softplus(raw + ln(exp(1-m)-1)), theirs softplus(raw + ln(e-1)).
    """

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, u):
        raw = self.net(u.double()).reshape(len(u), -1, 3 * BINS + 1)
        left, bottom, sizes, slopes = raw[..., :1], raw[..., 1:2], raw[..., 2:2 + 2 * BINS], raw[..., 2 + 2 * BINS:]
        d = MIN_SLOPE + softplus(slopes + np.log(np.expm1(1 - MIN_SLOPE)), threshold=100)
        slopes = d + torch.log(-torch.expm1(-d)) - np.log(np.e - 1)
        return torch.cat([sizes, bottom, left, slopes], -1).reshape(len(u), -1)


def in_double(base):
    """FrEIA keeps the least bin and the domain in single precision."""
    base.min_bin_sizes = torch.tensor([0.1, 0.1])
    base.default_domain = torch.tensor([-3.0, 3.0, -3.0, 3.0])
    base.bins = torch.tensor(float(BINS))


def spline(name, seed, dim, cond=0):
    case = Case(name, seed, dim, cond, coupling="spline")
    case.prefix = "block.0."
    block = fm.RationalQuadraticSpline(*case.dims(), subnet_constructor=any_net, bins=BINS)
    in_double(block.spline_base)
    two_sided(case, block, 3 * BINS + 1, dict(net2=[("subnet1", "")], net1=[("subnet2", "")]))
    block.subnet1, block.subnet2 = Translated(block.subnet1), Translated(block.subnet2)
    case.modules = [block]
    return case


def elementwise_spline(name, seed, dim, cond=0):
    case = Case(name, seed, dim, cond, coupling="elementwise_spline")
    block = fm.ElementwiseRationalQuadraticSpline(*case.dims(), subnet_constructor=any_net, bins=BINS)
    in_double(block)
    net = Translated(case.net("block.0.net", cond, dim * (3 * BINS + 1)))
    if cond:
        block.subnet = net
    else:
        block.spline_parameters.data = net(torch.zeros(1, 0)).detach()[0]
    case.modules = [block]
    return case


def act_norm(seed, dim):
    """ActNorm before a GLOW block: y = x exp(log_scale) + bias, in FrEIA (x - loc)/exp(log_scale')."""
    case = Case("act norm", seed, dim, coupling="glow", act_norm=True)
    log_scale, bias = case.draw(dim), case.draw(dim)
    case.add("block.0.act_norm.log_scale", log_scale)
    case.add("block.0.act_norm.bias", bias)
    norm = fm.ActNorm([(dim,)])
    norm.log_scale.data[0] = torch.tensor(-log_scale)
    norm.loc.data[0] = torch.tensor(-bias * np.exp(-log_scale))
    norm.is_initialized.data = torch.tensor(True)
    case.prefix = "block.0."
    block = fm.GLOWCouplingBlock([(dim,)], subnet_constructor=any_net)
    two_sided(case, block, *COUPLINGS["glow"][1:])
    case.add("block.0.act_norm.initialised", [1])
    case.modules = [norm, block]
    return case


def i_resnet(name, seed, dim, deviation, layers=2, **spec):
    """x + g(x) with g of `layers` hidden layers: FrEIA's n_internal_layers is one less."""
    case = Case(name, seed, dim, deviation=deviation, coupling="iresnet", hidden_layers=layers, **spec)
    block = fm.IResNetLayer([(dim,)], internal_size=HIDDEN, n_internal_layers=layers - 1, lipschitz_iterations=100)
    linear = [m for m in block.residual if isinstance(m, nn.Linear)]
    widths = [dim] + [HIDDEN] * layers + [dim]
    for k, (a, b) in enumerate(zip(widths, widths[1:])):
        layer = case.dense(f"block.0.residual.{k}", a, b)
        linear[k].weight.data, linear[k].bias.data = layer.weight.data, layer.bias.data
    for k, (a, b) in enumerate(zip(widths, widths[1:])):  # where the power iteration begins
        case.add(f"block.0.residual.{k}.left_singular", np.ones(a))
        case.add(f"block.0.residual.{k}.right_singular", np.ones(b))
    case.add("block.0.residual.spectral", np.zeros((layers + 1, 2)))
    case.modules = [block]
    return case


def released(name, seed, dim, deviation):
    """As the released code has it. FrEIA's one random vector of signs is taken for all there are: ours is one of them."""
    case = i_resnet(name, seed, dim, deviation, spectral_norm=False, log_det="truncated", log_det_terms=20,
                    released_inverse=True, inverse_steps=51)
    out = case.result()
    signs = [torch.tensor(s) for s in itertools.product([-1.0, 1.0], repeat=dim)]
    random = torch.randn_like
    for key, rev in (("forward", False), ("inverse", True)):
        out[key + "_log_det"] = []
        for s in signs[:len(signs) // 2]:  # the opposite vector gives the same
            torch.randn_like = lambda x, s=s: s.expand_as(x).clone()
            out[key + "_log_det"].append(case.run(torch.tensor(case.x), rev)[1].detach().tolist())
    torch.randn_like = random
    return out


def corrected(seed, dim):
    """Weights brought to a spectral norm of 0.8 by FrEIA's lipschitz_correction; log-determinants from the whole Jacobian."""
    case = i_resnet("i-resnet, normalised", seed, dim, 0.9, log_det="exact")
    torch.manual_seed(seed)
    case.modules[0].lipschitz_correction()
    out = case.result()
    block = case.modules[0]
    log_det = lambda at: [float(torch.linalg.slogdet(torch.autograd.functional.jacobian(
        lambda v: v + block.residual(v), row))[1]) for row in at]
    out["forward_log_det"] = [log_det(torch.tensor(case.x))]
    out["inverse_log_det"] = [[-v for v in log_det(torch.tensor(out["inverse"]).reshape(ROWS, dim))]]
    return out


def cases():
    seed = itertools.count(1)
    for kind in ("glow", "rnvp", "nice", "gin"):
        for dim in (2, 3, 5, 7):
            yield coupling(kind, kind, next(seed), dim).result()
        yield coupling(kind + " conditional", kind, next(seed), 3, 2).result()
    yield coupling("glow of one dimension", "glow", next(seed), 1).result()
    yield coupling("glow tanh", "glow", next(seed), 4, clamp_function="tanh").result()
    yield coupling("glow sigmoid", "glow", next(seed), 4, clamp_function="sigmoid", activation="relu").result()
    yield coupling("glow, three blocks, permuted", "glow", next(seed), 5, blocks=3, permutation="numpy", activation="tanh").result()
    yield one_sided(next(seed), 5).result()
    yield elementwise_affine(next(seed), 3, 2).result()
    yield act_norm(next(seed), 3).result()
    for dim in (2, 3, 4):
        yield spline("spline", next(seed), dim).result()
    yield spline("spline conditional", next(seed), 3, 2).result()
    yield elementwise_spline("elementwise spline", next(seed), 2, 2).result()
    yield elementwise_spline("elementwise spline of one dimension", next(seed), 1).result()
    yield released("i-resnet as released", next(seed), 1, 0.7)
    yield released("i-resnet as released", next(seed), 3, 0.35)
    yield released("i-resnet as released, slow to converge", next(seed), 2, 0.55)
    yield corrected(next(seed), 3)


if __name__ == "__main__":
    print("[" + ",\n ".join(json.dumps(c) for c in cases()) + "]")

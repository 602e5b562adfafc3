# Writes extremes.txt: what torch gives at 0, the least and greatest numbers, infinities and NaN, in f64, f32 and,
# computed in f32 and rounded once, f16 and bf16. /usr/bin/python3 torch_extremes.py > extremes.txt (python3-torch
# 1.13); the tests read extremes.txt and need no torch. Each line: dtype, its call here, shape, inputs, the shape of the
# results, results.
import math
import struct

import torch
import torch.nn.functional as F

inf, nan = math.inf, math.nan
EACH = {
    'relu': 'F.relu(x)', 'relu6': 'F.relu6(x)', 'leaky_relu': 'F.leaky_relu(x)', 'hardtanh': 'F.hardtanh(x)',
    'clamp(x, -0.5, 0.75)': 'x.clamp(-0.5, 0.75)', 'hardsigmoid': 'F.hardsigmoid(x)', 'hardswish': 'F.hardswish(x)',
    'hardshrink': 'F.hardshrink(x)', 'softshrink': 'nan_stays(x, F.softshrink(x))', 'softsign': 'F.softsign(x)',
    'elu': 'F.elu(x)',
    'celu': 'F.celu(x)', 'celu(x, alpha: 0.5)': 'F.celu(x, 0.5)',
    'selu': '1.0507009873554805 * torch.where(x > 0, x, 1.6732632423543772 * x.expm1())', 'sigmoid': 'x.sigmoid()',
    'log_sigmoid': 'F.logsigmoid(x)', 'softplus': 'F.softplus(x)', 'softplus(x, beta: 2)': 'F.softplus(x, 2)',
    'softplus(x, beta: 0.5)': 'F.softplus(x, 0.5)', 'softplus(x, beta: -2)': 'F.softplus(x, -2)', 'silu': 'F.silu(x)',
    'mish': 'F.mish(x)', 'tanhshrink': 'F.tanhshrink(x)', 'gelu': 'F.gelu(x)',
    'gelu_tanh': 'F.gelu(x, approximate="tanh")',
    'quick_gelu': 'x / (1 + (-1.702 * x).exp())', 'swiglu(x, 0 * x + 1)': 'F.silu(x) * (0 * x + 1)',
    'sign': 'nan_stays(x, x.sign())',
    **{f: f'x.double().{f}().to(x.dtype)' for f in
       ['tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'asinh', 'acosh', 'atanh', 'log2', 'log10', 'exp2', 'erfc']},
    'logaddexp(x, 0)': '(x.double().clamp(min=0) + (-x.double().abs()).exp().log1p()).to(x.dtype)',
    'mse(x, 0)': 'x * x', 'l1(x, 0)': 'x.abs()', 'smooth_l1(x, 0)': 'F.smooth_l1_loss(x, 0 * o, reduction="none")',
    'huber(x, 0)': 'F.huber_loss(x, 0 * o, reduction="none")', 'hinge(x, 1)': '(1 - x).clamp(min=0)',
    'bce_with_logits(x, 0)': 'bce(x, 0)',
    'bce_with_logits(x, 1)': 'bce(x, 1)',
    'bce_with_logits(x, 0.5)': 'bce(x, 0.5)',
    # Of a target of 0 and a probability of 0 torch makes NaN, and the limit is 0.
    'kl_div(x, 0.5)': 'F.kl_div(x, o / 2, reduction="none")', 'kl_div(minus, x)': 'F.kl_div(-o, x, reduction="none")',
}
ROWS = {
    'softmax': 'x.softmax(-1)', 'softmin': 'F.softmin(x, -1)', 'log_softmax': 'x.log_softmax(-1)',
    'logsumexp': 'x.logsumexp(-1)',
    'max(x, axis: -1)': 'x.amax(-1)', 'min(x, axis: -1)': 'x.amin(-1)',
    'argmax(x)': 'first(x, x.amax(-1))', 'argmin(x)': 'first(x, x.amin(-1))', 'topk(x, 2)[0]': 'x.topk(2).values',
    'topk(x, 3)[1]': 'order(x)', 'sort(x)': 'torch.sort(x, stable=True).values',
    'argsort(x)': 'torch.sort(x, stable=True).indices',
    'sort(x, descending: true)': 'last(x, False)', 'argsort(x, descending: true)': 'last(x, True)',
    'keep_top_k(x, 2)':
        'x.masked_fill(x < torch.where(x != x, -inf * torch.ones(()), x).to(x.dtype).topk(2).values[:, -1:], -inf)',
    'cross_entropy(x, first)': 'F.cross_entropy(x, torch.zeros(len(x), dtype=torch.long), reduction="none")',
    'cross_entropy(x, first, smoothing: 0.1)':
        'F.cross_entropy(x, torch.zeros(len(x), dtype=torch.long), reduction="none", label_smoothing=0.1)',
    'max_pool1d(reshape(x, [1, n, 3]), 3, stride: 1, padding: 1)': 'F.max_pool1d(x[None], 3, 1, 1)',
    'avg_pool1d(reshape(x, [1, n, 3]), 3, stride: 1, padding: 1)': 'F.avg_pool1d(x[None], 3, 1, 1)',
    'normalize': 'F.normalize(x, dim=-1)',
}


def bce(x, y):
    """(1 - y) log(1 + e^x) + y log(1 + e^-x), the definition; torch's own loses a tail below 1e-7 and an infinity."""
    x, to = x.double(), x.dtype
    soft = lambda x: x.clamp(min=0) + (-x.abs()).exp().log1p()
    return ((1 - y) * soft(x) + y * soft(-x)).to(to)

def nan_stays(x, y):
    """torch 1.13 loses it in two functions; here a NaN comes through all of them."""
    return torch.where(x != x, x, y)

def first(x, extreme):
    """The first element that is the extreme, NaN where there is one."""
    return torch.tensor([next(i for i, v in enumerate(r) if v == e or (e != e and v != v))
                         for r, e in zip(x.tolist(), extreme.tolist())])

def order(x):
    """Greatest first, of equals the first, NaN before all."""
    return torch.tensor([sorted(range(len(r)),
                                key=lambda i: (r[i] == r[i], -r[i] if r[i] == r[i] else 0, i)) for r in x.tolist()])

def last(x, indices):
    """Greatest first and NaN behind all: what NUMERICS.md says of sort in both directions."""
    at = torch.tensor([sorted(range(len(r)),
                              key=lambda i: (r[i] != r[i], -r[i] if r[i] == r[i] else 0, i)) for r in x.tolist()])
    return at if indices else x.gather(-1, at)


TYPES = {'f64': torch.float64, 'f32': torch.float32, 'f16': torch.float16, 'bf16': torch.bfloat16}
for name, dtype in TYPES.items():
    info = torch.finfo(dtype)
    big = {'f16': 3e4}.get(name, 1e35)
    tiny = {'f64': 5e-324, 'f32': 1.4e-45, 'f16': 6e-8, 'bf16': 9.2e-41}[name]
    each = [0.0, -0.0, tiny, -tiny, info.tiny, -info.tiny, 0.5, -0.5, 1, -1, 30, -30, big, -big, info.max, -info.max,
            inf, -inf, nan]
    rows = [[inf, 0, 1], [-big, -big, -big], [big, big, 0], [-inf, -inf, -inf], [nan, 0, inf], [0, nan, -inf],
            [-inf, 0, 0], [inf, inf, 1],
            [info.max, info.max, info.max], [-info.max, 0, info.max], [tiny, -tiny, 0], [1, 1, 1], [nan, nan, 1],
            [-inf, 2, nan],
            [inf, nan, inf], [-inf, -inf, 5], [0, -0.0, 0]]
    for table, data in [(EACH, each), (ROWS, rows)]:
        stored = torch.tensor(data, dtype=torch.float64).to(dtype)
        x = stored if name in ('f64', 'f32') else stored.float()
        o = torch.ones_like(x)
        for call, meaning in table.items():
            acc = call if '(' in call else f'{call}(x)'
            y = eval(meaning)
            if y.is_floating_point(): y = y.to(dtype)
            text = lambda t: ' '.join(repr(float(v)) for v in t.double().reshape(-1).tolist())
            print('\t'.join([name, acc, ','.join(map(str, stored.shape)), text(stored),
                             ('f' if y.is_floating_point() else 'i')
                             + ','.join(map(str, y.shape)), text(y)]))

# Writes what the `# run:` lines of the cases beside it give: the recurrences of the papers and of torch, a number at a
# time in f64, with nothing of the compiler in it. python3 oracle.py, which needs no package; then `accc test` them.
import math
import os
import re

NAMES = ['w', 'tall', 'kernel', 'bias', 'zero', 'gain']
SHAPES = [[2, 3], [4, 2], [2, 1, 2], [3], [2], []]


def made(shape, salt, t):
    return [((7 * i + 3 * salt + 5 * t) % 11 - 5) / 4 for i in range(math.prod(shape))]


def weights():
    return [made(s, k, 0) for k, s in enumerate(SHAPES[:4])] + [[0.0, 0.0], [1.5]]


def gradients(t):
    return [made(s, k + 4, t) for k, s in enumerate(SHAPES)]


def norm(x): return math.sqrt(sum(v * v for v in x))


def rms(x): return norm(x) / math.sqrt(len(x))


class Optimiser:
    """step(k, p, g, t): the new p of parameter k, where t counts from 1; `s` is a dictionary of its own state."""

    def __init__(self, rule, decay=0.0, keep=(), **options):
        self.rule, self.decay, self.keep, self.options = rule, decay, keep, options
        self.ps = weights()
        self.states = [{} for _ in SHAPES]
        self.t = 0

    def step(self):
        gs = gradients(self.t)
        self.t += 1
        for k, name in enumerate(NAMES):
            decay = 0.0 if name in self.keep else self.decay
            self.ps[k] = self.rule(self.ps[k], gs[k], self.states[k], self.t, decay, SHAPES[k], name, **self.options)
        return [sum(v * (1 + i) for i, v in enumerate(p)) for p in self.ps]


def pulled(g, p, decay): return [a + decay * b for a, b in zip(g, p)]


def zeros(s, name, p, value=0.0): return s.setdefault(name, [value] * len(p))


# torch.optim.SGD, with decoupled decay as torch's AdamW has it
def sgd(p, g, s, t, decay, shape, name, rate=0.1, momentum=0.0, dampening=0.0, nesterov=False, decoupled=False):
    if decoupled: p = [v * (1 - rate * decay) for v in p]
    else: g = pulled(g, p, decay)
    if momentum:
        if 'b' not in s: s['b'] = list(g)
        else: s['b'] = [momentum * b + (1 - dampening) * v for b, v in zip(s['b'], g)]
        g = [v + momentum * b for v, b in zip(g, s['b'])] if nesterov else s['b']
    return [v - rate * u for v, u in zip(p, g)]


# torch.optim.RMSprop
def rmsprop(p, g, s, t, decay, shape, name, rate=0.1, alpha=0.99, eps=1e-8, momentum=0.0, centered=False):
    g = pulled(g, p, decay)
    s['sq'] = [alpha * a + (1 - alpha) * v * v for a, v in zip(zeros(s, 'sq', p), g)]
    average = s['sq']
    if centered:
        s['avg'] = [alpha * a + (1 - alpha) * v for a, v in zip(zeros(s, 'avg', p), g)]
        average = [a - c * c for a, c in zip(average, s['avg'])]
    u = [v / (math.sqrt(a) + eps) for v, a in zip(g, average)]
    if momentum:
        s['b'] = [momentum * b + v for b, v in zip(zeros(s, 'b', p), u)]
        u = s['b']
    return [v - rate * a for v, a in zip(p, u)]


# torch.optim.Adagrad
def adagrad(p, g, s, t, decay, shape, name, rate=0.1, eps=1e-10, start=0.0, rate_decay=0.0):
    g = pulled(g, p, decay)
    s['sum'] = [a + v * v for a, v in zip(zeros(s, 'sum', p, start), g)]
    now = rate / (1 + (t - 1) * rate_decay)
    return [v - now * a / (math.sqrt(q) + eps) for v, a, q in zip(p, g, s['sum'])]


def moments(p, g, s, b1, b2):
    s['m'] = [b1 * a + (1 - b1) * v for a, v in zip(zeros(s, 'm', p), g)]
    s['v'] = [b2 * a + (1 - b2) * v * v for a, v in zip(zeros(s, 'v', p), g)]


def direction(p, g, s, t, b1, b2, eps):
    moments(p, g, s, b1, b2)
    return [(m / (1 - b1 ** t)) / (math.sqrt(v / (1 - b2 ** t)) + eps) for m, v in zip(s['m'], s['v'])]


# Kingma and Ba, algorithm 1; the decay is torch.optim.Adam's
def adam(p, g, s, t, decay, shape, name, rate=0.1, b1=0.9, b2=0.999, eps=1e-8):
    u = direction(p, pulled(g, p, decay), s, t, b1, b2, eps)
    return [v - rate * a for v, a in zip(p, u)]


# torch.optim.AdamW
def adamw(p, g, s, t, decay, shape, name, rate=0.1, b1=0.9, b2=0.999, eps=1e-8):
    u = direction(p, g, s, t, b1, b2, eps)
    return [v - rate * decay * v - rate * a for v, a in zip(p, u)]


# Chen et al., program 1
def lion(p, g, s, t, decay, shape, name, rate=0.1, b1=0.9, b2=0.99):
    m = zeros(s, 'm', p)
    mixed = [b1 * a + (1 - b1) * v for a, v in zip(m, g)]
    s['m'] = [b2 * a + (1 - b2) * v for a, v in zip(m, g)]
    return [v - rate * ((c > 0) - (c < 0) + decay * v) for v, c in zip(p, mixed)]


# You et al., algorithm 2, with phi the identity
def lamb(p, g, s, t, decay, shape, name, rate=0.1, b1=0.9, b2=0.999, eps=1e-6):
    u = pulled(direction(p, g, s, t, b1, b2, eps), p, decay)
    ratio = norm(p) / norm(u) if norm(p) > 0 and norm(u) > 0 else 1.0
    return [v - rate * ratio * a for v, a in zip(p, u)]


# Shazeer and Stern, algorithms 4 and 5
def adafactor(p, g, s, t, decay, shape, name, rate=0.1, power=0.8, eps1=1e-30, eps2=1e-3, limit=1.0, scaled=True):
    old = 1 - t ** -power
    squares = [v * v + eps1 for v in g]
    if len(shape) >= 2:
        n, m = shape[-2:]
        second = []
        rows, columns = zeros(s, 'r', [0] * (len(p) // m)), zeros(s, 'c', [0] * (len(p) // n))
        for at in range(len(p) // (n * m)):
            q = [squares[at * n * m + i * m:at * n * m + (i + 1) * m] for i in range(n)]
            for i in range(n): rows[at * n + i] = old * rows[at * n + i] + (1 - old) * sum(q[i])
            for j in range(m): columns[at * m + j] = old * columns[at * m + j] + (1 - old) * sum(r[j] for r in q)
            total = sum(rows[at * n:at * n + n])
            second += [rows[at * n + i] * columns[at * m + j] / total for i in range(n) for j in range(m)]
    else:
        second = s['v'] = [old * a + (1 - old) * v for a, v in zip(zeros(s, 'v', p), squares)]
    u = [a / math.sqrt(v) for a, v in zip(g, second)]
    u = [a / max(1, rms(u) / limit) for a in u]
    length = max(eps2, rms(p)) if scaled else 1.0
    return [v * (1 - rate * decay) - rate * length * a for v, a in zip(p, u)]


def product(a, b): return [[sum(x * y for x, y in zip(r, c)) for c in zip(*b)] for r in a]


# Jordan et al.: zeropower_via_newtonschulz5, in f64
def orthogonal(g, n, m, eps=1e-7):
    x = [[v / max(norm(g), eps) for v in g[i * m:(i + 1) * m]] for i in range(n)]
    if n > m: x = [list(c) for c in zip(*x)]
    for _ in range(5):
        a = product(x, [list(c) for c in zip(*x)])
        b = [[-4.7750 * v + 2.0315 * w for v, w in zip(r, q)] for r, q in zip(a, product(a, a))]
        x = [[3.4445 * v + w for v, w in zip(r, q)] for r, q in zip(x, product(b, x))]
    if n > m: x = [list(c) for c in zip(*x)]
    return [v for r in x for v in r]


# torch.optim.Muon for the matrices, and AdamW for the rest
def muon(p, g, s, t, decay, shape, name, rate=0.1, rest=0.05, momentum=0.95, nesterov=True, plain=()):
    if len(shape) != 2 or name in plain:
        return adamw(p, g, s, t, decay, shape, name, rate=rest, b1=0.9, b2=0.95, eps=1e-10)
    b = s['b'] = [a + (1 - momentum) * (v - a) for a, v in zip(zeros(s, 'b', p), g)]
    u = [v + momentum * (a - v) for a, v in zip(b, g)] if nesterov else b
    n, m = shape
    far = rate * math.sqrt(max(1, n / m))
    return [v * (1 - rate * decay) - far * a for v, a in zip(p, orthogonal(u, n, m))]


OPTIMISERS = dict(
    sgd=Optimiser(sgd, momentum=0.9),
    sgd_decay=Optimiser(sgd, decay=0.1, keep=['bias', 'gain']),
    sgd_dampened=Optimiser(sgd, momentum=0.9, dampening=0.5, decay=0.1),
    sgd_nesterov=Optimiser(sgd, momentum=0.9, nesterov=True, decay=0.1, decoupled=True, keep=['bias']),
    rmsprop=Optimiser(rmsprop, decay=0.1, keep=['bias']),
    rmsprop_centered=Optimiser(rmsprop, alpha=0.9, eps=1e-2, momentum=0.5, centered=True),
    adagrad=Optimiser(adagrad),
    adagrad_slower=Optimiser(adagrad, start=0.5, rate_decay=0.25, decay=0.1, keep=['bias']),
    adam=Optimiser(adam),
    adam_decay=Optimiser(adam, b1=0.0, b2=0.5, eps=1e-3, decay=0.1, keep=['bias']),
    adamw=Optimiser(adamw, decay=0.1, keep=['bias', 'tall']),
    lion=Optimiser(lion, b1=0.8, decay=0.1, keep=['bias']),
    lamb=Optimiser(lamb, decay=0.1, keep=['bias']),
    adafactor=Optimiser(adafactor),
    adafactor_plain=Optimiser(adafactor, limit=0.5, scaled=False, decay=0.1, keep=['bias', 'tall']),
    muon=Optimiser(muon),
    muon_chosen=Optimiser(muon, momentum=0.9, nesterov=False, decay=0.1, keep=['bias'], plain=['tall']),
)


# torch's OneCycleLR, whose phases end at steps `rising * total - 1` and `total - 1`
def one_cycle(step, total, peak, rising=0.3, start=25.0, end=1e4):
    def wave(a, b, part): return b + (a - b) / 2 * (1 + math.cos(math.pi * part))
    low, top, step = peak / start, rising * total - 1, min(step, total - 1)
    if step <= top: return wave(low, peak, step / top)
    return wave(peak, low / end, (step - top) / (total - 1 - top))


def repeated(rate, factor, times):
    for _ in range(times): rate *= factor
    return rate


RATES = dict(
    constants=lambda s: 0.3,
    lines=lambda s: 0.1 if s >= 10 else 0.5 - 0.04 * s,
    warm_ups=lambda s: min(1, (s + 1) / 5) * max(0, 1 - s / 20),
    steps=lambda s: repeated(0.5, 0.3, s // 5),
    exponentials=lambda s: repeated(0.5, 0.9, s),
    cycles=lambda s: one_cycle(s, 20, 0.4),
    rests=lambda s: one_cycle(s, 20, 0.4, 0.25, 10.0, 5.0),
    cosines=lambda s: 0.4 * ((s + 1) / 3 if s < 3 else 0.5 * (1 + math.cos(math.pi * min(1, (s - 3) / 17)))),
)


def filled(m):
    name, t = m.group(1), m.group(2)
    if name in OPTIMISERS:
        assert OPTIMISERS[name].t == int(t[3:]), m.group()
        values = OPTIMISERS[name].step()
    elif name in RATES: values = [RATES[name](s) for s in [0, 1, 3, 5, 9, 10, 19, 25]]
    else: return m.group()
    # AdamW computes 1 - 0.999^t in f32, which leaves it 4 digits and a half at the first steps.
    near = '2e-5' if name == 'adamw' else '2e-6'
    return f"# run: {name}{t or ''} == [{', '.join(f'{v + 0.0:.9g}' for v in values)}] within {near}"


folder = os.path.dirname(os.path.abspath(__file__))
for file in sorted(f for f in os.listdir(folder) if f.endswith('.acc')):
    with open(os.path.join(folder, file)) as f: text = f.read()
    with open(os.path.join(folder, file), 'w') as f: f.write(re.sub(r'(?m)^# run: (\w+)( t=\d+)?.*$', filled, text))

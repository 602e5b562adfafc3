# What the library's functions mean, by NumPy in f64: loops and textbook formulas.
import math

erf = np.vectorize(math.erf, otypes=[np.float64])

def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True)) if x.size else x
    return e / e.sum(axis, keepdims=True)

def log_softmax(x):
    return np.log(softmax(x, -1))

def c(a, places):
    return a.reshape((-1,) + (1,) * places)

def group_norm(x, groups):
    y = x.reshape(len(x), groups, int(np.prod(x.shape[1:])) // groups)
    return ((y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5)).reshape(x.shape)

def each(v, axes):
    return v if isinstance(v, tuple) else (v,) * axes

def conv(x, w, stride=1, padding=0, dilation=1, groups=1, b=None):
    axes = x.ndim - 2
    stride, padding, dilation = each(stride, axes), each(padding, axes), each(dilation, axes)
    x = np.pad(x, [(0, 0), (0, 0)] + [(p, p) for p in padding])
    out = [(x.shape[2 + a] - dilation[a] * (w.shape[2 + a] - 1) - 1) // stride[a] + 1 for a in range(axes)]
    y = np.zeros([len(x), len(w)] + out)
    for f in range(len(w)):
        first = f // (len(w) // groups) * w.shape[1]
        for at in np.ndindex(*out):
            cut = tuple(slice(i * s, i * s + d * (k - 1) + 1, d) for i, s, d, k in zip(at, stride, dilation, w.shape[2:]))
            part = x[(slice(None), slice(first, first + w.shape[1])) + cut]
            y[(slice(None), f) + at] = (part * w[f]).reshape(len(x), int(np.prod(w.shape[1:]))).sum(-1)
    return y if b is None else y + c(b, axes)

def conv_transpose(x, w, stride=1, padding=0, more=0, dilation=1, groups=1, b=None):
    axes = x.ndim - 2
    per = w.shape[1]
    full = [(x.shape[2 + a] - 1) * stride + dilation * (w.shape[2 + a] - 1) + 1 + more for a in range(axes)]
    y = np.zeros([len(x), per * groups] + full)
    for ci in range(x.shape[1]):
        first = ci // (x.shape[1] // groups) * per
        for at in np.ndindex(*x.shape[2:]):
            cut = tuple(slice(i * stride, i * stride + dilation * (k - 1) + 1, dilation) for i, k in zip(at, w.shape[2:]))
            for n in range(len(x)):
                y[(n, slice(first, first + per)) + cut] += x[(n, ci) + at] * w[ci]
    y = y[(slice(None), slice(None)) + tuple(slice(padding, s - padding) for s in full)]
    return y if b is None else y + c(b, axes)

def pool(x, k, stride, padding, kind, dilation=1):
    axes = x.ndim - 2
    filler = -np.inf if kind == 'max' else np.nan if kind == 'uncounted' else 0
    x = np.pad(x, [(0, 0), (0, 0)] + [(padding, padding)] * axes, constant_values=filler)
    out = [(x.shape[2 + a] - dilation * (k - 1) - 1) // stride + 1 for a in range(axes)]
    y = np.zeros(list(x.shape[:2]) + out)
    reduce = dict(max=np.max, mean=np.mean, uncounted=np.nanmean)[kind]
    for at in np.ndindex(*out):
        cut = tuple(slice(i * stride, i * stride + dilation * (k - 1) + 1, dilation) for i in at)
        part = x[(slice(None), slice(None)) + cut]
        if part.size: y[(slice(None), slice(None)) + at] = reduce(part, tuple(range(2, 2 + axes)))
    return y

def adaptive(x, oh, ow, reduce):
    h, w = x.shape[2:]
    y = np.zeros(x.shape[:2] + (oh, ow))
    for i in range(oh):
        for j in range(ow):
            part = x[:, :, i * h // oh:-(-(i + 1) * h // oh), j * w // ow:-(-(j + 1) * w // ow)]
            if part.size: y[:, :, i, j] = reduce(part, (2, 3))
    return y

def bilinear(x, oh, ow, corners):
    def taps(o, h):
        a = np.zeros((o, h))
        for i in range(o):
            at = i * (h - 1) / (o - 1) if corners and o > 1 else 0 if corners else max((i + 0.5) * h / o - 0.5, 0)
            low = min(int(at), h - 1)
            a[i, low] += 1 - (at - low)
            a[i, min(low + 1, h - 1)] += at - low
        return a
    return np.einsum('ih,nchw,jw->ncij', taps(oh, x.shape[2]), x, taps(ow, x.shape[3]))

def attention(q, k, v, mask, bias):
    score = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1]) + bias
    return softmax(np.where(mask, score, -np.inf), -1) @ v

def mha(s, name, heads, q, k, v, mask=True):
    w = np.split(s[name + '.in_proj_weight'], 3)
    b = np.split(s[name + '.in_proj_bias'], 3)
    def head(x, i):
        y = x @ w[i].T + b[i]
        return y.reshape(len(y), y.shape[1], heads, -1 if y.size else y.shape[2] // heads).swapaxes(1, 2)
    y = attention(head(q, 0), head(k, 1), head(v, 2), mask, 0).swapaxes(1, 2).reshape(q.shape)
    return y @ s[name + '.out_proj.weight'].T + s[name + '.out_proj.bias']

def t5_bias(table, t, s, both):
    def bucket(query, key):
        n, first = (abs(key - query), 16 if key > query else 0) if both else (max(query - key, 0), 0)
        half = 16 if both else 32
        exact = half // 2
        if n < exact: return first + n
        # Distances of 8 2^(k/2) lie on a boundary: an integer comparison, as floats round.
        far = max(e for e in range(half - exact) if n ** (half - exact) * exact ** e >= exact ** (half - exact) * 128 ** e)
        return first + exact + far
    return np.array([[[table[bucket(i, j), h] for j in range(s)] for i in range(t)] for h in range(table.shape[1])])

def nucleus(x, p):
    y = np.full(x.shape, -np.inf)
    for r in range(len(x)):
        total = 0
        for j in np.argsort(-x[r], kind='stable'):
            if total >= p: break
            y[r, j] = x[r, j]
            total += softmax(x[r], 0)[j]
    return y

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def lstm_step(x, h, c, w, u, a, b):
    i, f, g, o = np.split(x @ w.T + a + h @ u.T + b, 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c

def gru_step(x, h, c, w, u, a, b):
    ar, az, an = np.split(x @ w.T + a, 3, -1)
    br, bz, bn = np.split(h @ u.T + b, 3, -1)
    z = sigmoid(az + bz)
    return (1 - z) * np.tanh(an + sigmoid(ar + br) * bn) + z * h, c

def cell(s, name, step, x, h, c):
    w, u = s[name + '.weight_ih'], s[name + '.weight_hh']
    return step(x, h, c, w, u, s.get(name + '.bias_ih', 0), s.get(name + '.bias_hh', 0))

def recurrent(s, name, x, h0, c0, step, layers, both):
    hn, cn, ways = h0.copy(), c0.copy(), 2 if both else 1
    for l in range(layers):
        parts = []
        for d in range(ways):
            part = f"{name}.layer.{l}.{['forward', 'backward'][d]}."
            w, u = s[part + 'weight_ih'], s[part + 'weight_hh']
            a, b = s.get(part + 'bias_ih', 0), s.get(part + 'bias_hh', 0)
            k = ways * l + d
            y = np.zeros(x.shape[:2] + (u.shape[1],))
            for j in range(x.shape[1])[::-1 if d else 1]:
                hn[k], cn[k] = step(x[:, j], hn[k], cn[k], w, u, a, b)
                y[:, j] = hn[k]
            parts.append(y)
        x = np.concatenate(parts, -1)
    return x, hn, cn

def sinusoids(t, h):
    angle = np.arange(t)[:, None] / 10000 ** (np.arange(h) // 2 * 2 / h)
    return np.where(np.arange(h) % 2 == 0, np.sin(angle), np.cos(angle))

def rope(x, pos):
    # A pair of halves as one complex number, turned.
    h = x.shape[-1] // 2
    angle = (pos + np.arange(x.shape[-2]))[:, None] * 10000.0 ** (-np.arange(h) / h)
    z = (x[..., :h] + 1j * x[..., h:]) * np.exp(1j * angle)
    return np.concatenate([z.real, z.imag], -1)

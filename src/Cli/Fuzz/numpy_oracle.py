# What NumPy lacks of the operations; and serve(), the loop of NumPyProcess. In: a line of JSON for each call: Python
# code made of a graph (S has its sizes, A its answers, by name), inputs, state, sizes. Out: a line with what it gives.
# Floats are f64 arrays that hold numbers of the dtype, rounded after each operation; integers are arrays of the dtype.
import sys, json, math, base64
import numpy as np
np.seterr(all='ignore')

INTS = dict(i8='int8', i16='int16', i32='int32', i64='int64', u8='uint8', u16='uint16', u32='uint32', u64='uint64',
            bool='bool')
# significant bits, exponent of the smallest number, greatest number
FLOATS = dict(f16=(11, -24, 65504.0), bf16=(8, -133, math.ldexp(255, 120)), f32=(24, -149, float(np.finfo('f4').max)))

class Fail(Exception): pass

def rounded(x, t):
    x = np.asarray(x, dtype=np.float64)
    if t == 'f64': return x
    if t == 'f32': return x.astype(np.float32).astype(np.float64)
    bits, least, largest = FLOATS[t]
    quantum = np.maximum(np.frexp(x)[1] - bits, least)
    y = np.ldexp(np.rint(np.ldexp(x, -quantum)), quantum)
    y = np.where(np.abs(y) > largest, np.copysign(np.inf, x), y)
    return np.where(np.isfinite(x), y, x)
def as_dtype(x, t):
    return rounded(x, t) if t not in INTS else np.asarray(x).astype(INTS[t])
def is_int(x): return x.dtype.kind in 'iu'
def from_wide(x, t):
    bits = FLOATS[t][0] if t in FLOATS else 53
    def one(v):
        a = abs(v)
        drop = max(0, a.bit_length() - bits)
        kept, rest, half = a >> drop, a & ((1 << drop) - 1), (1 << drop) >> 1
        if drop and (rest > half or (rest == half and kept & 1)): kept += 1
        y = float(kept << drop)
        if t in FLOATS and y > FLOATS[t][2]: y = math.inf
        return -y if v < 0 else y
    return np.array([one(int(v)) for v in x.ravel()], dtype=np.float64).reshape(x.shape)
def to_int(x, t):
    info = np.iinfo(INTS[t])
    low, high = int(info.min), int(info.max)
    one = lambda v: 0 if v != v else high if v > high else low if v < low else int(v)
    return np.array([one(float(v)) for v in x.ravel()], dtype=object).astype(INTS[t]).reshape(x.shape)
def convert(x, t):
    if t == 'bool': return x != 0
    if t in INTS: return to_int(x, t) if x.dtype.kind == 'f' else x.astype(INTS[t])
    if x.dtype.kind == 'f' or x.dtype.kind == 'b' or x.dtype.itemsize < 8: return rounded(x.astype(np.float64), t)
    return from_wide(x, t)
def to_bits(x, t):
    if t == 'f16': return x.astype('float16').view('uint16')
    if t == 'bf16': return (x.astype('float32').view('uint32') >> 16).astype('uint16')
    if t == 'f32': return x.astype('float32').view('uint32')
    if t == 'f64': return x.view('uint64')
    return x
def from_bits(b, t):
    if t == 'f16': return b.view('float16').astype('float64')
    if t == 'bf16': return (b.astype('uint16').view('uint16').astype('uint32') << 16).view('float32').astype('float64')
    if t == 'f32': return b.view('float32').astype('float64')
    return b.view('float64') if t == 'f64' else b.view(INTS[t])
def bitcast(x, s, t):
    shape = x.shape
    return from_bits(np.ascontiguousarray(to_bits(np.atleast_1d(x), s)), t).reshape(shape)
def each(f):
    def apply(a, b):
        info = np.iinfo(a.dtype)
        wrap = lambda v: (v - int(info.min)) % (1 << info.bits) + int(info.min)
        flat = [wrap(f(info, int(v), int(w))) for v, w in zip(a.ravel(), b.ravel())]
        return np.array(flat, dtype=object).astype(a.dtype).reshape(a.shape)
    return apply
def cut(a, b): return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
idiv = each(lambda info, a, b: -1 if b == 0 else cut(a, b))
irem = each(lambda info, a, b: a if b == 0 else a - b * cut(a, b))
shl = each(lambda info, a, b: a << b if 0 <= b < info.bits else 0)
shr = each(lambda info, a, b: a >> (b if 0 <= b < info.bits else info.bits))
def power(info, a, b):
    return pow(a, b, 1 << 64) if b >= 0 else -1 if a == 0 else 0 if abs(a) != 1 else a if b % 2 else 1
ipow = each(power)
erf_all = np.vectorize(math.erf, otypes=[np.float64])
def erf(x): return erf_all(x) if x.size else x
def sign(x):
    y = (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)
    return np.where(np.isnan(x), x, y) if x.dtype.kind == 'f' else y
def larger(a, b): return np.where(a != a, a, np.where(a > b, a, b))
def smaller(a, b): return np.where(a != a, a, np.where(a < b, a, b))
def broadcast(x, shape, axes):
    inner = [1] * len(shape)
    for d, a in enumerate(axes): inner[a] = x.shape[d]
    return np.broadcast_to(x.reshape(inner), shape)
def part(x, starts, sizes, steps):
    return x[tuple(slice(s, s + (n - 1) * g + 1 if n else s, g) for s, n, g in zip(starts, sizes, steps))]
def pad(x, value, before, after, between):
    shape = [n + (n - 1) * g + max(b, 0) + max(a, 0) for n, b, a, g in zip(x.shape, before, after, between)]
    y = np.full(shape, value, dtype=x.dtype)
    y[tuple(slice(max(b, 0), max(b, 0) + (n - 1) * (g + 1) + 1 if n else max(b, 0), g + 1)
        for n, b, g in zip(x.shape, before, between))] = x
    return y[tuple(slice(max(-b, 0), n - max(-a, 0)) for n, b, a in zip(y.shape, before, after))]
def window(x, axis, count, extent, stride, dilation):
    at = np.arange(count)[:, None] * stride + np.arange(extent)[None, :] * dilation
    return np.take(x, at, axis=axis)
def fold(x, axis, size, stride, dilation):
    x = np.moveaxis(x, (axis, axis + 1), (0, 1))
    y = np.zeros((size,) + x.shape[2:], x.dtype)
    for r in range(x.shape[1]):
        for i in range(x.shape[0]):
            p = i * stride + r * dilation
            if p < size: y[p] = y[p] + x[i, r]
    return np.moveaxis(y, 0, axis)
def clamped(at, size):
    at = np.minimum(at, at.dtype.type(min(size - 1, np.iinfo(at.dtype).max))) if size else at
    return np.maximum(at.astype(np.int64), 0)
def gather(x, at, axis): return np.take(x, clamped(at, x.shape[axis]), axis=axis)
def scatter(kind, x, at, updates, axis):
    y = np.moveaxis(x.copy(), axis, 0)
    u = np.moveaxis(updates.reshape(x.shape[:axis] + (at.size,) + x.shape[axis + 1:]), axis, 0)
    for k, j in enumerate(int(v) for v in at.ravel()):
        if not 0 <= j < y.shape[0]: continue
        y[j] = u[k] if kind == 'set' else y[j] + u[k] if kind == 'add' else \
            y[j] * u[k] if kind == 'mul' else \
            larger(y[j], u[k]) if kind == 'max' else smaller(y[j], u[k])
    return np.moveaxis(y, 0, axis)
def placed(starts, offsets, sizes, shape, steps):
    at = list(starts)
    for axis, o in offsets: at[axis] += int(o)
    return [max(0, min(s, n - ((c - 1) * g + 1 if c else 0))) for s, c, n, g in zip(at, sizes, shape, steps)]
def dynamic(x, starts, offsets, sizes):
    return part(x, placed(starts, offsets, sizes, x.shape, [1] * x.ndim), sizes, [1] * x.ndim)
def replaced(x, u, starts, offsets, steps):
    y = x.copy()
    at = placed(starts, offsets, u.shape, x.shape, steps)
    y[tuple(slice(s, s + (n - 1) * g + 1 if n else s, g) for s, n, g in zip(at, u.shape, steps))] = u
    return y
def ordered(x, axis, descending, t):
    key = x.astype(np.int8) if x.dtype.kind == 'b' else x
    # A stable descending order is that of the reversed sign; ~x reverses integers; NaN stays last.
    if descending: key = -key if key.dtype.kind == 'f' else ~key
    at = np.argsort(key, axis=axis, kind='stable')
    return np.take_along_axis(x, at, axis=axis), at.astype(INTS[t])
def least(x): return -np.inf if x.dtype.kind == 'f' else False if x.dtype.kind == 'b' else np.iinfo(x.dtype).min
def most(x): return np.inf if x.dtype.kind == 'f' else True if x.dtype.kind == 'b' else np.iinfo(x.dtype).max
def reduce(kind, x, axes):
    axes = tuple(axes)
    if kind == 'add': return np.sum(x, axis=axes, dtype=x.dtype)
    if kind == 'mul': return np.prod(x, axis=axes, dtype=x.dtype)
    if kind == 'max': return np.max(x, axis=axes, initial=least(x))
    if kind == 'min': return np.min(x, axis=axes, initial=most(x))
    if kind == 'or': return np.bitwise_or.reduce(x, axis=axes)
    return np.bitwise_and.reduce(x, axis=axes)
def cumulate(kind, x, axis, backwards):
    f = {'add': np.add, 'mul': np.multiply, 'max': np.maximum, 'min': np.minimum, 'and': np.bitwise_and,
        'or': np.bitwise_or}[kind]
    if backwards: x = np.flip(x, axis)
    y = f.accumulate(x, axis=axis, dtype=x.dtype) if x.shape[axis] else x
    return np.flip(y, axis) if backwards else y
def place(greatest, x, axis):
    if x.shape[axis] == 0: raise Fail('an empty axis')
    return (np.argmax if greatest else np.argmin)(x, axis=axis)
def dot(a, b, t, left, right, out):
    kind = np.float64 if t not in INTS else INTS[t]
    return np.einsum(a.astype(kind), left, b.astype(kind), right, out)
def philox(key, shape):
    low, words = 0xFFFFFFFF, []
    key = int(key) & 0xFFFFFFFFFFFFFFFF
    count = int(np.prod(shape, dtype=np.int64))
    for counter in range((count + 3) // 4):
        a, b, c, d = counter & low, counter >> 32, 0, 0
        k, l = key & low, (key >> 32) & low
        for _ in range(10):
            p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
            a, b, c, d = (q >> 32) ^ b ^ k, q & low, (p >> 32) ^ d ^ l, p & low
            k, l = (k + 0x9E3779B9) & low, (l + 0xBB67AE85) & low
        words += [a, b, c, d]
    return np.array(words[:count], dtype='uint32').reshape(shape)
def iota(shape, axis):
    return np.broadcast_to(np.arange(shape[axis]).reshape([-1 if d == axis else 1 for d in range(len(shape))]), shape)
def loop(S, variable, count, body, carried, operands, outputs):
    if count < 0: raise Fail('a negative count')
    values, rows = list(operands[:carried]), [[] for _ in outputs]
    for i in range(count):
        T = dict(S)
        T[variable] = i
        r = body(T, *values, *operands[carried:])
        values = r[:carried]
        for row, v in zip(rows, r[carried:]): row.append(v)
    stacked = [np.stack(row) if row else np.zeros([0] + shape, np.float64 if t not in INTS else INTS[t])
        for row, (shape, t) in zip(rows, outputs)]
    return values + stacked
def repeat(S, condition, body, carried, operands):
    values = list(operands[:carried])
    while bool(condition(S, *values, *operands[carried:])[0]): values = body(S, *values, *operands[carried:])
    return values
def check(condition):
    if not condition: raise Fail('an assertion')
    return condition

def read(v):
    raw = np.frombuffer(base64.b64decode(v['data']), dtype=np.uint8)
    t = v['type']
    x = raw.view(dict(f16='uint16', bf16='uint16', f32='uint32', f64='uint64').get(t, INTS.get(t)))
    return (from_bits(x, t) if t not in INTS else x).reshape(v['shape'])
def write(x, t):
    x = np.asarray(x)
    raw = to_bits(np.atleast_1d(x), t) if t not in INTS else x.astype(INTS[t])
    return dict(type=t, shape=list(x.shape), data=base64.b64encode(np.ascontiguousarray(raw).tobytes()).decode())

def run(job):
    scope = dict(globals())
    exec(job['code'], scope)
    inputs, state = [read(v) for v in job['inputs']], {n: read(v) for n, v in job['state'].items()}
    return {n: write(x, t) for n, (x, t) in scope['main'](dict(job['sizes']), inputs, state).items()}
def serve():
    for line in sys.stdin:
        try:
            answer = dict(values=run(json.loads(line)))
        except Fail as e:
            answer = dict(failure=str(e))
        except Exception as e:
            answer = dict(error='%s: %s' % (type(e).__name__, e))
        sys.stdout.write(json.dumps(answer) + '\n')
        sys.stdout.flush()

// The Python side of the NumPy oracle: what NumPy lacks of the operations, and the loop over the cases.
namespace Accelerate.Tests.Graph;

internal static class NumPyScript
{
    public const string Text = """
        import math
        np.seterr(all='ignore')
        folder = sys.argv[1]
        raw = np.fromfile(folder + '/in.bin', dtype=np.int64)
        at = 0
        out = open(folder + '/out.bin', 'wb')
        names = dict(i8='int8', i16='int16', i32='int32', i64='int64', bool='bool',
            u8='uint8', u16='uint16', u32='uint32', u64='uint64')
        # significant bits, exponent of the smallest number, largest number
        floats = dict(f16=(11, -24, 65504.0), bf16=(8, -133, math.ldexp(255, 120)), f32=(24, -149, float(np.finfo('float32').max)))

        def rounded(x, name):
            x = np.asarray(x, dtype=np.float64)
            if name == 'f64': return x
            bits, least, largest = floats[name]
            quantum = np.maximum(np.frexp(x)[1] - bits, least)
            y = np.ldexp(np.rint(np.ldexp(x, -quantum)), quantum)
            y = np.where(np.abs(y) > largest, np.copysign(np.inf, x), y)
            return np.where(np.isfinite(x), y, x)
        def integers_to(x, name):
            bits = floats[name][0] if name in floats else 53
            def one(v):
                a = abs(v)
                drop = max(0, a.bit_length() - bits)
                kept, rest, half = a >> drop, a & ((1 << drop) - 1), (1 << drop) >> 1
                if drop and (rest > half or (rest == half and kept & 1)): kept += 1
                y = float(kept << drop)
                if name in floats and y > floats[name][2]: y = math.inf
                return -y if v < 0 else y
            return np.array([one(int(v)) for v in x.ravel()], dtype=np.float64).reshape(x.shape)
        def tobits(x, name):
            if name == 'f16': return x.astype('float16').view('uint16')
            if name == 'bf16': return (x.astype('float32').view('uint32') >> 16).astype('uint16')
            if name == 'f32': return x.astype('float32').view('uint32')
            return x.view('uint%d' % (8 * x.dtype.itemsize))
        def frombits(b, name):
            if name == 'f16': return b.view('float16').astype('float64')
            if name == 'bf16': return (b.astype('uint32') << 16).view('float32').astype('float64')
            if name == 'f32': return b.view('float32').astype('float64')
            return b.view('float64' if name == 'f64' else names[name])
        def elementwise(f):
            def apply(*arrays):
                info = np.iinfo(arrays[0].dtype)
                wrap = lambda v: (v - int(info.min)) % (1 << info.bits) + int(info.min)
                rows = zip(*[x.ravel() for x in arrays])
                flat = [wrap(f(info, *[int(v) for v in row])) for row in rows]
                return np.array(flat, dtype=object).astype(arrays[0].dtype).reshape(arrays[0].shape)
            return apply
        def cut(a, b): return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        idiv = elementwise(lambda info, a, b: -1 if b == 0 else cut(a, b))
        irem = elementwise(lambda info, a, b: a if b == 0 else a - b * cut(a, b))
        shl = elementwise(lambda info, a, b: a << b if 0 <= b < info.bits else 0)
        shr = elementwise(lambda info, a, b: a >> (b if 0 <= b < info.bits else info.bits))
        ipow = elementwise(lambda info, a, b: pow(a, b, 1 << 64) if b >= 0 else -1 if a == 0 else 0 if abs(a) != 1 else a if b % 2 else 1)
        erf = np.vectorize(math.erf, otypes=[np.float64])
        def toint(x, dtype):
            info = np.iinfo(dtype)
            low, high = int(info.min), int(info.max)
            one = lambda v: 0 if v != v else high if v > high else low if v < low else int(v)
            return np.array([one(float(v)) for v in x.ravel()], dtype=object).astype(dtype).reshape(x.shape)
        def windows(x, axis, count, extent, stride, dilation):
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
        def pad(x, value, before, after, between):
            shape = [b + a + n + (n - 1) * g for n, b, a, g in zip(x.shape, before, after, between)]
            y = np.full(shape, value, dtype=x.dtype)
            y[tuple(slice(b, b + (n - 1) * (g + 1) + 1, g + 1) for n, b, g in zip(x.shape, before, between))] = x
            return y
        def scatter(kind, x, indices, updates, axis):
            y = np.moveaxis(x.copy(), axis, 0)
            u = np.moveaxis(updates.reshape(x.shape[:axis] + (indices.size,) + x.shape[axis + 1:]), axis, 0)
            for k, j in enumerate(int(v) for v in indices.ravel()):
                if not 0 <= j < y.shape[0]: continue
                y[j] = {'set': lambda: u[k], 'add': lambda: y[j] + u[k],
                    'max': lambda: np.maximum(y[j], u[k]), 'min': lambda: np.minimum(y[j], u[k])}[kind]()
            return np.moveaxis(y, 0, axis)
        def replaced(x, part, starts, steps):
            y = x.copy()
            y[tuple(slice(s, s + n * g, g) for s, n, g in zip(starts, part.shape, steps))] = part
            return y
        def ordered(x, axis, descending, index):
            key = x if not descending else -x if x.dtype.kind == 'f' else ~x
            places = np.argsort(key, axis=axis, kind='stable')
            return np.take_along_axis(x, places, axis=axis), places.astype(names[index])
        def reduced(kind, x, axes):
            low, high = (-np.inf, np.inf) if x.dtype.kind == 'f' else (False, True) if x.dtype.kind == 'b' \
                else (np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
            if kind == 'add': return np.sum(x, axis=axes, dtype=x.dtype)
            if kind == 'mul': return np.prod(x, axis=axes, dtype=x.dtype)
            if kind == 'max': return np.max(x, axis=axes, initial=low)
            if kind == 'min': return np.min(x, axis=axes, initial=high)
            if kind == 'or': return np.bitwise_or.reduce(x, axis=axes)
            return ~np.bitwise_or.reduce(~x, axis=axes)
        def cumulated(kind, x, axis):
            f = dict(add=np.add, mul=np.multiply, max=np.maximum, min=np.minimum, **{'and': np.bitwise_and, 'or': np.bitwise_or})[kind]
            return f.accumulate(x, axis=axis, dtype=x.dtype)
        def philox(key, count):
            low, words = 0xFFFFFFFF, []
            for counter in range((count + 3) // 4):
                a, b, c, d = counter & low, counter >> 32, 0, 0
                k, l = key & low, (key >> 32) & low
                for _ in range(10):
                    p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
                    a, b, c, d = (q >> 32) ^ b ^ k, q & low, (p >> 32) ^ d ^ l, p & low
                    k, l = (k + 0x9E3779B9) & low, (l + 0xBB67AE85) & low
                words += [a, b, c, d]
            return np.array(words[:count], dtype='uint32')

        for line in open(folder + '/cases.txt'):
            expression, *inputs = line.rstrip('\n').split('\t')
            values = {}
            for text in inputs:
                name, dtype, *shape = text.split(' ')
                shape = [int(s) for s in shape]
                if dtype == 'size':
                    values[name] = shape[0]
                    continue
                count = int(np.prod(shape, dtype=np.int64))
                part = raw[at:at + count]
                at += count
                part = part.astype(names[dtype]) if dtype in names else part.view(np.float64)
                values[name] = part.reshape(shape)
            try:
                r = eval(expression, {**globals(), **values})
            except Exception as e:
                raise Exception('%s with %s: %s' % (expression, inputs, e))
            results = [np.asarray(x) for x in (r if isinstance(r, tuple) else (r,))]
            print('\t'.join(' '.join(str(w) for w in (x.dtype.kind, *x.shape)) for x in results))
            for x in results: out.write((x.astype(np.float64) if x.dtype.kind == 'f' else x.astype(np.int64)).tobytes())
        """;
}

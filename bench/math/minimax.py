"""In: a function, an interval, a weight, the powers of a polynomial. Out: minimax coefficients rounded one by one to
the target format, as decimal literals, and the largest weighted error of the rounded polynomial.

Remez exchange in 80-digit decimals. Coefficients are rounded from the lowest power up, the rest fitted again
after each, or all at once, whichever ends better. `python3 bench/math/minimax.py` prints every table
of src/Compiler/Kernels/VectorMath*.cs; `python3 bench/math/minimax.py exp` prints one.
"""
import math
import struct
import sys
from decimal import Decimal as D, getcontext

getcontext().prec = 80
LN2 = D(2).ln()


def pi_of(digits):
    def arctan(inverse):
        x, total, sign, n = D(1) / inverse, D(0), 1, 1
        square, power = x * x, x
        while power > D(10) ** -digits:
            total += sign * power / n
            power, sign, n = power * square, -sign, n + 2
        return total
    return 4 * (4 * arctan(5) - arctan(239))


PI = pi_of(85)


def to_f32(x):
    return D(struct.unpack('f', struct.pack('f', float(x)))[0])


def to_f64(x):
    return D(float(x))


def solve(a, y):
    n = len(y)
    rows = [list(r) + [v] for r, v in zip(a, y)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        inverse = 1 / rows[i][i]
        for k in range(i + 1, n):
            factor = rows[k][i] * inverse
            if factor:
                rows[k] = [u - factor * v for u, v in zip(rows[k], rows[i])]
    x = [D(0)] * n
    for i in reversed(range(n)):
        x[i] = (rows[i][n] - sum(rows[i][k] * x[k] for k in range(i + 1, n))) / rows[i][i]
    return x


def remez(points, values, weights, powers, rounds=12):
    """Coefficients that minimise max |weight * (value - polynomial)| over the points."""
    # Divided by the lowest power the basis has no zero but its own, which is what the exchange relies on.
    low = powers[0]
    values = [v / x ** low for v, x in zip(values, points)]
    weights = [w * abs(x ** low) for w, x in zip(weights, points)]
    powers = [p - low for p in powers]
    n, count = len(powers), len(points)
    basis = [[x ** p for p in powers] for x in points]
    reference = [round(i * (count - 1) / n) for i in range(n + 1)]
    for _ in range(rounds):
        matrix = [basis[i] + [(-1) ** k / weights[i]] for k, i in enumerate(reference)]
        solution = solve(matrix, [values[i] for i in reference])
        error = [w * (v - sum(c * t for c, t in zip(solution, b))) for w, v, b in zip(weights, values, basis)]
        extrema = []
        for i, e in enumerate(error):
            if extrema and (error[extrema[-1]] > 0) == (e > 0):
                if abs(e) > abs(error[extrema[-1]]):
                    extrema[-1] = i
            else:
                extrema.append(i)
        while len(extrema) > n + 1:
            extrema.pop(0 if abs(error[extrema[0]]) < abs(error[extrema[-1]]) else -1)
        if len(extrema) < n + 1 or extrema == reference:
            break
        reference = extrema
    return solution[:n], max(abs(e) for e in error)


def fit(name, f, weight, lo, hi, powers, rounding, fixed=(), count=301):
    """fixed: (power, value) pairs that are given."""
    cos = [D(repr(math.cos(math.pi * i / count))) for i in range(count + 1)]
    points = [(D(lo) + D(hi)) / 2 + (D(hi) - D(lo)) / 2 * c for c in cos]
    points = [x for x in points if abs(x) > D(10) ** -9]
    values = [f(x) for x in points]
    weights = [weight(x) for x in points]
    target = [v - sum(c * x ** p for p, c in fixed) for v, x in zip(values, points)]

    def worst(table):
        return max(abs(w * (v - sum(c * x ** p for p, c in table.items()))) for x, v, w in zip(points, values, weights))

    rest = list(powers)
    solution, ideal = remez(points, target, weights, rest)
    plain = dict(fixed) | {p: rounding(c) for p, c in zip(rest, solution)}
    known = dict(fixed)
    # Near zero nothing makes up for a rounded low coefficient: those points would pin the exchange.
    far = [i for i, x in enumerate(points) if abs(x) > D('.2') * max(abs(x) for x in points)]
    while rest:
        known[rest[0]] = rounding(solution[0])
        rest = rest[1:]
        if rest:
            target = [values[i] - sum(c * points[i] ** p for p, c in known.items()) for i in far]
            solution, _ = remez([points[i] for i in far], target, [weights[i] for i in far], rest)
    known = min(plain, known, key=worst)
    final = worst(known)
    print(f'{name}: [{float(lo):.6g}, {float(hi):.6g}] error {float(ideal):.3g}, rounded {float(final):.3g}')
    digits = 9 if rounding is to_f32 else 17
    print('   ', ', '.join(f'{float(known[p]):.{digits}g}' for p in sorted(known)))


def erf(x):
    """Series for small x, continued fraction of erfc for large x."""
    return 1 - erfc(x) if x > 3 else _erf_series(x)


def _erf_series(x):
    total, term, n = D(0), x, 0
    while abs(term) > D(10) ** -75:
        total += term / (2 * n + 1)
        n += 1
        term = -term * x * x / n
    return 2 * total / PI.sqrt()


def erfc(x):
    if x <= 3:
        return 1 - _erf_series(x)
    tail = D(0)
    for k in range(400, 0, -1):
        tail = D(k) / 2 / (x + tail)
    return (-x * x).exp() / PI.sqrt() / (x + tail)


def tanh(x):
    e = (2 * x).exp()
    return (e - 1) / (e + 1)


def log1p(x):
    return (1 + x).ln()


def sin(x):
    total, term, n = D(0), x, 1
    while abs(term) > D(10) ** -70:
        total, term, n = total + term, -term * x * x / ((n + 1) * (n + 2)), n + 2
    return total


def cos(x):
    return 1 - 2 * sin(x / 2) ** 2


def log_of_s(s):
    return ((1 + s) / (1 - s)).ln()


def arctan(x):
    # Halved three times, so that the series is short.
    for _ in range(3):
        x = x / (1 + (1 + x * x).sqrt())
    total, power, n = D(0), x, 1
    while abs(power) > D(10) ** -70:
        total += power / n if n % 4 == 1 else -power / n
        power, n = power * x * x, n + 2
    return 8 * total


def exp2(x):
    return (x * LN2).exp()


QUARTER = PI / 2 * D('.56')
THIRD = D(1) / 3
HALF = LN2 / 2 * D('1.0001')
EIGHTH = PI / 4 * D('1.0001')
TWELFTH = (D(2).sqrt() - 1) / (D(2).sqrt() + 1) * D('1.0001')


def ratio(f):
    """f(x)/x in s = x^2, with the weight of a relative error."""
    return lambda s: f(s.sqrt()) / s.sqrt(), lambda s: s.sqrt() / f(s.sqrt())


TABLES = {
    # e^r = 1 + r + r^2 q(r), relative error
    'exp': lambda: fit('exp', D.exp, lambda r: (-r).exp(), -HALF, HALF, range(2, 7), to_f32,
                       [(0, D(1)), (1, D(1))]),
    # e^r - 1 = r + r^2 q(r), relative error
    'expm1': lambda: fit('expm1', lambda r: r.exp() - 1, lambda r: 1 / abs(r), -HALF, HALF, range(2, 7), to_f32,
                         [(1, D(1))]),
    # log(1 + f) = f + f^2 q(f), relative error
    'log': lambda: fit('log', log1p, lambda f: 1 / abs(log1p(f)), -THIRD, THIRD, range(2, 11), to_f32, [(1, D(1))]),
    # 2^r = 1 + r q(r), relative error, for erf
    'exp2.5': lambda: fit('exp2.5', exp2, lambda r: exp2(-r), D('-.5001'), D('.5001'), range(1, 6), to_f32,
                          [(0, D(1))]),
    # e^r - 1 = r + r^2 q(r), relative error, for tanh
    'expm1.5': lambda: fit('expm1.5', lambda r: r.exp() - 1, lambda r: 1 / abs(r), -HALF, HALF, range(2, 8), to_f32,
                           [(1, D(1))]),
    # erf(x)/x - 1 = q(s), s = x^2, relative error of erf
    'erf': lambda: fit('erf', lambda s: ratio(erf)[0](s) - 1, ratio(erf)[1], D('1e-9'), D('.93') ** 2, range(0, 7),
                       to_f32),
    # log2(erfc(a)), error weighted with erfc(a): the error of erf
    'erfc': lambda: fit('erfc', lambda a: erfc(a).ln() / LN2, lambda a: erfc(a) * LN2, D('.92'), D(4), range(0, 6),
                        to_f32),
    # sin(r)/r = 1 + s q(s) and cos(r) = 1 - s/2 + s^2 q(s), s = r^2, relative error; |r| <= 0.56 pi/2
    'sin': lambda: fit('sin', *ratio(sin), D('1e-9'), QUARTER ** 2, range(1, 4), to_f32, [(0, D(1))]),
    'cos': lambda: fit('cos', lambda s: cos(s.sqrt()), lambda s: 1 / cos(s.sqrt()), D('1e-9'), QUARTER ** 2,
                       range(2, 5), to_f32, [(0, D(1)), (1, D('-.5'))]),
    # The same for f64. e^r = 1 + r + r^2 q(r), relative error
    'exp64': lambda: fit('exp64', D.exp, lambda r: (-r).exp(), -HALF, HALF, range(2, 12), to_f64,
                         [(0, D(1)), (1, D(1))]),
    # e^r - 1 = r + r^2 q(r), relative error
    'expm64': lambda: fit('expm64', lambda r: r.exp() - 1, lambda r: 1 / abs(r), -HALF, HALF, range(2, 13), to_f64,
                          [(1, D(1))]),
    # log(1 + f) = 2 s + s z q(z), s = f / (2 + f), z = s^2, relative error; |s| <= (sqrt(2) - 1) / (sqrt(2) + 1)
    'log64': lambda: fit('log64', *ratio(log_of_s), D('1e-9'), TWELFTH ** 2, range(1, 9), to_f64, [(0, D(2))]),
    # The terms of log beyond 2 s + 2/3 s^3, for pow: q(z) of s z^2 q(z), weighted as an error of the whole
    'pow64': lambda: fit('pow64', lambda z: (ratio(log_of_s)[0](z) - 2 - z * 2 / 3) / z ** 2, lambda z: z ** 2 / 2,
                         D('1e-6'), TWELFTH ** 2, range(0, 8), to_f64),
    # tanh(x)/x = 1 + s q(s)
    'tanh64': lambda: fit('tanh64', *ratio(tanh), D('1e-9'), D('.5626') ** 2, range(1, 12), to_f64, [(0, D(1))]),
    # 2^r, relative error, for tanh and erf
    'exp2.64': lambda: fit('exp2.64', exp2, lambda r: exp2(-r), D('-.5001'), D('.5001'), range(1, 13), to_f64,
                           [(0, D(1))]),
    # erf(x)/x - 1 = q(s)
    'erf64': lambda: fit('erf64', lambda s: ratio(erf)[0](s) - 1, ratio(erf)[1], D('1e-9'), D('.93') ** 2, range(0, 13),
                         to_f64),
    # log2(erfc(2.5 + t)), weighted with erfc
    'erfc64': lambda: fit('erfc64', lambda t: erfc(t + D('2.5')).ln() / LN2, lambda t: erfc(t + D('2.5')) * LN2,
                          D('.92') - D('2.5'), D('6') - D('2.5'), range(0, 22), to_f64),
    # sin(r)/r = 1 + s q(s) and cos(r) = 1 - s/2 + s^2 q(s) on |r| <= pi/4
    'sin64': lambda: fit('sin64', *ratio(sin), D('1e-9'), EIGHTH ** 2, range(1, 7), to_f64, [(0, D(1))]),
    'cos64': lambda: fit('cos64', lambda s: cos(s.sqrt()), lambda s: D(1), D('1e-9'), EIGHTH ** 2, range(2, 8), to_f64,
                         [(0, D(1)), (1, D('-.5'))]),
    # atan(u)/u = 1 + s q(s), u <= tan(pi/8)
    'atan64': lambda: fit('atan64', *ratio(arctan), D('1e-9'), (D(2).sqrt() - D('.9999')) ** 2, range(1, 14), to_f64,
                          [(0, D(1))]),
}


def two_over_pi():
    """For the reduction of sin and cos: (2^s 2/pi) mod 4, nearest zero, times 2^-s, as a sum of two f64."""
    for s in (0, 27, 54, 79):
        c = (2 / PI * D(2) ** s) % 4
        c = (c - 4 if c > 2 else c) / D(2) ** s
        print(f'two_over_pi {s}: {float(c)!r}, {float(c - to_f64(c))!r}')


TABLES['two_over_pi'] = two_over_pi


def two_over_pi_bits():
    """For the reduction of sin and cos of f64: 32 zeros and the bits of 2/pi, as 64-bit words."""
    getcontext().prec = 420
    scaled = int((2 / pi_of(400) * D(2) ** (19 * 64 - 32)).to_integral_value(rounding='ROUND_FLOOR'))
    print(', '.join(f'0x{scaled >> 64 * (18 - i) & 2 ** 64 - 1:016X}' for i in range(19)))


TABLES['two_over_pi_bits'] = two_over_pi_bits

if __name__ == '__main__':
    for key in sys.argv[1:] or TABLES:
        TABLES[key]()

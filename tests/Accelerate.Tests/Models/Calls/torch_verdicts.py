# Writes calls.txt: every function and layer of the library, called right and then with every size and every number one
# off (one more, one less, 0, -1; a fraction 0, -0.5, 1.5 too), and what torch says of that call: refused, or its value.
# /usr/bin/python3 torch_verdicts.py > calls.txt, where Debian's python3-torch (1.13) is installed; the tests read
# calls.txt and need no torch.
import math
import sys
import warnings

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.simplefilter('ignore')
torch.manual_seed(0)
TABLE = []


class Refused(Exception):
    pass


def need(condition):
    if not condition: raise Refused()


def call(name, acc, py, tensors='', numbers='', where='', constants='', values=True, symbolic=True, layer='',
         **reasons):
    """
    name: the function or layer. acc: the call, in its language; py: the same in torch.
    tensors: 'x f32 n=1 c=4 h=5 | w f32 o=6 p=2': axes of one name have one size, and are varied one by one first.
    numbers: 'k=3 rate=0.5'. constants: those that must be known when compiling. where: what a caller has to declare.
    layer: the hyper-parameters' call, `Conv2d(i, o, k)`, of a layer `l` that acc calls.
    values: whether torch's values are ours (no random numbers). symbolic: whether sizes may be left to the call.
    reasons: variation -> (our verdict, why) where we differ on purpose; a variation is 'x.h-1', 'k=0', 'any'.
    """
    ts = []
    for t in filter(None, (t.strip() for t in tensors.split('|'))):
        n, dtype, *axes = t.split()
        ts.append((n, dtype, [(a.split('=')[0], int(a.split('=')[1])) for a in axes]))
    ns = {k: (float(v) if '.' in v or 'e' in v else int(v)) for k, v in (n.split('=') for n in numbers.split())}
    TABLE.append(dict(name=name, acc=acc, py=py, tensors=ts, numbers=ns, where=where, constants=constants.split(),
                      values=values, symbolic=symbolic, layer=layer, reasons=reasons.get('but', {})))


# What the tests fill tensors with: multiples of 1/4 from -5/4 to 5/4, ids 0, 1, 2, and positive numbers below 1.
def fill(dtype, shape, salt):
    count = int(np.prod(shape, dtype=np.int64))
    i = np.arange(count, dtype=np.int64)
    if dtype == 'i32': return torch.from_numpy(((i + salt) % 3).reshape(shape))
    if dtype == 'bool': return torch.from_numpy(((i + salt) % 3 != 0).reshape(shape))
    if dtype == 'unit': return torch.from_numpy((((i * 7 + salt) % 11 + 1) / 16).reshape(shape)).float()
    return torch.from_numpy((((i * 7 + 3 * salt) % 11 - 5) / 4).reshape(shape)).float()


def digest(y):
    """Its shape, and a sum that each element enters with its place: 1 to 7 times, NaN as 777, infinities as 1e4."""
    y = y.detach()
    z = y.double().reshape(-1).numpy()
    z = np.clip(np.where(np.isnan(z), 777, z), -1e4, 1e4)
    return list(y.shape), float((z * (1 + np.arange(len(z)) % 7)).sum())


def verdict(c, sizes, numbers):
    given = {}
    try:
        for salt, ((n, dtype, _), shape) in enumerate(zip(c['tensors'], sizes)):
            if any(s < 0 for s in shape): return None
            given[n] = fill(dtype, shape, salt)
        if c['layer']: given['l'] = eval(c['layer_py'], {**globals(), **numbers})
        y = eval(c['py'], {**globals(), **given, **numbers})
        if not isinstance(y, torch.Tensor): y = torch.tensor(float(y))
        return digest(y)
    except (NameError, AttributeError, SyntaxError, KeyError):
        raise
    except Exception:
        return 'refused'


def variations(v):
    if isinstance(v, float): return list(dict.fromkeys(x for x in (v + 1, v - 1, 0.0, -0.5, 1.5) if x != v))
    return list(dict.fromkeys(x for x in (v + 1, v - 1, 0, -1) if x != v))


ACC = {'f32': 'f32', 'unit': 'f32', 'i32': 'i32', 'bool': 'bool'}


def number(v): return f'{v!r}' if isinstance(v, float) else str(v)


def line(c, what, params, numbers, where, args, found, expression):
    # `h=0` stands for every way to write it: `x.h=0`, `any h=0`.
    reasons = c['reasons'] if what != 'base' else {}
    ours, why = reasons.get(what) or reasons.get(what.split(' ')[-1].split('.')[-1]) or reasons.get('any') or (None, '')
    if ours != 'shape' and (ours == 'refused') == (found == 'refused'): ours, why = None, ''
    if ours == 'refused' or (ours is None and found == 'refused'):
        text = 'refused'
    elif ours == 'data':
        text = 'data'
    elif found == 'refused' or ours == 'shape':
        text = 'value'
    else:
        shape, total = found
        text = f"value {','.join(map(str, shape))}; " + (f'{total:.7g}' if c['values'] and ours is None else '_')
    if why: text += f'  # {why}'
    print('\t'.join([what, params, where, args, expression, text]))


def run():
    names = []
    for c in TABLE:
        names.append(c['name'])
        if c['layer']:
            c['layer'], c['layer_py'] = c['layer'].split(' ~ ')
        base = [[s for _, s in axes] for _, _, axes in c['tensors']]
        print(f"== {c['name']}\t{c['layer']}\t{c['acc']}")

        def fixed(what, sizes, numbers):
            found = verdict(c, sizes, numbers)
            if found is None: return
            params = ', '.join(f"{n}: {ACC[d]}[{', '.join(map(str, s))}]" if s else f'{n}: {ACC[d]}'
                               for (n, d, _), s in zip(c['tensors'], sizes))
            args = ' '.join(f"{n}:{d}[{','.join(map(str, s))}]" for (n, d, _), s in zip(c['tensors'], sizes))
            line(c, what, params, numbers, '', args, found, ' '.join(f'{k}={number(v)}' for k, v in numbers.items()))

        if verdict(c, base, c['numbers']) == 'refused':
            eval_base(c, base)
        fixed('base', base, c['numbers'])
        for t, (n, _, axes) in enumerate(c['tensors']):
            for a, (axis, size) in enumerate(axes):
                for s in dict.fromkeys((size + 1, size - 1, 0)):
                    if s == size: continue
                    sizes = [list(b) for b in base]
                    sizes[t][a] = s
                    fixed(f'{n}.{axis}={s}', sizes, c['numbers'])
        for k, v in c['numbers'].items():
            for x in variations(v): fixed(f'{k}={number(x)}', base, {**c['numbers'], k: x})
        if not c['symbolic'] or c['layer']: continue

        # Once for all calls: sizes and ints are what the call says.
        free = {k: v for k, v in c['numbers'].items() if isinstance(v, int) and k not in c['constants']}
        params = ', '.join([f"{n}: {ACC[d]}[{', '.join(a for a, _ in axes)}]" if axes else f'{n}: {ACC[d]}'
                            for n, d, axes in c['tensors']] + [f'{k}: int' for k in free])
        expression = ' '.join(f'{k}={k if k in free else number(v)}' for k, v in c['numbers'].items())
        variables = {a: s for _, _, axes in c['tensors'] for a, s in axes}

        def bound(what, variables, numbers):
            sizes = [[variables[a] for a, _ in axes] for _, _, axes in c['tensors']]
            found = verdict(c, sizes, numbers)
            if found is None: return
            args = ' '.join([f"{n}:{d}[{','.join(map(str, s))}]" for (n, d, _), s in zip(c['tensors'], sizes)]
                            + [f'{k}={numbers[k]}' for k in free])
            line(c, 'any ' + what, params, numbers, c['where'], args, found, expression)

        if not variables and not free: continue
        bound('base', variables, c['numbers'])
        for a, s in variables.items():
            for x in dict.fromkeys((s + 1, s - 1, 0)):
                if x != s: bound(f'{a}={x}', {**variables, a: x}, c['numbers'])
        for k, v in free.items():
            for x in variations(v): bound(f'{k}={x}', variables, {**c['numbers'], k: x})


def eval_base(c, base):
    given = {n: fill(d, s, i) for i, ((n, d, _), s) in enumerate(zip(c['tensors'], base))}
    if c['layer']: given['l'] = eval(c['layer_py'], {**globals(), **c['numbers']})
    eval(c['py'], {**globals(), **given, **c['numbers']})
    raise SystemExit(f"{c['name']}: torch refuses the base call")


exec(open(__file__.replace('torch_verdicts.py', 'calls.py')).read())
run()

# The calls that torch_verdicts.py varies: each function and layer of the library, and the same in torch.

def heads_of(x, h):
    return x.reshape(*x.shape[:2], h, x.shape[2] // h).transpose(1, 2) if x.shape[2] % h == 0 else need(False)

def stable(x): return torch.sort(x, dim=-1, descending=True, stable=True)

def grid(t, s): return torch.arange(t)[:, None], torch.arange(s)[None, :]

UNARY = 'x f32 n=2 m=3'
NONE = {'c=0': ('value', 'of no channels the result has none')}
EMPTY = {'oh=0': ('refused', 'an image of no places'), 'ow=0': ('refused', 'an image of no places')}

# ---- nn
call('flatten', 'flatten(x, start: {start})', 'x.flatten(start)', 'x f32 n=2 m=3 k=2', 'start=1', constants='start')
call('one_hot', 'one_hot(ids, {count})', 'F.one_hot(ids, count) if count > 0 else need(False)', 'ids i32 n=4',
     'count=3',
     but={'count=2': ('value', 'an id out of range has no 1: what tensors hold is not looked at')})
for part, of in [(0, 'values'), (1, 'indices')]:
    call('topk', f'topk(x, {{k}}, axis: {{axis}})[{part}]', f'x.topk(k, axis).{of}', 'x f32 n=2 m=4', 'k=2 axis=-1',
         constants='axis')

# ---- nn.arrays
call('difference', 'f32(difference([{n}, 2], [3, {m}]))', 'torch.tensor(float(max(abs(n - 3), abs(m - 2))))', '',
     'n=3 m=4', constants='n m')
for f in ['tril', 'triu']:
    call(f, f'{f}({{n}}, {{m}}, k: {{k}})', f'torch.ones(n, m).{f}(k).bool()', '', 'n=3 m=4 k=1',
         constants='k')
call('eye', 'eye({n}, {m}, k: {k})', 'torch.ones(n, m).tril(k).triu(k)', '', 'n=3 m=4 k=1', constants='k')
call('diag', 'diag(x, k: {k})', 'x.diag(k)', 'x f32 n=3', 'k=1', constants='k')
call('diagonal', 'diagonal(x, k: {k})', '(need(-x.shape[1] <= k <= x.shape[2]), x.diagonal(k, 1, 2))[1]',
     'x f32 b=2 n=3 m=4', 'k=1', constants='k')
call('stack', 'stack([x, y], axis: {axis})', 'torch.stack([x, y], axis)', 'x f32 n=2 m=3 | y f32 n=2 m=3', 'axis=1',
     constants='axis')
call('meshgrid', 'meshgrid([x, y])[1]', 'torch.meshgrid(x, y, indexing="ij")[1]', 'x f32 n=2 | y f32 m=3')
call('roll', 'roll(x, {by}, {axis})', 'x.roll(by, axis)', UNARY, 'by=1 axis=1', constants='by axis')
call('tile', 'tile(x, [{a}, {b}])', 'x.repeat(a, b)', UNARY, 'a=2 b=3')
call('repeat', 'repeat(x, {count}, axis: {axis})', 'x.repeat_interleave(count, axis)', UNARY, 'count=2 axis=1',
     constants='axis')
for f, mode, most in [('reflect', 'reflect', 'x.shape[1] - 1'), ('edge', 'replicate', '99 * x.shape[1]'),
                      ('circular', 'circular', 'x.shape[1]')]:
    call(f'pad_{f}', f'pad_{f}(x, 1, {{before}}, after: {{after}})',
         f'(need(before >= 0 and after >= 0 and max(before, after) <= {most}'
         f' and (x.shape[1] > 0 or "{f}" == "circular")),'
         f' F.pad(x[None], (before, after), mode="{mode}")[0] if x.numel() else'
         f' x.new_zeros(x.shape[0], x.shape[1] + before + after))[1]', 'x f32 n=2 m=4', 'before=2 after=1')
PLACES = {v: ('data', 'no such place') for v in ['x.n=2', 'x.n=0', 'x.m=2', 'x.m=0']}
AT = 'tuple(z[:, d] for d in range(z.shape[1]))'
call('flat_index', 'flat_index(z, [{n}, 4])',
     '(need(z.shape[1] in (1, 2) and (z[:, 0] < n).all()), z[:, 0] * (4 if z.shape[1] == 2 else 1)'
     ' + (z[:, 1] if z.shape[1] == 2 else 0))[1]', 'z i32 b=4 k=2', 'n=3', symbolic=False,
     but={v: ('data', 'no such place') for v in ['n=2', 'n=0', 'n=-1']})
call('gather_nd', 'gather_nd(x, z)', f'(need(1 <= z.shape[1] <= 3), x[{AT}])[1]', 'x f32 n=3 m=3 c=2 | z i32 b=4 k=2',
     symbolic=False, but={**PLACES, 'z.k=3': ('data', 'no such place')})
for f, add in [('scatter_nd', False), ('scatter_nd_add', True)]:
    call(f, f'{f}(x, z, y)',
         f'(need(1 <= z.shape[1] <= 3 and y.shape == x[{AT}].shape), x.index_put({AT}, y, {add}))[1]',
         'x f32 n=3 m=3 c=2 | z i32 b=3 k=2 | y f32 b=3 c=2', symbolic=False, but=PLACES)

# ---- nn.activations
call('wide', 'wide(x)', 'x', UNARY)
call('cast_as', 'cast_as(x, y)', 'x', 'x i32 n=2 | y f32 m=3')
for f, t in [('relu', 'F.relu(x)'), ('relu6', 'F.relu6(x)'), ('hardsigmoid', 'F.hardsigmoid(x)'),
             ('hardswish', 'F.hardswish(x)'),
             ('softsign', 'F.softsign(x)'), ('selu', 'F.selu(x)'), ('sigmoid', 'x.sigmoid()'),
             ('log_sigmoid', 'F.logsigmoid(x)'),
             ('silu', 'F.silu(x)'), ('mish', 'F.mish(x)'), ('tanhshrink', 'F.tanhshrink(x)'), ('gelu', 'F.gelu(x)'),
             ('gelu_tanh', 'F.gelu(x, approximate="tanh")'), ('quick_gelu', 'x * (1.702 * x).sigmoid()')]:
    call(f, f'{f}(x)', t, UNARY)
call('leaky_relu', 'leaky_relu(x, slope: {slope})', 'F.leaky_relu(x, slope)', UNARY, 'slope=0.1')
call('clamp', 'clamp(x, {low}, {high})', 'x.clamp(low, high)', UNARY, 'low=-0.5 high=0.75')
call('hardtanh', 'hardtanh(x, low: {low}, high: {high})', 'F.hardtanh(x, low, high)', UNARY, 'low=-0.5 high=0.75')
call('hardshrink', 'hardshrink(x, by: {by})', 'F.hardshrink(x, by)', UNARY, 'by=0.6')
call('softshrink', 'softshrink(x, by: {by})', 'F.softshrink(x, by)', UNARY, 'by=0.6')
call('elu', 'elu(x, alpha: {alpha})', 'F.elu(x, alpha)', UNARY, 'alpha=0.9')
call('celu', 'celu(x, alpha: {alpha})', 'F.celu(x, alpha)', UNARY, 'alpha=0.9')
call('softplus', 'softplus(x, beta: {beta})', 'F.softplus(x, beta)', UNARY, 'beta=0.9')
call('PReLU', 'l(x)', 'l(x)', 'x f32 n=2 c=3 h=2', 'c=3', layer='PReLU({c}) ~ nn.PReLU(c) if c >= 1 else need(False)',
     values=False)
call('glu', 'glu(x, axis: {axis})', 'F.glu(x, axis)', 'x f32 n=2 m=6', 'axis=1', constants='axis', where='m % 2 == 0')
call('swiglu', 'swiglu(x, y)', '(need(x.shape == y.shape), F.silu(x) * y)[1]', 'x f32 n=2 | y f32 n=2')
call('geglu', 'geglu(x, y)', '(need(x.shape == y.shape), F.gelu(x) * y)[1]', 'x f32 n=2 | y f32 n=2')
for f, t in [('softmax', 'x.softmax(axis)'), ('softmin', 'F.softmin(x, axis)'), ('log_softmax', 'x.log_softmax(axis)'),
             ('logsumexp', 'x.logsumexp(axis)')]:
    call(f, f'{f}(x, axis: {{axis}})', t, UNARY, 'axis=1', constants='axis')

# ---- nn.attention
call('split_heads', 'split_heads(x, {heads})', 'heads_of(x, heads) if heads > 0 else need(False)', 'x f32 b=1 t=2 c=4',
     'heads=2')
call('merge_heads', 'merge_heads(x)', 'x.transpose(1, 2).reshape(x.shape[0], x.shape[2], x.shape[1] * x.shape[3])',
     'x f32 b=1 n=2 t=3 d=2')
call('attention', 'attention(q, k, v, scale: {scale})',
     '(need(k.shape[1] >= 1 and q.shape[1] % k.shape[1] == 0 and k.shape[1] == v.shape[1]),'
     ' ((scale * q @ (k.repeat_interleave(q.shape[1] // k.shape[1], 1)).transpose(2, 3)).softmax(-1)'
     ' @ v.repeat_interleave(q.shape[1] // k.shape[1], 1))'
     ' if q.shape[0] == k.shape[0] == v.shape[0] else need(False))[1]',
     'q f32 b=1 n=4 t=2 d=2 | k f32 b=1 g=2 s=3 d=2 | v f32 b=1 g=2 s=3 e=2', 'scale=0.7',
     but={'s=0': ('refused', 'attention to nothing'), 'q.n=0': ('refused', 'no heads'),
          'any n=0': ('refused', 'no heads')})
call('causal', 'causal({t}, {s})', '(need(t >= 0 and s >= 0), torch.ones(t, s).tril(s - t).bool())[1]', '', 't=3 s=4')
call('causal_window', 'causal_window({t}, {w})', '(need(w >= 0), torch.ones(t, t).tril().triu(1 - w).bool())[1]', '',
     't=4 w=2')
call('MultiheadAttention', 'l(x)', 'l(x, x, x)[0]', 'x f32 b=1 t=3 h=4', 'h=4 heads=2', values=False,
     but={'t=0': ('refused', 'attention to nothing')},
     layer='MultiheadAttention({h}, {heads}) ~ nn.MultiheadAttention(h, heads, batch_first=True)'
           ' if h > 0 and heads > 0 else need(False)')
call('rotate_half', 'rotate_half(x)',
     '(need(x.shape[1] % 2 == 0), torch.cat([-x[:, x.shape[1] // 2:], x[:, :x.shape[1] // 2]], -1))[1]',
     'x f32 n=2 d=4', where='d % 2 == 0')
def rope(x, base):
    d = x.shape[-1]
    need(d >= 2 and d % 2 == 0 and base > 0)
    a = torch.arange(x.shape[2])[:, None] * base ** (-2 * torch.arange(d // 2) / d).double()
    a = torch.cat([a, a], -1)
    return x * a.cos() + torch.cat([-x[..., d // 2:], x[..., :d // 2]], -1) * a.sin()
call('rope', 'rope(x, base: {base})', 'rope(x, base)', 'x f32 b=1 n=2 t=3 d=4', 'base=100.0')
def sinusoids(t, h):
    need(t >= 0 and h >= 0)
    y = torch.zeros(t, h)
    a = torch.arange(t)[:, None] * torch.exp(torch.arange(0, h, 2) * (-math.log(10000.0) / max(h, 1)))
    y[:, 0::2] = a.sin()
    y[:, 1::2] = a.cos()
    return y
call('sinusoids', 'sinusoids({t}, {h})', 'sinusoids(t, h)', '', 't=3 h=4', but={'h=0': ('refused', 'no sines')})
def bucket(n, buckets, reach):
    exact = buckets // 2
    need(exact >= 1 and reach > exact)
    far = exact + (torch.log(n.double().clamp(min=1) / exact) / math.log(reach / exact) * (buckets - exact)
                   + 1e-9).long()
    return torch.where(n < exact, n, far.clamp(max=buckets - 1))
call('distance_bucket', 'distance_bucket(5 * x, {buckets}, reach: {reach})', 'bucket(5 * x, buckets, reach)',
     'x i32 n=4',
     'buckets=8 reach=9', constants='buckets reach')
call('RelativeBias', 'l(n)', 'l(n)', 'n i32', 'heads=2 buckets=8 reach=16', values=False,
     layer='RelativeBias({heads}, buckets: {buckets}, reach: {reach}) ~ need(False)') if False else None

# ---- nn.conv
for r, axes, more in [(1, 'h=5', 'kh=3'), (2, 'h=5 v=4', 'kh=3 kw=2'), (3, 'h=4 v=4 d=3', 'kh=2 kw=3 kd=2')]:
    call(f'conv{r}d',
         f'conv{r}d(x, w, stride: {{stride}}, padding: {{padding}}, dilation: {{dilation}}, groups: {{groups}})',
         f'F.conv{r}d(x, w, None, stride, padding, dilation, groups)',
         f'x f32 n=1 c=4 {axes} | w f32 o=4 p=2 {more}', 'stride=2 padding=1 dilation=1 groups=2',
         where='c == p * groups')
    call(f'Conv{r}d', 'l(x)', 'l(x)', f'x f32 n=1 c=4 {axes.replace("3", "4")}',
         'i=4 o=6 k=3 stride=2 padding=1 dilation=1 groups=2', values=False,
         layer=f'Conv{r}d({{i}}, {{o}}, {{k}}, stride: {{stride}}, padding: {{padding}}, dilation: {{dilation}},'
               f' groups: {{groups}})'
               f' ~ (need(k > 0 and o > 0 and i > 0 and groups > 0), nn.Conv{r}d(i, o, k,'
               ' stride, padding, dilation, groups))[1]')
call('conv2d', 'conv2d(x, w, stride: [2, {stride_w}], padding: [0, {padding_w}], dilation: [1, {dilation_w}])',
     'F.conv2d(x, w, None, (2, stride_w), (0, padding_w), (1, dilation_w))',
     'x f32 n=1 c=2 h=5 v=6 | w f32 o=3 c=2 kh=2 kw=3',
     'stride_w=2 padding_w=1 dilation_w=2', but={'any c=0': ('shape', 'torch 1.13 loses the other axis too')})
call('add_bias', 'add_bias(y, b)', '(need(len(b) == y.shape[1]), y + b.reshape(-1, 1))[1]',
     'y f32 n=2 c=3 h=2 | b f32 c=3')
for r, axes, more in [(1, 'h=4', 'kh=3'), (2, 'h=3 v=4', 'kh=3 kw=2'), (3, 'h=3 v=4 u=2', 'kh=3 kw=2 ku=2')]:
    call(f'conv_transpose{r}d',
         f'conv_transpose{r}d(x, w, stride: {{stride}}, padding: {{padding}}, more: {{more}},'
         f' dilation: {{dilation}}, groups: {{groups}})',
         f'F.conv_transpose{r}d(x, w, None, stride, padding, more, groups, dilation)',
         f'x f32 n=1 c=4 {axes} | w f32 c=4 p=2 {more}', 'stride=2 padding=1 more=1 dilation=1 groups=2',
         constants='stride' if r < 3 else 'stride padding more dilation groups')
    call(f'ConvTranspose{r}d', 'l(x)', 'l(x)', f'x f32 n=1 c=4 {axes}',
         'i=4 o=6 k=3 stride=2 padding=1 more=1 dilation=1 groups=2', values=False,
         layer=f'ConvTranspose{r}d({{i}}, {{o}}, {{k}}, stride: {{stride}}, padding: {{padding}}, more: {{more}},'
               f' dilation: {{dilation}}, groups: {{groups}})'
               f' ~ (need(k > 0 and o > 0 and i > 0 and groups > 0), nn.ConvTranspose{r}d(i, o, k,'
               ' stride, padding, more, groups, True, dilation))[1]')

call('transposed_sizes', 'f32(transposed_sizes([{h}], {k}, {stride}, {padding}, {more}, {dilation})[0])',
     'torch.tensor(float((h - 1) * stride - 2 * padding + dilation * (k - 1) + more + 1))', '',
     'h=4 k=3 stride=2 padding=1 more=1 dilation=1', constants='h k stride padding more dilation')
call('more_left', 'f32(more_left({more}, {stride}, {dilation}, 1)[0])',
     'torch.tensor(float(max(stride, dilation) - more))', '', 'more=1 stride=3 dilation=2',
     constants='more stride dilation')

# ---- nn.fourier
for part, of in [(0, 'cos'), (1, 'sin')]:
    call('turns', f'turns({{rows}}, {{columns}}, {{n}})[{part}]',
         f'torch.{of}(2 * math.pi * torch.outer(torch.arange(rows), torch.arange(columns)).double() / n)'
         ' if n >= 1 else need(False)', '', 'rows=2 columns=3 n=5')
PARTS = 'x f32 b=2 n=6 | y f32 b=2 n=6'
COMPLEX = '(need(x.shape == y.shape and x.shape[1] > 0), torch.fft.{}(torch.complex(x, y)).{})[1]'
NO_ROWS = {'any b=0': ('value', 'of no rows there are no transforms')}
for part, of in [(0, 'real'), (1, 'imag')]:
    call('dft', f'dft(x, y)[{part}]', COMPLEX.format('fft', of), PARTS, but=NO_ROWS)
    call('fft', f'fft(x, y)[{part}]', COMPLEX.format('fft', of), PARTS, symbolic=False)
    call('ifft', f'ifft(x, y)[{part}]', COMPLEX.format('ifft', of), PARTS, symbolic=False)
    call('rfft', f'rfft(x)[{part}]', f'torch.fft.rfft(x).{of}', 'x f32 b=2 n=6', symbolic=False)
    call('stft', f'stft(x, w, {{hop}})[{part}]',
         f'(need(len(w) > 0), torch.stft(x, len(w), hop, window=w, return_complex=True).{of})[1]',
         'x f32 b=2 t=9 | w unit n=4', 'hop=2', symbolic=False, but={'x.b=0': ('value', 'of no rows there are none')})
call('radices', 'f32(max(radices({n})))', 'torch.tensor(float(max(d for d in range(1, 65) if n % d == 0)))', '', 'n=12',
     constants='n')
call('irfft', 'irfft(x, y, {n})',
     '(need(n >= 1 and x.shape == y.shape and x.shape[1] == n // 2 + 1), torch.fft.irfft(torch.complex(x, y), n))[1]',
     'x f32 b=2 h=4 | y f32 b=2 h=4', 'n=6', symbolic=False)
call('istft', 'istft(x, y, w, {hop}, length: {t})',
     '(need(len(w) > 0 and x.shape == y.shape and t > 0 and x.shape[2] > 0'
     ' and t <= len(w) + hop * (x.shape[2] - 1) - len(w) // 2),'
     ' torch.istft(torch.complex(x, y), len(w), hop, window=w, onesided=True, length=t))[1]',
     'x f32 b=2 h=3 p=4 | y f32 b=2 h=3 p=4 | w unit n=4', 'hop=2 t=6', symbolic=False)
call('istft', 'istft(x, y, w, {hop}, centered: false)',
     '(need(len(w) > 0 and x.shape == y.shape and x.shape[2] > 0),'
     ' torch.istft(torch.complex(x, y), len(w), hop, window=w, center=False, onesided=True))[1]',
     'x f32 b=2 h=3 p=3 | y f32 b=2 h=3 p=3 | w unit n=5', 'hop=2', symbolic=False)
call('hann', 'hann({n})', 'torch.hann_window(n) if n >= 1 else need(False)', '', 'n=5')

# ---- nn.images
call('grid_place', 'grid_place(x, {h}, false)', '((x + 1) * h - 1) / 2', UNARY, 'h=4', constants='h')
def mirrored(p, h):
    d = (p + 0.5).abs() % (2 * h)
    return (torch.minimum(d, 2 * h - d) - 0.5).clamp(0, h - 1)
call('mirrored_place', 'mirrored_place(4 * x, {h}, false)', 'mirrored(4 * x, h) if h >= 1 else need(False)', UNARY,
     'h=4')
def at(x, u, v):
    need(x.shape[0] == u.shape[0] == v.shape[0] and u.shape == v.shape and x.shape[2] >= 1 and x.shape[3] >= 1)
    n, c, h, w = x.shape
    inside = (u >= 0) & (u < w) & (v >= 0) & (v < h)
    places = u.shape[1] * u.shape[2]
    flat = (v.clamp(0, h - 1) * w + u.clamp(0, w - 1)).long().reshape(n, 1, places).expand(n, c, places)
    return x.reshape(n, c, h * w).gather(2, flat).reshape(n, c, *u.shape[1:]) * inside[:, None]
call('place_at', 'place_at(x, [floor(v), floor(u)])', 'at(x, u.floor(), v.floor())',
     'x f32 n=2 c=2 h=1 w=2 | u f32 n=2 p=2 q=3 | v f32 n=2 p=2 q=3')
call('grid_sample', 'grid_sample(x, g)', 'F.grid_sample(x, g, align_corners=False)',
     'x f32 n=1 c=2 h=3 w=4 | g f32 n=1 p=2 q=3 k=2', where='k == 2', but=NONE)
for beyond in ['zeros', 'border', 'reflection']:
    call('grid_sample', f'grid_sample(x, g, mode: "bicubic", beyond: "{beyond}", corners: true)',
         f'F.grid_sample(x, g, "bicubic", "{beyond}", align_corners=True)',
         'x f32 n=1 c=2 h=3 w=4 | g f32 n=1 p=2 q=3 k=2', where='k == 2', but=NONE)
call('grid_sample', 'grid_sample(x, g, beyond: "border")',
     'F.grid_sample(x, g, padding_mode="border", align_corners=False)',
     'x f32 n=1 c=2 d=2 h=3 w=2 | g f32 n=1 o=1 p=2 q=3 k=3', where='k == 3', but=NONE)
call('grid_within', 'grid_within(4 * x, {h}, "border", false)', '(4 * x).clamp(0, h - 1) if h >= 1 else need(False)',
     UNARY, 'h=4')
def linear(f, y, x):
    h, w = f.shape
    if y < -1 or y > h or x < -1 or x > w: return 0.0
    y, x = min(max(y, 0.0), h - 1.0), min(max(x, 0.0), w - 1.0)
    i, j = int(y), int(x)
    k, l = min(i + 1, h - 1), min(j + 1, w - 1)
    return ((1 - y + i) * ((1 - x + j) * f[i, j] + (x - j) * f[i, l])
            + (y - i) * ((1 - x + j) * f[k, j] + (x - j) * f[k, l])).item()
def roi(x, boxes, of, oh, ow, scale, samples):
    need(boxes.shape[1] == 4 and len(boxes) == len(of) and min(oh, ow, samples, *x.shape[2:]) >= 1)
    y = torch.zeros(len(boxes), x.shape[1], oh, ow)
    for k, c, i, j in np.ndindex(*y.shape):
        u, v, right, bottom = (boxes[k].double() * scale - 0.5).tolist()
        y[k, c, i, j] = np.mean([linear(x[of[k], c].double(), v + (i + (a + 0.5) / samples) * (bottom - v) / oh,
                                        u + (j + (b + 0.5) / samples) * (right - u) / ow)
                                 for a in range(samples) for b in range(samples)])
    return y
call('roi_align', 'roi_align(x, b, z, {oh}, {ow}, scale: {scale}, samples: {samples})',
     'roi(x, b, z, oh, ow, scale, samples)', 'x f32 n=3 c=2 h=4 w=5 | b f32 k=2 f=4 | z i32 k=2',
     'oh=2 ow=3 scale=1.5 samples=2', where='f == 4',
     but={'n=2': ('data', 'no such image'), 'n=0': ('data', 'no such image')})

# ---- nn.init
call('orthogonal', 'orthogonal(1, [{n}, {m}])', 'torch.nn.init.orthogonal_(torch.zeros(n, m))', '', 'n=3 m=2',
     values=False)
FANS = 'torch.nn.init._calculate_fan_in_and_fan_out(torch.zeros(shape_(n, r)))'
def shape_(n, r): return [n] + [2] * r
call('fan_in', 'f32(fan_in([{n}, ..[2 for i in 0:{r}]]))', f'{FANS}[0]', '', 'n=3 r=2', constants='n r',
     but={'n=-1': ('value', 'a shape of less than nothing is refused where it is made'),
          'n=0': ('value', 'torch: no fan of nothing')})
call('fan_out', 'f32(fan_out([{n}, ..[2 for i in 0:{r}]]))', f'{FANS}[1]', '', 'n=3 r=2', constants='n r',
     but={'n=-1': ('value', 'as above'), 'n=0': ('value', 'as above')})
for f, t in [('kaiming', 'kaiming_uniform_(torch.zeros(n, m), math.sqrt(5))'),
             ('kaiming_uniform', 'kaiming_uniform_(torch.zeros(n, m))'),
             ('kaiming_normal', 'kaiming_normal_(torch.zeros(n, m))'), ('xavier', 'xavier_uniform_(torch.zeros(n, m))'),
             ('xavier_normal', 'xavier_normal_(torch.zeros(n, m))')]:
    call(f, f'{f}(1, [{{n}}, {{m}}])', f'torch.nn.init.{t}', '', 'n=3 m=2', values=False)
call('erfinv', 'erfinv(x)', 'x.erfinv()', 'x unit n=2 m=3')
call('trunc_normal', 'trunc_normal(1, [{n}], deviation: {deviation}, cut: {cut})',
     '(need(cut > 0 and deviation >= 0), torch.zeros(n))[1]', '', 'n=3 deviation=0.5 cut=2.0', values=False)

# ---- nn.linear
call('Linear', 'l(x)', 'l(x)', 'x f32 n=2 i=3', 'i=3 o=2', values=False, layer='Linear({i}, {o}) ~ nn.Linear(i, o)')
call('Conv1D', 'l(x)', 'l(x)', 'x f32 n=2 i=3', 'i=3 o=2', values=False, layer='Conv1D({i}, {o}) ~ nn.Linear(i, o)')
call('Bilinear', 'l(x, y)', 'l(x, y)', 'x f32 n=2 i=3 | y f32 n=2 j=2', 'i=3 j=2 o=2', values=False,
     layer='Bilinear({i}, {j}, {o}) ~ nn.Bilinear(i, j, o)')
call('Embedding', 'l(x)', 'l(x)', 'x i32 n=4', 'count=3 h=2', values=False,
     layer='Embedding({count}, {h}) ~ nn.Embedding(count, h)',
     but={f'count={n}': ('data', 'no row for an id') for n in [1, 2]})
call('Residual', 'l(x)', 'x', 'x f32 n=4', values=False, layer='Residual(relu) ~ None')

# ---- nn.losses
PAIR = 'x f32 n=2 m=3 | y f32 n=2 m=3'
ROWS = 'x f32 n=2 c=3 | y i32 n=2'
SAME = '(need(x.shape == y.shape), {})[1]'
GATHER = {'c=2': ('data', 'no class 2'),
          **{f'smoothing={v}': ('refused', 'torch takes it for 0') for v in [-0.5, -0.8]}}
call('cross_entropy', 'cross_entropy(x, y, smoothing: {smoothing})',
     'F.cross_entropy(x, y, reduction="none", label_smoothing=smoothing)',
     ROWS, 'smoothing=0.2', but=GATHER)
call('cross_entropy_masked', 'cross_entropy_masked(x, y, ignored: {ignored})',
     'F.cross_entropy(x, y, reduction="none", ignore_index=ignored)',
     ROWS, 'ignored=2', constants='ignored',
     but={**GATHER, 'x.c=2': ('value', 'class 2 is ignored'), 'any c=2': ('value', 'class 2 is ignored')})
call('nll', 'nll(x, y)', 'F.nll_loss(x, y, reduction="none")', ROWS, but=GATHER)
WEIGHTS = {**GATHER, 'w.c=2': ('refused', 'no weight for a class'), 'x.c=2': ('refused', 'no weight for a class'),
           'any c=2': ('value', 'class 2 is ignored')}
call('cross_entropy_weighted', 'cross_entropy_weighted(x, y, w, smoothing: {smoothing}, ignored: {ignored})',
     'F.cross_entropy(x, y, w, reduction="none", label_smoothing=smoothing, ignore_index=ignored)',
     ROWS + ' | w unit c=3', 'smoothing=0.2 ignored=2', constants='ignored', but=WEIGHTS)
call('nll_weighted', 'nll_weighted(x, y, w, ignored: {ignored})',
     'F.nll_loss(x, y, w, reduction="none", ignore_index=ignored)', ROWS + ' | w unit c=3', 'ignored=2',
     constants='ignored', but=WEIGHTS)
for f, t, ns in [('mse', 'F.mse_loss(x, y, reduction="none")', ''), ('l1', 'F.l1_loss(x, y, reduction="none")', ''),
                 ('smooth_l1', 'F.smooth_l1_loss(x, y, reduction="none", beta=beta)', 'beta=0.9'),
                 ('huber', 'F.huber_loss(x, y, reduction="none", delta=delta)', 'delta=0.9'),
                 ('bce_with_logits', 'F.binary_cross_entropy_with_logits(x, y, reduction="none",'
                  ' pos_weight=torch.tensor(positive))', 'positive=1.5'),
                 ('kl_div', 'F.kl_div(x, y, reduction="none")', ''),
                 ('cosine_similarity', 'F.cosine_similarity(x, y, -1, eps)', 'eps=0.1'),
                 ('hinge', '(margin - x * y).clamp(min=0)', 'margin=0.9')]:
    call(f, f'{f}(x, y' + ''.join(f', {n.split("=")[0]}: {{{n.split("=")[0]}}}' for n in ns.split()) + ')',
         SAME.format(t), PAIR, ns)
call('bce', 'bce(x, y)', SAME.format('F.binary_cross_entropy(x, y, reduction="none")'),
     'x unit n=2 m=3 | y unit n=2 m=3')
call('cosine_embedding', 'cosine_embedding(x, y, f32(1 - z), margin: {margin})',
     '(need(x.shape == y.shape and len(z) == len(x)), {})[1]'.format(
         'F.cosine_embedding_loss(x, y, torch.where(1 - z > 0, 1, -1), margin, reduction="none")'),
     PAIR + ' | z i32 n=2', 'margin=0.5')
call('triplet', 'triplet(x, y, z, margin: {margin})',
     '(need(x.shape == y.shape == z.shape), ((x - y).norm(dim=-1) - (x - z).norm(dim=-1) + margin).clamp(min=0))[1]',
     PAIR + ' | z f32 n=2 m=3', 'margin=1.1')

# ---- nn.math
for f, t in [('tan', 'x.tan()'), ('asin', 'x.asin()'), ('acos', 'x.acos()'), ('atan', 'x.atan()'), ('sinh', 'x.sinh()'),
             ('cosh', 'x.cosh()'), ('asinh', 'x.asinh()'), ('acosh', 'x.acosh()'), ('atanh', 'x.atanh()'),
             ('log2', 'x.log2()'), ('log10', 'x.log10()'), ('exp2', 'x.exp2()'), ('erfc', 'x.erfc()'),
             ('isnan', 'x.isnan()'), ('isinf', 'x.isinf()'), ('isfinite', 'x.isfinite()')]:
    call(f, f'{f}(x)', t, UNARY)
call('odd', 'odd(x, y)', '(need(x.shape == y.shape), torch.where(y == 0, y, torch.where(y < 0, -x, x)))[1]',
     'x f32 n=2 m=3 | y f32 n=2 m=3')
call('mantissa_exponent', 'mantissa_exponent(f64(x))[1]',
     'torch.frexp(x).exponent - torch.where(torch.frexp(x).mantissa < 0.5 ** 0.5, 1, 0)', 'x unit n=2 m=3')
call('is_float', 'f32(if is_float(bf16) and not is_float(i32) { 1 } else { 0 })', 'torch.tensor(1.0)')
for f, t in [('var', ''), ('std', '.sqrt()')]:
    call(f, f'{f}(x, axis: {{axis}}, correction: {{correction}})',
         '((x - x.mean(axis, keepdim=True)).pow(2).sum(axis) / max(x.shape[axis] - correction, 0))' + t, UNARY,
         'axis=1 correction=1.0', constants='axis')
call('norm', 'norm(x, p: {p}, axis: {axis})', 'torch.linalg.vector_norm(x, p, axis)', UNARY, 'p=3.0 axis=1',
     constants='axis')
call('logaddexp', 'logaddexp(x, y)', '(need(x.shape == y.shape), torch.logaddexp(x, y))[1]',
     'x f32 n=2 m=3 | y f32 n=2 m=3')
def before(y, axis, one):
    y = y.movedim(axis, -1)
    return torch.cat([torch.full_like(y[..., :1], one), y[..., :-1]], -1).movedim(-1, axis)
call('cumsum_exclusive', 'cumsum_exclusive(x, axis: {axis})', 'before(x.cumsum(axis), axis, 0)', UNARY, 'axis=1',
     constants='axis')
call('cumprod_exclusive', 'cumprod_exclusive(x, axis: {axis})', 'before(x.cumprod(axis), axis, 1)', UNARY, 'axis=1',
     constants='axis')
call('logcumsumexp', 'logcumsumexp(x, axis: {axis})', 'x.logcumsumexp(axis)', UNARY, 'axis=1', constants='axis')

# ---- nn.norms
CHANNELS = 'x f32 n=2 c=4 h=3'
WB = ' | w f32 c=4 | b f32 c=4'
call('layer_norm', 'layer_norm(x, w, b, eps: {eps})', 'F.layer_norm(x, [x.shape[1]], w, b, eps)',
     'x f32 n=2 h=3 | w f32 h=3 | b f32 h=3', 'eps=0.1')
call('LayerNorm', 'l(x)', 'l(x)', 'x f32 n=2 h=3', 'h=3 eps=0.1', values=False,
     layer='LayerNorm({h}, eps: {eps}) ~ nn.LayerNorm(h, eps)')
call('rms_norm', 'rms_norm(x, w, eps: {eps})',
     '(need(len(w) == x.shape[1]), x * ((x * x).mean(-1, keepdim=True) + eps).rsqrt() * w)[1]',
     'x f32 n=2 h=3 | w f32 h=3', 'eps=0.1')
call('RMSNorm', 'l(x)', 'l(x)', 'x f32 n=2 h=3', 'h=3 eps=0.1', values=False,
     layer='RMSNorm({h}, eps: {eps}) ~ nn.LayerNorm(h, eps)')
call('BatchNorm', 'l(x)', 'l(x)', CHANNELS, 'c=4 eps=0.1 momentum=0.1', values=False,
     but={'x.c=0': ('refused', 'torch looks at no channel of an empty image')},
     layer='BatchNorm({c}, eps: {eps}, momentum: {momentum}) ~ nn.BatchNorm1d(c, eps, momentum).eval()')
call('batch_norm', 'batch_norm(x, b, v, w, b, eps: {eps})', 'F.batch_norm(x, b, v, w, b, False, 0.1, eps)',
     CHANNELS + ' | v unit c=4' + WB, 'eps=0.1',
     but={'any c=0': ('value', 'of no channels the result has none'),
          'x.c=0': ('refused', 'torch looks at no channel of an empty image')})
for part, of in [(0, 'x.mean((0, 2))'), (1, 'x.var((0, 2), unbiased=False)')]:
    call('moments', f'moments(x)[{part}]', of, CHANNELS)
ONE = ('value', 'torch asks for two values to norm, for training; here the formula holds, and gives the bias')
call('group_norm', 'group_norm(x, {groups}, w, b, eps: {eps})',
     'F.group_norm(x, groups, w, b, eps) if groups > 0 else need(False)',
     CHANNELS + WB, 'groups=2 eps=0.1', but={'any c=0': ('refused', 'a group has a channel')})
call('GroupNorm', 'l(x)', 'l(x)', CHANNELS, 'groups=2 c=4 eps=0.1', values=False,
     layer='GroupNorm({groups}, {c}, eps: {eps}) ~ nn.GroupNorm(groups, c, eps) if groups > 0 else need(False)')
call('instance_norm', 'instance_norm(x, eps: {eps})', 'F.instance_norm(x, eps=eps)', CHANNELS, 'eps=0.1')
call('InstanceNorm', 'l(x)', 'F.instance_norm((need(x.shape[1] == l), x)[1])', CHANNELS, 'c=4 eps=0.1', values=False,
     layer='InstanceNorm({c}, eps: {eps}) ~ c')
call('normalize', 'normalize(x, eps: {eps})', 'F.normalize(x, dim=-1, eps=eps)', 'x f32 n=2 h=3', 'eps=0.1')

# ---- nn.pool
for r, axes, s in [(1, 'h=5', '1d'), (2, 'h=5 w=4', ''), (3, 'h=4 w=5 d=4', '3d')]:
    x = f'x f32 n=1 c=2 {axes}'
    if r < 3:
        call(f'max_pool{s}', f'max_pool{s}(x, {{k}}, stride: {{stride}}, padding: {{padding}}, dilation: {{dilation}})',
             f'F.max_pool{r}d(x, k, stride, padding, dilation)', x, 'k=3 stride=2 padding=1 dilation=1', but=NONE)
    else:
        call(f'max_pool{s}', f'max_pool{s}(x, {{k}}, stride: {{stride}}, padding: {{padding}})',
             f'F.max_pool{r}d(x, k, stride, padding)', x, 'k=3 stride=2 padding=1', but=NONE)
    call(f'avg_pool{s}', f'avg_pool{s}(x, {{k}}, stride: {{stride}}, padding: {{padding}})',
         f'F.avg_pool{r}d(x, k, stride, padding)',
         x, 'k=3 stride=2 padding=1', but=NONE)
call('avg_pool', 'avg_pool(x, {k}, stride: {stride}, padding: {padding}, counted: false)',
     'F.avg_pool2d(x, k, stride, padding, count_include_pad=False)', 'x f32 n=1 c=2 h=5 w=4', 'k=3 stride=2 padding=1',
     but=NONE)
call('stretches', 'stretches({o}, {h})',
     '(need(o > 0 and h > 0), torch.tensor([[i * h // o <= r < -(-(i + 1) * h // o) for r in range(h)]'
     ' for i in range(o)]))[1]', '', 'o=3 h=5')
call('half_over', 'f32(min(half_over({k}, {padding}, 2)))', 'torch.tensor(float(k // 2 - padding))', '',
     'k=5 padding=1', constants='k padding')
call('places_counted', 'places_counted({o}, {h}, {k}, 2, 1, 1, false)',
     '(need(k >= 1), torch.tensor([min(i * 2 - 1 + k, h) - max(i * 2 - 1, 0) for i in range(o)]) if o >= 0 else'
     ' need(False))[1]', '', 'o=3 h=5 k=3', constants='h')
for f in ['avg', 'max']:
    call(f'adaptive_{f}_pool', f'adaptive_{f}_pool(x, {{oh}}, {{ow}})', f'F.adaptive_{f}_pool2d(x, (oh, ow))',
         'x f32 n=1 c=2 h=5 w=4', 'oh=3 ow=2', but={**NONE, **EMPTY})
call('global_avg_pool', 'global_avg_pool(x)',
     '(need(x[0, 0].numel() > 0 if x.shape[0] * x.shape[1] else x.shape[2] * x.shape[3] > 0), x.mean((2, 3)))[1]',
     'x f32 n=2 c=2 h=2 w=3')
call('global_max_pool', 'global_max_pool(x)', '(need(x.shape[2] * x.shape[3] > 0), x.amax((2, 3)))[1]',
     'x f32 n=2 c=2 h=2 w=3')

# ---- nn.random
call('uniform', 'uniform(1, [{n}], low: {low}, high: {high})', 'torch.empty(n).uniform_(low, high)', '',
     'n=3 low=0.0 high=0.5', values=False)
for f in ['normal', 'gumbel', 'exponential']:
    call(f, f'{f}(1, [{{n}}])', 'torch.zeros(n)', '', 'n=3', values=False)
call('bernoulli', 'bernoulli(1, [{n}], p: {p})', 'torch.bernoulli(torch.full([n], p))', '', 'n=3 p=0.5', values=False)
call('integers', 'integers(1, [{n}], {high}, low: {low})', 'torch.randint(low, high, [n])', '', 'n=3 high=1 low=0',
     values=False, constants='low')
call('integers', 'integers(1, [{n}], {high}, low: {low}, T: i8)', 'torch.randint(low, high, [n], dtype=torch.int8)', '',
     'n=3 high=128 low=-128', values=False, constants='high low')
call('permutation', 'permutation(1, {n})', 'torch.randperm(n)', '', 'n=3', values=False)
call('categorical', 'categorical(1, x)',
     'torch.distributions.Categorical(logits=x).sample() if x.shape[1] else need(False)', 'x f32 n=2 v=3', values=False,
     but={'n=0': ('value', 'nothing is drawn')})
call('dropout', 'dropout(x, {rate}, 1)', 'F.dropout(x, rate)', UNARY, 'rate=0.5', values=False)
call('dropout2d', 'dropout2d(x, {rate}, 1)', 'F.dropout2d(x, rate)', 'x f32 n=2 c=3 h=2 w=2', 'rate=0.5', values=False)
call('Dropout', 'l(x)', 'l(x)', UNARY, 'rate=0.5', values=False, layer='Dropout({rate}) ~ nn.Dropout(rate)')
call('Dropout2d', 'l(x)', 'l(x)', 'x f32 n=2 c=3 h=2 w=2', 'rate=0.5', values=False,
     layer='Dropout2d({rate}) ~ nn.Dropout2d(rate)')
call('greedy', 'greedy(x)', '(need(x.shape[1] > 0), x.argmax(-1))[1]', 'x f32 n=2 v=3')
call('keep_top_k', 'keep_top_k(x, {k})', '(need(k >= 1), x.masked_fill(x < x.topk(k).values[:, -1:], -math.inf))[1]',
     'x f32 n=2 v=3', 'k=2')
def nucleus(x, p):
    need(0 < p <= 1 and x.shape[1] > 0)
    v, at = stable(x)
    q = v.softmax(-1)
    last = v.masked_fill(q.cumsum(-1) - q >= p, math.inf).amin(-1, keepdim=True)
    return x.masked_fill(x < last, -math.inf)
call('keep_top_p', 'keep_top_p(x, {p})', 'nucleus(x, p)', 'x f32 n=2 v=3', 'p=0.6')
call('sample', 'sample(x, 1, temperature: {temperature}, top_k: {k}, top_p: {p})',
     '(need(temperature >= 0 and k >= 0 and k <= x.shape[1] and 0 < p <= 1 and x.shape[1] > 0), x.argmax(-1))[1]',
     'x f32 n=2 v=3',
     'temperature=0.7 k=2 p=0.8', values=False, constants='k')

# ---- nn.recurrent
for f, gates in [('LSTM', 4), ('GRU', 3)]:
    call(f'{f}Cell', 'l(x)' + ('[0]' if f == 'LSTM' else ''), 'l(x)' + ('[0]' if f == 'LSTM' else ''), 'x f32 n=2 i=3',
         'i=3 h=2', values=False,
         layer=f'{f}Cell({{i}}, {{h}}) ~ (need(i > 0 and h > 0), nn.{f}Cell(i, h))[1]')
    call(f, 'l(x)[0]', 'l(x)[0]', 'x f32 n=2 t=3 i=3', 'i=3 h=2 layers=2', values=False,
         layer=f'{f}({{i}}, {{h}}, layers: {{layers}})'
               f' ~ (need(i > 0 and h > 0 and layers > 0), nn.{f}(i, h, layers, batch_first=True))[1]',
         but={'x.t=0': ('value', 'no steps leave the states as they are')})
    call(f'{"Lstm" if f == "LSTM" else "Gru"}Layer', 'l.forward(x)' + ('[0]' if f == 'LSTM' else ''),
         'l(x)' + ('[0]' if f == 'LSTM' else ''), 'x f32 n=2 i=3', 'i=3 h=2', values=False,
         layer=f'{"Lstm" if f == "LSTM" else "Gru"}Layer({{i}}, {{h}}, false, true)'
               f' ~ (need(i > 0 and h > 0), nn.{f}Cell(i, h))[1]')

# ---- nn.resize
IMAGE = 'x f32 n=1 c=2 h=3 w=4'
call('resize_nearest', 'resize_nearest(x, {oh}, {ow})', 'F.interpolate(x, (oh, ow))', IMAGE, 'oh=5 ow=3', but=NONE)
call('upsample', 'upsample(x, by: {by})', 'F.interpolate(x, scale_factor=by)', IMAGE, 'by=2', but=NONE)
call('source_place', 'source_place({o}, {h}, false)',
     '(need(o > 0 and h > 0), ((torch.arange(o) + 0.5) * h / o - 0.5).clamp(min=0))[1]', '', 'o=5 h=3')
call('resize_bilinear', 'resize_bilinear(x, {oh}, {ow})', 'F.interpolate(x, (oh, ow), mode="bilinear")', IMAGE,
     'oh=5 ow=3', but=NONE)
call('resize_bilinear', 'resize_bilinear(x, {oh}, {ow}, corners: true)',
     'F.interpolate(x, (oh, ow), mode="bilinear", align_corners=True)', IMAGE, 'oh=5 ow=3', but=NONE)
call('upsample_bilinear', 'upsample_bilinear(x, by: {by})', 'F.interpolate(x, scale_factor=by, mode="bilinear")', IMAGE,
     'by=2', but=NONE)
call('cubic_weights', 'cubic_weights(x)',
     'torch.stack([-0.75 * (((x + 1) - 5) * (x + 1) + 8) * (x + 1) + 3, (1.25 * x - 2.25) * x * x + 1,'
     ' (1.25 * (1 - x) - 2.25) * (1 - x) ** 2 + 1, -0.75 * (((2 - x) - 5) * (2 - x) + 8) * (2 - x) + 3])',
     'x unit o=3')
call('source_center', 'source_center({o}, {h}, false)',
     '(need(o > 0 and h > 0), (torch.arange(o) + 0.5) * h / o - 0.5)[1]', '', 'o=5 h=3')
call('antialias_weights', 'antialias_weights({o}, {h}, "linear", false)',
     'F.interpolate(torch.eye(h)[None, :, :, None], (o, 1), mode="bilinear", antialias=True)[0, :, :, 0].T', '',
     'o=3 h=5')
AXIS = {v: ('value', 'of nothing along the other axes there is nothing') for v in ['a=0', 'b=0']}
for mode in ['cubic', 'linear']:
    call('resize_axis', f'resize_axis(x, {{o}}, "{mode}", false, false)',
         f'F.interpolate(x[:, None], (o, x.shape[2]), mode="bi{mode}")[:, 0]', 'x f32 a=2 h=3 b=2', 'o=4', but=AXIS)
    call('resize', f'resize(x, [{{oh}}, {{ow}}], mode: "{mode}", antialias: true)',
         f'F.interpolate(x, (oh, ow), mode="bi{mode}", antialias=True)', IMAGE, 'oh=5 ow=3', but=NONE)
call('resize', 'resize(x, {o})', 'F.interpolate(x, o, mode="linear")', 'x f32 n=1 c=2 h=3', 'o=5', but=NONE)
call('resize', 'resize(x, {o}, mode: "nearest")', 'F.interpolate(x, o)', 'x f32 n=1 c=2 h=3', 'o=5', but=NONE)
call('pixel_shuffle', 'pixel_shuffle(x, {r})', 'F.pixel_shuffle(x, r)', 'x f32 n=1 c=4 h=2 w=3', 'r=2')
call('pixel_unshuffle', 'pixel_unshuffle(x, {r})', 'F.pixel_unshuffle(x, r)', 'x f32 n=1 c=2 h=4 w=2', 'r=2',
     but={k: ('shape', 'torch 1.13 leaves the shape of an empty image as it is') for k in ['n=0', 'c=0', 'h=0', 'w=0']})

# ---- nn.windows
call('each', 'f32(sum(each([2, 3], {n})))', 'torch.tensor(5.0) if n == 2 else need(False)', '', 'n=2', constants='n')
for f, one in [('before', 1.0), ('after', 3.0)]:
    call(f'pads_{f}', f'f32(pads_{f}([1, 2, 3, 4], {{axes}})[0])',
         f'torch.tensor({one} if axes == 2 else 1.0) if axes in (2, 4) else need(False)', '', 'axes=2',
         constants='axes')
call('padded', 'f32(padded([{h}], {padding})[0])', 'torch.tensor(float(h + 2 * padding))', '', 'h=7 padding=1',
     constants='h padding')
call('reach', 'f32(reach({k}, {dilation}, 1)[0])', 'torch.tensor(float(dilation * (k - 1) + 1))', '', 'k=3 dilation=2',
     constants='k dilation')
call('window_sizes', 'f32(window_sizes([{h}], {k}, {stride}, {padding}, {dilation})[0])',
     'torch.tensor(F.conv1d(torch.zeros(1, 1, h), torch.zeros(1, 1, k), stride=stride, padding=padding,'
     ' dilation=dilation).shape[2])', '', 'h=7 k=3 stride=2 padding=1 dilation=1')
call('window_counts', 'f32(window_counts([{h}], [{k}], [2], [1], [1], true)[0])',
     'torch.tensor(float(F.max_pool1d(torch.zeros(1, 1, h), k, 2, 1, ceil_mode=True).shape[2]))', '', 'h=6 k=3',
     constants='h k', but={v: ('value', 'no pool') for v in ['h=0', 'h=-1', 'k=0', 'k=-1']})
def same(h, k, stride, dilation):
    need(k >= 1 and stride >= 1 and dilation >= 1)
    total = max((-(-h // stride) - 1) * stride + dilation * (k - 1) + 1 - h, 0)
    return torch.tensor(float(total - total // 2))
call('same_padding', 'f32(same_padding([{h}], {k}, stride: {stride}, dilation: {dilation})[1])',
     'same(h, k, stride, dilation)', '', 'h=7 k=4 stride=2 dilation=1', constants='h')
call('padding_behind', 'f32(padding_behind([{h}], [{k}], [2], [1], [1], true)[0])',
     'torch.tensor(float(max(1, (F.max_pool1d(torch.zeros(1, 1, h), k, 2, 1, ceil_mode=True).shape[2] - 1) * 2 + k'
     ' - h - 1)))', '', 'h=6 k=3', constants='h k',
     but={v: ('value', 'no pool') for v in ['h=0', 'h=-1', 'k=1', 'k=0', 'k=-1']})

# ---- optim
call('global_norm', 'global_norm([x, y])', 'torch.sqrt((x * x).sum() + (y * y).sum())', 'x f32 n=2 | y f32 m=2 k=2')
call('clip', 'clip([x, y], {limit})[0][0]',
     '(need(limit >= 0), x * (limit / (torch.sqrt((x * x).sum() + (y * y).sum()) + 1e-6)).clamp(max=1))[1]',
     'x f32 n=2 | y f32 m=2 k=2', 'limit=0.5')
call('clip_value', 'clip_value([x, y], {limit})[0]', '(need(limit >= 0), x.clamp(-limit, limit))[1]',
     'x f32 n=2 | y f32 m=2 k=2', 'limit=0.5')
call('cosine', 'cosine(i32(step), {warmup}, {total}, {peak})',
     '(need(0 <= warmup < total), torch.tensor(peak) * ((step + 1) / warmup if step < warmup else'
     ' 0.5 * (1 + math.cos(math.pi * min(1, (step - warmup) / (total - warmup))))))[1]', 'step i32',
     'warmup=2 total=6 peak=0.5')
call('constant', 'constant(i32(step), {rate})', 'torch.tensor(rate)', 'step i32', 'rate=0.5')
call('linear', 'linear(i32(step) + 2, {total}, {a}, {b})',
     '(need(total >= 1), torch.tensor(a + (b - a) * min(1, 2 / total)))[1]', 'step i32', 'total=6 a=0.5 b=0.25')
call('warm_up', 'warm_up(i32(step) + 2, {over}, f32({rate}))',
     '(need(over >= 0), torch.tensor(rate * (3 / over if over > 2 else 1.0)))[1]', 'step i32', 'over=5 rate=0.5')
call('step_decay', 'step_decay(i32(step) + 7, {every}, {rate}, factor: {factor})',
     '(need(every >= 1 and factor >= 0), torch.tensor(rate * factor ** (7 // every)))[1]', 'step i32',
     'every=3 rate=0.5 factor=0.25')
call('exponential_decay', 'exponential_decay(i32(step) + 3, {rate}, {factor})',
     '(need(factor >= 0), torch.tensor(rate * factor ** 3))[1]', 'step i32', 'rate=0.5 factor=0.25')
def wave(a, b, part): return b + (a - b) * 0.5 * (1 + math.cos(math.pi * part))
def cycle(step, total, peak, rising, start, end):
    need(rising < 1 and rising * total > 1 and start > 0 and end > 0)
    top = rising * total - 1
    if step <= top: return wave(peak / start, peak, step / top)
    return wave(peak, peak / start / end, min(1, (step - top) / (total - 1 - top)))
call('one_cycle', 'one_cycle(i32(step) + 3, {total}, {peak}, rising: {rising}, start: {start}, end: {end})',
     'torch.tensor(cycle(3, total, peak, rising, start, end))', 'step i32',
     'total=10 peak=0.5 rising=0.25 start=4.0 end=16.0', constants='total')
call('between', 'between({a}, {b}, f32({part}))', 'torch.tensor(wave(a, b, part))', '', 'a=0.5 b=0.25 part=0.25')
call('shrunk', 'shrunk(x, f32({rate}), {decay})', 'x * (1 - rate * decay)', UNARY, 'rate=0.5 decay=0.25')
call('pulled', 'pulled(x, y, {decay})', '(need(x.shape == y.shape), x + decay * y)[1]',
     'x f32 n=2 m=3 | y f32 n=2 m=3', 'decay=0.25')
call('correction', 'correction({b}, i32(step) + 3)', '(need(0 <= b < 1), torch.tensor(1 - b ** 3))[1]', 'step i32',
     'b=0.5')
call('lengths', 'lengths([x, y])', 'torch.stack([(x * x).mean().sqrt(), (y * y).mean().sqrt()])',
     'x f32 n=2 | y f32 m=2 k=2')
call('over_factors', 'over_factors(x, r, c)',
     '(need(r.shape == x.shape[:-1] and c.shape == x.shape[:-2] + x.shape[-1:]),'
     ' x * (r / r.mean(-1, keepdim=True)).rsqrt().unsqueeze(-1) * c.rsqrt().unsqueeze(-2))[1]',
     'x f32 b=2 n=3 m=2 | r unit b=2 n=3 | c unit b=2 m=2')
def newton_schulz(x):
    y = (x.T if len(x) > x.shape[1] else x) / torch.sqrt((x * x).sum()).clamp(min=1e-7)
    for _ in range(5):
        a = y @ y.T
        y = 3.4445 * y + (2.0315 * (a @ a) - 4.775 * a) @ y
    return y.T if len(x) > x.shape[1] else y
# The smaller side is known: what it steps by is state, whose sizes are.
call('orthogonalized', 'orthogonalized(x)', 'newton_schulz(x)', 'x f32 n=3 m=2', symbolic=False)

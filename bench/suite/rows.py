"""In: nothing. Out: ROWS: every measured case: its operation, our calls, the peers', and the lines of the table."""
from dataclasses import dataclass, field

GEMMS = [(n, n, n) for n in (64, 128, 256, 512, 1024, 2048)] + [(128, 768, 768), (128, 768, 3072), (1, 768, 3072)]

# name: N, C, H = W, O, K, stride, padding, groups
CONVS = {
    '3x3_64_56': (1, 64, 56, 64, 3, 1, 1, 1),
    '7x7s2_3_64_224': (1, 3, 224, 64, 7, 2, 3, 1),
    '3x3_256_14': (1, 256, 14, 256, 3, 1, 1, 1),
    '1x1_256_64_56': (1, 256, 56, 64, 1, 1, 0, 1),
    'dw3x3_96_112': (1, 96, 112, 96, 3, 1, 1, 96),
}

_LAYER = 4 * 768 * 768 + 2 * 768 * 3072  # multiply-adds a token in a transformer layer's linear layers

# name: multiply-adds of matrix products and convolutions; bytes of weights, which are read once a call
MODELS = {
    'mlp_b64': (64 * (784 * 512 + 512 * 512 + 512 * 10), 4 * 669706),
    'mlp_b1': (784 * 512 + 512 * 512 + 512 * 10, 4 * 669706),
    'resnet50': (4.089e9, 4 * 25.56e6),
    'mobilenetv2': (0.3008e9, 4 * 3.50e6),
    'bert_base_s128': (12 * (128 * _LAYER + 2 * 128 * 128 * 768), 4 * 85.05e6),
    'vit_b16': (12 * (197 * _LAYER + 2 * 197 * 197 * 768) + 196 * 768 * 768 + 768 * 1000, 4 * 86.57e6),
    'gpt2_decode_kv128': (12 * (_LAYER + 2 * 129 * 768) + 768 * 50257, 4 * (123.65e6 + 2 * 12 * 129 * 768)),
}


@dataclass(frozen=True)
class Line:
    """A line of the table: one of our variants against some of the row's peers."""
    title: str
    variant: str
    peers: tuple[str, ...]
    part: str  # the part of the table, and of its summary
    plain: str = ''  # the variant without Winograd, if this one has it; its line follows


@dataclass(frozen=True)
class Row:
    """What is measured together, round by round."""
    name: str  # what --rows matches, and the folder of its inputs
    flops: float
    bytes: float  # inputs, weights and results, once
    ours: dict[str, list[str]]  # variant: arguments of `accc time`; {data} is the row's folder
    peers: dict[str, list[str]]  # peer: a program of bench/peers and its arguments; {threads}, {model}, {data}
    lines: list[Line]
    # our file: the expected one, `@` where ours has channels innermost
    results: dict[str, str] = field(default_factory=lambda: {'0': 'y'})
    slow: tuple[str, ...] = ()  # peers that are run with --all-peers only
    single: tuple[str, ...] = ()  # peers on one thread only
    only: str | None = None  # why there is nothing of ours to measure


def _ort(model='{row}'):
    return ['ort', '{threads}', '{models}/' + model + '.onnx', '{data}']


def _blas(name, *shape, op='gemm'):
    return ['blas', name, '{' + name.split('_')[0] + '}', '{threads}', op, *map(str, shape)]


def _dnnl(variant, op, *numbers):
    return ['dnnl', '{threads}', variant, op, *map(str, numbers)]


def _gemm(m, k, n):
    name = f'gemm_{m}x{k}x{n}'
    title = f'{m}³' if m == k == n else f'{m}×{k}×{n}'
    dims = ['--dim', f'm={m}']
    ours = {
        'constant': ['bench/gemm.acc', 'constant', 'a=@{data}/a.npy', '--weights', '{data}/weights.safetensors',
                     '--set', f'k={k}', '--set', f'n={n}', *dims],
        'dynamic': ['bench/gemm.acc', 'dynamic', 'a=@{data}/a.npy', 'b=@{data}/b.npy', *dims,
                    '--dim', f'k={k}', '--dim', f'n={n}'],
    }
    peers = {
        'openblas': _blas('openblas', m, k, n),
        'openblas_haswell': _blas('openblas_haswell', m, k, n),
        'blis': _blas('blis', m, k, n),
        'ort_dynamic': _ort('{row}_dynamic'),
        'onednn_sgemm': _dnnl('sgemm', 'gemm', m, k, n),
        'ort_constant': _ort('{row}_constant'),
        'onednn_packed': _dnnl('packed', 'gemm', m, k, n),
    }
    if m == 1:
        peers['openblas_gemv'] = _blas('openblas', m, k, n, op='gemv')
        peers['blis_gemv'] = _blas('blis', m, k, n, op='gemv')
    else:
        peers['libxsmm_brgemm64'] = ['xsmm', '{threads}', 'brgemm64', 'gemm', str(m), str(k), str(n)]
    if 1 < m <= 128:
        peers['libxsmm_direct'] = ['xsmm', '{threads}', 'direct', 'gemm', str(m), str(k), str(n)]
    packed = ('ort_constant', 'onednn_packed', 'libxsmm_brgemm64')
    dynamic = tuple(p for p in peers if p not in packed)
    return Row(name, 2.0 * m * k * n, 4.0 * (m * k + k * n + m * n), ours, peers,
               [Line(f'GEMM {title}, constant B', 'constant', tuple(peers), 'GEMM, constant B'),
                Line(f'GEMM {title}, dynamic B', 'dynamic', dynamic, 'GEMM, dynamic B')],
               slow=('openblas_haswell', 'onednn_sgemm') if m > 1 else ('openblas_haswell',),
               single=('libxsmm_direct',) if 'libxsmm_direct' in peers else ())


def _elementwise(tag, n):
    dims = ['--dim', f'n={n}']
    chain = Row(f'gelu_chain_{tag}', 0, 12.0 * n,
                {'ours': ['bench/rows.acc', 'gelu_chain', 'x=@{data}/x.npy', 'r=@{data}/r.npy', *dims]},
                {'gcc_loop': ['loops', '{threads}', 'plain', 'chain', str(n)], 'onnxruntime': _ort(),
                 'onednn_fused': _dnnl('fused', 'chain', n)},
                [Line(f'gelu(a·x + b)·c + r on {tag}', 'ours', ('gcc_loop', 'onnxruntime', 'onednn_fused'),
                      'rows and maps')],
                slow=('onednn_fused',))
    relu = Row(f'relu_{tag}', 0, 8.0 * n, {'ours': ['bench/rows.acc', 'rectify', 'x=@{data}/x.npy', *dims]},
               {'gcc_streamed': ['loops', '{threads}', 'streamed', 'relu', str(n)],
                'gcc_loop': ['loops', '{threads}', 'plain', 'relu', str(n)], 'onnxruntime': _ort(),
                'onednn_plain': _dnnl('plain', 'relu', n)},
               [Line(f'relu on {tag}', 'ours', ('gcc_streamed', 'gcc_loop', 'onnxruntime', 'onednn_plain'),
                     'rows and maps')],
               slow=('onednn_plain',))
    return [chain, relu]


def _reduction(name, title, op, function, rows, columns, *arguments):
    peers = {'gcc_loop': ['loops', '{threads}', 'plain', op, str(rows), str(columns)], 'onnxruntime': _ort(),
             'onednn_plain': _dnnl('plain', op, rows, columns)}
    return Row(name, 0, 8.0 * rows * columns,
               {'ours': ['bench/rows.acc', function, 'x=@{data}/x.npy', '--dim', f'r={rows}', *arguments]}, peers,
               [Line(title, 'ours', tuple(peers), 'rows and maps')])


def _conv(name, numbers):
    n, c, h, o, k, stride, pad, groups = numbers
    oh = (h + 2 * pad - k) // stride + 1
    sizes = [w for key, v in (('i', c), ('o', o), ('k', k), ('stride', stride), ('padding', pad), ('groups', groups))
             for w in ('--set', f'{key}={v}')]
    dims = ['--dim', f'b={n}', '--dim', f'h={h}', '--dim', f'w={h}', '--weights', '{data}/weights.safetensors']
    ours = {layout: ['bench/conv.acc', layout, 'x=@{data}/' + file, *sizes, *dims]
            for layout, file in (('nhwc', 'x_nhwc.npy'), ('nchw', 'x.npy'))}
    peers = {'onednn_blocked': _dnnl('blocked', 'conv', *numbers), 'onednn_nhwc': _dnnl('nhwc', 'conv', *numbers),
             'onednn_nchw': _dnnl('nchw', 'conv', *numbers), 'onnxruntime': _ort()}
    title = f'conv {"depthwise " if groups > 1 else ""}{k}×{k}{" s2" if stride > 1 else ""} {c}→{o} @{h}²'
    direct = tuple(peers)
    lines = []
    winograd = k == 3 and stride == 1 and groups == 1
    if winograd:
        ours['nhwc direct'] = [*ours['nhwc'], '--conv', 'direct']
        peers['onednn_winograd'] = _dnnl('winograd', 'conv', *numbers)
        lines.append(Line(f'{title}, Winograd', 'nhwc', tuple(peers), 'convolution', plain='nhwc direct'))
    if winograd:
        lines.append(Line(f'{title}, direct', 'nhwc direct', direct, 'without Winograd'))
    else:
        lines.append(Line(title, 'nhwc', direct, 'convolution'))
    lines.append(Line(f'{title}, NCHW', 'nchw', ('onednn_nchw', 'onnxruntime'), 'convolution, NCHW'))
    weights = o * (c // groups) * k * k
    size = 4.0 * (n * c * h * h + n * o * oh * oh + weights + o)
    return Row(f'conv_{name}', 2.0 * n * oh * oh * weights, size,
               ours, peers, lines, results={'nhwc/0': '@y', 'nchw/0': 'y', 'nhwc direct/0': '@y'})


def _model(name, title, arguments, part='whole models', results=None):
    macs, size = MODELS[name]
    with_weights = [*arguments, '--weights', '{data}/weights.safetensors']
    ours = {'ours': with_weights}
    winograd = name == 'resnet50'
    lines = [Line(title, 'ours', ('onnxruntime', *_TORCH), part, plain='direct' if winograd else '')]
    if winograd:
        ours['direct'] = [*with_weights, '--conv', 'direct']
        lines.append(Line(f'{title}, without Winograd', 'direct', ('onnxruntime', *_TORCH), 'without Winograd'))
    peers = {'onnxruntime': _ort()}
    for peer in _TORCH:
        peers[peer] = ['torch', '{threads}', peer.split('_')[2], peer.split('_')[1], name]
    return Row(name, 2.0 * macs, size, ours, peers, lines, results=results or {'0': 'y'}, slow=_TORCH)


_TORCH = tuple(f'torch_{how}_{blas}' for how in ('eager', 'jit') for blas in ('openblas', 'haswell', 'blis'))


def _training(name, title):
    peers = {f'torch_train_{b}': ['torch', '{threads}', b, 'train', name] for b in ('openblas', 'haswell', 'blis')}
    return Row(name, 0, 0, {}, peers, [Line(title, 'ours', tuple(peers), 'training')],
               only='not supported: there is no autodiff yet')


_IMAGE = ['x=@{data}/x.npy', '--dim', 'n=1']
_PIXELS = ['--dim', 'x_2=224', '--dim', 'x_3=224']  # the sizes that f32[n, 3, _, _] leaves without a name

ROWS = [
    *[_gemm(*shape) for shape in GEMMS],
    *_elementwise('64K', 64 << 10),
    *_elementwise('16M', 16 << 20),
    _reduction('softmax_1024x1024', 'softmax 1024×1024', 'softmax', 'probabilities', 1024, 1024, '--dim', 'c=1024'),
    _reduction('layernorm_512x768', 'layer norm 512×768', 'layernorm', 'normalize', 512, 768,
               '--weights', '{data}/weights.safetensors'),
    *[_conv(*item) for item in CONVS.items()],
    *[_model(f'mlp_b{b}', f'MLP 784-512-512-10, batch {b}',
             ['bench/mlp.acc', 'classify', 'x=@{data}/x.npy', '--dim', f'n={b}'], 'MLP')
      for b in (64, 1)],
    _model('resnet50', 'ResNet-50, batch 1, 224²', ['examples/models/resnet50.acc', 'classify', *_IMAGE, *_PIXELS]),
    _model('mobilenetv2', 'MobileNetV2, batch 1', ['examples/models/mobilenetv2.acc', 'classify', *_IMAGE, *_PIXELS]),
    _model('bert_base_s128', 'BERT-base, 128 tokens',
           ['bench/bert.acc', 'encode', 'x=@{data}/x.npy', '--dim', 'n=1', '--dim', 't=128']),
    _model('vit_b16', 'ViT-B/16', ['examples/models/vit.acc', 'classify', *_IMAGE], results={'logits': 'y'}),
    _model('gpt2_decode_kv128', 'GPT-2 decode step, 128 cached',
           ['examples/models/gpt2.acc', 'forward', 'ids=@{data}/ids.npy', 'pos=128', 'cache=@{data}/cache.npy',
            '--dim', 'b=1', '--dim', 't=1', '--dim', 'cap=129']),
    _training('train_mlp_b64', 'training step, MLP batch 64'),
    _training('train_cnn_b64', 'training step, CNN batch 64'),
]

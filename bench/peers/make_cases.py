#!/usr/bin/python3
"""make_cases.py [PATTERN] < CASES: for each case its ONNX models, inputs, weights, and ONNX Runtime's results on them.

CASES is what `accc bench list SUITE --format json` prints; training steps and Llamas are make_training.py's and make_llama.py's. In
$PEERS_HOME: models/CASE.onnx, data/CASE/INPUT.npy, data/CASE/weights.safetensors, data/CASE/expected/RESULT.npy. A case that is there
stays. Debian's python3 has NumPy, onnx 1.12 and, for the networks, torch 1.13."""
import json
import re
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from case_files import HOME, Folder, save_weights

OPSET = 17


class Case(Folder):
    """What a row is made of; `finish` writes the results that ours are held to."""

    def __init__(self, name):
        super().__init__(name)
        self.random, self.folder = np.random.default_rng(0), self.path

    def normal(self, *shape, scale=1.0):
        return (self.random.standard_normal(shape) * scale).astype(np.float32)

    def model(self, name, nodes, inputs, result, constants=()):
        """inputs: name → shape; result: the shape of y; constants: name → array."""
        info = lambda items: [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(s)) for n, s in items]
        graph = helper.make_graph(nodes, name, info(inputs.items()), info([('y', result)]),
                                  [numpy_helper.from_array(np.asarray(v), n) for n, v in dict(constants).items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        onnx.save(model, f'{HOME}/models/{name}.onnx')

    def finish(self, model):
        results = f'{self.folder}/expected'
        subprocess.run([f'{HOME}/bin/ort', '2', f'{HOME}/models/{model}.onnx', self.folder, results], check=True)
        super().finish()


def gemm(case, m, k, n):
    a, b = case.normal(m, k), case.normal(k, n, scale=0.05)
    case.input('a', a)
    case.input('b', b)
    save_weights(case.folder, {'b': b})
    node = [helper.make_node('MatMul', ['a', 'b'], ['y'])]
    case.model(f'{case.name}_dynamic', node, {'a': a.shape, 'b': b.shape}, (m, n))
    case.model(f'{case.name}_constant', node, {'a': a.shape}, (m, n), {'b': b})
    case.finish(f'{case.name}_dynamic')


def gelu_chain(case, n):
    scalar = lambda v: np.array(v, np.float32)
    case.input('x', case.normal(n))
    case.input('r', case.normal(n))
    # Opset 17 has no Gelu; ONNX Runtime fuses its spelled-out form.
    steps = [('Mul', 'x', 'a'), ('Add', 't0', 'b'), ('Div', 't1', 'root'), ('Erf', 't2'), ('Add', 't3', 'one'), ('Mul', 't1', 't4'),
             ('Mul', 't5', 'half'), ('Mul', 't6', 'c'), ('Add', 't7', 'r')]
    nodes = [helper.make_node(op, list(inputs), [f't{i}' if i < 8 else 'y']) for i, (op, *inputs) in enumerate(steps)]
    case.model(case.name, nodes, {'x': (n,), 'r': (n,)}, (n,),
               {'a': scalar(1.3), 'b': scalar(0.2), 'c': scalar(0.7), 'root': scalar(2 ** 0.5), 'one': scalar(1), 'half': scalar(0.5)})
    case.finish(case.name)


def relu(case, n):
    case.input('x', case.normal(n))
    case.model(case.name, [helper.make_node('Relu', ['x'], ['y'])], {'x': (n,)}, (n,))
    case.finish(case.name)


def softmax(case, rows, columns):
    case.input('x', case.normal(rows, columns))
    case.model(case.name, [helper.make_node('Softmax', ['x'], ['y'], axis=-1)], {'x': (rows, columns)}, (rows, columns))
    case.finish(case.name)


def layernorm(case, rows, columns=768):
    case.input('x', case.normal(rows, columns))
    weight, bias = case.normal(columns), case.normal(columns)
    save_weights(case.folder, {'norm.weight': weight, 'norm.bias': bias})
    node = helper.make_node('LayerNormalization', ['x', 'w', 'b'], ['y'], axis=-1, epsilon=1e-5)
    case.model(case.name, [node], {'x': (rows, columns)}, (rows, columns), {'w': weight, 'b': bias})
    case.finish(case.name)


def conv(case, batch, channels, size, filters, kernel, stride, padding, groups):
    n, c, h, o, k, pad = batch, channels, size, filters, kernel, padding
    x, w, b = case.normal(n, c, h, h), case.normal(o, c // groups, k, k, scale=0.05), case.normal(o, scale=0.05)
    case.input('x', x)
    case.input('x_nhwc', np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
    save_weights(case.folder, {'conv.weight': w, 'conv.bias': b})
    oh = (h + 2 * pad - k) // stride + 1
    node = helper.make_node('Conv', ['x', 'w', 'b'], ['y'], strides=[stride] * 2, pads=[pad] * 4, group=groups, kernel_shape=[k, k])
    case.model(case.name, [node], {'x': x.shape}, (n, o, oh, oh), {'w': w, 'b': b})
    case.finish(case.name)


def network(case, name):
    import torch

    import networks
    net, inputs = networks.network(name)
    for label, value in inputs.items():
        case.input(label, value.numpy())
    if name.startswith('gpt2'):
        # [layers, 2, batch, heads, positions, head]: 128 taken, room for one more.
        past = torch.stack([inputs['past_k'], inputs['past_v']], 1)
        case.input('cache', torch.cat([past, torch.zeros_like(past[..., :1, :])], -2).numpy())
    save_weights(case.folder, {k: v.numpy() for k, v in networks.weights(name, net).items()})
    results = ['y', 'k', 'v'] if name.startswith('gpt2') else ['y']
    with torch.no_grad():
        torch.onnx.export(net, tuple(inputs.values()), f'{HOME}/models/{case.name}.onnx', opset_version=16, input_names=list(inputs),
                          output_names=results, do_constant_folding=True)
    case.finish(case.name)


# The networks that networks.py has, each at the values that it is written for; `accc` asks for no others.
NETWORKS = {'mlp_b64_f32': 'mlp_b64', 'mlp_b1_f32': 'mlp_b1', 'resnet50_b1_h224_f32': 'resnet50', 'mobilenetv2_b1_h224_f32': 'mobilenetv2',
            'bert_encoder_b1_s128_f32': 'bert_base_s128', 'vit_b16_b1_f32': 'vit_b16', 'gpt2_decode_b1_c128_f32': 'gpt2_decode_kv128'}
KERNELS = {f.__name__: f for f in (gemm, gelu_chain, relu, softmax, layernorm, conv)}


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ''
    for wanted in json.load(sys.stdin):
        name, values = wanted['name'], {k: v for k, v in wanted['params'].items() if k != 'precision'}
        if not re.search(pattern, name) or Folder.is_made(name):
            continue
        if name in NETWORKS:
            network(Case(name), NETWORKS[name])
        elif wanted['benchmark'] in KERNELS:
            KERNELS[wanted['benchmark']](Case(name), **values)


main()

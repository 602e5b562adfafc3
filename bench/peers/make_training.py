#!/usr/bin/python3
"""make_training.py < CASES: for each training step its inputs, labels and weights, and what one step gives.

The reference is NumPy in f64 with the derivatives written out, and knows nothing of any framework's autodiff. CASES as
for make_cases.py. Expected files: loss, grad.NAME and NAME for each parameter; softmax cross-entropy over the batch's
mean, SGD with a rate of 0.01."""
import json
import sys

import numpy as np

from case_files import Folder, save_weights

RATE = 0.01
SHAPES = {'train_mlp': {'a': (512, 784), 'b': (512, 512), 'c': (10, 512)},
          'train_cnn': {'c1': (32, 1, 3, 3), 'c2': (64, 32, 3, 3), 'fc': (10, 64 * 7 * 7)}}


def relu(x):
    """The result, and the derivative as a function of the result's."""
    return np.maximum(x, 0), lambda d: d * (x > 0)


def linear(x, w, b):
    """The derivatives are those of x, w and b."""
    return x @ w.T + b, lambda d: (d @ w, d.T @ x, d.sum(0))


def conv(x, w, b):
    """3 x 3 with a border of zeros."""
    h = x.shape[2]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))  # [n, c, h, w, 3, 3]
    y = np.einsum('nchwij,ocij->nohw', windows, w, optimize=True) + b[:, None, None]

    def back(d):
        dx = np.zeros_like(padded)
        for i in range(3):
            for j in range(3):
                dx[:, :, i:i + h, j:j + h] += np.einsum('nohw,oc->nchw', d, w[:, :, i, j], optimize=True)
        return dx[:, :, 1:-1, 1:-1], np.einsum('nohw,nchwij->ocij', d, windows, optimize=True), d.sum((0, 2, 3))
    return y, back


def pool(x):
    """The largest of each 2 x 2; equal ones are all 0 here, where relu's derivative is 0 as well."""
    n, c, h, w = x.shape
    parts = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)
    first = parts.argmax(-1)

    def back(d):
        spread = (np.arange(4) == first[..., None]) * d[..., None]
        return spread.reshape(n, c, h // 2, w // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(x.shape)
    return parts.max(-1), back


def cross_entropy(x, labels):
    shifted = x - x.max(1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    rows = np.arange(len(x))
    d = np.exp(logs)
    d[rows, labels] -= 1
    return -logs[rows, labels].mean(), d / len(x)


def step(network, x, labels, weights):
    """The loss and the gradients by name."""
    tape, y = [], x
    layers = list(SHAPES[network])
    for name in layers:
        w, b = weights[name + '.weight'], weights[name + '.bias']
        flat, shape = (w.ndim == 2 and y.ndim == 4), y.shape
        y, back = (conv if w.ndim == 4 else linear)(y.reshape(len(y), -1) if flat else y, w, b)
        then = []
        if name != layers[-1]:
            y, bend = relu(y)
            then.append(bend)
            if w.ndim == 4:
                y, spread = pool(y)
                then.append(spread)
        tape.append((name, back, then, shape))
    loss, d = cross_entropy(y, labels)
    gradients = {}
    for name, back, then, shape in reversed(tape):
        for f in reversed(then):
            d = f(d)
        d, gradients[name + '.weight'], gradients[name + '.bias'] = back(d)
        d = d.reshape(shape)
    return loss, gradients


def make(name, network, batch):
    random, folder = np.random.default_rng(0), Folder(name)
    x = random.standard_normal((batch, 784) if network == 'train_mlp' else (batch, 1, 28, 28)).astype(np.float32)
    labels = random.integers(0, 10, batch)
    weights = {}
    for layer, shape in SHAPES[network].items():
        bound = np.prod(shape[1:]) ** -0.5
        for kind, size in (('weight', shape), ('bias', shape[:1])):
            weights[f'{layer}.{kind}'] = random.uniform(-bound, bound, size).astype(np.float32)
    folder.input('x', x)
    folder.input('labels', labels)
    save_weights(folder.path, weights)
    wide = {k: v.astype(np.float64) for k, v in weights.items()}
    loss, gradients = step(network, x.astype(np.float64), labels, wide)
    folder.expected('loss', loss)
    for k, g in gradients.items():
        folder.expected(f'grad.{k}', g)
        folder.expected(k, wide[k] - RATE * g)
    folder.finish()


def main():
    for case in json.load(sys.stdin):
        if case['benchmark'] in SHAPES and not Folder.is_made(case['name']):
            make(case['name'], case['benchmark'], case['params']['batch'])


if __name__ == '__main__':
    main()

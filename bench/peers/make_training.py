#!/usr/bin/python3
"""make_training.py < CASES: for each training step its inputs, weights, and what one step gives.

The reference is PyTorch 1.13 in f64: its autograd and its optimisers know nothing of our compiler's. CASES as for
make_cases.py; the networks are those of networks.py. Expected files: loss, grad.NAME for each parameter, and NAME for
each piece of the state behind the step."""
import json
import sys

import torch

import networks
from case_files import Folder, save_weights


def make(case):
    name, params = case['benchmark'], case['params']
    net = networks.trained(name)
    x, target = networks.examples(name, params['batch'], params.get('sequence', params.get('size')))
    folder = Folder(case['name'])
    folder.input('x', x.numpy())
    folder.input(networks.target_name(target), target.numpy())
    save_weights(folder.path, floats(net))
    net = net.double()
    optimizer = networks.optimizer(name, net)
    loss = networks.loss(net(x.double()), target.double() if target.is_floating_point() else target)
    loss.backward()
    optimizer.step()
    folder.expected('loss', loss.item())
    gradients = {k: p.grad.numpy() for k, p in net.named_parameters()}
    largest = max(abs(g).max() for g in gradients.values())
    for k, g in gradients.items():
        # Of the keys' bias it is 0 but for rounding, as softmax does not see it: no error can be related to it.
        if abs(g).max() > 1e-12 * largest:
            folder.expected(f'grad.{k}', g)
    for k, value in floats(net).items():
        folder.expected(k, value)
    folder.finish()


def floats(net):
    """The state without BatchNorm's counts of batches, which nothing computes with."""
    return {k: v.numpy() for k, v in net.state_dict().items() if v.is_floating_point()}


def main():
    for case in json.load(sys.stdin):
        if case['benchmark'].startswith('train_') and not Folder.is_made(case['name']):
            make(case)


if __name__ == '__main__':
    main()

#!/usr/bin/python3
"""torch_bench.py THREADS BLAS eager|jit NETWORK, torch_bench.py THREADS BLAS train BENCHMARK DATA: PyTorch 1.13 of Debian
on one of the networks, or a step of its training; prints one JSON line.

eager: also in the channels_last layout where there are convolutions, the better of the two. jit: optimize_for_inference. The
caller chooses the BLAS by the environment (src/Bench/Running/ProcessRunner.cs); BUDGET is the time that is sampled, in seconds."""
import copy
import itertools
import json
import os
import sys
import time
import warnings

import numpy as np
import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import networks

warnings.filterwarnings('ignore')
BUDGET = float(os.environ.get('BUDGET', '0.5'))


def measure(call):
    """As timing.h does: minimum, median, 90th percentile, the thread's own median, calls; seconds."""
    start, warm = time.perf_counter(), 0
    while time.perf_counter() - start < BUDGET * 0.3 or warm < 2:
        call()
        warm += 1
    each = (time.perf_counter() - start) / warm
    batch = int(100e-6 / each) + 1 if each < 100e-6 else 1
    times, computed, start = [], [], time.perf_counter()
    while len(times) < (7 if each < 0.05 else 3) or time.perf_counter() - start < BUDGET:
        own, before = time.thread_time(), time.perf_counter()
        for _ in range(batch):
            call()
        times.append((time.perf_counter() - before) / batch)
        computed.append((time.thread_time() - own) / batch)
    times.sort()
    computed.sort()
    return times[0], times[len(times) // 2], times[len(times) * 9 // 10], computed[len(computed) // 2], len(times) * batch


def inference(name, how):
    net, inputs = networks.network(name)
    inputs = list(inputs.values())
    calls = []
    with torch.no_grad():
        if how == 'jit':
            traced = torch.jit.trace(net, inputs)
            # optimize_for_inference fails on the lists of keys and values that the decoder returns.
            run = torch.jit.freeze(traced) if name.startswith('gpt2') else torch.jit.optimize_for_inference(traced)
            calls.append(lambda: run(*inputs))
        else:
            calls.append(lambda: net(*inputs))
            if name in ('resnet50', 'mobilenetv2'):
                last = copy.deepcopy(net).to(memory_format=torch.channels_last)
                image = inputs[0].contiguous(memory_format=torch.channels_last)
                calls.append(lambda: last(image))
        return min((measure(call) for call in calls), key=lambda m: m[1])


def training(name, data):
    """Forward, backward, update: each parameter by itself or all in one call (foreach), images also in the channels_last
    layout; the best of these."""
    tensor = lambda file: torch.from_numpy(np.load(f'{data}/{file}.npy'))
    x = tensor('x')
    target = tensor('labels' if os.path.exists(f'{data}/labels.npy') else 'target')

    def step(layout, foreach):
        net, image = networks.trained(name).to(memory_format=layout), x.contiguous(memory_format=layout)
        optimizer = networks.optimizer(name, net, foreach=foreach)

        def call():
            optimizer.zero_grad(set_to_none=True)
            networks.loss(net(image), target).backward()
            optimizer.step()
        return call
    layouts = [torch.contiguous_format] + ([torch.channels_last] if x.dim() == 4 else [])
    return min((measure(step(*how)) for how in itertools.product(layouts, (False, True))), key=lambda m: m[1])


def main():
    threads, how, name = int(sys.argv[1]), sys.argv[3], sys.argv[4]
    torch.set_num_threads(threads)
    least, median, p90, computed, calls = training(name, sys.argv[5]) if how == 'train' else inference(name, how)
    print(json.dumps({'peer': 'torch', 'threads': threads, 'min_us': least * 1e6, 'med_us': median * 1e6, 'p90_us': p90 * 1e6,
                      'cpu_us': computed * 1e6, 'n': calls}))


main()

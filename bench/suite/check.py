"""In: a folder of our results, a row. Out: the largest error against ONNX Runtime's on the same inputs, or a refusal.

The peer is the independent source. An error is |ours - theirs| / max |theirs| of the tensor: sums of thousands of
products in another order, and Winograd's transforms, leave a few units of 1e-6; a wrong index leaves 0.1 and more."""
import numpy as np

from .sides import HOME, Failed

BOUND = 1e-4


def check(row, variant, results):
    """The largest error over the results of a variant."""
    worst = 0.0
    for file, name in row.results.items():
        of, _, file = file.rpartition('/')
        if of and of != variant:
            continue
        ours = np.load(f'{results}/{file}.npy').astype(np.float64)
        theirs = np.load(HOME / 'data' / row.name / 'expected' / f'{name.lstrip("@")}.npy').astype(np.float64)
        if name.startswith('@'):
            theirs = theirs.transpose(0, 2, 3, 1)
        if ours.shape != theirs.shape:
            raise Failed(f'wrong result: {list(ours.shape)} where ONNX Runtime gives {list(theirs.shape)}')
        error = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
        if not error <= BOUND:
            raise Failed(f'wrong result: an error of {error:.2g}, {BOUND:g} is allowed; nothing was timed')
        worst = max(worst, error)
    return worst

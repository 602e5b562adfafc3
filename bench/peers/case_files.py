"""The files of a case below $PEERS_HOME/data, which `accc` and the peers read: inputs, weights, and the results that
both are held to."""
import json
import os
import shutil
import struct

import numpy as np

HOME = os.environ['PEERS_HOME']
KINDS = {'float32': 'F32', 'int64': 'I64'}


def save_weights(folder, tensors):
    """A safetensors file: the length of the header, the header, the data."""
    header, at = {}, 0
    # ascontiguousarray would make a number a list of one.
    arrays = {name: np.asarray(t, order='C') for name, t in tensors.items()}
    for name, array in arrays.items():
        header[name] = {'dtype': KINDS[array.dtype.name], 'shape': list(array.shape),
                        'data_offsets': [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(f'{folder}/weights.safetensors', 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text)
        for array in arrays.values():
            file.write(array.data)


class Folder:
    """A case's folder, which is there as a whole or not at all."""

    def __init__(self, name):
        self.name, self.path = name, f'{HOME}/data/{name}.part'
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(f'{self.path}/expected')

    @staticmethod
    def is_made(name):
        return os.path.exists(f'{HOME}/data/{name}/expected')

    def input(self, name, array):
        np.save(f'{self.path}/{name}.npy', array)

    def expected(self, name, array):
        np.save(f'{self.path}/expected/{name}.npy', np.asarray(array, np.float32))

    def finish(self):
        final = self.path[:-len('.part')]
        shutil.rmtree(final, ignore_errors=True)
        os.rename(self.path, final)
        print(self.name, flush=True)

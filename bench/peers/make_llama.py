#!/usr/bin/python3
"""make_llama.py < CASES: seeded Llamas of the 1.1 B model's sizes as GGUF files, and what a plain f32 forward pass in
NumPy gives for them.

The pass computes with the weights as each file holds them, dequantised: it is what llama.cpp is held to, and ours where
the weights are f32, for which the same model lies beside as safetensors with Hugging Face's keys. CASES as for
make_cases.py; those of llama_prompt (logits behind TOKENS tokens) and llama_decode (behind one more than CACHED) are
made. The quantisers are written from the formats."""
import json
import os
import struct
import sys
import zlib

import numpy as np

from case_files import HOME, Folder, save_weights

WIDTH, HEADS, GROUPS, SIZE, INNER, VOCABULARY = 2048, 32, 4, 64, 5632, 32000
EPSILON, ALIGN = 1e-5, 32
# GGUF's number of a format, of a file of it, elements of a block, bytes of one.
FORMATS = {'f32': (0, 0, 1, 4), 'f16': (1, 1, 1, 2), 'bf16': (30, 32, 1, 2), 'q8_0': (8, 7, 32, 34),
           'q4_0': (2, 2, 32, 18)}


def quantise(form, w):
    """The bytes of a matrix in a format, and the f32 values that they stand for."""
    if form == 'f32':
        return w.view(np.uint8), w
    if form == 'f16':
        half = w.astype(np.float16)
        return half.view(np.uint8), half.astype(np.float32)
    if form == 'bf16':
        bits = w.view(np.uint32)
        upper = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
        return upper.view(np.uint8), (upper.astype(np.uint32) << 16).view(np.float32)
    blocks = w.reshape(-1, 32)
    if form == 'q8_0':
        scale = np.abs(blocks).max(1) / 127
    else:
        scale = blocks[np.arange(len(blocks)), np.abs(blocks).argmax(1)] / -8
    steps = blocks * np.divide(1, scale, out=np.zeros_like(scale), where=scale != 0)[:, None]
    half = scale.astype(np.float16)
    data = np.empty((len(blocks), FORMATS[form][3]), np.uint8)
    data[:, :2] = half.view(np.uint8).reshape(-1, 2)
    if form == 'q8_0':
        q = np.rint(steps).astype(np.int8)
        data[:, 2:] = q.view(np.uint8)
    else:
        q = np.minimum(15, (steps + 8.5).astype(np.int8))
        data[:, 2:] = q[:, :16] | (q[:, 16:] << 4)
        q = q - np.int8(8)
    return data, (q * half.astype(np.float32)[:, None]).reshape(w.shape)


def tensors(layers):
    """Name, shape, scale and mean in the order of the file; scales keep values near 1 from layer to layer."""
    part, deep = GROUPS * SIZE, (2 * layers) ** -0.5
    yield 'token_embd.weight', (VOCABULARY, WIDTH), 1.0, 0
    for i in range(layers):
        for name, shape, scale, mean in (
                ('attn_norm', (WIDTH,), 0.1, 1), ('attn_q', (WIDTH, WIDTH), 1.4 * WIDTH ** -0.5, 0),
                ('attn_k', (part, WIDTH), 1.4 * WIDTH ** -0.5, 0), ('attn_v', (part, WIDTH), WIDTH ** -0.5, 0),
                ('attn_output', (WIDTH, WIDTH), 2 * deep * WIDTH ** -0.5, 0), ('ffn_norm', (WIDTH,), 0.1, 1),
                ('ffn_gate', (INNER, WIDTH), WIDTH ** -0.5, 0), ('ffn_up', (INNER, WIDTH), WIDTH ** -0.5, 0),
                ('ffn_down', (WIDTH, INNER), 3 * deep * INNER ** -0.5, 0)):
            yield f'blk.{i}.{name}.weight', shape, scale, mean
    yield 'output_norm.weight', (WIDTH,), 0.1, 1
    yield 'output.weight', (VOCABULARY, WIDTH), 2.5 * WIDTH ** -0.5, 0


def values(name, shape, scale, mean):
    """Of a seed that is the name's: every format rounds the same weights."""
    random = np.random.Generator(np.random.SFC64(zlib.crc32(name.encode())))
    w = random.standard_normal(shape, np.float32)
    w *= np.float32(scale)
    return w + np.float32(mean) if mean else w


class Gguf:
    """A file whose tensors come one after the other, in the order in which they were declared."""

    def __init__(self, path, form, layers):
        self.path, self.file = path, open(path + '.part', 'wb')
        text = lambda s: struct.pack('<Q', len(s)) + s.encode()
        fields = {'general.architecture': 'llama', 'general.name': 'seeded', 'llama.context_length': 2048,
                  'llama.embedding_length': WIDTH, 'llama.block_count': layers, 'llama.feed_forward_length': INNER,
                  'llama.attention.head_count': HEADS, 'llama.attention.head_count_kv': GROUPS,
                  'llama.rope.dimension_count': SIZE, 'llama.rope.freq_base': 10000.0,
                  'llama.attention.layer_norm_rms_epsilon': EPSILON, 'llama.vocab_size': VOCABULARY,
                  'tokenizer.ggml.model': 'none', 'general.file_type': FORMATS[form][1]}
        listed = list(tensors(layers))
        head = struct.pack('<4sIQQ', b'GGUF', 3, len(listed), len(fields))
        for key, v in fields.items():
            head += text(key) + (struct.pack('<I', 8) + text(v) if isinstance(v, str)
                                 else struct.pack('<If', 6, v) if isinstance(v, float) else struct.pack('<II', 4, v))
        at = 0
        for name, shape, *_ in listed:
            kind, _, block, size = FORMATS['f32' if len(shape) == 1 else form]
            head += text(name) + struct.pack('<I', len(shape)) + b''.join(struct.pack('<Q', s) for s in shape[::-1])
            head += struct.pack('<IQ', kind, at)
            at += -(-int(np.prod(shape)) // block * size // ALIGN) * ALIGN
        self.file.write(head + b'\0' * (-len(head) % ALIGN))

    def add(self, data):
        self.file.write(data.data)
        self.file.write(b'\0' * (-data.nbytes % ALIGN))

    def close(self):
        self.file.close()
        os.rename(self.path + '.part', self.path)


def norm(x, w):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(EPSILON)) * w


def turn(x):
    """Rotary positions of [t, heads, SIZE]: pairs are neighbours, as GGUF's Llamas have them."""
    angle = (np.arange(len(x))[:, None] * 10000.0 ** (-np.arange(0, SIZE, 2) / SIZE))[:, None, :]
    c, s, a, b = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32), x[..., ::2], x[..., 1::2]
    y = np.empty_like(x)
    y[..., ::2], y[..., 1::2] = a * c - b * s, a * s + b * c
    return y


def attend(q, k, v):
    t = len(q)
    k, v = (np.repeat(y, HEADS // GROUPS, 1) for y in (k, v))
    scores = np.einsum('ihd,jhd->hij', q, k, optimize=True) * np.float32(SIZE ** -0.5)
    scores = np.where(np.tril(np.ones((t, t), bool)), scores, np.float32(-np.inf))
    p = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum('hij,jhd->ihd', p / p.sum(-1, keepdims=True), v, optimize=True).reshape(t, WIDTH)


def layer(w, x):
    """What a layer makes of [t, WIDTH], and its keys and values."""
    n, t = norm(x, w['attn_norm']), len(x)
    q, k, v = ((n @ w[f'attn_{c}'].T).reshape(t, -1, SIZE) for c in 'qkv')
    q, k = turn(q), turn(k)
    x = x + attend(q, k, v) @ w['attn_output'].T
    n = norm(x, w['ffn_norm'])
    gate = n @ w['ffn_gate'].T
    return x + (gate / (1 + np.exp(-gate)) * (n @ w['ffn_up'].T)) @ w['ffn_down'].T, k, v


def halves(w):
    """Rows of neighbouring pairs as rows of halves: Hugging Face's and our order of a head's elements."""
    return np.ascontiguousarray(w.reshape(-1, SIZE // 2, 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape))


OURS = {'attn_norm': 'input_layernorm', 'attn_q': 'self_attn.q_proj', 'attn_k': 'self_attn.k_proj',
        'attn_v': 'self_attn.v_proj', 'attn_output': 'self_attn.o_proj', 'ffn_norm': 'post_attention_layernorm',
        'ffn_gate': 'mlp.gate_proj', 'ffn_up': 'mlp.up_proj', 'ffn_down': 'mlp.down_proj',
        'token_embd': 'embed_tokens', 'output_norm': 'norm', 'output': 'lm_head'}


def our_name(name):
    *place, part, kind = name.split('.')
    return '.'.join((['layers', place[1]] if place else []) + [OURS[part], kind])


def make(layers, form, count, names):
    """One model, and behind COUNT tokens and one more the logits; names: prompt's and decode's cases."""
    tokens = [(i * 7919 + 13) % 31999 for i in range(count + 1)]
    file = Gguf(f'{HOME}/models/llama_l{layers}_{form}.gguf', form, layers)
    ours, held, cache = {}, {}, []
    for name, shape, scale, mean in tensors(layers):
        w = values(name, shape, scale, mean)
        data, w = (w.view(np.uint8), w) if len(shape) == 1 else quantise(form, w)
        file.add(data)
        if form == 'f32':
            ours[our_name(name)] = halves(w) if 'attn_q' in name or 'attn_k' in name else w
        if name == 'token_embd.weight':
            x = w[tokens]
            continue
        held[name.split('.')[-2]] = w
        if name.endswith('ffn_down.weight'):
            x, k, v = layer(held, x)
            cache.append((k, v))
            held = {}
    logits = norm(x[-2:], held['output_norm']) @ held['output'].T
    file.close()
    first = None
    for which, name in enumerate(names):
        folder = Folder(name)
        folder.expected('logits', logits[which:which + 1])
        if form == 'f32':
            # [layers, 2, 1, groups, positions, size]: COUNT taken, room for one more.
            taken = np.zeros((layers, 2, 1, GROUPS, count + 1, SIZE), np.float32)
            if which == 1:
                for i, (k, v) in enumerate(cache):
                    k = np.stack([k[..., ::2], k[..., 1::2]], -2).reshape(k.shape)
                    taken[i, :, 0, :, :count] = np.stack([k, v])[:, :count].swapaxes(1, 2)
            folder.input('cache', taken)
            folder.input('ids', np.array([tokens[:count] if which == 0 else tokens[count:]], np.int64))
            # Both cases read the same gigabytes.
            if first is None:
                save_weights(folder.path, ours)
            else:
                os.link(f'{first}/weights.safetensors', f'{folder.path}/weights.safetensors')
        folder.finish()
        first = first or folder.path[:-len('.part')]


def main():
    models = {}
    for case in json.load(sys.stdin):
        p = case['params']
        if case['benchmark'] in ('llama_prompt', 'llama_decode'):
            models[p['layers'], p['weights'], p.get('tokens', p.get('cached'))] = None
    for layers, form, count in models:
        names = [f'llama_prompt_l{layers}_t{count}_{form}', f'llama_decode_l{layers}_c{count}_{form}']
        model = f'{HOME}/models/llama_l{layers}_{form}.gguf'
        if not all(Folder.is_made(n) for n in names) or not os.path.exists(model):
            make(layers, form, count, names)


if __name__ == '__main__':
    main()

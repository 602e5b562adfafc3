"""In: a name. Out: the network that the peers run, with seeded random weights, and its example inputs. PyTorch's modules;
the weights carry the names that our .acc models give them (`weights`)."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class Mlp(nn.Module):
    def __init__(self, softmax=True):
        super().__init__()
        self.softmax = softmax
        self.a, self.b, self.c = nn.Linear(784, 512), nn.Linear(512, 512), nn.Linear(512, 10)

    def forward(self, x):
        x = self.c(F.relu(self.b(F.relu(self.a(x)))))
        return F.softmax(x, -1) if self.softmax else x


class Cnn(nn.Module):
    """The training row's network: two convolutions, each pooled, and a linear layer."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.fc = nn.Linear(64 * 7 * 7, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        return self.fc(F.max_pool2d(F.relu(self.c2(x)), 2).flatten(1))


class Block(nn.Module):
    """A transformer layer: norms before (ViT) or behind (BERT) the attention and the two linear layers."""

    def __init__(self, before, d=768, heads=12, inner=3072):
        super().__init__()
        self.before, self.heads = before, heads
        self.q, self.k, self.v, self.o = (nn.Linear(d, d) for _ in range(4))
        self.l1, self.l2 = (nn.LayerNorm(d, eps=1e-6 if before else 1e-12) for _ in range(2))
        self.f1, self.f2 = nn.Linear(d, inner), nn.Linear(inner, d)

    def attend(self, x):
        b, t, d = x.shape
        q, k, v = (y.view(b, t, self.heads, d // self.heads).transpose(1, 2) for y in (self.q(x), self.k(x), self.v(x)))
        p = torch.softmax(q @ k.transpose(-1, -2) * (1 / math.sqrt(d // self.heads)), -1)
        return self.o((p @ v).transpose(1, 2).reshape(b, t, d))

    def forward(self, x):
        if self.before:
            x = x + self.attend(self.l1(x))
            return x + self.f2(F.gelu(self.f1(self.l2(x))))
        x = self.l1(x + self.attend(x))
        return self.l2(x + self.f2(F.gelu(self.f1(x))))


class Bert(nn.Module):
    def __init__(self):
        super().__init__()
        self.b = nn.Sequential(*[Block(before=False) for _ in range(12)])

    def forward(self, x):
        return self.b(x)


class ViT(nn.Module):
    def __init__(self, d=768):
        super().__init__()
        self.p = nn.Conv2d(3, d, 16, 16)
        self.cls = nn.Parameter(torch.randn(1, 1, d) * 0.02)
        self.pos = nn.Parameter(torch.randn(1, 197, d) * 0.02)
        self.b = nn.Sequential(*[Block(before=True) for _ in range(12)])
        self.ln, self.hd = nn.LayerNorm(d, eps=1e-6), nn.Linear(d, 1000)

    def forward(self, x):
        x = self.p(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], 1, -1), x], 1) + self.pos
        return self.hd(self.ln(self.b(x))[:, 0])


class GptBlock(nn.Module):
    def __init__(self, d=768, heads=12):
        super().__init__()
        self.heads = heads
        self.qkv, self.o = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.l1, self.l2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.f1, self.f2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x, past_k, past_v):
        d = x.shape[-1]
        q, k, v = (y.view(1, 1, self.heads, d // self.heads).transpose(1, 2) for y in self.qkv(self.l1(x)).split(d, -1))
        k, v = torch.cat([past_k, k], 2), torch.cat([past_v, v], 2)
        p = torch.softmax(q @ k.transpose(-1, -2) * (1 / math.sqrt(d // self.heads)), -1)
        x = x + self.o((p @ v).transpose(1, 2).reshape(1, 1, d))
        return x + self.f2(F.gelu(self.f1(self.l2(x)), approximate='tanh')), k, v


class CausalBlock(GptBlock):
    """The layer as it is trained: all tokens at once, each attending to itself and those before it."""

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (y.view(b, t, self.heads, d // self.heads).transpose(1, 2) for y in self.qkv(self.l1(x)).split(d, -1))
        later = torch.ones(t, t, dtype=torch.bool).triu(1)
        scores = (q @ k.transpose(-1, -2) * (1 / math.sqrt(d // self.heads))).masked_fill(later, -math.inf)
        x = x + self.o((torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(b, t, d))
        return x + self.f2(F.gelu(self.f1(self.l2(x)), approximate='tanh'))


class Lstm(nn.Module):
    """The training row's recurrent network: all outputs of one layer."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(128, 256, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]


class Gpt2(nn.Module):
    """One decode step of GPT-2 behind 128 cached tokens; the head is the embedding's table."""

    def __init__(self, d=768, past=128):
        super().__init__()
        self.past = past
        self.wte, self.wpe = nn.Embedding(50257, d), nn.Embedding(1024, d)
        self.wte.weight.data *= 0.02
        self.wpe.weight.data *= 0.01
        self.b = nn.ModuleList([GptBlock() for _ in range(12)])
        self.ln = nn.LayerNorm(d)
        self.hd = nn.Linear(d, 50257, bias=False)
        self.hd.weight.data = self.wte.weight.data

    def forward(self, ids, past_k, past_v):
        x, ks, vs = self.wte(ids) + self.wpe.weight[self.past], [], []
        for i, block in enumerate(self.b):
            x, k, v = block(x, past_k[i], past_v[i])
            ks.append(k)
            vs.append(v)
        return self.hd(self.ln(x)), torch.stack(ks), torch.stack(vs)


def _torchvision(name):
    import torchvision
    network = getattr(torchvision.models, name)(weights=None)
    # A network just made has the running statistics 0 and 1, with which values grow from layer to layer.
    network.train()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # the mean over all batches seen
        for _ in range(2):
            network(torch.randn(8, 3, 64, 64))
    return network


def network(name):
    """The network and its inputs by name, of one seed."""
    torch.manual_seed(0)
    image = {'x': torch.randn(1, 3, 224, 224)}
    if name == 'resnet50':
        return _torchvision('resnet50').eval(), image
    if name == 'mobilenetv2':
        return _torchvision('mobilenet_v2').eval(), image
    if name == 'bert_base_s128':
        return Bert().eval(), {'x': torch.randn(1, 128, 768)}
    if name == 'vit_b16':
        return ViT().eval(), image
    if name == 'gpt2_decode_kv128':
        past = [torch.randn(12, 1, 12, 128, 64) for _ in range(2)]
        return Gpt2().eval(), {'ids': torch.tensor([[42]]), 'past_k': past[0], 'past_v': past[1]}
    if name in ('mlp_b64', 'mlp_b1'):
        return Mlp().eval(), {'x': torch.randn(int(name[5:]), 784)}
    raise ValueError(f'there is no network {name}')


def trained(name):
    """The network of a training row, of one seed."""
    torch.manual_seed(0)
    if name == 'train_resnet50':
        import torchvision
        return torchvision.models.resnet50(weights=None)
    made = {'train_mlp': lambda: Mlp(softmax=False), 'train_cnn': Cnn, 'train_bert_block': lambda: Block(before=False),
            'train_gpt2_block': CausalBlock, 'train_lstm': Lstm}
    return made[name.removesuffix('_adamw')]()


def examples(name, batch, size):
    """A training row's inputs, and what the network is to give: classes, or values. `size` is the length of a sequence or
    of an image's side."""
    torch.manual_seed(1)
    classes = lambda count: torch.randint(0, count, (batch,))
    if name.startswith('train_mlp'):
        return torch.randn(batch, 784), classes(10)
    if name == 'train_cnn':
        return torch.randn(batch, 1, 28, 28), classes(10)
    if name == 'train_resnet50':
        return torch.randn(batch, 3, size, size), classes(1000)
    inner, outer = (128, 256) if name == 'train_lstm' else (768, 768)
    return torch.randn(batch, size, inner), torch.randn(batch, size, outer)


def target_name(target):
    """What our programs call it."""
    return 'target' if target.is_floating_point() else 'labels'


def loss(y, target):
    return F.mse_loss(y, target) if target.is_floating_point() else F.cross_entropy(y, target)


def optimizer(name, net, **how):
    if name.endswith('_adamw'):
        return torch.optim.AdamW(net.parameters(), **how)
    return torch.optim.SGD(net.parameters(), lr=0.01, **how)


def weights(name, net):
    """The network's state under the names of our model of it."""
    state = {k: v.detach() for k, v in net.state_dict().items()}
    if name == 'vit_b16':
        return _vit(state)
    if name == 'gpt2_decode_kv128':
        return _gpt2(state)
    return state


def _vit(s):
    out = {'class_token': s['cls'], 'encoder.pos_embedding': s['pos'], 'conv_proj.weight': s['p.weight'],
           'conv_proj.bias': s['p.bias']}
    for kind in ('weight', 'bias'):
        out |= {f'encoder.ln.{kind}': s[f'ln.{kind}'], f'heads.head.{kind}': s[f'hd.{kind}']}
        for i in range(12):
            to = f'encoder.layers.encoder_layer_{i}'
            out[f'{to}.self_attention.in_proj_{kind}'] = torch.cat([s[f'b.{i}.{p}.{kind}'] for p in 'qkv'])
            for theirs, ours in (('o', 'self_attention.out_proj'), ('l1', 'ln_1'), ('l2', 'ln_2'), ('f1', 'mlp.0'),
                                 ('f2', 'mlp.3')):
                out[f'{to}.{ours}.{kind}'] = s[f'b.{i}.{theirs}.{kind}']
    return out


def _gpt2(s):
    out = {'wte.weight': s['wte.weight'], 'wpe.weight': s['wpe.weight'], 'ln_f.weight': s['ln.weight'],
           'ln_f.bias': s['ln.bias']}
    for i in range(12):
        for theirs, ours in (('qkv', 'attn.c_attn'), ('o', 'attn.c_proj'), ('f1', 'mlp.c_fc'), ('f2', 'mlp.c_proj')):
            out[f'h.{i}.{ours}.weight'] = s[f'b.{i}.{theirs}.weight'].T.contiguous()
            out[f'h.{i}.{ours}.bias'] = s[f'b.{i}.{theirs}.bias']
        for kind in ('weight', 'bias'):
            out[f'h.{i}.ln_1.{kind}'] = s[f'b.{i}.l1.{kind}']
            out[f'h.{i}.ln_2.{kind}'] = s[f'b.{i}.l2.{kind}']
    return out

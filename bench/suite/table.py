"""In: stored results. Out: the lines of the table, as text for a terminal and as Markdown for the README."""
import math
import statistics
from dataclasses import dataclass

from .rows import ROWS


@dataclass
class Figures:
    """One line at one number of threads."""
    line: object
    row: object
    threads: int
    ours: float | None = None      # µs: the median over the rounds of the processes' medians
    best: float | None = None      # of the best peer
    peer: str = ''
    ratio: float | None = None     # best / ours: above 1 we are ahead
    low: float = 0                 # of the rounds' ratios
    high: float = 0
    rate: str = ''                 # GFLOP/s or GB/s
    bound: str = ''                # what bounds it, and how much of that is reached
    note: str = ''                 # why there is no figure
    others: str = ''               # every peer


def time(us):
    return '-' if us is None else f'{us / 1e3:.3g} ms' if us >= 1000 else f'{us:.3g} µs'


def figures(store, row, line, threads):
    """The numbers of a line; the ratio is of medians, its spread over the rounds both sides have."""
    out = Figures(line, row, threads)
    side = f'ours:{line.variant}'
    if row.only:
        out.note = row.only
    mine = store.medians(row.name, threads, side)
    theirs = {p: store.medians(row.name, threads, p) for p in line.peers}
    medians = {p: statistics.median(m.values()) for p, m in theirs.items() if m}
    if medians:
        out.peer = min(medians, key=medians.get)
        out.best = medians[out.peer]
        out.others = ', '.join(f'{p} {time(m)}' for p, m in sorted(medians.items(), key=lambda i: i[1]))
    if not mine:
        out.note = out.note or store.failure(row.name, threads, side) or 'not measured'
        return out
    out.ours = statistics.median(mine.values())
    out.rate, out.bound = _limit(store, row, side, threads, out.ours)
    if out.best:
        out.ratio = out.best / out.ours
        rounds = [theirs[out.peer][r] / mine[r] for r in mine if r in theirs[out.peer]] or [out.ratio]
        out.low, out.high = min(rounds), max(rounds)
    return out


def _limit(store, row, side, threads, us):
    """The rate, and the roofline: the greater of arithmetic at the FMA peak of the same processes and traffic at the
    bandwidth of the level that holds all of the row's data."""
    peak = store.field(row.name, threads, side, 'peak_gflops')
    machine = store.machine.get(threads, {})
    arithmetic = row.flops / peak * 1e-3 if peak and row.flops else 0  # µs
    level = next((l for l in ('L1', 'L2', 'L3') if row.bytes <= machine.get(f'{l}_bytes', 0)), 'DRAM')
    # A map reads and writes; weights are read only.
    rate = machine.get(f'{level}_read') if row.flops else machine.get(f'{level}_move')
    traffic = row.bytes / rate * 1e-3 if rate else 0
    if row.flops and arithmetic >= traffic:
        return f'{row.flops / us * 1e-3:.3g} GFLOP/s', f'FMA {100 * arithmetic / us:.0f} %' if arithmetic else ''
    return f'{row.bytes / us * 1e-3:.3g} GB/s', f'{level} {100 * traffic / us:.0f} %' if traffic else ''


def ratio(f):
    return '' if f.ratio is None else f'{f.ratio:.2f} ({f.low:.2f}–{f.high:.2f})'


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def text(store, row, threads):
    """The lines of a row for a terminal."""
    for line in row.lines:
        f = figures(store, row, line, threads)
        head = f'{line.title:44} {threads}t '
        if f.ours is None:
            yield f'{head} {f.note}' + (f'; peers: {f.others}' if f.others else '')
        else:
            yield f'{head} {time(f.ours):>9}  {f.rate:>12}  {f.bound:>9}  ×{ratio(f):<18} {f.others}'


def parts():
    """The parts of the table in order; a line without Winograd belongs to that of the line before it."""
    return list(dict.fromkeys(l.part for r in ROWS if not r.only for l in r.lines if l.part != 'without Winograd'))


def summary(store, threads):
    """Geometric means of the ratios of each part, and where there is one of the part without Winograd."""
    for part in parts():
        lines = [(r, l) for r in ROWS for l in r.lines if l.part == part]
        plain = [(r, next((d for d in r.lines if l.plain and d.variant == l.plain), l)) for r, l in lines]
        for name, group in ((part, lines), (f'{part}, without Winograd', plain)):
            if name != part and group == lines:
                continue
            ratios = [f.ratio for r, l in group if (f := figures(store, r, l, threads)).ratio]
            if ratios:
                missing = '' if len(ratios) == len(group) else f' ({len(ratios)} of {len(group)} rows)'
                yield name, f'{mean(ratios):.3f}{missing}'


def machine_line(store, thread_counts):
    """What the figures are worth nothing without."""
    found = [store.machine[t] for t in thread_counts if t in store.machine]
    if not found:
        return 'Machine: not measured.'
    one = found[0]
    both = lambda name: ' · '.join(f'{m[name]:.0f}' for m in found if name in m)
    rounds = [len(store.medians(*key)) for key, records in store.records.items() if key[2].startswith('ours:')]
    said = lambda name: one.get(name, '?')
    return (f'Machine: {said("machine")}; f32 FMA {both("fma_gflops")} GFLOP/s, DRAM read {both("DRAM_read")} GB/s on '
            f'{" · ".join(str(m["threads"]) for m in found)} threads; .NET {said("dotnet")}, LLVM {said("llvm")}; '
            f'accc {said("commit")}, {said("at")[:10]}; medians of {statistics.median_low(rounds) if rounds else 0} '
            'processes a side.')


def markdown(store, thread_counts, command):
    """The README's table: `command` prints it."""
    yield machine_line(store, thread_counts)
    yield ''
    yield f"`{command}` prints what `bench/compare` has measured. A ratio is the best peer's time over ours, above 1 we are"
    yield 'ahead; in brackets the least and the greatest of a round. The limit is the roofline (`bench/README.md`); Winograd'
    yield 'does less arithmetic than it counts.'
    yield ''
    count = lambda t: f'{t} thread{"s" if t > 1 else ""}'
    means = [dict(summary(store, t)) for t in thread_counts]
    yield '| geometric mean of the ratios | ' + ' | '.join(map(count, thread_counts)) + ' |'
    yield '|---|' + '---|' * len(thread_counts)
    for name in dict.fromkeys(n for m in means for n in m):
        yield f'| {name} | ' + ' | '.join(m.get(name, '') for m in means) + ' |'
    yield ''
    head = ['case']
    for t in thread_counts:
        head += [f'ours, {count(t)}', 'of the limit', 'best peer', 'ratio (rounds)']
    yield '| ' + ' | '.join(head) + ' |'
    yield '|' + '---|' * len(head)
    for row in ROWS:
        for line in row.lines:
            cells = [line.title]
            for threads in thread_counts:
                f = figures(store, row, line, threads)
                peer = f'{time(f.best)} {f.peer.replace("_", " ")}' if f.best else '-'
                cells += [time(f.ours), f.bound, peer, ratio(f)] if f.ours else [f.note, '', peer, '']
            yield '| ' + ' | '.join(cells) + ' |'


def behind(store, thread_counts, least=1.0):
    """The lines whose ratio is below `least`, the worst first: what to work on."""
    every = [figures(store, r, l, t) for t in thread_counts for r in ROWS for l in r.lines]
    for f in sorted((f for f in every if f.ratio and f.ratio < least), key=lambda f: f.ratio):
        ours = f'{f.threads}t  {f.line.title:44} {time(f.ours):>9}  {f.bound:>9}'
        yield f'{f.ratio:5.2f}  {ours}  {f.peer} {time(f.best)}'

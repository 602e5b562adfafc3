"""In: a row, a side, a number of threads. Out: the record of a fresh process of it. A side is `ours:VARIANT` or a peer."""
import functools
import hashlib
import json
import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
HOME = Path(os.environ.get('PEERS_HOME') or CACHE / 'accelerate-peers')
LIBRARIES = Path('/usr/lib/x86_64-linux-gnu')

ACCC = ['dotnet', '']  # the command, set by `build`

# Where Debian puts the BLAS builds, and what chooses their kernels.
_BLAS = {'openblas': LIBRARIES / 'openblas-pthread/libopenblas.so.0', 'blis': LIBRARIES / 'blis-pthread/libblis.so.4'}

# PyTorch finds its BLAS on the library path; with Haswell's kernels or BLIS it has to be told of AVX-512.
_TORCH = {
    'openblas': {'LD_LIBRARY_PATH': LIBRARIES / 'openblas-openmp'},
    'haswell': {'LD_LIBRARY_PATH': LIBRARIES / 'openblas-openmp', 'OPENBLAS_CORETYPE': 'Haswell',
                'ATEN_CPU_CAPABILITY': 'avx512'},
    'blis': {'LD_LIBRARY_PATH': LIBRARIES / 'blis-pthread', 'ATEN_CPU_CAPABILITY': 'avx512'},
}

# Without these glibc gives big tensors back to the kernel after every call, and some rows are five times slower.
_MALLOC = {'MALLOC_MMAP_MAX_': 0, 'MALLOC_TRIM_THRESHOLD_': 1 << 34, 'MALLOC_TOP_PAD_': 64 << 20}

# Our tensors ask for huge pages. With them ONNX Runtime's GPT-2 step takes 23.5 ms instead of 28.9, ViT-B/16 343 instead
# of 351, BERT 230 instead of 236, relu on 16M floats 2.8 instead of 3.9, and nothing measured takes longer (1 thread, CPU
# time, Zen 4).
_PAGES = {'huge': {'GLIBC_TUNABLES': 'glibc.malloc.hugetlb=1'}, 'small': {}}


class Failed(Exception):
    """A process that gave no record: what it said."""


def build():
    """Builds accc if need be, copies it to where no later build changes it; gives its name: a hash of its sources.

    Not of its assemblies: they hold the commit's name, and a commit of the README would be another build."""
    subprocess.run([ROOT / 'accc', 'env'], check=True, stdout=subprocess.DEVNULL)
    made = ROOT / 'src/Cli/bin/accc'
    digest = hashlib.sha256()
    sources = [p for p in (ROOT / 'src').rglob('*') if p.suffix in ('.cs', '.csproj', '.acc', '.props')]
    for path in sorted(p for p in sources if not {'bin', 'obj'} & set(p.parts)):
        digest.update(path.read_bytes())
    name = digest.hexdigest()[:12]
    copied = HOME / 'accc' / name
    if not copied.exists():
        for old in (HOME / 'accc').glob('*'):
            if time.time() - old.stat().st_mtime > 24 * 3600:
                shutil.rmtree(old)
        shutil.copytree(made, copied.with_suffix('.part'), dirs_exist_ok=True)
        copied.with_suffix('.part').rename(copied)
    global ACCC
    ACCC = ['dotnet', str(copied / 'accc.dll')]
    return name


def now():
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())


@functools.cache
def has_option(option):
    """Whether `accc time` knows an option."""
    text = subprocess.run([*ACCC, 'time', '--help'], capture_output=True, text=True, check=True).stdout
    return option in text


def unavailable(row, side):
    """Why a side cannot run; None if it can."""
    if side.startswith('ours:'):
        missing = [a for a in row.ours[side[5:]] if a.startswith('--') and not has_option(a)]
        return f'not supported: accc has no {missing[0]}' if missing else None
    program = row.peers[side][0]
    path = ROOT / 'bench/peers/torch_bench.py' if program == 'torch' else HOME / 'bin' / program
    return None if path.exists() else f'{program} is not built: bench/peers/build'


def run(row, side, threads, seconds, results=None, pages='huge'):
    """One process: its record. `results`: the folder our first call's results go to."""
    names = {'threads': str(threads), 'row': row.name, 'data': str(HOME / 'data' / row.name), 'models': str(HOME / 'models'),
             **{k: str(v) for k, v in _BLAS.items()}}
    fill = lambda words: [w.format(**names) if '{' in w else w for w in words]
    environment = {'BUDGET': seconds, 'OMP_NUM_THREADS': threads, 'OPENBLAS_NUM_THREADS': threads,
                   'BLIS_NUM_THREADS': threads, **_MALLOC, **_PAGES[pages]}
    if side.startswith('ours:'):
        # The allocator's settings are for programs of glibc's; .NET's native memory does not need them.
        environment = {'DOTNET_SYSTEM_GLOBALIZATION_INVARIANT': 1}
        command = [*ACCC, 'time', *fill(row.ours[side[5:]]), '--threads', str(threads), '--seconds', str(seconds)]
        if results:
            command += ['--out', str(results)]
    else:
        program, *arguments = row.peers[side]
        if program == 'torch':
            environment |= _TORCH[arguments[1]]
            command = ['/usr/bin/python3', str(ROOT / 'bench/peers/torch_bench.py'), *fill(arguments)]
        else:
            command = [str(HOME / 'bin' / program), *fill(arguments)]
        if program in ('dnnl', 'xsmm', 'loops'):
            environment['OMP_PROC_BIND'] = 'true'
        if 'haswell' in side:
            environment['OPENBLAS_CORETYPE'] = 'Haswell'
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    everything = {**os.environ, **{k: str(v) for k, v in environment.items()}}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=everything)
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        said = (done.stderr.strip() or done.stdout.strip() or f'exit code {done.returncode}').splitlines()
        raise Failed(said[0] if side.startswith('ours:') else said[-1])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    computed = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # What the whole process took, start and loading included: it says how long a run of the suite is.
    elapsed = time.monotonic() - started
    return {**json.loads(lines[-1]), 'process_s': round(elapsed, 3), 'process_cpu_s': round(computed, 3)}


def limits(threads):
    """The machine's limits on that many threads, measured now: {name: figure}."""
    done = subprocess.run([*ACCC, 'limits', '--threads', str(threads), '--json'], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else {}

"""In: records of processes. Out: a file of JSON lines that runs append to, and what of it belongs to one build."""
import json
import statistics
from collections import defaultdict

from .sides import HOME

FILE = HOME / 'compare.jsonl'


class Store:
    """Records by (row, threads, side), each side's rounds in order. What was refused or not supported has `failed`."""

    def __init__(self, build, clock='med_us', pages='huge', file=FILE):
        self.build, self.clock, self.pages, self.file = build, clock, pages, file
        self.records = defaultdict(list)
        self.machine = {}
        if file.exists():
            for line in file.read_text().splitlines():
                self._take(json.loads(line))

    def _take(self, record):
        if record['build'] != self.build or record.get('pages', self.pages) != self.pages:
            return
        if record['side'] == 'machine':
            self.machine[record['threads']] = record
        elif record['side'] == 'fresh':
            self._forget(record['row'], record['threads'])
        else:
            self.records[record['row'], record['threads'], record['side']].append(record)

    def add(self, **record):
        record = {'build': self.build, **record}
        with open(self.file, 'a', encoding='utf-8') as out:
            out.write(json.dumps(record) + '\n')
        self._take(record)

    def forget(self, row, threads):
        """What is measured of a row before no longer counts: a record too, so that a fresh run can be interrupted."""
        self.add(side='fresh', row=row, threads=threads)

    def _forget(self, row, threads):
        for key in [k for k in self.records if k[:2] == (row, threads)]:
            del self.records[key]

    def medians(self, row, threads, side):
        """round → the median of its process, in µs."""
        clock = self.clock if threads == 1 else 'med_us'
        return {r['round']: r[clock] for r in self.records[row, threads, side] if 'failed' not in r}

    def failure(self, row, threads, side):
        found = self.records[row, threads, side]
        return found[-1].get('failed') if found else None

    def rounds(self, row, threads, side):
        """How many rounds a side has; one that failed needs no more."""
        return 10 ** 9 if self.failure(row, threads, side) else len(self.medians(row, threads, side))

    def field(self, row, threads, side, name):
        """The median of another field over the rounds; None where no record has it."""
        found = [r[name] for r in self.records[row, threads, side] if r.get(name) is not None]
        return statistics.median(found) if found else None

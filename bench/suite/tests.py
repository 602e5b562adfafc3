"""The arithmetic of the table on results made up for it: python3 -m unittest bench/suite/tests.py, from the repository's root."""
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from suite import table
from suite.rows import ROWS, WHOLE, Line, Row
from suite.store import Store

ROW = Row('r', 2e6, 4e6, {'a': []}, {'p': [], 'q': []}, [Line('title', 'a', ('p', 'q'), 'part')])


class Table(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.file = pathlib.Path(self.folder.name) / 'results.jsonl'
        self.store = Store('build', file=self.file)

    def tearDown(self):
        self.folder.cleanup()

    def add(self, side, *medians, row='r', **more):
        for i, m in enumerate(medians):
            self.store.add(row=row, threads=1, side=side, round=i, med_us=m, **more)

    def figures(self):
        return table.figures(self.store, ROW, ROW.lines[0], 1)

    def test_the_best_peer_is_the_one_with_the_least_median_and_the_ratio_is_of_medians(self):
        self.add('ours:a', 10, 20, 40)
        self.add('p', 30, 5, 30)    # median 30, though once the quickest
        self.add('q', 26, 25, 24)   # median 25
        f = self.figures()
        self.assertEqual(('q', 25, 20, 1.25), (f.peer, f.best, f.ours, f.ratio))
        self.assertEqual((24 / 40, 26 / 10), (f.low, f.high))

    def test_the_limit_is_the_higher_floor(self):
        self.store.add(side='machine', threads=1, L3_bytes=8e6, L3_read=100, DRAM_read=10)
        # 2 MFLOP at 100 GFLOP/s are 20 µs, 4 MB at 100 GB/s are 40 µs, of which 80 µs are twice as many.
        self.add('ours:a', 80, peak_gflops=100)
        self.assertEqual(('50 GB/s', 'L3 50 %'), (self.figures().rate, self.figures().bound))

    def test_arithmetic_bounds_a_row_of_few_bytes(self):
        self.store.add(side='machine', threads=1, L3_bytes=8e6, L3_read=1000, DRAM_read=10)
        self.add('ours:a', 80, peak_gflops=100)
        self.assertEqual(('25 GFLOP/s', 'FMA 25 %'), (self.figures().rate, self.figures().bound))

    def test_a_refused_side_has_its_reason_and_needs_no_more_rounds(self):
        self.store.add(row='r', threads=1, side='ours:a', failed='wrong result')
        self.add('p', 30)
        f = self.figures()
        self.assertEqual(('wrong result', None, 30), (f.note, f.ours, f.best))
        self.assertGreater(self.store.rounds('r', 1, 'ours:a'), 1000)

    def test_results_of_another_build_are_not_taken(self):
        self.add('ours:a', 10)
        self.assertEqual({0: 10}, Store('build', file=self.file).medians('r', 1, 'ours:a'))
        self.assertEqual({}, Store('other', file=self.file).medians('r', 1, 'ours:a'))

    def test_the_mean_of_the_models_is_geometric_and_says_what_is_missing(self):
        self.add('ours:ours', 10, row='resnet50')
        self.add('onnxruntime', 40, row='resnet50')
        self.add('ours:direct', 20, row='resnet50')
        self.add('ours:ours', 10, row='vit_b16')
        self.add('onnxruntime', 10, row='vit_b16')
        found = dict(table.summary(self.store, 1))
        self.assertEqual(['with Winograd, 2 of 5 models', 'without, 2 of 5 models'], list(found))
        self.assertAlmostEqual(2, found['with Winograd, 2 of 5 models'])
        self.assertAlmostEqual(2 ** 0.5, found['without, 2 of 5 models'])


class Rows(unittest.TestCase):
    def test_lines_name_sides_that_exist(self):
        for row in ROWS:
            for line in row.lines:
                if row.only is None:
                    self.assertIn(line.variant, row.ours)
                for peer in line.peers:
                    self.assertIn(peer, row.peers)
            for peer in (*row.slow, *row.single):
                self.assertIn(peer, row.peers)
        self.assertEqual(len(ROWS), len({row.name for row in ROWS}))
        self.assertTrue(set(WHOLE) <= {row.name for row in ROWS})


if __name__ == '__main__':
    unittest.main()

"""The arithmetic of the table on results made up for it: python3 bench/suite/tests.py. `./test` runs it too."""
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from suite import table
from suite.rows import ROWS, Line, Row
from suite.sides import Failed
from suite.store import Store

try:
    from suite import check, rounds
except ImportError:
    check = rounds = None

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

    def test_a_fresh_start_outlives_the_process(self):
        self.add('ours:a', 10)
        self.store.forget('r', 1)
        self.assertEqual({}, self.store.medians('r', 1, 'ours:a'))
        self.add('ours:a', 20)
        self.assertEqual({0: 20}, Store('build', file=self.file).medians('r', 1, 'ours:a'))

    def test_peers_with_other_pages_are_other_peers(self):
        self.add('ours:a', 10)
        self.add('p', 30, pages='huge')
        self.add('p', 40, pages='small')
        self.assertEqual({0: 30}, self.store.medians('r', 1, 'p'))
        small = Store('build', pages='small', file=self.file)
        self.assertEqual(({0: 40}, {0: 10}), (small.medians('r', 1, 'p'), small.medians('r', 1, 'ours:a')))

    def test_the_table_has_a_line_for_each_and_says_what_is_missing(self):
        self.store.add(side='machine', threads=1, machine='a machine', fma_gflops=100, DRAM_read=30)
        self.add('ours:ours', 80_000, row='resnet50')
        self.add('onnxruntime', 120_000, row='resnet50')
        lines = list(table.markdown(self.store, [1], 'command'))
        self.assertIn('Machine: a machine; f32 FMA 100 GFLOP/s, DRAM read 30 GB/s on 1 threads;', lines[0])
        self.assertIn('| whole models | 1.500 (1 of 5 rows) |', lines)
        body = [l for l in lines if l.startswith('| ')]
        # 102 MB at 30 GB/s.
        self.assertIn('| ResNet-50, batch 1, 224² | 80 ms | DRAM 4 % | 120 ms onnxruntime | 1.50 (1.50–1.50) |', body)
        self.assertIn('| ViT-B/16 | not measured |  | - |  |', body)
        self.assertEqual(sum(len(r.lines) for r in ROWS) + 3, len(body))  # two heads and a mean

    @unittest.skipIf(rounds is None, 'NumPy is not available')
    def test_a_peer_that_cannot_be_the_best_is_left_out(self):
        self.add('p', 10, 10)
        self.add('q', 40, 17)
        self.assertFalse(rounds.hopeless(self.store, ROW, 1, 'q'))  # 1.7 in its better round
        self.store.forget('r', 1)
        self.add('p', 10, 10)
        self.add('q', 40)
        self.assertFalse(rounds.hopeless(self.store, ROW, 1, 'q'))  # one round is not enough
        self.store.add(row='r', threads=1, side='q', round=1, med_us=19)
        self.assertTrue(rounds.hopeless(self.store, ROW, 1, 'q'))
        alone = Row('r', 2e6, 4e6, {'a': []}, {'p': [], 'q': []}, [*ROW.lines, Line('another', 'a', ('q',), 'part')])
        self.assertFalse(rounds.hopeless(self.store, alone, 1, 'q'))  # the best of that line

    def test_what_is_behind_is_listed_from_the_worst(self):
        for row, theirs in (('resnet50', 9), ('vit_b16', 5), ('mlp_b1', 11)):
            self.add('ours:ours', 10, row=row)
            self.add('onnxruntime', theirs, row=row)
        self.assertEqual(['0.50', '0.90'], [l.split()[0] for l in table.behind(self.store, [1])])

    def test_the_mean_of_the_models_is_geometric_and_says_what_is_missing(self):
        self.add('ours:ours', 10, row='resnet50')
        self.add('onnxruntime', 40, row='resnet50')
        self.add('ours:direct', 20, row='resnet50')
        self.add('ours:ours', 10, row='vit_b16')
        self.add('onnxruntime', 10, row='vit_b16')
        found = dict(table.summary(self.store, 1))
        # 4 and 1; without Winograd 2 and 1.
        plain = 'whole models, without Winograd'
        self.assertEqual({'whole models': '2.000 (2 of 5 rows)', plain: '1.414 (2 of 5 rows)'}, found)


@unittest.skipIf(check is None, 'NumPy is not available')
class Check(unittest.TestCase):
    """Results of ours against those of ONNX Runtime, as files."""

    def error(self, ours, expected, results=None, variant='a'):
        import numpy as np
        row = Row('r', 1, 1, {}, {}, [], results=results or {'0': 'y'})
        with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as made, \
                unittest.mock.patch.object(check, 'HOME', pathlib.Path(home)):
            (pathlib.Path(home) / 'data/r/expected').mkdir(parents=True)
            np.save(f'{home}/data/r/expected/y.npy', np.asarray(expected, np.float32))
            np.save(f'{made}/0.npy', np.asarray(ours, np.float32))
            return check.check(row, variant, made)

    def test_the_error_is_relative_to_the_largest_element(self):
        self.assertAlmostEqual(5e-5, self.error([0.00005, 1], [0, 1]), places=9)
        self.assertAlmostEqual(5e-5, self.error([0.0005, 10], [0, 10]), places=9)

    def test_a_wrong_result_is_refused(self):
        for ours in ([0.001, 1], [0, float('nan')], [0, float('inf')], [[0, 1]], [0]):
            with self.assertRaises(Failed):
                self.error(ours, [0, 1])

    def test_channels_are_moved_where_the_row_says_so(self):
        self.assertEqual(0, self.error([[[[1, 2]]]], [[[[1]], [[2]]]], {'a/0': '@y'}))
        with self.assertRaises(Failed):
            self.error([[[[2, 1]]]], [[[[1]], [[2]]]], {'a/0': '@y', 'b/0': 'y'})


class Rows(unittest.TestCase):
    def test_lines_name_sides_that_exist(self):
        for row in ROWS:
            for line in row.lines:
                if row.only is None:
                    self.assertIn(line.variant, row.ours)
                for peer in line.peers:
                    self.assertIn(peer, row.peers)
            for line in row.lines:
                self.assertTrue(not line.plain or any(l.variant == line.plain for l in row.lines))
            for peer in (*row.slow, *row.single):
                self.assertIn(peer, row.peers)
        self.assertEqual(len(ROWS), len({row.name for row in ROWS}))


if __name__ == '__main__':
    unittest.main()

"""In: a row, the options. Out: rounds of all its sides in the store, a process each, ours checked first."""
import statistics
import tempfile

from . import check, sides

# Rounds differ by 1.8 at most on 2 threads (median against median): a peer that is slower by that in its best of two
# rounds is not the best one. Leaving it out saves a third of a run.
HOPELESS, SURE = 1.8, 2


def names(row, threads, options):
    """The sides of a row; where there is nothing of ours its peers wait for --all-peers."""
    if row.only and not options.all_peers:
        return []
    peers = [] if options.ours else [p for p in row.peers if options.all_peers or p not in row.slow]
    return [f'ours:{v}' for v in row.ours] + [p for p in peers if threads == 1 or p not in row.single]


def hopeless(store, row, threads, peer):
    """Whether a peer cannot be the best of any line."""
    mine = store.medians(row.name, threads, peer).values()
    if len(mine) < SURE:
        return False
    for line in row.lines:
        found = [m.values() for p in line.peers if (m := store.medians(row.name, threads, p))]
        if peer in line.peers and min(mine) <= HOPELESS * min(map(statistics.median, found)):
            return False
    return True


def measure(store, row, threads, options):
    """Rounds until every side has as many as asked; a round goes through the sides in turn."""
    wanted = names(row, threads, options)
    while True:
        if not options.all_peers:
            wanted = [s for s in wanted if not hopeless(store, row, threads, s)]
        least = min((store.rounds(row.name, threads, s) for s in wanted), default=options.rounds)
        if least >= options.rounds:
            return
        for side in [s for s in wanted if store.rounds(row.name, threads, s) == least]:
            key = {'row': row.name, 'threads': threads, 'side': side, 'at': sides.now()}
            try:
                if why := sides.unavailable(row, side):
                    raise sides.Failed(why)
                with tempfile.TemporaryDirectory() as results:
                    checked = side.startswith('ours:') and least == 0
                    record = sides.run(row, side, threads, options.seconds, results if checked else None, store.pages)
                    if checked:
                        record['error'] = check.check(row, side[5:], results)
                record.pop('peer', None)
                if not side.startswith('ours:'):
                    record['pages'] = store.pages
                store.add(**{**record, **key}, round=least)
            except sides.Failed as e:
                store.add(**key, failed=str(e))

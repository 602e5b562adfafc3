// The Python side of the NumPy oracle: the operations as `accc fuzz --numpy` has them, and a loop over the cases.
using Accelerate.Cli.Fuzz;

namespace Accelerate.Tests.Graph;

internal static class NumPyScript
{
    public static string Text { get; } = NumPyProcess.Script + """
        def cases(folder):
            raw = np.fromfile(folder + '/in.bin', dtype=np.int64)
            at = 0
            out = open(folder + '/out.bin', 'wb')
            for line in open(folder + '/cases.txt'):
                expression, *inputs = line.rstrip('\n').split('\t')
                values = {}
                for text in inputs:
                    name, dtype, *shape = text.split(' ')
                    shape = [int(s) for s in shape]
                    if dtype == 'size':
                        values[name] = shape[0]
                        continue
                    count = int(np.prod(shape, dtype=np.int64))
                    x = raw[at:at + count]
                    at += count
                    x = x.astype(INTS[dtype]) if dtype in INTS else x.view(np.float64)
                    values[name] = x.reshape(shape)
                try:
                    r = eval(expression, {**globals(), **values})
                except Exception as e:
                    raise Exception('%s with %s: %s' % (expression, inputs, e))
                results = [np.asarray(x) for x in (r if isinstance(r, tuple) else (r,))]
                print('\t'.join(' '.join(str(w) for w in (x.dtype.kind, *x.shape)) for x in results))
                for x in results:
                    out.write((x.astype(np.float64) if x.dtype.kind == 'f' else x.astype(np.int64)).tobytes())
            out.close()
        cases(sys.argv[1])
        """;
}

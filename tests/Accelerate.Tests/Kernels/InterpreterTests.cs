// Programs on the kernel interpreter: state, constants, the arena, checks, flags, stored bytes, accesses out of bounds.
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Tests.Kernels;

public sealed class InterpreterTests
{
    /// <summary>y = table[x] * scale through a temporary; scale += 1 at the end.</summary>
    public const string Scaled = """
        program @scaled {
          sizes(n, m)
          input(x: i64[n], "x")
          input(w: f32[floor(m,2)], "w")
          input(z: f32[m], "z")
          constant(table: f32[3], "table", [1.5, -2.0, inf])
          param(scale: f32, "layer.scale")
          temporary(t: f32[n], "")
          output(y: f32[n], "y #1")
          plan {
            check(equal, n, m, "x and z have one length")
            check(atmost, n, 4, "no more than four")
          }
          call(@pick; x, table, t)
          call(@times; t, scale, y)
          call(@next; scale)
        }
        kernel @pick(x: in(i64, n), table: in(f32, 3), t: out(f32, n); sizes(n)) {
          parallel(i < n) {
            %0: i64 = load(x[i])
            %1: i64 = const(0)
            %2: i64 = index(2)
            %3: bool = lt(%0, %1)
            %4: bool = gt(%0, %2)
            %5: bool = or(%3, %4)
            flag(%5)
            %6: i64 = select(%4, %2, %0)
            %7: i64 = select(%3, %1, %6)
            %8: f32 = load(table[v7'])
            store(t[i], %8)
          }
        }
        kernel @times(a: in(f32, n), b: in(f32, 1), y: out(f32, n); sizes(n)) {
          vector(i < n) { %0: f32 = load(a[i]) %1: f32 = load(b[0]) %2: f32 = mul(%0, %1) store(y[i], %2) }
        }
        kernel @next(s: out(f32, 1); sizes()) { %0: f32 = load(s[0]) %1: f32 = const(1.0) %2: f32 = add(%0, %1) store(s[0], %2) }
        """;

    [Fact]
    public void AProgramRunsWithStateConstantsAndArena()
    {
        using var scale = Tensor.Scalar(2f);
        using var executable = new InterpreterExecutable([ProgramReader.Read(Scaled)], new(Threads: 2,
            CountStores: true),
            new Dictionary<string, Tensor> { ["layer.scale"] = scale });
        using var session = executable.CreateSession();
        Assert.Equal([3, -4, double.PositiveInfinity], Run(session, 0, 1, 2).ToDoubles());
        Assert.Equal([-6], Run(session, 1).ToDoubles());
        Assert.Equal([4], session.State["layer.scale"].ToDoubles());
        Assert.Equal([16L, 16, 8], executable.StoredBytes(0).Select(k => k.Bytes));
        Assert.Empty(Run(session).ToDoubles());
    }

    [Fact]
    public void ChecksComeBeforeAnyWriteAndSayBothSides()
    {
        using var executable = new InterpreterExecutable([ProgramReader.Read(Scaled)]);
        using var session = executable.CreateSession();
        var error = Assert.Throws<ExecutionException>(() =>
            session.Run("scaled", Tensor.From([0L], 1), Tensor.Zeros(DType.F32, 1), Tensor.Zeros(DType.F32, 2)));
        Assert.Equal(ExecutionCode.EntryCheck, error.Code);
        Assert.Equal("'scaled': x and z have one length: n = m does not hold: 1 = 2", error.Message);
        error = Assert.Throws<ExecutionException>(() => Run(session, 0, 0, 0, 0, 0));
        Assert.Equal("'scaled': no more than four: n <= 4 does not hold: 5 <= 4", error.Message);
        Assert.Equal([0], session.State["layer.scale"].ToDoubles());
        Run(session, 0);
    }

    [Fact]
    public void AnIndexOutOfRangeEndsTheCallAfterItsKernel()
    {
        using var executable = new InterpreterExecutable([ProgramReader.Read(Scaled)]);
        using var session = executable.CreateSession();
        Assert.Equal(ExecutionCode.IndexOutOfRange, Assert.Throws<ExecutionException>(() => Run(session, 0, 3)).Code);
        // As in the native driver, which returns the first status that is not 0: the later step that counts is not run.
        Assert.Equal([0], session.State["layer.scale"].ToDoubles());
        // Nothing of the state was written: the session goes on.
        Run(session, 0);
        Assert.Equal([1], session.State["layer.scale"].ToDoubles());
    }

    [Fact]
    public void AnAccessOutOfBoundsNamesKernelBufferAndOffset()
    {
        var kernel = KernelReader.Read("""
            kernel @over(x: in(f32, n), y: out(f32, n); sizes(n)) {
              serial(i < n) { %0: f32 = load(x[i+1]) store(y[i], %0) }
            }
            """);
        Assert.Equal("x[i+1] of n", Assert.Single(KernelBounds.Unproved(kernel)).ToString());
        using var x = Tensor.Zeros(DType.F32, 3);
        var error = Assert.Throws<InternalErrorException>(() => new CompiledKernel(kernel).Run([x, x], _ => 3));
        Assert.Equal("internal error: kernel @over touches x[3], but x has 3 elements", error.Message);
    }

    [Fact]
    public void BoundsOfAClampedIndexAreProved() =>
        Assert.Empty(KernelBounds.Unproved(ProgramReader.Read(Scaled).Kernels[0]));

    private static Tensor Run(Session session, params long[] x) => session.Run("scaled",
        Tensor.From(x, x.Length), Tensor.Zeros(DType.F32, x.Length / 2), Tensor.Zeros(DType.F32, x.Length))[0];
}

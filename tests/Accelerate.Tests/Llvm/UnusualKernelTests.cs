// Kernels that lowering seldom makes but the verifier accepts, on LLVM against the interpreter: the same bytes.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm;

public sealed class UnusualKernelTests
{
    private static readonly Dictionary<string, string> Texts = new()
    {
        ["extents below zero"] = """
            kernel @u(x: in(f32, n), y: out(f32, n+1), z: out(f32, 1); sizes(n)) {
              %0: f32 = const(7.0)
              %1: f32 = reduce.add(r < n-20) { %2: f32 = load(x[r]) yield(%2) }
              store(z[0], %1)
              vector(i < n+1) { store(y[i], %0) }
              vector(j < n-20) { %3: f32 = load(x[j]) store(y[j], %3) }
            }
            """,
        ["a nest of extents below zero"] = """
            kernel @u(x: in(f32, n), y: out(f32, n*n+1); sizes(n)) {
              parallel(i < n-20) { parallel(j < n-20) { %0: f32 = load(x[i]) store(y[i*n+j], %0) } }
            }
            """,
        ["a contraction of extents below zero"] = """
            kernel @u(x: in(f32, n), y: out(f32, n*n+1); sizes(n)) {
              contract(i < n-20, j < n-20; k < n-20) {
                left { %0: f32 = load(x[k]) yield(%0) }
                right { %1: f32 = load(x[j]) yield(%1) }
                into(%2: f32) { store(y[i*n+j], %2) }
              }
            }
            """,
        ["a guard whose extent is below zero"] = """
            kernel @u(x: in(f32, n), y: out(f32, n); sizes(n)) {
              %0: f32 = const(-1.0)
              vector(i < n) { %1: f32 = load(x[i] if(i < n-20) else %0) store(y[i], %1) }
            }
            """,
        ["a value below zero divided"] = """
            kernel @u(t: in(i64, n), x: in(f32, n), y: out(f32, n), z: out(i64, n); sizes(n)) {
              vector(i < n) {
                %0: i64 = load(t[i])
                %1: i64 = index(v0'//3+mod(v0',5))
                %2: f32 = load(x[max(min(v0'//2,n-1),0)])
                store(y[i], %2)
                store(z[i], %1)
              }
            }
            """,
        ["one name for two loops"] = """
            kernel @u(x: in(f32, n*4), y: out(f32, n), z: out(f32, n*4); sizes(n)) {
              vector(i < n) { %0: f32 = load(x[(n-1-i)//2]) store(y[i], %0) }
              vector(i < 4*n) { %1: i64 = index((n-1-i)//2) %2: f32 = convert(%1) store(z[i], %2) }
            }
            """,
        ["a stride that is the row's number"] = """
            kernel @u(x: in(f32, n*n), y: out(f32, n*n); sizes(n)) {
              contract(i < n, j < n; k < n) {
                left { %0: f32 = load(x[i*k]) yield(%0) }
                right { %1: f32 = load(x[k*n+j]) yield(%1) }
                into(%2: f32) { store(y[i*n+j], %2) }
              }
            }
            """,
        ["contractions in a loop, one after the other"] = """
            kernel @u(x: in(f32, n*n), y: out(f32, n*n), z: out(f32, n*n); sizes(n)) {
              serial(s < 2) {
                %9: f32 = const(2.0)
                contract(i < n, j < n; k < n) {
                  left { %0: f32 = load(x[i*n+k]) yield(%0) }
                  right { %1: f32 = load(x[k*n+j]) %2: f32 = mul(%1, %9) yield(%2) }
                  into(%3: f32) { store(y[i*n+j], %3) }
                }
                contract(i < n, j < n; k < n) {
                  left { %4: f32 = load(x[k*n+i]) yield(%4) }
                  right { %5: f32 = load(x[j*n+k]) yield(%5) }
                  into(%6: f32) { %7: f32 = load(x[i*n+j]) %8: f32 = sub(%6, %7) store(z[i*n+j], %8) }
                }
              }
            }
            """,
        ["flags in lanes and in an epilogue"] = """
            kernel @u(x: in(f32, n), y: out(f32, n*n); sizes(n)) {
              contract(i < n, j < n; k < 1) {
                left { %0: f32 = load(x[i]) yield(%0) }
                right { %1: f32 = load(x[j]) yield(%1) }
                into(%2: f32) { %3: f32 = const(1000000.0) %4: bool = gt(%2, %3) flag(%4) store(y[i*n+j], %2) }
              }
            }
            """,
        ["one guard in two loops of one name"] = """
            kernel @u(x: in(f32, n*n), y: out(f32, n*n); sizes(n)) {
              %0: f32 = const(-7.0)
              serial(i < n) { vector(j < n) {
                %1: f32 = serial.add(k < 2) { %2: f32 = load(x[n*i+n*k+j] if(i+k < n) else %0) yield(%2) }
                %3: f32 = serial.max(k < n) { %4: f32 = load(x[n*i+n*k+j] if(i+k < n) else %0) yield(%4) }
                %5: f32 = sub(%1, %3)
                store(y[n*i+j], %5)
              } }
            }
            """,
        ["what a loop in a vector loop reads, read behind it"] = """
            kernel @u(x: in(f32, n), z: in(f32, n*n), y: out(f32, n), q: out(i32, n); sizes(n)) {
              vector(j < n) {
                %0: i32 = serial.argmax(k < n) {
                  %1: f32 = load(x[j]) %2: f32 = load(z[n*k+j]) %3: f32 = add(%1, %2) yield(%3)
                }
                %4: f32 = load(x[j])
                store(y[j], %4)
                store(q[j], %0)
              }
            }
            """,
        ["what a running value writes, read again"] = """
            kernel @u(u: inout(f32, n), y: out(f32, n), z: out(f32, n); sizes(n)) {
              vector(j < n) {
                %0: f32 = load(u[j])
                cumulate.add(k < 3) { %1: f32 = load(u[j]) yield(%1) } into(%2: f32) { store(u[j], %2) }
                %3: f32 = load(u[j])
                store(y[j], %3)
                store(z[j], %0)
              }
            }
            """,
        ["indices that terms define again"] = """
            kernel @u(t: in(i64, 5), x: in(f32, 3*n), y: out(f32, n), z: out(f32, n); sizes(n)) {
              %0: f32 = const(0.5)
              vector(j < n) {
                %1: f32 = serial.add(k < 5) {
                  %2: i64 = load(t[k])
                  %3: f32 = load(x[max(min(v2',2),0)*n+j])
                  %4: i64 = load(t[4-k])
                  %5: f32 = load(x[max(min(v4',2),0)*n+j] if(v4' < 2) else %0)
                  %6: f32 = sub(%3, %5)
                  yield(%6)
                }
                %7: f32 = serial.add(k < 4) {
                  %8: i64 = load(t[k+1])
                  %9: f32 = load(x[max(min(v8',2),0)*n+j] if(v8' < 2) else %0)
                  yield(%9)
                }
                store(y[j], %1)
                store(z[j], %7)
              }
            }
            """,
    };

    public static TheoryData<string> Names => [.. Texts.Keys];

    [LlvmTheory]
    [MemberData(nameof(Names))]
    public void LlvmGivesTheInterpretersBytes(string name)
    {
        var kernel = KernelReader.Read(Texts[name]);
        using var comparison = new Comparison(kernel, [.. NativeConfiguration.Three, new("x86-64-v3", 0)]);
        foreach (var n in (long[])[0, 1, 3, 17, 33, 40])
        {
            long Size(string _) => n;
            var inputs = kernel.Buffers.Where(b => !b.IsOutput || b.IsUpdated)
                .Select((b, i) => ContractionTests.Awkward(b.Type, b.Count.Evaluate(Size), i)).ToArray();
            comparison.Check(inputs, new Dictionary<string, long> { ["n"] = n }, name);
        }
    }

    /// <summary>
    /// The text with tiles of 12 x 32 runs here on AVX2 (NativeConfiguration.WideTiles); this is the real thing.
    /// </summary>
    [Avx512Fact]
    public void RandomKernelsOnAvx512()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = Kernels.RandomKernels.Make(seed);
            Agreement.Check(random.Kernel, random.Inputs, random.Sizes, $"seed {seed}",
                new NativeConfiguration("x86-64-v4", 3), new("x86-64-v4", 0));
        }
    }
}

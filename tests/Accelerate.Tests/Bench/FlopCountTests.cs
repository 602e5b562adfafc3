// Hand-written kernels whose operations and bytes are counted by hand.
using Accelerate.Bench;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;

using Assert = Xunit.Assert;
using Accelerate.Tests.Lowering;

namespace Accelerate.Tests.Bench;

public class FlopCountTests
{
    [Fact]
    public void AContractionIsTwiceMNKAndItsEpilogueMN()
    {
        // Batch 3; the product; one add an element in the epilogue; one multiplication an element of the left side.
        Check(3 * (2 * 5 * 7 * 11 + 5 * 7 + 5 * 11), """
            kernel @k(a: in(f32, z*m*k), b: in(f32, n*k), c: out(f32, z*m*n); sizes(z, m, n, k)) {
              parallel(h < z) {
                contract(i < m, j < n; l < k) {
                  left { %0: f32 = load(a[h*k*m+i*k+l]) %1: f32 = mul(%0, %0) yield(%1) }
                  right { %2: f32 = load(b[j*k+l]) yield(%2) }
                  into(%3: f32) { %4: f32 = add(%3, %3) store(c[h*m*n+i*n+j], %4) }
                }
              }
            }
            """, ("z", 3), ("m", 5), ("n", 7), ("k", 11));
    }

    [Fact]
    public void SeveralAxesOfAContractionMultiply()
    {
        Check(2 * 5 * 7 * (2 * 3), """
            kernel @k(a: in(f32, 30), b: in(f32, 42), c: out(f32, 35); sizes()) {
              contract(i < 5, j < 7; p < 2, q < 3) {
                left { %0: f32 = load(a[6*i+3*p+q]) yield(%0) }
                right { %1: f32 = load(b[6*j+3*p+q]) yield(%1) }
                into(%2: f32) { store(c[7*i+j], %2) }
              }
            }
            """);
    }

    [Fact]
    public void AMapCountsArithmeticOnly()
    {
        // fma 2, max 1; the comparison, the select, the conversion and the integer add are none.
        Check(10 * 3, """
            kernel @k(x: in(f32, n), y: out(f32, n); sizes(n)) {
              vector(i < n) {
                %0: f32 = load(x[i])
                %1: f32 = fma(%0, %0, %0)
                %2: f32 = max(%1, %0)
                %3: bool = lt(%2, %0)
                %4: f32 = select(%3, %0, %2)
                %5: i32 = convert(%4)
                %6: i32 = add(%5, %5)
                %7: f32 = convert(%6)
                store(y[i], %7)
              }
            }
            """, ("n", 10));
    }

    [Fact]
    public void TheLastBlockIsShorter()
    {
        // Three blocks of 4, 4 and 2 elements.
        Check(10, """
            kernel @k(x: in(f32, n), y: out(f32, n); sizes(n)) {
              parallel(b < floor(n+3,4)) {
                vector(i < min(4,n-4*b)) {
                  %0: f32 = load(x[4*b+i])
                  %1: f32 = neg(%0)
                  store(y[4*b+i], %1)
                }
              }
            }
            """, ("n", 10));
    }

    [Fact]
    public void AReductionIsOneATermAndItsBody()
    {
        Check(6 * (10 * (1 + 1) + 1), """
            kernel @k(x: in(f32, m*n), y: out(f32, m); sizes(m, n)) {
              parallel(i < m) {
                %0: f32 = reduce.add(j < n) {
                  %1: f32 = load(x[i*n+j])
                  %2: f32 = mul(%1, %1)
                  yield(%2)
                }
                %3: f32 = sqrt(%0)
                store(y[i], %3)
              }
            }
            """, ("m", 6), ("n", 10));
    }

    [Fact]
    public void NothingIsNothing() => Check(0, """
        kernel @k(x: in(f32, n), y: out(f32, n); sizes(n)) {
          vector(i < n) { %0: f32 = load(x[i]) %1: f32 = neg(%0) store(y[i], %1) }
        }
        """, ("n", 0));

    [Fact]
    public void CompulsoryTrafficTouchesEachTensorOnce()
    {
        var program = Lowered.Plain(GraphReader.Read("""
            graph @f {
              %0: f32[n,4] = input("x")
              %1: f64[n] = input("z")
              %2: f32[n,4] = add(%0, %0)
              return(%2)
            }
            """));
        var sizes = new Dictionary<string, long> { ["n"] = 3 };
        Assert.Equal(2 * 3 * 4 * 4 + 3 * 8, FlopCount.CompulsoryBytes(program, sizes));
        Assert.Equal(12, FlopCount.Of(program, sizes));
    }

    private static void Check(double expected, string kernel, params (string Name, long Value)[] sizes) =>
        Assert.Equal(expected, FlopCount.Of(KernelReader.Read(kernel), sizes.ToDictionary(s => s.Name, s => s.Value)));
}

// One kernel for each constraint of KERNELS.md that it breaks.
using Accelerate.Compiler.Kernels;

namespace Accelerate.Tests.Kernels;

public sealed class KernelVerifierTests
{
    private const string One = "%0: f32 = const(1.0) ";
    private const string Lanes = "%1: f32 = reduce.add(j < n) { %0: f32 = load(x[j]) yield(%0) } ";
    private const string Left = "left { %0: f32 = load(x[i]) yield(%0) } ";
    private const string Right = "right { %1: f32 = load(x[j]) yield(%1) } ";

    private const string Attend = "query { %0: f32 = load(x[i]) yield(%0) } key { %1: f32 = load(x[j]) yield(%1) } "
        + "value { %2: f32 = load(x[e]) yield(%2) } score(%3: f32) { yield(%3) } ";

    [Theory]
    [InlineData("K1", "serial(n < 3) { }")]
    [InlineData("K1", "serial(i < 3) { serial(i < 3) { } }")]
    [InlineData("K2", One + One)]
    [InlineData("K2", "serial(i < 3) { %0: f32 = const(1.0) } %0: f32 = const(2.0)")]
    [InlineData("K3", "serial(i < 3) { %0: f32 = const(1.0) } %1: f32 = neg(%0)")]
    [InlineData("K4", "%0: i64 = index(i)")]
    [InlineData("K4", "%0: f32 = load(x[v1'])")]
    [InlineData("K4", "%1: i32 = const(1) %0: f32 = load(x[v1'])")]
    [InlineData("K4",
        "contract(i < n, j < n; k < n) { left { %0: f32 = load(x[j]) yield(%0) } " + Right + "into(%2: f32) { } }")]
    [InlineData("K5", "%0: f32 = const(1.0) %1: f32 = add(%0)")]
    [InlineData("K5", "%0: f32 = const(1.0) %1: f64 = const(1.0) %2: f64 = add(%0, %1)")]
    [InlineData("K5", "%0: f32 = const(1.0) %1: f32 = and(%0, %0)")]
    [InlineData("K5", "%0: f32 = const(1.0) %1: f32 = rem(%0, %0)")]
    [InlineData("K5", "%0: bool = const(1) %1: bool = add(%0, %0)")]
    [InlineData("K5", "%0: f32 = const(1.0) %1: f32 = lt(%0, %0)")]
    [InlineData("K5", "%0: f32 = const(1.0) %1: f32 = select(%0, %0, %0)")]
    [InlineData("K5", "%0: f32 = const(1.0) %1: i64 = bitcast(%0)")]
    [InlineData("K6", "%0: f32 = const(0.1)")]
    [InlineData("K6", "%0: i8 = const(128)")]
    [InlineData("K6", "%0: u8 = const(-1)")]
    [InlineData("K6", "%0: bool = const(2)")]
    [InlineData("K6", "%0: i32 = index(n)")]
    [InlineData("K7", "%0: f64 = load(x[0])")]
    [InlineData("K8", "%0: f64 = const(1.0) %1: f32 = load(x[0] if(0 < n) else %0)")]
    [InlineData("K9", One + "store(x[0], %0)")]
    [InlineData("K9", "%0: f64 = const(1.0) store(y[0], %0)")]
    [InlineData("K9", "%1: f32 = serial.add(i < n) { %0: f32 = const(1.0) store(y[0], %0) yield(%0) }")]
    [InlineData("K10", One + "flag(%0)")]
    [InlineData("K11", One + "parallel(i < n) { }")]
    [InlineData("K11", "serial(i < n) { parallel(j < n) { } }")]
    [InlineData("K11", "parallel(i < n) { parallel(j < i) { } }")]
    [InlineData("K12", "vector(i < n) { serial(j < n) { } }")]
    [InlineData("K12", "%1: f32 = serial.add(i < n) { %0: f32 = const(1.0) serial(j < n) { } yield(%0) }")]
    [InlineData("K13", "vector(i < n) { " + Lanes + "}")]
    [InlineData("K13", "vector(i < n) { %2: f32 = serial.add(k < n) { " + Lanes + "yield(%1) } }")]
    [InlineData("K14", "%1: f64 = serial.add(j < n) { %0: f32 = load(x[j]) yield(%0) }")]
    [InlineData("K14", "%1: f32 = serial.argmax(j < n) { %0: f32 = load(x[j]) yield(%0) }")]
    [InlineData("K14", "%1: f32 = serial.or(j < n) { %0: f32 = load(x[j]) yield(%0) }")]
    [InlineData("K15", "vector(h < n) { contract(i < n, j < n; k < n) { " + Left + Right + "into(%2: f32) { } } }")]
    [InlineData("K16", "contract(i < n, j < n; k < n) { " + Left + Right + "into(%2: f64) { } }")]
    [InlineData("K16",
        "contract(i < n, j < n; k < n) { left { %0: f32 = const(1.0) yield(%0) } " + Right + "into(%2: bool) { } }")]
    [InlineData("K17",
        "%1: f32 = serial.add(i < n) { cumulate.add(j < n) { %0: f32 = load(x[j]) yield(%0) } into(%2: f32) { } %3: f32 = const(1.0) yield(%3) }")]
    [InlineData("K17", "cumulate.add(j < n) { %0: f32 = load(x[j]) yield(%0) } into(%2: f64) { }")]
    [InlineData("K17", "cumulate.or(j < n) { %0: f32 = load(x[j]) yield(%0) } into(%2: f32) { }")]
    [InlineData("K3", "cumulate.add(j < n) { %0: f32 = load(x[j]) yield(%0) } into(%2: f32) { store(y[j], %0) }")]
    [InlineData("K12", "cumulate.add(j < n) { %0: f32 = load(x[j]) yield(%0) } into(%2: f32) { vector(i < n) { } }")]
    [InlineData("K18",
        "vector(i < n) { sort.ascending(j < n) { %0: f32 = load(x[j]) yield(%0) } into(%1: f32, %2: i64) { } }")]
    [InlineData("K18", "sort.ascending(j < n) { %0: f32 = load(x[j]) yield(%0) } into(%1: f64, %2: i64) { }")]
    [InlineData("K18", "sort.ascending(j < n) { %0: f32 = load(x[j]) yield(%0) } into(%1: f32, %2: u32) { }")]
    [InlineData("K19", "vector(h < n) { attend(i < n, j < n, e < n; k < n; block 64) { " + Attend
        + "weight(%4: f32) { yield(%4) } into(%5: f32, %6: f32) { } } }")]
    [InlineData("K19", "attend(i < n, j < n, e < n; k < n; block 100) { " + Attend
        + "weight(%4: f32) { yield(%4) } into(%5: f32, %6: f32) { } }")]
    [InlineData("K20", "attend(i < n, j < n, e < n; k < n; block 64) { " + Attend
        + "weight(%4: f64) { yield(%4) } into(%5: f32, %6: f32) { } }")]
    [InlineData("K20", "attend(i < n, j < n, e < n; k < n; block 64) { " + Attend
        + "weight(%4: f32) { yield(%4) } into(%5: i32, %6: i32) { } }")]
    [InlineData("K20", "attend(i < n, j < n, e < n; k < n; block 64) { " + Attend
        + "weight(%4: f32) { %7: i32 = const(1) yield(%7) } into(%5: f32, %6: f32) { } }")]
    [InlineData("K3", "attend(i < n, j < n, e < n; k < n; block 64) { " + Attend
        + "weight(%4: f32) { yield(%3) } into(%5: f32, %6: f32) { } }")]
    [InlineData("K4", "%0: f32 = load(x[0]) store(y[0], %0 if(z < n))")]
    public void ABrokenConstraintIsNamed(string constraint, string body)
    {
        var kernel = KernelReader.Read($"kernel @k(x: in(f32, n), y: out(f32, n); sizes(n)) {{ {body} }}");
        var error = Assert.Throws<KernelException>(() => KernelVerifier.Verify(kernel));
        Assert.Equal(constraint, error.Constraint);
        Assert.StartsWith($"{constraint}: ", error.Message);
    }

    [Fact]
    public void EveryDocumentedConstraintHasATest()
    {
        var text = File.ReadAllText(Path.Combine(Support.Shared.Repository, "grammar", "KERNELS.md"));
        var documented = System.Text.RegularExpressions.Regex.Matches(text, @"\bK\d+(?=:)").Select(m =>
            m.Value).Distinct().Order();
        var tested = typeof(KernelVerifierTests).GetMethod(nameof(ABrokenConstraintIsNamed))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false).Cast<InlineDataAttribute>()
            .Select(a => (string)a.GetData(null!).Single()[0]).Distinct().Order();
        Assert.Equal(documented, tested);
    }
}

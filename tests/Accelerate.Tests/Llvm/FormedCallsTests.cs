// Every operation on every dtype, on values, constants and itself, as a scalar, in lanes and in a tail, for every
// target and level: LLVM makes no call of any of it.
using System.Collections.Immutable;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Backends.Llvm.Printing;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;
using Accelerate.Tests.Kernels;
using Accelerate.Tests.Llvm.Native;
using Accelerate.Tests.Support;

using Assert = Xunit.Assert;

namespace Accelerate.Tests.Llvm;

/// <summary>
/// What LLVM forms depends on the operands: fmaxf came of max(x, 0) in f16 and not of max(x, y), which is why a list of
/// operations on values did not find it.
/// </summary>
public sealed class FormedCallsTests
{
    private static readonly DType[] Types = Enum.GetValues<DType>();

    private static readonly ScalarOp[] Comparisons = [.. Enum.GetValues<ScalarOp>().Where(KernelTypes.IsComparison)];

    public static TheoryData<string, bool> Rows
    {
        get
        {
            var rows = new TheoryData<string, bool>();
            foreach (var type in Types)
                foreach (var isVector in (bool[])[false, true]) rows.Add(type.Name(), isVector);
            return rows;
        }
    }

    [LlvmTheory]
    [MemberData(nameof(Rows))]
    public void NoOperationBecomesACall(string dtype, bool isVector)
    {
        var kind = isVector ? LoopKind.Vector : LoopKind.Serial;
        var kernel = Operations(DType.Parse(dtype), kind);
        KernelVerifier.Verify(kernel);
        foreach (var target in Targets)
        {
            var text = KernelText.Print(kernel, target).Text;
            // -O3 has the passes of all levels, -O0 selects instructions by other tables. An f16, which has the
            // instructions of conversion only, meets -O3 on every target in every run.
            foreach (var level in (int[])[0, 1, 2, 3])
                if ((dtype == "f16" && level == 3) || TargetMatrix.Has($"{dtype} {kind} {target.Name} {level}"))
                    Compiled(text, target, level, $"{dtype} {kind}");
        }
    }

    /// <summary>
    /// A loop that moves elements down by one is no call of memmove; one that copies or fills may be memcpy or memset.
    /// </summary>
    [LlvmFact]
    public void LoopsBecomeCopiesAndFillsAtMost()
    {
        foreach (var type in Types)
        {
            var kernel = KernelReader.Read("""
                kernel @k(x: in(T, n), y: out(T, n), z: out(T, n), u: inout(T, n+1); sizes(n)) {
                  %0: T = const(0)
                  serial(i < n) { %1: T = load(x[i]) store(y[i], %1) }
                  serial(i < n) { store(z[i], %0) }
                  serial(i < n) { %2: T = load(u[i+1]) store(u[i], %2) }
                  serial(i < n) { %3: T = load(u[n-1-i]) store(u[n-i], %3) }
                  serial(i < n) { %4: T = load(y[i]) store(z[i], %4) }
                }
                """.Replace("T", type.Name()).Replace("const(0)", type.IsFloat ? "const(0.0)" : "const(0)"));
            KernelVerifier.Verify(kernel);
            foreach (var target in Targets)
                for (var level = 0; level <= 3; level++)
                    Compiled(KernelText.Print(kernel, target).Text, target, level, $"copies of {type.Name()}");
        }
    }

    /// <summary>Random kernels: loops, reductions, guards, contractions together.</summary>
    [LlvmFact]
    public void NeitherDoRandomKernels()
    {
        for (var seed = 0; seed < (TargetMatrix.Full ? 200 : 20); seed++)
        {
            var kernel = RandomKernels.Make(seed).Kernel;
            foreach (var target in Targets)
                Compiled(KernelText.Print(kernel, target).Text, target, 1 + seed % 3, $"random kernel {seed}");
        }
    }

    private static IEnumerable<LlvmTarget> Targets =>
        LlvmTarget.Names.Select(LlvmTarget.Parse).DistinctBy(t => (t.Cpu, t.Features));

    private static void Compiled(string text, LlvmTarget target, int level, string what)
    {
        try
        {
            var bytes = LlvmCompiler.CompileToObject(text, target, level);
            Assert.Empty(new ElfSymbols(bytes).Undefined.Except(["memcpy", "memset"]));
        }
        catch (InternalErrorException e)
        {
            Assert.Fail($"{what}, {target.Name} -O{level}: {e.Message}");
        }
    }

    /// <summary>
    /// All operations on the type's values: with each other, with themselves, with constants on either side;
    /// comparisons that choose between what they compare; conversions from and to all types, and around an operation.
    /// </summary>
    private static Kernel Operations(DType type, LoopKind kind)
    {
        var (n, i) = (Size.Variable("n"), Size.Variable("i"));
        var outer = new BlockBuilder();
        var b = outer.Inner();
        var stored = Types.ToDictionary(t => t, _ => 0L);
        void Keep(Value value) =>
            b.Emit(new Store(3 + Types.Length + Array.IndexOf(Types, value.Type),
                i + n * stored[value.Type]++, value));
        Value In(int x) => b.Load(type, x, i, [], null);
        var (a, c, d) = (In(0), In(1), In(2));
        Value[] constants = type == DType.F64 && kind == LoopKind.Vector ? [b.Float(0, type), b.Float(1, type)]
            : type.IsFloat ? [b.Float(0, type), b.Float(-0.0, type), b.Float(1, type),
                b.Float(double.PositiveInfinity, type), b.Float(double.NaN, type)]
            : [b.Integer(1, type)];
        (Value, Value)[] pairs = [(a, c), (a, a), .. constants.SelectMany(k => new[] { (a, k), (k, a) })];
        foreach (var op in Enum.GetValues<ScalarOp>())
        {
            var result = KernelTypes.IsComparison(op) ? DType.Bool : type;
            if (op is ScalarOp.Select or ScalarOp.Convert or ScalarOp.Bitcast || !KernelTypes.Exists(op, type))
                continue;
            foreach (var (x, y) in KernelTypes.Arity(op) == 1 ? [(a, a)] : pairs)
            {
                var value = b.Compute(op, result, [.. new[] { x, y, d }.Take(KernelTypes.Arity(op))]);
                Keep(value);
                // What a chain of operations rounds is formed as one, too.
                if (type.IsFloat && KernelTypes.Arity(op) < 3 && result == type && x == a && y == constants[0])
                    foreach (var k in constants.Take(2)) Keep(b.Binary(ScalarOp.Max, b.Unary(ScalarOp.Neg, value), k));
            }
        }
        foreach (var comparison in Comparisons)
        {
            foreach (var (x, y) in pairs)
            {
                var holds = b.Compare(comparison, x, y);
                Keep(b.Select(holds, x, y));
                Keep(b.Select(holds, y, x));
            }
        }
        foreach (var other in Types)
        {
            var there = b.Convert(a, other);
            Keep(there);
            var from = b.Load(other, 3 + Array.IndexOf(Types, other), i, [], null);
            Keep(b.Convert(from, type));
            if (other == DType.Bool || type == DType.Bool) continue;
            if (other.Bytes() == type.Bytes()) Keep(b.Bitcast(a, other));
            var zero = b.Constant(0, other);
            Keep(b.Convert(b.Binary(ScalarOp.Max, there, zero), type));
            Keep(b.Convert(b.Select(b.Compare(ScalarOp.Lt, there, zero), zero, there), type));
            Keep(b.Convert(b.Binary(ScalarOp.Min, from, zero), type));
        }
        outer.Emit(new Loop(kind, "i", n, b.ToBlock()));
        return new Kernel("ops",
        [
            .. Enumerable.Range(0, 3).Select(x => new KernelBuffer($"x{x}", type, n, false)),
            .. Types.Select(t => new KernelBuffer($"z{t.Name()}", t, n, false)),
            .. Types.Select(t => new KernelBuffer($"y{t.Name()}", t, n * stored[t], true)),
        ], ["n"], outer.ToBlock());
    }
}

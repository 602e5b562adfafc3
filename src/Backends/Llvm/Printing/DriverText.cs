// In: a program and its printed kernels. Out: the LLVM module of its driver: the steps, in order, through the host
// table.
using System.Collections.Immutable;
using System.Text;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// `i32 name(ptr host, ptr buffers, ptr sizes, ptr scratch, i64 scratch_step)`: buffers and sizes in the program's
/// order. Returns the first non-zero status, with the status and the number of the failed step (in the order of
/// Program.AllSteps) in the host's error buffer. The caller makes the checks of the program's plan: nothing may be
/// written before they have passed. All stack slots are allocated on entry, so that a loop needs no more of them
/// however often it runs.
/// </summary>
internal sealed class DriverText
{
    /// <summary>
    /// Below this much work (approximate scalar operations) a second thread saves less than moving the data to its core
    /// costs: 1.5 µs. A shared step costs some 0.25 µs, and hardly anything when the other thread is late (the caller
    /// does its part). One thread · two, p10 of 8,000 calls of each in turn, pinned to a core each, Zen 4, load 50:
    /// relu of 8K, 16K, 32K floats 1.1 · 1.3, 1.5 · 2.1, 2.7 · 2.2 µs; softmax of 4, 8, 16 rows of 256 0.7 · 0.6, 1.4 ·
    /// 1.0, 2.8 · 1.7 µs; f32[1,n] @ f32[n,n] of n = 64, 128 0.3 · 0.5, 1.3 · 1.1 µs.
    /// </summary>
    private const long WorthSharing = 64 * 1024;

    /// <summary>
    /// Only the stack slots of a driver need optimisation: ResNet-50's two compile in 0.08 s, 0.30 s with -O3's.
    /// </summary>
    public const string Passes = "function(sroa,early-cse)";

    /// <summary>
    /// Runs all jobs of a kernel, on the calling thread or shared through the host table, unless the host asked to
    /// stop. A function, not a copy for each step: ResNet-50's drivers were 480 KB of text.
    /// </summary>
    private static readonly string RunKernel = $$"""
        define internal i32 @run(ptr %host, ptr %kernel, ptr %arguments, i64 %jobs, i64 %work) nounwind noinline {
          %at.words = getelementptr i8, ptr %host, i64 40
          %words = load ptr, ptr %at.words, align 8
          %at.stop = getelementptr i8, ptr %words, i64 {{8 * Host.StopWord}}
          %stop = load volatile i64, ptr %at.stop, align 8
          %go = icmp eq i64 %stop, 0
          br i1 %go, label %begin, label %stopped
        stopped:
          ret i32 {{HostStatus.Stopped}}
        begin:
          %context = load ptr, ptr %host, align 8
          %at.threads = getelementptr i8, ptr %host, i64 8
          %threads = load i64, ptr %at.threads, align 8
          %alone = icmp sle i64 %threads, 1
          %small = icmp slt i64 %work, {{WorthSharing}}
          %direct = or i1 %alone, %small
          br i1 %direct, label %own, label %shared
        own:
          %s = call i32 %kernel(ptr %arguments, i64 0, i64 %jobs, i64 0)
          ret i32 %s
        shared:
          %at.share = getelementptr i8, ptr %host, i64 16
          %share = load ptr, ptr %at.share, align 8
          %t = call i32 %share(ptr %context, ptr %kernel, ptr %arguments, i64 %jobs, i64 %work)
          ret i32 %t
        }
        """;

    private readonly Program program;
    private readonly IReadOnlyList<PrintedKernel> kernels;
    private readonly LlvmText text = new();
    private readonly IndexPrinter index;
    private readonly SortedSet<string> symbols = new(StringComparer.Ordinal);
    private readonly string context;
    private readonly string print;
    private readonly string done;
    private readonly string at;
    private readonly string exit;

    /// <summary>The arguments of the next kernel call.</summary>
    private readonly string arguments = "";

    private long number;

    private DriverText(Program program, IReadOnlyList<PrintedKernel> kernels, LlvmTarget target)
    {
        (this.program, this.kernels) = (program, kernels);
        index = new IndexPrinter(text, new ScalarPrinter(text, target), new IndexRanges());
        for (var i = 0; i < program.Sizes.Length; i++) index.Define(program.Sizes[i], Field("%sizes", 8 * i, "i64"));
        context = Field("%host", 0, "ptr");
        print = Field("%host", 24, "ptr");
        (done, at, exit) = (text.Slot("i32", 4), text.Slot("i64", 8), text.Label("exit"));
        var calls = program.AllSteps.OfType<CallStep>().ToList();
        if (calls.Count > 0) arguments = text.Slot($"[{calls.Max(c => FieldsOf(program.Kernels[c.Kernel]))} x i64]", 8);
    }

    public static string Print(Program program, IReadOnlyList<PrintedKernel> kernels, string symbol,
        LlvmTarget target) =>
        new DriverText(program, kernels, target).Print(symbol, target);

    private string Print(string symbol, LlvmTarget target)
    {
        Steps(program.Steps);
        text.Do($"ret i32 0");
        text.Place(exit);
        var status = text.Value($"load i32, ptr {done}, align 4");
        var error = Field("%host", 40, "ptr");
        text.Do($"store i64 {text.Value($"sext i32 {status} to i64")}, ptr {error}, align 8");
        text.Do($"store i64 {text.Value($"load i64, ptr {at}, align 8")}, ptr {text.Value($"getelementptr i8, ptr {error}, i64 8")}, align 8");
        text.Do($"ret i32 {status}");
        foreach (var name in symbols) text.Declare($"declare i32 @{name}(ptr, i64, i64, i64)");
        var header =
            $"define i32 @{symbol}(ptr %host, ptr %buffers, ptr %sizes, ptr %scratch, i64 %scratch_step) nounwind";
        return new StringBuilder($"; driver of @{program.Name}\ntarget triple = \"{target.Triple}\"\n\n")
            .Append(text.Function(header))
            .Append(arguments.Length > 0 ? $"\n{RunKernel}\n" : "").ToString();
    }

    /// <summary>Buffers, sizes, and two fields for scratch.</summary>
    private static int FieldsOf(Kernel kernel) => kernel.Buffers.Length + kernel.Sizes.Length + 2;

    private string Field(string pointer, long offset, string type) =>
        text.Value($"load {type}, ptr {text.Value($"getelementptr i8, ptr {pointer}, i64 {offset}")}, align 8");

    private string Buffer(int buffer) => Field("%buffers", 8 * buffer, "ptr");

    private string Test(int buffer) =>
        text.Value($"icmp ne i8 {text.Value($"load i8, ptr {Buffer(buffer)}, align 1")}, 0");

    private void Steps(ImmutableArray<Step> steps)
    {
        // Definitions of this block are valid in the rest of it.
        var sums = new Dictionary<string, (Size? Value, string Text)>();
        foreach (var step in steps)
        {
            var here = number++;
            switch (step)
            {
                case CheckStep { Check: var check }:
                    var relation = check.Kind == CheckKind.Equal ? "eq" : "sle";
                    var holds = text.Value(
                        $"icmp {relation} i64 {index.Scalar(check.Left)}, {index.Scalar(check.Right)}");
                    Check(text.Value($"select i1 {holds}, i32 0, i32 {(int)ExecutionCode.DriverCheck}"), here);
                    break;
                case CallStep call:
                    Writing(call);
                    Call(call, here);
                    break;
                case CopyStep copy:
                    Writing(copy);
                    var bytes = index.Scalar(
                        program.Buffers[copy.To].Type.Count * program.Buffers[copy.To].Type.DType.Bytes());
                    text.Declare("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)");
                    text.Do($"call void @llvm.memcpy.p0.p0.i64(ptr {Buffer(copy.To)}, ptr {Buffer(copy.From)}, i64 {bytes}, i1 false)");
                    break;
                case SizeStep size:
                    index.Define(size.Variable, Clamped(size));
                    break;
                case LetStep let:
                    // Sums that grow from call to call are one addition each.
                    var (last, before) = sums.GetValueOrDefault(let.Variable);
                    var value = last is not null && (let.Value - last) is var more
                        && more.Terms.Length < let.Value.Terms.Length
                        ? text.Value($"add i64 {before}, {index.Scalar(more)}") : index.Scalar(let.Value);
                    sums[let.Variable] = (let.Value, value);
                    index.Define(let.Variable, value);
                    break;
                case LoopStep loop:
                    text.For("0", index.Scalar(loop.Count), "1", i =>
                    {
                        index.Define(loop.Variable, i);
                        Stop(here);
                        Steps(loop.Body);
                    });
                    break;
                case WhileStep loop:
                    var (head, body, behind) = (text.Label("while"), text.Label("do"), text.Label("behind"));
                    text.Branch(head);
                    text.Place(head);
                    Steps(loop.Condition);
                    text.Branch(Test(loop.Test), body, behind);
                    text.Place(body);
                    Stop(here);
                    Steps(loop.Body);
                    text.Branch(head);
                    text.Place(behind);
                    break;
                case IfStep branch:
                    text.If(Test(branch.Test), () => Steps(branch.Then), () => Steps(branch.Else));
                    break;
                case PrintStep:
                    Check(text.Value($"call i32 {print}(ptr {context}, i64 {here}, ptr %buffers)"), here);
                    break;
                case AssertStep assert:
                    Check(text.Value($"select i1 {Test(assert.Test)}, i32 0, i32 {(int)ExecutionCode.DriverCheck}"),
                        here);
                    break;
                default:
                    throw new InvalidOperationException($"no driver for {step.GetType().Name}");
            }
        }
    }

    /// <summary>
    /// Tells the host, before a step writes state, that a failure from now on leaves the state half written.
    /// </summary>
    private void Writing(Step step)
    {
        if (!program.WritesState(step)) return;
        var error = Field("%host", 40, "ptr");
        var word = text.Value($"getelementptr i8, ptr {error}, i64 {8 * Host.WrittenWord}");
        text.Do($"store i64 1, ptr {word}, align 8");
    }

    /// <summary>min(most, max(1, value + plus)).</summary>
    private string Clamped(SizeStep size)
    {
        var type = program.Buffers[size.From].Type.DType == DType.I64 ? "i64" : "i32";
        var value = text.Value($"load {type}, ptr {Buffer(size.From)}, align {(type == "i64" ? 8 : 4)}");
        if (type == "i32") value = text.Value($"sext i32 {value} to i64");
        var sum = text.Value($"add i64 {value}, {size.Plus}");
        var least = text.Value($"select i1 {text.Value($"icmp sgt i64 {sum}, 1")}, i64 {sum}, i64 1");
        var most = index.Scalar(size.Most);
        return text.Value($"select i1 {text.Value($"icmp slt i64 {least}, {most}")}, i64 {least}, i64 {most}");
    }

    private void Call(CallStep call, long here)
    {
        var (kernel, printed) = (program.Kernels[call.Kernel], kernels[call.Kernel]);
        symbols.Add(printed.Symbol);
        var fields = call.Buffers.Select(b => $"ptr {Buffer(b)}")
            .Concat(kernel.Sizes.Select(s => $"i64 {index.Scalar(Size.Variable(s))}"))
            .Append("ptr %scratch").Append("i64 %scratch_step").ToList();
        for (var i = 0; i < fields.Count; i++)
            text.Do($"store {fields[i]}, ptr {text.Value($"getelementptr i8, ptr {arguments}, i64 {8 * i}")}, align 8");
        var jobs = index.Scalar(printed.Jobs);
        var work = index.Scalar(printed.Work);
        Check(text.Value($"call i32 @run(ptr %host, ptr @{printed.Symbol}, ptr {arguments}, i64 {jobs}, i64 {work})"),
            here);
    }

    /// <summary>
    /// Leaves the driver at a loop iteration if the host asked to stop: the loop may contain no kernels.
    /// </summary>
    private void Stop(long here)
    {
        var word = text.Value($"getelementptr i8, ptr {Field("%host", 40, "ptr")}, i64 {8 * Host.StopWord}");
        var stop = text.Value($"icmp ne i64 {text.Value($"load volatile i64, ptr {word}, align 8")}, 0");
        Check(text.Value($"select i1 {stop}, i32 {HostStatus.Stopped}, i32 0"), here);
    }

    /// <summary>Leaves the driver if a status is not 0.</summary>
    private void Check(string status, long here)
    {
        text.Do($"store i32 {status}, ptr {done}, align 4");
        text.Do($"store i64 {here}, ptr {at}, align 8");
        var next = text.Label("step");
        text.Branch(text.Value($"icmp ne i32 {status}, 0"), exit, next);
        text.Place(next);
    }
}

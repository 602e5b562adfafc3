// In: a program and its printed kernels. Out: the LLVM module of its driver: the steps, in order, through the host table.
using System.Text;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// `i32 name(ptr host, ptr buffers, ptr sizes, ptr scratch, i64 scratch_step)`: buffers and sizes in the program's order.
/// Returns the first non-zero status. Entry checks are the caller's: nothing may be written before they have passed.
/// </summary>
internal static class DriverText
{
    /// <summary>Below this much work (scalar operations, roughly) waking the workers costs more than they save.</summary>
    private const long WorthSharing = 32 * 1024;

    public static string Print(Program program, IReadOnlyList<PrintedKernel> kernels, string symbol, LlvmTarget target)
    {
        var text = new LlvmText();
        var scalars = new ScalarPrinter(text, target);
        var index = new IndexPrinter(text, scalars, new IndexRanges());
        string Field(string pointer, long offset, string type) =>
            text.Value($"load {type}, ptr {text.Value($"getelementptr i8, ptr {pointer}, i64 {offset}")}, align 8");
        var sizes = program.Sizes.Select((_, i) => Field("%sizes", 8 * i, "i64")).ToArray();
        for (var i = 0; i < sizes.Length; i++) index.Define(program.Sizes[i], sizes[i]);
        var context = Field("%host", 0, "ptr");
        var workers = Field("%host", 8, "i64");
        var parFor = Field("%host", 16, "ptr");
        var alone = text.Value($"icmp sle i64 {workers}, 1");
        var done = text.Slot("i32", 4);
        var exit = text.Label("exit");
        var symbols = new SortedSet<string>(StringComparer.Ordinal);

        foreach (var call in program.Steps.OfType<CallStep>())
        {
            var (kernel, printed) = (program.Kernels[call.Kernel], kernels[call.Kernel]);
            symbols.Add(printed.Symbol);
            var fields = call.Buffers.Select(b => $"ptr {Field("%buffers", 8 * b, "ptr")}")
                .Concat(kernel.Sizes.Select(s => $"i64 {sizes[program.Sizes.IndexOf(s)]}"))
                .Append("ptr %scratch").Append("i64 %scratch_step").ToList();
            var arguments = text.Slot($"[{fields.Count} x i64]", 8);
            for (var i = 0; i < fields.Count; i++)
                text.Do($"store {fields[i]}, ptr {text.Value($"getelementptr i8, ptr {arguments}, i64 {8 * i}")}, align 8");
            var jobs = index.Scalar(printed.Jobs);
            var small = text.Value($"icmp slt i64 {index.Scalar(printed.Work)}, {WorthSharing}");
            var inline = text.Value($"or i1 {alone}, {small}");
            text.If(inline,
                () => text.Do($"store i32 {text.Value($"call i32 @{printed.Symbol}(ptr {arguments}, i64 0, i64 {jobs}, i64 0)")}, ptr {done}, align 4"),
                () => text.Do($"store i32 {text.Value($"call i32 {parFor}(ptr {context}, ptr @{printed.Symbol}, ptr {arguments}, i64 {jobs})")}, ptr {done}, align 4"));
            var failed = text.Value($"icmp ne i32 {text.Value($"load i32, ptr {done}, align 4")}, 0");
            var next = text.Label("step");
            text.Branch(failed, exit, next);
            text.Place(next);
        }
        text.Do($"store i32 0, ptr {done}, align 4");
        text.Branch(exit);
        text.Place(exit);
        text.Do($"ret i32 {text.Value($"load i32, ptr {done}, align 4")}");
        foreach (var name in symbols) text.Declare($"declare i32 @{name}(ptr, i64, i64, i64)");
        var header = $"define i32 @{symbol}(ptr %host, ptr %buffers, ptr %sizes, ptr %scratch, i64 %scratch_step) nounwind";
        return new StringBuilder($"; driver of @{program.Name}\ntarget triple = \"{target.Triple}\"\n\n").Append(text.Function(header)).ToString();
    }
}

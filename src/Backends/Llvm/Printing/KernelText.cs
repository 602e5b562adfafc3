// In: a kernel and a target. Out: the LLVM module that runs a range of its jobs, and the scratch one worker needs.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Compiler.Types;

namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// A printed kernel. Symbol: `i32 (ptr args, i64 begin, i64 end, i64 worker)`, where args are 8-byte fields: the
/// buffers, the sizes, the scratch of worker 0, the bytes from one worker's scratch to the next. Jobs, Work and Scratch
/// (bytes a worker) are polynomials in the kernel's sizes; Work is an approximate count of scalar operations, to
/// distinguish small calls from large ones. Passes: LLVM's pipeline for this text instead of the level's; null for the
/// level's.
/// </summary>
internal sealed record PrintedKernel(string Symbol, string Text, Size Jobs, Size Work, Size Scratch, string? Passes);

internal static class KernelText
{
    /// <summary>The status of a kernel that met an index out of range (ExecutionCode.IndexOutOfRange).</summary>
    public const int IndexOutOfRange = (int)ExecutionCode.IndexOutOfRange;

    /// <summary>
    /// A contraction's loops are printed in their final form, so that little is left for LLVM's passes: with these
    /// ResNet-50's kernels compile in 2.1 s of processor time instead of 2.7, and its calls take 59.8 ms either way
    /// (60.5 without the last). Other kernels need the rest: maxima of rows take 1.2 times as long without, layer norm
    /// 1.08 (AMD Zen 4, `accc time … --passes`).
    /// </summary>
    private const string ContractionPasses = "function(sroa,early-cse,loop-mssa(licm),instcombine<no-verify-fixpoint>)";

    public static PrintedKernel Print(Kernel kernel, LlvmTarget target)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(KernelPrinter.Body(kernel)));
        var symbol =
            $"acc_{kernel.Kind.ToString().ToLowerInvariant()}_{System.Convert.ToHexStringLower(hash.AsSpan(0, 8))}";
        var text = new LlvmText();
        var ranges = Ranges(kernel);
        var scalars = new ScalarPrinter(text, target);
        var index = new IndexPrinter(text, scalars, ranges);

        string Argument(int field, string type) =>
            text.Value($"load {type}, ptr {text.Value($"getelementptr i8, ptr %args, i64 {8 * field}")}, align 8");
        var buffers = kernel.Buffers.Select((_, i) => Argument(i, "ptr")).ToArray();
        for (var i = 0; i < kernel.Sizes.Length; i++)
            index.Define(kernel.Sizes[i], Argument(buffers.Length + i, "i64"));
        var scratchBase = Argument(buffers.Length + kernel.Sizes.Length, "ptr");
        var scratchStep = Argument(buffers.Length + kernel.Sizes.Length + 1, "i64");
        var scratch = text.Value(
            $"getelementptr i8, ptr {scratchBase}, i64 {text.Value($"mul i64 %worker, {scratchStep}")}");

        var status = text.Slot("i32", 4);
        text.Do($"store i32 0, ptr {status}, align 4");
        var restore = FloatMode(text, target);
        var bytes = Size.Zero;
        StreamingStores? streaming = null;
        var isAlone = kernel.ParallelNest() is var (nest, _) && nest.All(l => l.Extent.Is(1));
        ContractPrinter Contraction(StatementPrinter around, Contract contract)
        {
            var printer = new ContractPrinter(around, text, scalars, around.Index, contract, target, scratch, isAlone);
            if (printer.ScratchBytes.Variables().FirstOrDefault(v => !kernel.Sizes.Contains(v)) is { } variable)
                throw new LimitationException(
                    $"not supported: a contraction whose depth depends on the loop over {variable}");
            bytes = Size.Max(bytes, printer.ScratchBytes);
            return printer;
        }
        AttentionPrinter Attention(StatementPrinter around, Attend attend)
        {
            var tile = AttentionTile.For(target, attend.Sum.Type, attend.M.Extent);
            var printer = new AttentionPrinter(around, text, scalars, index, attend, tile, scratch);
            if (printer.ScratchBytes.Variables().FirstOrDefault(v => !kernel.Sizes.Contains(v)) is { } variable)
                throw new LimitationException(
                    $"not supported: attention whose features depend on the loop over {variable}");
            bytes = Size.Max(bytes, printer.ScratchBytes);
            return printer;
        }
        var statements =
            new StatementPrinter(kernel, text, scalars, index, buffers, status, Contraction, Attention, Reserve,
            Taps.Vectors);
        string Reserve(Size room)
        {
            if (room.Variables().FirstOrDefault(v => !kernel.Sizes.Contains(v)) is { } variable)
                throw new LimitationException(
                    $"not supported: a sort whose length depends on the loop over {variable}");
            bytes = Size.Max(bytes, room);
            return scratch;
        }
        var (loops, inner) = kernel.ParallelNest();
        // Loops with negative extents do not run; the product of two such extents must not become a number of jobs.
        var jobs = Size.Product(loops.Select(l => index.AtLeastZero(l.Extent)));
        if (inner.Statements is [Contract contract])
        {
            var printer = Contraction(statements, contract);
            jobs *= printer.Jobs;
            printer.Begin();
            text.For("%begin", "%end", "1", job => printer.Print(Decompose(job, loops, printer.Jobs), job));
        }
        else if (inner.Statements is [Attend attend])
        {
            var printer = Attention(statements, attend);
            jobs *= printer.Jobs;
            text.For("%begin", "%end", "1", job => printer.Print(Decompose(job, loops, printer.Jobs)));
        }
        else if (Taps.Outputs(loops, inner, target) is var outputs && outputs > 1)
        {
            jobs = Groups(outputs);
        }
        else if (TurnedMap.Find(loops, inner) is { } turned)
        {
            statements.Streaming = streaming = StreamingStores.For(kernel, target, text, index);
            jobs = Turned(turned);
        }
        else
        {
            streaming = StreamingStores.For(kernel, target, text, index);
            statements.Streaming = streaming;
            if (RowPrinter.RunsInStep(kernel, inner))
            {
                var kept = RowCache.Find(kernel, inner, text, index);
                if (kept is not null) Reserve(kept.Scratch(1));
                void RowByRow(string begin) => text.For(begin, "%end", "1", job => Rows(job, 1, kept));
                if (loops.Length == 0) RowByRow("%begin");
                else if (RowPipeline.Find(inner) is not { } pipeline) RowByRow(InStep(kept));
                else if (pipeline.Applies(index, text) is { } applies)
                    text.If(applies, () => Pipeline(pipeline, kept), () => RowByRow("%begin"));
                else Pipeline(pipeline, kept);
            }
            else
            {
                text.For("%begin", "%end", "1", job =>
                {
                    Decompose(job, loops, null);
                    statements.Block(inner);
                });
            }
        }
        streaming?.Finish();
        restore();
        text.Do($"ret i32 {text.Value($"load i32, ptr {status}, align 4")}");
        // A spilled register of 64 bytes must not cross cache lines: 512³ took 2.6 ms in one process and 3.2 in the
        // next, depending on where the stack began, before the stack was aligned (AMD Zen 4 with AVX-512, 1 thread). If
        // LLVM may not form memcpy, it forms no memmove either from a loop that moves elements within a buffer: an
        // object may call the former but not the latter, and where two buffers might be one LLVM makes neither.
        var header =
            $"define i32 @{symbol}(ptr noalias nocapture readonly %args, i64 %begin, i64 %end, i64 %worker) nounwind alignstack(64) \"no-builtin-memcpy\"";
        var module = new StringBuilder();
        // The metadata that `!nontemporal` refers to; LLVM prescribes the form.
        var metadata = streaming is null ? "" : "\n!0 = !{i32 1}\n";
        foreach (var line in KernelPrinter.Body(kernel).TrimEnd().Split('\n'))
            module.Append("; ").Append(line).Append('\n');
        module.Append(CultureInfo.InvariantCulture, $"target triple = \"{target.Triple}\"\n\n")
            .Append(text.Function(header)).Append(metadata);
        return new PrintedKernel(symbol, module.ToString(), jobs,
            Work(inner) * Size.Product(loops.Select(l => l.Extent)), bytes,
            inner.Statements is [Contract] ? ContractionPasses : null);

        // A job is a group of iterations of the innermost loop; the jobs of one row form one loop, which locates its
        // row once.
        Size Groups(int count)
        {
            var (row, extent) = (loops[^1], index.AtLeastZero(loops[^1].Extent));
            var groups = Size.FloorDiv(extent + (count - 1), count);
            var (width, perRow) = (index.Scalar(extent), index.Scalar(groups));
            string Least(string a, string b) =>
                text.Value($"select i1 {text.Value($"icmp slt i64 {a}, {b}")}, i64 {a}, i64 {b}");
            var next = text.Slot("i64", 8);
            text.Do($"store i64 %begin, ptr {next}, align 8");
            string Next() => text.Value($"load i64, ptr {next}, align 8");
            text.While(() => text.Value($"icmp slt i64 {Next()}, %end"), () =>
            {
                var job = Next();
                var from = text.Value($"urem i64 {job}, {perRow}");
                Decompose(text.Value($"udiv i64 {job}, {perRow}"), loops.RemoveAt(loops.Length - 1), null);
                var to = Least(text.Value($"add i64 {from}, {text.Value($"sub i64 %end, {job}")}"), perRow);
                text.Do($"store i64 {text.Value($"add i64 {job}, {text.Value($"sub i64 {to}, {from}")}")}, ptr {next}, align 8");
                var first = text.Value($"mul i64 {from}, {count}");
                var last = Least(text.Value($"mul i64 {to}, {count}"), width);
                // The end of a row, if it is not a whole group: four, two and one at a time.
                long? left = extent.IsConstant ? extent.Value % count : null;
                foreach (var some in new[] { count, 4, 2, 1 }.Distinct())
                {
                    if (some != count && (some > count || (left & some) == 0)) continue;
                    var whole = some == 1 || left == 0 ? last
                        : text.Value(
                            $"sub i64 {last}, {text.Value($"urem i64 {text.Value($"sub i64 {last}, {first}")}, {some}")}");
                    text.For(first, whole, $"{some}",
                        i => statements.SideBySide(row.Variable, i, some, () => statements.Block(inner)));
                    if (left == 0) break;
                    first = whole;
                }
            });
            return Size.Product(loops.SkipLast(1).Select(l => index.AtLeastZero(l.Extent))) * groups;
        }

        // A job is some iterations of the loop along which the reads are contiguous.
        Size Turned(TurnedMap map)
        {
            var extent = index.AtLeastZero(map.Extent);
            var parts = Size.FloorDiv(extent + (TurnedMap.PerJob - 1), TurnedMap.PerJob);
            text.For("%begin", "%end", "1", job =>
            {
                var from = text.Value($"mul i64 {Decompose(job, map.Outer, parts)}, {TurnedMap.PerJob}");
                var (to, end) = (text.Value($"add i64 {from}, {TurnedMap.PerJob}"), index.Scalar(extent));
                to = text.Value($"select i1 {text.Value($"icmp slt i64 {to}, {end}")}, i64 {to}, i64 {end}");
                statements.Turned(map, map.Block(target), from, to);
            });
            return Size.Product(map.Outer.Select(l => index.AtLeastZero(l.Extent))) * parts;
        }

        // Prints the jobs that fill groups of rows; returns where the others begin.
        string InStep(RowCache? kept)
        {
            var longest = RowPrinter.Longest(inner);
            var rows = RowPrinter.RowsOf(inner);
            var count = text.Value("sub i64 %end, %begin");
            var grouped = text.Value($"add i64 %begin, {text.Value($"and i64 {count}, {-rows}")}");
            if (!longest.IsConstant)
            {
                var isShort = text.Value($"icmp sle i64 {index.Scalar(longest)}, {RowPrinter.LongestInStep}");
                grouped = text.Value($"select i1 {isShort}, i64 {grouped}, i64 %begin");
            }
            else if (longest.Value > RowPrinter.LongestInStep) return "%begin";
            if (kept is not null) Reserve(kept.Scratch(rows, RowPrinter.LongestInStep));
            text.For("%begin", grouped, $"{rows}", job => Rows(job, rows, kept));
            return grouped;
        }

        void Pipeline(RowPipeline pipeline, RowCache? kept)
        {
            if (kept is not null) Reserve(kept.Scratch(pipeline.Kept(kept), RowPrinter.LongestInStep));
            StatementPrinter At(string job)
            {
                var printer = statements.Fork();
                Decompose(job, loops, null, printer.Index);
                return printer;
            }
            // The first row's position is divided by extents, which may be 0 if there is none.
            text.If(text.Value("icmp slt i64 %begin, %end"), () =>
            {
                var cache = kept?.Place(At("%begin"), scratch);
                pipeline.Print("%begin", "%end", At, text, scalars, kept, cache, index);
            });
        }

        void Rows(string job, int count, RowCache? kept)
        {
            var copies = new StatementPrinter[count];
            var place = "";
            for (var r = 0; r < count; r++)
            {
                copies[r] = statements.Fork();
                Decompose(r == 0 ? job : text.Value($"add i64 {job}, {r}"), loops, null, copies[r].Index);
                if (kept is null) continue;
                if (r == 0) place = kept.Place(copies[r], scratch);
                copies[r].Kept = r == 0 ? place
                    : text.Value($"getelementptr i8, ptr {place}, i64 {index.Scalar(kept.Bytes(r))}");
            }
            StatementPrinter[]? ahead = null;
            if (count > 1)
            {
                ahead = [.. copies.Select(_ => statements.Fork())];
                for (var r = 0; r < count; r++)
                    Decompose(text.Value($"add i64 {job}, {count + r}"), loops, null, ahead[r].Index);
            }
            new RowPrinter(copies, text, scalars, kept, ahead).Block(inner);
        }

        string Decompose(string job, IReadOnlyList<Loop> nest, Size? parts, IndexPrinter? around = null)
        {
            around ??= index;
            var rest = job;
            var inside = "0";
            if (parts is not null)
            {
                var perJob = around.Scalar(parts);
                inside = text.Value($"urem i64 {rest}, {perJob}");
                rest = text.Value($"udiv i64 {rest}, {perJob}");
            }
            for (var i = nest.Count - 1; i >= 0; i--)
            {
                if (i == 0)
                {
                    around.Define(nest[i].Variable, rest);
                    break;
                }
                var extent = around.Scalar(nest[i].Extent);
                around.Define(nest[i].Variable, text.Value($"urem i64 {rest}, {extent}"));
                rest = text.Value($"udiv i64 {rest}, {extent}");
            }
            return inside;
        }
    }

    /// <summary>
    /// Sets round to nearest, subnormals on, exceptions masked, whatever the caller's thread has; restores it at the
    /// end.
    /// </summary>
    private static Action FloatMode(LlvmText text, LlvmTarget target)
    {
        if (!target.Triple.StartsWith("x86_64", StringComparison.Ordinal)) return () => { };
        text.Declare("declare void @llvm.x86.sse.stmxcsr(ptr)");
        text.Declare("declare void @llvm.x86.sse.ldmxcsr(ptr)");
        var (saved, wanted) = (text.Slot("i32", 4), text.Slot("i32", 4));
        text.Do($"call void @llvm.x86.sse.stmxcsr(ptr {saved})");
        text.Do($"store i32 {0x1F80}, ptr {wanted}, align 4");
        text.Do($"call void @llvm.x86.sse.ldmxcsr(ptr {wanted})");
        return () => text.Do($"call void @llvm.x86.sse.ldmxcsr(ptr {saved})");
    }

    private static IndexRanges Ranges(Kernel kernel)
    {
        var ranges = new IndexRanges();
        var axes = Kernel.Statements(kernel.Body).SelectMany(s => s.Axes);
        // Two adjacent loops may share a name; properties of one prove nothing about the other.
        foreach (var same in axes.Distinct().GroupBy(a => a.Variable).Where(g => g.Count() == 1))
            ranges.Add(same.Key, same.Single().Extent);
        return ranges;
    }

    private static Size Work(Block block) => block.Statements.Aggregate(Size.Zero, (sum, s) => sum + (s switch
    {
        Loop l => Bounded(l.Extent) * Work(l.Body),
        Reduction r => Bounded(r.Extent) * Work(r.Body),
        Cumulation c => Bounded(c.Extent) * (Work(c.Body) + Work(c.Epilogue)),
        // The passes of a merge sort of some thousand keys, at a few instructions each.
        Ordering o => Bounded(o.Extent) * (Work(o.Body) + Work(o.Epilogue) + 64),
        // Reading an element of the right side costs as much as three multiplications: it bounds a matrix times a few
        // rows.
        Contract c => (c.M.Extent + 3) * c.N.Extent * Size.Product(c.K.Select(k => k.Extent)),
        // A weight takes about as long as 16 products.
        Attend a => a.M.Extent * Bounded(a.S.Extent) * (a.K.Extent + a.E.Extent + 16),
        _ => Size.One,
    }));

    /// <summary>
    /// An extent that depends on a loop variable (the last, shorter block) counts as that of the first block.
    /// </summary>
    private static Size Bounded(Size extent) => extent.Substitute(v => VariableName.IsOfKernel(v) ? Size.Zero : null);
}

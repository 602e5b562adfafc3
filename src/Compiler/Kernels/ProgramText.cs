// A program's text form, written and read: driver first, then its kernels.
using System.Collections.Immutable;
using System.Text;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

public static class ProgramPrinter
{
    public static string Print(Program program)
    {
        var text = new StringBuilder($"program @{program.Name} {{\n  sizes({string.Join(", ", program.Sizes)})\n");
        for (var slot = 0; slot < program.Slots.Length; slot++) text.Append($"  slot({slot}, {program.Slots[slot]})\n");
        foreach (var b in program.Buffers)
        {
            var extra = b.Kind switch
            {
                BufferKind.Temporary => $", {b.Slot}",
                BufferKind.Constant => $", {b.Values!.Attributes}",
                _ => "",
            };
            text.Append($"  {b.Kind.ToString().ToLowerInvariant()}({b.Name}: {b.Type}, {Quote.Text(b.Label)}{extra})\n");
        }
        foreach (var step in program.Steps)
        {
            text.Append(step switch
            {
                CheckStep { Check: var c } =>
                    $"  check({c.Kind.ToString().ToLowerInvariant()}, {c.Left}, {c.Right}, {Quote.Text(c.Message)})\n",
                CallStep call =>
                    $"  call(@{program.Kernels[call.Kernel].Name}; {string.Join(", ", call.Buffers.Select(b => program.Buffers[b].Name))})\n",
                _ => throw new InvalidOperationException($"no text form for {step.GetType().Name}"),
            });
        }
        text.Append("}\n");
        foreach (var kernel in program.Kernels) text.Append(KernelPrinter.Print(kernel));
        // What computes the folded constants is a program of its own, behind the one that uses them.
        if (program.Setup is { } setup) text.Append(Print(setup));
        return text.ToString();
    }
}

public static class ProgramReader
{
    /// <summary>Throws FormatException with the place for a text that is no program.</summary>
    public static Program Read(string text) => Read(new TextCursor(text));

    private static Program Read(TextCursor cursor)
    {
        cursor.Expect("program");
        cursor.Expect("@");
        var name = cursor.Name();
        cursor.Expect("{");
        cursor.Expect("sizes");
        var sizes = cursor.List("(", ")", cursor.Name);
        var slots = new List<Size>();
        var buffers = new List<ProgramBuffer>();
        var steps = new List<Func<ImmutableArray<Kernel>, Step>>();
        while (!cursor.Take("}"))
        {
            var word = cursor.Name();
            cursor.Expect("(");
            if (word == "slot")
            {
                if (cursor.Integer() != slots.Count) throw cursor.Error("slots are numbered in order");
                cursor.Expect(",");
                slots.Add(cursor.Size());
            }
            else if (word == "check")
            {
                var kind = Enum.Parse<CheckKind>(cursor.Name(), ignoreCase: true);
                var left = Next(cursor, cursor.Size);
                var right = Next(cursor, cursor.Size);
                var check = new EntryCheck(kind, left, right, Next(cursor, cursor.String));
                steps.Add(_ => new CheckStep(check));
            }
            else if (word == "call")
            {
                cursor.Expect("@");
                var callee = cursor.Name();
                cursor.Expect(";");
                var arguments = new List<int>();
                do arguments.Add(buffers.FindIndex(b => b.Name == cursor.PeekName()) is >= 0 and var i && cursor.Name() is not null
                    ? i : throw cursor.Error("a buffer was expected"));
                while (cursor.Take(","));
                steps.Add(kernels => new CallStep(kernels.ToList().FindIndex(k => k.Name == callee) is >= 0 and var k
                    ? k : throw new FormatException($"no kernel is called @{callee}"), [.. arguments]));
            }
            else
            {
                if (!Enum.TryParse<BufferKind>(word, ignoreCase: true, out var kind)) throw cursor.Error($"'{word}' is no step");
                buffers.Add(ReadBuffer(cursor, kind));
            }
            cursor.Expect(")");
        }
        var read = ImmutableArray.CreateBuilder<Kernel>();
        while (!cursor.AtEnd && !cursor.Peek("program")) read.Add(KernelReader.Read(cursor));
        var all = read.ToImmutable();
        return new Program(name, [.. sizes], [.. buffers], [.. slots], all, [.. steps.Select(s => s(all))])
        {
            Setup = cursor.AtEnd ? null : Read(cursor),
        };
    }

    private static ProgramBuffer ReadBuffer(TextCursor cursor, BufferKind kind)
    {
        var name = cursor.Name();
        cursor.Expect(":");
        var type = GraphReader.ReadType(cursor);
        var label = Next(cursor, cursor.String);
        if (kind == BufferKind.Temporary) return new(name, kind, type, label, (int)Next(cursor, cursor.Integer));
        if (kind != BufferKind.Constant) return new(name, kind, type, label);
        cursor.Expect(",");
        if (cursor.Take("folded")) return new(name, kind, type, label, -1, Const.Folded(type, (int)cursor.Integer()));
        var numbers = cursor.List("[", "]", cursor.Number);
        var values = type.DType.IsFloat
            ? Const.Of(type, [.. numbers.Select(ConstText.Parse)])
            : Const.Of(type, [.. numbers.Select(long.Parse)]);
        return new(name, kind, type, label, -1, values);
    }

    private static T Next<T>(TextCursor cursor, Func<T> read)
    {
        cursor.Expect(",");
        return read();
    }
}

// In: the text form of a program. Out: the program.
using System.Collections.Immutable;
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

internal static class ProgramReader
{
    /// <summary>The greatest depth of nested blocks, and number of consecutive programs, in a text.</summary>
    private const int Deepest = 200;

    /// <summary>
    /// Reads a program from any source: it is verified, and accesses that are not proved are guarded. Throws a
    /// FormatException for a text that is no program, or whose parts do not fit together.
    /// </summary>
    public static Program Read(string text)
    {
        var program = Trusted(text) with { IsTrusted = false };
        try
        {
            ProgramVerifier.Verify(program);
        }
        catch (OverflowException)
        {
            throw new FormatException($"program @{program.Name}: a number of elements, or bytes, does not fit 64 bits");
        }
        return program;
    }

    /// <summary>Reads a program that this compiler has printed and stored.</summary>
    internal static Program Trusted(string text)
    {
        var cursor = new TextCursor(text);
        return cursor.Whole(() => new One(cursor).Read());
    }

    private sealed class One(TextCursor cursor)
    {
        private readonly List<ProgramBuffer> buffers = [];
        private CallPlan? plan;

        /// <summary>
        /// The kernels that calls name, in the order of the first call; their texts follow the driver.
        /// </summary>
        private readonly List<string> called = [];

        private int depth;

        public Program Read(int before = 0)
        {
            if (before > Deepest) throw cursor.Error($"more than {Deepest} programs behind one another");
            cursor.Expect("program");
            cursor.Expect("@");
            var name = cursor.Name();
            cursor.Expect("{");
            cursor.Expect("sizes");
            var sizes = cursor.List("(", ")", cursor.Name);
            var steps = Block();
            var kernels = ImmutableArray.CreateBuilder<Kernel>();
            while (!cursor.AtEnd && !cursor.Peek("program")) kernels.Add(KernelReader.Read(cursor));
            int[] numbers =
                [.. called.Select(callee => kernels.ToList().FindIndex(k => k.Name == callee) is >= 0 and var k
                ? k : throw new FormatException($"no kernel is called @{callee}"))];
            return new Program(name, [.. sizes], [.. buffers],
                CallPlanText.Completed(plan, buffers, Lives.Count(steps)), kernels.ToImmutable(),
                Numbered(steps, numbers))
            {
                Setup = cursor.AtEnd ? null : new One(cursor).Read(before + 1),
            };
        }

        /// <summary>Reads steps, and at the top level also buffers and the plan, up to the closing bracket.</summary>
        private ImmutableArray<Step> Block()
        {
            var steps = ImmutableArray.CreateBuilder<Step>();
            while (!cursor.Take("}"))
                if (Line() is { } step) steps.Add(step);
            return steps.ToImmutable();
        }

        private ImmutableArray<Step> Inner()
        {
            cursor.Expect("{");
            if (++depth > Deepest) throw cursor.Error($"more than {Deepest} blocks in each other");
            var block = Block();
            depth--;
            return block;
        }

        private Step? Line()
        {
            var word = cursor.Name();
            if (word == "while")
            {
                var condition = Inner();
                cursor.Expect("do(");
                var test = Buffer();
                cursor.Expect(")");
                return new WhileStep(condition, test, Inner());
            }
            if (word == "plan")
            {
                if (depth > 0 || plan is not null) throw cursor.Error("a program has one plan, outside of its blocks");
                plan = CallPlanText.Read(cursor, buffers);
                return null;
            }
            if (word == "check") return new CheckStep(CallPlanText.ReadCheck(cursor));
            cursor.Expect("(");
            Step? step = null;
            switch (word)
            {
                case "call":
                    cursor.Expect("@");
                    step = new CallStep(Called(cursor.Name()), Rest());
                    break;
                case "copy":
                    step = new CopyStep(Buffer(), Next(Buffer));
                    break;
                case "size":
                    step = new SizeStep(cursor.Name(), Next(Buffer), Next(cursor.Integer), Next(cursor.Size));
                    break;
                case "let":
                    step = new LetStep(cursor.Name(), Next(cursor.Size));
                    break;
                case "print":
                    step = new PrintStep(cursor.String(), Rest());
                    break;
                case "assert":
                    var condition = Buffer();
                    step = new AssertStep(Next(cursor.String), condition, Rest());
                    break;
                case "loop":
                    var variable = cursor.Name();
                    cursor.Expect("<");
                    var count = cursor.Size();
                    cursor.Expect(")");
                    return new LoopStep(variable, count, Inner());
                case "if":
                    var test = Buffer();
                    cursor.Expect(")");
                    var then = Inner();
                    cursor.Expect("else");
                    return new IfStep(test, then, Inner());
                default:
                    if (!Enum.TryParse<BufferKind>(word, ignoreCase: true, out var kind))
                        throw cursor.Error($"'{word}' is no step");
                    buffers.Add(Declared(kind));
                    break;
            }
            cursor.Expect(")");
            var place = cursor.Take("at") ? cursor.String() : "";
            var layer = cursor.Take("of") ? cursor.String() : "";
            return step switch
            {
                CallStep c => c with { Place = place, Layer = layer },
                AssertStep a => a with { Place = place, Layer = layer },
                _ when place.Length + layer.Length == 0 => step,
                _ => throw cursor.Error("this step has no place"),
            };
        }

        private int Called(string callee)
        {
            if (!called.Contains(callee)) called.Add(callee);
            return called.IndexOf(callee);
        }

        /// <summary>Calls with the positions of their kernels instead of those in `called`.</summary>
        private static ImmutableArray<Step> Numbered(ImmutableArray<Step> steps, int[] numbers) =>
            [.. steps.Select(Step (s) => s switch
        {
            CallStep c => c with { Kernel = numbers[c.Kernel] },
            LoopStep l => l with { Body = Numbered(l.Body, numbers) },
            WhileStep w => w with { Condition = Numbered(w.Condition, numbers), Body = Numbered(w.Body, numbers) },
            IfStep i => i with { Then = Numbered(i.Then, numbers), Else = Numbered(i.Else, numbers) },
            _ => s,
        })];

        private int Buffer() =>
            buffers.FindIndex(b => b.Name == cursor.PeekName()) is >= 0 and var i && cursor.Name() is not null
            ? i : throw cursor.Error("a buffer was expected");

        /// <summary>Reads the buffers after the semicolon; possibly none.</summary>
        private ImmutableArray<int> Rest()
        {
            var rest = ImmutableArray.CreateBuilder<int>();
            cursor.Expect(";");
            if (cursor.Peek(")")) return [];
            do rest.Add(Buffer());
            while (cursor.Take(","));
            return rest.ToImmutable();
        }

        private ProgramBuffer Declared(BufferKind kind)
        {
            var name = cursor.Name();
            cursor.Expect(":");
            var type = GraphReader.ReadType(cursor);
            var label = Next(cursor.String);
            if (kind == BufferKind.Input && cursor.Take(","))
                return new(name, kind, type, label, IsInout: Taken("inout"));
            if (kind != BufferKind.Constant) return new(name, kind, type, label);
            cursor.Expect(",");
            if (cursor.Take("folded"))
                return new(name, kind, type, label, Const.Folded(type, (int)cursor.Integer()));
            var numbers = cursor.List("[", "]", cursor.Number);
            var values = type.DType.IsFloat
                ? Const.Of(type, [.. numbers.Select(ConstText.Parse)])
                : Const.Of(type, [.. numbers.Select(long.Parse)]);
            return new(name, kind, type, label, values);
        }

        private bool Taken(string word)
        {
            cursor.Expect(word);
            return true;
        }

        private T Next<T>(Func<T> read)
        {
            cursor.Expect(",");
            return read();
        }
    }
}

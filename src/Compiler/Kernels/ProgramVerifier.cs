// In: a program read from a text. Out: nothing, or a FormatException that names the first parts that do not fit
// together.
using Accelerate.Compiler.Graph;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Compiler.Kernels;

/// <summary>
/// Checks what backends rely on without checking: well-formed kernels, calls whose buffers are those of the kernel, a
/// plan with room for every temporary (<see cref="CallPlanVerifier"/>), sizes that are known where they are used.
/// </summary>
internal sealed class ProgramVerifier
{
    private readonly Program program;
    private readonly HashSet<string> sizes;
    private readonly IndexRanges ranges = new();

    /// <summary>The values, at this place, of the sizes that steps define.</summary>
    private readonly Dictionary<string, Size> values = new(StringComparer.Ordinal);

    private ProgramVerifier(Program program)
    {
        this.program = program;
        sizes = new(program.Sizes, StringComparer.Ordinal);
    }

    /// <exception cref="FormatException">Two parts of the program do not fit together; the message names
    /// both.</exception>
    public static void Verify(Program program)
    {
        var verifier = new ProgramVerifier(program);
        verifier.Require(verifier.sizes.Count == program.Sizes.Length, () => "two sizes have one name");
        foreach (var kernel in program.Kernels)
        {
            try
            {
                KernelVerifier.Verify(kernel);
            }
            catch (KernelException e)
            {
                throw new FormatException(e.Message, e);
            }
        }
        foreach (var buffer in program.Buffers) verifier.Check(buffer);
        foreach (var check in program.Plan.Checks) verifier.Check(check);
        verifier.Check(program.Steps);
        CallPlanVerifier.Verify(program);
        if (program.Setup is { } setup) Verify(setup);
    }

    private void Check(ProgramBuffer buffer)
    {
        Visible(buffer.Type.Count, $"the type of {buffer.Name}");
        if (buffer.Values is not { FoldedIndex: >= 0 and var folded }) return;
        var results = (program.Setup?.Of(BufferKind.Output) ?? []).ToList();
        Require(folded < results.Count && results[folded].Type.Equals(buffer.Type),
            () => $"{buffer.Name}: {buffer.Type} is result {folded} of a setup that has {results.Count}");
    }

    private void Check(EntryCheck check)
    {
        Visible(check.Left, "a check");
        Visible(check.Right, "a check");
    }

    private void Check(IEnumerable<Step> steps)
    {
        var defined = new List<string>();
        foreach (var step in steps)
        {
            switch (step)
            {
                case CheckStep c:
                    Check(c.Check);
                    break;
                case CallStep c:
                    Check(c);
                    break;
                case CopyStep c:
                    Require(program.Buffers[c.From].Type.Equals(program.Buffers[c.To].Type),
                        () => $"a copy from {Described(c.From)} to {Described(c.To)}");
                    Writable(c.To);
                    break;
                case SizeStep s:
                    Scalar(s.From, t => t is DType.I32 or DType.I64, "an integer");
                    Visible(s.Most, $"the most of {s.Variable}");
                    Define(s.Variable, Size.Max(s.Most, Size.One) + 1);
                    defined.Add(s.Variable);
                    break;
                case LetStep l:
                    Visible(l.Value, $"the value of {l.Variable}");
                    Require(values.ContainsKey(l.Variable) || !sizes.Contains(l.Variable),
                        () => $"the size {l.Variable} hides another one");
                    values[l.Variable] = l.Value.Substitute(values.GetValueOrDefault);
                    sizes.Add(l.Variable);
                    defined.Add(l.Variable);
                    break;
                case LoopStep l:
                    Visible(l.Count, $"the count of {l.Variable}");
                    Define(l.Variable, l.Count);
                    Check(l.Body);
                    sizes.Remove(l.Variable);
                    break;
                case WhileStep w:
                    Check(w.Condition);
                    Scalar(w.Test, t => t == DType.Bool, "a bool");
                    Check(w.Body);
                    break;
                case IfStep i:
                    Scalar(i.Test, t => t == DType.Bool, "a bool");
                    Check(i.Then);
                    Check(i.Else);
                    break;
                case AssertStep a:
                    Scalar(a.Test, t => t == DType.Bool, "a bool");
                    break;
            }
        }
        // A size that a block defines is unknown after it, even if it was known before.
        sizes.ExceptWith(defined);
        foreach (var name in defined) values.Remove(name);
    }

    private void Define(string variable, Size extent)
    {
        Require(sizes.Add(variable), () => $"the size {variable} hides another one");
        ranges.Add(variable, extent);
    }

    private void Check(CallStep call)
    {
        var kernel = program.Kernels[call.Kernel];
        Require(call.Buffers.Length == kernel.Buffers.Length,
            () => $"a call of @{kernel.Name} with {call.Buffers.Length} buffers, not {kernel.Buffers.Length}");
        foreach (var size in kernel.Sizes)
            Require(sizes.Contains(size), () => $"@{kernel.Name} is called where its size {size} is not known");
        for (var i = 0; i < kernel.Buffers.Length; i++)
        {
            var (given, wanted) = (program.Buffers[call.Buffers[i]], kernel.Buffers[i]);
            Require(given.Type.DType == wanted.Type, () =>
                $"@{kernel.Name} is called with {Described(call.Buffers[i])} for {wanted.Name}, which is {wanted.Type.Name()}");
            Require(ranges.NonNegative(given.Type.Count - wanted.Count.Substitute(values.GetValueOrDefault)), () =>
                $"@{kernel.Name} is called with {Described(call.Buffers[i])} for the {wanted.Count} elements of {wanted.Name}");
            if (wanted.IsOutput) Writable(call.Buffers[i]);
        }
    }

    private void Writable(int buffer)
    {
        var b = program.Buffers[buffer];
        Require(b.Kind != BufferKind.Constant && (b.Kind != BufferKind.Input || b.IsInout),
            () => $"{b.Name} is written, though it is {(b.Kind == BufferKind.Input ? "an input" : "a constant")}");
    }

    private void Scalar(int buffer, Func<DType, bool> isType, string what)
    {
        var type = program.Buffers[buffer].Type;
        Require(type.Count.Is(1) && isType(type.DType), () => $"{Described(buffer)} stands where {what} is wanted");
    }

    private string Described(int buffer) => $"{program.Buffers[buffer].Name}: {program.Buffers[buffer].Type}";

    private void Visible(Size size, string what)
    {
        foreach (var name in size.Variables())
            Require(sizes.Contains(name), () => $"{what}, {size}, mentions {name}, which is not known there");
    }

    private void Require(bool holds, Func<string> message)
    {
        if (!holds) throw new FormatException($"program @{program.Name}: {message()}");
    }
}

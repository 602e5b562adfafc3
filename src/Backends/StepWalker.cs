// In: a program, a call of it. Out: its steps run in order by managed code, including loops and branches.
using System.Collections.Immutable;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate.Backends;

/// <summary>
/// The driver of a backend without a native one. The backend provides kernels and buffers: it runs the former, and
/// brings the latter to the host if their values decide what happens next.
/// </summary>
internal abstract class StepWalker(ProgramCall call)
{
    /// <summary>
    /// The kernel call that failed, or the assertion that does not hold; null if there is no failure.
    /// </summary>
    public Step? Failed { get; private set; }

    protected ProgramCall Invocation => call;

    /// <summary>Runs all steps up to the first that fails.</summary>
    /// <returns>0, or the status of the failed step.</returns>
    public int Run(ImmutableArray<Step> steps)
    {
        foreach (var step in steps)
            if (Run(step) is not 0 and var code) return code;
        return 0;
    }

    /// <summary>Runs a kernel; returns 0 or its status.</summary>
    protected abstract int Call(CallStep step);

    protected abstract void Copy(CopyStep step);

    /// <summary>Called before a kernel or a copy runs.</summary>
    protected virtual void Begin(Step step) => call.Begin(step);

    /// <summary>The current contents of a buffer, on the host.</summary>
    public virtual nint Fetch(int buffer) => call.Pointers[buffer];

    private int Run(Step step)
    {
        call.Cancellation.ThrowIfCancellationRequested();
        switch (step)
        {
            case CheckStep check:
                if (call.Holds(check.Check)) return 0;
                Failed = step;
                return (int)ExecutionCode.DriverCheck;
            case CallStep kernel:
                Begin(step);
                var status = Call(kernel);
                if (status != 0) Failed = step;
                return status;
            case CopyStep copy:
                Begin(step);
                Copy(copy);
                return 0;
            case SizeStep size:
                call.Enter(size.Variable,
                    Math.Min(size.Most.Evaluate(call.SizeOf), Math.Max(1, Integer(size.From) + size.Plus)));
                return 0;
            case LetStep let:
                call.Enter(let.Variable, let.Value.Evaluate(call.SizeOf));
                return 0;
            case LoopStep loop:
                var count = loop.Count.Evaluate(call.SizeOf);
                for (var i = 0L; i < count; i++)
                {
                    call.Enter(loop.Variable, i);
                    if (Run(loop.Body) is not 0 and var code) return code;
                }
                return 0;
            case WhileStep loop:
                while (true)
                {
                    if (Run(loop.Condition) is not 0 and var code) return code;
                    if (!Test(loop.Test)) return 0;
                    if (Run(loop.Body) is not 0 and var inner) return inner;
                }
            case IfStep branch:
                return Run(Test(branch.Test) ? branch.Then : branch.Else);
            case PrintStep print:
                Print(print);
                return 0;
            case AssertStep assert:
                if (Test(assert.Test)) return 0;
                Failed = step;
                return (int)ExecutionCode.DriverCheck;
            default:
                throw new InvalidOperationException(step.GetType().Name);
        }
    }

    /// <summary>The writer belongs to the caller, and so do its exceptions.</summary>
    private void Print(PrintStep print)
    {
        try
        {
            call.Print(print, Fetch);
        }
        catch (Exception e)
        {
            throw call.CallbackFailed(e);
        }
    }

    private unsafe long Integer(int buffer) =>
        call.Type(buffer) == DType.I64 ? *(long*)Fetch(buffer) : *(int*)Fetch(buffer);

    private unsafe bool Test(int buffer) => *(byte*)Fetch(buffer) != 0;
}

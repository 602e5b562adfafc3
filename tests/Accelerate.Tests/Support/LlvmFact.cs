// In: a test that needs libLLVM. Out: the test, or a skip with the reason libLLVM cannot be used.
using Accelerate.Backends.Llvm.Native;

namespace Accelerate.Tests.Support;

/// <summary>A fact that is skipped, with the install line, where libLLVM is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LlvmFactAttribute : FactAttribute
{
    public LlvmFactAttribute()
    {
        if (!LlvmLibrary.Available(out var reason))
            Skip = reason;
    }
}

/// <summary>A theory that is skipped, with the install line, where libLLVM is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LlvmTheoryAttribute : TheoryAttribute
{
    public LlvmTheoryAttribute()
    {
        if (!LlvmLibrary.Available(out var reason))
            Skip = reason;
    }
}

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

/// <summary>A fact that is skipped, with the reason, where the processor has no AVX-512.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class Avx512FactAttribute : FactAttribute
{
    public Avx512FactAttribute()
    {
        if (!LlvmLibrary.Available(out var reason)) Skip = reason;
        else if (!LlvmTarget.X64V4.CanRunHere)
            Skip = "this processor lacks AVX-512: x86-64-v4 is compiled, and its text runs on AVX2";
    }
}

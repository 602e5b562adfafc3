// In: a test that needs an OpenCL device. Out: the test, or a skip with the reason there is none.
using Accelerate.Backends.OpenCl;

namespace Accelerate.Tests.Support;

/// <summary>A fact that is skipped, with the install line, where there is no OpenCL device.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OpenClFactAttribute : FactAttribute
{
    public OpenClFactAttribute()
    {
        if (!OpenClExecutable.Available(out var reason))
            Skip = reason;
    }
}

/// <summary>A theory that is skipped, with the install line, where there is no OpenCL device.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OpenClTheoryAttribute : TheoryAttribute
{
    public OpenClTheoryAttribute()
    {
        if (!OpenClExecutable.Available(out var reason))
            Skip = reason;
    }
}

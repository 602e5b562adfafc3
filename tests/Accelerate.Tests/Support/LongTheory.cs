// In: a test that takes minutes. Out: the test where ACC_LONG=1 asks for it, a skip otherwise.
namespace Accelerate.Tests.Support;

[AttributeUsage(AttributeTargets.Method)]
public sealed class LongTheoryAttribute : TheoryAttribute
{
    public LongTheoryAttribute()
    {
        if (Environment.GetEnvironmentVariable("ACC_LONG") != "1") Skip = "takes minutes; ACC_LONG=1 runs it";
    }
}

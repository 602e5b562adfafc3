// In: a test about owners, modes and links of files. Out: the test on Linux, as root or as another user where it needs
// that, else a skip with the reason.
namespace Accelerate.Tests.Support;

[AttributeUsage(AttributeTargets.Method)]
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute() => Skip = Reason;

    internal static string? Reason =>
        OperatingSystem.IsLinux() ? null : "owners and modes of files are looked at on Linux only";
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class LinuxTheoryAttribute : TheoryAttribute
{
    public LinuxTheoryAttribute() => Skip = LinuxFactAttribute.Reason;
}

/// <summary>A fact about what a user may not do.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UserFactAttribute : FactAttribute
{
    public UserFactAttribute() => Skip = LinuxFactAttribute.Reason
        ?? (Environment.IsPrivilegedProcess ? "root may write every file" : null);
}

/// <summary>A fact that gives files to another user, which only root can.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute() => Skip = LinuxFactAttribute.Reason
        ?? (Environment.IsPrivilegedProcess ? null : "only root can give a file to another user");
}

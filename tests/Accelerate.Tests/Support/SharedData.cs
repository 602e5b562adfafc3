// In: a path below the shared data folder. Out: the path, or a test that is skipped with the reason.
namespace Accelerate.Tests.Support;

/// <summary>The shared folder: $ACC_SHARED, else <c>shared</c> beside the repository.</summary>
internal static class SharedData
{
    public static string Path(string relative) => System.IO.Path.Combine(Root, "data", relative);

    private static string Root => Environment.GetEnvironmentVariable("ACC_SHARED")
        ?? System.IO.Path.Combine(RepositoryRoot, "..", "shared");

    private static string RepositoryRoot
    {
        get
        {
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "Accelerate.sln")))
            {
                folder = folder.Parent;
            }
            return folder?.FullName ?? AppContext.BaseDirectory;
        }
    }
}

/// <summary>A fact that needs shared data.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SharedDataFactAttribute : FactAttribute
{
    public SharedDataFactAttribute(string relative)
    {
        if (!System.IO.Path.Exists(SharedData.Path(relative)))
        {
            Skip = $"{SharedData.Path(relative)} is absent; ACC_SHARED may name the shared folder";
        }
    }
}

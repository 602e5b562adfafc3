// Where the shared folder (designs, reference data) lies comes out; tests that need it are skipped where it is absent.
namespace Accelerate.Tests.Support;

/// <summary>The repository and the shared folder beside it.</summary>
public static class Shared
{
    /// <summary>The folder of Accelerate.sln.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>ACC_SHARED, else `shared` beside the repository, else inside it; null where there is none.</summary>
    public static string? Folder { get; } = new[]
    {
        Environment.GetEnvironmentVariable("ACC_SHARED"),
        Path.Combine(Repository, "..", "shared"),
        Path.Combine(Repository, "shared"),
    }.FirstOrDefault(Directory.Exists);

    /// <summary>A path in the shared folder.</summary>
    public static string PathTo(params string[] parts) => Path.Combine([Folder!, .. parts]);

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Accelerate.sln")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? throw new InvalidOperationException("the tests run inside the repository");
    }
}

/// <summary>
/// A test that needs the shared folder (or a part of it); skipped, with the reason, where it is absent.
/// </summary>
public sealed class SharedFactAttribute : FactAttribute
{
    /// <summary>Needs the folder, and the given path in it.</summary>
    public SharedFactAttribute(string path = "")
    {
        if (Shared.Folder is null)
        {
            Skip = "no shared folder: set ACC_SHARED or put `shared` beside the repository";
        }
        else if (!Path.Exists(Path.Combine(Shared.Folder, path)))
        {
            Skip = $"the shared folder has no {path}";
        }
    }
}

/// <summary>A theory that needs a path in the shared folder; skipped, with the reason, where it is absent.</summary>
public sealed class SharedTheoryAttribute : TheoryAttribute
{
    public SharedTheoryAttribute(string path) => Skip = new SharedFactAttribute(path).Skip;
}

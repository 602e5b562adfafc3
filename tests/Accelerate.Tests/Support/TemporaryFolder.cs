// In: file names. Out: paths in a folder that goes away with the test.
namespace Accelerate.Tests.Support;

internal sealed class TemporaryFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("accelerate-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public string Write(string name, params byte[] bytes)
    {
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

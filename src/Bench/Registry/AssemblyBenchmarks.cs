// In: an assembly of the user. Out: the benchmark classes in it.
using System.Reflection;
using System.Runtime.Loader;

namespace Accelerate.Bench.Registry;

internal static class AssemblyBenchmarks
{
    /// <summary>Every class with the attribute.</summary>
    /// <exception cref="FormatException">The file is not an assembly, has no benchmark, or has one that cannot be
    /// created.</exception>
    public static IReadOnlyList<BenchmarkDefinition> Of(string path)
    {
        var file = Path.GetFullPath(path);
        var found = Classes(file).Select(c => Definition(file, c.Type, c.Attribute)).ToList();
        return found.Count > 0 ? found : throw new FormatException(
            $"{path} has no class with [Benchmark(\"name\")] that derives from BenchmarkBase");
    }

    /// <summary>Creates an instance of the class with that name.</summary>
    /// <exception cref="FormatException">There is no such benchmark.</exception>
    public static BenchmarkBase Make(string path, string name) =>
        Classes(Path.GetFullPath(path)).FirstOrDefault(c => c.Attribute.Name == name) is { Type: { } type }
            ? Make(type) : throw new FormatException($"{path} has no benchmark '{name}'");

    private static IEnumerable<(Type Type, BenchmarkAttribute Attribute)> Classes(string file)
    {
        Assembly assembly;
        try
        {
            // The harness's own types must come from this process, not from a copy next to the user's assembly.
            AssemblyLoadContext.Default.Resolving += (context, name) =>
                Path.Combine(Path.GetDirectoryName(file)!, name.Name + ".dll") is var beside && File.Exists(beside)
                    ? context.LoadFromAssemblyPath(beside) : null;
            assembly = AssemblyLoadContext.Default.LoadFromAssemblyPath(file);
        }
        catch (Exception e) when (e is FileNotFoundException or BadImageFormatException or FileLoadException)
        {
            throw new FormatException($"{file} is no .NET assembly that can be loaded: {e.Message}");
        }
        return from type in assembly.GetTypes()
               let attribute = type.GetCustomAttribute<BenchmarkAttribute>()
               where attribute is not null && typeof(BenchmarkBase).IsAssignableFrom(type)
               select (type, attribute);
    }

    private static BenchmarkDefinition Definition(string file, Type type, BenchmarkAttribute attribute)
    {
        BenchmarkParameter[] parameters;
        try
        {
            using var instance = Make(type);
            parameters = [.. instance.Parameters.Select(p => new BenchmarkParameter(p.Key, p.Value, p.Key))];
        }
        catch (Exception e) when (e is not FormatException)
        {
            throw new FormatException($"{type.FullName}: its parameters cannot be asked for: {e.GetType().Name}: {e.Message}");
        }
        return new(attribute.Name, attribute.Category, attribute.Description, parameters,
            v => new(attribute.Name, [new("", [attribute.Name, "--params", v.ToJson()]) { Assembly = file }]));
    }

    private static BenchmarkBase Make(Type type)
    {
        try
        {
            return (BenchmarkBase)Activator.CreateInstance(type)!;
        }
        catch (Exception e) when (e is MissingMethodException or TargetInvocationException or MemberAccessException)
        {
            throw new FormatException(
                $"{type.FullName}: a benchmark needs a public constructor without parameters that works: "
                + (e.InnerException ?? e).Message);
        }
    }
}

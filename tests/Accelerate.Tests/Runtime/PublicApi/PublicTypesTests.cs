// In: the libraries that an application references. Out: whether their public types are those that were reviewed, and
// whether the signatures of these need nothing else.
using System.Reflection;
using System.Text;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Runtime.PublicApi;

public sealed class PublicTypesTests
{
    private static readonly Assembly[] Libraries =
    [
        typeof(Tensor).Assembly, typeof(Compilation).Assembly, typeof(Executables).Assembly,
        typeof(Data.Feed).Assembly, typeof(Training.Trainer).Assembly,
        typeof(Accelerate.Bench.Registry.BenchmarkBase).Assembly,
    ];

    private static readonly Assembly[] Documented = Libraries[..5];

    /// <summary>A type that becomes public is a decision: it is approved by the snapshot's change.</summary>
    [Fact]
    public void TypesAreAsReviewed()
    {
        var text = new StringBuilder();
        foreach (var library in Libraries)
        {
            text.Append($"{library.GetName().Name}\n");
            foreach (var type in Exported(library).OrderBy(t => t.FullName, StringComparer.Ordinal))
                text.Append($"    {Kind(type)} {type.FullName}\n");
        }
        Snapshot.Match(text.ToString());
    }

    /// <summary>
    /// The C# compiler holds signatures to types that are visible; what is left is a type of a package that an
    /// application would have to reference too. System.Numerics.Tensors is meant to be one.
    /// </summary>
    [Fact]
    public void SignaturesNeedOnlyOurOwnTypesAndTheFrameworks()
    {
        var wrong = Libraries.SelectMany(Exported).SelectMany(type => Signatures(type)
            .Where(t => !IsKnown(t)).Select(t => $"{type.FullName}: {t.FullName}")).Distinct();
        Assert.Empty(wrong);
    }

    /// <summary>The types with which an application compiles and runs a program are in one namespace.</summary>
    [Fact]
    public void OneUsingIsEnough()
    {
        // The parts of a diagnostic have plain names, which an application may have itself, and are read by `var`.
        string[] parts = ["CallSite", "Code", "Label", "SourceText", "Span"];
        var elsewhere = Libraries.Take(3).SelectMany(Exported).Where(t => t.Namespace != "Accelerate")
            .Select(t => t.Name).Order(StringComparer.Ordinal);
        Assert.Equal(parts, elsewhere);
    }

    [Fact]
    public void EveryPublicMemberIsDocumented()
    {
        foreach (var library in Documented)
        {
            var file = Path.ChangeExtension(library.Location, ".xml");
            Assert.True(File.Exists(file), $"{file} is built with the library");
            var text = File.ReadAllText(file);
            foreach (var type in Exported(library))
                Assert.Contains($"\"T:{type.FullName!.Replace('+', '.')}\"", text, StringComparison.Ordinal);
        }
    }

    /// <summary>Without those that the C# compiler makes for extension blocks.</summary>
    private static IEnumerable<Type> Exported(Assembly library) =>
        library.GetExportedTypes().Where(t => !t.FullName!.Contains('<'));

    private static string Kind(Type type) => type.IsEnum ? "enum" : type.IsValueType ? "struct"
        : type.IsInterface ? "interface" : type.IsAbstract && type.IsSealed ? "static class" : "class";

    private static IEnumerable<Type> Signatures(Type type)
    {
        const BindingFlags Visible = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
            | BindingFlags.Static | BindingFlags.DeclaredOnly;
        List<Type> named = [.. type.GetInterfaces()];
        if (type.BaseType is { } parent) named.Add(parent);
        foreach (var method in type.GetMethods(Visible).Where(m => m.IsPublic || m.IsFamily || m.IsFamilyOrAssembly))
            named.AddRange([method.ReturnType, .. method.GetParameters().Select(p => p.ParameterType)]);
        foreach (var method in type.GetConstructors(Visible).Where(m => m.IsPublic || m.IsFamily))
            named.AddRange(method.GetParameters().Select(p => p.ParameterType));
        foreach (var field in type.GetFields(Visible).Where(f => f.IsPublic || f.IsFamily)) named.Add(field.FieldType);
        return named.SelectMany(Parts);
    }

    /// <summary>Of a generic type, an array or a pointer: all types in it.</summary>
    private static IEnumerable<Type> Parts(Type type) => type.HasElementType ? Parts(type.GetElementType()!)
        : type.IsGenericParameter ? []
        : type.IsGenericType ? [type.GetGenericTypeDefinition(), .. type.GetGenericArguments().SelectMany(Parts)]
        : [type];

    private static bool IsKnown(Type type)
    {
        string? framework = Path.GetDirectoryName(typeof(object).Assembly.Location);
        return type.IsVisible && (Libraries.Contains(type.Assembly)
            || type.Assembly.GetName().Name == "System.Numerics.Tensors"
            || Path.GetDirectoryName(type.Assembly.Location) == framework);
    }
}

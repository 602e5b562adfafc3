// In: every public member of what an application uses, by reflection. Out: each given null, or called on something
// disposed, ends with the exception that says so.
using System.Reflection;
using Accelerate.Backends;
using Accelerate.Backends.Interpreter;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Runtime.PublicApi;

/// <summary>A member that is added is in these tests by being there.</summary>
public sealed class MemberTests : IDisposable
{
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static
        | BindingFlags.DeclaredOnly;

    private static readonly Type[] Types =
    [
        typeof(Tensor), typeof(Session), typeof(Executable), typeof(InterpreterExecutable), typeof(Executables),
        typeof(Safetensors), typeof(Npy), typeof(Idx), typeof(TensorFile), typeof(PrintFormat), typeof(WorkerPool),
        typeof(Host), typeof(DiskCache), typeof(ModelCache), typeof(MemoryException), typeof(ProgramMemory),
        typeof(Compilation), typeof(SourceText), typeof(Results), typeof(CompiledModel), typeof(CompilationOptions),
    ];

    /// <summary>What a disposed thing still tells, as nothing of it is gone: its shape, its signature.</summary>
    private static readonly HashSet<string> Lasting =
    [
        "Tensor.Type", "Tensor.Rank", "Tensor.Count", "Tensor.ByteCount", "Tensor.IsReadOnly", "Session.Output",
        "Executable.Entries", "Executable.Backend", "Executable.MemoryLimit", "InterpreterExecutable.StoredBytes",
        "Safetensors.Tensors", "Safetensors.Metadata", "Safetensors.Contains", "WorkerPool.Workers", "Host.Pool",
        "Host.OnPrint", "Host.Failure",
        "WorkerPool.Enter", "WorkerPool.Leave", "Host.StopBy", // they count, and a loop inside them is refused
    ];

    private readonly TemporaryFolder folder = new();
    private readonly Executable executable = new InterpreterExecutable(ApiModel.Model.Programs);

    public static TheoryData<string> TypeNames => [.. Types.Select(t => t.Name)];

    public void Dispose()
    {
        executable.Dispose();
        folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(TypeNames))]
    public void Null_where_something_must_be_is_an_ArgumentNullException(string name)
    {
        var type = Types.Single(t => t.Name == name);
        var nullability = new NullabilityInfoContext();
        var wrong = new List<string>();
        foreach (var method in type.GetConstructors().Cast<MethodBase>().Concat(type.GetMethods(Members)))
        {
            if (method.IsAbstract || !CanCall(method)) continue;
            var member = Closed(method);
            foreach (var parameter in member.GetParameters())
            {
                if (parameter.ParameterType.IsValueType
                    || nullability.Create(parameter).WriteState != NullabilityState.NotNull) continue;
                object?[] arguments = [.. member.GetParameters().Select(p => p == parameter ? null : Sample(p))];
                var e = Thrown(member, member.IsStatic || member is ConstructorInfo ? null : Make(type), arguments);
                if (e is not ArgumentNullException) wrong.Add($"{member}, {parameter.Name} = null: {Name(e)}");
            }
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData(nameof(Tensor))]
    [InlineData(nameof(Session))]
    [InlineData(nameof(InterpreterExecutable))]
    [InlineData(nameof(Safetensors))]
    [InlineData(nameof(WorkerPool))]
    [InlineData(nameof(Host))]
    public void What_is_disposed_says_so_in_every_member_that_needs_what_is_gone(string name)
    {
        var type = Types.Single(t => t.Name == name);
        var wrong = new List<string>();
        var inherited = type.BaseType == typeof(object) ? [] : type.BaseType!.GetMethods(Members);
        foreach (var method in type.GetMethods(Members).Concat(inherited).Where(m => !m.IsStatic && !m.IsAbstract))
        {
            if (method.Name == "Dispose" || method.DeclaringType == typeof(object) || !CanCall(method)) continue;
            // A property by its own name; an override by that of what it overrides.
            var plain = method.IsSpecialName ? method.Name[4..] : method.Name;
            var isLasting = method.Name != "set_Output" && (Lasting.Contains($"{method.DeclaringType!.Name}.{plain}")
                || Lasting.Contains($"{method.GetBaseDefinition().DeclaringType!.Name}.{plain}"));
            var gone = (IDisposable)Make(type);
            gone.Dispose();
            var member = (MethodInfo)Closed(method);
            var e = Thrown(member, gone, [.. member.GetParameters().Select(Sample)]);
            if (isLasting ? e is not null : e is not ObjectDisposedException) wrong.Add($"{member}: {Name(e)}");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void Disposing_twice_is_once()
    {
        foreach (var type in Types.Where(t => t.IsAssignableTo(typeof(IDisposable))))
        {
            var made = (IDisposable)Make(type);
            made.Dispose();
            made.Dispose();
        }
    }

    private static string Name(Exception? e) => e?.GetType().Name ?? "nothing";

    private object Make(Type type) => type.Name switch
    {
        nameof(Tensor) => Tensor.Zeros(DType.F32, 2),
        nameof(Session) => executable.CreateSession(),
        nameof(InterpreterExecutable) or nameof(Executable) => new InterpreterExecutable(ApiModel.Model.Programs),
        nameof(Safetensors) => Safetensors.Open(TensorsFile()),
        nameof(WorkerPool) => new WorkerPool(2),
        nameof(Host) => new Host(new WorkerPool(1)),
        nameof(DiskCache) => new DiskCache(folder["cache"]),
        nameof(ModelCache) => new ModelCache(new DiskCache(folder["cache"])),
        nameof(Results) => executable.CreateSession().Run("scale", Tensor.Zeros(DType.F32, 2, 3)),
        nameof(CompiledModel) => ApiModel.Model,
        nameof(CompilationOptions) => new CompilationOptions(),
        nameof(SourceText) => new SourceText("a.acc", "export fn f(x: f32[n]) -> f32[n] = x"),
        nameof(Compilation) => Compilation.FromSource(new SourceText("a.acc", "export fn f(x: f32[n]) -> f32[n] = x")),
        _ => throw new NotSupportedException(type.Name),
    };

    private string TensorsFile()
    {
        var path = folder[$"{Guid.NewGuid():n}.safetensors"];
        Safetensors.Write(path, [new("t", Tensor.Zeros(DType.F32, 2))]);
        return path;
    }

    /// <summary>Spans and pointers cannot be passed by reflection; their members are in the sequences.</summary>
    private static bool CanCall(MethodBase method) => method.GetParameters().All(p =>
        !(p.ParameterType.GetElementType() ?? p.ParameterType).IsByRefLike && !p.ParameterType.IsPointer
            && !p.ParameterType.IsFunctionPointer)
        && (method as MethodInfo)?.ReturnType is not ({ IsByRefLike: true } or { IsPointer: true })
        && method.Name is not ("op_Implicit" or "op_Explicit");

    private static MethodBase Closed(MethodBase method) =>
        method is MethodInfo { IsGenericMethodDefinition: true } m ? m.MakeGenericMethod(typeof(float)) : method;

    private static Exception? Thrown(MethodBase method, object? target, object?[] arguments)
    {
        try
        {
            if (method is ConstructorInfo constructor) constructor.Invoke(arguments);
            else method.Invoke(target, arguments);
            return null;
        }
        catch (TargetInvocationException e)
        {
            return e.InnerException;
        }
    }

    private object? Sample(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        if (parameter.IsOut) return null;
        if (type == typeof(string)) return parameter.Name switch
        {
            "entry" => "scale",
            "backend" => "interpreter",
            "name" or "key" => "t",
            "folder" => folder["cache"],
            _ => folder["file"],
        };
        if (type == typeof(Tensor)) return Tensor.Zeros(DType.F32, 2);
        if (type == typeof(IReadOnlyList<Tensor>) || type == typeof(Tensor[]))
            return new[] { Tensor.Zeros(DType.F32, 2, 3) };
        if (type == typeof(IReadOnlyDictionary<string, Tensor>))
            return parameter.Name == "tensors" ? new Dictionary<string, Tensor>(executable.CreateSession().State)
                : new Dictionary<string, Tensor> { ["x"] = Tensor.Zeros(DType.F32, 2, 3) };
        if (type == typeof(IEnumerable<KeyValuePair<string, Tensor>>)) return new Dictionary<string, Tensor>();
        if (type == typeof(IReadOnlyDictionary<string, long>)) return new Dictionary<string, long>();
        if (type == typeof(IReadOnlyList<MemoryUse>)) return new List<MemoryUse>();
        if (type == typeof(IReadOnlyCollection<string>)) return new List<string>();
        if (type == typeof(IEnumerable<string>)) return new List<string>();
        if (type == typeof(Func<long, long, long, int>)) return (long _, long _, long _) => 0;
        if (type == typeof(Func<string, string?>)) return (string _) => (string?)null;
        if (type == typeof(Compilation) || type == typeof(SourceText) || type == typeof(DiskCache)) return Make(type);
        if (type == typeof(CompilationOptions)) return new CompilationOptions();
        if (type == typeof(CompiledModel)) return ApiModel.Model;
        if (type.IsAssignableFrom(ApiModel.Model.Programs.GetType())) return ApiModel.Model.Programs;
        if (type == typeof(Accelerate.Compiler.Kernels.Program)) return ApiModel.Model.Programs[0];
        if (type == typeof(WorkerPool)) return new WorkerPool(1);
        if (type == typeof(TextWriter)) return TextWriter.Null;
        if (type == typeof(Exception)) return new IOException();
        if (type == typeof(object)) return new object();
        return type.IsValueType ? Activator.CreateInstance(type) : null;
    }
}

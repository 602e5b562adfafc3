// In: a backend, and a compilation or its model. Out: an executable, with its state initialised.
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Accelerate.Backends;
using Accelerate.Backends.Interpreter;
using Accelerate.Backends.Llvm;
using Accelerate.Backends.OpenCl;
using Accelerate.Compiler;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Kernels;
using Accelerate.Runtime;

namespace Accelerate;

/// <summary>The caller's options for code generation, threads and memory. A backend ignores those of others.</summary>
public sealed record ExecutableOptions
{
    /// <summary>llvm: `host`, `x86-64-v4`, `x86-64-v3` or `x86-64`.</summary>
    public string Target { get; init; } = "host";

    /// <summary>llvm: 0 to 3. The bits of the results do not depend on it.</summary>
    public int OptLevel { get; init; } = 3;

    /// <summary>llvm: a pipeline in opt's syntax instead of the level's.</summary>
    internal string? Passes { get; init; }

    /// <summary>llvm, interpreter: workers of parallel loops, including the calling thread.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>llvm: reads compiled code from the user's cache folder, and writes new code to it.</summary>
    public bool UseCache { get; init; } = true;

    /// <summary>
    /// The maximum bytes of the model and one call of one session together: weights, state, inputs, results and arena.
    /// A call that needs more throws a <see cref="MemoryException"/> before anything is allocated. Null for the
    /// machine's memory.
    /// </summary>
    public long? MemoryLimit { get; init; }

    /// <summary>
    /// Called with the name of every stage as it ends: state, when the initialisers have run; llvm: print, compile,
    /// link, prepare, the last when the values that depend on frozen state are computed.
    /// </summary>
    internal Action<string>? Reached { get; init; }
}

/// <summary>
/// A backend cannot run on this machine, or does not know the requested target. The message says what to do.
/// </summary>
/// <param name="message">The reason, with the command that installs a missing part.</param>
/// <param name="inner">The error of the backend's own library, if there is one.</param>
public class BackendException(string message, Exception? inner = null) : AccelerateException(message, inner);

/// <summary>Creates executables: machine code, weights and the memory plan of calls.</summary>
public static class Executables
{
    /// <summary>The names of backends that an executable can be created for.</summary>
    internal static IReadOnlyList<string> Backends => BackendNames.All;

    /// <summary>Whether a backend can run on this machine.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="reason">If it cannot, why, with the command that installs it.</param>
    public static bool IsAvailable(Backend backend, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        return backend switch
        {
            Backend.Llvm => LlvmBackend.Available(out reason),
            Backend.OpenCl => OpenClExecutable.Available(out reason),
            Backend.Interpreter => true,
            _ => throw new ArgumentOutOfRangeException(nameof(backend), backend, "there is no such backend"),
        };
    }

    /// <summary>
    /// Creates an executable of a compilation. State that is not given is computed by its initialisers, on that
    /// backend.
    /// </summary>
    /// <param name="backend">The backend that runs it.</param>
    /// <param name="compilation">The compilation, without diagnostics.</param>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="weights">State by its path, as returned by <see cref="CompiledModel.ReadWeights"/>; null for none.
    /// The tensors are not disposed here. Tensors of state that no function assigns are read in place: do not change
    /// them while the executable exists.</param>
    /// <exception cref="InvalidOperationException">The compilation has diagnostics; the message is the first of
    /// them.</exception>
    /// <exception cref="ArgumentException">A weight has another dtype or shape than in the program.</exception>
    /// <exception cref="BackendException">The backend cannot run here.</exception>
    /// <exception cref="LimitationException">The backend does not support one of the kernels.</exception>
    /// <exception cref="MemoryException">Its weights need more memory than there is or the limit allows.</exception>
    public static Executable Create(Backend backend, Compilation compilation, ExecutableOptions? options = null,
        IReadOnlyDictionary<string, Tensor>? weights = null)
    {
        var model = Right(compilation);
        return Create(backend, model, options, weights);
    }

    /// <summary>Creates an executable of a compilation with LLVM, the fast backend.</summary>
    /// <inheritdoc cref="Create(Backend, Compilation, ExecutableOptions, IReadOnlyDictionary{string, Tensor})"/>
    public static Executable Create(Compilation compilation, ExecutableOptions? options = null,
        IReadOnlyDictionary<string, Tensor>? weights = null) =>
        Create(Backend.Llvm, compilation, options, weights);

    /// <summary>
    /// Creates an executable of a model. State that is not given is computed by its initialisers, on that backend.
    /// </summary>
    /// <param name="backend">The backend that runs it.</param>
    /// <param name="model">The model.</param>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="weights">State by its path, as in the overload for a compilation.</param>
    /// <exception cref="ArgumentException">A weight has another dtype or shape than in the program.</exception>
    /// <exception cref="BackendException">The backend cannot run here.</exception>
    /// <exception cref="LimitationException">The backend does not support one of the kernels.</exception>
    /// <exception cref="MemoryException">Its weights need more memory than there is or the limit allows.</exception>
    public static Executable Create(Backend backend, CompiledModel model, ExecutableOptions? options = null,
        IReadOnlyDictionary<string, Tensor>? weights = null)
    {
        var name = backend.Name();
        ArgumentNullException.ThrowIfNull(model);
        return Boundary.Guard("the model", () => Create(name, model, options, weights));
    }

    private static CompiledModel Right(Compilation compilation)
    {
        ArgumentNullException.ThrowIfNull(compilation);
        return compilation.Diagnostics is [var first, ..]
            ? throw new InvalidOperationException($"{first.Span}: {first.Headline}")
            : compilation.Model;
    }

    /// <summary>Creates an executable of these programs.</summary>
    /// <param name="backend">`llvm`, `interpreter` or `opencl`.</param>
    /// <param name="programs">One for each exported function, with distinct names.</param>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="initialState">The initial values of a session's state, by path; zeros for the others. Not disposed;
    /// state that no program assigns is not copied: do not change those tensors while the executable exists.</param>
    /// <exception cref="BackendException">The backend is unknown, or cannot run here.</exception>
    /// <exception cref="LimitationException">The backend does not support one of the kernels.</exception>
    /// <exception cref="MemoryException">Its weights need more memory than there is or the limit allows.</exception>
    internal static Executable Create(string backend, IReadOnlyList<Program> programs,
        ExecutableOptions? options = null, IReadOnlyDictionary<string, Tensor>? initialState = null)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(programs);
        if (initialState?.FirstOrDefault(p => p.Value is null) is { Key: { } label })
            throw new ArgumentNullException(nameof(initialState), $"the initial '{label}' is null");
        options ??= new ExecutableOptions();
        if (programs.SelectMany(p => p.Buffers).FirstOrDefault(b => b.Type.Shape.Length > Tensor.MaximumRank) is { } deep)
            throw new LimitationException($"not supported: '{(deep.Label.Length > 0 ? deep.Label : deep.Name)}' has "
                + $"{deep.Type.Shape.Length} axes; a tensor has at most {Tensor.MaximumRank}");
        var memory = ProgramMemory.OfModel(programs);
        MemoryException.ThrowIfBeyond("the model", memory, options.MemoryLimit);
        if (programs.GroupBy(p => p.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"two programs are called '{twice.Key}'");
        try
        {
            return backend switch
            {
                "llvm" => new LlvmExecutable(programs,
                    new LlvmOptions(options.Target, options.OptLevel, options.Passes, options.Threads,
                        options.UseCache, Reached: options.Reached, MemoryLimit: options.MemoryLimit), initialState),
                "interpreter" =>
                    new InterpreterExecutable(programs,
                        new InterpreterOptions(options.Threads, MemoryLimit: options.MemoryLimit), initialState),
                "opencl" => OpenCl(programs, initialState, options.MemoryLimit),
                _ => throw new BackendException(
                    $"there is no backend '{backend}'; the backends are {string.Join(", ", Backends)}"),
            };
        }
        catch (Exception e) when (e is OutOfMemoryException or OpenClException { IsOutOfMemory: true })
        {
            throw MemoryException.From("the model", memory, e);
        }
        catch (OpenClException e)
        {
            throw new BackendException(e.Message, e);
        }
    }

    /// <summary>The same by the backend's name.</summary>
    internal static Executable Create(string backend, Compilation compilation, ExecutableOptions? options = null,
        IReadOnlyDictionary<string, Tensor>? weights = null)
    {
        ArgumentNullException.ThrowIfNull(backend);
        return Create(backend, Right(compilation), options, weights);
    }

    /// <summary>The same by the backend's name.</summary>
    internal static Executable Create(string backend, CompiledModel model, ExecutableOptions? options = null,
        IReadOnlyDictionary<string, Tensor>? weights = null)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(model);
        return Create(backend, model.Programs, options, InitialState(backend, model, options, weights));
    }

    /// <summary>
    /// All state that the model's programs use, by path: the given state, the rest from its initialisers.
    /// </summary>
    /// <param name="backend">The backend that computes the initialisers.</param>
    /// <param name="model">The model.</param>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="weights">The given state, by path.</param>
    /// <param name="whole">Whether to include state that none of the programs uses, as in a checkpoint.</param>
    internal static IReadOnlyDictionary<string, Tensor> InitialState(string backend, CompiledModel model,
        ExecutableOptions? options = null, IReadOnlyDictionary<string, Tensor>? weights = null, bool whole = false)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(model);
        // Before the initialisers run, because their results are what the model keeps.
        MemoryException.ThrowIfBeyond("the model", ProgramMemory.OfModel(model.Programs), options?.MemoryLimit);
        var state = new Dictionary<string, Tensor>(weights ?? ImmutableDictionary<string, Tensor>.Empty);
        var wanted = whole ? model.State.Select(s => s.Path)
            : model.Programs.SelectMany(p => p.State).Select(b => b.Label);
        var missing = wanted.Where(path => !state.ContainsKey(path)).ToHashSet();
        if (missing.FirstOrDefault(path => model.State.All(s => s.Path != path)) is { } unknown)
            throw new LimitationException($"not supported: the initial value of {unknown}");
        if (missing.Count == 0) return state;
        var initializer = model.Initializer(missing)!;
        // A separate executable, so that its code is not kept with the model's.
        using var executable = Create(backend, [initializer], options is null ? null : options with { Reached = null });
        using var session = executable.CreateSession();
        var values = session.Run(initializer.Name);
        foreach (var (spec, value) in executable.Entries[0].Outputs.Zip(values)) state[spec.Name] = value;
        options?.Reached?.Invoke("state");
        return state;
    }

    private static OpenClExecutable OpenCl(
        IReadOnlyList<Program> programs, IReadOnlyDictionary<string, Tensor>? initialState, long? memoryLimit)
    {
        if (OpenClLibrary.Available(out var reason))
            return new OpenClExecutable(programs, initialState, WorkShape.Auto, memoryLimit);
        // A kernel that the backend can never run is a limitation, with or without a device.
        foreach (var program in programs) OpenClPrinter.Print(program);
        throw new BackendException(reason);
    }
}

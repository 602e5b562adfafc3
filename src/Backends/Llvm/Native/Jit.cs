// In: relocatable objects. Out: their code linked into this process, and the addresses of their functions.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Backends.Llvm.Native;

/// <summary>
/// One ORC LLJIT. Objects see each other, <see cref="ObjectSymbols.Runtime"/> and the caller's symbols, but nothing
/// else of the process, so that a call introduced by LLVM (a bf16 helper, a math function) is an error and not bound by
/// chance. An object that needs more is refused before it is linked, because ORC's behaviour on a missing symbol
/// depends on the thread, and may leave partly linked code. Lookups may come from any thread. Disposing frees the code:
/// no function of it may run then or later.
/// </summary>
internal sealed unsafe class Jit : IDisposable
{
    private readonly List<string> sessionErrors = [];
    private readonly HashSet<string> known;
    private GCHandle errorsHandle;
    private nint jit;
    private nint session;
    private nint dylib;

    /// <summary>Adds the objects; each is linked when one of its symbols is first looked up.</summary>
    /// <param name="objects">From <see cref="LlvmCompiler.CompileToObject"/>, for targets that can run here.</param>
    /// <param name="symbols">Further functions that the objects may call, by name.</param>
    /// <exception cref="LlvmException">Bytes are not an object, or two objects define the same symbol.</exception>
    /// <exception cref="InternalErrorException">An object calls an undefined function.</exception>
    public Jit(IReadOnlyCollection<byte[]> objects, IReadOnlyDictionary<string, nint>? symbols = null)
    {
        LlvmLibrary.Require();
        known = [.. symbols?.Keys ?? [], .. objects.SelectMany(bytes => ObjectSymbols.Of(bytes).Defined)];
        try
        {
            Create();
            var process = NativeLibrary.GetMainProgramHandle();
            Define(ObjectSymbols.Runtime.Select(name => (name, NativeLibrary.GetExport(process, name))));
            if (symbols is { Count: > 0 })
                Define(symbols.Select(s => (s.Key, s.Value)));
            foreach (var bytes in objects)
                Add(bytes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Adds another object.</summary>
    public void Add(ReadOnlySpan<byte> objectBytes)
    {
        ObjectDisposedException.ThrowIf(jit == 0, this);
        var symbols = ObjectSymbols.Of(objectBytes);
        known.UnionWith(symbols.Defined);
        if (symbols.Unknown(known.Contains) is { Count: > 0 } unknown)
            throw new InternalErrorException($"an object calls {string.Join(", ", unknown)}, which nobody defines");
        nint buffer;
        fixed (byte* start = objectBytes)
            buffer = LlvmC.LLVMCreateMemoryBufferWithMemoryRangeCopy(start, (nuint)objectBytes.Length, "object");
        LlvmText.Check(LlvmC.LLVMOrcLLJITAddObjectFile(jit, dylib, buffer), "adding an object");
    }

    /// <summary>The address of a function; its object is linked if necessary.</summary>
    /// <exception cref="LlvmException">No object defines it, or it needs undefined symbols, which are
    /// listed.</exception>
    public nint Lookup(string name) => Lookup([name])[0];

    /// <summary>The addresses of several distinct functions, in the order of the names, linked together.</summary>
    public nint[] Lookup(IReadOnlyList<string> names)
    {
        ObjectDisposedException.ThrowIf(jit == 0, this);
        var interned = names.Select(n => LlvmC.LLVMOrcLLJITMangleAndIntern(jit, n)).ToArray();
        var pending = new Pending(interned);
        var set = interned.Select(n => new LLVMOrcCLookupSetElement { Name = n }).ToArray();
        var order = new LLVMOrcCJITDylibSearchOrderElement { JD = dylib };
        var handle = GCHandle.Alloc(pending);
        try
        {
            fixed (LLVMOrcCLookupSetElement* symbols = set)
            {
                LlvmC.LLVMOrcExecutionSessionLookup(
                    session, LLVMOrcLookupKind.LLVMOrcLookupKindStatic, &order, 1, symbols, (nuint)set.Length,
                    &OnLookup, GCHandle.ToIntPtr(handle));
            }

            // ORC answers on this thread before it returns, unless it was built to dispatch to others.
            pending.Done.Wait();
        }
        finally
        {
            handle.Free();
        }

        // A part that failed is reported to the session, whatever the lookup itself reports.
        if (pending.Error is null && pending.Addresses.All(a => a != 0) && !HasSessionErrors())
            return pending.Addresses;
        throw LookupFailed(names, pending.Error ?? "it has no address");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (jit != 0)
        {
            var error = LlvmC.LLVMOrcDisposeLLJIT(jit);
            jit = 0;
            // An error here is about releasing memory at the end of the session; nothing is used any more.
            if (error != 0)
                LlvmText.TakeError(error);
        }

        if (errorsHandle.IsAllocated)
            errorsHandle.Free();
    }

    private void Create()
    {
        // A template of the host, because LLVM's detection costs a cpuid for each JIT, which is slow in a virtual
        // machine.
        var machine = LlvmModule.CreateTargetMachine(LlvmTarget.Host, 2);
        var builder = LlvmC.LLVMOrcCreateLLJITBuilder();
        LlvmC.LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(
            builder, LlvmC.LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(machine));
        LlvmText.Check(LlvmC.LLVMOrcCreateLLJIT(out jit, builder), "creating a JIT");
        session = LlvmC.LLVMOrcLLJITGetExecutionSession(jit);
        errorsHandle = GCHandle.Alloc(sessionErrors);
        LlvmC.LLVMOrcExecutionSessionSetErrorReporter(session, &OnSessionError, GCHandle.ToIntPtr(errorsHandle));
        // LLJIT's main dylib resolves against the whole process. A bare one resolves against nothing but itself.
        dylib = LlvmC.LLVMOrcExecutionSessionCreateBareJITDylib(session, "kernels");
    }

    private void Define(IEnumerable<(string Name, nint Address)> symbols)
    {
        var pairs = symbols.Select(s => new LLVMOrcCSymbolMapPair
        {
            Name = LlvmC.LLVMOrcLLJITMangleAndIntern(jit, s.Name),
            Address = (ulong)s.Address,
            GenericFlags = LLVMJITSymbolGenericFlags.LLVMJITSymbolGenericFlagsExported
                | LLVMJITSymbolGenericFlags.LLVMJITSymbolGenericFlagsCallable,
        }).ToArray();
        nint unit;
        fixed (LLVMOrcCSymbolMapPair* start = pairs)
            unit = LlvmC.LLVMOrcAbsoluteSymbols(start, (nuint)pairs.Length);
        var error = LlvmC.LLVMOrcJITDylibDefine(dylib, unit);
        if (error == 0)
            return;
        LlvmC.LLVMOrcDisposeMaterializationUnit(unit);
        LlvmText.Check(error, "defining symbols");
    }

    private bool HasSessionErrors()
    {
        lock (sessionErrors) return sessionErrors.Count > 0;
    }

    /// <summary>The lookup's own error names what failed; the session's errors, reported before it, say why.</summary>
    private LlvmException LookupFailed(IReadOnlyList<string> names, string error)
    {
        string[] causes;
        lock (sessionErrors)
        {
            causes = [.. sessionErrors];
            sessionErrors.Clear();
        }

        return new LlvmException($"linking {string.Join(", ", names)}: {string.Join("; ", causes.Append(error))}");
    }

    private sealed class Pending(nint[] interned)
    {
        public readonly nint[] Interned = interned;
        public readonly nint[] Addresses = new nint[interned.Length];
        public readonly ManualResetEventSlim Done = new();
        public string? Error;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLookup(nint error, LLVMOrcCSymbolMapPair* result, nuint count, nint state)
    {
        var pending = (Pending)GCHandle.FromIntPtr(state).Target!;
        if (error != 0)
            pending.Error = LlvmText.TakeError(error);
        for (nuint i = 0; i < count; i++)
        {
            // Names are interned: equal pointers are equal names. The result is unordered.
            for (var k = 0; k < pending.Interned.Length; k++)
            {
                if (pending.Interned[k] == result[i].Name)
                    pending.Addresses[k] = (nint)result[i].Address;
            }
        }

        pending.Done.Set();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnSessionError(nint state, nint error)
    {
        var errors = (List<string>)GCHandle.FromIntPtr(state).Target!;
        var text = LlvmText.TakeError(error);
        lock (errors)
            errors.Add(text);
    }
}

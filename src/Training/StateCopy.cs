// In: a session. Out: a copy of its state, which can be restored.
using System.Runtime.InteropServices;
using Accelerate.Runtime;

namespace Accelerate.Training;

/// <summary>A copy of the state that calls may change, in memory that is allocated once.</summary>
internal sealed unsafe class StateCopy(Session session) : IDisposable
{
    private readonly Dictionary<string, Tensor> copies = session.State.Where(s => !s.Value.IsReadOnly)
        .ToDictionary(s => s.Key, s => Tensor.Uninitialized(s.Value.Type, s.Value.Shape));

    public void Take()
    {
        foreach (var (name, copy) in copies) Copy(session.State[name], copy);
    }

    public void PutBack()
    {
        foreach (var (name, copy) in copies) Copy(copy, session.State[name]);
    }

    /// <summary>
    /// The path of a piece of state that was finite when it was copied and is not now; null if there is none.
    /// </summary>
    public string? NoLongerFinite()
    {
        foreach (var (name, copy) in copies)
            if (copy.Type.IsFloat && !IsFinite(session.State[name]) && IsFinite(copy)) return name;
        return null;
    }

    public void Dispose()
    {
        foreach (var copy in copies.Values) copy.Dispose();
    }

    private static bool IsFinite(Tensor tensor)
    {
        if (tensor.Type != DType.F32) return Array.TrueForAll(tensor.ToDoubles(), double.IsFinite);
        foreach (var value in MemoryMarshal.Cast<byte, float>(tensor.ReadOnlyBytes))
            if (!float.IsFinite(value)) return false;
        return true;
    }

    private static void Copy(Tensor from, Tensor to)
    {
        Buffer.MemoryCopy(from.Pointer, to.Pointer, to.ByteCount, from.ByteCount);
        GC.KeepAlive(from);
        GC.KeepAlive(to);
    }
}

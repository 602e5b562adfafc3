// A session's state: read, written, replaced, saved to a file and loaded from it, by right and by wrong values.
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime.PublicApi;

internal sealed partial class ApiWorld
{
    private Dictionary<string, Tensor> Loadable(out ApiState state)
    {
        state = new([random.Next(9), random.Next(9), random.Next(9)], random.Next(9));
        return new()
        {
            ["w"] = Tensor.FromDoubles(DType.F32, ApiState.W, 3),
            ["v"] = Tensor.FromDoubles(DType.F32, state.V, 3),
            ["seen"] = Tensor.Scalar((int)state.Seen),
        };
    }

    private void LoadState()
    {
        var held = AnySession();
        var kind = random.Next(9);
        Log($"load state {kind} into session {sessions.IndexOf(held)}");
        var tensors = Loadable(out var state);
        if (held.IsDisposed || held.Executed.IsDisposed)
        {
            Expect(typeof(ObjectDisposedException), () => held.Session.LoadState(tensors), "LoadState");
            return;
        }
        Type? wanted = null;
        switch (kind)
        {
            case 0: (wanted, tensors) = (typeof(ArgumentNullException), null!); break;
            case 1: wanted = typeof(ArgumentException); tensors.Remove("v"); break;
            case 2: wanted = typeof(ArgumentException); tensors["more"] = tensors["v"]; break;
            case 3: wanted = typeof(ArgumentException); tensors["v"] = Tensor.Zeros(DType.F32, 4); break;
            case 4: wanted = typeof(ObjectDisposedException); tensors["v"].Dispose(); break;
            case 5: wanted = typeof(ArgumentNullException); tensors["v"] = null!; break;
            case 6:
                tensors = held.Session.State.ToDictionary(); // its own: replaces nothing
                state = held.State;
                break;
        }
        Expect(wanted, () => held.Session.LoadState(tensors), $"LoadState {kind}");
        if (wanted is null) (held.State, held.IsBroken) = (state, false);
        CheckState(held, $"LoadState {kind}");
        if (tensors is not null && wanted is null && kind != 6)
            foreach (var tensor in tensors.Values) tensor.Dispose();
    }

    private void LoadPart()
    {
        var held = AnySession();
        var tensors = Loadable(out var state);
        foreach (var name in tensors.Keys.ToList())
            if (Chance(50)) tensors.Remove(name);
        Log($"load {string.Join(", ", tensors.Keys)} into session {sessions.IndexOf(held)}");
        Expect(held.Refuses, () => held.Session.LoadStatePart(tensors), "LoadStatePart");
        if (held.Refuses is not null) return;
        held.State = new(tensors.ContainsKey("v") ? state.V : held.State.V,
            tensors.ContainsKey("seen") ? state.Seen : held.State.Seen);
        CheckState(held, "LoadStatePart");
    }

    /// <summary>A token that is cancelled already: nothing runs, and the session is as it was.</summary>
    private void CancelledCall()
    {
        var (held, arguments) = (AnySession(), Right(Any(ApiModel.Entries)));
        Log($"session {sessions.IndexOf(held)}, cancelled: {arguments}");
        Expect(held.Refuses ?? typeof(OperationCanceledException), () => held.Session.Run(arguments.Entry.Name,
            arguments.Tensors, arguments.Sizes, new CancellationToken(canceled: true)), "a cancelled call");
        if (!held.IsDisposed && !held.IsBroken) CheckState(held, "a cancelled call");
    }

    private void ResetState()
    {
        var held = AnySession();
        Log($"reset session {sessions.IndexOf(held)}");
        var isGone = held.IsDisposed || held.Executed.IsDisposed;
        Expect(isGone ? typeof(ObjectDisposedException) : null, held.Session.Reset, "Reset");
        if (isGone) return;
        (held.State, held.IsBroken) = (ApiState.Initial, false);
        CheckState(held, "Reset");
    }

    private void ReadState()
    {
        var held = AnySession();
        Log($"read state of session {sessions.IndexOf(held)}");
        if (held.IsDisposed)
        {
            Expect(typeof(ObjectDisposedException), () => _ = held.Session.State, "State");
            Expect(typeof(ObjectDisposedException), () => held.Session.Output = TextWriter.Null, "Output");
            return;
        }
        // Also behind the executable's end: the tensors are the session's own.
        CheckState(held, "State");
        Expect(typeof(ArgumentNullException), () => held.Session.Output = null!, "Output");
        Expect(typeof(InvalidOperationException), () => held.Session.State["w"].AsSpan<float>(), "frozen state");
        // What a caller holds of the state is his own to drop: the session keeps its values.
        if (Chance(30)) held.Session.State["v"].Dispose();
        if (Chance(30) && boxes.Count < 12)
        {
            // A view of the state outlives the session; what it holds then is nobody's business.
            var view = held.Session.State["w"].Reshape(3);
            boxes.Add(new Box(view, ApiState.W, 0, isReadOnly: true));
        }
    }

    private void WriteState()
    {
        var held = AnySession();
        if (held.IsDisposed) return;
        Log($"write state of session {sessions.IndexOf(held)}");
        var seen = random.Next(9);
        held.Session.State["seen"].AsSpan<int>()[0] = seen;
        held.State = held.State with { Seen = seen };
        CheckState(held, "a write to the state");
    }

    private void SaveAndLoad()
    {
        var (from, to) = (AnySession(), AnySession());
        if (from.IsDisposed || to.IsDisposed || to.Executed.IsDisposed) return;
        Log($"save session {sessions.IndexOf(from)}, load into {sessions.IndexOf(to)}");
        var path = Path.Combine(folder, "state.safetensors");
        Safetensors.Write(path, from.Session.State);
        var file = Safetensors.Open(path);
        var read = file.Tensors.ToDictionary(t => t.Name, t => file.Read(t.Name));
        if (Chance(50)) file.Dispose();
        to.Session.LoadState(read);
        (to.State, to.IsBroken) = (from.State, false);
        CheckState(to, "a state from a file");
        file.Dispose();
        Check(read["v"].ToDoubles().SequenceEqual(to.State.V), "a tensor outlives its file");
        foreach (var tensor in read.Values) tensor.Dispose();
        Expect(typeof(ObjectDisposedException), () => file.Read("v"), "a disposed file");
        Expect(typeof(ArgumentNullException), () => Safetensors.Write(path, null!), "no tensors");
        Expect(typeof(ArgumentNullException), () => Safetensors.Write(path, [new("x", null!)]), "a null tensor");
    }

    private void NpyFile()
    {
        var box = AnyBox();
        Log("npy file");
        if (box.IsDisposed) return;
        var path = Path.Combine(folder, "tensor.npy");
        Npy.Write(path, box.Tensor);
        using var read = TensorFile.Load(path);
        Check(read.SameBits(box.Tensor), "npy there and back");
        Expect(typeof(ArgumentNullException), () => Npy.Write(path, null!), "no tensor");
        Expect(typeof(ArgumentNullException), () => Npy.Write(null!, box.Tensor), "no path");
        Expect(typeof(ArgumentNullException), () => TensorFile.Load(null!), "no path");
        Expect(typeof(DataException), () => TensorFile.Load(Path.Combine(folder, "no such file")), "no such file");
    }
}

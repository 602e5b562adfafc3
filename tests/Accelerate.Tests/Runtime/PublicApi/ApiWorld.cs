// In: a seed. Out: a random sequence of public calls, each held to what a model of the API says of it.
using Accelerate.Backends;
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime.PublicApi;

/// <summary>What a call did was not what the model of the API says; the message has the seed and the steps.</summary>
public sealed class ApiDifference(string message) : Exception(message);

/// <summary>
/// Executables, sessions and tensors in every state that a caller can bring them to, each beside what it must be. A
/// step does one thing to one of them and checks the value it gives or the exact type of the exception.
/// </summary>
internal sealed partial class ApiWorld : IDisposable
{
    private static readonly Dictionary<string, Executable> Common = [];

    private readonly Random random;
    private readonly string backend;
    private readonly string folder;
    private readonly List<string> log = [];
    private readonly List<Executed> executables = [];
    private readonly List<Held> sessions = [];
    private readonly List<Box> boxes = [];

    public ApiWorld(int seed, string backend, string folder)
    {
        (random, this.backend, this.folder) = (new Random(seed), backend, folder);
        executables.Add(new Executed(CommonOf(backend), IsCommon: true));
    }

    /// <summary>An executable; those made once a process are never disposed.</summary>
    private sealed record Executed(Executable Executable, bool IsCommon)
    {
        public bool IsDisposed { get; set; }
    }

    private sealed class Held(Session session, Executed executed, ApiState state)
    {
        public Session Session { get; } = session;

        public Executed Executed { get; } = executed;

        public ApiState State { get; set; } = state;

        public bool IsDisposed { get; set; }

        public bool IsBroken { get; set; }

        /// <summary>What a call of it, right in all else, ends with.</summary>
        public Type? Refuses => IsDisposed || Executed.IsDisposed ? typeof(ObjectDisposedException)
            : IsBroken ? typeof(InvalidOperationException) : null;
    }

    /// <summary>All steps of one sequence.</summary>
    public void Run(int steps)
    {
        (int Weight, Action Step)[] table =
        [
            (12, CallRight), (12, CallWrong), (6, CallInto), (3, CallByName), (5, DataError), (3, LoadState),
            (2, ResetState), (3, ReadState), (3, WriteState), (2, DisposeSession), (1, DisposeExecutable),
            (3, MakeSession), (1, MakeExecutable), (3, MakeTensor), (4, ReadTensor), (3, ViewTensor),
            (3, WriteTensor), (3, DisposeTensor), (2, MisuseTensor),
            (2, Reenter), (2, Race), (1, SaveAndLoad), (1, NpyFile), (1, Pool), (1, Forget),
            (1, Compile), (2, Create), (1, Crowd), (1, LimitMemory),
            (2, LoadPart), (2, CancelledCall),
        ];
        var total = table.Sum(t => t.Weight);
        for (var i = 0; i < steps; i++)
        {
            var at = random.Next(total);
            var row = 0;
            while (at >= table[row].Weight) at -= table[row++].Weight;
            table[row].Step();
        }
    }

    public void Dispose()
    {
        foreach (var held in sessions) held.Session.Dispose();
        foreach (var executed in executables)
            if (!executed.IsCommon) executed.Executable.Dispose();
        foreach (var box in boxes) box.Tensor.Dispose();
    }

    /// <summary>The steps so far, for a message.</summary>
    public string Steps => string.Join('\n', log.Select(l => "  " + l));

    private static Executable CommonOf(string backend)
    {
        lock (Common)
            return Common.TryGetValue(backend, out var known) ? known : Common[backend] = Make(backend);
    }

    /// <summary>`llvm`, `llvm 2` with two workers, `interpreter`, `opencl`.</summary>
    private static Executable Make(string backend)
    {
        var words = backend.Split(' ');
        return Executables.Create(words[0], ApiModel.Model,
            new ExecutableOptions { Threads = words.Length > 1 ? int.Parse(words[1]) : 1, OptLevel = 1 });
    }

    private void Log(string line) => log.Add(line);

    private void Check(bool holds, string what)
    {
        if (!holds) throw new ApiDifference(what);
    }

    /// <summary>Does it; it must throw exactly that type, or nothing for null.</summary>
    private Exception? Expect(Type? wanted, Action action, string what = "")
    {
        var thrown = Thrown(action);
        Check(thrown?.GetType() == wanted,
            $"{what}: {wanted?.Name ?? "no exception"} wanted, got {thrown?.ToString() ?? "none"}");
        return thrown;
    }

    private void ExpectCode(ExecutionCode code, Action action, string what)
    {
        var thrown = Expect(typeof(ExecutionException), action, what);
        Check(((ExecutionException)thrown!).Code == code, $"{what}: {code} wanted, got {thrown}");
    }

    private static Exception? Thrown(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private T Any<T>(IReadOnlyList<T> items) => items[random.Next(items.Count)];

    private bool Chance(int percent) => random.Next(100) < percent;

    private void MakeExecutable()
    {
        if (executables.Count > 2) return;
        Log("make executable");
        executables.Add(new Executed(Make(backend), IsCommon: false));
        MakeSession();
    }

    private void DisposeExecutable()
    {
        var executed = Any(executables);
        if (executed.IsCommon) return;
        Log($"dispose executable {executables.IndexOf(executed)}");
        Expect(null, executed.Executable.Dispose, "Executable.Dispose");
        executed.IsDisposed = true;
        Check(executed.Executable.Entries.Count == ApiModel.Entries.Count, "its entries are still told");
    }

    private void MakeSession()
    {
        var executed = Any(executables);
        Log($"make session of executable {executables.IndexOf(executed)}");
        if (executed.IsDisposed)
        {
            Expect(typeof(ObjectDisposedException), () => executed.Executable.CreateSession(), "CreateSession");
            return;
        }
        if (sessions.Count > 5) return;
        sessions.Add(new Held(executed.Executable.CreateSession(), executed, ApiState.Initial));
        sessions[^1].Session.Output = TextWriter.Null;
    }

    private Held AnySession()
    {
        if (sessions.Count == 0) MakeSession();
        if (sessions.Count == 0)
            sessions.Add(new Held(executables[0].Executable.CreateSession(), executables[0], ApiState.Initial));
        var held = Any(sessions);
        if (!held.IsDisposed) held.Session.Output = TextWriter.Null;
        return held;
    }

    private void DisposeSession()
    {
        var held = AnySession();
        Log($"dispose session {sessions.IndexOf(held)}");
        Expect(null, held.Session.Dispose, "Session.Dispose");
        held.IsDisposed = true;
        if (Chance(50)) sessions.Remove(held);
    }

    /// <summary>Drops things without disposing them; what the collector finds must hurt nothing that is left.</summary>
    private void Forget()
    {
        Log("forget");
        boxes.RemoveAll(_ => Chance(30));
        sessions.RemoveAll(_ => Chance(20));
        if (!Chance(5)) return;
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}

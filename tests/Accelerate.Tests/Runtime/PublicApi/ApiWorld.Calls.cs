// Calls of entries, right ones and each kind of wrong one, and what they leave behind in session and arguments.
using Accelerate.Runtime;

namespace Accelerate.Tests.Runtime.PublicApi;

internal sealed partial class ApiWorld
{
    /// <summary>The arguments of one call, and what it must give.</summary>
    private sealed record Arguments(ApiEntry Entry, Box[] Inputs, Dictionary<string, long>? Sizes, int K)
    {
        public Tensor[] Tensors => [.. Inputs.Select(b => b.Tensor)];

        public ApiAnswer Answer(ApiState state) => Entry.Call(state, [.. Inputs.Select(b => b.Values)], K);

        public override string ToString() => $"{Entry.Name}({string.Join("; ", Inputs.Select(b =>
            $"{b.Tensor.Type}[{string.Join(' ', b.Values)}]"))}{(Entry.HasSize ? $"; k = {K}" : "")})";
    }

    /// <summary>Arguments with which a call of a sound session succeeds.</summary>
    private Arguments Right(ApiEntry entry, int? extent = null)
    {
        var n = extent ?? random.Next(entry.Asserts ? 1 : 0, (int)Math.Min(entry.Most, 6) + 1);
        if (entry.Indexes && n == 0) n = 1;
        var inputs = entry.Inputs.Select((spec, i) =>
        {
            var free = entry.FreeSecond && i == 1 ? random.Next(0, 4) : n;
            long[] shape = [.. spec.Shape.Select(e => e < 0 ? free : e)];
            if (entry.Indexes && i == 1)
                return NewBox(spec.Type, shape, Values(shape, () => random.Next(n)));
            var known = boxes.FirstOrDefault(b => !b.IsDisposed && !entry.IsInout && b.Tensor.Type == spec.Type
                && b.Tensor.Shape.SequenceEqual(shape));
            return known is not null && Chance(50) ? known : NewBox(spec.Type, shape);
        }).ToArray();
        if (entry.Asserts && inputs[0].Values.Sum() <= 0) inputs[0] = NewBox(DType.F32, [3]);
        var k = random.Next(0, 6);
        return new(entry, inputs, entry.HasSize ? new() { ["k"] = k } : null, k);
    }

    private void CallRight()
    {
        var (held, arguments) = (AnySession(), Right(Any(ApiModel.Entries)));
        Log($"session {sessions.IndexOf(held)}: {arguments}");
        Run(held, arguments, () => arguments.Sizes is null && Chance(50)
            ? held.Session.Run(arguments.Entry.Name, arguments.Tensors)
            : held.Session.Run(arguments.Entry.Name, arguments.Tensors, arguments.Sizes));
    }

    private void CallByName()
    {
        var (held, arguments) = (AnySession(), Right(ApiModel.Entry(Chance(50) ? "add" : "pick")));
        Log($"session {sessions.IndexOf(held)} by name: {arguments}");
        string[] names = arguments.Entry.Name == "add" ? ["x", "y"] : ["x", "at"];
        var given = names.Zip(arguments.Tensors).ToDictionary(p => p.First, p => p.Second);
        Run(held, arguments, () => held.Session.Run(arguments.Entry.Name, given));
        if (held.Refuses is not null) return;
        given.Remove("x");
        Refused(() => held.Session.Run(arguments.Entry.Name, given));
        given["x"] = null!;
        Expect(typeof(ArgumentNullException), () => held.Session.Run(arguments.Entry.Name, given), "a null by name");
        Expect(typeof(ArgumentNullException),
            () => held.Session.Run("add", (IReadOnlyDictionary<string, Tensor>)null!), "no inputs by name");
    }

    /// <summary>Right arguments: the session's state decides what happens.</summary>
    private void Run(Held held, Arguments arguments, Func<Results> call)
    {
        if (held.Refuses is { } refusal)
        {
            Expect(refusal, () => call(), $"{arguments} of a session that refuses");
            return;
        }
        var answer = arguments.Answer(held.State);
        Tensor[]? results = null;
        Expect(null, () => results = [.. call()], $"{arguments}");
        Take(held, arguments, answer, results!);
    }

    /// <summary>Compares what a call gave, and keeps some: results are the caller's whatever follows.</summary>
    private void Take(Held held, Arguments arguments, ApiAnswer answer, Tensor[] results)
    {
        Check(results.Length == answer.Results.Length, $"{arguments}: {results.Length} results");
        for (var i = 0; i < results.Length; i++)
        {
            var box = new Box(results[i], answer.Results[i], 0);
            CheckValues(box, $"{arguments}: result {i}");
            if (Chance(30) && boxes.Count < 12) boxes.Add(box);
            else if (Chance(70)) results[i].Dispose();
        }
        if (answer.Inout is { } written)
        {
            arguments.Inputs[0].Set(written);
            CheckValues(arguments.Inputs[0], $"{arguments}: inout");
        }
        held.State = answer.State;
        CheckState(held, $"{arguments}");
    }

    private ApiState StateOf(Held held) =>
        new(held.Session.State["v"].ToDoubles(), held.Session.State["seen"].ToDoubles()[0]);

    private void CheckState(Held held, string what)
    {
        var state = StateOf(held);
        Check(state.Same(held.State), $"{what}: the state v = [{string.Join(' ', held.State.V)}], seen = "
            + $"{held.State.Seen} wanted, got [{string.Join(' ', state.V)}], {state.Seen}");
        Check(held.Session.State["w"].ToDoubles().SequenceEqual(ApiState.W), $"{what}: w");
    }

    /// <summary>One thing wrong: the exact exception, and a session, arguments and results as before.</summary>
    private void CallWrong()
    {
        var (held, right) = (AnySession(), Right(Any(ApiModel.Entries)));
        var (entry, session, tensors) = (right.Entry, held.Session, right.Tensors);
        var at = random.Next(tensors.Length);
        Tensor[] With(Tensor tensor) => [.. tensors.Select((t, i) => i == at ? tensor : t)];
        var kind = random.Next(13);
        Log($"session {sessions.IndexOf(held)}: wrong {kind} at {at}: {right}");
        if (held.Refuses is not null) return;
        void Call(Tensor[] given, Dictionary<string, long>? sizes) => session.Run(entry.Name, given, sizes);
        void Missing(Action call) => Expect(typeof(ArgumentNullException), call, "a null argument");
        var disposed = Tensor.Zeros(tensors[at].Type, tensors[at].Shape);
        disposed.Dispose();
        switch (kind)
        {
            case 0: Missing(() => session.Run(null!, tensors)); break;
            case 1: Expect(typeof(ArgumentException), () => session.Run("nothing", tensors), "no such entry"); break;
            case 2: Missing(() => session.Run(entry.Name, (Tensor[])null!)); break;
            case 3: Missing(() => Call(With(null!), right.Sizes)); break;
            case 4:
                Expect(typeof(ObjectDisposedException), () => Call(With(disposed), right.Sizes), "a disposed input");
                break;
            case 5: Refused(() => Call(With(Tensor.Zeros(DType.F64, tensors[at].Shape)), right.Sizes)); break;
            case 6:
                Refused(() => Call(With(Tensor.Zeros(tensors[at].Type, [.. tensors[at].Shape, 2])), right.Sizes));
                break;
            case 7: Refused(() => Call([.. tensors, tensors[0]], right.Sizes)); break;
            case 8: Refused(() => Call(tensors[1..], right.Sizes)); break;
            case 9: Refused(() => Call(tensors, new() { ["k"] = 1, ["nothing"] = 1 })); break;
            case 10: Refused(() => Call(tensors, new() { ["k"] = -1 })); break;
            case 11 when entry.HasSize: Refused(() => Call(tensors, null)); break;
            case 11 when entry.Name == "few":
                Refused(() => Call([NewBox(DType.F32, [random.Next(5, 9)]).Tensor], null));
                break;
            // An empty tensor shares no memory, with itself either.
            case 11 when entry.IsInout && tensors[0].Count > 0:
                Refused(() => Call([tensors[0], tensors[0]], null));
                break;
            case 12 when entry.IsInout: Refused(() => Call([tensors[0].AsReadOnly(), tensors[1]], null)); break;
            default: Missing(() => session.Run(entry.Name, (IReadOnlyList<Tensor>)null!, right.Sizes)); break;
        }
        foreach (var box in right.Inputs) CheckValues(box, "an argument of a refused call");
        CheckState(held, "after a refused call");
    }

    private void Refused(Action call) => ExpectCode(ExecutionCode.EntryCheck, call, "a call that does not fit");

    /// <summary>Results into the caller's tensors, some of which may not do.</summary>
    private void CallInto()
    {
        var (held, arguments) = (AnySession(), Right(Any(ApiModel.Entries)));
        var (name, tensors, session) = (arguments.Entry.Name, arguments.Tensors, held.Session);
        var kind = random.Next(8);
        Log($"session {sessions.IndexOf(held)} into {kind}: {arguments}");
        var answer = arguments.Answer(held.State);
        var row = name == "scale" ? 3 : 1;
        long[] Shape(int i) =>
            [.. arguments.Entry.Results[i].Shape.Select(e => e < 0 ? answer.Results[i].Length / row : e)];
        Tensor[] results =
            [.. arguments.Entry.Results.Select((r, i) => Chance(80) ? Tensor.Zeros(r.Type, Shape(i)) : null!)];
        void Call() => session.RunInto(name, tensors, results, arguments.Sizes);
        if (held.Refuses is { } refusal)
        {
            Expect(refusal, Call, "RunInto");
            return;
        }
        var (type, shape) = (arguments.Entry.Results[0].Type, Shape(0));
        switch (kind)
        {
            case 0:
                results[0] = Tensor.Zeros(type, shape);
                results[0].Dispose();
                Expect(typeof(ObjectDisposedException), Call, "a disposed result");
                break;
            case 1:
                results[0] = Tensor.Zeros(type, [.. shape, 2]);
                Refused(Call);
                break;
            case 2:
                results[0] = Tensor.Zeros(type, shape).AsReadOnly();
                Refused(Call);
                break;
            case 3:
                results = [.. results, null!];
                Refused(Call);
                break;
            case 4 when tensors[0].Count > 0 && tensors[0].Type == type && tensors[0].Shape.SequenceEqual(shape):
                results[0] = tensors[0].Reshape(shape);
                Refused(Call);
                break;
            case 5 when name is "step" or "write_first" or "check_first":
                results[0] = session.State["v"];
                Refused(Call);
                break;
            default:
                Tensor[] given = [.. results];
                Expect(null, Call, "RunInto");
                for (var i = 0; i < given.Length; i++)
                    Check(given[i] is null || given[i] == results[i], "a result given is the one written");
                Take(held, arguments, answer, results);
                return;
        }
        foreach (var box in arguments.Inputs) CheckValues(box, "an argument of a refused call");
        CheckState(held, "after a refused RunInto");
    }

    /// <summary>
    /// An index out of range, or an assert that fails. The session refuses further calls exactly if its state is
    /// another than before; the caller's array has no new results.
    /// </summary>
    private void DataError()
    {
        var entry = Any([.. ApiModel.Entries.Where(e => e.Indexes || e.Asserts)]);
        var (held, arguments) = (AnySession(), Right(entry));
        if (held.Refuses is not null) return;
        if (entry.Indexes)
        {
            long[] shape = entry.Inputs[1].Shape.Length == 0 ? [] : [2];
            double[] wrong = [arguments.Inputs[0].Count + random.Next(3), -1];
            arguments.Inputs[1] = NewBox(DType.I32, shape, wrong[..(shape.Length == 0 ? 1 : 2)]);
        }
        else
        {
            arguments.Inputs[0] = NewBox(DType.F32, [3], [random.Next(-9, -4), 1, 2]);
        }
        Log($"session {sessions.IndexOf(held)}: data error: {arguments}");
        var answer = arguments.Answer(held.State);
        var results = new Tensor[entry.Results.Length];
        void Call() => held.Session.RunInto(entry.Name, arguments.Tensors, results);
        ExpectCode(answer.Fails!.Value, Call, $"{arguments}");
        Check(results.All(r => r is null), "a call that failed left results");
        foreach (var box in arguments.Inputs) CheckValues(box, "an argument of a failed call");
        Settle(held, $"{arguments}");
    }

    /// <summary>After a failure: broken exactly if the state has changed.</summary>
    private void Settle(Held held, string what)
    {
        var state = StateOf(held);
        held.IsBroken = !state.Same(held.State);
        var probe = Right(ApiModel.Entry("scale"));
        Run(held, probe, () => held.Session.Run("scale", probe.Tensors));
        Log($"  {(held.IsBroken ? "broken" : "sound")} after {what}");
        if (held.IsBroken) held.State = state;
    }
}

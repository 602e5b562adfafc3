// In: a random generator. Out: a hostile safetensors file, and a call of a model that takes its weights from it.
using System.Buffers.Binary;
using System.Text;

namespace Accelerate.Cli.Hostile;

/// <summary>
/// Headers with lengths, shapes, offsets and nesting that no writer produces, and mutants of a valid file.
/// </summary>
internal static class HostileWeights
{
    private const string Model = """
        module Net() {
            param w: f32[4, 3]
            buffer b: i64[2]
            export fn apply(x: f32[n, 4]) -> f32[n, 3] = x @ w + f32(b[0])
        }

        """;

    private static readonly byte[] Right =
        File($"{{{Entry("w", "F32", "[4,3]", "[0,48]")},{Entry("b", "I64", "[2]", "[48,64]")}}}", new byte[64]);

    public static HostileInput Make(Random random, Corpus corpus)
    {
        var bytes = random.Next(3) switch
        {
            0 => Mutation.Bytes(random, Right),
            1 => Words(random, corpus),
            _ => Structure(random),
        };
        var weights = random.Next(8) == 0 ? $"{random.Pick(["w", "Net", "", "a.b"])}=w.safetensors" : "w.safetensors";
        return new("safetensors", [new RegularFile("net.acc", Model), new RegularFile("w.safetensors", bytes)],
            ["run", "./net.acc", "apply", "x=ones", "n=2", "--weights", weights, "--backend", "interpreter"]);
    }

    private static byte[] File(string json, byte[] data, ulong? length = null)
    {
        var header = Encoding.UTF8.GetBytes(json);
        var bytes = new byte[8 + header.Length + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length ?? (ulong)header.Length);
        header.CopyTo(bytes, 8);
        data.CopyTo(bytes, 8 + header.Length);
        return bytes;
    }

    private static string Entry(string name, string type, string shape, string offsets) =>
        $"\"{name}\":{{\"dtype\":\"{type}\",\"shape\":{shape},\"data_offsets\":{offsets}}}";

    private static byte[] Words(Random random, Corpus corpus)
    {
        var json = Encoding.UTF8.GetString(Right, 8, Right.Length - 72);
        return File(Mutation.Words(random, json, corpus.Words), new byte[64]);
    }

    private static readonly string[] Types = ["F64", "F16", "BF16", "I8", "U64", "BOOL", "F8_E4M3", "C64", ""];

    private static string Quoted(string text) => text.Replace("\"", "\\\"", StringComparison.Ordinal);

    private static byte[] Structure(Random random)
    {
        var depth = random.Pick(["1", "10", "63", "64", "65", "1000", "100000"]);
        var count = int.Parse(depth, System.Globalization.CultureInfo.InvariantCulture);
        string Times(string text) => string.Concat(Enumerable.Repeat(text, count));
        string Number() => random.Pick(Mutation.Numbers);
        var w = Entry("w", "F32", "[4,3]", "[0,48]");
        var b = Entry("b", "I64", "[2]", "[48,64]");
        return random.Next(15) switch
        {
            0 => File($"{{{w},{b}}}", new byte[64], (ulong)random.NextInt64()),
            1 => File($"{{{w},{b}}}", new byte[64], ulong.MaxValue - (ulong)random.Next(16)),
            2 => File(Times("[") + Times("]"), []),
            3 => File(Times("{\"a\":") + "1" + Times("}"), []),
            4 => File($"{{\"__metadata__\":{Times("{\"a\":")}1{Times("}")},{w},{b}}}", new byte[64]),
            5 => File($"{{{w},{w},{b}}}", new byte[64]),
            6 => File($"{{{w},{Entry("b", "I64", "[2]", "[40,56]")}}}", new byte[56]),
            7 => File($"{{{Entry("w", "F32", $"[{Number()},{Number()}]", "[0,48]")},{b}}}", new byte[64]),
            8 => File($"{{{Entry("w", "F32", "[4,3]", $"[{Number()},{Number()}]")},{b}}}", new byte[64]),
            9 => File($"{{{Entry("w", random.Pick(Types), "[4,3]", "[0,48]")},{b}}}", new byte[64]),
            10 => File($"{{{string.Join(",", Enumerable.Range(0, Math.Min(count, 20000)).Select(i =>
                Entry($"k{i}", "F32", "[0]", "[0,0]")))}}}", []),
            11 => File(
                $"{{{Entry(Quoted(random.Pick(Mutation.Characters)), "F32", "[4,3]", "[0,48]")},{b}}}", new byte[64]),
            12 => File($"{{{Entry("w", "F32", $"[{string.Join(",", Enumerable.Repeat("1", Math.Min(count, 1000)))}]",
                "[0,4]")}}}", new byte[4]),
            13 => File($"{{{Entry("\\ud800", "F32", "[4,3]", "[0,48]")},{b}}}", new byte[64]),
            // 0.0 / 0.0 in every place: valid data, which must not upset the reader.
            _ => File($"{{{w},{b}}}", [.. Enumerable.Repeat((byte)255, 64)]),
        };
    }
}

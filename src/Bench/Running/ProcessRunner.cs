// In: an arm. Out: the measurement of a fresh process, or why there is none.
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Accelerate.Bench.Running;

/// <summary>A process gave no measurement; the message is its output.</summary>
internal sealed class NoMeasurementException(string message) : Exception(message);

/// <summary>Starts the process of an arm with its environment, and reads its line.</summary>
/// <param name="places">The folders.</param>
/// <param name="accc">Makes the start information of another process of this program with those words.</param>
/// <param name="features">The processor's instruction sets, by Linux's names; this machine's if null.</param>
internal sealed class ProcessRunner(HarnessPlaces places, Func<IEnumerable<string>, ProcessStartInfo> accc,
    IReadOnlyCollection<string>? features = null)
{
    /// <summary>The beginning of a process's output if its own check of the results fails.</summary>
    public const string Refusal = "wrong result: ";

    // A measurement that takes minutes hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    // Without these settings glibc returns large tensors to the kernel after every call, and some peers are five times
    // slower. Huge pages, which our tensors request, make ONNX Runtime's GPT-2 step 23.5 ms instead of 28.9, relu on
    // 16M floats 2.8 instead of 3.9, and nothing measured slower (1 thread, CPU time, Zen 4).
    private static readonly (string, string)[] Allocator =
    [
        ("MALLOC_MMAP_MAX_", "0"), ("MALLOC_TRIM_THRESHOLD_", "17179869184"), ("MALLOC_TOP_PAD_", "67108864"),
        ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
    ];

    /// <summary>Why the arm cannot run on this machine; null if it can.</summary>
    public string? Unavailable(Arm arm)
    {
        if (arm.Impossible is { } reason) return reason;
        if (arm.Peer is { Needs: { } needs } && !(features ?? Machine.This.Hardware().Features).Contains(needs))
            return $"not supported: {arm.Peer.Name} needs {needs}, which this processor lacks";
        if (arm.Peer is { } peer && !File.Exists(Program(peer.Program)))
            return $"{peer.Program} is not built: bench/peers/build";
        var data = arm.Peer?.Data ?? (arm.Case.Definition.HasData ? arm.Case.Name : null);
        return data is not null && !Directory.Exists(Path.Combine(places.Data(data), "expected"))
            ? "its inputs are not made: bench/peers/build" : null;
    }

    /// <param name="arm">The contender and case.</param>
    /// <param name="seconds">The sampling time.</param>
    /// <param name="results">The folder for the results of the first call; null for none.</param>
    /// <param name="cancellation">Ends the process.</param>
    /// <exception cref="NoMeasurementException">It ended without a measurement.</exception>
    public Measurement Run(Arm arm, double seconds, string? results, CancellationToken cancellation = default)
    {
        var start = arm switch
        {
            { Peer: not null } => StartPeer(arm, seconds),
            { Build: { } build } => new("dotnet", [build.Path, .. arm.Words(Fill, seconds, results)]),
            _ => accc(arm.Words(Fill, seconds, results)),
        };
        start.WorkingDirectory = places.Root;
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience + TimeSpan.FromSeconds(10 * seconds));
        using var stop = limit.Token.Register(() => process.Kill(entireProcessTree: true));
        // A user's class runs in the measuring process and may print anything: the measurement is the line that begins
        // with a word that was read before the class was loaded.
        var isSigned = arm.Ours?.Assembly is not null;
        var word = isSigned ? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) : null;
        try
        {
            if (word is not null) process.StandardInput.WriteLine(word);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it read its input: its output tells why.
        }
        // Reads both pipes concurrently, so that a process that fills one does not block.
        var said = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        cancellation.ThrowIfCancellationRequested();
        if (limit.IsCancellationRequested) throw new NoMeasurementException("it had not ended after a quarter of an hour");
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (word is not null)
        {
            lines =
            [
                .. lines.Where(l => l.StartsWith(word + " ", StringComparison.Ordinal))
                    .Select(l => l[(word.Length + 1)..]),
            ];
            if (lines.Length > 1) throw new NoMeasurementException("its process signed two measurements");
            if (lines.Length == 0 && process.ExitCode == 0)
                throw new NoMeasurementException("its process ended by itself, without a measurement");
        }
        var line = lines.LastOrDefault();
        if (process.ExitCode == 0 && line is not null)
        {
            try
            {
                return Measurement.FromJson(line);
            }
            catch (JsonException)
            {
                throw new NoMeasurementException($"its last line is no measurement: {line}");
            }
        }
        string[] words = [.. (said.Result.Trim() is { Length: > 0 } errors ? errors : text.Trim()).Split('\n')];
        // Our error is on the first line; a peer's stack trace has it on the last.
        var reason = arm.Peer is null ? words[0].Replace("error: ", "", StringComparison.Ordinal) : words[^1];
        throw new NoMeasurementException(reason.Length > 0 ? reason : $"exit code {process.ExitCode}");

        string Fill(string word) => this.Fill(arm, word);

        ProcessStartInfo StartPeer(Arm peer, double budget)
        {
            var call = peer.Peer!;
            IEnumerable<string> words = call.Arguments.Select(Fill);
            var info = call.Program switch
            {
                "torch" => new ProcessStartInfo("/usr/bin/python3", [Program("torch"), .. words]),
                "libtorch" => new ProcessStartInfo("dotnet", [Program("libtorch"), .. words]),
                _ => new ProcessStartInfo(Program(call.Program), words),
            };
            foreach (var (name, value) in Environment(peer, budget)) info.Environment[name] = value;
            // An older libstdc++ lacks a symbol.
            if (call.Program == "libtorch")
                info.Environment["LD_PRELOAD"] = Path.Combine(places.Peers, "libtorch", "ios_init.so");
            if (results is not null) info.Environment["RESULTS"] = results;
            return info;
        }
    }

    /// <summary>
    /// A hash of the process's arguments and of the files that they name: equal hashes measure the same work. For large
    /// files, length and modification time represent the contents; for a source, all files of its folder count, because
    /// it may use them.
    /// </summary>
    public string Work(Arm arm, double seconds)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string[] words = [.. arm.Peer is { } peer ? peer.Arguments.Select(a => Fill(arm, a)).Prepend(peer.Program)
            : arm.Words(w => Fill(arm, w), seconds, null).Prepend(arm.Build?.Path ?? "")];
        foreach (var word in words.Append(seconds.ToString(CultureInfo.InvariantCulture)))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(word + "\n"));
            var path = Path.Combine(places.Root, word[(word.IndexOf('@') + 1)..]);
            if (!File.Exists(path)) continue;
            var isSource = path.EndsWith(".acc", StringComparison.Ordinal);
            foreach (var file in isSource ? Directory.GetFiles(Path.GetDirectoryName(path)!, "*.acc") : [path])
            {
                var info = new FileInfo(file);
                hash.AppendData(info.Length <= 1 << 20 ? File.ReadAllBytes(file)
                    : Encoding.UTF8.GetBytes($"{info.Length} {info.LastWriteTimeUtc.Ticks}"));
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private string Fill(Arm arm, string word) => word
        .Replace("{data}", places.Data(arm.Peer?.Data ?? arm.Case.Name), StringComparison.Ordinal)
        .Replace("{libtorch}", Path.Combine(places.Peers, "libtorch"), StringComparison.Ordinal)
        .Replace("{llamacpp}", Path.Combine(places.Peers, "llamacpp"), StringComparison.Ordinal)
        .Replace("{models}", Path.Combine(places.Peers, "models"), StringComparison.Ordinal)
        .Replace("{case}", arm.Case.Name, StringComparison.Ordinal)
        .Replace("{threads}", arm.Threads.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("{openblas}", $"{HarnessPlaces.Libraries}/openblas-pthread/libopenblas.so.0", StringComparison.Ordinal)
        .Replace("{blis}", $"{HarnessPlaces.Libraries}/blis-pthread/libblis.so.4", StringComparison.Ordinal);

    private static IEnumerable<(string, string)> Environment(Arm arm, double seconds)
    {
        var (peer, threads) = (arm.Peer!, arm.Threads.ToString(CultureInfo.InvariantCulture));
        foreach (var pair in Allocator) yield return pair;
        yield return ("BUDGET", seconds.ToString(CultureInfo.InvariantCulture));
        foreach (var library in (string[])["OMP", "OPENBLAS", "BLIS"]) yield return ($"{library}_NUM_THREADS", threads);
        if (peer.Program is "dnnl" or "xsmm" or "loops") yield return ("OMP_PROC_BIND", "true");
        if (peer.Name.Contains("haswell", StringComparison.Ordinal)) yield return ("OPENBLAS_CORETYPE", "Haswell");
        if (peer.Program != "torch") yield break;
        // PyTorch finds its BLAS on the library path; with Haswell's kernels or BLIS it must be told about AVX-512.
        var isBlis = peer.Name.Contains("blis", StringComparison.Ordinal);
        yield return ("LD_LIBRARY_PATH", $"{HarnessPlaces.Libraries}/{(isBlis ? "blis-pthread" : "openblas-openmp")}");
        if (!peer.Name.Contains("openblas", StringComparison.Ordinal)) yield return ("ATEN_CPU_CAPABILITY", "avx512");
    }

    private string Program(string name) => name switch
    {
        "torch" => Path.Combine(places.Root, "bench", "peers", "torch_bench.py"),
        "libtorch" => Path.Combine(places.Peers, "libtorch", "libtorch.dll"),
        _ => Path.Combine(places.Peers, "bin", name),
    };
}

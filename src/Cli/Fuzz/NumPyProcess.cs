// In: a graph with inputs, state and sizes. Out: NumPy's results, from a python3 process that is kept.
using System.Diagnostics;
using System.Text.Json;
using Accelerate.Compiler.Graph;
using Accelerate.Runtime;

namespace Accelerate.Cli.Fuzz;

/// <summary>The results by number, assigned state and `inout` inputs by name; or why the call fails.</summary>
internal sealed record NumPyAnswer(IReadOnlyDictionary<string, Tensor> Values, string? Failure);

/// <summary>One child process, which runs numpy_oracle.py.</summary>
internal sealed class NumPyProcess : IDisposable
{
    // The system's own python, since a virtual environment's may lack NumPy.
    public const string Python = "/usr/bin/python3";

    private static readonly Lazy<string?> WhyAbsent = new(() =>
    {
        try
        {
            var start = new ProcessStartInfo(Python, ["-c", "import numpy"]) { RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : error.Trim().Split('\n')[^1];
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message;
        }
    });

    private readonly Process process;

    public NumPyProcess()
    {
        var start = new ProcessStartInfo(Python, ["-c", Script + "serve()\n"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        process = Process.Start(start)!;
    }

    /// <summary>numpy_oracle.py: functions for the operations that NumPy lacks.</summary>
    public static string Script { get; } = ReadScript();

    /// <summary>True once the process no longer answers.</summary>
    public bool HasEnded => process.HasExited;

    /// <summary>Why NumPy is missing here; null if it is present.</summary>
    public static string? Missing => WhyAbsent.Value;

    /// <exception cref="InvalidOperationException">The script failed: the printer and the script disagree.</exception>
    /// <exception cref="IOException">The process has ended.</exception>
    public NumPyAnswer Run(Function function, IReadOnlyList<Tensor> inputs, IReadOnlyDictionary<string, Tensor> state,
        IReadOnlyDictionary<string, long> sizes)
    {
        process.StandardInput.WriteLine(JsonSerializer.Serialize(new
        {
            code = NumPyPrinter.Print(function),
            inputs = inputs.Select(Pack),
            state = state.ToDictionary(s => s.Key, s => Pack(s.Value)),
            sizes,
        }));
        process.StandardInput.Flush();
        var line = process.StandardOutput.ReadLine() ?? throw new IOException("NumPy's process has ended");
        var answer = JsonSerializer.Deserialize<Answer>(line)!;
        if (answer.error is not null) throw new InvalidOperationException($"NumPy: {answer.error}");
        return new((answer.values ?? []).ToDictionary(v => v.Key, v => Unpack(v.Value)), answer.failure);
    }

    public void Dispose()
    {
        process.StandardInput.Close();
        if (!process.WaitForExit(2000)) process.Kill();
        process.Dispose();
    }

    private static string ReadScript()
    {
        using var script =
            new StreamReader(typeof(NumPyProcess).Assembly.GetManifestResourceStream("numpy_oracle.py")!);
        return script.ReadToEnd();
    }

    // The names are those in the script's JSON.
    private sealed record Packed(string type, long[] shape, string data);

    private sealed record Answer(Dictionary<string, Packed>? values, string? failure, string? error);

    private static Packed Pack(Tensor tensor) =>
        new(tensor.Type.Name(), tensor.Shape.ToArray(), System.Convert.ToBase64String(tensor.ReadOnlyBytes));

    private static Tensor Unpack(Packed packed)
    {
        var tensor = Tensor.Uninitialized(DType.Parse(packed.type), packed.shape);
        System.Convert.FromBase64String(packed.data).CopyTo(tensor.Bytes);
        return tensor;
    }
}

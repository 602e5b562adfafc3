// Files that commands write: links, permissions, devices and pipes stay what they are, and nothing is written over.
using System.Diagnostics;
using System.Runtime.Versioning;
using Accelerate.Cli.Hostile;
using Accelerate.Runtime;
using Accelerate.Tests.Support;
using Assert = Xunit.Assert;

namespace Accelerate.Tests.Cli;

public sealed class OutputTests : CommandLine
{
    private static readonly string[] Scale = ["scale", "x=[1, 2]", "k=3", "--backend", "interpreter"];

    private (int Code, string Output, string Error) To(string path, string option = "-o") =>
        Run(["run", "net.acc", .. Scale, option, option == "--out" ? $"0={path}" : path]);

    private void IsResult(string name)
    {
        using var read = Npy.Read(this[name]);
        Assert.Equal([3f, 6f], read.ToArray<float>());
    }

    [Fact]
    public void ADTypeThatTheFormatHasNotIsSaidBeforeAnyFileIsWritten()
    {
        Write("two.acc", "export fn two(x: f32[n]) -> (f32[n], bf16[n]) = [x, bf16(x)]");
        var (code, _, error) = Run("run", "two.acc", "two", "x=[1]", "--out", "0=a.npy", "--out", "1=b.npy");
        Assert.Equal(1, code);
        Assert.Contains("--out 1 b.npy: the npy format has no bf16", error);
        Assert.False(File.Exists(this["a.npy"]));
    }

    [Fact]
    public void ALinkStaysOneAndItsTargetIsWritten()
    {
        Directory.CreateDirectory(this["far"]);
        File.WriteAllText(this["far/target.npy"], "old");
        File.CreateSymbolicLink(this["near.npy"], "far/target.npy");
        File.CreateSymbolicLink(this["nearer.npy"], "near.npy");
        Assert.Equal(0, To(this["nearer.npy"]).Code);
        Assert.Equal("far/target.npy", new FileInfo(this["near.npy"]).LinkTarget);
        Assert.Equal("near.npy", new FileInfo(this["nearer.npy"]).LinkTarget);
        IsResult("far/target.npy");
        // One that leads nowhere yet makes what it leads to.
        File.CreateSymbolicLink(this["dangling.npy"], "far/new.npy");
        Assert.Equal(0, To(this["dangling.npy"]).Code);
        IsResult("far/new.npy");
    }

    [LinuxFact]
    [UnsupportedOSPlatform("windows")]
    public void PermissionsStay()
    {
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        Write("kept.npy", "old");
        File.SetUnixFileMode(this["kept.npy"], Mode);
        Assert.Equal(0, To(this["kept.npy"]).Code);
        Assert.Equal(Mode, File.GetUnixFileMode(this["kept.npy"]));
        IsResult("kept.npy");
        // A script's bit too: fmt rewrites in place.
        var script = Mode | UnixFileMode.UserExecute;
        Write("ugly.acc", "export  fn f(x:f32[n])->f32[n]=x+1\n");
        File.SetUnixFileMode(this["ugly.acc"], script);
        Assert.Equal(0, Run("fmt", "ugly.acc").Code);
        Assert.Equal(script, File.GetUnixFileMode(this["ugly.acc"]));
    }

    [LinuxFact]
    public void ADeviceIsWrittenThrough()
    {
        HostileWorker.Make(new DeviceFile(this["null"], 3));
        HostileWorker.Make(new DeviceFile(this["full"], 7));
        if (!File.Exists(this["null"])) return; // who is not root cannot make one
        foreach (var option in (string[])["-o", "--out", "--save-state"])
        {
            Assert.Equal(0, To(this["null"], option).Code);
            var status = FileStatus.Of(this["null"])!.Value;
            Assert.Equal((FileKind.Device, (1u, 3u)), (status.Kind, status.Node));
            var (code, _, error) = To(this["full"], option);
            Assert.Equal((1, "error: full: No space left on device"), (code, error.Split(" :")[0].Trim()));
            Assert.Equal(FileKind.Device, FileStatus.Of(this["full"])!.Value.Kind);
        }
        // Any number may be thrown away.
        Assert.Equal(0, Run("run", "net.acc", "pair", "x=[[1]]", "y=[1]", "--backend", "interpreter",
            "--out", $"0={this["null"]}", "--out", $"1={this["null"]}").Code);
    }

    [LinuxFact]
    public async Task APipeIsWrittenToItsReader()
    {
        HostileWorker.Make(new PipeFile(this["pipe"]));
        var (code, _, error) = To(this["pipe"]);
        Assert.Equal((1, "error: pipe: is a pipe that nobody reads from\n"), (code, error));
        // A thread of its own: the writer waits for no pool that other tests keep busy.
        var reader = Task.Factory.StartNew(() => File.ReadAllBytes(this["pipe"]), TaskCreationOptions.LongRunning);
        Assert.Equal(0, To(this["pipe"]).Code);
        File.WriteAllBytes(this["read.npy"], await reader);
        IsResult("read.npy");
        Assert.Equal(FileKind.Pipe, FileStatus.Of(this["pipe"])!.Value.Kind);
    }

    [Fact]
    public void NothingIsWrittenOver()
    {
        Write("part.acc", "fn part(x: f32[n]) -> f32[n] = x * 2\n");
        var source = "use part\nexport fn f(x: f32[n]) -> (a: f32[n], b: f32[n]) { return part(x), x }\n";
        Write("whole.acc", source);
        Npy.Write(this["x.npy"], Tensor.From([1f, 2f], 2));
        Directory.CreateDirectory(this["sub"]);
        File.CreateSymbolicLink(this["link.npy"], "x.npy");
        File.CreateSymbolicLink(this["sub/back"], "..");
        string[] call = ["run", "whole.acc", "f", "x=@x.npy", "--backend", "interpreter"];
        string Refused(params string[] more) => Error(2, [.. call, .. more]);
        // Twice: compiled, then from the cache, which knows the files that were used.
        for (var i = 0; i < 2; i++)
        {
            Assert.Contains("would write over the source", Refused("--out", $"a={this["whole.acc"]}"));
            Assert.Contains("would write over the source", Refused("--out", $"a={this["part.acc"]}"));
            Assert.Contains("would write over the input x", Refused("--out", $"a={this["x.npy"]}"));
            Assert.Contains("would write over the input x", Refused("--out", $"a={this["link.npy"]}"));
            Assert.Contains("would write over the input x", Refused("--out", $"a={this["sub/back/x.npy"]}"));
            foreach (var same in (string[])["sub/../o.npy", "sub/back/o.npy"])
                Assert.Contains("are one file", Refused("--out", $"a={this["o.npy"]}", "--out", $"b={this[same]}"));
            Assert.Contains("are one file", Refused("--out", $"a={this["o.npy"]}", "--save-state", this["o.npy"]));
            Run([.. call]);
        }
        Assert.Equal(source, File.ReadAllText(this["whole.acc"]));
        Assert.False(File.Exists(this["o.npy"]));
        Assert.Contains("--out a= is not name=FILE", Refused("--out", "a="));
        Assert.Contains("-o '': an empty name is no file's", Error(2, ["run", "net.acc", .. Scale, "-o", ""]));
        Assert.Contains("is a folder", Error(1, [.. call, "--out", $"a={this["sub"]}"]));
        Assert.Contains("y.npy: there is no folder ",
            Error(1, ["run", "net.acc", .. Scale, "-o", this["nope/y.npy"]]));
        Assert.Contains("y.csv: results are written as .npy, not .csv",
            Error(2, ["run", "net.acc", .. Scale, "-o", this["y.csv"]]));
        Assert.Equal(0, Run([.. call, "--out", $"a={this["o.npy"]}", "--out", $"b={this["p.npy"]}"]).Code);
    }

    [Fact]
    public void WeightsAreReplacedByTheStateOnly()
    {
        string[] call = ["run", "net.acc", "apply", "x=[[1, 2, 3, 4]]", "--backend", "interpreter"];
        Assert.Equal(0, Run([.. call, "--save-state", this["w.safetensors"]]).Code);
        var before = File.ReadAllBytes(this["w.safetensors"]);
        string[] weights = ["--weights", this["w.safetensors"]];
        Assert.Contains("would write over the weights", Error(2, [.. call, .. weights, "-o", this["w.safetensors"]]));
        Assert.Equal(0, Run([.. call, .. weights, "--save-state", this["w.safetensors"]]).Code);
        Assert.Equal(before, File.ReadAllBytes(this["w.safetensors"]));
        Assert.Contains("would write over the source",
            Error(2, [.. call, .. weights, "--save-state", this["net.acc"]]));
        Assert.Contains("would write over the source",
            Error(2, "bench", "net.acc", "apply", "n=1", "--database", this["net.acc"]));
    }

    [Fact]
    public void StagesAreNotWrittenOverTheSource()
    {
        Write("scale.graph", Output("dump", "net.acc", "--stage", "graph", "--function", "scale"));
        var before = File.ReadAllText(this["scale.graph"]);
        Assert.Contains("would write over the source",
            Error(2, "run", this["scale.graph"], "scale", "x=[1]", "k=2", "--backend", "interpreter",
                "--save-temps", this["."]));
        Assert.Equal(before, File.ReadAllText(this["scale.graph"]));
    }

    [UserFact]
    [UnsupportedOSPlatform("windows")]
    public void AFileThatMayNotBeWrittenIsNotReplaced()
    {
        Write("closed.npy", "old");
        File.SetUnixFileMode(this["closed.npy"], UnixFileMode.UserRead);
        Assert.Equal(1, To(this["closed.npy"]).Code);
        Assert.Equal("old", File.ReadAllText(this["closed.npy"]));
    }

    [Fact]
    public void AFailureLeavesTheOldFileAndNothingElse()
    {
        Write("a.npy", "old");
        var names = Directory.GetFiles(this["."]).Order().ToList();
        Assert.Throws<DataException>(() => OutputFile.Write(this["a.npy"], stream =>
        {
            stream.Write(new byte[100_000]);
            throw new IOException("the source is gone");
        }));
        Assert.Equal("old", File.ReadAllText(this["a.npy"]));
        Assert.Equal(names, Directory.GetFiles(this["."]).Order());
    }

    /// <summary>
    /// A process that is killed while it writes leaves nothing, or something that the next one removes.
    /// </summary>
    [Fact]
    public void AKilledWriterLeavesNothing()
    {
        using var process = Process.Start(StartupHook.Start(StartupHook.HalfWritten, this["big.npy"]))!;
        Assert.Equal("half written", process.StandardOutput.ReadLine());
        process.Kill();
        process.WaitForExit();
        Assert.Equal(["net.acc"], Directory.GetFiles(this["."]).Select(Path.GetFileName));
        // Where the file system has no nameless files, the name says whose it is.
        var abandoned = this[Path.GetFileName(OutputFile.Temporary(this["."], process.Id))];
        var alive = this[Path.GetFileName(OutputFile.Temporary(this["."], Environment.ProcessId))];
        File.WriteAllText(abandoned, "half");
        File.WriteAllText(alive, "half");
        OutputFile.Write(this["small.npy"], stream => stream.WriteByte(1));
        Assert.False(File.Exists(abandoned));
        Assert.True(File.Exists(alive));
    }

    /// <summary>In the child: writes half of a file and waits to be killed.</summary>
    internal static void WriteHalf(string path) => OutputFile.Write(path, stream =>
    {
        stream.Write(new byte[1 << 20]);
        stream.Flush();
        Console.WriteLine("half written");
        Thread.Sleep(Timeout.Infinite);
    });
}

// `accc run`: inputs of every kind, results as text and files, and what is said about bad input.
using Accelerate.Runtime;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Cli;

public sealed class RunTests : CommandLine
{
    private string[] OnInterpreter(params string[] args) => ["run", "net.acc", .. args, "--backend", "interpreter"];

    [Fact]
    public void LiteralsAndNamedResults() => Assert.Equal("""
        twice: f32[2,3]
        [[ 2.  4. -6.]
         [ 1.  0. inf]]
        same: i32[2]
        [7 8]

        """, Output(OnInterpreter("pair", "x=[[1, 2, -3], [0.5, 0, inf]]", "y=[7,8]")));

    [LlvmFact]
    public void EveryBackendGivesTheSameText()
    {
        string[] call = ["run", "net.acc", "apply", "x=random:seed=3", "n=2"];
        var reference = Output([.. call, "--backend", "interpreter"]);
        Assert.StartsWith("f32[2,3]\n[[", reference);
        Assert.Equal(reference, Output(call));
        Assert.Equal(reference, Output([.. call, "-O0", "--threads", "2"]));
        Assert.Equal(reference, Output([.. call, "-O", "1", "--target", "x86-64"]));
    }

    [Fact]
    public void StateStartsAsItsInitialisersSay() =>
        Assert.Equal("f32[1,3]\n[[2. 2. 2.]]\n", Output(OnInterpreter("apply", "x=zeros", "n=1")));

    [Fact]
    public void FillsTakeSizesFromOtherInputs()
    {
        Assert.Contains("twice: f32[2,1]\n[[2.]\n [2.]]", Output(OnInterpreter("pair", "x=ones", "y=[1, 2]", "m=1")));
        var random = Output(OnInterpreter("pair", "x=random", "y=random:seed=1,low=5,high=6", "n=3", "m=2"));
        Assert.Matches(@"same: i32\[3\]\n\[[56] [56] [56]\]", random);
        Assert.Equal(random, Output(OnInterpreter("pair", "x=random", "y=random:seed=1,low=5,high=6", "n=3", "m=2")));
    }

    [Fact]
    public void IntParametersAreGivenByName()
    {
        Assert.Equal("f32[2]\n[3. 6.]\n", Output(OnInterpreter("scale", "x=[1, 2]", "k=3")));
        Assert.Contains("'scale' needs a value for k: int", Error(1, OnInterpreter("scale", "x=[1, 2]")));
    }

    /// <summary>Of two tensors that pick together, the index that leaves its own axis is named, not their
    /// place.</summary>
    [Theory]
    [InlineData("[0, 1]", "[1, 3]", "the index is 3, and 0 to 2 is in range")]
    [InlineData("[0, 2]", "[1, 1]", "the index is 2, and 0 to 1 is in range")]
    [InlineData("[1, 1]", "[1, -1]", "the index is -1, and 0 to 2 is in range")]
    public void AnIndexIsOutOfRangeOfItsOwnAxis(string i, string j, string says)
    {
        Write("pick.acc", "export fn pick(x: f32[n, m], i: i32[b], j: i32[b]) -> f32[b] = x[i, j]");
        Assert.Contains(says, Error(1, "run", "pick.acc", "pick", "x=[[1, 2, 3], [4, 5, 6]]", $"i={i}", $"j={j}",
            "--backend", "interpreter"));
    }

    [Fact]
    public void WhatACallWritesIsPrintedAndSaved()
    {
        Write("io.acc", """
            module M() {
                buffer n: i32 = 0
                export fn fill(v: f32, inout x: f32[k]) -> i32 {
                    x[0] = v
                    n += 1
                    print("call {} of {:.2}", n, x)
                    return n
                }
            }
            """);
        string[] call = ["run", "io.acc", "fill", "v=3", "x=[1, 2.5]", "--backend", "interpreter"];
        Assert.Equal("call 1 of [3 2.5]\n0: i32[]\n1\nx: f32[2] in x.npy\nstate: 1 tensor in s.safetensors\n",
            Output([.. call, "--out", "x=" + this["x.npy"], "--save-state", this["s.safetensors"]])
                .Replace(Path.GetDirectoryName(this["x.npy"]) + Path.DirectorySeparatorChar, "",
                    StringComparison.Ordinal));
        Assert.Equal([3, 2.5], Npy.Read(this["x.npy"]).ToDoubles());
        Assert.StartsWith("call 2 of [3 2.5]\n0: i32[]\n2\nx: f32[2]\n",
            Output([.. call, "--weights", this["s.safetensors"]]));
    }

    /// <summary>A checkpoint of one function's call serves every other function of the model.</summary>
    [Fact]
    public void SavedStateIsThatOfTheWholeModel()
    {
        Write("both.acc", """
            use nn
            module Main {
                let fc = Linear(4, 3)
                buffer calls: i64 = 0
                export fn hit() -> i64 { calls += 1 return calls }
                export fn lin(x: f32[n, 4]) -> f32[n, 3] = fc(x)
            }
            """);
        string[] lin = ["run", "both.acc", "lin", "x=ones", "n=1", "--backend", "interpreter"];
        Assert.Contains("state: 3 tensors",
            Output("run", "both.acc", "hit", "--backend", "interpreter", "--save-state", this["s.safetensors"]),
            StringComparison.Ordinal);
        Assert.Equal(Output(lin), Output([.. lin, "--weights", this["s.safetensors"]]));
        Assert.StartsWith("i64[]\n2\n",
            Output("run", "both.acc", "hit", "--backend", "interpreter", "--weights", this["s.safetensors"]),
            StringComparison.Ordinal);
    }

    [Fact]
    public void SettingsAndDimensions()
    {
        Assert.StartsWith("f32[1,5]", Output(OnInterpreter("apply", "x=zeros", "n=1", "--set", "width=5")));
        Assert.StartsWith("f32[2,3]", Output(OnInterpreter("apply", "x=zeros", "--dim", "n=2")));
        var error = Error(1, OnInterpreter("apply", "x=zeros", "--dim", "rows=2"));
        Assert.Contains("`--dim rows`: no exported function has a size of that name", error);
        Assert.Contains("there are h, k, m, n", error);
        Assert.Contains("there is no such hyper-parameter", Error(1, OnInterpreter("apply", "--set", "widht=5")));
        Assert.Contains("did you mean `width`?", Error(1, OnInterpreter("apply", "--set", "widht=5")));
    }

    [Fact]
    public void FilesInAndOut()
    {
        Npy.Write(this["x.npy"], Tensor.From([1f, 2, 3, 4], 2, 2));
        Npy.Write(this["y.npy"], Tensor.From([5L, 6], 2));
        // i64 for i32: NumPy's own integers, converted as no value is lost.
        var output = Output(OnInterpreter("pair", "x=@x.npy", "y=@y.npy", "--out", "twice=" + this["t.npy"]));
        Assert.Contains("twice: f32[2,2] in ", output);
        Assert.Contains("same: i32[2]\n[5 6]", output);
        Assert.Equal([2f, 4, 6, 8], Npy.Read(this["t.npy"]).ToArray<float>());
        Output(OnInterpreter("scale", "x=[1]", "k=2", "-o", this["s.npy"]));
        Assert.Equal([2f], Npy.Read(this["s.npy"]).ToArray<float>());
        Assert.Contains("has 2 results, -o takes one",
            Error(2, OnInterpreter("pair", "x=@x.npy", "y=@y.npy", "-o", this["s.npy"])));
        Assert.Contains("has no result 'twic'\n  = help: did you mean 'twice'?",
            Error(1, OnInterpreter("pair", "x=@x.npy", "y=@y.npy", "--out", "twic=t.npy")));
    }

    [Fact]
    public void DataErrorsAreOneLine()
    {
        Assert.Equal("error: none.npy: no such file\n", Error(1, OnInterpreter("scale", "x=@none.npy", "k=1")));
        Npy.Write(this["x.npy"], Tensor.From([1.0, 0.1], 2));
        Assert.Equal("""
            error: x.npy holds f64, but x: f32[n] is wanted and 0.1 is no f32
              = help: convert the file, in NumPy with x.astype(numpy.float32)

            """, Error(1, OnInterpreter("scale", "x=@x.npy", "k=1")));
        var bytes = File.ReadAllBytes(this["x.npy"]);
        File.WriteAllBytes(this["short.npy"], bytes[..^3]);
        Assert.Contains("short.npy: ", Error(1, OnInterpreter("scale", "x=@short.npy", "k=1")));
        Write("x.txt", "hello");
        Assert.Equal("""
            error: x=@x.txt: this is a text, and data are read from .npy and IDX files
              = help: in Python: numpy.save("x.npy", numpy.loadtxt("x.txt"))

            """, Error(1, OnInterpreter("scale", "x=@x.txt", "k=1")));
    }

    [Fact]
    public void BadValuesSayWhatIsWanted()
    {
        Assert.Equal("""
            error: x=[1, a]: 'a' is no f32
              = help: x: f32[n] takes @file.npy, zeros, ones, random:seed=1, or a literal such as [0.5, 0.5]

            """, Error(1, OnInterpreter("scale", "x=[1, a]", "k=1")));
        Assert.Contains("a ']' is missing at the end", Error(1, OnInterpreter("scale", "x=[1, 2", "k=1")));
        Assert.Contains("the lists have different lengths: 2, then 1",
            Error(1, OnInterpreter("pair", "x=[[1,2],[3]]", "y=[1,2]")));
        Assert.Contains("'1.5' is no i32", Error(1, OnInterpreter("pair", "x=[[1]]", "y=[1.5]")));
        Assert.Contains("'3000000000' is no i32", Error(1, OnInterpreter("pair", "x=[[1]]", "y=[3000000000]")));
        Assert.Contains("x: f32[n] has 1 axis, the value is []", Error(1, OnInterpreter("scale", "x=1", "k=1")));
        Assert.Contains("add n=4", Error(1, OnInterpreter("scale", "x=zeros", "k=1")));
        Assert.Contains("'sed=1' is not seed=1", Error(1, OnInterpreter("scale", "x=random:sed=1", "k=1", "n=1")));
        Assert.Contains("the size n is 1, but axis 0 of y: i32[n] is 2",
            Error(1, OnInterpreter("pair", "x=[[1]]", "y=[1, 2]")));
    }

    [Fact]
    public void EntryChecksFailBeforeAnythingRuns()
    {
        Assert.Equal("f32[2]\n[4. 6.]\n", Output(OnInterpreter("even", "x=[1,2]", "y=[3,4]")));
        Assert.Contains("does not hold: ", Error(1, OnInterpreter("even", "x=[1,2,3]", "y=[3,4]")));
        Assert.Contains("x: f32[n,4]", Error(1, OnInterpreter("apply", "x=[[1,2,3]]")));
    }

    [Fact]
    public void UnknownNamesSuggestTheNearest()
    {
        Assert.Equal("error: net.acc exports no function 'aply'\n  = help: did you mean 'apply'?\n",
            Error(1, OnInterpreter("aply")));
        Assert.Contains("has no parameter or size 'z'\n  = help: the parameters and sizes are x, n",
            Error(1, OnInterpreter("apply", "z=1")));
        Assert.Contains("size 'xx'\n  = help: did you mean 'x'?", Error(1, OnInterpreter("apply", "xx=1")));
        Assert.Equal("error: n=2: --dim fixes n to 3\n  = help: leave one of them out\n",
            Error(2, OnInterpreter("scale", "x=zeros", "k=1", "n=2", "--dim", "n=3")));
        Assert.Equal("f32[3]\n[0. 0. 0.]\n",
            Output(OnInterpreter("scale", "x=zeros", "k=1", "n=3", "--dim", "n=3")));
        Assert.Contains("needs a value for x: f32[n,4]", Error(1, OnInterpreter("apply")));
        Assert.Contains("there is no backend 'lvm'\n  = help: did you mean 'llvm'?",
            Error(2, "run", "net.acc", "apply", "--backend", "lvm"));
        Assert.Equal("error: none.acc: no such file\n", Error(1, "run", "none.acc", "f"));
    }

    [Fact]
    public void UsageErrorsExitWithTwo()
    {
        Assert.Contains("accc run --help", Error(2, "run"));
        Assert.Contains("there is no command 'rnu'\n  = help: did you mean 'run'?", Error(2, "rnu"));
        Assert.Contains("-O7 is not an optimisation level", Error(2, OnInterpreter("apply", "-O7")));
        Assert.Contains("--set width has no name and value", Error(2, OnInterpreter("apply", "--set", "width")));
        Assert.Contains("'zeros' is not name=VALUE", Error(2, OnInterpreter("apply", "zeros")));
        Assert.Contains("'x' is given twice", Error(2, OnInterpreter("apply", "x=1", "x=2")));
        Assert.Equal("error: there is no option --weight\n  = help: did you mean --weights?\n",
            Error(2, OnInterpreter("apply", "--weight", "f")));
        Assert.Contains("there is no option --weight\n", Error(2, OnInterpreter("apply", "--weight=f")));
        Assert.Contains("there is no option --dimm\n  = help: did you mean --dim?",
            Error(2, "check", "net.acc", "--dimm", "n=3"));
        Assert.Contains("--diagnostics xml: it takes pretty, msbuild, json\n",
            Error(2, OnInterpreter("apply", "--diagnostics", "xml")));
        Assert.Contains("--threads two: it takes a whole number\n",
            Error(2, OnInterpreter("apply", "--threads", "two")));
        Assert.Contains("--programs -1: it takes 1 or more\n", Error(2, "fuzz", "--programs", "-1"));
        Assert.Contains("help: `Net` has no hyper-parameters", Error(1, "run", Write("no.acc", """
            module Net {
                export fn f(x: f32[n]) -> f32[n] = x
            }
            """), "f", "x=[1]", "--set", "h=2"));
    }

    [Fact]
    public void LimitationsExitWithThree()
    {
        Write("limits.acc", """
            export fn good(x: f32[n]) -> f32[n] = x + 1
            export fn bad(x: f32[n]) -> f32[n] = grad(last)(x)
            fn last(x: f32[n]) -> f32 {
                let y = x
                while sum(y) > 1 { y = y / 2 }
                return sum(y)
            }
            """);
        // What one function needs is no reason to refuse another.
        Assert.Equal("f32[1]\n[2.]\n", Output("run", "limits.acc", "good", "x=[1]", "--backend", "interpreter"));
        Assert.Contains("error[ACC4", Error(3, "run", "limits.acc", "bad", "x=[1]", "--backend", "interpreter"));
    }

    [Fact]
    public void WeightsFillTheState()
    {
        var weight = Tensor.From(Enumerable.Range(0, 12).Select(i => (float)i).ToArray(), 3, 4);
        Dictionary<string, Tensor> all = new()
        {
            ["fc.weight"] = weight,
            ["fc.bias"] = Tensor.Zeros(DType.F32, 3),
            ["offset"] = Tensor.From([100.0, 200, 300], 3),
        };
        Safetensors.Write(this["net.safetensors"], all);
        // offset is f64 in the file: each value is rounded once.
        Assert.Equal("f32[1,3]\n[[106. 222. 338.]]\n",
            Output(OnInterpreter("apply", "x=[[1,1,1,1]]", "--weights", this["net.safetensors"])));

        var part = new Dictionary<string, Tensor> { ["weight"] = weight, ["bias"] = all["fc.bias"] };
        Safetensors.Write(this["fc.safetensors"], part);
        Assert.Equal("f32[1,3]\n[[ 8. 24. 40.]]\n",
            Output(OnInterpreter("apply", "x=[[1,1,1,1]]", "--weights", "fc=" + this["fc.safetensors"])));

        var error = Error(1, OnInterpreter("apply", "x=[[1,1,1,1]]", "--weights", this["fc.safetensors"]));
        Assert.Contains("error[ACC3001]", error);
        Assert.Contains("has no key for fc.weight", error);
        Assert.Contains("has no part 'fd' with state\n  = help: did you mean 'fc'?",
            Error(1, OnInterpreter("apply", "x=[[1,1,1,1]]", "--weights", "fd=" + this["fc.safetensors"])));
    }

    [Fact]
    public void SaveTempsWritesEveryStage()
    {
        Output(OnInterpreter("scale", "x=[1]", "k=1", "--save-temps", this["temps"]));
        Assert.Equal(["net.graph", "net.kernels", "net.opt", "net.program"],
            Directory.GetFiles(this["temps"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TimesGoToTheErrorStream()
    {
        var (code, output, error) = Run(OnInterpreter("scale", "x=[1]", "k=1", "--time"));
        Assert.Equal((0, "f32[1]\n[1.]\n"), (code, output));
        Assert.Matches(@"^compile [\d.]+ ms, run [\d.]+ ms \(interpreter\)\nstages, ms \(processor ms\): start \d+ \(\d+\), parse .* bind .* optimise .* lower .* run .* from process start \d+ \(\d+\), \d+ methods by the JIT in \d+\n$", error);
    }
}

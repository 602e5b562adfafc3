// Keys of a weights file and rules come in; the map from paths to keys, or what is wrong, goes out.
using Accelerate.Compiler.Binding;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Types;
using Accelerate.Runtime;

namespace Accelerate.Tests.Binding;

public sealed class WeightMapTests
{
    private const string Net = """
        use nn
        weights { RULES }
        module Net {
            let fc = [Linear(4, 2, biased: false), Linear(2, 3, biased: false)]
            export fn f(x: f32[n, 4]) -> f32[n, 3] = fc(x)
        }
        """;

    private static (string Map, string Errors) Map(string rules, params (string Key, long[] Shape)[] keys)
    {
        var program = Bound.Program(Net.Replace("RULES", rules));
        var bag = new DiagnosticBag();
        var map = WeightMap.Map(keys.ToDictionary(k => k.Key, k =>
            new TensorType(DType.F32, [.. k.Shape.Select(Size.Constant)])),
            program.State, program.WeightRules.Whole, new Span(new SourceText("w", ""), 0, 0), bag);
        return (string.Join(' ', map.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => $"{m.Key}<{m.Value}")),
            string.Join('\n', bag.All.Select(d => $"{d.Code.Id} {d.Message} | {d.Help}")));
    }

    [Fact]
    public void UnmatchedKeysAreThemselves() =>
        Assert.Equal(("fc.0.weight<fc.0.weight fc.1.weight<fc.1.weight", ""),
            Map("", ("fc.0.weight", [2, 4]), ("fc.1.weight", [3, 2])));

    [Fact]
    public void RulesRenameAndDrop()
    {
        var (map, errors) = Map("""
            "model.**" -> "$1"  "layer*.w" -> "fc.$1.weight"  "layer*.*" -> _
            """, ("model.fc.0.weight", [2, 4]), ("layer1.w", [3, 2]), ("layer1.mask", [3]));
        Assert.Equal("", errors);
        Assert.Equal("fc.0.weight<model.fc.0.weight fc.1.weight<layer1.w", map);
    }

    [Fact]
    public void OneStarStaysInASegment() =>
        Assert.Contains("ACC3002 the weights file has a.b.weight", Map("""
            "*.weight" -> _
            """, ("fc.0.weight", [2, 4]), ("fc.1.weight", [3, 2]), ("a.b.weight", [1])).Errors);

    [Fact]
    public void MissingExtraAndMisshapenAreReportedWithTheNearestName()
    {
        var errors = Map("", ("fc.0.weigth", [2, 4]), ("fc.1.weight", [2, 3])).Errors;
        Assert.Contains("ACC3001 the weights file has no key for fc.0.weight (f32[2,4]) | it has fc.0.weigth", errors);
        Assert.Contains(
            "ACC3002 the weights file has fc.0.weigth (f32[2,4]), which the program has no place for "
            + "| did the program mean fc.0.weight?", errors);
        Assert.Contains("ACC3003 fc.1.weight is f32[2,3] in the weights file, fc.1.weight is f32[3,2]", errors);
    }

    [Fact]
    public void OneKeyFillsSeveralPlaces()
    {
        var (map, errors) = Map("""
            "wte" -> "fc.0.weight", "fc.1.weight"
            """, ("wte", [2, 4]));
        // The second place is of another shape.
        Assert.Equal("fc.0.weight<wte fc.1.weight<wte", map);
        Assert.StartsWith("ACC3003 wte is f32[2,4] in the weights file, fc.1.weight is f32[3,2]", errors);
        Assert.DoesNotContain("ACC3001", errors);
    }

    [Theory]
    [InlineData("\"fc.1.weight\" -> \"fc.1.weight\" optional")]
    [InlineData("\"*.weight\" -> \"fc.$1.weight\" optional \"fc.**\" -> \"fc.$1\"")]
    [InlineData("\"**.w\" -> \"$1.weight\" optional")]
    public void OptionalStateMayBeMissing(string rules) =>
        Assert.Equal(("fc.0.weight<fc.0.weight", ""), Map(rules, ("fc.0.weight", [2, 4])));

    [Fact]
    public void OnlyWhatARuleNamesIsOptional() => Assert.StartsWith(
        "ACC3001 the weights file has no key for fc.0.weight", Map("""
            "fc.1.*" -> "fc.1.$1" optional
            """, ("fc.1.weight", [3, 2])).Errors);

    /// <summary>A checkpoint from before torch 0.4.1; and one line for what only numbers tell apart.</summary>
    [Fact]
    public void ABatchNormNeedsNoCount()
    {
        var program = Bound.Program("""
            use nn
            module Net {
                let block = [BatchNorm(2) for i in 0:20]
                export fn f(x: f32[n, 2, 3]) -> f32[n, 2, 3] = block(x)
            }
            """);
        string[] names = ["weight", "bias", "running_mean", "running_var"];
        string Errors(params string[] kept)
        {
            var bag = new DiagnosticBag();
            var keys = Enumerable.Range(0, 20).SelectMany(i => kept.Select(n => $"block.{i}.{n}"))
                .ToDictionary(k => k, _ => new TensorType(DType.F32, [Size.Constant(2)]));
            WeightMap.Map(keys, program.State, program.WeightRules.Whole, new Span(new SourceText("w", ""), 0, 0), bag,
                program.WeightRules.Modules);
            return string.Join('\n', bag.All.Select(d => $"{d.Code.Id} {d.Message} | {d.Help}"));
        }
        Assert.Equal("", Errors(names));
        Assert.Equal("ACC3001 the weights file has no key for block.0.bias (f32[2]), and 19 like it | ",
            Errors([.. names.Except(["bias"])]));
        Assert.StartsWith("ACC3002 the weights file has block.0.temperature (f32[2]), which the program has no place "
            + "for, and 19 like it | a rule leaves it out: weights { \"block.*.temperature\" -> _ }",
            Errors([.. names, "temperature"]));
    }

    [Fact]
    public void ARuleNamesItsStars() => Assert.Contains("ACC3004 $2 stands for no star", Map("""
        "a.*" -> "$2"
        """, ("fc.0.weight", [2, 4]), ("fc.1.weight", [3, 2])).Errors);

    [Fact]
    public void EveryKeyThatDoesNotFitIsListed()
    {
        var errors = Map("", ("a.x", [1]), ("a.y", [1]), ("a.z", [2, 4])).Errors.Split('\n');
        Assert.Equal(["ACC3001", "ACC3002", "ACC3002", "ACC3002"], errors.Select(e => e[..7]).Order());
        Assert.Contains("no key for fc.0.weight (f32[2,4]), and one like it", errors[0]);
    }

    /// <summary>Where not one key fits by its name or its shape, that is one mistake.</summary>
    [Fact]
    public void AnotherNetworksFileIsNotListed() => Assert.Equal("ACC3001 no key of the weights file fits this program: "
        + "it has a.x (f32[1]), wanted is fc.0.weight (f32[2,4]) | these are another network's weights, or "
        + "hyper-parameters differ: `--set width=8`", Map("", ("a.x", [1]), ("a.y", [1])).Errors);

    [Theory]
    [InlineData("model.net.fc.0.weight", "weights { \"model.net.**\" -> \"$1\" }")]
    [InlineData("0.weight", "weights { \"**\" -> \"fc.$1\" }")]
    [InlineData("fc.0.weigth", "weights { \"fc.0.weigth\" -> \"fc.0.weight\" }")]
    public void TheRuleThatWouldHelpIsNamed(string key, string rule) =>
        Assert.Contains($"fc.0.weight (f32[2,4]) | it has {key}; a rule could rename it: {rule}",
            Map("", (key, [2, 4]), ("fc.1.weight", [3, 2])).Errors);

    // D21: a file loaded into a part goes by the part's own rules; a shared instance has one key.
    [Fact]
    public void APartHasItsOwnRules()
    {
        var program = Bound.Program("""
            use nn
            weights { "root.**" -> "$1" }
            module Net {
                let fc = Linear(4, 4, biased: false)
                weights { "model.**" -> "$1" }
                fn apply(x: f32[n, 4]) -> f32[n, 4] = fc(x)
            }
            module Pair {
                let net = Net()
                let same = net
                let nets = [net, Net()]
                export fn f(x: f32[n, 4]) -> f32[n, 4] = x |> net |> nets |> same
            }
            """);
        Assert.Equal(["net.fc.weight", "nets.1.fc.weight"], program.State.Select(s => s.Path));
        Assert.Equal(["root.**"], program.WeightRules.Whole.Select(r => r.Source));
        Assert.Equal(["root.**", "model.**"], program.WeightRules.Parts["net"].Select(r => r.Source));
        Assert.Equal(["root.**", "model.**"], program.WeightRules.Parts["nets.1"].Select(r => r.Source));
        Assert.False(program.WeightRules.Parts.ContainsKey("nets.0"));
    }
}

// In: `random:seed=1,low=0,high=9`, a dtype and a shape. Out: the same values on every machine.
using System.Globalization;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// Uniform values: floats in [-1, 1) on a grid of 2^-23, which f32 holds exactly; integers from 0 to 9; bools. Each is
/// a hash of the seed, the parameter's name and the position (SplitMix64's finaliser), so parameters of one seed
/// differ.
/// </summary>
internal static class RandomValues
{
    public static Tensor Make(string text, string name, DType type, long[] shape)
    {
        var (seed, low, high) = Options(text, name, type);
        var state = Mix((ulong)seed);
        foreach (var c in name) state = Mix(state ^ c);
        return LargeValues.Make(type, shape, i =>
        {
            var unit = (Mix(state + (ulong)i * 0x9E3779B97F4A7C15) >> 40) * (1.0 / (1 << 24));
            return type.IsFloat ? low + unit * (high - low) : Math.Floor(low + unit * (high - low + 1));
        });
    }

    private static (long Seed, double Low, double High) Options(string text, string name, DType type)
    {
        var (seed, low, high) = (0L, type.IsFloat ? -1.0 : 0.0, type == DType.Bool ? 1.0 : type.IsFloat ? 1.0 : 9.0);
        var at = text.IndexOf(':');
        foreach (var part in at < 0 ? [] : text[(at + 1)..].Split(','))
        {
            var pair = part.Split('=');
            CliException Bad() => new($"{name}={text}: '{part}' is not seed=1, low=0 or high=9");
            if (pair.Length != 2) throw Bad();
            if (pair[0] == "seed")
                seed = long.TryParse(pair[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var s)
                    ? s : throw Bad();
            else if (!double.TryParse(pair[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                || !double.IsFinite(number)) throw Bad();
            else if (pair[0] == "low") low = number;
            else if (pair[0] == "high") high = number;
            else throw Bad();
        }
        return low <= high ? (seed, low, high) : throw new CliException($"{name}={text}: low is above high");
    }

    private static ulong Mix(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}

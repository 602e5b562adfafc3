// In: `random:seed=1,low=0,high=9` or `mixed:seed=1,every=4`, a dtype and a shape. Out: the same values on every
// machine.
using System.Globalization;
using Accelerate.Compiler.Graph.Interpreter;
using Accelerate.Runtime;

namespace Accelerate.Cli;

/// <summary>
/// Uniform values: floats in [-1, 1) on a grid of 2^-23, which f32 represents exactly; integers from 0 to 9; bools.
/// Each is a hash of the seed, the parameter's name and the position (SplitMix64's finaliser), so parameters with the
/// same seed differ. With `step` they are low, low + step, … up to high, so that some are equal. `mixed` has special
/// values in one of `every` places (4): zeros of both signs, subnormals, infinities, NaN, the extremes.
/// </summary>
internal static class RandomValues
{
    public static Tensor Make(string text, string name, DType type, long[] shape)
    {
        var (seed, low, high, step, every) = Options(text, name, type);
        var rare = IsMixed(text) ? Rare(type) : [];
        var state = Mix((ulong)seed);
        foreach (var c in name) state = Mix(state ^ c);
        return LargeValues.Make(type, shape, i =>
        {
            var bits = Mix(state + (ulong)i * 0x9E3779B97F4A7C15);
            var unit = (bits >> 40) * (1.0 / (1 << 24));
            var value = step > 0 ? low + step * Math.Floor(unit * (Math.Floor((high - low) / step) + 1))
                : type.IsFloat ? low + unit * (high - low) : Math.Floor(low + unit * (high - low + 1));
            // The low bits select independently of the high ones.
            return rare.Length > 0 && (bits & 0xFFF) % (ulong)every == 0
                ? rare[(int)((bits >> 12 & 0xFFF) % (ulong)rare.Length)] : value;
        });
    }

    private static bool IsMixed(string text) => text.StartsWith("mixed", StringComparison.Ordinal);

    private static double[] Rare(DType type)
    {
        if (type == DType.Bool) return [];
        if (type.IsInteger)
        {
            var bits = 8 * type.Bytes();
            var (least, most) =
                type.IsSigned ? (-Math.Pow(2, bits - 1), Math.Pow(2, bits - 1)) : (0, Math.Pow(2, bits));
            // A saturated 2^n is the greatest number of n bits; -1 becomes 0 in an unsigned type.
            return [least, most, most / 2, 0, 1, -1, least + 1];
        }
        var (tiny, largest) = (FloatMath.Smallest(type), FloatMath.Largest(type));
        return [0, -0.0, double.PositiveInfinity, double.NegativeInfinity, double.NaN, tiny, -3 * tiny, largest,
            -largest, 1, -1];
    }

    private static (long Seed, double Low, double High, double Step, long Every) Options(string text, string name,
        DType type)
    {
        var (seed, low, high) = (0L, type.IsFloat ? -1.0 : 0.0, type == DType.Bool ? 1.0 : type.IsFloat ? 1.0 : 9.0);
        var (step, every, isMixed) = (0.0, 4L, IsMixed(text));
        var at = text.IndexOf(':');
        foreach (var part in at < 0 ? [] : text[(at + 1)..].Split(','))
        {
            var pair = part.Split('=');
            CliException Bad() => new($"{name}={text}: '{part}' is not seed=1, low=0, high=9"
                + (isMixed ? ", step=1 or every=4" : " or step=1"));
            if (pair.Length != 2) throw Bad();
            if (pair[0] == "seed")
                seed = long.TryParse(pair[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var s)
                    ? s : throw Bad();
            else if (!double.TryParse(pair[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                || !double.IsFinite(number)) throw Bad();
            else if (pair[0] == "step" && number >= 0) step = number;
            else if (isMixed && pair[0] == "every" && number is >= 1 and <= 4096) every = (long)number;
            else if (pair[0] == "low") low = number;
            else if (pair[0] == "high") high = number;
            else throw Bad();
        }
        return low <= high ? (seed, low, high, step, every)
            : throw new CliException($"{name}={text}: low is above high");
    }

    /// <summary>SplitMix64's finaliser: neighbouring numbers give unrelated ones.</summary>
    internal static ulong Mix(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}

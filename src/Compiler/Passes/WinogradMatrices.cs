// In: the points at which F(4, 3) interpolates. Out: its three matrices.
namespace Accelerate.Compiler.Passes;

/// <summary>
/// y = Results ((Weights g) * (Data d)): four values of a filter g of three taps on six inputs d, as a product of two
/// polynomials that is evaluated at five points and at infinity, then interpolated (Cook and Toom). In two dimensions
/// each matrix is applied to the rows, then to the columns.
/// </summary>
/// <remarks>
/// The points determine the error. 0, ±1, ±2 are usual because their matrices are whole numbers; ours are
/// multiplied with by fma, where any number costs the same. Greatest error over sum |x| |w|, in units of 2^-24, and
/// root mean square error over that of the direct form, of normal x and w with 64 channels, three seeds of 24 tiles
/// (NumPy, f32 with one rounding per step):
///   0, ±1, ±2      25.5  4.1      0, ±1, ±1/2    18.4  4.0      0, ±1, 1/2, -2  11.1  2.8
///   0, ±5/8, ±3/2   6.3  1.8      0, ±2/3, ±4/3   5.7  2.0      0, ±5/8, ±11/8   5.2  1.9
/// The direct form has 4.3 there. Data and Results are exact in f32.
/// </remarks>
internal static class WinogradMatrices
{
    private static readonly double[] Points = [0, 5 / 8.0, -5 / 8.0, 11 / 8.0, -11 / 8.0];

    /// <summary>4 x 6: row i is the i-th power of each point.</summary>
    public static double[][] Results { get; } =
        [.. Enumerable.Range(0, 4).Select(i => (double[])[.. Points.Select(p => Power(p, i)), i == 3 ? 1 : 0])];

    /// <summary>
    /// 6 x 3: the filter's polynomial at each point, divided by the product of the point's distances to the others.
    /// </summary>
    public static double[][] Weights { get; } = [.. Points.Select(p => Enumerable.Range(0, 3)
        .Select(i => Power(p, i) / Others(p).Aggregate(1.0, (product, q) => product * (p - q))).ToArray()), [0, 0, 1]];

    /// <summary>
    /// 6 x 6: the coefficients of the product of (x - q) over the other points; over all points, for infinity.
    /// </summary>
    public static double[][] Data { get; } = [.. Points.Select(p => Product(Others(p))), Product(Points)];

    private static IEnumerable<double> Others(double point) => Points.Where(p => p != point);

    private static double Power(double x, int n) => n == 0 ? 1 : x * Power(x, n - 1);

    private static double[] Product(IEnumerable<double> roots)
    {
        var coefficients = new double[Points.Length + 1];
        coefficients[0] = 1;
        foreach (var root in roots)
            for (var i = coefficients.Length - 1; i >= 0; i--)
                coefficients[i] = (i > 0 ? coefficients[i - 1] : 0) - root * coefficients[i];
        return coefficients;
    }
}

// In: nothing. Out: an LLVM function for the fma of f64, rounded once, for targets without the instruction.
namespace Accelerate.Backends.Llvm.Printing;

/// <summary>
/// Uses integers: the 106 bits of the product and the addend meet in 128 bits, bits shifted out on the right are kept
/// sticky in the lowest bit, and the sum is rounded once, at the position of its final last bit (subnormal results
/// included). A function, not inlined, because its 80 instructions for each of 16 lanes would swamp the surrounding
/// code. So would the calls for the lanes, which are therefore a loop in a separate function: atan2 of f16 after a pool
/// compiled for minutes.
/// </summary>
internal static class DoubleFma
{
    private const string Name = "acc_fma_f64";

    /// <param name="lanes">The lanes of its operands; 0 for scalars.</param>
    public static string NameOf(int lanes) => lanes == 0 ? Name : $"{Name}x{lanes}";

    /// <summary>The vector function, which calls the scalar one.</summary>
    public static string Of(int lanes) => $$"""
        define internal <{{lanes}} x double> @{{NameOf(lanes)}}(<{{lanes}} x double> %a, <{{lanes}} x double> %b, <{{lanes}} x double> %c) nounwind noinline {
        start:
          br label %lane
        lane:
          %i = phi i64 [ 0, %start ], [ %next, %lane ]
          %before = phi <{{lanes}} x double> [ poison, %start ], [ %result, %lane ]
          %x = extractelement <{{lanes}} x double> %a, i64 %i
          %y = extractelement <{{lanes}} x double> %b, i64 %i
          %z = extractelement <{{lanes}} x double> %c, i64 %i
          %value = call double @{{Name}}(double %x, double %y, double %z)
          %result = insertelement <{{lanes}} x double> %before, double %value, i64 %i
          %next = add i64 %i, 1
          %more = icmp ult i64 %next, {{lanes}}
          br i1 %more, label %lane, label %end
        end:
          ret <{{lanes}} x double> %result
        }
        """;

    /// <summary>
    /// A significand m in [2^52, 2^53) and x with |value| = m * 2^(x - 1075). The product of the two, `high` * 2^p20,
    /// is below 2^126 and has 20 zeros at the right, so that a much larger addend shifts out nothing that cancels; both
    /// move to the exponent e = max(p20, xc - 73), where the addend is below 2^126 too.
    /// </summary>
    public const string Text = $$"""
        declare i64 @llvm.ctlz.i64(i64, i1 immarg)
        declare i128 @llvm.ctlz.i128(i128, i1 immarg)
        define internal double @{{Name}}(double %a, double %b, double %c) nounwind noinline {
          %ia = bitcast double %a to i64
          %ib = bitcast double %b to i64
          %ic = bitcast double %c to i64
          %ra = and i64 %ia, 9223372036854775807
          %rb = and i64 %ib, 9223372036854775807
          %rc = and i64 %ic, 9223372036854775807
          %ea = lshr i64 %ra, 52
          %eb = lshr i64 %rb, 52
          %ec = lshr i64 %rc, 52
          %fa = and i64 %ra, 4503599627370495
          %fb = and i64 %rb, 4503599627370495
          %fc = and i64 %rc, 4503599627370495
          %na = icmp ne i64 %ea, 0
          %nb = icmp ne i64 %eb, 0
          %nc = icmp ne i64 %ec, 0
          %ha = select i1 %na, i64 4503599627370496, i64 0
          %hb = select i1 %nb, i64 4503599627370496, i64 0
          %hc = select i1 %nc, i64 4503599627370496, i64 0
          %ga = or i64 %fa, %ha
          %gb = or i64 %fb, %hb
          %gc = or i64 %fc, %hc
          %ka = call i64 @llvm.ctlz.i64(i64 %ga, i1 false)
          %kb = call i64 @llvm.ctlz.i64(i64 %gb, i1 false)
          %kc = call i64 @llvm.ctlz.i64(i64 %gc, i1 false)
          %za = sub i64 %ka, 11
          %zb = sub i64 %kb, 11
          %zc = sub i64 %kc, 11
          %ma = shl i64 %ga, %za
          %mb = shl i64 %gb, %zb
          %mc = shl i64 %gc, %zc
          %ua = select i1 %na, i64 %ea, i64 1
          %ub = select i1 %nb, i64 %eb, i64 1
          %uc = select i1 %nc, i64 %ec, i64 1
          %xa = sub i64 %ua, %za
          %xb = sub i64 %ub, %zb
          %xd = sub i64 %uc, %zc
          %czero = icmp eq i64 %rc, 0
          %xe = sub i64 %xd, 1075
          %xc = select i1 %czero, i64 -100000, i64 %xe
          %xab = add i64 %xa, %xb
          %p20 = sub i64 %xab, 2170
          %wa = zext i64 %ma to i128
          %wb = zext i64 %mb to i128
          %wc = zext i64 %mc to i128
          %product = mul i128 %wa, %wb
          %high = shl i128 %product, 20
          %c73 = sub i64 %xc, 73
          %pabove = icmp sgt i64 %p20, %c73
          %e = select i1 %pabove, i64 %p20, i64 %c73
          %sp = sub i64 %e, %p20
          %spbig = icmp sgt i64 %sp, 127
          %spc = select i1 %spbig, i64 127, i64 %sp
          %spw = zext i64 %spc to i128
          %pcut = lshr i128 %high, %spw
          %pback = shl i128 %pcut, %spw
          %plost = icmp ne i128 %pback, %high
          %pbit = zext i1 %plost to i128
          %p = or i128 %pcut, %pbit
          %sc = sub i64 %xc, %e
          %scleft = icmp sgt i64 %sc, 0
          %scl = select i1 %scleft, i64 %sc, i64 0
          %sclw = zext i64 %scl to i128
          %cleft = shl i128 %wc, %sclw
          %scn = sub i64 0, %sc
          %scr = select i1 %scleft, i64 0, i64 %scn
          %scbig = icmp sgt i64 %scr, 127
          %scc = select i1 %scbig, i64 127, i64 %scr
          %sccw = zext i64 %scc to i128
          %ccut = lshr i128 %cleft, %sccw
          %cback = shl i128 %ccut, %sccw
          %clost = icmp ne i128 %cback, %cleft
          %cbit = zext i1 %clost to i128
          %cw = or i128 %ccut, %cbit
          %iab = xor i64 %ia, %ib
          %psign = and i64 %iab, -9223372036854775808
          %iabc = xor i64 %iab, %ic
          %differ = icmp slt i64 %iabc, 0
          %cminus = sub i128 0, %cw
          %cterm = select i1 %differ, i128 %cminus, i128 %cw
          %sum = add i128 %p, %cterm
          %below = icmp slt i128 %sum, 0
          %minus = sub i128 0, %sum
          %m = select i1 %below, i128 %minus, i128 %sum
          %turn = select i1 %below, i64 -9223372036854775808, i64 0
          %sign = xor i64 %psign, %turn
          %mzero = icmp eq i128 %m, 0
          %lz = call i128 @llvm.ctlz.i128(i128 %m, i1 false)
          %lz64 = trunc i128 %lz to i64
          %t52 = sub i64 75, %lz64
          %dsub = sub i64 -1074, %e
          %normal = icmp sgt i64 %t52, %dsub
          %d = select i1 %normal, i64 %t52, i64 %dsub
          %last = add i64 %d, %e
          %far = icmp sgt i64 %d, 127
          %mfar = select i1 %far, i128 1, i128 %m
          %dfar = select i1 %far, i64 127, i64 %d
          %cut = icmp sgt i64 %dfar, 1
          %done = select i1 %cut, i64 %dfar, i64 1
          %grow = sub i64 %done, %dfar
          %groww = zext i64 %grow to i128
          %mg = shl i128 %mfar, %groww
          %keep1 = sub i64 %done, 1
          %keep1w = zext i64 %keep1 to i128
          %kept1 = lshr i128 %mg, %keep1w
          %kback = shl i128 %kept1, %keep1w
          %sticky = icmp ne i128 %kback, %mg
          %kept2 = trunc i128 %kept1 to i64
          %kept = lshr i64 %kept2, 1
          %half = trunc i64 %kept2 to i1
          %odd = trunc i64 %kept to i1
          %more = or i1 %sticky, %odd
          %up = and i1 %half, %more
          %up64 = zext i1 %up to i64
          %whole = add i64 %kept, %up64
          %place = add i64 %last, 1074
          %over = icmp sgt i64 %place, 2045
          %placec = select i1 %over, i64 0, i64 %place
          %field = shl i64 %placec, 52
          %bits = add i64 %whole, %field
          %inf = select i1 %over, i64 9218868437227405312, i64 %bits
          %signed = or i64 %inf, %sign
          %bitsz = select i1 %mzero, i64 0, i64 %signed
          %general = bitcast i64 %bitsz to double
          %ab = fmul double %a, %b
          %simple = fadd double %ab, %c
          %abad = icmp ugt i64 %ea, 2046
          %bbad = icmp ugt i64 %eb, 2046
          %cbad = icmp ugt i64 %ec, 2046
          %azero = icmp eq i64 %ra, 0
          %bzero = icmp eq i64 %rb, 0
          %o1 = or i1 %abad, %bbad
          %o2 = or i1 %azero, %bzero
          %o3 = or i1 %o1, %o2
          %r1 = select i1 %cbad, double %c, double %general
          %r = select i1 %o3, double %simple, double %r1
          ret double %r
        }
        """;
}

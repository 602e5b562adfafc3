// In: an operation, a width, a size. Out: LLVM IR texts the tests share, and a way to run what was compiled from them.
using Accelerate.Backends.Llvm.Native;

namespace Accelerate.Tests.Llvm.Native;

internal static unsafe class Samples
{
    /// <summary>out[i] = a[i] op b[i], a scalar loop; op is fadd, fmul …</summary>
    public static string Elementwise(string op, string name = "f") => $$"""
        define void @{{name}}(ptr %a, ptr %b, ptr %out, i64 %n) nounwind {
        entry:
          %any = icmp sgt i64 %n, 0
          br i1 %any, label %loop, label %done
        loop:
          %i = phi i64 [ 0, %entry ], [ %next, %loop ]
          %pa = getelementptr float, ptr %a, i64 %i
          %pb = getelementptr float, ptr %b, i64 %i
          %po = getelementptr float, ptr %out, i64 %i
          %va = load float, ptr %pa, align 4
          %vb = load float, ptr %pb, align 4
          %r = {{op}} float %va, %vb
          store float %r, ptr %po, align 4
          %next = add i64 %i, 1
          %more = icmp slt i64 %next, %n
          br i1 %more, label %loop, label %done
        done:
          ret void
        }

        """;

    /// <summary>out[0..n) = a[0..n) + b[0..n) for n up to 16, by masked loads and a masked store of 16 lanes.</summary>
    public static string MaskedAdd => $$"""
        declare <16 x float> @llvm.masked.load.v16f32.p0(ptr, i32, <16 x i1>, <16 x float>)
        declare void @llvm.masked.store.v16f32.p0(<16 x float>, ptr, i32, <16 x i1>)

        define void @f(ptr %a, ptr %b, ptr %out, i64 %n) nounwind {
          %count = trunc i64 %n to i32
          %one = insertelement <16 x i32> poison, i32 %count, i32 0
          %all = shufflevector <16 x i32> %one, <16 x i32> poison, <16 x i32> zeroinitializer
          %mask = icmp slt <16 x i32> <{{string.Join(", ", Enumerable.Range(0, 16).Select(i => $"i32 {i}"))}}>, %all
          %va = call <16 x float> @llvm.masked.load.v16f32.p0(ptr %a, i32 4, <16 x i1> %mask, <16 x float> poison)
          %vb = call <16 x float> @llvm.masked.load.v16f32.p0(ptr %b, i32 4, <16 x i1> %mask, <16 x float> poison)
          %r = fadd <16 x float> %va, %vb
          call void @llvm.masked.store.v16f32.p0(<16 x float> %r, ptr %out, i32 4, <16 x i1> %mask)
          ret void
        }

        """;

    /// <summary>out = a * b + out over 16 lanes, without flags: two roundings.</summary>
    public static string MultiplyThenAdd => """
        define void @f(ptr %a, ptr %b, ptr %out, i64 %n) nounwind {
          %va = load <16 x float>, ptr %a, align 4
          %vb = load <16 x float>, ptr %b, align 4
          %vc = load <16 x float>, ptr %out, align 4
          %p = fmul <16 x float> %va, %vb
          %r = fadd <16 x float> %p, %vc
          store <16 x float> %r, ptr %out, align 4
          ret void
        }

        """;

    /// <summary>Copies b to out and clears a, both n bytes long, through calls of the C library.</summary>
    public static string CopyAndClear => """
        declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
        declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

        define void @f(ptr %a, ptr %b, ptr %out, i64 %n) nounwind {
          call void @llvm.memcpy.p0.p0.i64(ptr %out, ptr %b, i64 %n, i1 false)
          call void @llvm.memset.p0.i64(ptr %a, i8 0, i64 %n, i1 false)
          ret void
        }

        """;

    /// <summary>Compiles the module for this machine and calls its `f` over the two standard inputs.</summary>
    public static float[] Run(string irText, int length, int optLevel = 2, string? passes = null)
    {
        using var jit = new Jit([LlvmCompiler.CompileToObject(irText, LlvmTarget.Host, optLevel, passes)]);
        return Run(jit.Lookup("f"), length);
    }

    /// <summary>Calls a function over the two standard inputs.</summary>
    public static float[] Run(nint address, int length) => Run(address, Input(length, 1), Input(length, 2));

    /// <summary>Calls a function over two inputs of equal length.</summary>
    public static float[] Run(nint address, float[] a, float[] b)
    {
        var result = new float[a.Length];
        fixed (float* pa = a, pb = b, po = result)
            ((delegate* unmanaged<float*, float*, float*, long, void>)address)(pa, pb, po, a.Length);
        return result;
    }

    /// <summary>Numbers of either sign with all mantissa bits in use; the same for the same seed.</summary>
    public static float[] Input(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (float)(random.NextDouble() * 200 - 100))];
    }

    /// <summary>Element by element, in managed code.</summary>
    public static float[] Expected(int length, Func<float, float, float> op) =>
        [.. Input(length, 1).Zip(Input(length, 2), op)];
}

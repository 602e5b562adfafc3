// In: objects for the JIT. Out: what it links and refuses, and that masked lanes touch nothing.
using System.Runtime.InteropServices;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm.Native;

public sealed unsafe partial class JitTests
{
    private static byte[] Object(string text) => LlvmCompiler.CompileToObject(text, LlvmTarget.Host, 2);

    [LlvmFact]
    public void Objects_call_each_other_and_the_symbols_they_are_given()
    {
        static byte[] Forward(string from, string to) => Object($$"""
            declare i64 @{{to}}(i64)
            define i64 @{{from}}(i64 %x) {
              %r = call i64 @{{to}}(i64 %x)
              ret i64 %r
            }
            """);
        var caller = Forward("f", "callee");
        var callee = Forward("callee", "host");
        delegate* unmanaged<long, long> host = &Triple;
        using var jit = new Jit([caller, callee], new Dictionary<string, nint> { ["host"] = (nint)host });
        Assert.Equal(42, ((delegate* unmanaged<long, long>)jit.Lookup("f"))(14));
    }

    [LlvmFact]
    public void Copies_and_fills_go_to_the_c_library()
    {
        using var jit = new Jit([Object(Samples.CopyAndClear)]);
        float[] a = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        // n counts bytes here, so ten floats' worth of call copies ten bytes: two and a half floats.
        var copied = MemoryMarshal.AsBytes<float>(Samples.Run(jit.Lookup("f"), a, [.. a])).ToArray();
        Assert.Equal(MemoryMarshal.AsBytes<float>([1, 2, 3])[..10].ToArray(), copied[..10]);
        Assert.All(copied[10..], b => Assert.Equal(0, b));
        Assert.Equal([0f, 0f], a[..2]);
    }

    [LlvmFact]
    public void Undefined_symbols_are_an_error_that_lists_them_even_if_the_process_has_them()
    {
        var bytes = Object("""
            declare double @cos(double)
            declare i32 @getpid()
            define double @f(double %x) {
              %p = call i32 @getpid()
              %r = call double @cos(double %x)
              ret double %r
            }
            """);
        var error = Assert.Throws<InternalErrorException>(() => new Jit([bytes]));
        Assert.Contains("cos", error.Message);
        Assert.Contains("getpid", error.Message);
        using var jit = new Jit([]);
        Assert.Contains("missing", Assert.Throws<LlvmException>(() => jit.Lookup("missing")).Message);
    }

    /// <summary>
    /// What LLVM makes calls of though the text has none: each is refused by name, before it is linked.
    /// </summary>
    [LlvmTheory]
    [InlineData("fmaxf", """
        define void @f(ptr %p) {
          %x = load half, ptr %p
          %c = fcmp ogt half %x, 0.0
          %m = select i1 %c, half %x, half 0.0
          store half %m, ptr %p
          ret void
        }
        """)]
    [InlineData("fmod", """
        define double @f(double %x) {
          %r = frem double %x, 3.0
          ret double %r
        }
        """)]
    [InlineData("__udivti3", """
        define i128 @f(i128 %x, i128 %y) {
          %r = udiv i128 %x, %y
          ret i128 %r
        }
        """)]
    [InlineData("sin", """
        declare double @llvm.sin.f64(double)
        define double @f(double %x) {
          %r = call double @llvm.sin.f64(double %x)
          ret double %r
        }
        """)]
    [InlineData("memmove", """
        declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
        define void @f(ptr %x, ptr %y, i64 %n) {
          call void @llvm.memmove.p0.p0.i64(ptr %x, ptr %y, i64 %n, i1 false)
          ret void
        }
        """)]
    public void Calls_that_LLVM_makes_by_itself_are_internal_errors_that_name_them(string name, string text)
    {
        var e = Assert.Throws<InternalErrorException>(
            () => LlvmCompiler.CompileToObject(text, LlvmTarget.Parse("x86-64-v3"), 2));
        Assert.Contains($"a call of {name}, which", e.Message);
        var module = e.Message.Split(' ')[^1];
        Assert.Contains("define", File.ReadAllText(module));
        Directory.Delete(Path.GetDirectoryName(module)!, recursive: true);
    }

    [LlvmFact]
    public void A_symbol_defined_twice_and_bytes_that_are_no_object_are_errors()
    {
        var twice = Object(Samples.Elementwise("fadd"));
        Assert.Contains("f", Assert.Throws<LlvmException>(() => new Jit([twice, twice])).Message);
        Assert.Throws<LlvmException>(() => new Jit([[1, 2, 3, 4]]));
    }

    [LlvmFact]
    public void A_disposed_jit_refuses_lookups()
    {
        var jit = new Jit([]);
        jit.Dispose();
        jit.Dispose();
        Assert.Throws<ObjectDisposedException>(() => jit.Lookup("f"));
    }

    [LlvmTheory]
    [MemberData(nameof(CompilerTests.NamedTargets), MemberType = typeof(CompilerTests))]
    public void Masked_lanes_beyond_the_edge_of_a_page_are_not_touched(string name)
    {
        var target = LlvmTarget.Parse(name);
        var bytes = LlvmCompiler.CompileToObject(Samples.MaskedAdd, target, 2);
        if (!target.CanRunHere)
            return;
        using var jit = new Jit([bytes]);
        var function = (delegate* unmanaged<float*, float*, float*, long, void>)jit.Lookup("f");
        using GuardedPage a = new(), b = new(), result = new();
        for (var n = 0; n <= 16; n++)
        {
            float* pa = a.Last(n), pb = b.Last(n), po = result.Last(n);
            for (var i = 0; i < n; i++)
                (pa[i], pb[i], po[i]) = (i, 100 * i, -1);
            function(pa, pb, po, n);
            for (var i = 0; i < n; i++)
                Assert.Equal(101f * i, po[i]);
        }
    }

    [UnmanagedCallersOnly]
    private static long Triple(long x) => 3 * x;

    /// <summary>One page of memory followed by one that faults on any access.</summary>
    private sealed partial class GuardedPage : IDisposable
    {
        private static readonly int PageSize = Environment.SystemPageSize;
        private readonly byte* start;

        public GuardedPage()
        {
            const int ReadWrite = 3, PrivateAnonymous = 0x22;
            start = (byte*)mmap(0, (nuint)(2 * PageSize), ReadWrite, PrivateAnonymous, -1, 0);
            Assert.NotEqual(-1, (nint)start);
            Assert.Equal(0, mprotect((nint)start + PageSize, (nuint)PageSize, 0));
        }

        /// <summary>The last <paramref name="count"/> floats of the page.</summary>
        public float* Last(int count) => (float*)(start + PageSize) - count;

        public void Dispose() => _ = munmap((nint)start, (nuint)(2 * PageSize));

        [LibraryImport("libc")]
        private static partial nint mmap(nint address, nuint length, int protection, int flags, int file, nint offset);

        [LibraryImport("libc")]
        private static partial int mprotect(nint address, nuint length, int protection);

        [LibraryImport("libc")]
        private static partial int munmap(nint address, nuint length);
    }
}

// In: IR texts and targets. Out: what the compiler makes of them: instructions, symbols, errors, and the same from
// threads.
using System.Text.RegularExpressions;
using Accelerate.Backends.Llvm.Native;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm.Native;

public sealed partial class CompilerTests
{
    public static TheoryData<string> NamedTargets => ["x86-64-v4", "x86-64-v3", "x86-64"];

    [LlvmFact]
    public void Multiply_and_add_stay_two_instructions_where_fma_exists()
    {
        foreach (var target in new[] { LlvmTarget.X64V3, LlvmTarget.X64V4 })
        {
            var assembly = LlvmCompiler.CompileToAssembly(Samples.MultiplyThenAdd, target, 3);
            Assert.Contains("vmulps", assembly);
            Assert.Contains("vaddps", assembly);
            Assert.DoesNotContain("fmadd", assembly);
        }
    }

    [LlvmFact]
    public void V4_uses_512_bit_registers_and_compiles_on_any_machine()
    {
        var assembly = LlvmCompiler.CompileToAssembly(Samples.MultiplyThenAdd, LlvmTarget.X64V4, 2);
        Assert.Contains("%zmm", assembly);
        Assert.NotEmpty(LlvmCompiler.CompileToObject(Samples.MultiplyThenAdd, LlvmTarget.X64V4, 2));
        Assert.DoesNotContain("%zmm", LlvmCompiler.CompileToAssembly(Samples.MultiplyThenAdd, LlvmTarget.X64V3, 2));
    }

    [LlvmTheory]
    [InlineData(2)]
    [InlineData(3)]
    public void Llvm_neither_vectorises_nor_unrolls(int level)
    {
        var text = LlvmCompiler.OptimisedText(Samples.Elementwise("fadd"), LlvmTarget.X64V3, level);
        Assert.DoesNotContain("x float>", text);
        Assert.Single(FloatAdd().Matches(text));
        // The vectoriser is off for a user's pipeline as well.
        var own = LlvmCompiler.OptimisedText(Samples.Elementwise("fadd"), LlvmTarget.X64V3, 2, "default<O3>");
        Assert.DoesNotContain("x float>", own);
    }

    [LlvmFact]
    public void Llvm_does_not_gather_scalars_into_vectors()
    {
        var lines = string.Concat(Enumerable.Range(0, 8).Select(i => $"""
              %a{i} = getelementptr float, ptr %a, i64 {i}
              %o{i} = getelementptr float, ptr %out, i64 {i}
              %v{i} = load float, ptr %a{i}, align 4
              %r{i} = fadd float %v{i}, 1.0
              store float %r{i}, ptr %o{i}, align 4

            """));
        var text = $"define void @f(ptr noalias %a, ptr noalias %out) {{\n{lines}  ret void\n}}\n";
        Assert.DoesNotContain("x float>", LlvmCompiler.OptimisedText(text, LlvmTarget.X64V3, 3));
    }

    [LlvmTheory]
    [MemberData(nameof(NamedTargets))]
    public void Undefined_symbols_are_memcpy_and_memset_only(string name)
    {
        var symbols = new ElfSymbols(LlvmCompiler.CompileToObject(Samples.CopyAndClear, LlvmTarget.Parse(name), 2));
        Assert.Equal(["f"], symbols.Defined);
        Assert.Equal(["memcpy", "memset"], symbols.Undefined.Except(["_GLOBAL_OFFSET_TABLE_"]));
        foreach (var sample in new[] { Samples.Elementwise("fadd"), Samples.MaskedAdd, Samples.MultiplyThenAdd })
            Assert.Empty(new ElfSymbols(LlvmCompiler.CompileToObject(sample, LlvmTarget.Parse(name), 2)).Undefined);
    }

    [LlvmFact]
    public void Modules_compile_in_parallel_to_the_bytes_they_compile_to_alone()
    {
        string[] names = [.. Enumerable.Range(0, 16).Select(i => $"f{i}")];
        string[] texts = [.. names.Select((name, i) => Samples.Elementwise(i % 2 == 0 ? "fadd" : "fmul", name))];
        byte[][] alone = [.. texts.Select(t => LlvmCompiler.CompileToObject(t, LlvmTarget.Host, 2))];
        var together = new byte[texts.Length][];
        var threads = Enumerable.Range(0, 4).Select(t => new Thread(() =>
        {
            for (var i = t; i < texts.Length; i += 4)
                together[i] = LlvmCompiler.CompileToObject(texts[i], LlvmTarget.Host, 2);
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        for (var i = 0; i < texts.Length; i++)
            Assert.Equal(alone[i], together[i]);

        using var jit = new Jit(together);
        var addresses = jit.Lookup(names);
        Assert.Equal(Samples.Expected(7, (a, b) => a + b), Samples.Run(addresses[14], 7));
        Assert.Equal(Samples.Expected(7, (a, b) => a * b), Samples.Run(addresses[3], 7));
    }

    [LlvmFact]
    public void Wrong_input_is_an_exception_that_names_it()
    {
        static string Message(Func<object> call) => Assert.Throws<LlvmException>(call).Message;
        var text = Samples.Elementwise("fadd");
        var pass = Message(() => LlvmCompiler.CompileToObject(text, LlvmTarget.X64, 2, "no-such-pass"));
        Assert.Contains("no-such-pass", pass);
        Assert.Contains("x86-64-v4", Message(() => LlvmTarget.Parse("x86-64-v5")));
        var elsewhere = "target triple = \"aarch64-unknown-linux-gnu\"\n" + text;
        Assert.Contains("aarch64", Message(() => LlvmCompiler.CompileToObject(elsewhere, LlvmTarget.X64, 2)));
        var nowhere = LlvmTarget.X64 with { Triple = "toaster-unknown-linux" };
        Assert.Contains("toaster", Message(() => LlvmCompiler.CompileToObject(text, nowhere, 2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => LlvmCompiler.CompileToObject(text, LlvmTarget.X64, 4));
    }

    [LlvmFact]
    public void An_error_of_code_generation_is_an_exception_and_not_the_end_of_the_process()
    {
        const string NoSuchRegister = """
            define void @f() {
              call void asm sideeffect "nop", "{no_such_register}"(i64 0)
              ret void
            }
            """;
        var error = Assert.Throws<LlvmException>(() => LlvmCompiler.CompileToObject(NoSuchRegister, LlvmTarget.X64, 2));
        Assert.Contains("no_such_register", error.Message);
    }

    [LlvmFact]
    public void The_triple_of_the_target_is_written_into_a_module_without_one()
    {
        var text = LlvmCompiler.OptimisedText(Samples.Elementwise("fadd"), LlvmTarget.X64V3, 0);
        Assert.Contains("target triple = \"x86_64-unknown-linux-gnu\"", text);
        Assert.Contains("target datalayout = \"e-m:e", text);
        Assert.Equal(
            LlvmCompiler.CompileToAssembly(text, LlvmTarget.X64V3, 2),
            LlvmCompiler.CompileToAssembly(Samples.Elementwise("fadd"), LlvmTarget.X64V3, 2));
    }

    [LlvmFact]
    public void Nvptx_text_is_generated()
    {
        var target = new LlvmTarget("sm_80", "nvptx64-nvidia-cuda", "sm_80", "+ptx70");
        Assert.False(target.CanRunHere);
        Assert.Contains("add.rn.f32", LlvmCompiler.CompileToAssembly(Samples.Elementwise("fadd"), target, 2));
    }

    [LlvmFact]
    public void Targets_know_their_vectors_and_whether_they_run_here()
    {
        Assert.Equal((512, true), (LlvmTarget.X64V4.VectorBits, LlvmTarget.X64V4.HasFma));
        Assert.Equal((256, true), (LlvmTarget.X64V3.VectorBits, LlvmTarget.X64V3.HasFma));
        Assert.Equal((128, false), (LlvmTarget.X64.VectorBits, LlvmTarget.X64.HasFma));
        Assert.True(LlvmTarget.Host.CanRunHere);
        Assert.True(LlvmTarget.X64.CanRunHere);
        Assert.Equal(System.Runtime.Intrinsics.X86.Avx512F.VL.IsSupported, LlvmTarget.X64V4.CanRunHere);
        Assert.Equal(System.Runtime.Intrinsics.X86.Fma.IsSupported, LlvmTarget.X64V3.CanRunHere);
        Assert.Equal(System.Runtime.Intrinsics.X86.Fma.IsSupported, LlvmTarget.Host.HasFma);
    }

    [Fact]
    public void The_library_is_searched_where_the_environment_says_and_nowhere_else()
    {
        Assert.Equal(["/opt/my/libLLVM.so"], LlvmLibrary.Candidates("/opt/my/libLLVM.so"));
        Assert.All(LlvmLibrary.Candidates(Path.GetTempPath()), c => Assert.StartsWith(Path.GetTempPath(), c));
        var usual = LlvmLibrary.Candidates(null).ToList();
        Assert.Equal("libLLVM-19.so.1", usual[0]);
        Assert.Contains("/usr/lib/llvm-19/lib/libLLVM.so.1", usual);
    }

    [GeneratedRegex("fadd float")]
    private static partial Regex FloatAdd();
}

// In: libLLVM as installed. Out: the fourteen checks that any LLVM backend starts from, each a test of its own.
using Accelerate.Backends.Llvm.Native;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Llvm.Native;

public sealed unsafe class FoundationChecks
{
    private const int Small = 5;
    private const int Large = 10_000;

    [LlvmFact]
    public void Library_is_available()
    {
        Assert.True(LlvmLibrary.Available(out _));
        Assert.True(Version.Parse(LlvmLibrary.Version).Major >= 19);
    }

    [LlvmFact]
    public void Module_is_created()
    {
        using var built = new BuiltModule("empty");
        Assert.Contains("ModuleID = 'empty'", built.Print());
    }

    [LlvmFact]
    public void Elementwise_add_is_generated()
    {
        using var built = new BuiltModule("add");
        built.AddElementwise("f", LlvmC.LLVMBuildFAdd);
        Assert.Contains("fadd float", built.Print());
    }

    [LlvmFact]
    public void Elementwise_multiply_is_generated()
    {
        using var built = new BuiltModule("multiply");
        built.AddElementwise("f", LlvmC.LLVMBuildFMul);
        Assert.Contains("fmul float", built.Print());
    }

    [LlvmFact]
    public void Ir_is_printed_and_reads_back()
    {
        using var built = new BuiltModule("printed");
        built.AddElementwise("f", LlvmC.LLVMBuildFAdd);
        var text = built.Print();
        Assert.Contains("define void @f(ptr %0, ptr %1, ptr %2, i64 %3)", text);
        Assert.Equal(Samples.Expected(Small, (a, b) => a + b), Samples.Run(text, Small));
    }

    [LlvmFact]
    public void Ir_is_verified()
    {
        using var built = new BuiltModule("verified");
        built.AddElementwise("f", LlvmC.LLVMBuildFMul);
        Assert.Equal("", built.VerifierMessage());
        LlvmCompiler.Verify(built.Print(), LlvmTarget.X64);
    }

    [LlvmFact]
    public void Invalid_ir_is_rejected_with_a_message()
    {
        // It parses, and the verifier finds that a value is used where its definition does not reach.
        const string Undominated = """
            define i64 @f(i1 %c) {
            entry:
              br i1 %c, label %then, label %end
            then:
              %v = add i64 1, 2
              br label %end
            end:
              ret i64 %v
            }
            """;
        var verifier = Assert.Throws<LlvmException>(() => LlvmCompiler.Verify(Undominated, LlvmTarget.X64));
        Assert.Contains("does not dominate all uses", verifier.Message);
        var parser = Assert.Throws<LlvmException>(() =>
            LlvmCompiler.Verify("define void @f() { ret i32 %x }", LlvmTarget.X64));
        Assert.Contains("%x", parser.Message);
        using var built = new BuiltModule("unfinished");
        built.AddUnfinished("f");
        Assert.Contains("does not have terminator", built.VerifierMessage());
    }

    [LlvmFact]
    public void Jit_engine_is_created()
    {
        using var jit = new Jit([]);
        Assert.NotEqual(0, jit.Lookup("memcpy"));
    }

    [LlvmFact]
    public void Add_runs_on_5_elements() => RunsElementwise(LlvmC.LLVMBuildFAdd, (a, b) => a + b, Small);

    [LlvmFact]
    public void Add_runs_on_10000_elements() => RunsElementwise(LlvmC.LLVMBuildFAdd, (a, b) => a + b, Large);

    [LlvmFact]
    public void Multiply_runs_on_5_elements() => RunsElementwise(LlvmC.LLVMBuildFMul, (a, b) => a * b, Small);

    [LlvmFact]
    public void Multiply_runs_on_10000_elements() => RunsElementwise(LlvmC.LLVMBuildFMul, (a, b) => a * b, Large);

    [LlvmTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Every_optimisation_level_gives_the_same_result(int level) =>
        Assert.Equal(Samples.Expected(Large, (a, b) => a * b), Samples.Run(Samples.Elementwise("fmul"), Large, level));

    [LlvmTheory]
    [InlineData("mem2reg")]
    [InlineData("instcombine,simplifycfg")]
    [InlineData("function(sroa,early-cse,instcombine,loop-mssa(licm),gvn,dce)")]
    [InlineData("default<O1>,function(instcombine)")]
    public void Result_is_preserved_across_passes(string passes) =>
        Assert.Equal(
            Samples.Expected(Large, (a, b) => a + b), Samples.Run(Samples.Elementwise("fadd"), Large, passes: passes));

    private static void RunsElementwise(BuildBinary op, Func<float, float, float> expected, int length)
    {
        using var built = new BuiltModule("run");
        built.AddElementwise("f", op);
        Assert.Equal(Samples.Expected(length, expected), Samples.Run(built.Print(), length));
    }

    internal delegate nint BuildBinary(nint builder, nint left, nint right, string name);

    /// <summary>A module made through LLVM's builder, call by call, with no text in between.</summary>
    private sealed class BuiltModule : IDisposable
    {
        private readonly nint context;
        private readonly nint module;
        private readonly nint builder;

        public BuiltModule(string name)
        {
            LlvmLibrary.Require();
            context = LlvmC.LLVMContextCreate();
            module = LlvmC.LLVMModuleCreateWithNameInContext(name, context);
            builder = LlvmC.LLVMCreateBuilderInContext(context);
        }

        public string Print() => LlvmText.Take(LlvmC.LLVMPrintModuleToString(module));

        public string VerifierMessage()
        {
            LlvmC.LLVMVerifyModule(module, LLVMVerifierFailureAction.LLVMReturnStatusAction, out var message);
            return LlvmText.Take(message);
        }

        public nint AddUnfinished(string name)
        {
            var pointer = LlvmC.LLVMPointerTypeInContext(context, 0);
            var parameters = stackalloc nint[] { pointer, pointer, pointer, LlvmC.LLVMInt64TypeInContext(context) };
            var type = LlvmC.LLVMFunctionType(LlvmC.LLVMVoidTypeInContext(context), parameters, 4, 0);
            var function = LlvmC.LLVMAddFunction(module, name, type);
            LlvmC.LLVMAppendBasicBlockInContext(context, function, "entry");
            return function;
        }

        /// <summary>for (i = 0; i &lt; n; i++) out[i] = op(a[i], b[i])</summary>
        public void AddElementwise(string name, BuildBinary op)
        {
            var real = LlvmC.LLVMFloatTypeInContext(context);
            var index = LlvmC.LLVMInt64TypeInContext(context);
            var pointer = LlvmC.LLVMPointerTypeInContext(context, 0);
            var parameters = stackalloc nint[] { pointer, pointer, pointer, index };
            var type = LlvmC.LLVMFunctionType(LlvmC.LLVMVoidTypeInContext(context), parameters, 4, 0);
            var function = LlvmC.LLVMAddFunction(module, name, type);
            var blocks = stackalloc nint[2];
            var entry = LlvmC.LLVMAppendBasicBlockInContext(context, function, "entry");
            var loop = LlvmC.LLVMAppendBasicBlockInContext(context, function, "loop");
            var done = LlvmC.LLVMAppendBasicBlockInContext(context, function, "done");
            var count = LlvmC.LLVMGetParam(function, 3);
            var zero = LlvmC.LLVMConstInt(index, 0, 0);

            LlvmC.LLVMPositionBuilderAtEnd(builder, entry);
            var any = LlvmC.LLVMBuildICmp(builder, LLVMIntPredicate.LLVMIntSGT, count, zero, "any");
            LlvmC.LLVMBuildCondBr(builder, any, loop, done);

            LlvmC.LLVMPositionBuilderAtEnd(builder, loop);
            var i = LlvmC.LLVMBuildPhi(builder, index, "i");
            nint At(uint parameter)
            {
                var at = i;
                return LlvmC.LLVMBuildGEP2(builder, real, LlvmC.LLVMGetParam(function, parameter), &at, 1, "p");
            }

            var left = LlvmC.LLVMBuildLoad2(builder, real, At(0), "left");
            var right = LlvmC.LLVMBuildLoad2(builder, real, At(1), "right");
            LlvmC.LLVMBuildStore(builder, op(builder, left, right, "value"), At(2));
            var next = LlvmC.LLVMBuildAdd(builder, i, LlvmC.LLVMConstInt(index, 1, 0), "next");
            var more = LlvmC.LLVMBuildICmp(builder, LLVMIntPredicate.LLVMIntSLT, next, count, "more");
            LlvmC.LLVMBuildCondBr(builder, more, loop, done);
            var values = stackalloc nint[] { zero, next };
            blocks[0] = entry;
            blocks[1] = loop;
            LlvmC.LLVMAddIncoming(i, values, blocks, 2);

            LlvmC.LLVMPositionBuilderAtEnd(builder, done);
            LlvmC.LLVMBuildRetVoid(builder);
        }

        public void Dispose()
        {
            LlvmC.LLVMDisposeBuilder(builder);
            LlvmC.LLVMDisposeModule(module);
            LlvmC.LLVMContextDispose(context);
        }
    }
}

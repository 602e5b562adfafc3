// A place holder until the binder is merged.
using Accelerate.Compiler.Diagnostics;

namespace Accelerate.Compiler.Binding;

public static class Binder
{
    internal static BoundProgram? Bind(Syntax.FileSyntax file, BindOptions options, DiagnosticBag bag)
    {
        bag.Report(Codes.NotSupported, file.Span, "the binder");
        return null;
    }
}

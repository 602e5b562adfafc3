// ANTLR's parser, which recurses with the text; this one gives up when rules nest too deep.
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax.Generated;
using Antlr4.Runtime;

namespace Accelerate.Compiler.Syntax;

internal sealed class BoundedParser(SourceText source, CommonTokenStream tokens)
    : AccParser(tokens, TextWriter.Null, TextWriter.Null)
{
    private int depth;

    public override void EnterRule(ParserRuleContext context, int state, int rule)
    {
        Deeper();
        base.EnterRule(context, state, rule);
    }

    public override void ExitRule()
    {
        depth--;
        base.ExitRule();
    }

    public override void EnterRecursionRule(ParserRuleContext context, int state, int rule, int precedence)
    {
        Deeper();
        base.EnterRecursionRule(context, state, rule, precedence);
    }

    public override void UnrollRecursionContexts(ParserRuleContext parent)
    {
        depth--;
        base.UnrollRecursionContexts(parent);
    }

    private void Deeper()
    {
        if (!Nesting.Allows(++depth, Nesting.Rules))
            throw new NestingException(Parser.SpanOf(source, TokenStream.LT(1)),
                $"the text nests deeper than {Nesting.Rules} rules of the grammar here");
    }
}

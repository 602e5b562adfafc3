// The canonical layout: what it is, that it is stable, and that it changes no tree and loses no comment.
using System.Text.RegularExpressions;
using Accelerate.Compiler.Diagnostics;
using Accelerate.Compiler.Syntax;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Syntax;

public sealed class FormatterTests
{
    private static string Format(string text)
    {
        var bag = new DiagnosticBag();
        var result = Formatter.Format(new SourceText("t.acc", text), bag);
        Assert.True(result is not null, PrettyRenderer.Render(bag.Sorted()));
        return result;
    }

    private static void Check(string text)
    {
        var once = Format(text);
        Assert.Equal(once, Format(once));
        Assert.Equal(Source.File(text), Source.File(once));
        Assert.Equal(Comments(text), Comments(once));
    }

    private static List<string> Comments(string text) =>
        [.. Regex.Matches(text, "#.*").Select(m => m.Value.TrimEnd())];

    [Fact]
    public void SpacesAndIndentation() => Assert.Equal(
        """
        use nn
        # above
        module M(a, b = 1) {
            let c = [
                -a,  # behind
                b - 1,
            ]
            fn f(x: f32[.., n], i: int) -> f32[n] {
                # alone
                if a == 1 { x[0, :, 1:, i : i + 1] = -x } else { b = 2 }

                return if a { g(x, k: 1) } else { {0} }
                    |> relu
            }
            export fn g(x: f32[n])
                -> f32[n] {
                for i in 0:n { x[i] += 1 }
                return [i, ..] => x[i, ..]
            }
        }

        """.Replace("{ {0} }", "{ 0 }"), Format("""


        use   nn
          # above
        module M( a,b=1 ){

        let   c=[
        -a,# behind
          b-1 ,
           ]
         fn f(x:f32[..,n],i :int)->f32[ n ]{
        # alone
            if a==1 {x[0,:,1 :,i:i+1]=- x}else{b=2}


              return if a{g(x,k:1)}else{0}
              |> relu

         }
         export fn g(x: f32[n])
             ->f32[n]{
           for i in 0 : n {x[i]+=1}
             return [i,..]=>x[i,..]
           }
        }
        """));

    [Fact]
    public void EverythingIsStable() => Check(Grammar.Everything);

    [Fact]
    public void WrongTextIsLeftAlone()
    {
        var bag = new DiagnosticBag();
        Assert.Null(Formatter.Format(new SourceText("t.acc", "let a ="), bag));
        Assert.Equal(1, bag.Count);
    }

    [SharedFact("design/language")]
    public void EveryProgramOfTheDesignIsStable()
    {
        foreach (var path in Programs.All())
        {
            Check(File.ReadAllText(path));
        }
    }
}

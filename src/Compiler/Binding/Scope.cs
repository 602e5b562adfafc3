// A variable and a value come in; until the block ends the variable has that value, then again the one it had.
namespace Accelerate.Compiler.Binding;

/// <summary>
/// `using var quiet = new Scope&lt;int&gt;(ref muted, muted + 1);`: what was there comes back however the block is
/// left, by an exception too.
/// </summary>
internal readonly ref struct Scope<T>
{
    private readonly ref T variable;
    private readonly T before;

    public Scope(ref T variable, T value)
    {
        this.variable = ref variable;
        before = variable;
        variable = value;
    }

    public void Dispose() => variable = before;
}

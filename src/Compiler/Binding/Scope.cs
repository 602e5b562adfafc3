// Sets a variable to a value until the block ends, then restores the old value.
namespace Accelerate.Compiler.Binding;

/// <summary>
/// `using var quiet = new Scope&lt;int&gt;(ref muted, muted + 1);`: the old value is restored however the block is
/// left, also by an exception.
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

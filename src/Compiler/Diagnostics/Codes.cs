// Every diagnostic code with its title and explanation: the table for `accc explain` and ERRORS.md.
using System.Collections.Immutable;

namespace Accelerate.Compiler.Diagnostics;

/// <summary>The table of codes, by stage. A code is never given a new meaning.</summary>
internal static class Codes
{
    private static readonly List<Code> Table = [];

    // ---- ACC1xxx: syntax ----------------------------------------------------------------------------------------

    /// <summary>ACC1001: unexpected character.</summary>
    public static readonly Code UnexpectedCharacter = Define(
        "ACC1001", "unexpected character",
        "A character that begins no token of the language. Comments are `#`, strings are in double quotes, " +
        "and there are no semicolons.");

    /// <summary>ACC1002: string is not closed.</summary>
    public static readonly Code OpenString = Define(
        "ACC1002", "string is not closed",
        "A string begins with `\"` and ends with `\"` on the same line. Write `\\n` for a line end inside it.");

    /// <summary>ACC1003: number is too large.</summary>
    public static readonly Code NumberTooLarge = Define(
        "ACC1003", "number is too large",
        "An integer literal must fit 64 bits, a float literal a finite 64-bit float. Write `inf` for " +
        "infinity.");

    /// <summary>ACC1004: unexpected token.</summary>
    public static readonly Code UnexpectedToken = Define(
        "ACC1004", "unexpected token",
        "The text does not fit the grammar at this place. The label says what may stand here.");

    /// <summary>ACC1005: bracket is not closed.</summary>
    public static readonly Code OpenBracket = Define(
        "ACC1005", "bracket is not closed",
        "Every `(`, `[` and `{` is closed by its partner. The primary span is the one left open, the other " +
        "label the place where its partner is missed.");

    /// <summary>ACC1006: a `(` or `[` on a new line continues the expression.</summary>
    public static readonly Code ContinuedOnNextLine = Define(
        "ACC1006", "a `(` or `[` on a new line continues the expression",
        "Newlines mean nothing, so a `(` or `[` at the start of a line would call or index what ends the " +
        "line above. It has to stand on the line where that expression ends; break the line inside the " +
        "brackets instead.");

    /// <summary>ACC1007: reserved word used as a name.</summary>
    public static readonly Code ReservedName = Define(
        "ACC1007", "reserved word used as a name",
        "A few words cannot be names: use module fn export param buffer let if else for while in return " +
        "inout and or not true false.");

    /// <summary>ACC1008: `inout` takes a place.</summary>
    public static readonly Code InoutNeedsPlace = Define(
        "ACC1008", "`inout` takes a place",
        "The argument after `inout` is written back, so it must be a name, a member or a subscript of one: " +
        "`inout cache[i]`.");

    /// <summary>ACC1009: nothing may follow `return`.</summary>
    public static readonly Code AfterReturn = Define(
        "ACC1009", "nothing may follow `return`",
        "`return` ends its function; a statement behind it in the same block would never run.");

    /// <summary>ACC1010: unknown escape in a string.</summary>
    public static readonly Code UnknownEscape = Define(
        "ACC1010", "unknown escape in a string",
        "Strings know the escapes `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\` and `\\u` with four hexadecimal digits.");

    /// <summary>ACC1011: comparisons do not chain.</summary>
    public static readonly Code ChainedComparison = Define(
        "ACC1011", "comparisons do not chain",
        "`a < b < c` would compare a truth value with a number. Write `a < b and b < c`.");

    /// <summary>ACC1012: an `if` that is a value needs an `else`.</summary>
    public static readonly Code MissingElse = Define(
        "ACC1012", "an `if` that is a value needs an `else`",
        "As an expression, `if` has a value in both cases: `if c { a } else { b }`. As a statement it may " +
        "stand alone.");

    /// <summary>ACC1013: not a text.</summary>
    public static readonly Code NoText = Define(
        "ACC1013", "not a text",
        "The file holds a zero byte, so it is no source text: a weights file, an image or a program, perhaps.");

    /// <summary>ACC1014: file too long.</summary>
    public static readonly Code FileTooLong = Define(
        "ACC1014", "file too long",
        "A file has at most 600,000 words and signs. Long tables of numbers are read from files when the program " +
        "runs.");

    // ---- ACC2xxx: names, types and sizes ------------------------------------------------------------------------

    /// <summary>ACC2001: unknown name.</summary>
    public static readonly Code UnknownName = Define(
        "ACC2001", "unknown name",
        "The name is not a local, a member, a hyper-parameter, a declaration of this file, of a file in " +
        "use, or of the prelude.");

    /// <summary>ACC2002: name declared twice.</summary>
    public static readonly Code DuplicateName = Define(
        "ACC2002", "name declared twice",
        "Two declarations of one scope have the same name. A `let` in the same block of a function hides " +
        "the old one; declarations of a file, a module or a parameter list do not.");

    /// <summary>ACC2003: type mismatch.</summary>
    public static readonly Code TypeMismatch = Define(
        "ACC2003", "type mismatch",
        "A value of one type stands where another is declared.");

    /// <summary>ACC2004: contracted sizes differ.</summary>
    public static readonly Code ContractMismatch = Define(
        "ACC2004", "contracted sizes differ",
        "The sizes that `@` or a reduction runs over together must be equal.");

    /// <summary>ACC2005: sizes do not broadcast.</summary>
    public static readonly Code BroadcastMismatch = Define(
        "ACC2005", "sizes do not broadcast",
        "Element-wise operations need equal sizes, or a literal size 1, or a missing leading axis. Two " +
        "different size variables do not broadcast.");

    /// <summary>ACC2006: wrong number of arguments.</summary>
    public static readonly Code WrongArgumentCount = Define(
        "ACC2006", "wrong number of arguments",
        "The call gives more arguments than there are parameters, or leaves out one without a default.");

    /// <summary>ACC2007: unknown named argument.</summary>
    public static readonly Code UnknownArgument = Define(
        "ACC2007", "unknown named argument",
        "The function or module has no parameter of this name.");

    /// <summary>ACC2008: dtypes do not mix.</summary>
    public static readonly Code DtypeMix = Define(
        "ACC2008", "dtypes do not mix",
        "Tensors never change dtype on their own. Cast one of them: `f32(x)`.");

    /// <summary>ACC2009: `/` on integer tensors.</summary>
    public static readonly Code IntegerDivision = Define(
        "ACC2009", "`/` on integer tensors",
        "`/` divides really and an integer tensor has no fractions. Write `//` for the floor, or cast: " +
        "`f32(a) / f32(b)`.");

    /// <summary>ACC2010: `if` on a tensor.</summary>
    public static readonly Code TensorCondition = Define(
        "ACC2010", "`if` on a tensor",
        "`if` takes a constant or a scalar. For a choice an element, use `select(c, a, b)`, or an `if` " +
        "inside an index form.");

    /// <summary>ACC2011: arithmetic on a list.</summary>
    public static readonly Code ListArithmetic = Define(
        "ACC2011", "arithmetic on a list",
        "Lists have no arithmetic. Join with `[..a, ..b]`; compute on the elements with a comprehension.");

    /// <summary>ACC2012: `inout` is not marked.</summary>
    public static readonly Code InoutNotMarked = Define(
        "ACC2012", "`inout` is not marked",
        "An argument that is written back is marked at both ends, in the declaration and in the call.");

    /// <summary>ACC2013: `let` in a block hides a local.</summary>
    public static readonly Code HiddenInBlock = Define(
        "ACC2013", "`let` in a block hides a local",
        "A `let` in an inner block that hides a local of the same function would silently change nothing " +
        "outside. Write `x = …` to change it, or take another name.");

    /// <summary>ACC2014: assignment to an undeclared name.</summary>
    public static readonly Code Undeclared = Define(
        "ACC2014", "assignment to an undeclared name",
        "`=` changes what exists; `let` introduces.");

    /// <summary>ACC2015: index without an extent.</summary>
    public static readonly Code IndexWithoutExtent = Define(
        "ACC2015", "index without an extent",
        "An index of an index form runs over the axis where it stands alone as a subscript; where it never " +
        "does, write `i < n`.");

    /// <summary>ACC2016: index and size of one name.</summary>
    public static readonly Code IndexNamedLikeSize = Define(
        "ACC2016", "index and size of one name",
        "Outside a subscript, a name that is both an index of this form and a size is ambiguous. Rename the " +
        "index.");

    /// <summary>ACC2017: read out of range.</summary>
    public static readonly Code ReadOutOfRange = Define(
        "ACC2017", "read out of range",
        "An affine subscript leaves its axis for some index. Bound the index, or read under an `if` that " +
        "excludes these.");

    /// <summary>ACC2018: sizes differ.</summary>
    public static readonly Code SizesDiffer = Define(
        "ACC2018", "sizes differ",
        "Two sizes that have to be equal are not equal for all values of their variables, or what a function " +
        "asks for by `where` does not hold of a call. If callers guarantee it, declare it: `where n == m`.");

    /// <summary>ACC2019: constant needed.</summary>
    public static readonly Code ConstantNeeded = Define(
        "ACC2019", "constant needed",
        "An axis, a hyper-parameter or a subscript of a list is known when compiling; a size that is only " +
        "known when called cannot stand here.");

    /// <summary>ACC2020: nothing is exported.</summary>
    public static readonly Code MissingExport = Define(
        "ACC2020", "nothing is exported",
        "The file compiled needs a module, or functions at top level, with `export fn`.");

    /// <summary>ACC2021: recursion.</summary>
    public static readonly Code Recursion = Define(
        "ACC2021", "recursion",
        "A function is elaborated where it is called, so it cannot call itself, directly or through others, unless " +
        "known values end it within eight levels. Use `for` or `while`.");

    /// <summary>ACC2022: no such axis.</summary>
    public static readonly Code BadAxis = Define(
        "ACC2022", "no such axis",
        "Axes are constants from 0, negative from the end, and each is named once.");

    /// <summary>ACC2023: wrong number of axes.</summary>
    public static readonly Code WrongRank = Define(
        "ACC2023", "wrong number of axes",
        "The tensor has more or fewer axes than the type or the subscripts name.");

    /// <summary>ACC2024: result type mismatch.</summary>
    public static readonly Code ReturnMismatch = Define(
        "ACC2024", "result type mismatch",
        "What the function returns is not what its signature declares.");

    /// <summary>ACC2025: not callable.</summary>
    public static readonly Code NotCallable = Define(
        "ACC2025", "not callable",
        "Only functions, layers (modules with `apply`), lists of layers, modules and dtypes can be called.");

    /// <summary>ACC2026: cannot be subscripted.</summary>
    public static readonly Code NotAnArray = Define(
        "ACC2026", "cannot be subscripted",
        "Only tensors and lists have subscripts.");

    /// <summary>ACC2027: unknown member.</summary>
    public static readonly Code UnknownMember = Define(
        "ACC2027", "unknown member",
        "The module has no member of this name.");

    /// <summary>ACC2028: cannot be assigned.</summary>
    public static readonly Code NotAssignable = Define(
        "ACC2028", "cannot be assigned",
        "Only `param`, `buffer`, locals and `inout` parameters change by assignment, and not inside an " +
        "index form or a comprehension.");

    /// <summary>ACC2029: slice or subscript outside the axis.</summary>
    public static readonly Code SliceOutOfRange = Define(
        "ACC2029", "slice or subscript outside the axis",
        "Slices are not clamped: both ends lie within the axis.");

    /// <summary>ACC2030: wrong number of names.</summary>
    public static readonly Code WrongResultCount = Define(
        "ACC2030", "wrong number of names",
        "A `let` or an assignment with several names takes a list of exactly as many.");

    /// <summary>ACC2031: unknown type.</summary>
    public static readonly Code UnknownType = Define(
        "ACC2031", "unknown type",
        "A type is a dtype, `int`, `float`, `bool`, `string`, `dtype`, `fn`, a list, a module, or one " +
        "capital letter for a dtype variable.");

    /// <summary>ACC2032: used file not found.</summary>
    public static readonly Code FileNotFound = Define(
        "ACC2032", "used file not found",
        "`use a.b` looks for a/b.acc beside the file and then in the library. It has to be a regular file.");

    /// <summary>ACC2033: name opened by two files.</summary>
    public static readonly Code AmbiguousName = Define(
        "ACC2033", "name opened by two files",
        "Two used files declare the name. Say which: `nn.relu`.");

    /// <summary>ACC2034: assert failed while compiling.</summary>
    public static readonly Code AssertFailed = Define(
        "ACC2034", "assert failed while compiling",
        "The condition is constant and false.");

    /// <summary>ACC2035: branches differ in type.</summary>
    public static readonly Code BranchesDiffer = Define(
        "ACC2035", "branches differ in type",
        "Where two run-time paths meet, what both assign must have one type.");

    /// <summary>ACC2036: size is never bound.</summary>
    public static readonly Code UnboundSize = Define(
        "ACC2036", "size is never bound",
        "A size variable has to stand alone at least once in a parameter's type.");

    /// <summary>ACC2037: files use one another.</summary>
    public static readonly Code UseCycle = Define(
        "ACC2037", "files use one another",
        "`use` may not form a cycle.");

    /// <summary>ACC2038: cannot be differentiated.</summary>
    public static readonly Code NotDifferentiable = Define(
        "ACC2038", "cannot be differentiated",
        "The first result must be a floating scalar, and what `wrt:` names floating arguments or state.");

    /// <summary>ACC2039: effect in a pure form.</summary>
    public static readonly Code EffectInPureForm = Define(
        "ACC2039", "effect in a pure form",
        "Index forms, comprehensions and initialisers neither print, assert nor assign state.");

    /// <summary>ACC2040: the same place is `inout` twice.</summary>
    public static readonly Code SameInoutTwice = Define(
        "ACC2040", "the same place is `inout` twice",
        "One call may not write back twice to overlapping places.");

    /// <summary>ACC2041: a loop changes a type.</summary>
    public static readonly Code LoopTypeChange = Define(
        "ACC2041", "a loop changes a type",
        "What a run-time loop carries keeps its type; declare it before the loop.");

    /// <summary>ACC2042: layer without a name.</summary>
    public static readonly Code InstanceWithoutPath = Define("ACC2042", "layer without a name",
        "The state of a layer is named by the path of what holds it first: a `let` of a module, an element of a list " +
        "there, or a hyper-parameter. A layer made in the middle of a function has no such path.");

    /// <summary>ACC2043: number does not fit the dtype.</summary>
    public static readonly Code NumberOutOfRange = Define("ACC2043", "number does not fit the dtype",
        "A number takes the dtype of the tensor it meets, and a dtype holds only so many: 300 is no u8, -1 no u32, and " +
        "70000 would be infinite as f16. Cast the tensor to a wider dtype first; infinity itself is written `inf`.");

    /// <summary>ACC2044: value is not used.</summary>
    public static readonly Code UnusedValue = Define("ACC2044", "value is not used",
        "A call stands on its own for its effects: a print, an assert, state or an `inout` argument that it assigns. " +
        "`relu(x)` has none, and leaves x as it is: write `x = relu(x)`, or `return` the value.");

    // ---- ACC3xxx: weights and state -----------------------------------------------------------------------------

    /// <summary>ACC3001: weight missing in the file.</summary>
    public static readonly Code MissingWeight = Define(
        "ACC3001", "weight missing in the file",
        "A `param` or `buffer` has no key in the weights file after the `weights` rules were applied.");

    /// <summary>ACC3002: weight without a place.</summary>
    public static readonly Code ExtraWeight = Define(
        "ACC3002", "weight without a place",
        "A key of the weights file matches no state. Map it with `weights { \"key\" -> \"path\" }` or leave it " +
        "out with `-> _`.");

    /// <summary>ACC3003: weight has another shape or dtype.</summary>
    public static readonly Code WeightShape = Define(
        "ACC3003", "weight has another shape or dtype",
        "The tensor in the file differs from the declaration.");

    /// <summary>ACC3004: bad weights rule.</summary>
    public static readonly Code BadRename = Define(
        "ACC3004", "bad weights rule",
        "A target's `$k` counts the wildcards of its pattern from 1; two keys may not map to one path.");

    // ---- ACC4xxx: limitations -----------------------------------------------------------------------------------

    /// <summary>ACC4001: not supported.</summary>
    public static readonly Code NotSupported = Define(
        "ACC4001", "not supported",
        "The program is right; this version of the compiler cannot do it.");

    /// <summary>ACC4002: not supported by this backend.</summary>
    public static readonly Code BackendNotSupported = Define(
        "ACC4002", "not supported by this backend",
        "Another backend can run it.");

    /// <summary>ACC4003: nested too deep.</summary>
    public static readonly Code NestedTooDeep = Define(
        "ACC4003", "nested too deep",
        "Brackets may be nested 256 levels deep, rules of the grammar 4000 (a chain of signs, powers or `else if`), " +
        "and the operators and calls that are being evaluated 12,000. Give inner parts names with `let`.");

    /// <summary>ACC4050: size beyond 64 bits.</summary>
    public static readonly Code SizeTooLarge = Define(
        "ACC4050", "size beyond 64 bits",
        "Sizes, and the numbers of elements and bytes that follow from them, are computed in 64 bits with a sign. One " +
        "of this program's does not fit, whatever memory there is.");

    // ---- ACC9xxx: compiler bugs ---------------------------------------------------------------------------------

    /// <summary>ACC9001: internal error.</summary>
    public static readonly Code CompilerBug = Define(
        "ACC9001", "internal error",
        "The compiler broke one of its own rules. A folder with what is needed to reproduce it is written.");

    /// <summary>All codes, in order.</summary>
    public static ImmutableArray<Code> All { get; } = [.. Table];

    /// <summary>The code of an identifier such as ACC2004, or null.</summary>
    public static Code? Find(string id) =>
        All.FirstOrDefault(c => string.Equals(c.Id, id, StringComparison.OrdinalIgnoreCase));

    private static Code Define(string id, string title, string explanation)
    {
        var code = new Code(id, title, explanation);
        Table.Add(code);
        return code;
    }
}

// In: SQL with named parameters. Out: DuckDB's answers in C# types; its errors as errors of the store.
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

/// <summary>Helpers that run a statement in one line.</summary>
internal static class Sql
{
    public static DuckDBCommand Command(this DuckDBConnection connection, string sql,
        params IEnumerable<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.Add(new DuckDBParameter(name, value ?? DBNull.Value));
        return command;
    }

    public static int Execute(this DuckDBConnection connection, string sql,
        params IEnumerable<(string Name, object? Value)> parameters)
    {
        using var command = connection.Command(sql, parameters);
        return command.ExecuteNonQuery();
    }

    /// <summary>The single value of a single row.</summary>
    public static T Scalar<T>(this DuckDBConnection connection, string sql,
        params IEnumerable<(string Name, object? Value)> parameters)
    {
        using var command = connection.Command(sql, parameters);
        using var reader = command.ExecuteReader();
        return reader.Read() ? reader.GetFieldValue<T>(0)
            : throw new InvalidOperationException($"no row: {sql}");
    }

    /// <summary>All rows, each made by <paramref name="make"/>.</summary>
    public static List<T> Rows<T>(this DuckDBConnection connection, string sql, Func<SqlRow, T> make,
        params IEnumerable<(string Name, object? Value)> parameters)
    {
        using var command = connection.Command(sql, parameters);
        using var reader = command.ExecuteReader();
        var row = new SqlRow(reader);
        var rows = new List<T>();
        while (reader.Read()) rows.Add(make(row));
        return rows;
    }

    /// <summary>A name or a path as an SQL literal in single quotes.</summary>
    public static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}

/// <summary>The current row of a reader, by the names of its columns.</summary>
internal sealed class SqlRow(DuckDBDataReader reader)
{
    private readonly Dictionary<string, int> ordinals = Enumerable.Range(0, reader.FieldCount)
        .ToDictionary(reader.GetName, i => i, StringComparer.Ordinal);

    public T Get<T>(string name) => reader.GetFieldValue<T>(ordinals[name]);

    public T? Value<T>(string name)
        where T : struct
    {
        var ordinal = ordinals[name];
        return reader.IsDBNull(ordinal) ? null : reader.GetFieldValue<T>(ordinal);
    }

    public string? Text(string name)
    {
        var ordinal = ordinals[name];
        return reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);
    }

    /// <summary>A value of a TIMESTAMP column; all of them are UTC here.</summary>
    public DateTime Utc(string name) => DateTime.SpecifyKind(Get<DateTime>(name), DateTimeKind.Utc);
}

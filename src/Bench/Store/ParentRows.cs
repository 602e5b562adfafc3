// In: models, machines, environments and runs. Out: a row for each new one; rows never change.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Accelerate.Bench.Records;
using DuckDB.NET.Data;

namespace Accelerate.Bench.Store;

/// <summary>
/// The rows that results refer to. An id is a hash of the contents: equal contents share a row, whoever inserts them,
/// and a machine with another driver is another row.
/// </summary>
internal static class ParentRows
{
    public static string Id(ModelRecord model) => Hash(model);

    public static void Insert(DuckDBConnection connection, ModelRecord model) => connection.Execute(
        "INSERT OR IGNORE INTO models VALUES ($id, $name, $architecture, $size, $parameters)",
        ("id", Id(model)), ("name", model.Name), ("architecture", model.Architecture), ("size", model.SizeClass),
        ("parameters", model.Parameters));

    public static void Insert(DuckDBConnection connection, RunRecord run)
    {
        var (hardware, environment) = (run.Hardware, run.Environment);
        var (hardwareId, environmentId) = (Hash(hardware), Hash(environment));
        connection.Execute("""
            INSERT OR IGNORE INTO hardware_platforms VALUES ($id, $fingerprint, $kind, $name, $cores, $memory,
                CAST(CAST($features AS JSON) AS VARCHAR[]), $caches, $driver)
            """,
            ("id", hardwareId), ("fingerprint", hardware.Fingerprint), ("kind", hardware.Kind),
            ("name", hardware.Name), ("cores", hardware.Cores), ("memory", hardware.MemoryBytes),
            ("features", JsonSerializer.Serialize(hardware.Features)),
            ("caches", JsonSerializer.Serialize(hardware.Caches)), ("driver", hardware.Driver));
        connection.Execute("INSERT OR IGNORE INTO environments VALUES ($id, $os, $dotnet, $llvm, $commit, $build)",
            ("id", environmentId), ("os", environment.Os), ("dotnet", environment.Dotnet), ("llvm", environment.Llvm),
            ("commit", environment.Commit), ("build", environment.Build));
        connection.Execute("""
            INSERT OR IGNORE INTO runs VALUES ($id, $started, $command, $suite, $seed, $hardware, $environment,
                $simulated)
            """,
            ("id", run.Id), ("started", run.StartedAt), ("command", run.Command), ("suite", run.Suite),
            ("seed", run.Seed), ("hardware", hardwareId), ("environment", environmentId),
            ("simulated", run.Simulated));
    }

    private static string Hash<T>(T contents) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(contents))))[..16];
}

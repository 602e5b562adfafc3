// The database with several processes: a second writer spools, and one that is killed leaves whole batches.
using System.Diagnostics;
using Accelerate.Bench.Records;
using Accelerate.Bench.Store;
using Accelerate.Cli;
using Accelerate.Tests.Support;

namespace Accelerate.Tests.Bench;

public class StoreProcessTests
{
    [Fact]
    public void ASecondWriterSpoolsAndItIsMergedOnce()
    {
        using var folder = new TemporaryFolder();
        var path = folder["b.duckdb"];
        var (first, second) = (StoreRecords.Run(1), StoreRecords.Run(2));
        using var store = new SpoolingStore(path, TimeSpan.FromSeconds(0.2));
        using (var holder = Importer(path))
        {
            Send(holder, StoreRecords.Batch(first, 1));
            Assert.StartsWith($"kept {first.Id}", holder.StandardOutput.ReadLine(), StringComparison.Ordinal);
            var busy = Assert.Throws<StoreBusyException>(() => DuckDbStore.Open(path, TimeSpan.FromSeconds(0.1)));
            Assert.Contains($"process {holder.Id}", busy.Message, StringComparison.Ordinal);
            var clock = Stopwatch.StartNew();
            store.Append(StoreRecords.Batch(second, 2, 3));
            Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(0.2));
            store.Append(StoreRecords.Batch(second, 4));
            Assert.Equal(2, store.Spooled);
            Assert.Equal(2, Spool.Files(path).Count);
            Assert.False(store.Merge());
            // Reading is refused too, with the holder's name.
            Assert.Throws<StoreBusyException>(() => store.Results(new()));
            holder.StandardInput.Close();
            holder.WaitForExit();
            Assert.Equal(0, holder.ExitCode);
        }
        // As a process that ended between the merge and the deletion of the file leaves it.
        var kept = Spool.Files(path).ToDictionary(f => f, File.ReadAllText);
        store.Append(StoreRecords.Batch(second, 5));
        Assert.Equal(3, store.Spooled);
        Assert.True(store.Merge());
        Assert.Equal(0, store.Spooled);
        Assert.Empty(Spool.Files(path));
        Assert.False(Directory.Exists(Spool.Folder(path)));
        Assert.Equal(5, store.Results(new()).Count);
        Directory.CreateDirectory(Spool.Folder(path));
        foreach (var (file, text) in kept) File.WriteAllText(file, text);
        Assert.Equal(5, store.Results(new()).Count);
        Assert.Empty(Spool.Files(path));
        // What is no batch stays where it is, and keeps nothing else out.
        Spool.Append(path, StoreRecords.Batch(second, 6));
        File.WriteAllText(Path.Combine(Spool.Folder(path), "a.jsonl"), "{\"run\":\n");
        using var opened = DuckDbStore.Open(path);
        Assert.Equal((1, 1), (opened.Merged.Batches, opened.Merged.Results));
        Assert.Contains("a.jsonl", Assert.Single(opened.Merged.Unreadable), StringComparison.Ordinal);
        Assert.Equal(6, opened.Results(new()).Count);
    }

    [Fact]
    public void TheDatabaseIsFreeWhileABenchmarkAppends()
    {
        using var folder = new TemporaryFolder();
        var path = folder["b.duckdb"];
        var run = StoreRecords.Run();
        string Count() =>
            $"{ReadOnlyQuery.Run(path, "SELECT count(*) FROM results", 1, TimeSpan.FromMinutes(1)).Rows[0][0]}";
        using (var store = new SpoolingStore(path))
        {
            Assert.Empty(store.Runs(new()));
            Assert.Empty(Directory.GetFileSystemEntries(folder.Root));
            store.Append(StoreRecords.Batch(run, 1));
            Assert.Empty(Spool.Files(path)); // the first one is in the database
            store.Append(StoreRecords.Batch(run, 2));
            store.Append(StoreRecords.Batch(run, 3));
            Assert.Equal(2, Spool.Files(path).Count);
            Assert.Equal("3", Count()); // a query merges
            store.Append(StoreRecords.Batch(run, 4));
            Assert.Equal(4, store.Results(new()).Count);
            store.Append(StoreRecords.Batch(run, 5));
        }
        Assert.Empty(Spool.Files(path));
        Assert.Equal("5", Count());
        // A batch that the database refuses keeps no other out, and is not lost.
        var other = StoreRecords.Run(2);
        var stolen = StoreRecords.Full(other, 1) with { Id = StoreRecords.Full(run, 1).Id };
        Spool.Append(path, new(other, [stolen]));
        Spool.Append(path, StoreRecords.Batch(StoreRecords.Run(3), 1));
        using var opened = DuckDbStore.Open(path);
        Assert.Equal(6, opened.Results(new()).Count);
        Assert.Single(opened.Merged.Unreadable);
        Assert.Single(Spool.Files(path));
    }

    [Fact]
    public void AKilledWriterLeavesAcknowledgedBatchesAndNoPartOfOne() => Kill(rounds: 10);

    [LongTheory]
    [InlineData(50)]
    public void AKilledWriterLeavesAcknowledgedBatchesAndNoPartOfOneFiftyTimes(int rounds) => Kill(rounds);

    /// <summary>Batches have three results with samples and kernels: a part of one would show.</summary>
    private static void Kill(int rounds)
    {
        var seed = Environment.TickCount;
        Console.WriteLine($"kill -9: seed {seed}");
        var random = new Random(seed);
        using var folder = new TemporaryFolder();
        var path = folder["b.duckdb"];
        var sent = new Dictionary<Guid, ResultBatch>();
        var acknowledged = new HashSet<Guid>();
        for (var round = 0; round < rounds; round++)
        {
            // What is spooled is acknowledged; the child merges it when it opens the database.
            var isEarly = random.Next(2) == 0;
            foreach (var number in isEarly ? (int[])[300, 301, 302] : [])
            {
                var spooled = StoreRecords.Batch(StoreRecords.Run(1000 * round + number), 1, 2, 3);
                Spool.Append(path, spooled);
                sent.Add(spooled.Run.Id, spooled);
                acknowledged.Add(spooled.Run.Id);
            }
            using var child = Importer(path);
            var batches = Enumerable.Range(0, 300).Select(i =>
            {
                var run = StoreRecords.Run(1000 * round + i);
                return StoreRecords.Batch(run, 1, 2, 3);
            }).ToList();
            foreach (var batch in batches) sent.Add(batch.Run.Id, batch);
            var sender = new Thread(() =>
            {
                try
                {
                    foreach (var batch in batches) Send(child, batch);
                }
                catch (IOException)
                {
                    // The pipe breaks when the child is killed.
                }
            });
            sender.Start();
            // Any moment of starting, opening and merging, or of appending: a batch takes about 10 ms.
            if (!isEarly) acknowledged.Add(Kept(child.StandardOutput.ReadLine()!));
            Thread.Sleep(random.Next(isEarly ? 600 : 120));
            child.Kill();
            while (child.StandardOutput.ReadLine() is { } line)
                if (line.EndsWith("results", StringComparison.Ordinal)) acknowledged.Add(Kept(line));
            child.WaitForExit();
            sender.Join();
            // A reader comes first in half of the rounds: what the killed one left is read without repair.
            if (File.Exists(path) && random.Next(2) == 0)
                Assert.True((long)ReadOnlyQuery.Run(path, "SELECT count(*) FROM runs", 1, TimeSpan.FromSeconds(20))
                    .Rows[0][0]! >= acknowledged.Count, $"seed {seed}, round {round}");
        }
        using var store = DuckDbStore.Open(path);
        var kept = store.Results(new(), details: true).ToLookup(r => r.RunId);
        var runs = store.Runs(new()).Select(r => r.Id).ToHashSet();
        Assert.True(acknowledged.IsSubsetOf(runs), $"seed {seed}: {acknowledged.Except(runs).Count()} lost");
        foreach (var run in runs)
            Assert.Equal(sent[run].ToJson(), new ResultBatch(sent[run].Run, [.. kept[run]]).ToJson());
        Assert.Empty(store.Merged.Unreadable);
        Assert.True(acknowledged.Count >= rounds && runs.Count < sent.Count, "no round was cut short");
        Assert.Empty(DatabaseCheck.Problems(store.Connection));
    }

    private static Guid Kept(string line) => Guid.Parse(line.Split(' ')[1].TrimEnd(':'));

    private static void Send(Process importer, ResultBatch batch)
    {
        importer.StandardInput.Write(batch.ToJson() + "\n");
        importer.StandardInput.Flush();
    }

    /// <summary>Has the database open until its standard input ends.</summary>
    private static Process Importer(string path) =>
        Process.Start(ChildProcess.StartInfo(["db", "import", "-", "--database", path]))!;
}

// In: reports of training. Out: the same, passed to several observers.
using Accelerate.Training;

namespace Accelerate.Cli.Train;

internal sealed class Observers(IReadOnlyList<ITrainingObserver> all) : ITrainingObserver
{
    public void Starts(long done, long total, long epochSteps)
    {
        foreach (var observer in all) observer.Starts(done, total, epochSteps);
    }

    public void Steps(StepReport report)
    {
        foreach (var observer in all) observer.Steps(report);
    }

    public void Judges(EpochReport report)
    {
        foreach (var observer in all) observer.Judges(report);
    }

    public void Saves(string path, long step)
    {
        foreach (var observer in all) observer.Saves(path, step);
    }
}
